package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey/certificate"
	"github.com/latchkey-cam/latchkey/notify"
	"github.com/latchkey-cam/latchkey/server"
	"github.com/latchkey-cam/latchkey/web"
)

// serverCommand is the server and what looks after it.
type serverCommand struct {
	Run       serverRun       `cmd:"" default:"withargs" help:"Run the server. The word may be left out."`
	SetupLink serverSetupLink `cmd:"" name:"setup-link" help:"Print a link with which a home can be founded, once, within 30 minutes."`

	Check          serverCheck          `cmd:"" help:"Look whether all that the server keeps is there and whole."`
	RotateCacheKey serverRotateCacheKey `cmd:"" name:"rotate-cache-key" help:"Make a new key for the cache, beside the one before. The server takes it at its next start."`
}

type serverRun struct {
	Data     string        `required:"" type:"path" placeholder:"DIR" help:"Folder in which everything is kept."`
	Listen   string        `placeholder:"HOST:PORT" help:"Address to listen on: 127.0.0.1:8080 in plain HTTP, :443 with --domain, :8443 with --own-certificate, if it is not given."`
	Origin   string        `placeholder:"URL" help:"How browsers reach this server, if it does not follow from the rest: https://home.example.org behind a proxy with a certificate."`
	Metrics  string        `placeholder:"HOST:PORT" help:"Loopback address that serves counters for Prometheus, and /healthz and /readyz with reasons."`
	Drain    time.Duration `placeholder:"DURATION" help:"How long everybody has to move to another server of the same archive when this one is stopped; they are ended one after the other (default: at once)."`
	MaxBytes uint64        `placeholder:"N" help:"Bytes that a home may store; 0 for no bound."`

	MostPerAddress int `default:"2000" placeholder:"N" help:"Connections that are taken from one address at a time, of which a house or a carrier may have one for many machines; 0 for no bound. Those of loopback are not counted (default: ${default})."`

	Domain        string `group:"Certificate" xor:"certificate" placeholder:"NAME" help:"The server's domain: a certificate for it is issued by Let's Encrypt and renewed, by itself. Ports 443 and 80 must reach this machine."`
	Email         string `group:"Certificate" placeholder:"ADDRESS" help:"Where the authority writes if something is wrong with the certificate."`
	ListenPlain   string `group:"Certificate" default:":80" placeholder:"HOST:PORT" help:"Address for what comes to port 80 of the domain; none if empty (default: ${default})."`
	ACMEDirectory string `group:"Certificate" name:"acme-directory" placeholder:"URL" help:"Another authority than Let's Encrypt."`
	ACMERoot      string `group:"Certificate" name:"acme-root" type:"existingfile" placeholder:"FILE" help:"Certificate of whoever signs that authority's own, if the system does not know it."`

	Mail             string `group:"Mail" placeholder:"URL" help:"Server that takes mail for people: smtp://USER@HOST:587, or smtps:// for TLS from the first byte. Without it no address is proven, and nobody gets a notice."`
	MailFrom         string `group:"Mail" placeholder:"ADDRESS" help:"Where mail comes from."`
	MailPasswordFile string `group:"Mail" type:"existingfile" placeholder:"FILE" help:"File with the password for that server; or the environment's LATCHKEY_MAIL_PASSWORD."`

	Cache             string `group:"Cache" default:"memory" placeholder:"WHERE" help:"Where what was read of homes is kept: memory, none, or the address of a Valkey or Redis server, valkey://HOST:PORT or redis:// (default: ${default})."`
	CachePasswordFile string `group:"Cache" type:"existingfile" placeholder:"FILE" help:"File with the password for that server; or the environment's LATCHKEY_CACHE_PASSWORD."`
	CacheBytes        uint64 `group:"Cache" default:"67108864" placeholder:"N" help:"How much memory it may take (default: ${default})."`

	OwnCertificate bool     `group:"Certificate" xor:"certificate" help:"Without a domain: make a certificate for the names and addresses of this machine at home."`
	Name           []string `group:"Certificate" placeholder:"NAME" help:"A name or address for the own certificate, in place of those that the machine has; may be repeated."`
}

// Run starts the server and ends it when the context ends.
func (c serverRun) Run(ctx context.Context, t *terminal) error {
	config := server.LocalConfig{
		Data: c.Data, Listen: c.listen(), Origin: c.Origin, Metrics: c.Metrics, MaxHomeBytes: c.MaxBytes, MostPerAddress: c.MostPerAddress,
		App: web.Handler(), Log: slog.New(slog.NewTextHandler(t.Err, nil)),
		Certificate: server.CertificateConfig{
			Domain: c.Domain, Email: c.Email, Directory: c.ACMEDirectory, Plain: c.ListenPlain, Own: c.OwnCertificate, Names: c.Name,
		},
	}
	if c.ACMERoot != "" {
		roots, err := certificate.ReadRoots(c.ACMERoot)
		if err != nil {
			return err
		}
		config.Certificate.Roots = roots
	}
	var err error
	if config.Cache, err = c.cache(); err != nil {
		return err
	}
	mailer, err := c.mailer()
	if err != nil {
		return err
	}
	if mailer != nil {
		config.Mail = mailer
	}
	server.Spacious()
	s, err := server.Run(ctx, config)
	if err != nil {
		return fmt.Errorf("the server did not start: %w", err)
	}
	if err := c.greet(ctx, s, t); err != nil {
		return errors.Join(err, s.Close())
	}
	select {
	case <-ctx.Done():
		if c.Drain > 0 {
			fmt.Fprintf(t.Out, "Whoever is here moves to another server within %v.\n", c.Drain)
			s.Drain(context.WithoutCancel(ctx), c.Drain)
		}
		fmt.Fprintln(t.Out, "Stopping. Uploads that broke off come back by themselves.")
		return s.Close()
	case err := <-s.Failed():
		return errors.Join(err, s.Close())
	}
}

