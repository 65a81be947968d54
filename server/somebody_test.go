package server_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/notify"
	"github.com/latchkey-cam/latchkey/notify/notifytest"
	"github.com/latchkey-cam/latchkey/server"
	"github.com/latchkey-cam/latchkey/vault"
)

const nothingYet = `{"v":1,"homes":[],"devices":{},"unlockers":{}}`

// somebody is a person with an account, as that person's browser knows it. The
// passphrase is stood in for by what a browser would make of one.
type somebody struct {
	t     *testing.T
	house *house
	email string
	id    latchkey.AccountID

	key      vault.Key // of the vault
	vault    account.Vault
	auth     vault.Key // of the passphrase
	phrase   api.Unlocker
	recovery vault.RecoveryCode
	code     api.Unlocker // the recovery code's

	session *api.SignedIn
}

// prepare makes what somebody's browser makes before it signs up.
func (h *house) prepare(t *testing.T, email string, id latchkey.AccountID) *somebody {
	p := &somebody{t: t, house: h, email: email, id: id, key: vault.NewKey()}
	p.vault = vault.SealVault(p.key, id, nil, nothingYet)
	p.phrase, p.auth = p.newPhrase()
	p.code, p.recovery = p.newCode()
	return p
}

// wrapped is an unlocker with the vault key in it.
func (p *somebody) wrapped(kind account.Kind, params []byte, kek vault.Key, auth []byte) api.Unlocker {
	u := vault.Wrap(account.Unlocker{Account: p.id, ID: latchkey.NewUnlockerID(), Kind: kind, Params: params}, kek, p.key)
	return api.Unlocker{Unlocker: u.ID, Kind: kind, Params: params, Wrapped: u.Wrapped, Auth: auth}
}

func (p *somebody) newPhrase() (api.Unlocker, vault.Key) {
	auth := vault.NewKey()
	return p.wrapped(account.Passphrase, account.NewStretch([16]byte(vault.NewRecoveryCode())).Bytes(), vault.NewKey(), auth[:]), auth
}

func (p *somebody) newCode() (api.Unlocker, vault.RecoveryCode) {
	code := vault.NewRecoveryCode()
	locator, auth := code.Locator(), code.Auth()
	return p.wrapped(account.RecoveryCode, locator[:], code.Key(), auth[:]), code
}

func (p *somebody) form(ticket string) api.SignUp {
	return api.SignUp{
		Ticket: ticket, Account: p.id, Email: p.email, Unlockers: []api.Unlocker{p.phrase, p.code}, Vault: p.vault.Bytes(),
	}
}

// signUp makes an account on a server that sends no mail.
func (h *house) signUp(t *testing.T, email string) *somebody {
	t.Helper()
	ticket := must(h.MintSetup(t.Context()))
	begun := must(h.client.BeginAccount(t.Context(), ticket, email))
	p := h.prepare(t, email, begun.Account)
	p.session = must(h.client.SignUp(t.Context(), p.form(ticket)))
	return p
}

func (p *somebody) byPhrase() api.SignInAccount {
	auth := p.auth // as it is now
	return api.SignInAccount{Email: p.email, Auth: auth[:]}
}

func (p *somebody) byCode() api.SignInAccount {
	locator, auth := p.recovery.Locator(), p.recovery.Auth()
	return api.SignInAccount{Locator: locator[:], Auth: auth[:]}
}

// signIn signs in anew, which proves that it is still the same person.
func (p *somebody) signIn(in api.SignInAccount) {
	p.t.Helper()
	p.session = must(p.house.client.SignInAccount(p.t.Context(), in, p.session))
}

// opens wants that what a session was given opens to what the vault should hold.
func (p *somebody) opens(s *api.SignedIn, kek vault.Key, content string) {
	p.t.Helper()
	u := account.Unlocker{Account: s.Account, ID: s.Unlocker.Unlocker, Kind: s.Unlocker.Kind, Params: s.Unlocker.Params, Wrapped: s.Unlocker.Wrapped}
	key, err := vault.Unwrap(u, kek)
	if err != nil || key != p.key {
		p.t.Fatalf("the %s gives another vault key: %v", u.Kind, err)
	}
	if _, got, err := vault.OpenVault(key, p.id, s.Vault, nil); got != content || err != nil {
		p.t.Fatalf("the vault holds %q, %v, want %q", got, err, content)
	}
}

