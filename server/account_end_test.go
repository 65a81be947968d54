package server_test

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/server"
)

// ask is a request of the account's own session.
func (p *somebody) ask(method, path string) raw {
	key := p.session.MACKey()
	return raw{method: method, path: "/v1/accounts/" + p.id.String() + path, header: http.Header{"Cookie": {p.session.Cookie()}, "Origin": {p.house.origin}}, mac: &key}
}

// TestDeleteAccount: from the answer on no session of the account is one, also over a
// connection that is open; nothing signs in to it, and the ID is never an account again.
// The address is, and has nothing of the former. Nobody else's account has changed, nor
// have homes.
func TestDeleteAccount(t *testing.T) {
	h := named(t)
	m := h.found(t)
	p, other := h.signUp(t, "ada@example.org"), h.signUp(t, "bob@example.org")
	k := h.passkey(t)
	if err := p.session.AddUnlocker(t.Context(), k.unlocker(p, k.make(must(p.session.BeginUnlocker(t.Context()))))); err != nil {
		t.Fatal(err)
	}
	open := must(h.client.SignInAccount(t.Context(), p.byPhrase(), nil))
	reused := false
	watched := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }})
	must(open.Look(watched))
	replayed := p.form(must(h.MintSetup(t.Context())))

	answer, text := h.do(t, p.ask("DELETE", ""))
	set := answer.Cookies()
	if answer.StatusCode != 200 || len(set) != 1 || set[0].Name != api.AccountCookie || set[0].MaxAge >= 0 {
		t.Fatalf("%d %s, cookies %v", answer.StatusCode, text, set)
	}
	_, err := open.Look(watched)
	refused(t, "another session", err, api.AccountEnded)
	if t.Failed() {
		return // a session goes on, and what follows is about an account without one
	}
	if !reused {
		t.Error("the other session asked over another connection")
	}
	_, err = p.session.Delete(t.Context())
	refused(t, "deleting it twice", err, api.AccountEnded)
	_, err = open.NewestVault(t.Context())
	refused(t, "its vault", err, api.AccountEnded)
	refused(t, "another vault", open.PutVault(t.Context(), p.vault.Bytes()), api.AccountEnded)
	for what, in := range map[string]api.SignInAccount{
		"passphrase": p.byPhrase(), "recovery code": p.byCode(), "passkey": {Assertion: k.sign(must(h.client.PasskeyOptions(t.Context())))},
	} {
		_, err := h.client.SignInAccount(t.Context(), in, nil)
		refused(t, "signing in by "+what, err, api.SignInRefused)
	}
	if end := must(h.archive.AccountEnd(t.Context(), p.id)); end.Time != latchkey.TimeOf(h.time()) {
		t.Errorf("it ended at %v, want %v", end.Time, latchkey.TimeOf(h.time()))
	}
	if params := must(h.client.PassphraseParams(t.Context(), p.email)); string(params) == string(p.phrase.Params) {
		t.Error("the parameters of its passphrase are there still")
	}
	_, err = h.client.SignUp(t.Context(), replayed)
	refused(t, "signing up as before, once more", err, api.Conflict)

	again := h.signUp(t, p.email)
	is := must(again.session.Look(t.Context()))
	if is.Account == p.id || is.Vault != 1 || len(is.Unlockers) != 2 || len(must(again.session.Sessions(t.Context()))) != 1 {
		t.Errorf("with the same address again: %+v", is)
	}
	if got := must(again.session.NewestVault(t.Context())); !slices.Equal(got, again.vault.Bytes()) {
		t.Error("the new account has another vault than its own")
	}
	must(other.session.Look(t.Context()))
	other.signIn(other.byPhrase())
	if _, _, err := m.member.Deeds(t.Context(), 0); err != nil {
		t.Errorf("a session of a home: %v", err)
	}
}

// halfway is an archive in which an account ends between two steps of a sign-in.
type halfway struct {
	ends archive.AccountEnds
	theUnlockers
	archive.AccountSessions
	used, started bool // it ends once the unlocker is used, or just before the session starts
}

func (w *halfway) end(ctx context.Context, id latchkey.AccountID) error {
	return w.ends.EndAccount(ctx, archive.AccountEnd{Account: id})
}

func (w *halfway) UseUnlocker(ctx context.Context, u archive.Unlocker, verifier []byte, at latchkey.Time) error {
	err := w.theUnlockers.UseUnlocker(ctx, u, verifier, at)
	if w.used && err == nil {
		err = w.end(ctx, u.Account)
	}
	return err
}

