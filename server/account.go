package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// proofLife is how long after signing in somebody may change what opens the account: a
// page that was left open for longer asks once more.
const proofLife = 15 * time.Minute

// accounts is what the server needs for people's accounts. It has nothing of homes:
// which homes an account's person is in, the server does not know.
type accounts struct {
	host     string   // that people know the server by
	key      [32]byte // for answers about accounts that may not exist
	passkeys *passkeys
	guesses  *guesses
	remotes  *tally // wrong guesses of one remote address
	mails    *tally // to one address
	tickets  *tally // uses of one ticket
}

func newAccounts(ctx context.Context, s *Server, origin *url.URL) (*accounts, error) {
	var fresh [32]byte
	rand.Read(fresh[:])
	key, err := s.config.Archive.Accounts.AccountsKey(ctx, fresh)
	if err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	p, err := newPasskeys(origin, s.nonces, s.now, s.log)
	if err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	return &accounts{
		host: origin.Hostname(), key: key, passkeys: p,
		guesses: newGuesses(), remotes: newTally(remoteGuesses, guessesIn), mails: newTally(mailsAnHour, time.Hour), tickets: newTally(ticketUses, time.Hour),
	}, nil
}

// The cookie is ACCOUNT.SECRET. The account in it is only where to look: the row that is
// found there says whose session it is.

// asAccount finds the session of the cookie, and lets in only the page that holds its
// MAC key, and only at its own account's address.
func (a *asking) asAccount() error {
	var secret archive.Secret
	if cookies := a.r.CookiesNamed(api.AccountCookie); len(cookies) == 1 {
		secret = hashOf(cookies[0].Value)
	}
	if err := a.anew(secret); err != nil {
		return err
	}
	session, err := a.server.accountCookie(a.r)
	if err != nil {
		return a.server.orEnded(a.r.Context(), a.account, err)
	}
	ok, err := a.provenBy([]api.MACKey{session.Key})
	if err != nil {
		return err
	}
	if !ok || session.Account != a.account {
		a.crossedAccount(session)
		return signedOut()
	}
	a.held = session
	a.server.inside.add(secret, a.server.now())
	a.server.seeAccount(a.r.Context(), session)
	if a.route.Right == api.AccountProven && timeOf(a.server.now().Add(-proofLife)) > session.Started {
		return refuse(http.StatusForbidden, api.ProveAgain, "It is a while ago that you signed in. Show once more that it is you, then this goes on.")
	}
	return nil
}

// accountCookie returns the session whose cookie a request brings.
func (s *Server) accountCookie(r *http.Request) (archive.AccountSession, error) {
	var none archive.AccountSession
	cookies := r.CookiesNamed(api.AccountCookie)
	if len(cookies) != 1 {
		return none, signedOut()
	}
	text, secret, _ := strings.Cut(cookies[0].Value, ".")
	id, err := latchkey.ParseAccountID(text)
	if err != nil {
		return none, signedOut()
	}
	session, err := s.config.Archive.AccountSessions.AccountSession(r.Context(), id, hashOf(secret))
	if errors.Is(err, archive.ErrNotFound) {
		return none, signedOut()
	} else if err != nil {
		return none, err
	}
	if session.Account != id || session.Secret != hashOf(secret) {
		s.alarm.misroute("account-session", true, "asked", id.String(), "found", session.Account.String())
		return none, signedOut()
	}
	if session.Expires < timeOf(s.now()) {
		return none, signedOut()
	}
	return session, nil
}

// crossedAccount counts and tells that a session's cookie came without its page's MAC:
// it may have reached another browser, or the browser has forgotten the page.
func (a *asking) crossedAccount(session archive.AccountSession) {
	s := a.server
	if !s.crossings.allow(session.Secret, s.now()) {
		s.counters.misroutes.WithLabelValues("crossed-account", "false").Inc()
		return
	}
	s.alarm.misroute("crossed-account", false, "account", session.Account.String(), "cookie", session.ID.String(), "request", a.id, "route", a.route.ID)
}

