package server

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// notProven is the one answer for an address that is not there, a passphrase, code,
// passkey or recovery code that is wrong, and too many tries.
func notProven() *refusal {
	return refuse(http.StatusForbidden, api.SignInRefused,
		"That does not open an account here. Look for typing errors; if you sign in with codes of an app, the present one is needed. After five wrong tries the server takes none for a while, first a quarter of an hour, then longer.")
}

// signInTakes is when somebody is answered who is refused, or asks for parameters:
// longer than the work takes, so that the time does not tell what was found.
const signInTakes = 100 * time.Millisecond

// steady waits until a request that came at that time may be answered.
func (a *asking) steady(came time.Time) {
	wait := time.NewTimer(time.Until(came.Add(signInTakes)))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-a.r.Context().Done():
	}
}

// passphraseParams answers for any address: an account's own parameters, or such as it
// would have.
func (s *Server) passphraseParams(a *asking) error {
	var in api.AskPassphrase
	if err := a.read(&in); err != nil {
		return err
	}
	address, err := account.ParseAddress(in.Email)
	if err != nil {
		return accountRefusal(err)
	}
	came := time.Now()
	_, u, err := s.passphraseOf(a.r.Context(), address)
	if err != nil {
		return err
	}
	a.steady(came)
	a.answer(api.PassphraseParams{Params: u.Params})
	return nil
}

// passphraseOf returns the account of an address and its passphrase. If there is none,
// it returns one that nobody can prove: the same each time, and made with the same work.
func (s *Server) passphraseOf(ctx context.Context, address account.Address) (archive.Account, archive.Unlocker, error) {
	salt := s.derive("latchkey no salt v1", []byte(address))
	decoy := archive.Unlocker{
		Unlocker: account.Unlocker{Params: account.NewStretch([16]byte(salt[:16])).Bytes()},
		Verifier: s.derive("latchkey no verifier v1", []byte(address)),
	}
	is, err := s.accountAt(ctx, address)
	if err != nil && !errors.Is(err, archive.ErrNotFound) {
		return is, decoy, err
	}
	all, err := s.unlockersOf(ctx, is.ID)
	for _, u := range all {
		if u.Kind == account.Passphrase {
			return is, u, err
		}
	}
	return is, decoy, err
}

func (s *Server) passkeyOptions(a *asking) (err error) {
	var in api.Empty
	if err := a.read(&in); err != nil {
		return err
	}
	var out api.PasskeyOptions
	if out.Options, err = s.accounts.passkeys.ask(); err != nil {
		return err
	}
	a.answer(out)
	return nil
}

func (s *Server) signInAccount(a *asking) error {
	var in api.SignInAccount
	if err := a.read(&in); err != nil {
		return err
	}
	key, err := macKey(in.MACKey)
	if err != nil {
		return err
	}
	right, err := a.guesses()
	if err != nil {
		return err
	}
	came := time.Now()
	u, err := s.proven(a.r.Context(), in)
	if errors.Is(err, archive.ErrConflict) || errors.Is(err, archive.ErrUsed) || errors.Is(err, errPasskey) {
		err = notProven()
	}
	if err != nil {
		a.steady(came)
		return err
	}
	right()
	_, vault, err := s.vaultOf(a.r.Context(), u.Account)
	if errors.Is(err, archive.ErrNotFound) { // it was deleted meanwhile
		err = notProven()
	}
	if err != nil {
		return err
	}
	if was, err := s.accountCookie(a.r); err == nil && was.Account == u.Account {
		if err := s.config.Archive.AccountSessions.EndAccountSession(a.r.Context(), was.Account, was.ID); err != nil {
			return err
		}
	}
	return s.startAccount(a, u, key, vault)
}

// proven returns the unlocker that somebody has proven to have, and notes its use.
func (s *Server) proven(ctx context.Context, in api.SignInAccount) (u archive.Unlocker, err error) {
	var verifier []byte
	switch {
	case in.Assertion != "" && in.Email == "" && in.Auth == nil && in.Code == "" && in.Locator == nil:
		u, verifier, err = s.accounts.passkeys.used(in.Assertion, func(id latchkey.AccountID) ([]archive.Unlocker, error) { return s.unlockersOf(ctx, id) })
	case in.Email != "" && len(in.Auth) == 32 && in.Assertion == "" && in.Locator == nil:
		u, err = s.byPassphrase(ctx, in)
		verifier = u.Verifier
	case len(in.Locator) == len(account.Locator{}) && len(in.Auth) == 32 && in.Assertion == "" && in.Email == "" && in.Code == "":
		u, err = s.byRecoveryCode(ctx, in)
		verifier = u.Verifier
	default:
		return u, malformed("One signs in with address and passphrase, with a passkey, or with a recovery code.")
	}
	if err != nil {
		return u, err
	}
	now := timeOf(s.now())
	if err := s.config.Archive.Unlockers.UseUnlocker(ctx, u, verifier, now); err != nil {
		return u, err
	}
	return u, nil
}

