package server_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/notify/notifytest"
)

var eightDigits = regexp.MustCompile(`\b[0-9]{8}\b`)

// codeTo returns the code in the newest mail to an address.
func codeTo(t *testing.T, post *notifytest.Server, to string) string {
	t.Helper()
	all := post.Mails()
	if len(all) == 0 || all[len(all)-1].To != to {
		t.Fatalf("the newest of %d mails is not to %s", len(all), to)
	}
	return eightDigits.FindString(all[len(all)-1].Text)
}

// signUpByMail makes an account on a server that sends mail.
func (h *house) signUpByMail(t *testing.T, post *notifytest.Server, email string) *somebody {
	t.Helper()
	ticket := must(h.MintSetup(t.Context()))
	begun := must(h.client.BeginAccount(t.Context(), ticket, email))
	p := h.prepare(t, email, begun.Account)
	form := p.form(ticket)
	form.Code = codeTo(t, post, email)
	p.session = must(h.client.SignUp(t.Context(), form))
	return p
}

func TestMail(t *testing.T) {
	h, post := mailing(t)
	ticket := must(h.MintSetup(t.Context()))
	begun := must(h.client.BeginAccount(t.Context(), ticket, "Ada@Example.org"))
	if begun.Mail != api.MailSent {
		t.Fatalf("begun: %+v", begun)
	}
	code := codeTo(t, post, "ada@example.org")
	p := h.prepare(t, "ada@example.org", begun.Account)
	other := h.prepare(t, "ada@example.org", latchkey.NewAccountID())
	form := p.form(ticket)
	for what, wrong := range map[string]string{"no code": "", "another code": otherCode(code), "the code and more": code + "0"} {
		form.Code = wrong
		_, err := h.client.SignUp(t.Context(), form)
		refused(t, what, err, api.SignInRefused)
	}
	foreign := other.form(ticket)
	foreign.Code = code
	_, err := h.client.SignUp(t.Context(), foreign)
	refused(t, "a code for another account", err, api.SignInRefused)
	h.pass(14 * time.Minute)
	form.Code = code
	p.session = must(h.client.SignUp(t.Context(), form))
	if is := must(p.session.Look(t.Context())); !is.Verified {
		t.Errorf("the account: %+v", is)
	}

	// Another address: a code to it, a notice to the one before.
	if said := must(p.session.ChangeEmail(t.Context(), "ada@example.com")); said != api.MailSent {
		t.Errorf("changing the address says %q", said)
	}
	all := post.Mails()
	if notice := all[len(all)-2]; notice.To != "ada@example.org" || eightDigits.MatchString(notice.Text) || strings.Contains(notice.Raw, "example.com>\n") {
		t.Errorf("the notice: %s", notice.Raw)
	}
	code = codeTo(t, post, "ada@example.com")
	refused(t, "another code", p.session.ConfirmEmail(t.Context(), "ada@example.com", otherCode(code)), api.SignInRefused)
	refused(t, "a code for another address", p.session.ConfirmEmail(t.Context(), "eve@example.com", code), api.SignInRefused)
	if is := must(p.session.Look(t.Context())); is.Email != "ada@example.org" {
		t.Errorf("the address has changed already: %+v", is)
	}
	if err := p.session.ConfirmEmail(t.Context(), "Ada@Example.com", code); err != nil {
		t.Fatal(err)
	}
	if is := must(p.session.Look(t.Context())); is.Email != "ada@example.com" || !is.Verified {
		t.Errorf("the account: %+v", is)
	}
	_, err = h.client.SignInAccount(t.Context(), p.byPhrase(), nil)
	refused(t, "signing in with the address from before", err, api.SignInRefused)
	p.email = "ada@example.com"
	p.signIn(p.byPhrase())

	// A code that is too old.
	if _, err := p.session.ChangeEmail(t.Context(), "ada@example.net"); err != nil {
		t.Fatal(err)
	}
	code = codeTo(t, post, "ada@example.net")
	h.pass(31 * time.Minute)
	p.signIn(p.byPhrase())
	refused(t, "an old code", p.session.ConfirmEmail(t.Context(), "ada@example.net", code), api.SignInRefused)
	for _, m := range post.Mails() {
		if strings.Contains(m.Raw, p.id.String()) || strings.Contains(m.Raw, "http") {
			t.Errorf("a mail says too much: %s", m.Raw)
		}
	}
}

func otherCode(code string) string {
	if code == "00000000" {
		return "00000001"
	}
	return "00000000"
}