// seeAccount notes that a session was used. That nobody can write it down takes no
// right away.
func (s *Server) seeAccount(ctx context.Context, session archive.AccountSession) {
	now := timeOf(s.now())
	if now < session.Seen+archive.SeenEvery {
		return
	}
	if err := s.config.Archive.AccountSessions.SeeAccountSession(ctx, session.Account, session.ID, now); err != nil && ctx.Err() == nil {
		s.log.Warn("see session", "account", session.Account, "session", session.ID, "error", err)
	}
}

// aboutAccount compares the account that a body names with the asker's.
func (a *asking) aboutAccount(id latchkey.AccountID) error {
	if id != a.account {
		return refuse(http.StatusBadRequest, api.WrongAccount, "The message is about another account than the one that is signed in.")
	}
	return nil
}

func (a *asking) accountDone() error {
	a.answer(api.AccountOK{Account: a.account, OK: true})
	return nil
}

// accountOf returns an account, and refuses a row that is another's.
func (s *Server) accountOf(ctx context.Context, id latchkey.AccountID) (archive.Account, error) {
	is, err := s.config.Archive.Accounts.Account(ctx, id)
	if err == nil && is.ID != id {
		s.alarm.misroute("account", true, "asked", id.String(), "found", is.ID.String())
		return archive.Account{}, misroute()
	}
	return is, err
}

// accountAt returns the account of an address, and refuses a row that is another's.
func (s *Server) accountAt(ctx context.Context, address account.Address) (archive.Account, error) {
	is, err := s.config.Archive.Accounts.AccountOf(ctx, address)
	if err == nil && is.Address != address {
		s.alarm.misroute("account", true, "found", is.ID.String())
		return archive.Account{}, misroute()
	}
	return is, err
}

// unlockersOf returns the unlockers of an account, and refuses another's among them.
func (s *Server) unlockersOf(ctx context.Context, id latchkey.AccountID) ([]archive.Unlocker, error) {
	all, err := s.config.Archive.Unlockers.Unlockers(ctx, id)
	for _, u := range all {
		if u.Account != id {
			s.alarm.misroute("unlocker", true, "asked", id.String(), "found", u.Account.String())
			return nil, misroute()
		}
	}
	return all, err
}

// vaultOf returns the vault of an account, and refuses one that says that it is
// another's.
func (s *Server) vaultOf(ctx context.Context, id latchkey.AccountID) (account.Vault, []byte, error) {
	kept, err := s.config.Archive.Vaults.Vault(ctx, id)
	if err != nil {
		return account.Vault{}, nil, err
	}
	v, err := account.ParseVault(kept.Bytes)
	if err != nil {
		s.counters.corrupt.Inc()
		return account.Vault{}, nil, corrupt()
	}
	if kept.Account != id || v.Account != id {
		s.alarm.misroute("vault", true, "asked", id.String(), "found", v.Account.String())
		return account.Vault{}, nil, misroute()
	}
	return v, kept.Bytes, nil
}

func (s *Server) account(a *asking) error {
	is, err := s.accountOf(a.r.Context(), a.account)
	if err != nil {
		return err
	}
	v, _, err := s.vaultOf(a.r.Context(), a.account)
	if err != nil {
		return err
	}
	all, err := s.unlockersOf(a.r.Context(), a.account)
	if err != nil {
		return err
	}
	out := api.Account{
		Account: is.ID, Email: string(is.Address), Verified: is.Verified, Codes: is.Codes, Vault: v.Number, Unlockers: []api.UnlockerRow{},
	}
	for _, u := range all {
		out.Unlockers = append(out.Unlockers, api.UnlockerRow{Unlocker: u.ID, Kind: u.Kind, Params: u.Params, Added: u.Added, Used: u.Used})
	}
	a.answer(out)
	return nil
}

func (s *Server) vault(a *asking) error {
	_, vault, err := s.vaultOf(a.r.Context(), a.account)
	if err != nil {
		return err
	}
	a.answer(api.AccountVault{Account: a.account, Vault: vault})
	return nil
}

