package footage

import (
	"fmt"
	"io"

	"github.com/latchkey-cam/latchkey/internal/cobblestone"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Key opens all footage of one agent (docs/footage.md, "Who can read it"). It prints
// nothing.
type Key struct{ secret [cobblestone.KeySize]byte }

// String returns a word, never the key.
func (Key) String() string { return "(footage key)" }

// Format is [Key.String] for every verb.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// NewKey returns the key made of 32 bytes.
func NewKey(secret []byte) (k Key, err error) {
	if len(secret) != len(k.secret) {
		return k, fmt.Errorf("footage key: want %d bytes, have %d", len(k.secret), len(secret))
	}
	copy(k.secret[:], secret)
	return k, nil
}

// LoadKey reads the key from a file of 32 bytes, or makes one if there is none or it is
// unusable; then fresh is true, and footage under the key before is lost.
func LoadKey(fsys durable.FS, name string) (key Key, fresh bool, err error) {
	secret, fresh, err := durable.Secret(fsys, name, len(key.secret))
	if err != nil {
		return Key{}, false, fmt.Errorf("footage key: %w", err)
	}
	key, err = NewKey(secret)
	return key, fresh, err
}

// The labels of messages: what one of them is, for ever.
const (
	labelKey      = "latchkey footage key v1"
	labelCoding   = "latchkey footage coding v1"
	labelHead     = "latchkey footage head v1"
	labelGroup    = "latchkey footage group v1"
	labelContents = "latchkey footage contents v1"
	labelIndex    = "latchkey footage index v1"
)

// bind returns the context of a message: its label, and what it belongs to.
func bind(label string, parts ...[]byte) []byte {
	var w wire.Writer
	w.Label(label)
	for _, p := range parts {
		w.Raw(p)
	}
	return w.Bytes()
}

// unseal opens a message. Whatever is wrong with it is [ErrDamaged].
func unseal(key, context, message []byte) ([]byte, error) {
	content, err := cobblestone.Open(key, context, message)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return content, nil
}