// TestMailTellsNobody: whoever gives somebody else's address is answered as for any
// other, and the mail tells its owner.
func TestMailTellsNobody(t *testing.T) {
	h, post := mailing(t)
	p, eve := h.signUpByMail(t, post, "ada@example.org"), h.signUpByMail(t, post, "eve@example.org")
	ticket := must(h.MintSetup(t.Context()))
	answer := func(email string) string {
		begun := must(h.client.BeginAccount(t.Context(), ticket, email))
		begun.Account = latchkey.AccountID{}
		return string(must(json.Marshal(begun)))
	}
	if known, unknown := answer("ada@example.org"), answer("new@example.org"); known != unknown {
		t.Errorf("to begin with a known address says %s, with another %s", known, unknown)
	}
	all := post.Mails()
	if told := all[len(all)-2]; told.To != "ada@example.org" || eightDigits.MatchString(told.Text) || !strings.Contains(told.Text, "one already") {
		t.Errorf("the mail to a known address: %s", told.Raw)
	}
	for _, email := range []string{"ada@example.org", "other@example.org"} {
		if said, err := eve.session.ChangeEmail(t.Context(), email); said != api.MailSent || err != nil {
			t.Errorf("changing to %s: %s, %v", email, said, err)
		}
		refused(t, "a guess at "+email, eve.session.ConfirmEmail(t.Context(), email, "12345678"), api.SignInRefused)
		x := h.prepare(t, email, latchkey.NewAccountID())
		form := x.form(ticket)
		form.Code = "12345678"
		_, err := h.client.SignUp(t.Context(), form)
		refused(t, "signing up with a guess at "+email, err, api.SignInRefused)
	}
	p.signIn(p.byPhrase())
}

// TestMailLimits: three an hour to an address, whatever they are for.
func TestMailLimits(t *testing.T) {
	h, post := mailing(t)
	p := h.signUpByMail(t, post, "ada@example.org")
	ticket := must(h.MintSetup(t.Context()))
	for range 2 {
		must(h.client.BeginAccount(t.Context(), ticket, "ada@example.org"))
	}
	_, err := h.client.BeginAccount(t.Context(), ticket, "ADA@example.org")
	refused(t, "the fourth mail within an hour", err, api.TooMany)
	if e, ok := errors.AsType[*api.Error](err); !ok || e.RetryAfter() > time.Hour || e.RetryAfter() < 59*time.Minute {
		t.Errorf("come back after: %v", err)
	}
	_, err = p.session.ChangeEmail(t.Context(), "ada@example.com")
	refused(t, "a change whose notice would be the fourth", err, api.TooMany)
	if n := len(post.Mails()); n != 3 {
		t.Errorf("%d mails went out", n)
	}
	h.pass(time.Hour)
	ticket = must(h.MintSetup(t.Context()))
	must(h.client.BeginAccount(t.Context(), ticket, "ada@example.org"))
	post.Break(true)
	_, err = h.client.BeginAccount(t.Context(), ticket, "ada@example.org")
	refused(t, "a mail server that refuses", err, api.Busy)
	if strings.Contains(strings.ToLower(h.logs.text()), "ada@") {
		t.Errorf("the log holds an address: %s", h.logs.text())
	}
}

// TestWithoutMail: an address is never proven, and changes at once.
func TestWithoutMail(t *testing.T) {
	h := openHouse(t)
	p, other := h.signUp(t, "ada@example.org"), h.signUp(t, "bob@example.org")
	if said := must(p.session.ChangeEmail(t.Context(), "ada@example.com")); said != api.MailNone {
		t.Errorf("changing the address says %q", said)
	}
	if is := must(p.session.Look(t.Context())); is.Email != "ada@example.com" || is.Verified {
		t.Errorf("the account: %+v", is)
	}
	_, err := p.session.ChangeEmail(t.Context(), other.email)
	refused(t, "another's address", err, api.Conflict)
	_, err = h.client.BeginAccount(t.Context(), must(h.MintSetup(t.Context())), other.email)
	refused(t, "another's address", err, api.Conflict)
	_, err = p.session.ChangeEmail(t.Context(), "no address")
	refused(t, "no address", err, api.Malformed)
	if a := account.Address("ada@example.com"); must(h.archive.AccountOf(t.Context(), a)).ID != p.id {
		t.Error("the archive has another account")
	}
	refused(t, "a code where none was sent", p.session.ConfirmEmail(t.Context(), "x@example.org", "12345678"), api.SignInRefused)
}
