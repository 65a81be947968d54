package server

import (
	"errors"
	"net/http"

	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/notify"
)

// What changes what opens an account. The wall has seen that the session began lately.

func (s *Server) beginUnlocker(a *asking) error {
	var in api.Empty
	if err := a.read(&in); err != nil {
		return err
	}
	is, err := s.accountOf(a.r.Context(), a.account)
	if err != nil {
		return err
	}
	all, err := s.unlockersOf(a.r.Context(), a.account)
	if err != nil {
		return err
	}
	options, err := s.accounts.passkeys.options(a.account, is.Address, all)
	if err != nil {
		return err
	}
	a.answer(api.AccountOptions{Account: a.account, Options: options})
	return nil
}

func (s *Server) addUnlocker(a *asking) error {
	var in api.AddUnlocker
	if err := a.read(&in); err != nil {
		return err
	}
	if err := a.aboutAccount(in.Account); err != nil {
		return err
	}
	u, err := s.enrol(a.account, in.Unlocker)
	if err != nil {
		return err
	}
	switch err := s.config.Archive.Unlockers.PutUnlocker(a.r.Context(), u); {
	case errors.Is(err, archive.ErrTooMany):
		return accountRefusal(account.Refuse(account.TooMany, "%v", err))
	case errors.Is(err, archive.ErrConflict):
		return refuse(http.StatusConflict, api.Conflict, "There is another of this name already. Make a new one.")
	case err != nil:
		return err
	}
	return a.accountDone()
}

func (s *Server) removeUnlocker(a *asking) error {
	err := s.config.Archive.Unlockers.DropUnlocker(a.r.Context(), a.account, a.unlocker)
	if errors.Is(err, archive.ErrTooFew) {
		return accountRefusal(account.Refuse(account.LastUnlockers, "%v", err))
	} else if err != nil {
		return err
	}
	return a.accountDone()
}

func (s *Server) beginCodes(a *asking) error {
	var in api.Empty
	if err := a.read(&in); err != nil {
		return err
	}
	is, err := s.accountOf(a.r.Context(), a.account)
	if err != nil {
		return err
	}
	if is.Codes {
		return refuse(http.StatusConflict, api.Conflict, "Codes are asked for already. To change the app, end that first.")
	}
	secret := account.NewCodeSecret()
	uri, err := secret.URI(s.accounts.host, is.Address)
	if err != nil {
		return err
	}
	if err := s.config.Archive.Codes.SetCode(a.r.Context(), a.account, secret[:]); err != nil {
		return err
	}
	a.answer(api.CodeSecret{Account: a.account, Secret: secret.Text(), URI: uri})
	return nil
}

func (s *Server) proveCode(a *asking) error {
	var in api.ProveCode
	if err := a.read(&in); err != nil {
		return err
	}
	no := refuse(http.StatusForbidden, api.SignInRefused, "This is not the code that the app shows now. Is the clock of its phone right? After five wrong ones the server takes none for a while.")
	right, err := a.guesses()
	if err != nil {
		return err
	}
	if !s.accounts.guesses.try("code", a.account.String(), s.now()) {
		return no
	}
	is, err := s.accountOf(a.r.Context(), a.account)
	if err != nil {
		return err
	}
	step, err := s.codeStep(is, in.Code)
	if err != nil {
		return err
	}
	if step == 0 {
		return no
	}
	err = s.config.Archive.Codes.UseCode(a.r.Context(), a.account, step)
	if errors.Is(err, archive.ErrUsed) {
		return no
	} else if err != nil {
		return err
	}
	right()
	s.accounts.guesses.right("code", a.account.String())
	return a.accountDone()
}

func (s *Server) endCodes(a *asking) error {
	if err := s.config.Archive.Codes.SetCode(a.r.Context(), a.account, nil); err != nil {
		return err
	}
	return a.accountDone()
}

// changeEmail mails a code to the new address and a notice to the present one. Without
// mail it changes the address at once: then none was ever proven.
func (s *Server) changeEmail(a *asking) error {
	var in api.ChangeEmail
	if err := a.read(&in); err != nil {
		return err
	}
	to, err := account.ParseAddress(in.Email)
	if err != nil {
		return accountRefusal(err)
	}
	ctx := a.r.Context()
	is, err := s.accountOf(ctx, a.account)
	if err != nil {
		return err
	}
	out := api.EmailChanging{Account: a.account, Mail: api.MailNone}
	if s.config.Mail == nil {
		err := s.config.Archive.Accounts.SetAddress(ctx, a.account, to, false)
		if errors.Is(err, archive.ErrTaken) {
			return hasAccount()
		} else if err != nil {
			return err
		}
		a.answer(out)
		return nil
	}
	taken, err := s.taken(ctx, to, a.account)
	if err != nil {
		return err
	}
	if is.Address != to {
		if err := s.mailTo(is.Address); err != nil {
			return err
		}
	}
	if err := s.mailTo(to); err != nil {
		return err
	}
	if is.Address != to { // the mailbox may be gone, which may be why it changes
		if err := s.config.Mail.Send(ctx, notify.Moving(is.Address, s.accounts.host)); err != nil {
			s.log.Warn("notice of another address", "account", a.account, "error", err)
		}
	}
	if err := s.sendCode(ctx, a.account, to, taken); err != nil {
		return err
	}
	out.Mail = api.MailSent
	a.answer(out)
	return nil
}

func (s *Server) confirmEmail(a *asking) error {
	var in api.ConfirmEmail
	if err := a.read(&in); err != nil {
		return err
	}
	to, err := account.ParseAddress(in.Email)
	if err != nil {
		return accountRefusal(err)
	}
	if err := s.checkMailCode(a, a.account, to, in.Code); err != nil {
		return err
	}
	err = s.config.Archive.Accounts.SetAddress(a.r.Context(), a.account, to, true)
	if errors.Is(err, archive.ErrTaken) {
		return hasAccount()
	} else if err != nil {
		return err
	}
	return a.accountDone()
}
