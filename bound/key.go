package bound

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"strings"
	"sync"
	"sync/atomic"
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
type Keys struct{ current, former macKey }

// macKey is one of them.
type macKey interface {
	id() keyID
	size() int                               // of a MAC, in bytes
	appendMAC(b, signed []byte) []byte       // appends the MAC of signed to b
	authentic(signed, sum []byte) (yes bool) // says whether sum is the MAC of signed
}

// sharedKey makes MACs that several processes make and compare: HMAC-SHA256.
type sharedKey struct {
	name keyID
	pool sync.Pool // of *mac
}

// mac is the state of one computation. Nothing of a value stays in it.
type mac struct {
	hash.Hash
	sum [sha256.Size]byte
}

func newSharedKey(secret []byte) *sharedKey {
	k := &sharedKey{}
	secret = bytes.Clone(secret)
	k.pool.New = func() any { return &mac{Hash: hmac.New(sha256.New, secret)} }
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(labelKeyID))
	copy(k.name[:], h.Sum(nil))
	return k
}

func (k *sharedKey) id() keyID { return k.name }

func (k *sharedKey) size() int { return sha256.Size }

func (k *sharedKey) appendMAC(b, signed []byte) []byte {
	m := k.pool.Get().(*mac)
	defer k.pool.Put(m)
	return append(b, m.of(signed)...)
}

func (k *sharedKey) authentic(signed, sum []byte) bool {
	m := k.pool.Get().(*mac)
	defer k.pool.Put(m)
	return hmac.Equal(m.of(signed), sum)
}

func (m *mac) of(signed []byte) []byte {
	m.Reset()
	m.Write(signed)
	return m.Sum(m.sum[:0])
}

// ownKey makes MACs that only this process makes and compares, several times as fast: GMAC,
// which is AES-256-GCM of no plaintext (NIST SP 800-38D). It must never see a nonce
// twice; one process can count them.
type ownKey struct {
	aead  cipher.AEAD
	count atomic.Uint64 // of the nonces that are used up
}

func newOwnKey() *ownKey {
	secret := make([]byte, keySize)
	rand.Read(secret)
	block, err := aes.NewCipher(secret)
	if err != nil {
		panic("internal error: " + err.Error()) // the key has its size
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("internal error: " + err.Error()) // AES has its block size
	}
	return &ownKey{aead: aead}
}

// id is the same in each process: no other ever sees it.
func (k *ownKey) id() keyID { return keyID{} }

func (k *ownKey) size() int { return k.aead.NonceSize() + k.aead.Overhead() }

func (k *ownKey) appendMAC(b, signed []byte) []byte {
	var nonce [12]byte
	binary.BigEndian.PutUint64(nonce[4:], k.count.Add(1))
	return k.aead.Seal(append(b, nonce[:]...), nonce[:], nil, signed)
}

func (k *ownKey) authentic(signed, sum []byte) bool {
	nonce := k.aead.NonceSize()
	_, err := k.aead.Open(nil, sum[:nonce], sum[nonce:], signed)
	return err == nil
}

// NewKeys makes keys for a cache that no other process shares and that does not outlive
// this one.
func NewKeys() *Keys {
	secret := make([]byte, keySize)
	rand.Read(secret)
	return &Keys{current: newSharedKey(secret)}
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
	var keys []*sharedKey
	for _, line := range lines {
		secret, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil || len(secret) != keySize {
			return nil, errKeys // without err, which quotes the text
		}
		keys = append(keys, newSharedKey(secret))
	}
	if len(keys) == 1 {
		return &Keys{current: keys[0]}, nil
	}
	if keys[0].id() == keys[1].id() {
		return nil, errKeys
	}
	return &Keys{current: keys[0], former: keys[1]}, nil
}

// find returns the key of that ID, or nil.
func (k *Keys) find(id keyID) macKey {
	if k.current.id() == id {
		return k.current
	}
	if k.former != nil && k.former.id() == id {
		return k.former
	}
	return nil
}

// Format hides the keys, whatever the verb.
func (k *Keys) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("(keys)")) }
