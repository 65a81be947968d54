// Package sealed is a sealed object as anybody sees it: what it is (its [Binding]),
// which agent signed it (its [Header]), for whom its key was wrapped (its
// [Envelope]s), and whether all that holds in a home whose deeds the reader has
// checked ([Verify]). docs/seal.md has every byte and every refusal.
//
// A home's settings document as anybody sees it stands here as well ([Settings],
// docs/deed.md), and so do the letters between a member's device and an agent
// ([Letter], docs/letter.md), because they are sealed in the same way ([Parcel]) and
// refused in the same words. So do the messages of live view ([Knock], [Grant],
// [Fragment], docs/live.md).
//
// Nothing here can open anything or make it; that is for the packages open, seal,
// settings, letter and live. So whoever only carries objects may use this package and nothing more.
package sealed

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Version and Suite are those of the objects that this package knows.
const (
	Version = 1
	Suite   = 1 // Cobblestone-256, HPKE with X-Wing, Ed25519
)

// The sizes and limits of docs/seal.md.
const (
	BindingSize   = 204     // bytes of a binding
	MaxHeader     = 512     // bytes of a header
	MaxEnvelope   = 2 << 10 // bytes of an envelope
	MaxEnvelopes  = 64      // in an object file
	signatureSize = 64
	signatures    = 1 // of the agent; the place for a second waits for ML-DSA
)

// Quality says how far the agent's clock could be believed.
type Quality uint8

// The qualities of a time.
const (
	TimeUnknown      Quality = 0
	TimeSynchronised Quality = 1
	TimeEstimated    Quality = 2
)

// String is the quality in a word for people.
func (q Quality) String() string {
	switch q {
	case TimeSynchronised:
		return "synchronised"
	case TimeEstimated:
		return "estimated"
	}
	return "unknown"
}

// Binding says what an object is, for ever. It is signed, and it is the context of
// the encryption: with a byte of it changed the object does not open. It says
// nothing of who may open the object.
type Binding struct {
	Kind        latchkey.Kind
	Quality     Quality
	Home        latchkey.HomeID
	Camera      latchkey.CameraID
	Event       latchkey.EventID
	Object      latchkey.ObjectID
	AgentKey    latchkey.KeyID // the agent's signing key
	Incarnation uint64         // of the agent, from 1
	Sequence    uint64         // within agent, incarnation and camera, from 1
	Time        latchkey.Time  // of the picture, of the clip's first frame, of the event's start
	Boot        latchkey.BootID
	Monotonic   uint64        // microseconds since that boot, at the same moment as Time
	Head        latchkey.Head // that the agent knew when it sealed
}

// ParseBinding reads a binding. What parses is written back the same by [Binding.Bytes].
func ParseBinding(p []byte) (Binding, error) {
	r := wire.NewReader(p)
	b, err := readBinding(r)
	if err != nil {
		return Binding{}, layout("binding", err)
	}
	return b, nil
}

func readBinding(r *wire.Reader) (b Binding, err error) {
	if err := readVersion("binding", r, Version); err != nil {
		return b, err
	}
	if suite := r.U8(); r.Err() == nil && suite != Suite {
		return b, Refuse(UnknownSuite, "suite %d", suite)
	}
	b.Kind, b.Quality = latchkey.Kind(r.U8()), Quality(r.U8())
	r.Into(b.Home[:])
	r.Into(b.Camera[:])
	r.Into(b.Event[:])
	r.Into(b.Object[:])
	r.Into(b.AgentKey[:])
	b.Incarnation, b.Sequence = r.U64(), r.U64()
	b.Time = latchkey.Time(r.U64())
	r.Into(b.Boot[:])
	b.Monotonic = r.U64()
	b.Head = r.Head()
	if err := r.Done(); err != nil {
		return b, err
	}
	return b, b.check()
}

// check refuses what no field of a binding may hold.
func (b Binding) check() error {
	switch {
	case b.Kind.MaxBody() == 0:
		return Refuse(Malformed, "kind %d", uint8(b.Kind))
	case b.Quality > TimeEstimated:
		return Refuse(Malformed, "quality of time %d", b.Quality)
	case b.Incarnation == 0 || b.Sequence == 0:
		return Refuse(Malformed, "incarnation %d, sequence %d: both count from 1", b.Incarnation, b.Sequence)
	}
	return nil
}

