package archivetest

import (
	"crypto/sha256"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// newUnlocker is an unlocker of an account, as far as an archive looks into it.
func newUnlocker(id latchkey.AccountID, kind account.Kind, params string, added latchkey.Time) archive.Unlocker {
	return archive.Unlocker{
		Unlocker: account.Unlocker{Account: id, ID: latchkey.NewUnlockerID(), Kind: kind, Params: []byte(params), Wrapped: []byte("wrapped " + params)},
		Verifier: []byte("verifier " + params), Added: Now + added,
	}
}

// signUp makes an account with a passphrase and a recovery code.
func signUp(t *testing.T, s Subject, address string) (archive.Account, []archive.Unlocker, archive.Vault) {
	t.Helper()
	a := archive.Account{ID: latchkey.NewAccountID(), Address: account.Address(address), Verified: true, Created: Now, Code: []byte{}}
	unlockers := []archive.Unlocker{
		newUnlocker(a.ID, account.Passphrase, address, 1),
		newUnlocker(a.ID, account.RecoveryCode, address+"                ", 2),
	}
	unlockers[1].Params = unlockers[1].Params[:16]
	v := archive.Vault{Account: a.ID, Bytes: []byte("vault of " + address)}
	must(t, s.Accounts.SignUp(t.Context(), a, unlockers, v))
	return a, unlockers, v
}

func accounts(t *testing.T, s Subject) {
	a, unlockers, v := signUp(t, s, "ada@example.org")
	b, _, _ := signUp(t, s, "bob@example.org")
	again := a
	again.Address = "eve@example.org"
	want(t, "an account of the same ID", s.Accounts.SignUp(t.Context(), again, nil, v), archive.ErrConflict)
	again.ID, again.Address = latchkey.NewAccountID(), a.Address
	want(t, "an account of the same address", s.Accounts.SignUp(t.Context(), again, nil, v), archive.ErrTaken)
	again.Address = "eve@example.org"
	stolen := unlockers[1]
	stolen.Account = again.ID
	want(t, "an account with another's locator", s.Accounts.SignUp(t.Context(), again, []archive.Unlocker{stolen}, v), archive.ErrConflict)
	_, err := s.Accounts.Account(t.Context(), again.ID)
	want(t, "an account that was refused", err, archive.ErrNotFound)

	read := func(a archive.Account) {
		t.Helper()
		byID, err := s.Accounts.Account(t.Context(), a.ID)
		if d := cmp.Diff(a, byID); d != "" || err != nil {
			t.Errorf("account (-want +got), %v:\n%s", err, d)
		}
		byAddress, err := s.Accounts.AccountOf(t.Context(), a.Address)
		if d := cmp.Diff(a, byAddress); d != "" || err != nil {
			t.Errorf("account by address (-want +got), %v:\n%s", err, d)
		}
	}
	read(a)
	_, err = s.Accounts.AccountOf(t.Context(), "Ada@example.org")
	want(t, "another spelling", err, archive.ErrNotFound)
	want(t, "an address that is another's", s.Accounts.SetAddress(t.Context(), a.ID, b.Address, true), archive.ErrTaken)
	want(t, "an address for nobody", s.Accounts.SetAddress(t.Context(), latchkey.NewAccountID(), "x@example.org", true), archive.ErrNotFound)
	read(a)
	for range 2 {
		must(t, s.Accounts.SetAddress(t.Context(), a.ID, "ada@example.com", false))
	}
	_, err = s.Accounts.AccountOf(t.Context(), a.Address)
	want(t, "the address from before", err, archive.ErrNotFound)
	a.Address, a.Verified = "ada@example.com", false
	read(a)
	read(b)

	key, err := s.Accounts.AccountsKey(t.Context(), [32]byte{1})
	must(t, err)
	if same, err := s.Accounts.AccountsKey(t.Context(), [32]byte{2}); same != key || key != [32]byte{1} || err != nil {
		t.Errorf("the accounts' key is %x, then %x, %v", key, same, err)
	}
}

func codes(t *testing.T, s Subject) {
	a, _, _ := signUp(t, s, "ada@example.org")
	b, _, _ := signUp(t, s, "bob@example.org")
	state := func(code string, on bool, step uint64) {
		t.Helper()
		got, err := s.Accounts.Account(t.Context(), a.ID)
		if string(got.Code) != code || got.Codes != on || got.Step != step || err != nil {
			t.Errorf("codes %q, %v, %d, %v", got.Code, got.Codes, got.Step, err)
		}
	}
	want(t, "a code without a secret", s.Codes.UseCode(t.Context(), a.ID, 5), archive.ErrUsed)
	want(t, "a secret for nobody", s.Codes.SetCode(t.Context(), latchkey.NewAccountID(), []byte("s")), archive.ErrNotFound)
	must(t, s.Codes.SetCode(t.Context(), a.ID, []byte("secret")))
	state("secret", false, 0)
	must(t, s.Codes.UseCode(t.Context(), a.ID, 5))
	state("secret", true, 5)
	want(t, "a code again", s.Codes.UseCode(t.Context(), a.ID, 5), archive.ErrUsed)
	want(t, "an older code", s.Codes.UseCode(t.Context(), a.ID, 4), archive.ErrUsed)
	must(t, s.Codes.UseCode(t.Context(), a.ID, 6))
	must(t, s.Codes.SetCode(t.Context(), a.ID, []byte("other")))
	state("other", false, 0)
	must(t, s.Codes.SetCode(t.Context(), a.ID, nil))
	state("", false, 0)
	if got, err := s.Accounts.Account(t.Context(), b.ID); !cmp.Equal(got, b) || err != nil {
		t.Errorf("the other account is %v, %v", got, err)
	}
}

func unlockers(t *testing.T, s Subject) {
	a, all, _ := signUp(t, s, "ada@example.org")
	b, others, _ := signUp(t, s, "bob@example.org")
	list := func(id latchkey.AccountID, want ...archive.Unlocker) {
		t.Helper()
		got, err := s.Unlockers.Unlockers(t.Context(), id)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("unlockers (-want +got), %v:\n%s", err, d)
		}
	}
	list(a.ID, all...)
	list(latchkey.NewAccountID())
	found, err := s.Unlockers.Located(t.Context(), account.Locator(all[1].Params))
	if d := cmp.Diff(all[1], found); d != "" || err != nil {
		t.Errorf("located (-want +got), %v:\n%s", err, d)
	}
	_, err = s.Unlockers.Located(t.Context(), account.Locator{9})
	want(t, "a locator of nobody", err, archive.ErrNotFound)

	key := newUnlocker(a.ID, account.Passkey, "key", 3)
	for range 2 {
		must(t, s.Unlockers.PutUnlocker(t.Context(), key))
	}
	list(a.ID, all[0], all[1], key)
	changed := key
	changed.Wrapped = []byte("other")
	want(t, "another under the same ID", s.Unlockers.PutUnlocker(t.Context(), changed), archive.ErrConflict)
	located := newUnlocker(a.ID, account.RecoveryCode, string(others[1].Params), 4)
	want(t, "another account's locator", s.Unlockers.PutUnlocker(t.Context(), located), archive.ErrConflict)
	want(t, "an unlocker of nobody", s.Unlockers.PutUnlocker(t.Context(), newUnlocker(latchkey.NewAccountID(), account.Passkey, "x", 0)), archive.ErrNotFound)
	phrase := newUnlocker(a.ID, account.Passphrase, "new", 5)
	must(t, s.Unlockers.PutUnlocker(t.Context(), phrase))
	list(a.ID, all[1], key, phrase)

	must(t, s.Unlockers.UseUnlocker(t.Context(), key, []byte("next"), Now+9))
	want(t, "used by what was before", s.Unlockers.UseUnlocker(t.Context(), key, []byte("late"), Now+10), archive.ErrConflict)
	key.Verifier, key.Used = []byte("next"), Now+9
	list(a.ID, all[1], key, phrase)

	drop := func(u archive.Unlocker) error { return s.Unlockers.DropUnlocker(t.Context(), u.Account, u.ID) }
	want(t, "what is not there", drop(all[0]), archive.ErrNotFound)
	foreign := others[0]
	foreign.Account = a.ID
	want(t, "another account's", drop(foreign), archive.ErrNotFound)
	want(t, "one of three", drop(all[1]), nil)
	want(t, "the last that is no passkey", drop(phrase), archive.ErrTooFew)
	want(t, "one of the last two", drop(key), archive.ErrTooFew)
	list(a.ID, key, phrase)
	want(t, "used after it went", s.Unlockers.UseUnlocker(t.Context(), all[1], nil, Now), archive.ErrConflict)
	for i := range account.MaxUnlockers - 2 {
		must(t, s.Unlockers.PutUnlocker(t.Context(), newUnlocker(a.ID, account.Passkey, "more", latchkey.Time(20+i))))
	}
	want(t, "one too many", s.Unlockers.PutUnlocker(t.Context(), newUnlocker(a.ID, account.Passkey, "more", 90)), archive.ErrTooMany)
	must(t, s.Unlockers.PutUnlocker(t.Context(), newUnlocker(a.ID, account.Passphrase, "newer", 91)))
	list(b.ID, others...)
}

