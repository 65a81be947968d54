package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"net/http"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/internal/wire"
	"github.com/latchkey-cam/latchkey/notify"
)

// mailCodeLife is how long a code by mail holds at least; at most it is twice that. The
// code is an HMAC over the account, the address and the time, so that whoever asks for
// codes costs no memory.
const mailCodeLife = 15 * time.Minute

// derive makes what the server answers or asks about an account that may not exist,
// under a key that is as old as the accounts.
func (s *Server) derive(label string, parts ...[]byte) []byte {
	var w wire.Writer
	w.Label(label)
	for _, p := range parts {
		w.LP16(p)
	}
	m := hmac.New(sha256.New, s.accounts.key[:])
	m.Write(w.Bytes())
	return m.Sum(nil)
}

func (s *Server) mailCode(id latchkey.AccountID, to account.Address, at time.Time) string {
	slot := binary.BigEndian.AppendUint64(nil, uint64(at.Unix()/int64(mailCodeLife.Seconds())))
	sum := s.derive("latchkey mail code v1", id[:], []byte(to), slot)
	return fmt.Sprintf("%08d", binary.BigEndian.Uint64(sum)%100_000_000)
}

// checkMailCode says whether a code is the one that came to an address for an account.
func (s *Server) checkMailCode(a *asking, id latchkey.AccountID, to account.Address, code string) error {
	now := s.now()
	right, err := a.guesses()
	if err != nil {
		return err
	}
	no := refuse(http.StatusForbidden, api.SignInRefused,
		"This is not the code of the newest mail, or it is too old. After five wrong ones the server takes none for a while.")
	if !s.accounts.guesses.try("mail", string(to), now) {
		return no
	}
	same := subtle.ConstantTimeCompare([]byte(code), []byte(s.mailCode(id, to, now))) |
		subtle.ConstantTimeCompare([]byte(code), []byte(s.mailCode(id, to, now.Add(-mailCodeLife))))
	if same != 1 {
		return no
	}
	right()
	s.accounts.guesses.right("mail", string(to))
	return nil
}

// mailTo notes that a mail goes to an address, and refuses one too many.
func (s *Server) mailTo(to account.Address) error {
	if wait := s.accounts.mails.allow(string(to), s.now()); wait > 0 {
		return refuse(http.StatusTooManyRequests, api.TooMany, "Several mails went to this address just now. Look there, also among what was taken for spam; more go out later.").after(wait)
	}
	return nil
}

// sendCode mails a code, or, if the address is somebody else's already, a word that
// says so. Whoever asks cannot tell the two.
func (s *Server) sendCode(ctx context.Context, id latchkey.AccountID, to account.Address, taken bool) error {
	m := notify.Code(to, s.accounts.host, s.mailCode(id, to, s.now()))
	if taken {
		m = notify.HasAccount(to, s.accounts.host)
	}
	if err := s.config.Mail.Send(ctx, m); err != nil {
		r := refuse(http.StatusServiceUnavailable, api.Busy, "The server could not hand its mail on. Look at the address again; if it is right, tell the server's operator.")
		r.cause = err
		return r.after(time.Minute)
	}
	return nil
}
