package server

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// passkeys are the WebAuthn ceremonies. A challenge costs no memory ([nonces]), so the
// server keeps no ceremony: it is found again in what the browser signs.
type passkeys struct {
	web    *webauthn.WebAuthn // nil if browsers have no passkeys at this address
	nonces *nonces
	now    func() time.Time
	log    *slog.Logger
}

// How long a browser may take from being asked until it has answered. Somebody who signs
// up makes a passkey first and then reads mail and writes down a recovery code.
const (
	passkeyLife    = 10 * time.Minute
	newPasskeyLife = 30 * time.Minute
)

// newPasskeys makes the ceremonies of the server at that origin. Browsers have passkeys
// at localhost and at domains, not at IP addresses.
func newPasskeys(origin *url.URL, n *nonces, now func() time.Time, log *slog.Logger) (p *passkeys, err error) {
	p = &passkeys{nonces: n, now: now, log: log}
	host := origin.Hostname()
	if protocol.ValidateRPID(host) != nil {
		return p, nil
	}
	p.web, err = webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: "Latchkey", RPOrigins: []string{origin.String()},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("set up passkeys: %w", err)
	}
	return p, nil
}

func noPasskeys() *refusal {
	return refuse(http.StatusConflict, api.NoPasskeys,
		"Browsers use no passkeys at this server's address. Use a passphrase here, or give the server a domain.")
}

// errPasskey says that what a browser sent of a passkey proves nothing.
var errPasskey = errors.New("the passkey proves nothing")

// holder is an account as WebAuthn sees it.
type holder struct {
	id          latchkey.AccountID
	address     account.Address
	credentials []webauthn.Credential
}

// WebAuthnID is [webauthn.User]'s.
func (h holder) WebAuthnID() []byte { return h.id[:] }

// WebAuthnName is [webauthn.User]'s. A person finds the passkey by it in a list.
func (h holder) WebAuthnName() string { return string(h.address) }

// WebAuthnDisplayName is [webauthn.User]'s.
func (h holder) WebAuthnDisplayName() string { return string(h.address) }

// WebAuthnCredentials is [webauthn.User]'s.
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// credentials takes the passkeys out of an account's unlockers.
func credentials(unlockers []archive.Unlocker) (all []webauthn.Credential, err error) {
	for _, u := range unlockers {
		if u.Kind != account.Passkey {
			continue
		}
		var c webauthn.Credential
		if err := json.Unmarshal(u.Verifier, &c); err != nil {
			return nil, fmt.Errorf("read passkey: %w", err)
		}
		all = append(all, c)
	}
	return all, nil
}

// options gives what a browser asks a new passkey of an account, as JSON.
func (p *passkeys) options(id latchkey.AccountID, address account.Address, unlockers []archive.Unlocker) (string, error) {
	if p.web == nil {
		return "", noPasskeys()
	}
	has, err := credentials(unlockers)
	if err != nil {
		return "", err
	}
	nonce, _ := p.nonces.challenge(aboutNewPasskey(id), newPasskeyLife, p.now())
	creation, _, err := p.web.BeginRegistration(holder{id: id, address: address},
		webauthn.WithExclusions(webauthn.Credentials(has).CredentialDescriptors()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge = nonce
			return nil
		})
	if err != nil {
		return "", fmt.Errorf("begin passkey: %w", err)
	}
	return text(creation.Response)
}

// ask gives what a browser asks any passkey of this server, as JSON.
func (p *passkeys) ask() (string, error) {
	if p.web == nil {
		return "", noPasskeys()
	}
	nonce, _ := p.nonces.challenge(aboutPasskey, passkeyLife, p.now())
	assertion, _, err := p.web.BeginDiscoverableLogin(webauthn.WithChallenge(nonce))
	if err != nil {
		return "", fmt.Errorf("ask for passkey: %w", err)
	}
	return text(assertion.Response)
}

func text(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode options: %w", err)
	}
	return string(b), nil
}

