// Package settings makes and opens a home's settings document: the names of the home
// and its cameras, the time zone, when a camera is off, and what counts as motion on
// it. It is sealed to everybody who sees the whole home
// and to every agent, signed by an owner, and replaced as a whole; docs/deed.md,
// "Settings", has every byte. What anybody may see of one, and the checks that need
// no secret, are [sealed.Settings].
package settings

import (
	"crypto"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/parcel"
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
	plain, err := parcel.Open(&s, keys.Find)
	if err != nil {
		return nil, err
	}
	c, err := parseContent(plain)
	if err != nil {
		return nil, sealed.Refuse(sealed.BadContent, "%v", err)
	}
	return &Document{s, c}, nil
}

// Seal makes the document that follows prev, or the first if prev is nil, sealed to
// everybody whom the title has now.
func Seal(signer crypto.Signer, t *deed.Title, prev *sealed.Settings, at latchkey.Time, c Content) ([]byte, error) {
	plain, err := c.encode()
	if err != nil {
		return nil, fmt.Errorf("seal settings: %w", err)
	}
	s := sealed.Settings{Home: t.Home(), Number: 1, Time: at}
	if prev != nil {
		s.Number, s.Prev = prev.Number+1, prev.Hash()
	}
	if err := parcel.Write(&s, signer, t, sealed.SettingsRecipients(t, t.Head().Seq), plain); err != nil {
		return nil, fmt.Errorf("seal settings: %w", err)
	}
	b := s.Bytes()
	if len(b) > sealed.MaxSettings {
		return nil, fmt.Errorf("seal settings: %d bytes, at most %d", len(b), sealed.MaxSettings)
	}
	return b, nil
}
