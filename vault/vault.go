// Package vault is a person's half of an account (docs/account.md): it makes vault keys,
// vaults and unlockers, opens them, and reads which homes are in a vault. Nothing that
// carries imports it.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
)

// Key is a vault key, or the key that one is wrapped under.
type Key [32]byte

// NewKey makes a key.
func NewKey() (k Key) {
	rand.Read(k[:])
	return k
}

func derive(from []byte, info string) Key {
	b, err := hkdf.Key(sha256.New, from, nil, info, 32)
	if err != nil {
		panic("internal error: vault: " + err.Error())
	}
	return Key(b)
}

func (k Key) gcm() cipher.AEAD {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		panic("internal error: vault: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("internal error: vault: " + err.Error())
	}
	return aead
}

// seal is GCM of docs/account.md.
func (k Key) seal(context, text []byte) []byte {
	nonce := make([]byte, 12)
	rand.Read(nonce)
	return k.gcm().Seal(nonce, nonce, text, context)
}

func (k Key) open(context, sealed []byte) ([]byte, error) {
	return k.gcm().Open(nil, sealed[:12], sealed[12:], context)
}

// Passkey is the key that a passkey's vault key is wrapped under, made of what its PRF
// extension gave for [PRFInput].
func Passkey(prf []byte) Key { return derive(prf, "latchkey passkey wrap v1") }

// PRFInput is what a passkey's PRF extension is asked for.
func PRFInput() [32]byte { return sha256.Sum256([]byte("latchkey passkey prf v1")) }

// Passphrase makes of a passphrase what a server is shown, and the key that the vault
// key is wrapped under. It refuses what a server should not ask for.
func Passphrase(passphrase string, s account.Stretch) (auth, kek Key, err error) {
	floor := account.NewStretch(s.Salt)
	switch {
	case s.Memory > 1<<20, s.Passes > 16, s.Lanes > 4:
		return auth, kek, account.Refuse(account.Oversize, "%d KiB, %d passes, %d lanes", s.Memory, s.Passes, s.Lanes)
	case s.Memory < floor.Memory, s.Passes < floor.Passes, s.Lanes < floor.Lanes:
		return auth, kek, account.Refuse(account.Weak, "%d KiB, %d passes, %d lanes", s.Memory, s.Passes, s.Lanes)
	}
	root := argon2.IDKey([]byte(norm.NFKC.String(passphrase)), s.Salt[:], uint32(s.Passes), s.Memory, s.Lanes, 32)
	return derive(root, "latchkey passphrase auth v1"), derive(root, "latchkey passphrase wrap v1"), nil
}

// RecoveryCode is a recovery code.
type RecoveryCode [16]byte

// NewRecoveryCode makes a code.
func NewRecoveryCode() (c RecoveryCode) {
	rand.Read(c[:])
	return c
}

// Locator is where a server finds the code's account.
func (c RecoveryCode) Locator() account.Locator {
	k := derive(c[:], "latchkey recovery locator v1")
	return account.Locator(k[:16])
}

// Auth is what a server is shown.
func (c RecoveryCode) Auth() Key { return derive(c[:], "latchkey recovery auth v1") }

// Key is the key that the vault key is wrapped under.
func (c RecoveryCode) Key() Key { return derive(c[:], "latchkey recovery wrap v1") }

var base32Plain = base32.StdEncoding.WithPadding(base32.NoPadding)

func (c RecoveryCode) letters() string {
	sum := sha256.Sum256(append([]byte("latchkey recovery check v1"), c[:]...))
	return base32Plain.EncodeToString(c[:]) + base32Plain.EncodeToString(sum[:2])[:2]
}

// Text is the code as it is shown.
func (c RecoveryCode) Text() string {
	letters := c.letters()
	var groups []string
	for ; letters != ""; letters = letters[4:] {
		groups = append(groups, letters[:4])
	}
	return strings.Join(groups, "-")
}

// ParseRecoveryCode reads a code that somebody typed.
func ParseRecoveryCode(text string) (RecoveryCode, error) {
	var letters strings.Builder
	for _, r := range text {
		switch {
		case strings.ContainsRune("- \t\r\n\u00a0", r):
			continue
		case r >= 'a' && r <= 'z':
			r += 'A' - 'a'
		case r == '0':
			r = 'O'
		case r == '1':
			r = 'L'
		case r == '8':
			r = 'B'
		}
		if !(r >= 'A' && r <= 'Z' || r >= '2' && r <= '7') {
			return RecoveryCode{}, account.Refuse(account.Letters, "a character that no recovery code has")
		}
		letters.WriteRune(r)
	}
	s := letters.String()
	if len(s) != 28 {
		return RecoveryCode{}, account.Refuse(account.Length, "%d characters, want 28", len(s))
	}
	b, err := base32Plain.DecodeString(s[:26])
	if err != nil {
		return RecoveryCode{}, account.Refuse(account.Letters, "%v", err)
	}
	c := RecoveryCode(b)
	if c.letters() != s {
		return RecoveryCode{}, account.Refuse(account.Check, "the last two letters are not those of this code")
	}
	return c, nil
}

// Wrap completes an unlocker with the vault key.
func Wrap(u account.Unlocker, kek, vault Key) account.Unlocker {
	u.Wrapped = kek.seal(u.Context(), vault[:])
	return u
}

// Unwrap takes the vault key out of an unlocker.
func Unwrap(u account.Unlocker, kek Key) (Key, error) {
	if err := u.Check(); err != nil {
		return Key{}, err
	}
	b, err := kek.open(u.Context(), u.Wrapped)
	if err != nil || len(b) != len(Key{}) {
		return Key{}, account.Refuse(account.Unwrapped, "the vault key does not come out")
	}
	return Key(b), nil
}

// SealVault makes the next vault after prev, or the first of an account if prev is nil.
func SealVault(key Key, id latchkey.AccountID, prev *account.Vault, content string) account.Vault {
	v := account.Vault{Account: id, Number: 1}
	if prev != nil {
		v.Number, v.Prev = prev.Number+1, prev.Hash()
	}
	v.Sealed = derive(key[:], "latchkey vault v1").seal(v.Prefix(), []byte(content))
	return v
}

// OpenVault opens the vault of that account for a device that saw a vault last, or none
// if seen is nil. What it returns is content, which [Homes] reads.
func OpenVault(key Key, id latchkey.AccountID, b []byte, seen *account.Vault) (account.Vault, string, error) {
	v, err := account.ParseVault(b)
	if err != nil {
		return v, "", err
	}
	switch {
	case v.Account != id:
		return v, "", account.Refuse(account.WrongAccount, "the vault of %s", v.Account)
	case seen != nil && v.Number < seen.Number:
		return v, "", account.Refuse(account.Replayed, "vault %d, and %d was seen", v.Number, seen.Number)
	case seen != nil && v.Number == seen.Number && v.Hash() != seen.Hash(),
		seen != nil && v.Number == seen.Number+1 && v.Prev != seen.Hash():
		return v, "", account.Refuse(account.Fork, "another vault %d than was seen, or after another", v.Number)
	}
	content, err := derive(key[:], "latchkey vault v1").open(v.Prefix(), v.Sealed)
	if err != nil {
		return v, "", account.Refuse(account.Unopened, "the vault does not open")
	}
	if _, err := Homes(string(content)); err != nil {
		return v, "", account.Refuse(account.Content, "%v", err)
	}
	return v, string(content), nil
}
