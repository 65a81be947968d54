package sealed

import (
	"bytes"
	"crypto/sha256"
	"math"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Parcel is how a settings document and a letter end: who signed it at which head, for
// whom the key of its body was wrapped, the body, and the signature. What comes before
// is each one's own. With that, head and signer make the context, to which body and key
// are bound.
type Parcel struct {
	Head       latchkey.Head
	Signer     latchkey.KeyID
	Recipients []WrappedKey
	Body       []byte
	Signatures [][]byte
}

// WrappedKey is the key of a parcel's body, wrapped for one recipient.
type WrappedKey struct {
	Recipient RecipientKind
	Key       latchkey.KeyID
	Epoch     latchkey.Epoch
	Sealed    []byte
}

// Recipient is somebody to whom a parcel must be sealed.
type Recipient struct {
	Recipient RecipientKind
	Key       deed.Key
	Epoch     latchkey.Epoch
}

// Parts is the parcel of whatever it is part of.
func (p *Parcel) Parts() *Parcel { return p }

// begin reads the version of p, which may have so many bytes. What is read keeps
// nothing of p.
func begin(what string, p []byte, limit int, newest uint8) (*wire.Reader, error) {
	if len(p) > limit {
		return nil, Refuse(Oversize, "%s of %d bytes, at most %d", what, len(p), limit)
	}
	r := wire.NewReader(bytes.Clone(p))
	return r, readVersion(what, r, newest)
}

func readVersion(what string, r *wire.Reader, newest uint8) error {
	switch version := r.U8(); {
	case version > newest:
		return Refuse(FutureVersion, "%s of version %d; this program reads up to %d", what, version, newest)
	case r.Err() == nil && version == 0:
		return Refuse(Malformed, "%s of version 0", what)
	}
	return nil
}

// readSealed reads what follows the number of recipients, to the end.
func (p *Parcel) readSealed(r *wire.Reader, count int, kinds ...RecipientKind) (err error) {
	for i := 0; i < count && r.Err() == nil; i++ {
		k := WrappedKey{Recipient: RecipientKind(r.U8())}
		r.Into(k.Key[:])
		k.Epoch = latchkey.Epoch(r.U64())
		k.Sealed = r.LP16(math.MaxUint16)
		switch {
		case r.Err() != nil:
		case !slices.Contains(kinds, k.Recipient):
			return Refuse(Malformed, "sealed to a recipient of kind %d", k.Recipient)
		case len(k.Sealed) != SealedKeySize:
			return Refuse(Malformed, "sealed key of %d bytes, want %d", len(k.Sealed), SealedKeySize)
		}
		p.Recipients = append(p.Recipients, k)
	}
	p.Body = r.LP32(math.MaxInt32)
	p.Signatures, err = readSignatures(r)
	return err
}

// readSignatures reads what everything signed ends with.
func readSignatures(r *wire.Reader) ([][]byte, error) {
	if n := r.U8(); r.Err() == nil && n != signatures {
		return nil, Refuse(Malformed, "%d signatures, want %d", n, signatures)
	}
	signature := r.LP16(math.MaxUint16)
	if err := r.Done(); err != nil {
		return nil, err
	}
	if len(signature) != signatureSize {
		return nil, Refuse(Malformed, "signature of %d bytes, want %d", len(signature), signatureSize)
	}
	return [][]byte{signature}, nil
}

// appendSigned appends what is signed, without its label. It begins with start: the
// context and the number of recipients, which each writes in its own way.
func (p Parcel) appendSigned(w *wire.Writer, start []byte) {
	w.Raw(start)
	for _, k := range p.Recipients {
		w.U8(uint8(k.Recipient))
		w.Raw(k.Key[:])
		w.U64(uint64(k.Epoch))
		w.LP16(k.Sealed)
	}
	w.LP32(p.Body)
}

func (p Parcel) signedMessage(label string, start []byte) []byte {
	var w wire.Writer
	w.Label(label)
	p.appendSigned(&w, start)
	return w.Bytes()
}

func (p Parcel) bytes(start []byte) []byte {
	var w wire.Writer
	p.appendSigned(&w, start)
	w.Signatures(p.Signatures)
	return w.Bytes()
}

// keyInfo is what a wrapped key is bound to: the hash of what it belongs to, and the
// recipient as it is named there.
func keyInfo(label string, of []byte, kind RecipientKind, key latchkey.KeyID, epoch latchkey.Epoch) []byte {
	hash := sha256.Sum256(of)
	var w wire.Writer
	w.Label(label)
	w.Raw(hash[:])
	w.U8(uint8(kind))
	w.Raw(key[:])
	w.U64(uint64(epoch))
	return w.Bytes()
}

// checkSignature checks that a key of this home signed the message on this chain.
// Whether its owner may is for the caller.
func (p Parcel) checkSignature(home latchkey.HomeID, message []byte, t *deed.Title) error {
	if home != t.Home() {
		return Refuse(WrongHome, "made for home %s", home)
	}
	if !t.OnChain(p.Head) {
		return Refuse(UnknownHead, "made at head %s; the chain reaches %d", p.Head, t.Head().Seq)
	}
	k, ok := t.SigningKey(p.Signer)
	if !ok {
		return Refuse(UnknownSigner, "key %s signs nothing in this home", p.Signer)
	}
	if len(p.Signatures) != signatures || !k.Verify(message, p.Signatures[0]) {
		return Refuse(BadSignature, "the signature does not verify")
	}
	return nil
}

// checkRecipients wants exactly these, in their order. The key of an asker is one that
// nobody but agent and asker can know.
func (p Parcel) checkRecipients(want ...Recipient) error {
	if len(p.Recipients) != len(want) {
		return Refuse(WrongRecipients, "%d recipients, want %d", len(p.Recipients), len(want))
	}
	for i, k := range p.Recipients {
		w := want[i]
		if k.Recipient != w.Recipient || k.Epoch != w.Epoch || w.Recipient != ToAsker && k.Key != w.Key.ID() {
			return Refuse(WrongRecipients, "recipient %d is another than the chain has it", i)
		}
	}
	return nil
}
