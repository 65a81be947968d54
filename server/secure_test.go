package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/certificate"
	"github.com/latchkey-cam/latchkey/certificate/certificatetest"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// freePort is one that nobody listens on at the moment.
func freePort(t *testing.T) int {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// browser believes in some roots and goes to 127.0.0.1 whatever the name is.
func browser(t *testing.T, config *tls.Config) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: config}
	transport.DialContext = func(_ context.Context, network, address string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(address) // made by net/http
		return net.DialTimeout(network, "127.0.0.1:"+port, 10*time.Second)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport: transport, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// TestDomain: a server that was given a domain has a certificate issued by itself, and
// leads browsers that come to its plain port to https.
func TestDomain(t *testing.T) {
	tlsPort, plainPort := freePort(t), freePort(t)
	authority := certificatetest.Serve(t, plainPort, tlsPort)
	l := must(server.Run(t.Context(), server.LocalConfig{
		Data: t.TempDir(), Listen: fmt.Sprintf("127.0.0.1:%d", tlsPort),
		Certificate: server.CertificateConfig{
			Domain: "home.example.org", Directory: authority.Directory, Roots: authority.Web, Plain: fmt.Sprintf("127.0.0.1:%d", plainPort),
		},
	}))
	defer l.Close()
	if want := fmt.Sprintf("https://home.example.org:%d", tlsPort); l.Origin != want {
		t.Fatalf("origin %s, want %s", l.Origin, want)
	}
	b := browser(t, &tls.Config{RootCAs: authority.Root, MinVersion: tls.VersionTLS12})
	client := must(api.NewClient(l.Origin, b))
	var err error
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if _, err = client.Found(t.Context(), must(l.MintSetup(t.Context())), keytest.NewOwner().Found()); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("no home can be founded over https: %v", err)
	}
	a := must(b.Get(fmt.Sprintf("http://home.example.org:%d/events?x=1", plainPort)))
	a.Body.Close()
	if a.StatusCode != 307 || a.Header.Get("Location") != l.Origin+"/events?x=1" {
		t.Errorf("plain HTTP: %s to %q, want it led to https", a.Status, a.Header.Get("Location"))
	}
}

func own(t *testing.T) *server.Local {
	t.Helper()
	l := must(server.Run(t.Context(), server.LocalConfig{
		Data: t.TempDir(), Listen: "127.0.0.1:0",
		Certificate: server.CertificateConfig{Own: true, Names: []string{"127.0.0.1", "nas.local"}},
	}))
	t.Cleanup(func() { l.Close() })
	return l
}

// TestOwnCertificate: without a domain the server makes its certificate, and serves
// the root that devices can install and the page that says how.
func TestOwnCertificate(t *testing.T) {
	l := own(t)
	if want := "https://" + l.Address; l.Origin != want {
		t.Fatalf("origin %s, want %s", l.Origin, want)
	}
	if _, err := browser(t, &tls.Config{}).Get(l.Origin + "/v1/health"); err == nil {
		t.Error("a browser that has not installed the root takes the certificate")
	}
	stranger := browser(t, nil)
	a := must(stranger.Get("http://" + l.Address + "/latchkey-root.crt"))
	root := must(io.ReadAll(a.Body))
	a.Body.Close()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(root) || a.Header.Get("Content-Type") != "application/x-x509-ca-cert" {
		t.Fatalf("the root is no certificate: %s %s", a.Status, root)
	}
	device := browser(t, &tls.Config{RootCAs: pool})
	must(must(api.NewClient(l.Origin, device)).Found(t.Context(), must(l.MintSetup(t.Context())), keytest.NewOwner().Found()))

	_, port, _ := net.SplitHostPort(l.Address)
	a = must(device.Get("https://nas.local:" + port + "/events"))
	a.Body.Close()
	if a.StatusCode != 307 || a.Header.Get("Location") != l.Origin+"/events" {
		t.Errorf("another of its names: %s to %q, want it led to its origin", a.Status, a.Header.Get("Location"))
	}
	agent := browser(t, certificate.Trust(l.Own.Fingerprint(), "127.0.0.1"))
	if a, err := agent.Get(l.Origin + "/v1/health"); err != nil || a.StatusCode != 200 {
		t.Errorf("an agent that was told the fingerprint: %v", err)
	}
}

// TestPlainPage: who comes without TLS is told why not and what to do, and gets
// nothing else, whatever the path.
func TestPlainPage(t *testing.T) {
	l := own(t)
	for _, path := range []string{"/", "/events", "/v1/health", "/v1/sessions"} {
		a := must(http.Get("http://" + l.Address + path))
		body := string(must(io.ReadAll(a.Body)))
		a.Body.Close()
		if a.StatusCode != http.StatusUpgradeRequired {
			t.Errorf("%s: %s", path, a.Status)
		}
		for _, want := range []string{l.Origin, l.Own.Fingerprint().String(), "/latchkey-root.crt", "https"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page does not say %q", path, want)
			}
		}
	}
}

// TestForkKeepsServing: connections that say nothing, and nonsense, keep nobody else
// waiting.
func TestForkKeepsServing(t *testing.T) {
	l := own(t)
	for range 50 {
		c := must(net.Dial("tcp", l.Address))
		defer c.Close()
	}
	c := must(net.Dial("tcp", l.Address))
	defer c.Close()
	must(c.Write([]byte("\x00\x01\x02 nonsense\r\n\r\n")))
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "400") {
		t.Errorf("nonsense: %q, %v", line, err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(l.Own.Root())
	a := must(browser(t, &tls.Config{RootCAs: pool}).Get(l.Origin + "/v1/health"))
	a.Body.Close()
	if a.StatusCode != 200 {
		t.Errorf("behind 50 silent connections: %s", a.Status)
	}
}

// TestNamesOfTheWorld: a certificate of its own is not for a name of the world.
func TestNamesOfTheWorld(t *testing.T) {
	_, err := server.Run(t.Context(), server.LocalConfig{
		Data: t.TempDir(), Listen: "127.0.0.1:0", Certificate: server.CertificateConfig{Own: true, Names: []string{"home.example.org"}},
	})
	if err == nil || !strings.Contains(err.Error(), "domain") {
		t.Errorf("%v, want an error that leads to a domain's certificate", err)
	}
}
