package deed

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Algorithm says what a key is for and how. It belongs to the key and comes from the
// deed that brings it; no message names one, so no message can choose a weaker one.
type Algorithm uint8

// The algorithms. 3 is reserved for ML-DSA-65.
const (
	Ed25519 Algorithm = 1 // signs
	XWing   Algorithm = 2 // MLKEM768-X25519, is sealed to
)

// Key is a public key with its algorithm.
type Key struct {
	Algorithm Algorithm
	Bytes     []byte
}

// Ed25519Key returns the key that verifies what its owner signs.
func Ed25519Key(public ed25519.PublicKey) Key { return Key{Ed25519, slices.Clone(public)} }

// XWingKey returns the key to which its owner is sealed to.
func XWingKey(public []byte) Key { return Key{XWing, slices.Clone(public)} }

// appendTo writes the key as docs/deed.md, "Keys", has it.
func (k Key) appendTo(w *wire.Writer) {
	w.U8(uint8(k.Algorithm))
	w.LP16(k.Bytes)
}

// ID names the key: a hash over its algorithm and bytes.
func (k Key) ID() latchkey.KeyID {
	var w wire.Writer
	w.Grow(64 + len(k.Bytes))
	w.Label("latchkey key v1")
	k.appendTo(&w)
	return sha256.Sum256(w.Bytes())
}

// Verify says whether signature is this key's over message. A key that does not sign
// verifies nothing.
func (k Key) Verify(message, signature []byte) bool {
	return k.Algorithm == Ed25519 && len(k.Bytes) == ed25519Key && ed25519.Verify(k.Bytes, message, signature)
}

// readKey reads a key that must be of the algorithm which has its place there.
func readKey(r *wire.Reader, want Algorithm) Key {
	k := Key{Algorithm(r.U8()), r.LP16(MaxDeed)}
	size := map[Algorithm]int{Ed25519: ed25519Key, XWing: xwingKey}[want]
	if k.Algorithm != want || len(k.Bytes) != size {
		r.Fail(refuse(BadKey, "algorithm %d with %d bytes where %d with %d bytes belongs", k.Algorithm, len(k.Bytes), want, size))
	}
	return k
}

// readSigningKeys reads the signing keys of a person, device or agent.
func readSigningKeys(r *wire.Reader) []Key {
	if n := r.U8(); n != signingKeys {
		r.Fail(fmt.Errorf("%w: %d signing keys, want %d", wire.ErrMalformed, n, signingKeys))
	}
	return []Key{readKey(r, Ed25519)}
}

func appendKeys(w *wire.Writer, keys []Key) {
	w.U8(uint8(len(keys)))
	for _, k := range keys {
		k.appendTo(w)
	}
}
