package spool

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/wire"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
)

// A record is
//
//	"latchkey spool 1\n" || lp16(header) || nonce[12] || lp16(wrapped)
//	wrapped = AES-256-GCM(spool key, nonce, object key, aad = everything before the nonce)
//
// The nonce is random. Under one key that is safe for 2^32 records, which is a camera
// that sees something every second for a hundred years.
const magic = "latchkey spool 1\n"

const (
	keySize   = 32
	nonceSize = 12
	maxRecord = int64(len(magic)) + 2 + sealed.MaxHeader + nonceSize + 2 + keySize + 16
)

// Key wraps the keys of objects that wait in a spool. Whoever has it and the disk can
// open them, and nothing that was acknowledged. It prints nothing.
type Key struct{ gcm cipher.AEAD }

// String returns a word, never the key.
func (Key) String() string { return "(spool key)" }

// Format is [Key.String] for every verb.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// NewKey returns the key made of 32 bytes.
func NewKey(secret []byte) (Key, error) {
	if len(secret) != keySize {
		return Key{}, fmt.Errorf("spool key: want %d bytes, have %d", keySize, len(secret))
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return Key{}, fmt.Errorf("spool key: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return Key{}, fmt.Errorf("spool key: %w", err)
	}
	return Key{gcm}, nil
}

// LoadKey reads the key from a file of 32 bytes, or makes one if there is none or it
// is unusable; then fresh is true, and entries under the key before are lost.
func LoadKey(fsys durable.FS, name string) (key Key, fresh bool, err error) {
	secret, fresh, err := durable.Secret(fsys, name, keySize)
	if err != nil {
		return Key{}, false, fmt.Errorf("spool key: %w", err)
	}
	key, err = NewKey(secret)
	return key, fresh, err
}

// encode returns the record of an object.
func (k Key) encode(h sealed.Header, object seal.ObjectKey) []byte {
	var w wire.Writer
	w.Raw([]byte(magic))
	w.LP16(h.Bytes())
	aad := w.Bytes()[:w.Len():w.Len()]
	nonce := make([]byte, nonceSize)
	rand.Read(nonce)
	w.Raw(nonce)
	w.LP16(k.gcm.Seal(nil, nonce, object[:], aad))
	return w.Bytes()
}

// decode reads a record. Whatever is wrong with it is [ErrDamaged].
func (k Key) decode(b []byte) (sealed.Header, seal.ObjectKey, error) {
	r := wire.NewReader(b)
	if string(r.Raw(len(magic))) != magic {
		return sealed.Header{}, seal.ObjectKey{}, fmt.Errorf("%w: its record does not begin like one", ErrDamaged)
	}
	header := r.LP16(sealed.MaxHeader)
	aad := b[:r.Offset()]
	nonce := r.Raw(nonceSize)
	wrapped := r.LP16(keySize + 16)
	if err := r.Done(); err != nil {
		return sealed.Header{}, seal.ObjectKey{}, fmt.Errorf("%w: read its record: %w", ErrDamaged, err)
	}
	h, err := sealed.ParseHeader(header)
	if err != nil {
		return sealed.Header{}, seal.ObjectKey{}, fmt.Errorf("%w: read its header: %w", ErrDamaged, err)
	}
	secret, err := k.gcm.Open(nil, nonce, wrapped, aad)
	if err != nil || len(secret) != keySize {
		return sealed.Header{}, seal.ObjectKey{}, fmt.Errorf("%w: its key does not open under this spool's", ErrDamaged)
	}
	return h, seal.ObjectKey(secret), nil
}

func hashOf(r io.Reader) (sum [32]byte, err error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return sum, err
	}
	h.Sum(sum[:0])
	return sum, nil
}
