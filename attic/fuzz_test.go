package attic_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/attic"
	"github.com/latchkey-cam/latchkey/export"
)

// TestParseVault: what is not one account's throughout, or cannot be opened here, is refused.
func TestParseVault(t *testing.T) {
	id := latchkey.AccountID{1}
	of := func(id latchkey.AccountID) []byte {
		return account.Vault{Account: id, Number: 1, Sealed: make([]byte, 40)}.Bytes()
	}
	phrase := export.Vault{
		V: 1, Account: id, Email: "me@example.org", Unlocker: latchkey.UnlockerID{2}, Kind: account.Passphrase,
		Params: account.NewStretch([16]byte{3}).Bytes(), Wrapped: make([]byte, account.WrappedSize), Verifier: make([]byte, 32), Vault: of(id),
	}
	code := phrase
	code.Email, code.Kind, code.Params = "", account.RecoveryCode, make([]byte, 16)
	parses := func(v export.Vault, more string) bool {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		_, err = attic.ParseVault(append(b, more...))
		return err == nil
	}
	if !parses(phrase, "") || !parses(code, "") {
		t.Fatal("a passphrase's and a recovery code's are refused")
	}
	for what, change := range map[string]func(v *export.Vault){
		"a later version":               func(v *export.Vault) { v.V = 2 },
		"half a verifier":               func(v *export.Vault) { v.Verifier = v.Verifier[:16] },
		"a passkey's":                   func(v *export.Vault) { v.Kind = account.Passkey },
		"half a wrapped key":            func(v *export.Vault) { v.Wrapped = v.Wrapped[1:] },
		"another's vault":               func(v *export.Vault) { v.Vault = of(latchkey.AccountID{4}) },
		"nobody's, and no vault":        func(v *export.Vault) { v.Account, v.Vault = latchkey.AccountID{}, []byte{1} },
		"a passphrase without its name": func(v *export.Vault) { v.Email = "" },
	} {
		v := phrase
		if change(&v); parses(v, "") {
			t.Errorf("%s is taken", what)
		}
	}
	if parses(phrase, strings.Repeat(" ", 2*account.MaxVault)) {
		t.Error("what is too long is taken")
	}
}

// FuzzParseVault: what an export may have written is one account's throughout, and is
// read as it was written.
func FuzzParseVault(f *testing.F) {
	id := latchkey.AccountID{1}
	sealed := account.Vault{Account: id, Number: 1, Sealed: make([]byte, 40)}
	verifier := account.Verifier(nil)
	v := export.Vault{
		V: 1, Account: id, Email: "me@example.org", Unlocker: latchkey.UnlockerID{2}, Kind: account.Passphrase,
		Params: account.NewStretch([16]byte{3}).Bytes(), Wrapped: make([]byte, account.WrappedSize), Verifier: verifier[:], Vault: sealed.Bytes(),
	}
	add := func() {
		b, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	add()
	v.Email, v.Kind, v.Params = "", account.RecoveryCode, make([]byte, 16)
	add()
	v.Account = latchkey.AccountID{4} // and the vault is another's
	add()
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := attic.ParseVault(b)
		if err != nil {
			return
		}
		is, err := account.ParseVault(v.Bytes)
		if err != nil || is.Account != v.Account || v.Unlocker.Account != v.Account || v.Unlocker.Check() != nil || len(v.Unlocker.Verifier) != 32 {
			t.Errorf("%+v", v)
		}
	})
}