// refused wants a refusal for a reason.
func refused(t *testing.T, what string, err error, want api.Reason) {
	t.Helper()
	if got := api.ReasonOf(err); got != want {
		t.Errorf("%s: %v, want it refused as %s", what, err, want)
	}
}

// named is a house whose address is a name, so that browsers have passkeys there.
func named(t *testing.T, change ...func(c *server.Config)) *house {
	t.Helper()
	h := openHouse(t, append(change, func(c *server.Config) { c.Origin = strings.Replace(c.Origin, "127.0.0.1", "localhost", 1) })...)
	h.origin = strings.Replace(h.origin, "127.0.0.1", "localhost", 1)
	h.client = must(api.NewClient(h.origin, nil))
	return h
}

// mailing is a house that sends mail through a server which keeps it.
func mailing(t *testing.T) (*house, *notifytest.Server) {
	t.Helper()
	post := notifytest.Serve(t, notifytest.Config{})
	mailer := must(notify.NewSMTP(notify.SMTPConfig{Server: "smtp://" + post.Address, From: "cam@example.com"}))
	return openHouse(t, func(c *server.Config) { c.Mail = mailer }), post
}

// passkey is an authenticator in software with one passkey in it.
type passkey struct {
	t          *testing.T
	party      virtualwebauthn.RelyingParty
	device     virtualwebauthn.Authenticator
	credential virtualwebauthn.Credential
	prf        vault.Key // what its PRF would give
}

// wholeKey is the length of a COSE key of P-256. The authenticator in software leaves out
// the leading zeros of a coordinate, which one key in 128 has; no real one does.
const wholeKey = 77

func (h *house) passkey(t *testing.T) *passkey {
	credential := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for len(credential.Key.AttestationData()) != wholeKey {
		credential = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	return &passkey{
		t: t, party: virtualwebauthn.RelyingParty{ID: "localhost", Name: "Latchkey", Origin: h.origin},
		device: virtualwebauthn.NewAuthenticator(), credential: credential, prf: vault.NewKey(),
	}
}

// make makes the passkey that options ask for.
func (k *passkey) make(options string) string {
	k.t.Helper()
	asked := must(virtualwebauthn.ParseAttestationOptions(options))
	if asked.RelyingPartyID != "localhost" {
		k.t.Errorf("a passkey for %q is asked for", asked.RelyingPartyID)
	}
	k.device.Options.UserHandle = []byte(asked.UserID)
	return virtualwebauthn.CreateAttestationResponse(k.party, k.device, k.credential, *asked)
}

// sign answers what options ask of any passkey.
func (k *passkey) sign(options string) string {
	k.t.Helper()
	asked := must(virtualwebauthn.ParseAssertionOptions(options))
	k.credential.Counter++
	return virtualwebauthn.CreateAssertionResponse(k.party, k.device, k.credential, *asked)
}

// unlocker is the passkey as an unlocker of somebody's.
func (k *passkey) unlocker(p *somebody, attestation string) api.Unlocker {
	u := p.wrapped(account.Passkey, k.credential.ID, vault.Passkey(k.prf[:]), nil)
	u.Attestation = attestation
	return u
}

// alter changes a member of what an authenticator or a browser said, which is JSON in
// which the client data is JSON again.
func alter(t *testing.T, said string, change func(answer map[string]any, client map[string]any)) string {
	t.Helper()
	answer, client := map[string]any{}, map[string]any{}
	must(0, json.Unmarshal([]byte(said), &answer))
	response := answer["response"].(map[string]any)
	must(0, json.Unmarshal(must(base64.RawURLEncoding.DecodeString(response["clientDataJSON"].(string))), &client))
	change(answer, client)
	response["clientDataJSON"] = base64.RawURLEncoding.EncodeToString(must(json.Marshal(client)))
	return string(must(json.Marshal(answer)))
}
