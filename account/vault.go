package account

import (
	"crypto/sha256"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

const (
	vaultVersion = 1
	minSealed    = 12 + 16 // a nonce and a tag
)

// Vault is a person's keys and homes as a server sees them: whose, which of them in order, and
// bytes that it cannot open.
type Vault struct {
	Account latchkey.AccountID
	Number  uint64   // from 1
	Prev    [32]byte // SHA-256 of the vault before, zero in the first
	Sealed  []byte   // nonce, ciphertext, tag
}

// ParseVault takes a vault apart. Its errors have a [Reason].
func ParseVault(b []byte) (Vault, error) {
	if len(b) > MaxVault {
		return Vault{}, Refuse(Oversize, "a vault of %d bytes, at most %d", len(b), MaxVault)
	}
	r := wire.NewReader(b)
	if version := r.U8(); version > vaultVersion {
		return Vault{}, Refuse(FutureVersion, "a vault of version %d", version)
	} else if r.Err() == nil && version < vaultVersion {
		return Vault{}, Refuse(Malformed, "a vault of version 0")
	}
	var v Vault
	r.Into(v.Account[:])
	v.Number = r.U64()
	if r.Err() == nil && v.Number == 0 {
		return Vault{}, Refuse(Malformed, "a vault of number 0")
	}
	r.Into(v.Prev[:])
	if r.Err() == nil && v.Number == 1 && v.Prev != [32]byte{} {
		return Vault{}, Refuse(Malformed, "a first vault that follows another")
	}
	v.Sealed = r.Rest()
	r.Raw(max(minSealed, len(v.Sealed)))
	if err := r.Done(); err != nil {
		return Vault{}, layout(err)
	}
	return v, nil
}

// Prefix is the part of the vault that its content is bound to.
func (v Vault) Prefix() []byte {
	var w wire.Writer
	w.U8(vaultVersion)
	w.Raw(v.Account[:])
	w.U64(v.Number)
	w.Raw(v.Prev[:])
	return w.Bytes()
}

// Bytes is the whole vault.
func (v Vault) Bytes() []byte { return append(v.Prefix(), v.Sealed...) }

// Hash is what the next vault names as the one before it.
func (v Vault) Hash() [32]byte { return sha256.Sum256(v.Bytes()) }

// Follows says whether v may take the place of prev, or is the first if prev is nil.
// Numbers are left out where a server that was restored has lost some vaults: a browser
// that knows of them goes on above.
func (v Vault) Follows(prev *Vault) bool {
	if prev == nil {
		return v.Number == 1
	}
	return v.Account == prev.Account && v.Number > prev.Number && v.Prev == prev.Hash()
}