func vaults(t *testing.T, s Subject) {
	a, _, v := signUp(t, s, "ada@example.org")
	_, _, other := signUp(t, s, "bob@example.org")
	read := func(want archive.Vault) {
		t.Helper()
		got, err := s.Vaults.Vault(t.Context(), want.Account)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("vault (-want +got), %v:\n%s", err, d)
		}
	}
	read(v)
	prev := sha256.Sum256(v.Bytes)
	next := archive.Vault{Account: a.ID, Bytes: []byte("next")}
	for range 2 {
		must(t, s.Vaults.PutVault(t.Context(), prev, next))
	}
	read(next)
	want(t, "after one that was replaced", s.Vaults.PutVault(t.Context(), prev, archive.Vault{Account: a.ID, Bytes: []byte("beside")}), archive.ErrConflict)
	want(t, "of nobody", s.Vaults.PutVault(t.Context(), prev, archive.Vault{Account: latchkey.NewAccountID(), Bytes: []byte("x")}), archive.ErrNotFound)
	_, err := s.Vaults.Vault(t.Context(), latchkey.NewAccountID())
	want(t, "the vault of nobody", err, archive.ErrNotFound)
	read(next)
	read(other)
}

func accountSessions(t *testing.T, s Subject) {
	ada, _, _ := signUp(t, s, "ada@example.org")
	bob, _, _ := signUp(t, s, "bob@example.org")
	a, b := ada.ID, bob.ID
	start := func(id latchkey.AccountID, name string, after latchkey.Time) archive.AccountSession {
		t.Helper()
		n := archive.AccountSession{
			Account: id, ID: latchkey.NewSessionID(), Secret: secret(name), Key: api.NewMACKey(), Browser: "Chromium on Linux",
			Started: Now + after, Seen: Now + after, Expires: Now + 1000 + after,
		}
		must(t, s.AccountSessions.StartAccountSession(t.Context(), n))
		return n
	}
	list := func(id latchkey.AccountID, want ...archive.AccountSession) {
		t.Helper()
		got, err := s.AccountSessions.AccountSessionsOf(t.Context(), id)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("sessions (-want +got), %v:\n%s", err, d)
		}
	}
	one, two, other := start(a, "one", 1), start(a, "two", 2), start(b, "one", 3)
	got, err := s.AccountSessions.AccountSession(t.Context(), a, secret("one"))
	if d := cmp.Diff(one, got); d != "" || err != nil {
		t.Errorf("session (-want +got), %v:\n%s", err, d)
	}
	_, err = s.AccountSessions.AccountSession(t.Context(), b, secret("two"))
	want(t, "the secret at another account", err, archive.ErrNotFound)
	must(t, s.AccountSessions.SeeAccountSession(t.Context(), a, one.ID, Now+50))
	must(t, s.AccountSessions.SeeAccountSession(t.Context(), a, one.ID, Now+40))
	must(t, s.AccountSessions.SeeAccountSession(t.Context(), b, two.ID, Now+40))
	one.Seen = Now + 50
	list(a, one, two)
	must(t, s.AccountSessions.EndAccountSession(t.Context(), b, two.ID))
	list(a, one, two)
	must(t, s.AccountSessions.EndAccountSession(t.Context(), a, two.ID))
	list(a, one)
	must(t, s.Receipts.Sweep(t.Context(), one.Expires+1, 0))
	list(a)
	list(b, other)
	kept := []archive.AccountSession{other}
	for i := range archive.MaxAccountSessions {
		kept = append(kept, start(b, "more"+string(rune('a'+i)), latchkey.Time(10+i)))
	}
	list(b, kept[1:]...)
	nobody := other
	nobody.Account = latchkey.NewAccountID()
	want(t, "a session of nobody", s.AccountSessions.StartAccountSession(t.Context(), nobody), archive.ErrNotFound)
	must(t, s.Restores.Restored(t.Context(), Now))
	list(b)
}

func openSetup(t *testing.T, s Subject) {
	must(t, s.Setups.MintSetup(t.Context(), secret("s"), Now+10))
	for range 2 {
		is, err := s.Setups.OpenSetup(t.Context(), secret("s"), Now+10)
		if is != secret("s") || err != nil {
			t.Errorf("an open set-up secret: %x, %v", is, err)
		}
	}
	_, err := s.Setups.OpenSetup(t.Context(), secret("x"), Now)
	want(t, "another secret", err, archive.ErrUsed)
	_, err = s.Setups.OpenSetup(t.Context(), secret("s"), Now+11)
	want(t, "one that ran out", err, archive.ErrUsed)
	c := chain{home: home(1)}
	must(t, s.Homes.Found(t.Context(), secret("s"), Now, c.grow("found", "epoch")))
	_, err = s.Setups.OpenSetup(t.Context(), secret("s"), Now)
	want(t, "one that founded a home", err, archive.ErrUsed)
}
