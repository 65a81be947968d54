// Package tombstone is the signed statement by which people of a home have something of
// what was recorded deleted: some events, a camera's span of time, or the home itself. It
// outlives what it is about, so that no backup brings that back. docs/tombstone.md has
// every byte and every refusal.
//
// Nothing here can open anything: whoever only carries may use this package.
package tombstone

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
	"github.com/latchkey-cam/latchkey/sealed"
)

// The limits of docs/tombstone.md.
const (
	Version   = 1
	Max       = 8 << 10  // bytes of one
	MaxEvents = 256      // that one names
	MaxInHome = 1 << 16  // of one home
	MaxBytes  = 16 << 20 // of all those of one home

	label         = "latchkey tombstone v1"
	signatureSize = 64
)

// Scope says what a tombstone is about.
type Scope uint8

// The scopes. Numbers are never used again for something else.
const (
	Events Scope = 1 // some events, by their IDs
	Span   Scope = 2 // what a camera recorded in a span of time
	Home   Scope = 3 // the home itself, with everything
)

// Tombstone is one parsed statement. That it parses says nothing of whether it holds;
// see [Tombstone.Verify].
type Tombstone struct {
	Home   latchkey.HomeID
	Time   latchkey.Time // by the clock of whoever signed
	Head   latchkey.Head // that they knew
	Signer latchkey.KeyID
	Scope  Scope

	Events   []latchkey.EventID // of [Events]: ascending
	Camera   latchkey.CameraID  // of [Span]
	From, To latchkey.Time      // of [Span]: from, and before to

	Signatures [][]byte
}

// Parse reads one tombstone. What parses is written back the same by [Tombstone.Bytes].
func Parse(p []byte) (Tombstone, error) {
	if len(p) > Max {
		return Tombstone{}, sealed.Refuse(sealed.Oversize, "tombstone of %d bytes, at most %d", len(p), Max)
	}
	r := wire.NewReader(bytes.Clone(p)) // nothing of p is kept
	switch version := r.U8(); {
	case version > Version:
		return Tombstone{}, sealed.Refuse(sealed.FutureVersion, "tombstone of version %d; this program reads up to %d", version, Version)
	case r.Err() == nil && version == 0:
		return Tombstone{}, sealed.Refuse(sealed.Malformed, "tombstone of version 0")
	}
	var t Tombstone
	if err := t.read(r); err != nil {
		return Tombstone{}, refusal(err)
	}
	return t, nil
}

// read reads what follows the version. The reader keeps the first thing that is wrong.
func (t *Tombstone) read(r *wire.Reader) error {
	r.Into(t.Home[:])
	t.Time = latchkey.Time(r.U64())
	t.Head = r.Head()
	r.Into(t.Signer[:])
	t.Scope = Scope(r.U8())
	switch t.Scope {
	case Events:
		t.readEvents(r)
	case Span:
		r.Into(t.Camera[:])
		t.From, t.To = latchkey.Time(r.U64()), latchkey.Time(r.U64())
		if t.From >= t.To {
			r.Fail(fmt.Errorf("%w: a span that ends at %d and begins at %d", wire.ErrMalformed, t.To, t.From))
		}
	case Home:
	default:
		r.Fail(fmt.Errorf("%w: scope %d", wire.ErrMalformed, t.Scope))
	}
	if n := r.U8(); n != 1 {
		r.Fail(fmt.Errorf("%w: %d signatures, want 1", wire.ErrMalformed, n))
	}
	signature := r.LP16(math.MaxUint16)
	if err := r.Done(); err != nil {
		return err
	}
	if len(signature) != signatureSize {
		return fmt.Errorf("%w: signature of %d bytes, want %d", wire.ErrMalformed, len(signature), signatureSize)
	}
	t.Signatures = [][]byte{signature}
	return nil
}

func (t *Tombstone) readEvents(r *wire.Reader) {
	n := int(r.U16())
	if n == 0 || n > MaxEvents {
		r.Fail(fmt.Errorf("%w: %d events, want 1 to %d", wire.ErrMalformed, n, MaxEvents))
	}
	for i := 0; i < n && r.Err() == nil; i++ {
		var e latchkey.EventID
		r.Into(e[:])
		if i > 0 && bytes.Compare(t.Events[i-1][:], e[:]) >= 0 {
			r.Fail(fmt.Errorf("%w: the events do not ascend", wire.ErrMalformed))
		}
		t.Events = append(t.Events, e)
	}
}

// refusal gives an error of the wire its reason.
func refusal(err error) error {
	if errors.Is(err, wire.ErrTruncated) {
		return sealed.Refuse(sealed.Truncated, "tombstone: %v", err)
	}
	return sealed.Refuse(sealed.Malformed, "tombstone: %v", err)
}