// Bytes returns the 204 bytes of the binding.
func (b Binding) Bytes() []byte {
	var w wire.Writer
	w.Grow(BindingSize)
	w.U8(Version)
	w.U8(Suite)
	w.U8(uint8(b.Kind))
	w.U8(uint8(b.Quality))
	w.Raw(b.Home[:])
	w.Raw(b.Camera[:])
	w.Raw(b.Event[:])
	w.Raw(b.Object[:])
	w.Raw(b.AgentKey[:])
	w.U64(b.Incarnation)
	w.U64(b.Sequence)
	w.U64(uint64(b.Time))
	w.Raw(b.Boot[:])
	w.U64(b.Monotonic)
	w.Head(b.Head)
	return w.Bytes()
}

// Hash is the SHA-256 of the binding's bytes, by which an envelope is bound to it.
func (b Binding) Hash() [32]byte { return sha256.Sum256(b.Bytes()) }

// Name is the name under which the object is stored and asked for.
func (b Binding) Name() latchkey.Name {
	return latchkey.Name{Home: b.Home, Camera: b.Camera, Day: b.Time.Day(), Kind: b.Kind, Object: b.Object}
}

// Header is a binding with the body that belongs to it and the agent's signature
// over both.
type Header struct {
	Binding    Binding
	BodyLength uint64
	BodyHash   [32]byte
	Signatures [][]byte // one for each signing key of the agent, in the deed's order
}

// ParseHeader reads a header. What parses is written back the same by [Header.Bytes].
func ParseHeader(p []byte) (Header, error) {
	if len(p) > MaxHeader {
		return Header{}, Refuse(Oversize, "header of %d bytes, at most %d", len(p), MaxHeader)
	}
	var h Header
	r := wire.NewReader(bytes.Clone(p)) // nothing of p is kept
	var err error
	if h.Binding, err = ParseBinding(r.LP16(math.MaxUint16)); err != nil { // of nothing, if that is cut off
		return Header{}, err
	}
	h.BodyLength = r.U64()
	r.Into(h.BodyHash[:])
	if h.Signatures, err = readSignatures(r); err != nil {
		return Header{}, layout("header", err)
	}
	if limit := h.Binding.Kind.MaxBody(); h.BodyLength > limit {
		return Header{}, Refuse(Oversize, "body of %d bytes, at most %d for a %s", h.BodyLength, limit, h.Binding.Kind)
	}
	return h, nil
}

func (h Header) appendSigned(w *wire.Writer) {
	w.LP16(h.Binding.Bytes())
	w.U64(h.BodyLength)
	w.Raw(h.BodyHash[:])
}

// SignedMessage is what the agent signs: what the object is, and which body is its own.
func (h Header) SignedMessage() []byte {
	var w wire.Writer
	w.Label("latchkey object v1")
	h.appendSigned(&w)
	return w.Bytes()
}

// Bytes returns the header as it is stored and sent.
func (h Header) Bytes() []byte {
	var w wire.Writer
	w.Grow(2 * BindingSize) // with one signature it fits
	h.appendSigned(&w)
	w.Signatures(h.Signatures)
	return w.Bytes()
}

// Name is the binding's.
func (h Header) Name() latchkey.Name { return h.Binding.Name() }

// String says which object the header is of.
func (h Header) String() string { return fmt.Sprintf("header of %s", h.Name()) }

// CheckBody reads a body to its end and says whether it is the one that was signed:
// step 7 of docs/seal.md, "Reading". A header that lies about its body is found out
// after as many bytes as it gives.
func (h Header) CheckBody(body io.Reader) error {
	if !bodySize(h.BodyLength) {
		return Refuse(Truncated, "no body has %d bytes", h.BodyLength)
	}
	g := &gauge{hash: sha256.New(), left: h.BodyLength}
	if _, err := io.Copy(g, body); errors.Is(err, errLonger) {
		return Refuse(Trailing, "the body goes on after %d bytes", h.BodyLength)
	} else if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	switch {
	case g.left > 0:
		return Refuse(Truncated, "body of %d bytes, want %d", h.BodyLength-g.left, h.BodyLength)
	case [32]byte(g.hash.Sum(nil)) != h.BodyHash:
		return Refuse(WrongHash, "the body is not the one that was signed")
	}
	return nil
}

// gauge hashes a body and takes no more of it than there should be.
type gauge struct {
	hash hash.Hash
	left uint64
}

var errLonger = errors.New("longer than it should be")

func (g *gauge) Write(p []byte) (int, error) {
	if uint64(len(p)) > g.left {
		return 0, errLonger
	}
	g.left -= uint64(len(p))
	return g.hash.Write(p)
}

// bodySize says whether an encrypted body can have that length: salt, commitment,
// full chunks of 16 KiB, and a last one that is shorter and perhaps empty.
func bodySize(n uint64) bool {
	const start, chunk, tag = 24 + 32, 16384 + 16, 16
	return n >= start && (n-start)%chunk >= tag
}
