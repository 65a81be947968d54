package notify

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/latchkey-cam/latchkey/account"
)

// patience is how long one step of handing over a mail may take. A page waits for it.
const patience = 15 * time.Second

// SMTPConfig is how mail leaves.
type SMTPConfig struct {
	// Server is smtp://[USER@]HOST[:587], with STARTTLS, or smtps://[USER@]HOST[:465].
	// TLS is a must, except to this very machine. A password has no place here.
	Server string
	// From is the address that mails come from.
	From string
	// Password is USER's, if the server wants one.
	Password Password
	// Roots sign the server's certificate, nil for those that the system knows.
	Roots *x509.CertPool
}

// SMTP hands mail to a server. Make one with [NewSMTP].
type SMTP struct {
	host    string
	from    account.Address
	options []mail.Option
}

// NewSMTP returns a mailer. It connects when it has something to send.
func NewSMTP(c SMTPConfig) (*SMTP, error) {
	u, err := url.Parse(c.Server)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the mail server is no address: want smtp://USER@HOST:587 or smtps://USER@HOST:465")
	}
	if _, has := u.User.Password(); has {
		return nil, errors.New("a password has no place in the mail server's address, where every process sees it: put it into a file")
	}
	s := &SMTP{host: u.Hostname()}
	if s.from, err = account.ParseAddress(c.From); err != nil {
		return nil, errors.New("the address that mails come from is none: want NAME@DOMAIN")
	}
	port, options := 587, []mail.Option{mail.WithTLSPolicy(mail.TLSMandatory)}
	switch {
	case u.Scheme == "smtps":
		port, options = 465, []mail.Option{mail.WithSSL()}
	case loopback(s.host):
		options = []mail.Option{mail.WithTLSPolicy(mail.NoTLS)} // it does not leave the machine
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, fmt.Errorf("the mail server's port is %q", u.Port())
		}
	}
	s.options = append(options, mail.WithPort(port), mail.WithTimeout(patience), mail.WithHELO(helo(s.from)),
		mail.WithTLSConfig(&tls.Config{ServerName: s.host, RootCAs: c.Roots, MinVersion: tls.VersionTLS12}))
	if user := u.User.Username(); user != "" {
		if c.Password == "" {
			return nil, errors.New("the mail server has a user and no password")
		}
		s.options = append(s.options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(user), mail.WithPassword(string(c.Password)))
	}
	if _, err := mail.NewClient(s.host, s.options...); err != nil {
		return nil, fmt.Errorf("set up mail: %w", err)
	}
	return s, nil
}

// helo is how we greet: by the domain that mails come from, not by the machine's name.
func helo(from account.Address) string {
	_, domain, _ := strings.Cut(string(from), "@")
	return domain
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send is [Mailer]'s. Its errors do not name the address.
func (s *SMTP) Send(ctx context.Context, m Mail) error {
	// Whatever the type says, a line break in an address would be another header.
	to, err := account.ParseAddress(string(m.To))
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	if strings.ContainsAny(m.Subject, "\r\n") {
		return errors.New("send mail: a subject of several lines")
	}
	message := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := message.FromFormat("Latchkey", string(s.from)); err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	if err := message.To(string(to)); err != nil {
		return fmt.Errorf("send mail: %s", hide(err, to))
	}
	message.Subject(m.Subject)
	message.SetDate()
	message.SetMessageIDWithValue(rand.Text() + "@" + helo(s.from)) // not by the name of the machine
	message.SetGenHeader("Auto-Submitted", "auto-generated")        // no holiday replies
	message.SetBodyString(mail.TypeTextPlain, m.Text)
	client, err := mail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, message); err != nil {
		return fmt.Errorf("send mail: %s", hide(err, to))
	}
	return nil
}

// hide takes the address out of what a mail server says, for the log. It breaks the
// chain of errors, which has the address too.
func hide(err error, to account.Address) string {
	return strings.ReplaceAll(strings.ToLower(err.Error()), string(to), "the address")
}
