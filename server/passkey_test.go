package server_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/vault"
)

// signUpByPasskey makes an account that is opened by a passkey and a recovery code.
func (h *house) signUpByPasskey(t *testing.T, email string) (*somebody, *passkey) {
	t.Helper()
	ticket, k := must(h.MintSetup(t.Context())), h.passkey(t)
	begun := must(h.client.BeginAccount(t.Context(), ticket, email))
	p := h.prepare(t, email, begun.Account)
	h.pass(20 * time.Minute) // reading mail and writing down a recovery code
	form := p.form(ticket)
	form.Unlockers[0] = k.unlocker(p, k.make(begun.Options))
	p.session = must(h.client.SignUp(t.Context(), form))
	return p, k
}

func TestPasskeys(t *testing.T) {
	h := named(t)
	mails, _ := mailing(t)
	for at, want := range map[*house]string{h: `"mail":false,"passkeys":true`, mails: `"mail":true,"passkeys":false`} {
		if _, health := at.do(t, raw{method: "GET", path: "/v1/health"}); !strings.Contains(health, want) {
			t.Errorf("the server says %s, want %s", health, want)
		}
	}
	p, k := h.signUpByPasskey(t, "ada@example.org")
	for range 2 {
		assertion := k.sign(must(h.client.PasskeyOptions(t.Context())))
		s := must(h.client.SignInAccount(t.Context(), api.SignInAccount{Assertion: assertion}, nil))
		p.opens(s, vault.Passkey(k.prf[:]), nothingYet)
		_, err := h.client.SignInAccount(t.Context(), api.SignInAccount{Assertion: assertion}, nil)
		refused(t, "the same assertion again", err, api.SignInRefused)
	}
	p.signIn(p.byCode())
	options := must(p.session.BeginUnlocker(t.Context()))
	if asked := must(virtualwebauthn.ParseAttestationOptions(options)); !k.credential.IsExcludedForAttestation(*asked) {
		t.Errorf("the options of a second passkey do not exclude the first: %s", options)
	}
	second := h.passkey(t)
	attestation := second.make(options)
	h.pass(time.Minute) // it is the later one in the account's list
	for range 2 {       // the answer may have been lost; the challenge is used up then
		err := p.session.AddUnlocker(t.Context(), second.unlocker(p, attestation))
		if err != nil && api.ReasonOf(err) != api.Malformed {
			t.Fatal(err)
		}
	}
	s := must(h.client.SignInAccount(t.Context(), api.SignInAccount{Assertion: second.sign(must(h.client.PasskeyOptions(t.Context())))}, nil))
	p.opens(s, vault.Passkey(second.prf[:]), nothingYet)

	refused(t, "the last that is no passkey", p.session.RemoveUnlocker(t.Context(), p.code.Unlocker), api.LastUnlockers)
	first := must(p.session.Look(t.Context())).Unlockers[0]
	for _, u := range must(p.session.Look(t.Context())).Unlockers {
		if string(u.Params) == string(k.credential.ID) {
			first = u
		}
	}
	if err := p.session.RemoveUnlocker(t.Context(), first.Unlocker); err != nil {
		t.Fatal(err)
	}
	_, err := h.client.SignInAccount(t.Context(), api.SignInAccount{Assertion: k.sign(must(h.client.PasskeyOptions(t.Context())))}, nil)
	refused(t, "a passkey that was removed", err, api.SignInRefused)
}

// TestPasskeyRefusals: what a passkey signs counts for one challenge of this server, one
// origin and a person who was verified.
func TestPasskeyRefusals(t *testing.T) {
	h := named(t)
	p, k := h.signUpByPasskey(t, "ada@example.org")
	q, _ := h.signUpByPasskey(t, "bob@example.org")
	options := func() string { return must(h.client.PasskeyOptions(t.Context())) }
	creation := must(q.session.BeginUnlocker(t.Context()))
	asked := must(virtualwebauthn.ParseAttestationOptions(creation))
	elsewhere, unverified, foreign := *k, *k, *k
	elsewhere.party.Origin = "https://evil.example.org"
	unverified.device.Options.UserNotVerified = true
	foreign.device.Options.UserHandle = q.id[:]
	nobody := *k
	id := latchkey.NewAccountID()
	nobody.device.Options.UserHandle = id[:]
	own := *k
	own.credential.Key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2).Key
	short := *k
	short.device.Options.UserHandle = []byte("ada")
	for what, assertion := range map[string]string{
		"another origin":                 elsewhere.sign(options()),
		"a person who was not looked at": unverified.sign(options()),
		"another's user handle":          foreign.sign(options()),
		"a user handle of nobody":        nobody.sign(options()),
		"a short user handle":            short.sign(options()),
		"another key":                    own.sign(options()),
		"a challenge of its own":         k.sign(`{"challenge":"` + strings.Repeat("A", 43) + `","rpId":"localhost"}`),
		"a challenge for making one": virtualwebauthn.CreateAssertionResponse(k.party, k.device, k.credential,
			virtualwebauthn.AssertionOptions{Challenge: asked.Challenge, RelyingPartyID: "localhost"}),
		"no JSON":                 "passkey",
		"nothing that was signed": alter(t, k.sign(options()), func(_, client map[string]any) { client["more"] = "x" }),
		"what its PRF gave": alter(t, k.sign(options()), func(answer, _ map[string]any) {
			answer["clientExtensionResults"] = map[string]any{"prf": map[string]any{"results": map[string]any{"first": "AAAA"}}}
		}),
	} {
		_, err := h.client.SignInAccount(t.Context(), api.SignInAccount{Assertion: assertion}, nil)
		refused(t, what, err, api.SignInRefused)
	}
	late := options()
	h.pass(11 * time.Minute)
	_, err := h.client.SignInAccount(t.Context(), api.SignInAccount{Assertion: k.sign(late)}, nil)
	refused(t, "a challenge that ran out", err, api.SignInRefused)
	for range 3 {
		must(h.client.SignInAccount(t.Context(), api.SignInAccount{Assertion: k.sign(options())}, nil))
	}
	copied := *k
	copied.credential.Counter -= 2
	_, err = h.client.SignInAccount(t.Context(), api.SignInAccount{Assertion: copied.sign(options())}, nil)
	refused(t, "a copy of a passkey, whose counter is behind", err, api.SignInRefused)
	if len(h.logs.lines(t, "passkey counter went back")) != 1 {
		t.Error("the log says nothing of the copy")
	}

	p.signIn(p.byCode())
	for what, attestation := range map[string]string{
		"made for another account": h.passkey(t).make(creation),
		"made on another page":     elsewhereOf(h.passkey(t)).make(must(p.session.BeginUnlocker(t.Context()))),
		"made with what its PRF gave in": alter(t, h.passkey(t).make(must(p.session.BeginUnlocker(t.Context()))), func(answer, _ map[string]any) {
			answer["clientExtensionResults"] = map[string]any{"prf": map[string]any{"enabled": true}}
		}),
		"no JSON": "passkey",
	} {
		u := h.passkey(t)
		refused(t, "a passkey "+what, p.session.AddUnlocker(t.Context(), u.unlocker(p, attestation)), api.Malformed)
	}
	one, other := h.passkey(t), h.passkey(t)
	u := one.unlocker(p, one.make(must(p.session.BeginUnlocker(t.Context()))))
	u.Params = other.credential.ID
	refused(t, "a passkey under another's credential ID", p.session.AddUnlocker(t.Context(), u), api.Malformed)
	phrase, _ := p.newPhrase()
	phrase.Attestation = one.make(must(p.session.BeginUnlocker(t.Context())))
	refused(t, "a passphrase with an attestation", p.session.AddUnlocker(t.Context(), phrase), api.Malformed)
}

