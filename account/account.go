// Package account is what a server knows of people's accounts (docs/account.md): the
// outside of vaults and of the unlockers that open them, addresses to sign in with, and
// codes from an authenticator app.
//
// It is for carriers, so it can open nothing: no vault key, passphrase or recovery code
// is ever in its hands. What a person does with those is package vault.
package account

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// The limits of docs/account.md.
const (
	MaxVault     = 256 << 10
	MaxUnlockers = 16
	MaxParams    = 1024
	// WrappedSize is a nonce, a vault key and a tag.
	WrappedSize = 12 + 32 + 16
)

// Kind says what an unlocker is.
type Kind uint8

// The kinds of unlockers. Numbers are never used again for something else.
const (
	Passkey      Kind = 1
	Passphrase   Kind = 2
	RecoveryCode Kind = 3
)

var kindNames = map[Kind]string{Passkey: "passkey", Passphrase: "passphrase", RecoveryCode: "recovery"}

// String is the kind's name on the wire.
func (k Kind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return fmt.Sprintf("kind-%d", uint8(k))
}

// MarshalText is [Kind.String] for encoders.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is [ParseKind] for decoders.
func (k *Kind) UnmarshalText(text []byte) (err error) {
	*k, err = ParseKind(string(text))
	return err
}

// ParseKind returns the kind of that name.
func ParseKind(s string) (Kind, error) {
	for k, name := range kindNames {
		if s == name {
			return k, nil
		}
	}
	return 0, Refuse(Malformed, "an unlocker of kind %.32q", s)
}

// Single says whether an account has at most one unlocker of this kind, so that another
// takes its place.
func (k Kind) Single() bool { return k != Passkey }

// CheckKinds says whether an account may have unlockers of these kinds: at least two,
// of which one is no passkey, because a passkey is lost with the devices that have it.
func CheckKinds(kinds []Kind) error {
	others := 0
	for i, k := range kinds {
		if k.Single() {
			others++
			if slices.Contains(kinds[:i], k) {
				return Refuse(Malformed, "two unlockers of kind %s", k)
			}
		}
	}
	switch {
	case len(kinds) > MaxUnlockers:
		return Refuse(TooMany, "%d unlockers, at most %d", len(kinds), MaxUnlockers)
	case len(kinds) < 2 || others < 1:
		return Refuse(LastUnlockers, "%d unlockers, %d of them no passkeys", len(kinds), others)
	}
	return nil
}

// Unlocker is one of the things that open a vault: how to make its key, and the vault
// key wrapped under that.
type Unlocker struct {
	Account latchkey.AccountID
	ID      latchkey.UnlockerID
	Kind    Kind
	// Params are a passkey's credential ID, a passphrase's [Stretch] or a recovery
	// code's [Locator].
	Params  []byte
	Wrapped []byte
}

// Check says what is wrong with an unlocker that somebody else made.
func (u Unlocker) Check() error {
	if len(u.Params) > MaxParams {
		return Refuse(Oversize, "parameters of %d bytes, at most %d", len(u.Params), MaxParams)
	}
	if len(u.Wrapped) != WrappedSize {
		return Refuse(Malformed, "a wrapped key of %d bytes", len(u.Wrapped))
	}
	switch u.Kind {
	case Passkey:
		if len(u.Params) == 0 {
			return Refuse(Malformed, "a passkey without a credential")
		}
	case Passphrase:
		_, err := ParseStretch(u.Params)
		return err
	case RecoveryCode:
		if len(u.Params) != len(Locator{}) {
			return Refuse(Malformed, "a locator of %d bytes", len(u.Params))
		}
	default:
		return Refuse(Malformed, "an unlocker of %s", u.Kind)
	}
	return nil
}

// Context is what the wrapped key is bound to.
func (u Unlocker) Context() []byte {
	var w wire.Writer
	w.Label("latchkey unlocker v1")
	w.Raw(u.Account[:])
	w.Raw(u.ID[:])
	w.U8(uint8(u.Kind))
	w.LP16(u.Params)
	return w.Bytes()
}

// Locator finds the account of a recovery code. It is derived from the code, and
// nothing of the code can be told from it.
type Locator [16]byte

// Stretch is how Argon2id makes a root of a passphrase.
type Stretch struct {
	Salt   [16]byte
	Memory uint32 // KiB
	Passes uint8
	Lanes  uint8
}

// NewStretch is the one with that salt that everybody uses in version 1. If there were
// several, they would tell which addresses have an account.
func NewStretch(salt [16]byte) Stretch { return Stretch{salt, 64 << 10, 3, 1} }

// ParseStretch is the inverse of [Stretch.Bytes].
func ParseStretch(b []byte) (Stretch, error) {
	var s Stretch
	r := wire.NewReader(b)
	r.Into(s.Salt[:])
	s.Memory = r.U32()
	s.Passes = r.U8()
	s.Lanes = r.U8()
	return s, layout(r.Done())
}

// Bytes are the parameters of a passphrase.
func (s Stretch) Bytes() []byte {
	var w wire.Writer
	w.Raw(s.Salt[:])
	w.U32(s.Memory)
	w.U8(s.Passes)
	w.U8(s.Lanes)
	return w.Bytes()
}

// Verifier is what a server keeps to recognise auth, the half of a passphrase or
// recovery code that is shown to it.
func Verifier(auth []byte) [32]byte { return sha256.Sum256(auth) }
