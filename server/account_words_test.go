package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/server"
	"github.com/latchkey-cam/latchkey/vault"
)

// TestOneWayAtATime: whoever signs in in two ways at once, or in half of one, is told how
// it is done.
func TestOneWayAtATime(t *testing.T) {
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	phrase, code := p.byPhrase(), p.byCode()
	for what, in := range map[string]api.SignInAccount{
		"nothing":                          {},
		"a passkey and an address":         {Assertion: "x", Email: p.email},
		"a passkey and a proof":            {Assertion: "x", Auth: phrase.Auth},
		"a passkey and a code":             {Assertion: "x", Code: "123456"},
		"a passkey and a locator":          {Assertion: "x", Locator: code.Locator},
		"a proof of nothing":               {Auth: phrase.Auth},
		"a short proof":                    {Email: p.email, Auth: phrase.Auth[1:]},
		"a passphrase and a passkey":       {Email: p.email, Auth: phrase.Auth, Assertion: "x"},
		"a passphrase and a locator":       {Email: p.email, Auth: phrase.Auth, Locator: code.Locator},
		"a short locator":                  {Locator: code.Locator[1:], Auth: code.Auth},
		"a locator with a short proof":     {Locator: code.Locator, Auth: code.Auth[1:]},
		"a recovery code and a passkey":    {Locator: code.Locator, Auth: code.Auth, Assertion: "x"},
		"a recovery code and an address":   {Locator: code.Locator, Auth: code.Auth, Email: p.email},
		"a recovery code and an app's one": {Locator: code.Locator, Auth: code.Auth, Code: "123456"},
	} {
		_, err := h.client.SignInAccount(t.Context(), in, nil)
		if e, ok := errors.AsType[*api.Error](err); !ok || e.Status != 400 || !strings.Contains(e.Refusal.Error.Message, "One signs in with") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestNoAddresses: what is no address is refused wherever one is wanted.
func TestNoAddresses(t *testing.T) {
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	_, params := h.client.PassphraseParams(t.Context(), "ada")
	_, begin := h.client.BeginAccount(t.Context(), must(h.MintSetup(t.Context())), "ada")
	in := p.byPhrase()
	in.Email = "ada"
	_, sign := h.client.SignInAccount(t.Context(), in, nil)
	for what, err := range map[string]error{"parameters": params, "begin": begin, "sign in": sign, "confirm": p.session.ConfirmEmail(t.Context(), "ada", "12345678")} {
		refused(t, what, err, api.Malformed)
	}
}

// TestGuessingInOtherWays: five tries of a recovery code, and of an app's code by
// somebody who is signed in, as of a passphrase.
func TestGuessingInOtherWays(t *testing.T) {
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	wrong := p.byCode()
	empty := vault.NewKey()
	wrong.Auth = empty[:]
	for range 5 {
		_, err := h.client.SignInAccount(t.Context(), wrong, nil)
		refused(t, "a wrong recovery code", err, api.SignInRefused)
	}
	_, err := h.client.SignInAccount(t.Context(), p.byCode(), nil)
	refused(t, "the right one after five", err, api.SignInRefused)

	secret := p.codes()
	for range 5 {
		refused(t, "no code of the app", p.session.ProveCode(t.Context(), ""), api.SignInRefused)
	}
	h.pass(30 * time.Second)
	refused(t, "the right one after five", p.session.ProveCode(t.Context(), appCode(t, secret, h.time())), api.SignInRefused)
}

// early is an archive in which somebody else has been a moment earlier.
type early struct {
	archive.Codes
	theUnlockers
	used, changed atomic.Bool
}

func (e *early) UseCode(ctx context.Context, id latchkey.AccountID, step uint64) error {
	if e.used.Load() {
		return archive.ErrUsed
	}
	return e.Codes.UseCode(ctx, id, step)
}

func (e *early) UseUnlocker(ctx context.Context, u archive.Unlocker, verifier []byte, at latchkey.Time) error {
	if e.changed.Load() {
		return archive.ErrConflict
	}
	return e.theUnlockers.UseUnlocker(ctx, u, verifier, at)
}

// TestSomebodyWasEarlier: a code that another uses at the same moment, and a passphrase
// that is replaced then, are refused like wrong ones.
func TestSomebodyWasEarlier(t *testing.T) {
	e := &early{}
	h := openHouse(t, func(c *server.Config) {
		e.Codes, e.theUnlockers = c.Archive.Codes, c.Archive.Unlockers
		c.Archive.Codes, c.Archive.Unlockers = e, e
	})
	p := h.signUp(t, "ada@example.org")
	e.changed.Store(true)
	_, err := h.client.SignInAccount(t.Context(), p.byPhrase(), nil)
	refused(t, "a passphrase that is replaced", err, api.SignInRefused)
	e.changed.Store(false)
	secret := p.codes()
	h.pass(30 * time.Second)
	e.used.Store(true)
	in := p.byPhrase()
	in.Code = appCode(t, secret, h.time())
	_, err = h.client.SignInAccount(t.Context(), in, nil)
	refused(t, "a code that is used", err, api.SignInRefused)
}

// rotten are vaults that do not parse.
type rotten struct{ archive.Vaults }

func (r rotten) Vault(ctx context.Context, id latchkey.AccountID) (archive.Vault, error) {
	v, err := r.Vaults.Vault(ctx, id)
	v.Bytes = v.Bytes[:min(10, len(v.Bytes))]
	return v, err
}

// TestDamagedVault: what is kept in the place of a vault is not handed out, and the
// operator is told.
func TestDamagedVault(t *testing.T) {
	h := openHouse(t, func(c *server.Config) { c.Archive.Vaults = rotten{c.Archive.Vaults} })
	p := h.signUp(t, "ada@example.org")
	_, err := p.session.NewestVault(t.Context())
	refused(t, "a damaged vault", err, api.Corrupt)
	_, err = h.client.SignInAccount(t.Context(), p.byPhrase(), nil)
	refused(t, "signing in to one", err, api.Corrupt)
	if n := h.metric(t, "latchkey_corrupt_total"); n != 2 {
		t.Errorf("%v are counted", n)
	}
}

// TestWhatIsNotedOfAnAccount: when it was made, when what opens it was added, and of its
// sessions the browser, when they began, and to the minute when they were used.
func TestWhatIsNotedOfAnAccount(t *testing.T) {
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	began := latchkey.TimeOf(h.time())
	if is := must(h.archive.AccountOf(t.Context(), account.Address(p.email))); is.Created != began {
		t.Errorf("made at %v, want %v", is.Created, began)
	}
	for _, u := range must(p.session.Look(t.Context())).Unlockers {
		if u.Added != began {
			t.Errorf("a %s was added at %v, want %v", u.Kind, u.Added, began)
		}
	}
	in, key := p.byPhrase(), api.NewMACKey()
	in.MACKey = key[:]
	header := http.Header{"Origin": {h.origin}, "User-Agent": {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}}
	answer, text := h.do(t, raw{method: "POST", path: "/v1/accounts/sessions", header: header, body: string(must(json.Marshal(in)))})
	if answer.StatusCode != 201 {
		t.Fatal(text)
	}
	for i, tt := range []struct {
		pass time.Duration
		seen latchkey.Time
	}{
		{0, began}, {59 * time.Second, began}, {time.Second, latchkey.TimeOf(h.time().Add(time.Minute))},
	} {
		h.pass(tt.pass)
		must(p.session.Look(t.Context()))
		for _, s := range must(p.session.Sessions(t.Context())) {
			if own := s.Session == p.session.Session; s.Started != began || own && s.Seen != tt.seen || !own && (s.Browser != "Firefox on Linux" || s.Seen != began) {
				t.Errorf("%d: session %+v, want it seen at %v", i, s, tt.seen)
			}
		}
	}
}

// TestCookieGoesWithItsSession: whoever ends the session that they have is given no cookie
// to keep; whoever ends another keeps their own.
func TestCookieGoesWithItsSession(t *testing.T) {
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	other := must(h.client.SignInAccount(t.Context(), p.byPhrase(), nil))
	key := p.session.MACKey()
	for _, tt := range []struct {
		session latchkey.SessionID
		cookies int
	}{{other.Session, 0}, {p.session.Session, 1}} {
		path := "/v1/accounts/" + p.id.String() + "/sessions/" + tt.session.String()
		answer, text := h.do(t, raw{method: "DELETE", path: path, header: http.Header{"Cookie": {p.session.Cookie()}, "Origin": {h.origin}}, mac: &key})
		if set := answer.Cookies(); answer.StatusCode != 200 || len(set) != tt.cookies || len(set) > 0 && set[0].MaxAge >= 0 {
			t.Errorf("%d %s, cookies %v", answer.StatusCode, text, set)
		}
	}
}

// TestForgottenMACOfAnAccount: a cookie of an account that comes without its page's MAC is
// counted each time, and written down sixty times a minute.
func TestForgottenMACOfAnAccount(t *testing.T) {
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	for range 100 {
		h.do(t, raw{method: "GET", path: "/v1/accounts/" + p.id.String(), header: http.Header{"Cookie": {p.session.Cookie()}}})
	}
	if n := h.metric(t, "latchkey_misroutes_total", "where=crossed-account", "confirmed=false"); n != 100 {
		t.Errorf("%v are counted, want 100", n)
	}
	if n := len(h.logs.lines(t, "misroute")); n != 60 {
		t.Errorf("%d lines of one session in a minute, want 60", n)
	}
}

// TestAccountsReadBoundedBodies: more than a message may have is refused as that, and a
// MAC key that is none as malformed.
func TestAccountsReadBoundedBodies(t *testing.T) {
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	key := p.session.MACKey()
	header := http.Header{"Cookie": {p.session.Cookie()}, "Origin": {h.origin}}
	long := strings.Repeat(" ", 8<<20)
	answer, text := h.do(t, raw{method: "PUT", path: "/v1/accounts/" + p.id.String() + "/vault", header: header, mac: &key, body: long})
	if answer.StatusCode != 413 {
		t.Errorf("eight MiB: %d %s", answer.StatusCode, text)
	}
	in := p.byPhrase()
	in.MACKey = key[1:]
	answer, text = h.do(t, raw{method: "POST", path: "/v1/accounts/sessions", header: http.Header{"Origin": {h.origin}}, body: string(must(json.Marshal(in)))})
	if answer.StatusCode != 400 || !strings.Contains(text, `"reason":"malformed"`) {
		t.Errorf("a MAC key of 31 bytes: %d %s", answer.StatusCode, text)
	}
}

// TestSameAddressAgain: somebody who gives the address that they have is mailed a code, as
// at any other, and no notice of a change.
func TestSameAddressAgain(t *testing.T) {
	h, post := mailing(t)
	p := h.signUpByMail(t, post, "ada@example.org")
	for i := range 2 { // with the code of signing up that is as many as an hour has
		if _, err := p.session.ChangeEmail(t.Context(), p.email); err != nil {
			t.Fatal(err)
		}
		if code := codeTo(t, post, p.email); code == "" || len(post.Mails()) != 2+i {
			t.Errorf("%d mails, the newest has the code %q", len(post.Mails()), code)
		}
	}
}

// TestPasskeyWithAProof: a passkey is proven by what it signs alone.
func TestPasskeyWithAProof(t *testing.T) {
	h := named(t)
	p := h.signUp(t, "ada@example.org")
	k := h.passkey(t)
	u := k.unlocker(p, k.make(must(p.session.BeginUnlocker(t.Context()))))
	u.Auth = []byte("proof")
	refused(t, "a passkey with a proof of another kind", p.session.AddUnlocker(t.Context(), u), api.Malformed)
}
