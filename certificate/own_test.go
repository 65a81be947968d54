package certificate_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/certificate"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

func openOwn(t *testing.T, folder string, now func() time.Time) *certificate.Own {
	t.Helper()
	dir, err := durable.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	o, err := certificate.OpenOwn(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// serveOwn serves nothing behind the certificate, and returns where.
func serveOwn(t *testing.T, o *certificate.Own, names ...string) string {
	t.Helper()
	l, _ := listen(t)
	serve(t, tls.NewListener(l, o.Config(func() []string { return names })), http.NotFoundHandler())
	return l.Addr().String()
}

func shake(address string, config *tls.Config) (tls.ConnectionState, error) {
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", address, config)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer c.Close()
	return c.ConnectionState(), nil
}

func pool(t *testing.T, o *certificate.Own) *x509.CertPool {
	t.Helper()
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(o.Root()) {
		t.Fatal("the root is no certificate")
	}
	return p
}

// TestOwn: a device that has installed the root takes the certificate, one that has
// not does not, and the root is the same at the next start.
func TestOwn(t *testing.T) {
	folder := t.TempDir()
	o := openOwn(t, folder, nil)
	address := serveOwn(t, o, "nas.local", "127.0.0.1", "localhost", "home.example.org")
	for _, name := range []string{"nas.local", "127.0.0.1", "localhost"} {
		if _, err := shake(address, &tls.Config{RootCAs: pool(t, o), ServerName: name}); err != nil {
			t.Errorf("as %s: %v", name, err)
		}
	}
	if _, err := shake(address, &tls.Config{RootCAs: pool(t, o), ServerName: "home.example.org"}); err == nil {
		t.Error("the certificate is good for a name of the world")
	}
	if _, err := shake(address, &tls.Config{ServerName: "localhost"}); err == nil {
		t.Error("who has not installed the root trusts it")
	}
	if again := openOwn(t, folder, nil); again.Fingerprint() != o.Fingerprint() {
		t.Error("the next start has another root")
	}
	info, err := os.Stat(filepath.Join(folder, "root.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the root's key has mode %v, %v; want it for its owner alone", info.Mode(), err)
	}
}

// TestStolenRoot: whoever has the root's key cannot speak for a name of the world.
// The control is the same forgery for a name that the root is for.
func TestStolenRoot(t *testing.T) {
	folder := t.TempDir()
	o := openOwn(t, folder, nil)
	stolen, err := tls.LoadX509KeyPair(filepath.Join(folder, "root.crt"), filepath.Join(folder, "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	forge := func(name string) error {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}, stolen.Leaf, key.Public(), stolen.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		_, err = leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: pool(t, o)})
		return err
	}
	if forge("bank.example") == nil {
		t.Error("the stolen root speaks for bank.example")
	}
	if err := forge("nas.local"); err != nil {
		t.Errorf("the control fails for another reason: %v", err)
	}
}

// TestRenewal: a certificate that nears its end is replaced, and so is one without an
// address that the machine has got since.
func TestRenewal(t *testing.T) {
	now := time.Now()
	o := openOwn(t, t.TempDir(), func() time.Time { return now })
	names := []string{"127.0.0.1"}
	config := o.Config(func() []string { return names })
	leaf := func() *x509.Certificate {
		c, err := config.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf
	}
	first := leaf()
	now = now.Add(300 * 24 * time.Hour)
	if !leaf().Equal(first) {
		t.Error("the certificate was replaced long before its end")
	}
	now = now.Add(80 * 24 * time.Hour)
	second := leaf()
	if second.Equal(first) || second.NotAfter.Before(now.Add(300*24*time.Hour)) {
		t.Error("the certificate was not replaced before its end")
	}
	names = append(names, "192.168.1.5")
	if err := leaf().VerifyHostname("192.168.1.5"); err != nil {
		t.Error(err)
	}
}

// TestTrust: an agent that was given the root's fingerprint takes that server alone.
func TestTrust(t *testing.T) {
	o := openOwn(t, t.TempDir(), nil)
	other := openOwn(t, t.TempDir(), nil)
	address := serveOwn(t, o, "127.0.0.1")
	if _, err := shake(address, certificate.Trust(o.Fingerprint(), "127.0.0.1")); err != nil {
		t.Error(err)
	}
	if _, err := shake(address, certificate.Trust(other.Fingerprint(), "127.0.0.1")); !errors.Is(err, certificate.ErrOther) {
		t.Errorf("another root: %v, want %v", err, certificate.ErrOther)
	}
	if _, err := shake(address, certificate.Trust(o.Fingerprint(), "192.168.1.5")); !errors.Is(err, certificate.ErrOther) {
		t.Errorf("another host: %v, want %v", err, certificate.ErrOther)
	}

	// Somebody in between who shows the true root beside a certificate of his own.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(o.Root())
	l, _ := listen(t)
	serve(t, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der, block.Bytes}, PrivateKey: key}}}), http.NotFoundHandler())
	if _, err := shake(l.Addr().String(), certificate.Trust(o.Fingerprint(), "127.0.0.1")); !errors.Is(err, certificate.ErrOther) {
		t.Errorf("a stranger with the true root beside: %v, want %v", err, certificate.ErrOther)
	}
}

// TestDamagedRoot: a root that does not fit its key is an error and not a new root,
// which nobody would trust.
func TestDamagedRoot(t *testing.T) {
	folder := t.TempDir()
	openOwn(t, folder, nil)
	if err := os.Truncate(filepath.Join(folder, "root.key"), 10); err != nil {
		t.Fatal(err)
	}
	dir, err := durable.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, err := certificate.OpenOwn(dir, nil); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a damaged key: %v, want an error", err)
	}
}

func TestFingerprint(t *testing.T) {
	f := certificate.FingerprintOf([]byte("x"))
	if g, err := certificate.ParseFingerprint(f.String()); err != nil || g != f {
		t.Errorf("parsed %v, %v; want %v", g, err, f)
	}
	for _, s := range []string{"", f.String()[:62], f.String() + "00", "X" + f.String()[1:], "A" + f.String()[1:]} {
		if _, err := certificate.ParseFingerprint(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}
