package notify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/notify"
	"github.com/latchkey-cam/latchkey/notify/notifytest"
)

const to = account.Address("ada@example.org")

func smtp(t *testing.T, s *notifytest.Server, c notify.SMTPConfig) *notify.SMTP {
	t.Helper()
	c.From, c.Roots = "cam@example.com", s.Roots
	m, err := notify.NewSMTP(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMailArrives(t *testing.T) {
	for _, c := range []struct {
		says   string
		server notifytest.Config
		url    string
		secret bool
	}{
		{"on this machine", notifytest.Config{}, "smtp://ADDRESS", false},
		{"with TLS from the first byte", notifytest.Config{TLS: true, Auth: true}, "smtps://" + notifytest.User + "@ADDRESS", true},
		{"with STARTTLS", notifytest.Config{Offer: true, Auth: true}, "smtp://" + notifytest.User + "@" + notifytest.Name + ":25", true},
	} {
		t.Run(c.says, func(t *testing.T) {
			server := notifytest.Serve(t, c.server)
			m := smtp(t, server, notify.SMTPConfig{Server: strings.Replace(c.url, "ADDRESS", server.Address, 1), Password: notifytest.Password})
			if strings.Contains(c.url, notifytest.Name) {
				m.ReachAt(server.Address)
			}
			for _, mail := range []notify.Mail{notify.Code(to, "home.example.com", "12345678"), notify.HasAccount(to, "home.example.com"), notify.Moving(to, "home.example.com")} {
				if err := m.Send(t.Context(), mail); err != nil {
					t.Fatal(err)
				}
				all := server.Mails()
				got := all[len(all)-1]
				if got.From != "cam@example.com" || got.To != string(to) || got.TLS != c.secret || strings.TrimSpace(got.Text) != strings.TrimSpace(mail.Text) {
					t.Errorf("arrived:\n%s", got.Raw)
				}
				for name, want := range map[string]string{"Subject": mail.Subject, "To": "<ada@example.org>", "From": `"Latchkey" <cam@example.com>`, "Auto-Submitted": "auto-generated"} {
					if have := got.Header.Get(name); have != want {
						t.Errorf("%s: %q, want %q", name, have, want)
					}
				}
				if strings.Contains(got.Raw, "http") {
					t.Error("a link in a mail")
				}
			}
			if n := len(server.Mails()); n != 3 {
				t.Errorf("%d mails arrived, want 3", n)
			}
		})
	}
}

// TestMailStaysSecret: without TLS nothing leaves this machine, and neither does it to
// somebody who only says to be the server.
func TestMailStaysSecret(t *testing.T) {
	for _, c := range []struct {
		says   string
		server notifytest.Config
		url    string
		roots  bool
	}{
		{"a server that offers no TLS", notifytest.Config{Auth: true}, "smtp://" + notifytest.User + "@" + notifytest.Name, true},
		{"a certificate that nobody signed", notifytest.Config{Offer: true, Auth: true}, "smtp://" + notifytest.User + "@" + notifytest.Name, false},
		{"a certificate for another name", notifytest.Config{Offer: true, Auth: true}, "smtp://" + notifytest.User + "@mail.elsewhere.org", true},
		{"a server that speaks in clear where TLS begins at once", notifytest.Config{Auth: true}, "smtps://" + notifytest.User + "@" + notifytest.Name, true},
	} {
		server := notifytest.Serve(t, c.server)
		if !c.roots {
			server.Roots = nil
		}
		m := smtp(t, server, notify.SMTPConfig{Server: c.url, Password: notifytest.Password})
		m.ReachAt(server.Address)
		if err := m.Send(t.Context(), notify.HasAccount(to, "home.example.com")); err == nil || len(server.Mails()) > 0 {
			t.Errorf("%s: %v, and %d mails arrived", c.says, err, len(server.Mails()))
		} else if strings.Contains(err.Error(), notifytest.Password) {
			t.Errorf("%s: the password is in the error: %v", c.says, err)
		}
	}
}

// TestMailHeaders: nothing that is put into a mail makes another header or recipient.
func TestMailHeaders(t *testing.T) {
	server := notifytest.Serve(t, notifytest.Config{})
	m := smtp(t, server, notify.SMTPConfig{Server: "smtp://" + server.Address})
	for _, mail := range []notify.Mail{
		{"ada@example.org\r\nBcc: bob@example.org", "subject", "text"},
		{"ada@example.org, bob@example.org", "subject", "text"},
		{"ada@example.org> RCPT TO:<bob@example.org", "subject", "text"},
		{to, "subject\r\nBcc: bob@example.org", "text"},
		{to, "subject\nX: y", "text"},
	} {
		if err := m.Send(t.Context(), mail); err == nil {
			t.Errorf("%q was sent", mail)
		}
	}
	text := "Bcc: bob@example.org\n.\nMAIL FROM:<x@example.org>\n"
	if err := m.Send(t.Context(), notify.Mail{To: to, Subject: "Grüße", Text: text}); err != nil {
		t.Fatal(err)
	}
	all := server.Mails()
	if len(all) != 1 || all[0].Header.Get("Bcc") != "" || strings.TrimSpace(all[0].Text) != strings.TrimSpace(text) {
		t.Errorf("arrived: %+v", all)
	}
}

// TestMailRefused: the error says what the server said and leaves out for whom.
func TestMailRefused(t *testing.T) {
	server := notifytest.Serve(t, notifytest.Config{Refuses: true})
	m := smtp(t, server, notify.SMTPConfig{Server: "smtp://" + server.Address})
	err := m.Send(t.Context(), notify.HasAccount(to, "home.example.com"))
	if err == nil || !strings.Contains(err.Error(), "550") || strings.Contains(strings.ToLower(err.Error()), "ada") {
		t.Errorf("the server refuses: %v", err)
	}
}

func TestMailConfig(t *testing.T) {
	for _, c := range []notify.SMTPConfig{
		{Server: "", From: "a@b"}, {Server: "mail.example.org", From: "a@b"}, {Server: "http://mail.example.org", From: "a@b"},
		{Server: "smtp://mail.example.org/x", From: "a@b"}, {Server: "smtp://mail.example.org?x=y", From: "a@b"},
		{Server: "smtp://u:secret-word@mail.example.org", From: "a@b"}, {Server: "smtp://u@mail.example.org", From: "a@b"},
		{Server: "smtp://mail.example.org", From: ""}, {Server: "smtp://mail.example.org", From: "Latchkey <a@b>"},
		{Server: "smtp://mail.example.org:99999", From: "a@b"},
	} {
		if _, err := notify.NewSMTP(c); err == nil || strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if said := fmt.Sprintf("%v %+v %#v %s %q", notify.Password("x1y2"), notify.SMTPConfig{Password: "x1y2"}, notify.SMTPConfig{Password: "x1y2"}, notify.Password("x1y2"), notify.Password("x1y2")); strings.Contains(said, "x1y2") {
		t.Errorf("the password prints itself: %s", said)
	}
}