func (s *Server) putVault(a *asking) error {
	var in api.AccountVault
	if err := a.read(&in); err != nil {
		return err
	}
	if err := a.aboutAccount(in.Account); err != nil {
		return err
	}
	next, err := account.ParseVault(in.Vault)
	if err != nil {
		return accountRefusal(err)
	}
	if err := a.aboutAccount(next.Account); err != nil {
		return err
	}
	kept, _, err := s.vaultOf(a.r.Context(), a.account)
	if err != nil {
		return err
	}
	if next.Hash() == kept.Hash() { // the same again is accepted
		return a.accountDone()
	}
	err = archive.ErrConflict
	if next.Follows(&kept) {
		err = s.config.Archive.Vaults.PutVault(a.r.Context(), next.Prev, archive.Vault{Account: a.account, Bytes: in.Vault})
	}
	if errors.Is(err, archive.ErrConflict) {
		_, newer, err := s.vaultOf(a.r.Context(), a.account)
		if err != nil {
			return err
		}
		r := refuse(http.StatusConflict, api.Conflict, "Another of your devices has changed what is kept at the same time. Look again, and repeat what you wanted.")
		r.body.Document = newer
		return r
	} else if err != nil {
		return err
	}
	return a.accountDone()
}

// accountRefusal gives a refusal of package account its status and its sentence.
func accountRefusal(err error) error {
	reason := account.ReasonOf(err)
	switch reason {
	case "":
		return err
	case account.LastUnlockers:
		return refuse(http.StatusConflict, api.LastUnlockers, "An account needs two ways to open it at any time, one of them no passkey. Add another first.")
	case account.TooMany:
		return refuse(http.StatusConflict, api.TooMany, "An account has at most 16 ways to open it. Remove one that you do not use.")
	case account.BadAddress:
		return malformed("This is no e-mail address. Look for a typing error.")
	case account.Oversize:
		return refuse(http.StatusRequestEntityTooLarge, api.Oversize, "What should be kept for the account is larger than it may be.")
	}
	return refuse(http.StatusBadRequest, api.Reason(reason), "What should be kept for the account is refused: "+string(reason)+".")
}

func (s *Server) accountSessions(a *asking) error {
	all, err := s.sessionsOf(a)
	if err != nil {
		return err
	}
	out := api.AccountSessions{Account: a.account, Sessions: []api.AccountSessionRow{}}
	for _, n := range all {
		out.Sessions = append(out.Sessions, api.AccountSessionRow{
			Session: n.ID, Browser: n.Browser, Started: n.Started, Seen: n.Seen, Expires: n.Expires, Current: n.ID == a.held.ID,
		})
	}
	a.answer(out)
	return nil
}

// sessionsOf returns the sessions of the asker's account that hold.
func (s *Server) sessionsOf(a *asking) (holding []archive.AccountSession, err error) {
	all, err := s.config.Archive.AccountSessions.AccountSessionsOf(a.r.Context(), a.account)
	if err != nil {
		return nil, err
	}
	for _, n := range all {
		if n.Account != a.account {
			s.alarm.misroute("account-sessions", true, "asked", a.account.String(), "found", n.Account.String())
			return nil, misroute()
		}
		if n.Expires >= timeOf(s.now()) {
			holding = append(holding, n)
		}
	}
	return holding, nil
}

// endAccountListed ends a session of the list.
func (s *Server) endAccountListed(a *asking) error {
	all, err := s.sessionsOf(a)
	if err != nil {
		return err
	}
	for _, n := range all {
		if n.ID == a.ends {
			return s.endAccountSession(a, n.ID)
		}
	}
	return notFound()
}

// signOutAccount ends the asker's session.
func (s *Server) signOutAccount(a *asking) error { return s.endAccountSession(a, a.held.ID) }

func (s *Server) endAccountSession(a *asking, session latchkey.SessionID) error {
	if err := s.config.Archive.AccountSessions.EndAccountSession(a.r.Context(), a.account, session); err != nil {
		return err
	}
	if session == a.held.ID {
		s.setNamedCookie(a, api.AccountCookie, "", -1)
	}
	return a.accountDone()
}
