package server

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/notify"
)

func accountDeleted() *refusal {
	return refuse(http.StatusGone, api.AccountEnded, "This account was deleted. Nothing of it is left here.").after(10 * time.Minute)
}

// endOf proves to this server, and to one that is restored from its backup, that it has
// ended the account: by the accounts' key, which is in every backup that has accounts.
// It is made for nobody but whoever ends it, so that there is none of an account that
// goes on.
func (s *Server) endOf(id latchkey.AccountID) []byte {
	return s.derive("latchkey account end v1", id[:])
}

// deleteAccount ends the asker's account. Its sessions end in the same transaction, the
// asker's too.
func (s *Server) deleteAccount(a *asking) error {
	ctx := a.r.Context()
	is, err := s.accountOf(ctx, a.account)
	if err != nil {
		return err
	}
	if err := s.endAccount(ctx, a.account); err != nil {
		return err
	}
	if s.config.Mail != nil { // somebody else may have done it in their browser
		if err := s.config.Mail.Send(ctx, notify.Deleted(is.Address, s.accounts.host)); err != nil {
			s.log.Warn("notice of a deleted account", "account", a.account, "error", err)
		}
	}
	s.setNamedCookie(a, api.AccountCookie, "", -1)
	a.answer(api.AccountEnd{Account: a.account, End: s.endOf(a.account)})
	return nil
}

func (s *Server) endAccount(ctx context.Context, id latchkey.AccountID) error {
	if err := s.config.Archive.AccountEnds.EndAccount(ctx, archive.AccountEnd{Account: id, Time: timeOf(s.now())}); err != nil {
		return err
	}
	s.log.Info("account deleted", "account", id)
	return nil
}

// endAgain ends an account that this server has ended once, and that a backup has brought
// back. The browser that ended it has kept the proof.
func (s *Server) endAgain(a *asking) error {
	var in api.AccountEnd
	if err := a.read(&in); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(in.End, s.endOf(in.Account)) != 1 {
		return refuse(http.StatusForbidden, api.SignInRefused, "This server has not ended this account.")
	}
	if err := s.endAccount(a.r.Context(), in.Account); err != nil {
		return err
	}
	a.answer(api.AccountOK{Account: in.Account, OK: true})
	return nil
}

// orEnded is what to say to somebody who has no session of an account: that it has ended,
// to whoever knows its ID, and otherwise no.
func (s *Server) orEnded(ctx context.Context, id latchkey.AccountID, no error) error {
	is, err := s.config.Archive.AccountEnds.AccountEnd(ctx, id)
	switch {
	case errors.Is(err, archive.ErrNotFound):
		return no
	case err != nil:
		return err
	case is.Account != id:
		s.alarm.misroute("account-end", true, "asked", id.String(), "found", is.Account.String())
		return misroute()
	}
	return accountDeleted()
}
