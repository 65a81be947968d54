package account_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/internal/vectors"
	"github.com/latchkey-cam/latchkey/vault"
)

// vector is one file of testdata/vectors (docs/account.md, "Vectors").
type vector struct {
	Name   string `json:"name"`
	Says   string `json:"says"`
	What   string `json:"what"`
	Expect string `json:"expect"`

	Passphrase string `json:"passphrase,omitempty"`
	Text       string `json:"text,omitempty"`
	PRF        []byte `json:"prf,omitempty"`
	Params     []byte `json:"params,omitempty"`

	Account  string `json:"account,omitempty"`
	Unlocker string `json:"unlocker,omitempty"`
	Kind     uint8  `json:"kind,omitempty"`
	Wrapped  []byte `json:"wrapped,omitempty"`
	KEK      []byte `json:"kek,omitempty"`
	VaultKey []byte `json:"vault_key,omitempty"`
	Vault    []byte `json:"vault,omitempty"`
	Seen     []byte `json:"seen,omitempty"`

	Auth    []byte `json:"auth,omitempty"`
	Eval    []byte `json:"eval,omitempty"`
	Code    []byte `json:"code,omitempty"`
	Written string `json:"written,omitempty"`
	Locator []byte `json:"locator,omitempty"`
	Number  uint64 `json:"number,omitempty"`
	Content string `json:"content,omitempty"`
}

// read does what a browser does with the given half of a vector and returns the vector
// with the other half.
func (v vector) read() (vector, error) {
	var err error
	switch v.What {
	case "passphrase":
		err = v.readPassphrase()
	case "passkey":
		eval, kek := vault.PRFInput(), vault.Passkey(v.PRF)
		v.Eval, v.KEK = eval[:], kek[:]
	case "recovery":
		err = v.readRecovery()
	case "unlocker":
		err = v.readUnlocker()
	case "vault":
		err = v.readVault()
	default:
		panic("a vector of " + v.What)
	}
	v.Expect = "accepted"
	if err != nil {
		v.Expect = string(account.ReasonOf(err))
	}
	return v, err
}

func (v *vector) readPassphrase() error {
	s, err := account.ParseStretch(v.Params)
	if err != nil {
		return err
	}
	auth, kek, err := vault.Passphrase(v.Passphrase, s)
	if err != nil {
		return err
	}
	v.Auth, v.KEK = auth[:], kek[:]
	return nil
}

func (v *vector) readRecovery() error {
	code, err := vault.ParseRecoveryCode(v.Text)
	if err != nil {
		return err
	}
	locator, auth, kek := code.Locator(), code.Auth(), code.Key()
	v.Code, v.Written, v.Locator, v.Auth, v.KEK = code[:], code.Text(), locator[:], auth[:], kek[:]
	return nil
}

func (v *vector) unlocker() account.Unlocker {
	return account.Unlocker{Account: accountID(v.Account), ID: unlockerID(v.Unlocker), Kind: account.Kind(v.Kind), Params: v.Params, Wrapped: v.Wrapped}
}

func (v *vector) readUnlocker() error {
	key, err := vault.Unwrap(v.unlocker(), vault.Key(v.KEK))
	if err != nil {
		return err
	}
	v.VaultKey = key[:]
	return nil
}

func (v *vector) readVault() error {
	var seen *account.Vault
	if len(v.Seen) > 0 {
		last, err := account.ParseVault(v.Seen)
		if err != nil {
			return err
		}
		seen = &last
	}
	opened, content, err := vault.OpenVault(vault.Key(v.VaultKey), accountID(v.Account), v.Vault, seen)
	if err != nil {
		return err
	}
	v.Number, v.Content = opened.Number, content
	return nil
}

func accountID(s string) latchkey.AccountID {
	id, err := latchkey.ParseAccountID(s)
	if err != nil {
		panic(err)
	}
	return id
}

func unlockerID(s string) latchkey.UnlockerID {
	id, err := latchkey.ParseUnlockerID(s)
	if err != nil {
		panic(err)
	}
	return id
}

