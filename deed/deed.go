// Package deed holds the statements that say who owns a home, who may see what of it,
// which agents and cameras stand in it, and to which key its recordings are sealed. Each
// is signed by somebody who may decide it and names the one before it; folded together
// they are the home's [Title]. docs/deed.md has every byte and every refusal.
//
// Server, agent and browser fold the same deeds by the same rules and take nobody's
// word for the outcome. This package verifies with public keys and signs through
// [crypto.Signer]: it cannot open anything, so that whoever only carries may use it.
//
//	title, err := deed.Fold(home, deeds)         // what a chain comes to
//	next, err := deed.Sign(owner, title, now, b) // one more statement
//	title, err = title.Append(next)              // checked like everybody else's
package deed

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Version is that of the deeds which this package writes and the highest it reads.
const Version = 1

const label = "latchkey deed v1"

// Deed is one parsed statement. That it parses says nothing of whether it holds; see [Fold].
type Deed struct {
	Home       latchkey.HomeID // zero in the home's first deed, whose hash it is
	Seq        uint64
	Prev       [32]byte // hash of the deed before, zero in the first
	Time       latchkey.Time
	Signer     latchkey.KeyID
	Body       Body
	Signatures [][]byte // one for each signing key of the signer
}

// Parse reads one deed. Bytes that parse are written back the same by [Deed.Bytes].
// Nothing of b is kept.
func Parse(b []byte) (*Deed, error) {
	if len(b) > MaxDeed {
		return nil, refuse(Oversize, "%d bytes, at most %d", len(b), MaxDeed)
	}
	r := wire.NewReader(bytes.Clone(b))
	switch version := r.U8(); {
	case version == 0:
		return nil, refuse(Malformed, "no version")
	case version > Version:
		return nil, refuse(FutureVersion, "version %d; this program reads up to %d", version, Version)
	}
	var d Deed
	statement := Type(r.U8())
	r.Into(d.Home[:])
	d.Seq = r.U64()
	r.Into(d.Prev[:])
	d.Time = latchkey.Time(r.U64())
	r.Into(d.Signer[:])
	body := r.LP32(MaxDeed)
	if n := r.U8(); n != signingKeys {
		r.Fail(fmt.Errorf("%w: %d signatures, want %d", wire.ErrMalformed, n, signingKeys))
	}
	signature := r.LP16(MaxDeed)
	if err := layout(r.Done()); err != nil {
		return nil, err
	}
	if len(signature) != signatureOf {
		return nil, refuse(Malformed, "signature of %d bytes, want %d", len(signature), signatureOf)
	}
	d.Signatures = [][]byte{signature}
	var err error
	d.Body, err = parseBody(statement, body)
	if err != nil {
		return nil, err
	}
	return &d, nil
}

func parseBody(t Type, b []byte) (Body, error) {
	s, ok := statements[t]
	if !ok {
		return nil, refuse(UnknownType, "%s", t)
	}
	r := wire.NewReader(b)
	body := s.read(r)
	return body, layout(r.Done())
}

// statement returns the part of the deed that is signed, without its label.
func (d *Deed) statement() []byte {
	var body, w wire.Writer
	d.Body.appendTo(&body)
	w.U8(Version)
	w.U8(uint8(d.Body.Type()))
	w.Raw(d.Home[:])
	w.U64(d.Seq)
	w.Raw(d.Prev[:])
	w.U64(uint64(d.Time))
	w.Raw(d.Signer[:])
	w.LP32(body.Bytes())
	return w.Bytes()
}

func (d *Deed) message() []byte {
	var w wire.Writer
	w.Label(label)
	w.Raw(d.statement())
	return w.Bytes()
}

// Bytes returns the deed as it is stored, sent and hashed.
func (d *Deed) Bytes() []byte {
	var w wire.Writer
	w.Raw(d.statement())
	w.Signatures(d.Signatures)
	return w.Bytes()
}

// Hash is the SHA-256 of a deed's bytes. It covers the signatures: a head names
// bytes, not a meaning.
func Hash(deed []byte) [32]byte { return sha256.Sum256(deed) }

// Sign makes the deed that follows onto, or the first deed of a home if onto is nil.
// The signer's key must be Ed25519. What comes out is not yet believed by anybody:
// [Title.Append] says whether it holds.
func Sign(signer crypto.Signer, onto *Title, at latchkey.Time, body Body) ([]byte, error) {
	public, ok := signer.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("sign a deed: want an Ed25519 key, have %T", signer.Public())
	}
	d := Deed{Time: at, Signer: Ed25519Key(public).ID(), Body: body}
	if onto != nil {
		head := onto.Head()
		d.Home, d.Seq, d.Prev = onto.Home(), head.Seq+1, head.Hash
	}
	signature, err := signer.Sign(rand.Reader, d.message(), crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("sign a deed: %w", err)
	}
	d.Signatures = [][]byte{signature}
	return d.Bytes(), nil
}
