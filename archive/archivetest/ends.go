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

// endsAccounts: of an account that has ended nothing is left and nothing is taken, its ID
// is never an account again, and its address and locator are anybody's. Others keep theirs.
func endsAccounts(t *testing.T, s Subject) {
	a, all, v := signUp(t, s, "ada@example.org")
	b, others, kept := signUp(t, s, "bob@example.org")
	session := func(id latchkey.AccountID, name string) archive.AccountSession {
		return archive.AccountSession{Account: id, ID: latchkey.NewSessionID(), Secret: secret(name), Key: api.NewMACKey(), Started: Now, Seen: Now, Expires: Now + 1000}
	}
	mine, theirs := session(a.ID, "mine"), session(b.ID, "theirs")
	for _, n := range []archive.AccountSession{mine, session(a.ID, "another"), theirs} {
		must(t, s.AccountSessions.StartAccountSession(t.Context(), n))
	}
	must(t, s.Codes.SetCode(t.Context(), a.ID, []byte("secret")))
	must(t, s.Unlockers.PutUnlocker(t.Context(), newUnlocker(a.ID, account.Passkey, "key", 3)))
	_, err := s.AccountEnds.AccountEnd(t.Context(), a.ID)
	want(t, "the end of an account that goes on", err, archive.ErrNotFound)

	end := archive.AccountEnd{Account: a.ID, Time: Now + 5}
	must(t, s.AccountEnds.EndAccount(t.Context(), end))
	must(t, s.AccountEnds.EndAccount(t.Context(), archive.AccountEnd{Account: a.ID, Time: Now + 6})) // it ended when it ended
	if got, err := s.AccountEnds.AccountEnd(t.Context(), a.ID); got != end || err != nil {
		t.Errorf("the end is %v, %v", got, err)
	}
	endedIs(t, s, a, all, v, mine)

	nobody := archive.AccountEnd{Account: latchkey.NewAccountID(), Time: Now}
	must(t, s.AccountEnds.EndAccount(t.Context(), nobody))
	other := archive.Account{ID: nobody.Account, Address: "eve@example.org", Created: Now, Code: []byte{}}
	want(t, "an account whose end came first", s.Accounts.SignUp(t.Context(), other, nil, archive.Vault{Account: other.ID}), archive.ErrConflict)

	again := a
	again.ID = latchkey.NewAccountID()
	located := all[1]
	located.Account = again.ID
	fresh := archive.Vault{Account: again.ID, Bytes: []byte("fresh")}
	must(t, s.Accounts.SignUp(t.Context(), again, []archive.Unlocker{located}, fresh))
	if got, err := s.Accounts.AccountOf(t.Context(), a.Address); !cmp.Equal(got, again) || err != nil {
		t.Errorf("the address has %v, %v", got, err)
	}
	if got, err := s.AccountSessions.AccountSessionsOf(t.Context(), again.ID); len(got) > 0 || err != nil {
		t.Errorf("the new account has sessions: %v, %v", got, err)
	}
	if got, err := s.Accounts.Account(t.Context(), b.ID); !cmp.Equal(got, b) || err != nil {
		t.Errorf("the other account is %v, %v", got, err)
	}
	if got, err := s.Unlockers.Unlockers(t.Context(), b.ID); !cmp.Equal(got, others) || err != nil {
		t.Errorf("the other's unlockers are %v, %v", got, err)
	}
	if got, err := s.Vaults.Vault(t.Context(), b.ID); !cmp.Equal(got, kept) || err != nil {
		t.Errorf("the other's vault is %v, %v", got, err)
	}
	if got, err := s.AccountSessions.AccountSessionsOf(t.Context(), b.ID); !cmp.Equal(got, []archive.AccountSession{theirs}) || err != nil {
		t.Errorf("the other's sessions are %v, %v", got, err)
	}
}

// endedIs wants that nothing of an account is found, and that nothing of it is taken.
func endedIs(t *testing.T, s Subject, a archive.Account, all []archive.Unlocker, v archive.Vault, n archive.AccountSession) {
	t.Helper()
	ctx := t.Context()
	_, err := s.Accounts.Account(ctx, a.ID)
	want(t, "the account", err, archive.ErrNotFound)
	_, err = s.Accounts.AccountOf(ctx, a.Address)
	want(t, "its address", err, archive.ErrNotFound)
	_, err = s.Vaults.Vault(ctx, a.ID)
	want(t, "its vault", err, archive.ErrNotFound)
	_, err = s.Unlockers.Located(ctx, account.Locator(all[1].Params))
	want(t, "its recovery code", err, archive.ErrNotFound)
	_, err = s.AccountSessions.AccountSession(ctx, a.ID, n.Secret)
	want(t, "its session", err, archive.ErrNotFound)
	sessions, err := s.AccountSessions.AccountSessionsOf(ctx, a.ID)
	must(t, err)
	unlockers, err := s.Unlockers.Unlockers(ctx, a.ID)
	if len(sessions) > 0 || len(unlockers) > 0 || err != nil {
		t.Errorf("left are %v and %v, %v", sessions, unlockers, err)
	}

	want(t, "the same account", s.Accounts.SignUp(ctx, a, all, v), archive.ErrConflict)
	want(t, "a vault after it", s.Vaults.PutVault(ctx, sha256.Sum256(v.Bytes), archive.Vault{Account: a.ID, Bytes: []byte("next")}), archive.ErrNotFound)
	want(t, "an unlocker", s.Unlockers.PutUnlocker(ctx, newUnlocker(a.ID, account.Passkey, "late", 9)), archive.ErrNotFound)
	want(t, "the use of one", s.Unlockers.UseUnlocker(ctx, all[0], nil, Now), archive.ErrConflict)
	want(t, "removing one", s.Unlockers.DropUnlocker(ctx, a.ID, all[0].ID), archive.ErrNotFound)
	want(t, "a code", s.Codes.SetCode(ctx, a.ID, []byte("late")), archive.ErrNotFound)
	want(t, "another address", s.Accounts.SetAddress(ctx, a.ID, "late@example.org", true), archive.ErrNotFound)
	n.ID, n.Secret = latchkey.NewSessionID(), secret("late")
	want(t, "a session", s.AccountSessions.StartAccountSession(ctx, n), archive.ErrNotFound)
}
