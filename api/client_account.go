package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/latchkey-cam/latchkey"
)

// BeginAccount begins to sign up.
func (c *Client) BeginAccount(ctx context.Context, ticket, email string) (AccountBegun, error) {
	var a AccountBegun
	_, err := c.exchange(ctx, call{method: "POST", path: "/v1/accounts/begin", asPage: true}, BeginAccount{Ticket: ticket, Email: email}, &a)
	return a, err
}

// SignUp makes an account and returns it as its session sees it. The MAC key of in is
// made here.
func (c *Client) SignUp(ctx context.Context, in SignUp) (*SignedIn, error) {
	s := &SignedIn{client: c, key: NewMACKey()}
	in.MACKey = s.key[:]
	if err := s.start(ctx, "/v1/accounts", "", in); err != nil {
		return nil, err
	}
	if s.Account != in.Account {
		return nil, fmt.Errorf("%w: account %s", ErrCrossed, s.Account)
	}
	return s, nil
}

// PassphraseParams returns how to stretch the passphrase of an address.
func (c *Client) PassphraseParams(ctx context.Context, email string) ([]byte, error) {
	var a PassphraseParams
	_, err := c.exchange(ctx, call{method: "POST", path: "/v1/accounts/passphrase", asPage: true}, AskPassphrase{Email: email}, &a)
	return a.Params, err
}

// PasskeyOptions returns what to ask a passkey.
func (c *Client) PasskeyOptions(ctx context.Context) (string, error) {
	var a PasskeyOptions
	_, err := c.exchange(ctx, call{method: "POST", path: "/v1/accounts/passkey", asPage: true}, Empty{}, &a)
	return a.Options, err
}

// SignInAccount signs in to an account. The MAC key of in is made here. A session that
// was there before ends, if it is the same account's; nil for none.
func (c *Client) SignInAccount(ctx context.Context, in SignInAccount, before *SignedIn) (*SignedIn, error) {
	s := &SignedIn{client: c, key: NewMACKey()}
	in.MACKey = s.key[:]
	cookie := ""
	if before != nil {
		cookie = before.Cookie()
	}
	if err := s.start(ctx, "/v1/accounts/sessions", cookie, in); err != nil {
		return nil, err
	}
	return s, nil
}

// EndAgain shows a server that it has ended an account, before a backup brought it back.
func (c *Client) EndAgain(ctx context.Context, ended AccountEnd) error {
	var a AccountOK
	if _, err := c.exchange(ctx, call{method: "POST", path: "/v1/accounts/ended", asPage: true}, ended, &a); err != nil {
		return err
	}
	if a.Account != ended.Account {
		return fmt.Errorf("%w: account %s", ErrCrossed, a.Account)
	}
	return nil
}

// SignedIn is an account at a server, as a session sees it, with what it was given when
// it signed in.
type SignedIn struct {
	AccountSession
	client *Client
	cookie string
	key    MACKey
}

func (s *SignedIn) start(ctx context.Context, path, cookie string, in any) error {
	q := call{method: "POST", path: path, asPage: true, key: &s.key}
	if cookie != "" { // of another session: nothing of this request is by its key
		q.header = http.Header{"Cookie": {cookie}}
	}
	a, err := s.client.exchange(ctx, q, in, &s.AccountSession)
	if err != nil {
		return err
	}
	for _, set := range a.Cookies() {
		if set.Name == AccountCookie {
			s.cookie = set.Value
			return nil
		}
	}
	return errors.New("sign in: the server gave no session")
}

// Cookie is the session's, "name=value". It is a secret.
func (s *SignedIn) Cookie() string { return AccountCookie + "=" + s.cookie }

// MACKey is the session's.
func (s *SignedIn) MACKey() MACKey { return s.key }

// ask exchanges messages about the account; account must point into answer.
func (s *SignedIn) ask(ctx context.Context, method, path string, request, answer any, account *latchkey.AccountID) error {
	q := call{method: method, path: "/v1/accounts/" + s.Account.String() + path, asPage: true, cookie: s.Cookie(), key: &s.key}
	if _, err := s.client.exchange(ctx, q, request, answer); err != nil {
		return err
	}
	if *account != s.Account {
		return fmt.Errorf("%w: account %s", ErrCrossed, *account)
	}
	return nil
}