// TestPasskeyChallengesAreSpent: what a passkey has said counts once, also of one that does
// not count what it signs, and of one that was removed since.
func TestPasskeyChallengesAreSpent(t *testing.T) {
	h := named(t)
	p, k := h.signUpByPasskey(t, "ada@example.org")
	k.credential.Counter = math.MaxUint32 // the next is 0, and so was the first
	assertion := k.sign(must(h.client.PasskeyOptions(t.Context())))
	must(h.client.SignInAccount(t.Context(), api.SignInAccount{Assertion: assertion}, nil))
	_, err := h.client.SignInAccount(t.Context(), api.SignInAccount{Assertion: assertion}, nil)
	refused(t, "the same assertion again", err, api.SignInRefused)

	p.signIn(p.byCode())
	second := h.passkey(t)
	u := second.unlocker(p, second.make(must(p.session.BeginUnlocker(t.Context()))))
	for _, err := range []error{p.session.AddUnlocker(t.Context(), u), p.session.RemoveUnlocker(t.Context(), u.Unlocker)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	refused(t, "a removed passkey by the same attestation", p.session.AddUnlocker(t.Context(), u), api.Malformed)
}

// TestPasskeyThatSpellsAnother: a passkey is found among the passkeys, also if its
// credential ID is spelled like what is kept of a passphrase.
func TestPasskeyThatSpellsAnother(t *testing.T) {
	h := named(t)
	p := h.signUp(t, "ada@example.org")
	h.pass(time.Minute)
	p.signIn(p.byCode())
	k := h.passkey(t)
	k.credential.ID = p.phrase.Params
	if err := p.session.AddUnlocker(t.Context(), k.unlocker(p, k.make(must(p.session.BeginUnlocker(t.Context()))))); err != nil {
		t.Fatal(err)
	}
	s := must(h.client.SignInAccount(t.Context(), api.SignInAccount{Assertion: k.sign(must(h.client.PasskeyOptions(t.Context())))}, nil))
	p.opens(s, vault.Passkey(k.prf[:]), nothingYet)
	p.signIn(p.byPhrase())
}

// TestNoPasskeysHere: a server at an address for which browsers have no passkeys takes none.
func TestNoPasskeysHere(t *testing.T) {
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	_, err := h.client.PasskeyOptions(t.Context())
	refused(t, "asking", err, api.NoPasskeys)
	_, err = h.client.SignInAccount(t.Context(), api.SignInAccount{Assertion: "passkey"}, nil)
	refused(t, "signing in", err, api.NoPasskeys)
	k := h.passkey(t)
	refused(t, "another one", p.session.AddUnlocker(t.Context(), k.unlocker(p, "passkey")), api.NoPasskeys)
}

func elsewhereOf(k *passkey) *passkey {
	k.party.Origin = "https://evil.example.org"
	return k
}

// TestTooManyUnlockers: the sixteenth fits, the next does not.
func TestTooManyUnlockers(t *testing.T) {
	h := named(t)
	p := h.signUp(t, "ada@example.org")
	for i := range account.MaxUnlockers - 1 {
		k := h.passkey(t)
		err := p.session.AddUnlocker(t.Context(), k.unlocker(p, k.make(must(p.session.BeginUnlocker(t.Context())))))
		if i < account.MaxUnlockers-2 && err != nil {
			t.Fatal(err)
		} else if i == account.MaxUnlockers-2 {
			refused(t, "one too many", err, api.TooMany)
		}
	}
}