func readVectors(t testing.TB) ([]vector, map[string]int) {
	return vectors.Read(t, func(v *vector) *string { return &v.Name })
}

func TestVectors(t *testing.T) {
	writeVectors(t)
	all, by := readVectors(t)
	if by["go"] != len(makers) {
		t.Errorf("%d vectors of Go, want %d", by["go"], len(makers))
	}
	for _, v := range all {
		t.Run(v.Name, func(t *testing.T) {
			got, err := v.read()
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", v) {
				t.Errorf("%s\ngot  %+v (%v)\nwant %+v", v.Says, got, err, v)
			}
		})
	}
}

// maker draws the given half of one vector.
type maker struct {
	says   string
	expect string
	make   func(v *vector)
}

const oneHome = `{"v":1,"homes":[{"home":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","person":"aaaaaaaaaaaaaaaaaaaaaaaaaa",` +
	`"signing":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","kem":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",` +
	`"head":"1:0000000000000000000000000000000000000000000000000000000000000000"}],"devices":{"aaaaaaaaaaaaaaaaaaaaaaaaaa":"Kitchen"},"unlockers":{}}`

const empty = `{"v":1,"homes":[],"devices":{},"unlockers":{}}`

func passphrase(text string, change func(s *account.Stretch)) func(v *vector) {
	return func(v *vector) {
		s := account.NewStretch([16]byte(vault.NewRecoveryCode()))
		if change != nil {
			change(&s)
		}
		v.What, v.Passphrase, v.Params = "passphrase", text, s.Bytes()
	}
}

func recovery(change func(text string) string) func(v *vector) {
	return func(v *vector) { v.What, v.Text = "recovery", change(vault.NewRecoveryCode().Text()) }
}

// unlocker makes an unlocker that opens, and then changes it.
func unlocker(kind account.Kind, params int, change func(v *vector)) func(v *vector) {
	return func(v *vector) {
		key, kek := vault.NewKey(), vault.NewKey()
		u := account.Unlocker{Account: latchkey.NewAccountID(), ID: latchkey.NewUnlockerID(), Kind: kind}
		if kind == account.Passphrase {
			u.Params = account.NewStretch([16]byte(vault.NewRecoveryCode())).Bytes()
		}
		for len(u.Params) < params {
			code := vault.NewRecoveryCode()
			u.Params = append(u.Params, code[:min(16, params-len(u.Params))]...)
		}
		u = vault.Wrap(u, kek, key)
		v.What, v.Account, v.Unlocker, v.Kind, v.Params, v.Wrapped = "unlocker", u.Account.String(), u.ID.String(), uint8(u.Kind), u.Params, u.Wrapped
		v.KEK = kek[:]
		if change != nil {
			change(v)
		}
	}
}

// aVault makes the last of some vaults that follow each other, of which one was seen (0
// for none), and then changes it.
func aVault(number, seen int, content string, change func(v *vector)) func(v *vector) {
	return func(v *vector) {
		key, id := vault.NewKey(), latchkey.NewAccountID()
		var last *account.Vault
		for n := 1; n <= max(number, seen); n++ {
			next := vault.SealVault(key, id, last, content)
			if last = &next; n == number {
				v.Vault = next.Bytes()
			}
			if n == seen {
				v.Seen = next.Bytes()
			}
		}
		v.What, v.Account, v.VaultKey = "vault", id.String(), key[:]
		if change != nil {
			change(v)
		}
	}
}

func flip(where int, of func(v *vector) []byte) func(v *vector) {
	return func(v *vector) {
		b := of(v)
		b[(where+len(b))%len(b)] ^= 1
	}
}

func wrapped(v *vector) []byte     { return v.Wrapped }
func vaultBytes(v *vector) []byte  { return v.Vault }
func paramsBytes(v *vector) []byte { return v.Params }

