package sealed

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// The limits of a settings document (docs/deed.md, "Settings").
const (
	SettingsVersion       = 1
	MaxSettings           = 256 << 10 // bytes
	MaxSettingsRecipients = 1 + deed.MaxAgents
)

// Settings is a home's settings document as anybody sees it: whose it is, which one
// it is, who signed it, and for whom the key of its body was wrapped. Package
// settings makes and opens one.
type Settings struct {
	Home   latchkey.HomeID
	Number uint64   // counts from 1
	Prev   [32]byte // hash of the document before, zero in the first
	Time   latchkey.Time
	Parcel
}

// ParseSettings reads a document. What parses is written back the same by
// [Settings.Bytes].
func ParseSettings(p []byte) (Settings, error) {
	r, err := begin("settings", p, MaxSettings, SettingsVersion)
	if err != nil {
		return Settings{}, err
	}
	var s Settings
	if err := s.read(r); err != nil {
		return Settings{}, layout("settings", err)
	}
	return s, nil
}

// read reads what follows the version.
func (s *Settings) read(r *wire.Reader) error {
	r.Into(s.Home[:])
	s.Number = r.U64()
	if r.Err() == nil && s.Number == 0 {
		return Refuse(Malformed, "settings of number 0")
	}
	r.Into(s.Prev[:])
	s.Time = latchkey.Time(r.U64())
	s.Head = r.Head()
	r.Into(s.Signer[:])
	n := int(r.U16())
	if n > MaxSettingsRecipients {
		return Refuse(Oversize, "%d recipients, at most %d", n, MaxSettingsRecipients)
	}
	return s.readSealed(r, n, ToEpoch, ToAgent)
}

// Context is the part of the document that its body and its keys are bound to.
func (s Settings) Context() []byte {
	var w wire.Writer
	w.U8(SettingsVersion)
	w.Raw(s.Home[:])
	w.U64(s.Number)
	w.Raw(s.Prev[:])
	w.U64(uint64(s.Time))
	w.Head(s.Head)
	w.Raw(s.Signer[:])
	return w.Bytes()
}

func (s Settings) start() []byte {
	return binary.BigEndian.AppendUint16(s.Context(), uint16(len(s.Recipients)))
}

// SignedMessage is what the member signs who made the document.
func (s Settings) SignedMessage() []byte { return s.signedMessage("latchkey settings v1", s.start()) }

// Bytes returns the document as it is stored and sent.
func (s Settings) Bytes() []byte { return s.bytes(s.start()) }

// Hash is the SHA-256 of the document, which the next one names.
func (s Settings) Hash() [32]byte { return sha256.Sum256(s.Bytes()) }

// KeyInfo is what a sealed key of the document is bound to.
func (s Settings) KeyInfo(kind RecipientKind, key latchkey.KeyID, epoch latchkey.Epoch) []byte {
	return keyInfo("latchkey settings key v1", s.Context(), kind, key, epoch)
}

// Verify checks that an owner of the home signed the document, on this chain, and for
// exactly those whom it is for, in the order of docs/deed.md, "Settings".
func (s Settings) Verify(t *deed.Title) error {
	if err := s.checkSignature(s.Home, s.SignedMessage(), t); err != nil {
		return err
	}
	if by, _ := t.SignerAt(s.Signer, s.Head.Seq); by.Role != deed.Owner { // nobody has no role
		return Refuse(NotAllowed, "no owner at head %s signed the settings", s.Head)
	}
	return s.checkRecipients(SettingsRecipients(t, s.Head.Seq)...)
}

// SettingsRecipients are those to whom a document made at that deed is sealed: the epoch
// at its head, then the agents that stood in the home then, in the order of the chain.
func SettingsRecipients(t *deed.Title, seq uint64) []Recipient {
	var all []Recipient
	epoch := t.EpochAt(seq)
	if k, ok := t.EpochKey(epoch); ok {
		all = append(all, Recipient{ToEpoch, k, epoch})
	}
	for _, a := range t.AgentsAt(seq) {
		all = append(all, Recipient{ToAgent, a.KEM, epoch})
	}
	return all
}

// SameRecipients says whether a document that verifies is sealed to those to whom one
// made now would be.
func SameRecipients(s Settings, t *deed.Title) bool {
	return slices.EqualFunc(SettingsRecipients(t, s.Head.Seq), SettingsRecipients(t, t.Head().Seq), func(a, b Recipient) bool {
		return a.Key.ID() == b.Key.ID() // which stands in the chain once, for one use and one epoch
	})
}

// Replaces says whether a server replaces kept, nil for none, by the document: if it is
// the next one, and also if it is so much later that the server must have lost what lies
// between; made at no earlier head in either case.
func (s Settings) Replaces(kept *Settings) bool {
	switch {
	case kept == nil:
		return s.Number > 1 || s.Prev == [32]byte{}
	case s.Home != kept.Home:
		return false
	}
	return s.Head.Seq >= kept.Head.Seq && (s.Number > kept.Number+1 || s.Number == kept.Number+1 && s.Prev == kept.Hash())
}

// Since checks the document against the newest that the reader has seen: an older one,
// by number or by head, is refused as replayed, and another one of the same number as a
// fork. By head: somebody who was an owner once could otherwise go on making documents
// at the last head at which they were.
func (s Settings) Since(seen Settings) error {
	switch {
	case s.Number < seen.Number:
		return Refuse(Replayed, "settings number %d after number %d", s.Number, seen.Number)
	case s.Number > seen.Number && s.Head.Seq < seen.Head.Seq:
		return Refuse(Replayed, "settings made at deed %d after those of deed %d", s.Head.Seq, seen.Head.Seq)
	case s.Number == seen.Number && s.Hash() != seen.Hash():
		return Refuse(Fork, "two settings documents of number %d", s.Number)
	}
	return nil
}

// String says which document it is.
func (s Settings) String() string { return fmt.Sprintf("settings %d of home %s", s.Number, s.Home) }
