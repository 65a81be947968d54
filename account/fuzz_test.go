package account_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/vault"
)

// seeds gives f what add takes of every vector, and fails if that is little: seeds that
// are silently missing are worse than none.
func seeds(f *testing.F, least int, add func(v vector) bool) {
	f.Helper()
	all, _ := readVectors(f)
	n := 0
	for _, v := range all {
		if len(v.Vault) < 8<<10 && add(v) {
			n++
		}
	}
	if n < least {
		f.Fatalf("%d vectors as seeds, want at least %d", n, least)
	}
}

// FuzzVault: what parses is written back as the same bytes, and nothing that is made
// up opens.
func FuzzVault(f *testing.F) {
	seeds(f, 20, func(v vector) bool {
		f.Add(v.Vault)
		return v.What == "vault"
	})
	key := vault.NewKey()
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := account.ParseVault(b)
		if err != nil {
			if account.ReasonOf(err) == "" {
				t.Fatalf("refused without a reason: %v", err)
			}
			return
		}
		if !bytes.Equal(v.Bytes(), b) {
			t.Fatal("a second spelling of a vault")
		}
		if _, _, err := vault.OpenVault(key, v.Account, b, nil); account.ReasonOf(err) != account.Unopened {
			t.Fatalf("opening says %v", err)
		}
	})
}

// FuzzUnlocker: parameters that are taken are written back as the same bytes, and a
// wrapped key that was made up does not open.
func FuzzUnlocker(f *testing.F) {
	seeds(f, 15, func(v vector) bool {
		f.Add(v.Kind, v.Params, v.Wrapped)
		return v.What == "unlocker"
	})
	kek := vault.NewKey()
	f.Fuzz(func(t *testing.T, kind uint8, params, wrapped []byte) {
		u := account.Unlocker{Kind: account.Kind(kind), Params: params, Wrapped: wrapped}
		if err := u.Check(); err != nil {
			if account.ReasonOf(err) == "" {
				t.Fatalf("refused without a reason: %v", err)
			}
			return
		}
		if u.Kind == account.Passphrase {
			if s, err := account.ParseStretch(params); err != nil || !bytes.Equal(s.Bytes(), params) {
				t.Fatalf("a second spelling of parameters, or %v", err)
			}
		}
		if _, err := vault.Unwrap(u, kek); account.ReasonOf(err) != account.Unwrapped {
			t.Fatalf("unwrapping says %v", err)
		}
	})
}

// FuzzRecoveryCode: whatever was typed, a code that is taken is written in one way, and
// that is read back as the same code.
func FuzzRecoveryCode(f *testing.F) {
	seeds(f, 10, func(v vector) bool {
		f.Add(v.Text)
		return v.What == "recovery"
	})
	f.Fuzz(func(t *testing.T, text string) {
		code, err := vault.ParseRecoveryCode(text)
		if err != nil {
			if account.ReasonOf(err) == "" {
				t.Fatalf("refused without a reason: %v", err)
			}
			return
		}
		if again, err := vault.ParseRecoveryCode(code.Text()); again != code || err != nil {
			t.Fatalf("%q is written as %q and read as another, %v", text, code.Text(), err)
		}
	})
}

// FuzzAddress: an address that is taken can do nothing in a mail's header, and is read
// back as itself.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"ada@example.org", "Ada@Example.org", "a@b\r\nBcc: c@d", "\"a b\"@c", "ſ@example.org"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := account.ParseAddress(s)
		if err != nil {
			return
		}
		if again, err := account.ParseAddress(string(a)); again != a || err != nil {
			t.Fatalf("%q is read as %q, then as %q, %v", s, a, again, err)
		}
		if strings.ContainsAny(string(a), " \t\r\n<>()[]\\,;:\"") || strings.Count(string(a), "@") != 1 {
			t.Fatalf("%q is taken as an address", a)
		}
	})
}
