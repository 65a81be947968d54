package attic_test

import (
	"encoding/json"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/attic"
	"github.com/latchkey-cam/latchkey/export"
)

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
