// Package seal makes sealed objects: it encrypts the content under a fresh key with
// the binding as context ([NewWriter]), signs what came of it ([Sign]), and wraps
// the key for a recipient ([Wrap]). docs/seal.md has every byte.
//
// The three are apart because they happen at different times: an agent seals and
// signs when something happens, and wraps when it uploads, for those entitled then.
// Nothing here opens anything.
package seal

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/cobblestone"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/sealed"
)

const secret = "(secret)"

// ObjectKey is the key of one object's body. It is a secret until it has been
// wrapped for everybody entitled, and then it is to be forgotten.
type ObjectKey [cobblestone.KeySize]byte

// Format hides the secret from every verb of fmt.
func (ObjectKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, secret) }

// LogValue hides it from structured logs.
func (ObjectKey) LogValue() slog.Value { return slog.StringValue(secret) }

// Result is what a header and envelopes need of a body that was written.
type Result struct {
	BodyLength uint64
	BodyHash   [32]byte
	Key        ObjectKey
}

// Writer encrypts the content of one object. There is no way to continue one.
type Writer struct {
	c     *cobblestone.Writer
	body  *measured
	limit uint64
	key   ObjectKey
}

// measured hashes and counts what goes to w.
type measured struct {
	w    io.Writer
	hash hash.Hash
	n    uint64
}

func (m *measured) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	m.hash.Write(p[:n])
	m.n += uint64(n)
	return n, err
}

// NewWriter starts the body of the object that b describes and writes it to w, under
// a key that it makes.
func NewWriter(w io.Writer, b sealed.Binding) (*Writer, error) {
	context := b.Bytes()
	if _, err := sealed.ParseBinding(context); err != nil {
		return nil, fmt.Errorf("seal %s: %w", b.Name(), err)
	}
	s := &Writer{body: &measured{w: w, hash: sha256.New()}, limit: b.Kind.MaxBody()}
	rand.Read(s.key[:]) // never fails: it ends the process instead
	var err error
	if s.c, err = cobblestone.NewWriter(s.body, s.key[:], context); err != nil {
		return nil, fmt.Errorf("seal %s: %w", b.Name(), err)
	}
	return s, nil
}

// ErrTooLong is that an object's content is more than its kind may have.
var ErrTooLong = errors.New("the content is too long for its kind")

// Write encrypts p.
func (w *Writer) Write(p []byte) (int, error) {
	if w.body.n+uint64(len(p)) > w.limit {
		return 0, ErrTooLong
	}
	return w.c.Write(p)
}

// Close finishes the body. It does not close the writer below.
func (w *Writer) Close() (Result, error) {
	if err := w.c.Close(); err != nil {
		return Result{}, err
	}
	if w.body.n > w.limit {
		return Result{}, ErrTooLong
	}
	r := Result{BodyLength: w.body.n, Key: w.key}
	w.body.hash.Sum(r.BodyHash[:0])
	return r, nil
}

// Sign makes the header of a body that was written: the agent's word for what it is.
// The signer's key must be the one that the binding names.
func Sign(b sealed.Binding, length uint64, hash [32]byte, signer crypto.Signer) (sealed.Header, error) {
	public, _ := signer.Public().(ed25519.PublicKey) // no key has the ID of another kind's
	if deed.Ed25519Key(public).ID() != b.AgentKey {
		return sealed.Header{}, fmt.Errorf("sign %s: the key is not the one that its binding names", b.Name())
	}
	h := sealed.Header{Binding: b, BodyLength: length, BodyHash: hash}
	signature, err := signer.Sign(rand.Reader, h.SignedMessage(), crypto.Hash(0))
	if err != nil {
		return sealed.Header{}, fmt.Errorf("sign %s: %w", b.Name(), err)
	}
	h.Signatures = [][]byte{signature}
	return h, nil
}

// Wrap makes the envelope of an object's key for one recipient. The epoch is the one
// that is current now, whoever the recipient is.
func Wrap(k ObjectKey, b sealed.Binding, kind sealed.RecipientKind, to deed.Key, epoch latchkey.Epoch) (sealed.Envelope, error) {
	e := sealed.Envelope{Recipient: kind, Key: to.ID(), Epoch: epoch}
	var err error
	if e.Sealed, err = key.Seal(to, sealed.EnvelopeInfo(b, kind, e.Key, epoch), k[:]); err != nil {
		return sealed.Envelope{}, fmt.Errorf("wrap the key of %s: %w", b.Name(), err)
	}
	return e, nil
}

// WrapForEpoch is [Wrap] for those who see the whole home: the title's newest epoch.
func WrapForEpoch(k ObjectKey, b sealed.Binding, t *deed.Title) (sealed.Envelope, error) {
	to, ok := t.EpochKey(t.Epoch())
	if !ok {
		return sealed.Envelope{}, fmt.Errorf("wrap the key of %s: the home has no epoch yet", b.Name())
	}
	return Wrap(k, b, sealed.ToEpoch, to, t.Epoch())
}
