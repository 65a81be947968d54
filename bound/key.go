package bound

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"strings"
	"sync"
)

// keySize is that of a key, in bytes; in a file it has twice as many hexadecimal digits.
const keySize = 32

// labelKeyID begins what a key's ID is the MAC of. A value begins with its magic: neither
// can be taken for the other.
const labelKeyID = "latchkey bound key v1\x00"

// keyID tells keys apart without showing them.
type keyID [8]byte

// Keys are the secrets under which a deployment's values are stored: the current one
// seals, the former one still opens. All servers of a deployment have the same. They
// print nothing.
type Keys struct{ current, former *macKey }

// macKey is one of them, with what is kept ready for using it.
type macKey struct {
	id   keyID
	pool sync.Pool // of *mac
}

// mac is the state of one computation. Nothing of a value stays in it.
type mac struct {
	hash.Hash
	sum [sha256.Size]byte
}

func newMACKey(secret []byte) *macKey {
	k := &macKey{}
	secret = bytes.Clone(secret)
	k.pool.New = func() any { return &mac{Hash: hmac.New(sha256.New, secret)} }
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(labelKeyID))
	copy(k.id[:], h.Sum(nil))
	return k
}

// appendMAC appends the MAC of signed to b.
func (k *macKey) appendMAC(b, signed []byte) []byte {
	m := k.pool.Get().(*mac)
	defer k.pool.Put(m)
	return append(b, m.of(signed)...)
}

// authentic says whether sum is the MAC of signed.
func (k *macKey) authentic(signed, sum []byte) bool {
	m := k.pool.Get().(*mac)
	defer k.pool.Put(m)
	return hmac.Equal(m.of(signed), sum)
}

func (m *mac) of(signed []byte) []byte {
	m.Reset()
	m.Write(signed)
	return m.Sum(m.sum[:0])
}

// NewKeys makes keys for a cache that no other process shares and that does not outlive
// this one.
func NewKeys() *Keys {
	secret := make([]byte, keySize)
	rand.Read(secret)
	return &Keys{current: newMACKey(secret)}
}

// ReadKeys reads the keys in a file: one line of 64 hexadecimal digits, the current key,
// and perhaps a second line, the former one. "openssl rand -hex 32" makes a line. To
// change keys put the new one above the old on every server, one after the other; a
// server that does not know a key yet takes its values for misses.
func ReadKeys(path string) (*Keys, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the keys of the cache: %w", err)
	}
	keys, err := ParseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("read the keys of the cache in %s: %w", path, err)
	}
	return keys, nil
}

// errKeys says what the text of keys should be, and nothing of what it is.
var errKeys = errors.New("want one line of 64 hexadecimal digits, or two different ones")

// ParseKeys is [ReadKeys] of the file's text.
func ParseKeys(text []byte) (*Keys, error) {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) > 2 {
		return nil, errKeys
	}
	var keys []*macKey
	for _, line := range lines {
		secret, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil || len(secret) != keySize {
			return nil, errKeys // without err, which quotes the text
		}
		keys = append(keys, newMACKey(secret))
	}
	if len(keys) == 1 {
		return &Keys{current: keys[0]}, nil
	}
	if keys[0].id == keys[1].id {
		return nil, errKeys
	}
	return &Keys{current: keys[0], former: keys[1]}, nil
}

// find returns the key of that ID, or nil.
func (k *Keys) find(id keyID) *macKey {
	if k.current.id == id {
		return k.current
	}
	if k.former != nil && k.former.id == id {
		return k.former
	}
	return nil
}

// Format hides the keys, whatever the verb.
func (k *Keys) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("(keys)")) }
