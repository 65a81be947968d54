// Package certificatetest runs a certificate authority for tests: Let's Encrypt's own
// test server, with a DNS in which every name is this machine.
package certificatetest

import (
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// Authority is a running authority.
type Authority struct {
	Directory string         // of its ACME
	Web       *x509.CertPool // who signs the directory's own certificate
	Root      *x509.CertPool // who signs what it issues
	Stop      func()         // ends it before the test does
}

// Serve starts an authority that proves domains at the given ports of this machine,
// in place of 80 and 443. The test must not be parallel: the authority reads the
// environment.
func Serve(t *testing.T, httpPort, tlsPort int) Authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	issuer := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "the usual"}})
	checker := va.New(quiet, httpPort, tlsPort, true, serveDNS(t), store)
	front := wfe.New(quiet, store, checker, issuer, []string{"authority.test"}, true, false, 1, 1)
	s := httptest.NewTLSServer(front.Handler())
	t.Cleanup(s.Close)
	a := Authority{Directory: s.URL + wfe.DirectoryPath, Stop: s.Close, Web: x509.NewCertPool(), Root: x509.NewCertPool()}
	a.Web.AddCert(s.Certificate())
	if !a.Root.AppendCertsFromPEM(issuer.GetRootCert(0).PEM()) {
		t.Fatal("the authority has no root")
	}
	return a
}

// serveDNS answers every question for an address with 127.0.0.1.
func serveDNS(t *testing.T) string {
	t.Helper()
	conn, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{Listener: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		if len(q.Question) == 1 && q.Question[0].Qtype == dns.TypeA {
			m.Answer = []dns.RR{&dns.A{
				Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1},
				A:   net.IPv4(127, 0, 0, 1),
			}}
		}
		_ = w.WriteMsg(m) // the asker asks again
	})}
	go func() { _ = s.ActivateAndServe() }() // ends with the listener
	t.Cleanup(func() { _ = s.Shutdown() })
	return conn.Addr().String()
}