func (w *halfway) StartAccountSession(ctx context.Context, n archive.AccountSession) error {
	if w.started {
		if err := w.end(ctx, n.Account); err != nil {
			return err
		}
	}
	return w.AccountSessions.StartAccountSession(ctx, n)
}

// TestDeletedWhileSigningIn: whoever signs in while the account is deleted is refused like
// anybody, and no session is left.
func TestDeletedWhileSigningIn(t *testing.T) {
	w := &halfway{}
	h := openHouse(t, func(c *server.Config) {
		w.ends, w.theUnlockers, w.AccountSessions = c.Archive.AccountEnds, c.Archive.Unlockers, c.Archive.AccountSessions
		c.Archive.Unlockers, c.Archive.AccountSessions = w, w
	})
	for _, step := range []*bool{&w.used, &w.started} {
		p := h.signUp(t, "ada@example.org")
		*step = true
		_, err := h.client.SignInAccount(t.Context(), p.byPhrase(), nil)
		refused(t, "signing in to what is being deleted", err, api.SignInRefused)
		*step = false
		if all := must(w.AccountSessions.AccountSessionsOf(t.Context(), p.id)); len(all) > 0 {
			t.Errorf("left are the sessions %v", all)
		}
	}
}

// TestDeletedAccountAndRestore: a backup from before has the account, and its person alone
// can open it; with the proof that the browser was given it is gone again. A backup from
// afterwards does not have it.
func TestDeletedAccountAndRestore(t *testing.T) {
	data := t.TempDir()
	l, h := run(t, data)
	at := func(l *server.Local, h *house, email string) *somebody {
		ticket := must(l.MintSetup(t.Context()))
		p := h.prepare(t, email, must(h.client.BeginAccount(t.Context(), ticket, email)).Account)
		p.session = must(h.client.SignUp(t.Context(), p.form(ticket)))
		return p
	}
	p, other := at(l, h, "ada@example.org"), at(l, h, "bob@example.org")
	before, after := t.TempDir()+"/before", t.TempDir()+"/after"
	backUp(t, data, before)
	end := must(p.session.Delete(t.Context()))
	backUp(t, data, after)

	_, h = run(t, restore(t, before))
	back := must(h.client.SignInAccount(t.Context(), p.byPhrase(), nil))
	refused(t, "an end of nobody's making", h.client.EndAgain(t.Context(), api.AccountEnd{Account: p.id, End: make([]byte, 32)}), api.SignInRefused)
	refused(t, "no end", h.client.EndAgain(t.Context(), api.AccountEnd{Account: p.id, End: []byte{}}), api.SignInRefused)
	refused(t, "another account's", h.client.EndAgain(t.Context(), api.AccountEnd{Account: other.id, End: end.End}), api.SignInRefused)
	if t.Failed() {
		return // what was let through has ended accounts
	}
	must(back.Look(t.Context()))
	for range 2 { // the answer may have been lost
		if err := h.client.EndAgain(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	_, err := back.Look(t.Context())
	refused(t, "its session", err, api.AccountEnded)
	must(h.client.SignInAccount(t.Context(), other.byPhrase(), nil))

	_, h = run(t, restore(t, after))
	_, err = h.client.SignInAccount(t.Context(), p.byPhrase(), nil)
	refused(t, "signing in after another restore", err, api.SignInRefused)
	_, err = p.session.Look(t.Context())
	refused(t, "a session from before", err, api.AccountEnded)
	must(h.client.SignInAccount(t.Context(), other.byPhrase(), nil))
}

// TestMailOfADeletedAccount: whoever has the address is told, in case that it was somebody
// else in their browser, and with nothing in it that opens or undoes anything.
func TestMailOfADeletedAccount(t *testing.T) {
	h, post := mailing(t)
	p := h.signUpByMail(t, post, "ada@example.org")
	must(p.session.Delete(t.Context()))
	all := post.Mails()
	m := all[len(all)-1]
	if m.To != p.email || !strings.Contains(m.Text, "has deleted it") || eightDigits.MatchString(m.Text) || strings.Contains(m.Raw, "http") || strings.Contains(m.Raw, p.id.String()) {
		t.Errorf("the last mail: %s", m.Raw)
	}
}

// TestDeletedAccountOutlivesTheMailServer: mail that cannot be sent keeps nothing.
func TestDeletedAccountOutlivesTheMailServer(t *testing.T) {
	h, post := mailing(t)
	p := h.signUpByMail(t, post, "ada@example.org")
	post.Break(true)
	must(p.session.Delete(t.Context()))
	_, err := p.session.Look(t.Context())
	refused(t, "the account", err, api.AccountEnded)
	if len(h.logs.lines(t, "notice of a deleted account")) != 1 {
		t.Error("nobody is told that no mail went out")
	}
}