// maxPassword bounds what is read of a file that holds one.
const maxPassword = 4 << 10

// mailer returns what sends mail, nil for nothing. The password never comes from the
// command line, where every process of the machine sees it.
func (c serverRun) mailer() (*notify.SMTP, error) {
	if c.Mail == "" {
		if c.MailFrom != "" || c.MailPasswordFile != "" {
			return nil, errors.New("--mail-from and --mail-password-file are for --mail, which is missing")
		}
		return nil, nil
	}
	password, err := passwordFor("mail", c.MailPasswordFile, "LATCHKEY_MAIL_PASSWORD")
	if err != nil {
		return nil, err
	}
	return notify.NewSMTP(notify.SMTPConfig{Server: c.Mail, From: c.MailFrom, Password: notify.Password(password)})
}

// cache says where what was read of homes is kept.
func (c serverRun) cache() (server.CacheConfig, error) {
	config := server.CacheConfig{Server: c.Cache, Bytes: c.CacheBytes}
	if c.Cache == "memory" || c.Cache == "none" {
		if c.CachePasswordFile != "" {
			return config, errors.New("--cache-password-file is for a cache that is a server of its own, and there is none")
		}
		return config, nil
	}
	password, err := passwordFor("the cache", c.CachePasswordFile, "LATCHKEY_CACHE_PASSWORD")
	config.Password = server.CachePassword(password)
	return config, err
}

// passwordFor reads the password for something from a file, or without one from a
// variable of the environment. Neither is seen by other processes' users.
func passwordFor(what, file, variable string) (string, error) {
	if file == "" {
		return os.Getenv(variable), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("read the password for %s: %w", what, err)
	}
	defer f.Close() // read only
	b, err := io.ReadAll(io.LimitReader(f, maxPassword+1))
	if err != nil || len(b) > maxPassword {
		return "", errors.Join(fmt.Errorf("the file with the password for %s is no short text", what), err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

func (c serverRun) listen() string {
	switch {
	case c.Listen != "":
		return c.Listen
	case c.Domain != "":
		return ":443"
	case c.OwnCertificate:
		return ":8443"
	}
	return "127.0.0.1:8080"
}

func (c serverRun) greet(ctx context.Context, s *server.Local, t *terminal) error {
	fmt.Fprintf(t.Out, "Latchkey serves %s (listening on %s)\n", s.Origin, s.Address)
	if s.MetricsURL != "" {
		fmt.Fprintf(t.Out, "Counters: %s\n", s.MetricsURL)
	}
	if held := s.Holds(); len(held) > 0 {
		fmt.Fprint(t.Out, "\nHELD: people are not shown what stands here, until it is released\n(latchkey incident release).\n\n")
		if err := printHolds(t.Out, held); err != nil {
			return err
		}
	}
	if s.Own != nil {
		greetOwn(s, t)
	}
	any, err := s.AnyHome(ctx)
	if err != nil || any {
		return err
	}
	secret, err := s.MintSetup(ctx)
	if err != nil {
		return err
	}
	printSetupLink(t, s.Origin, secret)
	return nil
}

// greetOwn says how to trust a certificate that nobody vouches for, and what does not
// work as long as nobody does.
func greetOwn(s *server.Local, t *terminal) {
	plain := "http" + strings.TrimPrefix(s.Origin, "https")
	fmt.Fprintf(t.Out, `
The certificate is this server's own, so browsers warn of it. You can go on in
spite of the warning; such a page gets no passkeys, notifications or offline
storage from the browser. To end the warnings, open

  %s

on each device and install the root certificate, if its SHA-256 fingerprint is

  %s

Agents need nothing installed: their join link names that fingerprint.
`, plain, s.Own.Fingerprint())
}

func printSetupLink(t *terminal, origin, secret string) {
	fmt.Fprintf(t.Out, "\nTo found a home, open this link in your browser. It works once, for 30 minutes,\nfor whoever has it:\n\n  %s\n\n", server.SetupLink(origin, secret))
}

type serverSetupLink struct {
	Data   string `required:"" type:"path" placeholder:"DIR" help:"The server's folder."`
	Origin string `default:"http://localhost:8080" placeholder:"URL" help:"How browsers reach the server (default: ${default})."`
}

// Run mints a secret in the server's archive; the server may be running.
func (c serverSetupLink) Run(ctx context.Context, t *terminal) (err error) {
	if _, err := os.Stat(filepath.Join(c.Data, "archive.db")); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no server in %s; start one with: latchkey server --data %s", c.Data, c.Data)
	}
	a, err := server.OpenArchive(ctx, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	secret, err := server.MintSetup(ctx, a.Archive().Setups, time.Now())
	if err != nil {
		return err
	}
	printSetupLink(t, c.Origin, secret)
	return nil
}

type serverRotateCacheKey struct {
	Data string `required:"" type:"path" placeholder:"DIR" help:"The server's folder."`
}

// Run makes the key; the server may be running.
func (c serverRotateCacheKey) Run(t *terminal) error {
	if _, err := os.Stat(filepath.Join(c.Data, "archive.db")); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no server in %s", c.Data)
	}
	if err := server.RotateCacheKey(c.Data); err != nil {
		return err
	}
	fmt.Fprintln(t.Out, "The cache has a new key. The server takes it when it is started again; what is under the one before answers still.")
	return nil
}
