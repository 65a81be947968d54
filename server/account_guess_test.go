package server_test

import (
	"encoding/base32"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/vault"
)

// appCode is what somebody's authenticator app shows.
func appCode(t *testing.T, secret account.CodeSecret, at time.Time) string {
	t.Helper()
	return must(secret.Code(at))
}

// codes turns codes on and returns what the app has.
func (p *somebody) codes() account.CodeSecret {
	p.t.Helper()
	given := must(p.session.BeginCodes(p.t.Context()))
	secret := account.CodeSecret(must(base32.StdEncoding.DecodeString(given.Secret)))
	if !strings.HasPrefix(given.URI, "otpauth://totp/Latchkey") || !strings.Contains(given.URI, given.Secret) {
		p.t.Errorf("the address of the secret is %s", given.URI)
	}
	if is := must(p.session.Look(p.t.Context())); is.Codes {
		p.t.Error("codes are asked for before the app has shown one")
	}
	if err := p.session.ProveCode(p.t.Context(), appCode(p.t, secret, p.house.time())); err != nil {
		p.t.Fatal(err)
	}
	return secret
}

func TestAppCodes(t *testing.T) {
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	refused(t, "a code without a secret", p.session.ProveCode(t.Context(), "123456"), api.SignInRefused)
	secret := p.codes()
	if is := must(p.session.Look(t.Context())); !is.Codes {
		t.Error("codes are not asked for")
	}
	sign := func(code string) error {
		in := p.byPhrase()
		in.Code = code
		_, err := h.client.SignInAccount(t.Context(), in, nil)
		return err
	}
	refused(t, "the code that was shown to begin", sign(appCode(t, secret, h.time())), api.SignInRefused)
	refused(t, "no code", sign(""), api.SignInRefused)
	h.pass(30 * time.Second)
	code := appCode(t, secret, h.time())
	if err := sign(code); err != nil {
		t.Fatal(err)
	}
	refused(t, "a code again", sign(code), api.SignInRefused)
	if _, err := h.client.SignInAccount(t.Context(), p.byCode(), nil); err != nil {
		t.Errorf("a recovery code needs none: %v", err)
	}
	_, err := p.session.BeginCodes(t.Context())
	refused(t, "another app without ending the first", err, api.Conflict)
	if err := p.session.EndCodes(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.signIn(p.byPhrase())
}

// TestOneRefusal: whatever is wrong, the answer is the same, byte by byte.
func TestOneRefusal(t *testing.T) {
	h := openHouse(t)
	p, coded := h.signUp(t, "ada@example.org"), h.signUp(t, "bob@example.org")
	secret := coded.codes()
	locked, empty := h.signUp(t, "eve@example.org"), vault.NewKey()
	for range 5 {
		in := locked.byPhrase()
		in.Auth = empty[:]
		_, _ = h.client.SignInAccount(t.Context(), in, nil)
	}
	wrong := func(in api.SignInAccount, change func(in *api.SignInAccount)) api.SignInAccount {
		change(&in)
		return in
	}
	h.pass(31 * time.Second)
	late := appCode(t, secret, h.time().Add(-2*time.Minute))
	answers := map[string]string{}
	for what, in := range map[string]api.SignInAccount{
		"an address of nobody":      wrong(p.byPhrase(), func(in *api.SignInAccount) { in.Email = "nobody@example.org" }),
		"a wrong passphrase":        wrong(p.byPhrase(), func(in *api.SignInAccount) { in.Auth = empty[:] }),
		"no code":                   coded.byPhrase(),
		"a late code":               wrong(coded.byPhrase(), func(in *api.SignInAccount) { in.Code = late }),
		"a wrong one with the code": wrong(coded.byPhrase(), func(in *api.SignInAccount) { in.Code, in.Auth = appCode(t, secret, h.time()), empty[:] }),
		"too many tries":            locked.byPhrase(),
		"a locator of nobody":       wrong(p.byCode(), func(in *api.SignInAccount) { in.Locator = empty[:16] }),
		"a wrong recovery code":     wrong(p.byCode(), func(in *api.SignInAccount) { in.Auth = empty[:] }),
	} {
		key := api.NewMACKey()
		in.MACKey = key[:]
		came := time.Now()
		answer, text := h.do(t, raw{method: "POST", path: "/v1/accounts/sessions", header: http.Header{"Origin": {h.origin}}, body: string(must(json.Marshal(in)))})
		if took := time.Since(came); took < 100*time.Millisecond {
			t.Errorf("%s is answered after %v", what, took)
		}
		answer.Header.Del("Date")
		answers[what] = fmt.Sprint(answer.StatusCode, " ", string(must(json.Marshal(answer.Header))), text)
	}
	want := answers["a wrong passphrase"]
	if !strings.HasPrefix(want, "403 ") || !strings.Contains(want, `"reason":"refused"`) {
		t.Fatalf("a wrong passphrase: %s", want)
	}
	for what, got := range answers {
		if got != want {
			t.Errorf("%s: %s\nwant what every other is: %s", what, got, want)
		}
	}
}

// TestParamsForAnybody: an address of nobody has parameters, always the same ones, and
// of the same form as an account's.
func TestParamsForAnybody(t *testing.T) {
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	seen := map[string]string{}
	for _, email := range []string{"ada@example.org", "nobody@example.org", "Nobody@Example.org", "else@example.org"} {
		params := must(h.client.PassphraseParams(t.Context(), email))
		if s := must(account.ParseStretch(params)); s != account.NewStretch(s.Salt) {
			t.Errorf("the parameters of %s are %+v", email, s)
		}
		if was, ok := seen[strings.ToLower(email)]; ok && was != string(params) {
			t.Errorf("the parameters of %s change", email)
		}
		seen[strings.ToLower(email)] = string(params)
	}
	if len(seen) != 3 || seen["ada@example.org"] != string(p.phrase.Params) || seen["else@example.org"] == seen["nobody@example.org"] {
		t.Error("the parameters are not of the address")
	}
}

// TestGuessing: five tries in a quarter of an hour, then pauses that double up to an
// hour, for an address with an account as for one without.
func TestGuessing(t *testing.T) {
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	empty := vault.NewKey()
	right := func() bool {
		_, err := h.client.SignInAccount(t.Context(), p.byPhrase(), nil)
		return err == nil
	}
	wrong := func(n int) {
		in := p.byPhrase()
		in.Auth = empty[:]
		for range n {
			if _, err := h.client.SignInAccount(t.Context(), in, nil); api.ReasonOf(err) != api.SignInRefused {
				t.Fatal(err)
			}
		}
	}
	wrong(4)
	if !right() {
		t.Error("refused after four wrong tries")
	}
	wrong(5)
	for i, pause := range []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, time.Hour} {
		if right() {
			t.Fatalf("no pause after %d wrong tries", 5+i)
		}
		h.pass(pause - time.Second)
		if right() {
			t.Fatalf("pause %d is shorter than %v", i+1, pause)
		}
		h.pass(time.Second)
		wrong(1)
	}
	h.pass(time.Hour)
	if !right() {
		t.Error("refused after the last pause")
	}
	wrong(4)
	h.pass(15 * time.Minute)
	wrong(4)
	if !right() {
		t.Error("four tries of an hour ago count still")
	}
}