func (s *Server) byPassphrase(ctx context.Context, in api.SignInAccount) (archive.Unlocker, error) {
	address, err := account.ParseAddress(in.Email)
	if err != nil {
		return archive.Unlocker{}, accountRefusal(err)
	}
	if !s.accounts.guesses.try("passphrase", string(address), s.now()) {
		return archive.Unlocker{}, notProven()
	}
	is, u, err := s.passphraseOf(ctx, address)
	if err != nil {
		return u, err
	}
	// Both are looked at whatever the other says, and a code also if none is asked for.
	step, err := s.codeStep(is, in.Code)
	if err != nil {
		return u, err
	}
	if !recognises(u, in.Auth) || is.Codes && step == 0 {
		return u, notProven()
	}
	if is.Codes {
		if err := s.config.Archive.Codes.UseCode(ctx, is.ID, step); err != nil {
			return u, err
		}
	}
	s.accounts.guesses.right("passphrase", string(address))
	return u, nil
}

// codeStep says which step's code this is, 0 for none that counts. An account without
// codes has a secret for this that nobody knows.
func (s *Server) codeStep(is archive.Account, code string) (uint64, error) {
	secret := account.CodeSecret(s.derive("latchkey no code v1", is.ID[:])[:20])
	if len(is.Code) == len(secret) {
		secret = account.CodeSecret(is.Code)
	}
	return secret.Step(code, s.now(), is.Step)
}

func recognises(u archive.Unlocker, auth []byte) bool {
	verifier := account.Verifier(auth)
	return subtle.ConstantTimeCompare(verifier[:], u.Verifier) == 1
}

func (s *Server) byRecoveryCode(ctx context.Context, in api.SignInAccount) (archive.Unlocker, error) {
	if !s.accounts.guesses.try("locator", string(in.Locator), s.now()) {
		return archive.Unlocker{}, notProven()
	}
	u, err := s.config.Archive.Unlockers.Located(ctx, account.Locator(in.Locator))
	if errors.Is(err, archive.ErrNotFound) {
		u = archive.Unlocker{Verifier: s.derive("latchkey no verifier v1", in.Locator)}
	} else if err != nil {
		return u, err
	} else if u.Kind != account.RecoveryCode || string(u.Params) != string(in.Locator) {
		s.alarm.misroute("locator", true, "account", u.Account.String())
		return u, misroute()
	}
	if !recognises(u, in.Auth) {
		return u, notProven()
	}
	s.accounts.guesses.right("locator", string(in.Locator))
	return u, nil
}

// startAccount begins a session of whoever has proven an unlocker, and releases the
// vault to it.
func (s *Server) startAccount(a *asking, u archive.Unlocker, key api.MACKey, vault []byte) error {
	now, secret := timeOf(s.now()), rand.Text()+rand.Text()
	n := archive.AccountSession{
		Account: u.Account, ID: latchkey.NewSessionID(), Secret: hashOf(secret), Key: key, Browser: browser(a.r.UserAgent()),
		Started: now, Seen: now, Expires: timeOf(s.now().Add(api.SessionLife)),
	}
	err := s.config.Archive.AccountSessions.StartAccountSession(a.r.Context(), n)
	if errors.Is(err, archive.ErrNotFound) { // it was deleted meanwhile
		err = notProven()
	}
	if err != nil {
		return err
	}
	a.key = &n.Key
	cookie := n.Account.String() + "." + secret
	s.inside.add(hashOf(cookie), s.now())
	s.setNamedCookie(a, api.AccountCookie, cookie, int(api.SessionLife.Seconds()))
	a.answer(api.AccountSession{
		Account: n.Account, Session: n.ID, Expires: n.Expires, Vault: vault,
		Unlocker: api.Unlocker{Unlocker: u.ID, Kind: u.Kind, Params: u.Params, Wrapped: u.Wrapped},
	})
	return nil
}