// challenge takes a challenge of ours out of what a browser signed; it is not used up.
func (p *passkeys) challenge(about string, said protocol.CollectedClientData) ([]byte, error) {
	nonce, err := base64.RawURLEncoding.DecodeString(said.Challenge)
	if err != nil || !p.nonces.genuine(nonce, about, p.now()) {
		return nil, fmt.Errorf("%w: another challenge", errPasskey)
	}
	return nonce, nil
}

// made checks a passkey that was made for an account, and returns its credential ID and
// what it is recognised by. Errors: errPasskey, or a refusal.
func (p *passkeys) made(id latchkey.AccountID, attestation string) (credential, verifier []byte, err error) {
	if p.web == nil {
		return nil, nil, noPasskeys()
	}
	said, err := protocol.ParseCredentialCreationResponseBytes([]byte(attestation))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errPasskey, err)
	}
	nonce, err := p.challenge(aboutNewPasskey(id), said.Response.CollectedClientData)
	if err != nil {
		return nil, nil, err
	}
	c, err := p.web.CreateCredential(holder{id: id}, webauthn.SessionData{
		Challenge: said.Response.CollectedClientData.Challenge, RelyingPartyID: p.web.Config.RPID, UserID: id[:],
		UserVerification: protocol.VerificationRequired, CredParams: webauthn.CredentialParametersDefault(),
	}, said)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errPasskey, err)
	}
	if !p.nonces.spend(nonce, p.now()) {
		return nil, nil, fmt.Errorf("%w: a challenge that was used", errPasskey)
	}
	verifier, err = verifierOf(c)
	return c.ID, verifier, err
}

// verifierOf is what a passkey is recognised by from now on. What its maker says of it
// is not asked for and not kept.
func verifierOf(c *webauthn.Credential) ([]byte, error) {
	c.Attestation = webauthn.CredentialAttestation{}
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("keep passkey: %w", err)
	}
	return b, nil
}

// used checks that a passkey has signed in, and returns its unlocker and what it is
// recognised by from now on. unlockers reads those of an account. Error: errPasskey, or
// one of unlockers'.
func (p *passkeys) used(assertion string, unlockers func(id latchkey.AccountID) ([]archive.Unlocker, error)) (archive.Unlocker, []byte, error) {
	var none archive.Unlocker
	if p.web == nil {
		return none, nil, noPasskeys()
	}
	said, err := protocol.ParseCredentialRequestResponseBytes([]byte(assertion))
	if err != nil {
		return none, nil, fmt.Errorf("%w: %w", errPasskey, err)
	}
	nonce, err := p.challenge(aboutPasskey, said.Response.CollectedClientData)
	if err != nil {
		return none, nil, err
	}
	if len(said.Response.UserHandle) != len(latchkey.AccountID{}) {
		return none, nil, fmt.Errorf("%w: a user handle of %d bytes", errPasskey, len(said.Response.UserHandle))
	}
	id := latchkey.AccountID(said.Response.UserHandle)
	all, err := unlockers(id)
	if err != nil {
		return none, nil, err
	}
	has, err := credentials(all)
	if err != nil {
		return none, nil, err
	}
	_, c, err := p.web.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return holder{id: id, credentials: has}, nil },
		webauthn.SessionData{Challenge: said.Response.CollectedClientData.Challenge, RelyingPartyID: p.web.Config.RPID, UserVerification: protocol.VerificationRequired}, said)
	if err != nil {
		return none, nil, fmt.Errorf("%w: %w", errPasskey, err)
	}
	if c.Authenticator.CloneWarning {
		p.log.Error("passkey counter went back", "account", id)
		return none, nil, fmt.Errorf("%w: its counter went back", errPasskey)
	}
	if !p.nonces.spend(nonce, p.now()) {
		return none, nil, fmt.Errorf("%w: a challenge that was used", errPasskey)
	}
	verifier, err := verifierOf(c)
	if err != nil {
		return none, nil, err
	}
	for _, u := range all {
		if u.Kind == account.Passkey && bytes.Equal(u.Params, c.ID) {
			return u, verifier, nil
		}
	}
	return none, nil, fmt.Errorf("%w: none of the account's", errPasskey)
}