var makers = map[string]maker{
	"passphrase":         {"a passphrase", "accepted", passphrase("correct horse battery staple", nil)},
	"passphrase-nfkc":    {"the same passphrase in other characters is the same", "accepted", passphrase("Ｇｒｕ\u0308ße, ﬁne!", nil)},
	"passphrase-spaces":  {"white space counts", "accepted", passphrase("  correct  horse ", nil)},
	"passphrase-weak":    {"a server asks for 64 KiB of memory", "weak", passphrase("correct horse", func(s *account.Stretch) { s.Memory = 64 })},
	"passphrase-passes":  {"a server asks for two passes", "weak", passphrase("correct horse", func(s *account.Stretch) { s.Passes = 2 })},
	"passphrase-lanes":   {"a server asks for no lane", "weak", passphrase("correct horse", func(s *account.Stretch) { s.Lanes = 0 })},
	"passphrase-memory":  {"a server asks for more than 1 GiB", "oversize", passphrase("correct horse", func(s *account.Stretch) { s.Memory = 1<<20 + 1 })},
	"passphrase-forever": {"a server asks for 17 passes", "oversize", passphrase("correct horse", func(s *account.Stretch) { s.Passes = 17 })},
	"passphrase-short": {"parameters without their last byte", "truncated", func(v *vector) {
		passphrase("correct horse", nil)(v)
		v.Params = v.Params[:21]
	}},
	"passphrase-long": {"parameters with a byte more", "malformed", func(v *vector) {
		passphrase("correct horse", nil)(v)
		v.Params = append(v.Params, 1)
	}},

	"passkey": {"what a PRF gave", "accepted", func(v *vector) {
		prf := vault.NewKey()
		v.What, v.PRF = "passkey", prf[:]
	}},

	"recovery":       {"a code as it is written", "accepted", recovery(func(s string) string { return s })},
	"recovery-typed": {"small letters, spaces and a line break", "accepted", recovery(func(s string) string { return " " + strings.ReplaceAll(strings.ToLower(s), "-", "\u00a0 ") + "\r\n" })},
	"recovery-digits": {"0, 1 and 8 where O, L and B belong", "accepted", func(v *vector) {
		for !strings.Contains(v.Text, "O") || !strings.Contains(v.Text, "L") || !strings.Contains(v.Text, "B") {
			v.What, v.Text = "recovery", vault.NewRecoveryCode().Text()
		}
		v.Text = strings.NewReplacer("O", "0", "L", "1", "B", "8").Replace(v.Text)
	}},
	"recovery-nine":   {"a 9, which no code has", "letters", recovery(func(s string) string { return "9" + s[1:] })},
	"recovery-long-s": {"a letter whose capital would be an S", "letters", recovery(func(s string) string { return "ſ" + s[1:] })},
	"recovery-short":  {"a letter is missing", "length", recovery(func(s string) string { return s[1:] })},
	"recovery-long":   {"a letter too many", "length", recovery(func(s string) string { return s + "A" })},
	"recovery-empty":  {"nothing", "length", recovery(func(string) string { return "" })},
	"recovery-wrong":  {"one letter is another", "check", recovery(func(s string) string { return other(s[:1]) + s[1:] })},
	"recovery-check":  {"the check is another code's", "check", recovery(func(s string) string { return s[:len(s)-1] + other(s[len(s)-1:]) })},
	"recovery-swapped": {"two letters are swapped", "check", func(v *vector) {
		for v.Text == "" || v.Text[0] == v.Text[1] {
			v.What, v.Text = "recovery", vault.NewRecoveryCode().Text()
		}
		v.Text = v.Text[1:2] + v.Text[:1] + v.Text[2:]
	}},
	"recovery-spare": {"the spare bits are not zero", "check", recovery(func(s string) string {
		at := strings.LastIndex(s, "-") + 2 // the 26th letter, which holds three bits
		return s[:at] + string(s[at]+1) + s[at+1:]
	})},

	"unlocker-passkey":      {"a passkey's", "accepted", unlocker(account.Passkey, 32, nil)},
	"unlocker-passkey-long": {"a passkey with the longest credential ID", "accepted", unlocker(account.Passkey, 1023, nil)},
	"unlocker-passphrase":   {"a passphrase's", "accepted", unlocker(account.Passphrase, 0, nil)},
	"unlocker-recovery":     {"a recovery code's", "accepted", unlocker(account.RecoveryCode, 16, nil)},
	"unlocker-altered":      {"a bit of the wrapped key is another", "wrap", unlocker(account.RecoveryCode, 16, flip(20, wrapped))},
	"unlocker-nonce":        {"a bit of the nonce is another", "wrap", unlocker(account.RecoveryCode, 16, flip(0, wrapped))},
	"unlocker-tag":          {"a bit of the tag is another", "wrap", unlocker(account.RecoveryCode, 16, flip(-1, wrapped))},
	"unlocker-params":       {"another salt", "wrap", unlocker(account.Passphrase, 0, flip(3, paramsBytes))},
	"unlocker-weakened":     {"fewer passes than it was wrapped with", "wrap", unlocker(account.Passphrase, 0, flip(20, paramsBytes))},
	"unlocker-account":      {"in another account", "wrap", unlocker(account.RecoveryCode, 16, func(v *vector) { v.Account = latchkey.NewAccountID().String() })},
	"unlocker-id":           {"under another unlocker's ID", "wrap", unlocker(account.RecoveryCode, 16, func(v *vector) { v.Unlocker = latchkey.NewUnlockerID().String() })},
	"unlocker-kind":         {"as a passkey's", "wrap", unlocker(account.RecoveryCode, 16, func(v *vector) { v.Kind = uint8(account.Passkey) })},
	"unlocker-kek":          {"with another key", "wrap", unlocker(account.RecoveryCode, 16, flip(0, func(v *vector) []byte { return v.KEK }))},
	"unlocker-short":        {"a wrapped key of 59 bytes", "malformed", unlocker(account.RecoveryCode, 16, func(v *vector) { v.Wrapped = v.Wrapped[:59] })},
	"unlocker-kind-4":       {"a kind that does not exist", "malformed", unlocker(account.RecoveryCode, 16, func(v *vector) { v.Kind = 4 })},
	"unlocker-locator":      {"a locator of 15 bytes", "malformed", unlocker(account.RecoveryCode, 16, func(v *vector) { v.Params = v.Params[:15] })},
	"unlocker-oversize":     {"a credential ID of 1,025 bytes", "oversize", unlocker(account.Passkey, 1025, nil)},

	"vault-first":      {"a first vault with nothing in it", "accepted", aVault(1, 0, empty, nil)},
	"vault-home":       {"a vault with a home, that nobody has seen", "accepted", aVault(3, 0, oneHome, nil)},
	"vault-same":       {"the vault that was seen", "accepted", aVault(2, 2, oneHome, nil)},
	"vault-next":       {"the one after that which was seen", "accepted", aVault(3, 2, oneHome, nil)},
	"vault-later":      {"a much later one", "accepted", aVault(9, 2, oneHome, nil)},
	"vault-unknown":    {"members of a later version's", "accepted", aVault(1, 0, `{"v":1,"homes":[],"devices":{},"unlockers":{},"colour":"blue"}`, nil)},
	"vault-oversize":   {"256 KiB and a byte", "oversize", aVault(1, 0, empty, func(v *vector) { v.Vault = append(v.Vault, make([]byte, account.MaxVault+1-len(v.Vault))...) })},
	"vault-empty":      {"no byte", "truncated", aVault(1, 0, empty, func(v *vector) { v.Vault = nil })},
	"vault-cut":        {"27 bytes of nonce and tag", "truncated", aVault(1, 0, empty, func(v *vector) { v.Vault = v.Vault[:57+27] })},
	"vault-version-0":  {"version 0", "malformed", aVault(1, 0, empty, func(v *vector) { v.Vault[0] = 0 })},
	"vault-version-2":  {"version 2", "future-version", aVault(1, 0, empty, func(v *vector) { v.Vault[0] = 2 })},
	"vault-number-0":   {"number 0", "malformed", aVault(1, 0, empty, func(v *vector) { v.Vault[24] = 0 })},
	"vault-number-big": {"a number above 2^53-1", "malformed", aVault(1, 0, empty, func(v *vector) { binary.BigEndian.PutUint64(v.Vault[17:], 1<<53) })},
	"vault-first-prev": {"a first vault that follows another", "malformed", aVault(1, 0, empty, flip(30, vaultBytes))},
	"vault-account":    {"the vault of another account", "wrong-account", aVault(1, 0, empty, func(v *vector) { v.Account = latchkey.NewAccountID().String() })},
	"vault-replayed":   {"the one before that which was seen", "replayed", aVault(2, 3, oneHome, nil)},
	"vault-beside":     {"another of the same number as was seen", "fork", aVault(2, 2, oneHome, flip(-1, func(v *vector) []byte { return v.Seen }))},
	"vault-fork":       {"the next one, after another than was seen", "fork", aVault(3, 2, oneHome, flip(-1, func(v *vector) []byte { return v.Seen }))},
	"vault-key":        {"with another key", "vault", aVault(1, 0, empty, flip(0, func(v *vector) []byte { return v.VaultKey }))},
	"vault-altered":    {"a bit of the content is another", "vault", aVault(1, 0, empty, flip(57+12, vaultBytes))},
	"vault-nonce":      {"a bit of the nonce is another", "vault", aVault(1, 0, empty, flip(57, vaultBytes))},
	"vault-tag":        {"a bit of the tag is another", "vault", aVault(1, 0, empty, flip(-1, vaultBytes))},
	"vault-renumbered": {"a later number than it was sealed with", "vault", aVault(2, 0, empty, func(v *vector) { v.Vault[24] = 3 })},
	"vault-prev":       {"after another one than it was sealed with", "vault", aVault(2, 0, empty, flip(30, vaultBytes))},
	"vault-renamed": {"the vault of another account with its name altered", "vault", aVault(1, 0, empty, func(v *vector) {
		id := latchkey.NewAccountID()
		v.Account = id.String()
		copy(v.Vault[1:], id[:])
	})},
	"vault-not-json":  {"content that is no JSON", "content", aVault(1, 0, `{"v":1`, nil)},
	"vault-not-utf-8": {"content that is no UTF-8", "content", aVault(1, 0, `{"v":1,"homes":[],"devices":{},"unlockers":{},"x":"`+"\xff"+`"}`, nil)},
	"vault-content-2": {"content of a later version", "content", aVault(1, 0, `{"v":2,"homes":[],"devices":{},"unlockers":{}}`, nil)},
	"vault-nothing":   {"no content", "content", aVault(1, 0, ``, nil)},
}

// other is another letter than the one that is given.
func other(letter string) string {
	if letter == "A" {
		return "B"
	}
	return "A"
}

func writeVectors(t *testing.T) {
	for name, m := range makers {
		vectors.Write(t, name, func(t *testing.T) vector {
			v := vector{Name: name, Says: m.says}
			m.make(&v)
			v, err := v.read()
			if v.Expect != m.expect {
				t.Fatalf("%s: %s (%v), want %s", name, v.Expect, err, m.expect)
			}
			return v
		})
	}
}

// TestPassphraseCharacters: what people take for the same passphrase is.
func TestPassphraseCharacters(t *testing.T) {
	s := account.NewStretch([16]byte{1})
	composed, _, _ := vault.Passphrase("Grüße, fine!", s)
	apart, _, err := vault.Passphrase("Ｇｒｕ\u0308ße, ﬁne!", s)
	if composed != apart || err != nil {
		t.Errorf("%x and %x, %v", composed, apart, err)
	}
	if spaced, _, _ := vault.Passphrase("Grüße, fine! ", s); bytes.Equal(spaced[:], composed[:]) {
		t.Error("white space does not count")
	}
}
