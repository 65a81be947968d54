// Package parcel seals and opens what a settings document, a letter, a knock and a grant
// have in common: a body under a fresh key, that key wrapped for each recipient, and the
// signature. An agent takes what it is sent once, and while it is new.
// docs/deed.md, "Settings", has the bytes.
package parcel

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/cobblestone"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Sealed is a settings document or a letter: a [*sealed.Settings] or [*sealed.Letter].
type Sealed interface {
	Parts() *sealed.Parcel
	Context() []byte
	KeyInfo(kind sealed.RecipientKind, key latchkey.KeyID, epoch latchkey.Epoch) []byte
	SignedMessage() []byte
}

// Write seals plain to the recipients and signs, at the head of the title. What is s's
// own is set by the caller before.
func Write(s Sealed, signer crypto.Signer, t *deed.Title, to []sealed.Recipient, plain []byte) error {
	public, ok := signer.Public().(ed25519.PublicKey)
	if !ok {
		return fmt.Errorf("want an Ed25519 key, have %T", signer.Public())
	}
	p := s.Parts()
	p.Head, p.Signer = t.Head(), deed.Ed25519Key(public).ID()
	if err := Seal(s, to, plain); err != nil {
		return err
	}
	signature, err := signer.Sign(rand.Reader, s.SignedMessage(), crypto.Hash(0))
	if err != nil {
		return err
	}
	p.Signatures = [][]byte{signature}
	return nil
}

// Seal gives s its body and recipients. Its context stands; it is still to be signed.
func Seal(s Sealed, to []sealed.Recipient, plain []byte) (err error) {
	var k [cobblestone.KeySize]byte
	rand.Read(k[:]) // never fails: it ends the process instead
	p := s.Parts()
	if p.Body, err = cobblestone.Seal(k[:], s.Context(), plain); err != nil {
		return err
	}
	for _, r := range to {
		id := r.Key.ID()
		wrap, err := key.Seal(r.Key, s.KeyInfo(r.Recipient, id, r.Epoch), k[:])
		if err != nil {
			return err
		}
		p.Recipients = append(p.Recipients, sealed.WrappedKey{Recipient: r.Recipient, Key: id, Epoch: r.Epoch, Sealed: wrap})
	}
	return nil
}

// Open opens the body of what was verified, with the key of the first recipient whose
// key find finds.
func Open(s Sealed, find func(sealed.RecipientKind, latchkey.KeyID) (*key.Private, bool)) ([]byte, error) {
	p := s.Parts()
	for _, r := range p.Recipients {
		private, ok := find(r.Recipient, r.Key)
		if !ok {
			continue
		}
		k, err := private.Open(s.KeyInfo(r.Recipient, r.Key, r.Epoch), r.Sealed)
		if err != nil {
			return nil, sealed.Refuse(sealed.BadEnvelope, "the key of the body does not open")
		}
		plain, err := cobblestone.Open(k, s.Context(), p.Body)
		switch {
		case errors.Is(err, cobblestone.ErrTruncated):
			return nil, sealed.Refuse(sealed.Truncated, "%v", err)
		case errors.Is(err, cobblestone.ErrCommitment):
			return nil, sealed.Refuse(sealed.Commitment, "%v", err)
		case err != nil:
			return nil, sealed.Refuse(sealed.BadChunk, "%v", err)
		}
		return plain, nil
	}
	return nil, sealed.Refuse(sealed.NoEnvelope, "none of %d recipients is at hand", len(p.Recipients))
}