// TestGuessingFromOnePlace: thirty wrong tries in a quarter of an hour, at however many
// addresses; the right ones do not count.
func TestGuessingFromOnePlace(t *testing.T) {
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	empty := vault.NewKey()
	for i := range 30 {
		_, err := h.client.SignInAccount(t.Context(), api.SignInAccount{Email: fmt.Sprintf("a%d@example.org", i), Auth: empty[:]}, nil)
		refused(t, "a guess", err, api.SignInRefused)
		if i < 29 {
			if _, err := h.client.SignInAccount(t.Context(), p.byPhrase(), nil); err != nil {
				t.Fatalf("after %d guesses: %v", i+1, err)
			}
		}
	}
	_, err := h.client.SignInAccount(t.Context(), p.byPhrase(), nil)
	refused(t, "after thirty guesses", err, api.TooMany)
	body := p.byPhrase()
	key := api.NewMACKey()
	body.MACKey = key[:]
	header := func(forwarded ...string) http.Header {
		return http.Header{"Origin": {h.origin}, "X-Forwarded-For": forwarded}
	}
	for from, want := range map[string]int{"203.0.113.7": 201, "203.0.113.8, 203.0.113.9": 201, "no address": 429} {
		answer, text := h.do(t, raw{method: "POST", path: "/v1/accounts/sessions", header: header(from), body: string(must(json.Marshal(body)))})
		if answer.StatusCode != want {
			t.Errorf("from %s through a proxy: %d %s", from, answer.StatusCode, text)
		}
	}
	h.pass(15 * time.Minute)
	if _, err := h.client.SignInAccount(t.Context(), p.byPhrase(), nil); err != nil {
		t.Errorf("a quarter of an hour later: %v", err)
	}
}
