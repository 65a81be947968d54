package sealed

import (
	"math"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// EnvelopeVersion is that of the envelopes which this package knows.
const EnvelopeVersion = 1

// SealedKeySize is the size of an object key that is sealed to somebody: what HPKE
// encapsulates, the 32 bytes of the key, and their tag.
const SealedKeySize = 1120 + 32 + 16

// RecipientKind says whose key an envelope, or the key of a settings document or of a
// letter, is sealed to.
type RecipientKind uint8

// The kinds of recipients. Numbers are never used again for something else.
const (
	ToEpoch  RecipientKind = 1 // those who see the whole home
	ToPerson RecipientKind = 2
	ToLink   RecipientKind = 3
	ToAgent  RecipientKind = 4 // settings and commands, never an object
	ToAsker  RecipientKind = 5 // replies only: a key that the command brought
)

// Envelope is an object's key, wrapped for one recipient. It stands beside the object
// and can be replaced. It is not signed: with a wrong key in it the object does not
// open.
type Envelope struct {
	Recipient RecipientKind
	Key       latchkey.KeyID // the recipient's KEM key
	Epoch     latchkey.Epoch // that was current when the envelope was made
	Sealed    []byte
}

// ParseEnvelope reads an envelope. What parses is written back the same by
// [Envelope.Bytes].
func ParseEnvelope(p []byte) (Envelope, error) {
	r, err := begin("envelope", p, MaxEnvelope, EnvelopeVersion)
	if err != nil {
		return Envelope{}, err
	}
	var e Envelope
	e.Recipient = RecipientKind(r.U8())
	r.Into(e.Key[:])
	e.Epoch = latchkey.Epoch(r.U64())
	e.Sealed = r.LP16(math.MaxUint16)
	if err := r.Done(); err != nil {
		return Envelope{}, layout("envelope", err)
	}
	switch {
	case e.Recipient < ToEpoch || e.Recipient > ToLink:
		return Envelope{}, Refuse(Malformed, "envelope for a recipient of kind %d", e.Recipient)
	case e.Epoch == 0:
		return Envelope{}, Refuse(Malformed, "envelope of epoch 0")
	case len(e.Sealed) != SealedKeySize:
		return Envelope{}, Refuse(Malformed, "sealed key of %d bytes, want %d", len(e.Sealed), SealedKeySize)
	}
	return e, nil
}

// Bytes returns the envelope as it is stored and sent.
func (e Envelope) Bytes() []byte {
	var w wire.Writer
	w.U8(EnvelopeVersion)
	w.U8(uint8(e.Recipient))
	w.Raw(e.Key[:])
	w.U64(uint64(e.Epoch))
	w.LP16(e.Sealed)
	return w.Bytes()
}

// EnvelopeInfo is what the sealed key of an envelope is bound to: the object, and
// the recipient as the envelope names it.
func EnvelopeInfo(b Binding, kind RecipientKind, key latchkey.KeyID, epoch latchkey.Epoch) []byte {
	return keyInfo("latchkey envelope v1", b.Bytes(), kind, key, epoch)
}