func (s *SignedIn) ok(ctx context.Context, method, path string, request any) error {
	var a AccountOK
	return s.ask(ctx, method, path, request, &a, &a.Account)
}

// Look returns the account.
func (s *SignedIn) Look(ctx context.Context) (a Account, err error) {
	err = s.ask(ctx, "GET", "", nil, &a, &a.Account)
	return a, err
}

// NewestVault returns the vault that the server keeps now.
func (s *SignedIn) NewestVault(ctx context.Context) ([]byte, error) {
	var a AccountVault
	err := s.ask(ctx, "GET", "/vault", nil, &a, &a.Account)
	return a.Vault, err
}

// PutVault replaces the vault; [Conflict] comes with the newer one.
func (s *SignedIn) PutVault(ctx context.Context, vault []byte) error {
	return s.ok(ctx, "PUT", "/vault", AccountVault{Account: s.Account, Vault: vault})
}

// BeginUnlocker returns what to ask another passkey.
func (s *SignedIn) BeginUnlocker(ctx context.Context) (string, error) {
	var a AccountOptions
	err := s.ask(ctx, "POST", "/unlockers/begin", Empty{}, &a, &a.Account)
	return a.Options, err
}

// AddUnlocker adds an unlocker.
func (s *SignedIn) AddUnlocker(ctx context.Context, u Unlocker) error {
	return s.ok(ctx, "POST", "/unlockers", AddUnlocker{Account: s.Account, Unlocker: u})
}

// RemoveUnlocker removes an unlocker.
func (s *SignedIn) RemoveUnlocker(ctx context.Context, u latchkey.UnlockerID) error {
	return s.ok(ctx, "DELETE", "/unlockers/"+u.String(), nil)
}

// BeginCodes returns a secret for an authenticator app.
func (s *SignedIn) BeginCodes(ctx context.Context) (a CodeSecret, err error) {
	err = s.ask(ctx, "POST", "/codes", Empty{}, &a, &a.Account)
	return a, err
}

// ProveCode shows that the app has the secret.
func (s *SignedIn) ProveCode(ctx context.Context, code string) error {
	return s.ok(ctx, "PUT", "/codes", ProveCode{Code: code})
}

// EndCodes ends that codes are asked for.
func (s *SignedIn) EndCodes(ctx context.Context) error { return s.ok(ctx, "DELETE", "/codes", nil) }

// ChangeEmail begins to change the address and says whether a mail was sent.
func (s *SignedIn) ChangeEmail(ctx context.Context, email string) (string, error) {
	var a EmailChanging
	err := s.ask(ctx, "POST", "/email", ChangeEmail{Email: email}, &a, &a.Account)
	return a.Mail, err
}

// ConfirmEmail changes the address with the code that came there.
func (s *SignedIn) ConfirmEmail(ctx context.Context, email, code string) error {
	return s.ok(ctx, "POST", "/email/confirm", ConfirmEmail{Email: email, Code: code})
}

// Sessions lists where the account is signed in.
func (s *SignedIn) Sessions(ctx context.Context) ([]AccountSessionRow, error) {
	var a AccountSessions
	err := s.ask(ctx, "GET", "/sessions", nil, &a, &a.Account)
	return a.Sessions, err
}

// EndSession ends a session of the list.
func (s *SignedIn) EndSession(ctx context.Context, session latchkey.SessionID) error {
	return s.ok(ctx, "DELETE", "/sessions/"+session.String(), nil)
}

// SignOut ends this session.
func (s *SignedIn) SignOut(ctx context.Context) error {
	return s.ok(ctx, "DELETE", "/session", nil)
}

// Delete deletes the account, and returns what proves to this server that it has.
func (s *SignedIn) Delete(ctx context.Context) (a AccountEnd, err error) {
	err = s.ask(ctx, "DELETE", "", nil, &a, &a.Account)
	return a, err
}
