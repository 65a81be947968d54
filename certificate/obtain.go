package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// DomainConfig is what [Obtain] must know.
type DomainConfig struct {
	// Domain is the server's name in the world's DNS, home.example.org.
	Domain string
	// Email is where the authority writes when something is wrong; may be empty.
	Email string
	// Folder is where certificates and the account's key are kept; it is made for its
	// owner alone.
	Folder string
	// Directory is the address of the authority's ACME directory; Let's Encrypt's if
	// empty.
	Directory string
	// Roots are who is believed to be that authority; the system's if nil.
	Roots *x509.CertPool
	// TLSPort and HTTPPort are where this program listens for what the authority
	// reaches on 443 and 80. Without HTTPPort it is proved over TLS alone.
	TLSPort, HTTPPort int
	// Log is told when a certificate has come, or why it has not.
	Log *slog.Logger
}

// Domain has the certificate of a domain, and a new one before that ends.
type Domain struct {
	config *certmagic.Config
	cache  *certmagic.Cache
	issuer *certmagic.ACMEIssuer
}

// Obtain begins to have a certificate issued. It returns before there is one: the
// authority proves that the domain is ours by a connection to the listeners that
// [Domain.Config] and [Domain.Handler] are for. It goes on trying until Close.
func Obtain(ctx context.Context, c DomainConfig) (*Domain, error) {
	if !ValidDomain(c.Domain) {
		return nil, fmt.Errorf("obtain a certificate: %.100q is no domain: want a name such as home.example.org, without scheme or port", c.Domain)
	}
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return nil, fmt.Errorf("obtain a certificate: %w", err)
	}
	d := &Domain{}
	d.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return d.config, nil },
		Logger:           zap.NewNop(),
	})
	d.config = certmagic.New(d.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: c.Folder},
		Logger:  zap.NewNop(), // what matters comes as an event
		OnEvent: tell(c),
	})
	directory := c.Directory
	if directory == "" {
		directory = certmagic.LetsEncryptProductionCA
	}
	d.issuer = certmagic.NewACMEIssuer(d.config, certmagic.ACMEIssuer{
		CA: directory, TestCA: directory, Email: c.Email, Agreed: true, TrustedRoots: c.Roots, Logger: zap.NewNop(),
		AltTLSALPNPort: c.TLSPort, AltHTTPPort: c.HTTPPort, DisableHTTPChallenge: c.HTTPPort == 0,
	})
	d.config.Issuers = []certmagic.Issuer{d.issuer}
	if err := d.config.ManageAsync(ctx, []string{c.Domain}); err != nil {
		d.Close()
		return nil, fmt.Errorf("obtain a certificate for %s: %w", c.Domain, err)
	}
	return d, nil
}

// tell puts into words what becomes of a certificate.
func tell(c DomainConfig) func(context.Context, string, map[string]any) error {
	log := c.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return func(_ context.Context, event string, data map[string]any) error {
		switch event {
		case "cert_obtained":
			log.Info("the certificate has come", "domain", c.Domain, "renewal", data["renewal"])
		case "cert_failed":
			log.Warn("the certificate has not come; it is tried again. Does the domain's DNS entry lead here, and do ports 443 and 80 reach this machine?",
				"domain", c.Domain, "error", data["error"])
		}
		return nil
	}
}

// ValidDomain says whether a public authority could know the name: letters, digits,
// hyphens and at least one dot, and no address.
func ValidDomain(name string) bool {
	labels := strings.Split(name, ".")
	if len(name) > 253 || len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

// Config returns the configuration of the TLS server of the domain. It also answers
// the authority's question on that port (RFC 8737).
func (d *Domain) Config() *tls.Config {
	c := d.config.TLSConfig()
	c.MinVersion = tls.VersionTLS12
	c.NextProtos = append([]string{"h2", "http/1.1"}, c.NextProtos...)
	return c
}

// Handler answers the authority's question over plain HTTP (RFC 8555, 8.3) and hands
// every other request to next.
func (d *Domain) Handler(next http.Handler) http.Handler { return d.issuer.HTTPChallengeHandler(next) }

// Close ends the renewing.
func (d *Domain) Close() error {
	d.cache.Stop()
	return nil
}

// ErrNoRoot: a file holds no certificate.
var ErrNoRoot = errors.New("the file holds no certificate in PEM")

// ReadRoots reads the certificates of a file as the only ones to believe.
func ReadRoots(file string) (*x509.CertPool, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("read %s: %w", file, ErrNoRoot)
	}
	return pool, nil
}
