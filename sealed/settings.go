package sealed

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"

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
	Home       latchkey.HomeID
	Number     uint64   // counts from 1
	Prev       [32]byte // hash of the document before, zero in the first
	Time       latchkey.Time
	Head       latchkey.Head
	Signer     latchkey.KeyID
	Recipients []SettingsKey
	Body       []byte
	Signatures [][]byte
}

// SettingsKey is the key of a document's body, wrapped for one recipient.
type SettingsKey struct {
	Recipient RecipientKind // ToEpoch or ToAgent
	Key       latchkey.KeyID
	Epoch     latchkey.Epoch
	Sealed    []byte
}

// ParseSettings reads a document. What parses is written back the same by
// [Settings.Bytes].
func ParseSettings(p []byte) (Settings, error) {
	var s Settings
	if len(p) > MaxSettings {
		return s, Refuse(Oversize, "settings of %d bytes, at most %d", len(p), MaxSettings)
	}
	r := wire.NewReader(bytes.Clone(p)) // nothing of p is kept
	switch version := r.U8(); {
	case r.Err() != nil:
		return s, layout("settings", r.Err())
	case version > SettingsVersion:
		return s, Refuse(FutureVersion, "settings of version %d; this program reads up to %d", version, SettingsVersion)
	case version == 0:
		return s, Refuse(Malformed, "settings of version 0")
	}
	r.Into(s.Home[:])
	s.Number = r.U64()
	if r.Err() == nil && s.Number == 0 {
		return s, Refuse(Malformed, "settings of number 0")
	}
	r.Into(s.Prev[:])
	s.Time = latchkey.Time(r.U64())
	s.Head = r.Head()
	r.Into(s.Signer[:])
	var err error
	if s.Recipients, err = readSettingsKeys(r); err != nil {
		return Settings{}, layout("settings", err)
	}
	s.Body = r.LP32(math.MaxInt32)
	if n := r.U8(); r.Err() == nil && n != signatures {
		return Settings{}, Refuse(Malformed, "%d signatures, want %d", n, signatures)
	}
	signature := r.LP16(math.MaxUint16)
	if err := r.Done(); err != nil {
		return Settings{}, layout("settings", err)
	}
	if len(signature) != signatureSize {
		return Settings{}, Refuse(Malformed, "signature of %d bytes, want %d", len(signature), signatureSize)
	}
	s.Signatures = [][]byte{signature}
	return s, nil
}

