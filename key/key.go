// Package key holds the secrets of people and agents: the keys they sign with, the
// keys they are sealed to, and the keys of a home's epochs. It makes them, keeps them
// in files, and wraps a secret for somebody with the one suite that docs/seal.md
// names, "Envelope".
//
// Nothing here prints a secret: every type that is one says "(secret)" to fmt.
package key

import (
	"crypto/hpke"
	"crypto/rand"
	"fmt"
	"log/slog"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
)

// SeedSize is the size of the seed that is an X-Wing private key.
const SeedSize = 32

const secret = "(secret)"

// Private is a private key that is sealed to: X-Wing, kept as its 32-byte seed. The
// seed is expanded as the KEM's draft says; it is never fed through DeriveKeyPair,
// which makes another key of it.
type Private struct {
	seed   [SeedSize]byte
	public deed.Key
	id     latchkey.KeyID // of public
	hpke   hpke.PrivateKey
}

// NewPrivate makes a random key.
func NewPrivate() (*Private, error) {
	seed := make([]byte, SeedSize)
	rand.Read(seed) // never fails: it ends the process instead
	return PrivateFromSeed(seed)
}

// PrivateFromSeed returns the key of that seed.
func PrivateFromSeed(seed []byte) (*Private, error) {
	k, err := hpke.MLKEM768X25519().NewPrivateKey(seed)
	if err != nil {
		return nil, fmt.Errorf("expand private key of %d bytes: %w", len(seed), err)
	}
	public := deed.XWingKey(k.PublicKey().Bytes())
	return &Private{[SeedSize]byte(seed), public, public.ID(), k}, nil
}

// Public is what is sealed to.
func (p *Private) Public() deed.Key { return p.public }

// ID is that of the public key.
func (p *Private) ID() latchkey.KeyID { return p.id }

// Seed is the secret itself, for whoever keeps it.
func (p *Private) Seed() []byte { s := p.seed; return s[:] }

// Format hides the secret from every verb of fmt.
func (Private) Format(f fmt.State, _ rune) { fmt.Fprint(f, secret) }

// LogValue hides it from structured logs.
func (Private) LogValue() slog.Value { return slog.StringValue(secret) }

// Seal seals plaintext to a public key under info, which says what the plaintext is
// and must be the same when it is opened.
func Seal(to deed.Key, info, plaintext []byte) ([]byte, error) {
	if to.Algorithm != deed.XWing {
		return nil, fmt.Errorf("seal to a key: algorithm %d is not sealed to", to.Algorithm)
	}
	public, err := hpke.MLKEM768X25519().NewPublicKey(to.Bytes)
	if err != nil {
		return nil, fmt.Errorf("seal to key %s: %w", to.ID(), err)
	}
	sealed, err := hpke.Seal(public, hpke.HKDFSHA256(), hpke.AES256GCM(), info, plaintext)
	if err != nil {
		return nil, fmt.Errorf("seal to key %s: %w", to.ID(), err)
	}
	return sealed, nil
}

// Open opens what [Seal] sealed to this key under the same info.
func (p *Private) Open(info, sealed []byte) ([]byte, error) {
	plaintext, err := hpke.Open(p.hpke, hpke.HKDFSHA256(), hpke.AES256GCM(), info, sealed)
	if err != nil {
		return nil, fmt.Errorf("open with key %s: %w", p.ID(), err)
	}
	return plaintext, nil
}
