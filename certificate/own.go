package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/internal/durable"
)

// How long certificates last. Browsers refuse what lasts longer than 825 days, and
// some of them what lasts longer than 398, of roots that a person installed too.
const (
	rootLife  = 10 * 365 * 24 * time.Hour
	leafLife  = 397 * 24 * time.Hour
	renewAt   = 30 * 24 * time.Hour // before the end
	leniency  = 24 * time.Hour      // a certificate begins that much before it was made
	rootFile  = "root.crt"
	rootKey   = "root.key"
	maxOwnPEM = 16 << 10
)

// Own is a server's own root with a certificate below it. It may be used by several
// goroutines.
type Own struct {
	root *x509.Certificate
	key  *ecdsa.PrivateKey
	now  func() time.Time

	mu    sync.Mutex
	names []string
	leaf  *tls.Certificate
}

// OpenOwn opens the root in a folder, or makes it. The key is readable for the
// folder's owner alone and goes nowhere else. now may be nil.
func OpenOwn(dir *durable.Dir, now func() time.Time) (*Own, error) {
	if now == nil {
		now = time.Now
	}
	o := &Own{now: now}
	var err error
	o.root, o.key, err = readRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		o.root, o.key, err = makeRoot(dir, now())
	}
	if err != nil {
		return nil, fmt.Errorf("open the server's own certificate: %w", err)
	}
	if left := o.root.NotAfter.Sub(now()); left < leafLife {
		return nil, fmt.Errorf("open the server's own certificate: its root ends on %s: remove %s and %s and trust the new one", o.root.NotAfter.Format(time.DateOnly), rootFile, rootKey)
	}
	return o, nil
}

func readRoot(dir *durable.Dir) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	certPEM, err := durable.ReadBytes(dir, rootFile, maxOwnPEM)
	if err != nil {
		return nil, nil, err
	}
	keyPEM, err := durable.ReadBytes(dir, rootKey, maxOwnPEM)
	if err != nil {
		return nil, nil, err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, nil, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, errors.New("its key is of another kind")
	}
	return pair.Leaf, key, nil
}

// makeRoot writes the key first: a certificate without its key would be trusted and
// of no use.
func makeRoot(dir *durable.Dir, now time.Time) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Latchkey at home " + now.Format(time.DateOnly)},
		NotBefore: now.Add(-leniency), NotAfter: now.Add(rootLife),
		KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: localDomains, PermittedIPRanges: privateRanges(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	if err := durable.WriteBytes(dir, rootKey, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})); err != nil {
		return nil, nil, err
	}
	if err := durable.WriteBytes(dir, rootFile, encodeCertificate(der)); err != nil {
		return nil, nil, err
	}
	root, err := x509.ParseCertificate(der)
	return root, key, err
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// localDomains and privateRanges are all that a root may vouch for: names that mean a
// machine in the house (RFC 6762, 6761, 8375) and addresses that the Internet does not
// route (RFC 1918, 3927, 4193, 4291, 6598).
var localDomains = []string{"local", "localhost", "lan", "internal", "home.arpa"}

func privateRanges() []*net.IPNet {
	var all []*net.IPNet
	for _, s := range []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "127.0.0.0/8",
		"fc00::/7", "fe80::/10", "::1/128",
	} {
		_, n, err := net.ParseCIDR(s)
		if err != nil {
			panic("internal error: " + err.Error()) // constants
		}
		all = append(all, n)
	}
	return all
}

// Allowed says whether a root of our own may vouch for the name or address.
func Allowed(name string) bool {
	if ip := net.ParseIP(name); ip != nil {
		return slices.ContainsFunc(privateRanges(), func(n *net.IPNet) bool { return n.Contains(ip) })
	}
	return slices.ContainsFunc(localDomains, func(d string) bool { return name == d || strings.HasSuffix(name, "."+d) })
}

// LocalNames are the names and addresses by which this machine is reached in its home.
func LocalNames() []string {
	names := []string{"localhost"}
	if host, err := os.Hostname(); err == nil && host != "localhost" {
		host, _, _ = strings.Cut(strings.ToLower(host), ".")
		names = append(names, host+".local")
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return names
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && Allowed(n.IP.String()) && !n.IP.IsLinkLocalUnicast() {
			names = append(names, n.IP.String())
		}
	}
	return names
}

// Fingerprint is the root's.
func (o *Own) Fingerprint() Fingerprint { return FingerprintOf(o.root.Raw) }

// Root returns the root certificate as a file that devices can install.
func (o *Own) Root() []byte { return encodeCertificate(o.root.Raw) }

// Config returns the configuration of a TLS server whose certificate is good for what
// names returns at the time of a handshake; an address that the machine has got since
// is in the next one.
func (o *Own) Config(names func() []string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return o.certificate(names())
		},
	}
}

func (o *Own) certificate(names []string) (*tls.Certificate, error) {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !Allowed(n) })
	slices.Sort(names)
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	if o.leaf != nil && slices.Equal(names, o.names) && o.leaf.Leaf.NotAfter.Sub(now) > renewAt && now.After(o.leaf.Leaf.NotBefore) {
		return o.leaf, nil
	}
	leaf, err := o.issue(names, now)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	o.names, o.leaf = names, leaf
	return leaf, nil
}

func (o *Own) issue(names []string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Latchkey"},
		NotBefore: now.Add(-leniency), NotAfter: now.Add(leafLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, o.root, key.Public(), o.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, o.root.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// serial is a certificate's number, which nobody may foresee (CA/Browser Forum).
func serial() *big.Int {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b[:])
}