func readSettingsKeys(r *wire.Reader) ([]SettingsKey, error) {
	n := int(r.U16())
	if r.Err() == nil && n > MaxSettingsRecipients {
		return nil, Refuse(Oversize, "%d recipients, at most %d", n, MaxSettingsRecipients)
	}
	var keys []SettingsKey
	for i := 0; i < n && r.Err() == nil; i++ {
		k := SettingsKey{Recipient: RecipientKind(r.U8())}
		r.Into(k.Key[:])
		k.Epoch = latchkey.Epoch(r.U64())
		k.Sealed = r.LP16(math.MaxUint16)
		switch {
		case r.Err() != nil:
		case k.Recipient != ToEpoch && k.Recipient != ToAgent:
			return nil, Refuse(Malformed, "settings for a recipient of kind %d", k.Recipient)
		case len(k.Sealed) != SealedKeySize:
			return nil, Refuse(Malformed, "sealed key of %d bytes, want %d", len(k.Sealed), SealedKeySize)
		}
		keys = append(keys, k)
	}
	return keys, r.Err()
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

func (s Settings) appendSigned(w *wire.Writer) {
	w.Raw(s.Context())
	w.U16(uint16(len(s.Recipients)))
	for _, k := range s.Recipients {
		w.U8(uint8(k.Recipient))
		w.Raw(k.Key[:])
		w.U64(uint64(k.Epoch))
		w.LP16(k.Sealed)
	}
	w.LP32(s.Body)
}

// SignedMessage is what the member signs who made the document.
func (s Settings) SignedMessage() []byte {
	var w wire.Writer
	w.Label("latchkey settings v1")
	s.appendSigned(&w)
	return w.Bytes()
}

// Bytes returns the document as it is stored and sent.
func (s Settings) Bytes() []byte {
	var w wire.Writer
	s.appendSigned(&w)
	w.U8(uint8(len(s.Signatures)))
	for _, g := range s.Signatures {
		w.LP16(g)
	}
	return w.Bytes()
}

// Hash is the SHA-256 of the document, which the next one names.
func (s Settings) Hash() [32]byte { return sha256.Sum256(s.Bytes()) }

// KeyInfo is what a sealed key of the document is bound to.
func (s Settings) KeyInfo(kind RecipientKind, key latchkey.KeyID, epoch latchkey.Epoch) []byte {
	context := sha256.Sum256(s.Context())
	var w wire.Writer
	w.Label("latchkey settings key v1")
	w.Raw(context[:])
	w.U8(uint8(kind))
	w.Raw(key[:])
	w.U64(uint64(epoch))
	return w.Bytes()
}

// Verify checks that an owner of the home signed the document, on this chain, and for
// exactly those whom it is for, in the order of docs/deed.md, "Settings".
func (s Settings) Verify(t *deed.Title) error {
	if s.Home != t.Home() {
		return Refuse(WrongHome, "settings of home %s", s.Home)
	}
	if !t.OnChain(s.Head) {
		return Refuse(UnknownHead, "made at head %s; the chain reaches %d", s.Head, t.Head().Seq)
	}
	k, ok := t.SigningKey(s.Signer)
	if !ok {
		return Refuse(UnknownSigner, "key %s signs nothing in this home", s.Signer)
	}
	if len(s.Signatures) != signatures || !k.Verify(s.SignedMessage(), s.Signatures[0]) {
		return Refuse(BadSignature, "the signature does not verify")
	}
	if _, ok := t.PersonBySigningKey(s.Signer); !ok {
		return Refuse(NotAllowed, "only an owner signs settings")
	}
	return s.checkRecipients(t)
}

// checkRecipients wants the epoch at the document's head, then the agents placed by
// then, in the order of the chain.
func (s Settings) checkRecipients(t *deed.Title) error {
	want := SettingsRecipients(t, s.Head.Seq)
	if len(s.Recipients) != len(want) {
		return Refuse(WrongRecipients, "%d recipients, want %d", len(s.Recipients), len(want))
	}
	for i, k := range s.Recipients {
		if k.Recipient != want[i].Recipient || k.Key != want[i].Key.ID() || k.Epoch != want[i].Epoch {
			return Refuse(WrongRecipients, "recipient %d is another than the chain has it", i)
		}
	}
	return nil
}

// Recipient is somebody to whom a document must be sealed.
type Recipient struct {
	Recipient RecipientKind
	Key       deed.Key
	Epoch     latchkey.Epoch
}

// SettingsRecipients are those to whom a document made at that deed is sealed.
func SettingsRecipients(t *deed.Title, seq uint64) []Recipient {
	var all []Recipient
	epoch := t.EpochAt(seq)
	if k, ok := t.EpochKey(epoch); ok {
		all = append(all, Recipient{ToEpoch, k, epoch})
	}
	for _, a := range t.Agents() {
		if a.Since <= seq {
			all = append(all, Recipient{ToAgent, a.KEM, epoch})
		}
	}
	return all
}

// Follows says whether the document is the next after kept, or the first if kept is
// nil. A server replaces one document by another only if it is.
func (s Settings) Follows(kept *Settings) bool {
	if kept == nil {
		return s.Number == 1 && s.Prev == [32]byte{}
	}
	return s.Home == kept.Home && s.Number == kept.Number+1 && s.Prev == kept.Hash()
}

// Since checks the document against the newest that the reader has seen: an older one
// is refused as replayed, and another one of the same number as a fork.
func (s Settings) Since(seen Settings) error {
	switch {
	case s.Number < seen.Number:
		return Refuse(Replayed, "settings number %d after number %d", s.Number, seen.Number)
	case s.Number == seen.Number && s.Hash() != seen.Hash():
		return Refuse(Fork, "two settings documents of number %d", s.Number)
	}
	return nil
}

// String says which document it is.
func (s Settings) String() string { return fmt.Sprintf("settings %d of home %s", s.Number, s.Home) }
