// Package notifytest runs a real mail server for tests.
package notifytest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Name is what the server's certificate is for, beside loopback addresses.
const Name = "example.com"

// User and Password are whom the server knows.
const (
	User     = "latchkey"
	Password = "a password for mail"
)

// Config is how a server is.
type Config struct {
	TLS     bool // from the first byte, or with StartTLS
	Offer   bool // STARTTLS
	Auth    bool // it takes mail of User alone
	Refuses bool // every recipient
}

// Server is a mail server on loopback.
type Server struct {
	Address string
	Roots   *x509.CertPool // who signs its certificate

	config Config
	mu     sync.Mutex // protects what follows
	mails  []Mail
	broken bool
}

// Mail is what arrived.
type Mail struct {
	From, To string // of the envelope
	Header   mail.Header
	Text     string
	Raw      string
	TLS      bool
}

// Serve runs a server until the test ends.
func Serve(t testing.TB, c Config) *Server {
	t.Helper()
	web := httptest.NewTLSServer(nil) // for its certificate
	web.Close()
	s := &Server{config: c, Roots: x509.NewCertPool()}
	s.Roots.AddCert(web.Certificate())
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{server: s, conn: c}, nil }))
	server.Domain = Name
	server.AllowInsecureAuth = true
	server.ErrorLog = log.New(io.Discard, "", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Address = listener.Addr().String()
	certificate := &tls.Config{Certificates: web.TLS.Certificates}
	if c.Offer {
		server.TLSConfig = certificate
	}
	if c.TLS {
		listener = tls.NewListener(listener, certificate)
	}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return s
}

// Break makes the server refuse every mail from now on, or take them again.
func (s *Server) Break(broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = broken
}

// Mails are those that arrived, oldest first.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// session is one connection.
type session struct {
	server *Server
	conn   *smtp.Conn
	known  bool
	mail   Mail
}

// AuthMechanisms is [smtp.AuthSession]'s.
func (s *session) AuthMechanisms() []string {
	if s.server.config.Auth {
		return []string{sasl.Plain}
	}
	return nil
}

// Auth is [smtp.AuthSession]'s.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != User || password != Password {
			return errors.New("wrong password")
		}
		s.known = true
		return nil
	}), nil
}

// Mail is [smtp.Session]'s.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.config.Auth && !s.known {
		return smtp.ErrAuthRequired
	}
	_, secret := s.conn.TLSConnectionState()
	s.mail = Mail{From: from, TLS: secret || s.server.config.TLS}
	return nil
}

// Rcpt is [smtp.Session]'s.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if s.server.broken || s.server.config.Refuses {
		return &smtp.SMTPError{Code: 550, Message: "no mailbox <" + strings.ToUpper(to) + ">"}
	}
	s.mail.To = to
	return nil
}

// Data is [smtp.Session]'s.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		return err
	}
	body := m.Body
	if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	s.mail.Header, s.mail.Raw, s.mail.Text = m.Header, string(raw), strings.ReplaceAll(string(text), "\r\n", "\n")
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, s.mail)
	return nil
}

// Reset is [smtp.Session]'s.
func (s *session) Reset() { s.mail = Mail{} }

// Logout is [smtp.Session]'s.
func (s *session) Logout() error { return nil }
