package certificate_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/certificate"
	"github.com/latchkey-cam/latchkey/certificate/certificatetest"
)

func listen(t *testing.T) (net.Listener, int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, l.Addr().(*net.TCPAddr).Port
}

func serve(t *testing.T, l net.Listener, h http.Handler) {
	t.Helper()
	s := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = s.Serve(l) }() // ends with Close
	t.Cleanup(func() { s.Close() })
}

const domain = "home.example.org"

// get opens https://home.example.org, which is at that address, and believes in roots
// alone.
func get(address, path string, roots *x509.CertPool) (string, *x509.Certificate, error) {
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: domain, MinVersion: tls.VersionTLS12},
	}
	defer transport.CloseIdleConnections()
	c := http.Client{Transport: transport, Timeout: 10 * time.Second}
	r, err := c.Get("https://" + address + path)
	if err != nil {
		return "", nil, err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return string(b), r.TLS.PeerCertificates[0], err
}

// TestObtain has a certificate issued by a real authority, over each of the two ways
// by which a domain is proved, and takes it from the folder at the next start.
func TestObtain(t *testing.T) {
	for _, way := range []string{"tls", "http"} {
		t.Run(way, func(t *testing.T) {
			secure, tlsPort := listen(t)
			plain, httpPort := listen(t)
			a := certificatetest.Serve(t, httpPort, tlsPort)
			c := certificate.DomainConfig{
				Domain: domain, Folder: filepath.Join(t.TempDir(), "certificates"), Directory: a.Directory, Roots: a.Web, TLSPort: tlsPort,
			}
			hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
			if way == "http" {
				c.HTTPPort = httpPort
			}
			first := obtain(t, c)
			config := first.Config()
			if way == "http" { // the authority's question over TLS goes nowhere
				config.NextProtos = []string{"http/1.1"}
			}
			serve(t, tls.NewListener(secure, config), hello)
			serve(t, plain, first.Handler(hello))
			leaf := waitFor(t, secure.Addr().String(), a.Root)
			first.Close()

			again, againPort := listen(t)
			a.Stop()
			c.TLSPort = againPort
			second := obtain(t, c)
			defer second.Close()
			serve(t, tls.NewListener(again, second.Config()), hello)
			if kept := waitFor(t, again.Addr().String(), a.Root); !kept.Equal(leaf) {
				t.Error("the next start did not take the certificate that was kept")
			}
			if info, err := os.Stat(c.Folder); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the folder of the keys has mode %v, %v; want it for its owner alone", info.Mode(), err)
			}
		})
	}
}

func obtain(t *testing.T, c certificate.DomainConfig) *certificate.Domain {
	t.Helper()
	d, err := certificate.Obtain(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func waitFor(t *testing.T, address string, roots *x509.CertPool) *x509.Certificate {
	t.Helper()
	var last error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		body, leaf, err := get(address, "/", roots)
		if err == nil && body == "hello" {
			return leaf
		}
		last = err
	}
	t.Fatalf("no certificate came: %v", last)
	return nil
}

// TestDomains refuses what no public authority could know before it is asked.
func TestDomains(t *testing.T) {
	for _, name := range []string{"home.example.org", "a-b.example", "xn--bcher-kva.example"} {
		if !certificate.ValidDomain(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{
		"", "localhost", "192.168.1.5", "https://home.example.org", "home.example.org:443", "home.example.org/", "-a.example", "a-.example", "a..b", "Home.Example.org", ".example", "*.example.org",
		strings.Repeat("a.", 127) + "example", strings.Repeat("a", 64) + ".example",
	} {
		if certificate.ValidDomain(name) {
			t.Errorf("%q is taken", name)
		}
		if _, err := certificate.Obtain(t.Context(), certificate.DomainConfig{Domain: name, Folder: t.TempDir()}); err == nil {
			t.Errorf("a certificate for %q is being obtained", name)
		}
	}
}

func TestReadRoots(t *testing.T) {
	file := filepath.Join(t.TempDir(), "root.pem")
	if _, err := certificate.ReadRoots(file); err == nil {
		t.Error("a file that is not there holds a root")
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("nonsense")}), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := certificate.ReadRoots(file); err == nil {
		t.Error("nonsense is a root")
	}
}
