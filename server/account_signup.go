package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// beginAccount names a fresh account, gives what to ask a passkey, and mails a code.
func (s *Server) beginAccount(a *asking) error {
	var in api.BeginAccount
	if err := a.read(&in); err != nil {
		return err
	}
	ctx := a.r.Context()
	if err := s.admits(ctx, in.Ticket); err != nil {
		return err
	}
	address, err := account.ParseAddress(in.Email)
	if err != nil {
		return accountRefusal(err)
	}
	taken, err := s.taken(ctx, address, latchkey.AccountID{})
	if err != nil {
		return err
	}
	out := api.AccountBegun{Account: latchkey.NewAccountID(), Mail: api.MailNone}
	switch {
	case s.config.Mail != nil:
		if err := s.mailTo(address); err != nil {
			return err
		}
		if err := s.sendCode(ctx, out.Account, address, taken); err != nil {
			return err
		}
		out.Mail = api.MailSent
	case taken:
		return hasAccount()
	}
	if s.accounts.passkeys.web != nil {
		if out.Options, err = s.accounts.passkeys.options(out.Account, address, nil); err != nil {
			return err
		}
	}
	a.answer(out)
	return nil
}

func hasAccount() *refusal {
	return refuse(http.StatusConflict, api.Conflict, "There is an account with this address already. Sign in to it, or give another address.")
}

// taken says whether an address is another account's.
func (s *Server) taken(ctx context.Context, address account.Address, own latchkey.AccountID) (bool, error) {
	is, err := s.accountAt(ctx, address)
	if errors.Is(err, archive.ErrNotFound) {
		return false, nil
	}
	return is.ID != own, err
}

func (s *Server) signUp(a *asking) error {
	var in api.SignUp
	if err := a.read(&in); err != nil {
		return err
	}
	ctx := a.r.Context()
	if err := s.admits(ctx, in.Ticket); err != nil {
		return err
	}
	address, err := account.ParseAddress(in.Email)
	if err != nil {
		return accountRefusal(err)
	}
	key, err := macKey(in.MACKey)
	if err != nil {
		return err
	}
	v, err := account.ParseVault(in.Vault)
	if err != nil {
		return accountRefusal(err)
	}
	if v.Account != in.Account || !v.Follows(nil) {
		return malformed("The vault is not the first of this account.")
	}
	if s.config.Mail != nil { // before the unlockers, whose passkeys it would use up
		if err := s.checkMailCode(a, in.Account, address, in.Code); err != nil {
			return err
		}
	}
	all, err := s.enrolAll(in.Account, in.Unlockers)
	if err != nil {
		return err
	}
	n := archive.Account{ID: in.Account, Address: address, Verified: s.config.Mail != nil, Created: timeOf(s.now())}
	switch err := s.config.Archive.Accounts.SignUp(ctx, n, all, archive.Vault{Account: in.Account, Bytes: in.Vault}); {
	case errors.Is(err, archive.ErrTaken):
		return hasAccount()
	case errors.Is(err, archive.ErrConflict):
		return refuse(http.StatusConflict, api.Conflict, "This account exists already. If that was you a moment ago, sign in to it.")
	case err != nil:
		return err
	}
	s.log.Info("account made", "account", n.ID)
	return s.startAccount(a, all[0], key, in.Vault)
}

func macKey(b []byte) (key api.MACKey, err error) {
	if len(b) != len(key) {
		return key, malformed("A MAC key has 32 bytes.")
	}
	return api.MACKey(b), nil
}

// enrolAll checks the unlockers of a new account.
func (s *Server) enrolAll(id latchkey.AccountID, in []api.Unlocker) ([]archive.Unlocker, error) {
	kinds, seen := []account.Kind{}, map[latchkey.UnlockerID]bool{}
	for _, u := range in {
		if seen[u.Unlocker] {
			return nil, malformed("Two unlockers have the same ID.")
		}
		kinds, seen[u.Unlocker] = append(kinds, u.Kind), true
	}
	if err := account.CheckKinds(kinds); err != nil {
		return nil, accountRefusal(err)
	}
	var all []archive.Unlocker
	for _, u := range in {
		is, err := s.enrol(id, u)
		if err != nil {
			return nil, err
		}
		all = append(all, is)
	}
	return all, nil
}

// enrol checks an unlocker that somebody has made, and returns it with what the server
// recognises it by.
func (s *Server) enrol(id latchkey.AccountID, in api.Unlocker) (archive.Unlocker, error) {
	u := archive.Unlocker{
		Unlocker: account.Unlocker{Account: id, ID: in.Unlocker, Kind: in.Kind, Params: in.Params, Wrapped: in.Wrapped},
		Added:    timeOf(s.now()),
	}
	if err := u.Check(); err != nil {
		return u, accountRefusal(err)
	}
	if u.Kind == account.Passkey {
		return u, s.enrolPasskey(&u, in)
	}
	if len(in.Auth) != 32 || in.Attestation != "" {
		return u, malformed("A passphrase or recovery code comes with 32 bytes that prove it, and nothing else.")
	}
	if u.Kind == account.Passphrase {
		if stretch, _ := account.ParseStretch(u.Params); stretch != account.NewStretch(stretch.Salt) { // it parses, as was checked
			return u, malformed("A passphrase is stretched as docs/account.md says, not otherwise.")
		}
	}
	verifier := account.Verifier(in.Auth)
	u.Verifier = verifier[:]
	return u, nil
}

func (s *Server) enrolPasskey(u *archive.Unlocker, in api.Unlocker) error {
	if len(in.Auth) > 0 {
		return malformed("A passkey comes with an attestation and nothing else.")
	}
	credential, verifier, err := s.accounts.passkeys.made(u.Account, in.Attestation)
	if errors.Is(err, errPasskey) || err == nil && string(credential) != string(u.Params) {
		return malformed("The passkey was not made for this account here, or took too long. Make it again.")
	}
	u.Verifier = verifier
	return err
}