func (t Tombstone) statement() []byte {
	var w wire.Writer
	w.U8(Version)
	w.Raw(t.Home[:])
	w.U64(uint64(t.Time))
	w.Head(t.Head)
	w.Raw(t.Signer[:])
	w.U8(uint8(t.Scope))
	switch t.Scope {
	case Events:
		w.U16(uint16(len(t.Events)))
		for _, e := range t.Events {
			w.Raw(e[:])
		}
	case Span:
		w.Raw(t.Camera[:])
		w.U64(uint64(t.From))
		w.U64(uint64(t.To))
	}
	return w.Bytes()
}

func (t Tombstone) message() []byte {
	var w wire.Writer
	w.Label(label)
	w.Raw(t.statement())
	return w.Bytes()
}

// Bytes returns the tombstone as it is stored, sent and hashed.
func (t Tombstone) Bytes() []byte {
	var w wire.Writer
	w.Raw(t.statement())
	w.Signatures(t.Signatures)
	return w.Bytes()
}

// Hash is the SHA-256 of a tombstone's bytes: the same statement is one, whoever brings it.
func Hash(tombstone []byte) [32]byte { return sha256.Sum256(tombstone) }

// Next is the digest of a list of tombstones behind one more of that hash; that of none is
// zero.
func Next(digest, hash [32]byte) [32]byte { return sha256.Sum256(append(digest[:], hash[:]...)) }

// Sign makes a tombstone about scope and what belongs to it, at the head of the title.
// The key must be Ed25519, and a person's: devices sign none.
func Sign(signer crypto.Signer, at *deed.Title, now latchkey.Time, t Tombstone) (Tombstone, error) {
	public, ok := signer.Public().(ed25519.PublicKey)
	if !ok {
		return t, fmt.Errorf("sign a tombstone: want an Ed25519 key, have %T", signer.Public())
	}
	t.Home, t.Time, t.Head, t.Signer = at.Home(), now, at.Head(), deed.Ed25519Key(public).ID()
	t.Events = slices.SortedFunc(slices.Values(t.Events), func(a, b latchkey.EventID) int { return bytes.Compare(a[:], b[:]) })
	t.Events = slices.Compact(t.Events)
	signature, err := signer.Sign(rand.Reader, t.message(), crypto.Hash(0))
	if err != nil {
		return t, fmt.Errorf("sign a tombstone: %w", err)
	}
	t.Signatures = [][]byte{signature}
	return t, nil
}

// Verify checks that somebody signed the tombstone who, at its head, might: for events
// whoever saw the whole home, for all else an owner.
func (t Tombstone) Verify(title *deed.Title) error {
	if t.Home != title.Home() {
		return sealed.Refuse(sealed.WrongHome, "made for home %s", t.Home)
	}
	if !title.OnChain(t.Head) {
		return sealed.Refuse(sealed.UnknownHead, "made at head %s; the chain reaches %d", t.Head, title.Head().Seq)
	}
	k, ok := title.SigningKey(t.Signer)
	if !ok {
		return sealed.Refuse(sealed.UnknownSigner, "key %s signs nothing in this home", t.Signer)
	}
	if len(t.Signatures) != 1 || !k.Verify(t.message(), t.Signatures[0]) {
		return sealed.Refuse(sealed.BadSignature, "the signature does not verify")
	}
	by, _ := title.SignerAt(t.Signer, t.Head.Seq) // nobody has no role
	if by.Role != deed.Owner && !(t.Scope == Events && by.Role == deed.Resident) {
		return sealed.Refuse(sealed.NotAllowed, "nobody who may delete this signed it at head %s", t.Head)
	}
	return nil
}

// Now checks of a tombstone that verifies that whoever signed it may still say so: it
// was made at the newest head, or since nobody took its signer's key back. It is asked of
// one that is new, never of one that is given back.
func (t Tombstone) Now(title *deed.Title) error {
	if !title.InForce(t.Signer, title.Head().Seq) {
		return sealed.Refuse(sealed.FormerSigner, "key %s has been taken back", t.Signer)
	}
	by, _ := title.SignerAt(t.Signer, title.Head().Seq)
	if by.Role != deed.Owner && !(t.Scope == Events && by.Role == deed.Resident) {
		return sealed.Refuse(sealed.NotAllowed, "its signer may not delete this any more")
	}
	return nil
}

// Covers says whether an object is among what the tombstone deletes.
func (t Tombstone) Covers(b sealed.Binding) bool {
	if b.Home != t.Home {
		return false
	}
	switch t.Scope {
	case Events:
		_, ok := slices.BinarySearchFunc(t.Events, b.Event, func(a, b latchkey.EventID) int { return bytes.Compare(a[:], b[:]) })
		return ok
	case Span:
		return b.Camera == t.Camera && t.From <= b.Time && b.Time < t.To
	}
	return t.Scope == Home
}
