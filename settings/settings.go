// Package settings makes and opens a home's settings document: the names of the home
// and its cameras, the time zone, when a camera is off, and what counts as motion on
// it. It is sealed to everybody who sees the whole home
// and to every agent, signed by an owner, and replaced as a whole; docs/deed.md,
// "Settings", has every byte. What anybody may see of one, and the checks that need
// no secret, are [sealed.Settings].
package settings

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

// Document is a settings document that has been checked and opened.
type Document struct {
	sealed.Settings
	Content Content
}

// Holder holds private keys: a member's [key.Ring] or an agent's [key.AgentKeys].
type Holder interface {
	// Find returns the private key that a recipient of that kind and key ID has.
	Find(kind sealed.RecipientKind, id latchkey.KeyID) (*key.Private, bool)
}

// Open parses a document, checks it on the home's chain, and opens it. seen is the
// newest document that the reader has seen, nil for none. A refusal is a
// [*sealed.Error].
func Open(document []byte, t *deed.Title, seen *sealed.Settings, keys Holder) (*Document, error) {
	s, err := sealed.ParseSettings(document)
	if err != nil {
		return nil, err
	}
	if err := s.Verify(t); err != nil {
		return nil, err
	}
	if seen != nil {
		if err := s.Since(*seen); err != nil {
			return nil, err
		}
	}
	plain, err := openBody(s, keys)
	if err != nil {
		return nil, err
	}
	c, err := parseContent(plain)
	if err != nil {
		return nil, sealed.Refuse(sealed.BadContent, "%v", err)
	}
	return &Document{s, c}, nil
}

func openBody(s sealed.Settings, keys Holder) ([]byte, error) {
	for _, r := range s.Recipients {
		private, ok := keys.Find(r.Recipient, r.Key)
		if !ok {
			continue
		}
		k, err := private.Open(s.KeyInfo(r.Recipient, r.Key, r.Epoch), r.Sealed)
		if err != nil || len(k) != cobblestone.KeySize {
			return nil, sealed.Refuse(sealed.BadEnvelope, "the key of the document does not open")
		}
		plain, err := cobblestone.Open(k, s.Context(), s.Body)
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
	return nil, sealed.Refuse(sealed.NoEnvelope, "none of %d recipients is at hand", len(s.Recipients))
}

// Seal makes the document that follows prev, or the first if prev is nil, sealed to
// everybody whom the title has now.
func Seal(signer crypto.Signer, t *deed.Title, prev *sealed.Settings, at latchkey.Time, c Content) ([]byte, error) {
	public, ok := signer.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("seal settings: want an Ed25519 key, have %T", signer.Public())
	}
	plain, err := c.encode()
	if err != nil {
		return nil, fmt.Errorf("seal settings: %w", err)
	}
	s := sealed.Settings{Home: t.Home(), Number: 1, Time: at, Head: t.Head(), Signer: deed.Ed25519Key(public).ID()}
	if prev != nil {
		s.Number, s.Prev = prev.Number+1, prev.Hash()
	}
	if err := sealBody(&s, t, plain); err != nil {
		return nil, fmt.Errorf("seal settings: %w", err)
	}
	signature, err := signer.Sign(rand.Reader, s.SignedMessage(), crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("seal settings: %w", err)
	}
	s.Signatures = [][]byte{signature}
	b := s.Bytes()
	if len(b) > sealed.MaxSettings {
		return nil, fmt.Errorf("seal settings: %d bytes, at most %d", len(b), sealed.MaxSettings)
	}
	return b, nil
}

func sealBody(s *sealed.Settings, t *deed.Title, plain []byte) (err error) {
	var k [cobblestone.KeySize]byte
	rand.Read(k[:]) // never fails: it ends the process instead
	if s.Body, err = cobblestone.Seal(k[:], s.Context(), plain); err != nil {
		return err
	}
	for _, r := range sealed.SettingsRecipients(t, s.Head.Seq) {
		wrap, err := key.Seal(r.Key, s.KeyInfo(r.Recipient, r.Key.ID(), r.Epoch), k[:])
		if err != nil {
			return err
		}
		s.Recipients = append(s.Recipients, sealed.SettingsKey{Recipient: r.Recipient, Key: r.Key.ID(), Epoch: r.Epoch, Sealed: wrap})
	}
	return nil
}
