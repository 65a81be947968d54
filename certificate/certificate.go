// Package certificate is how a server comes by its TLS certificate and how an agent
// comes to trust it.
//
// A server with a domain has its certificate issued and renewed by a public authority
// ([Obtain]). One without makes a root of its own and certificates below it ([Own]);
// whoever wants to can install that root, which vouches for private addresses and
// local names only, so that whoever steals it cannot impersonate the world with it.
// An agent needs no installing: its join link names the root's fingerprint ([Trust]).
//
// TLS keeps strangers on the way from seeing who talks with whom and how much. That
// nobody is shown another home does not rest on it: what is fetched over it is sealed,
// signed and checked all the same.
package certificate

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
)

// Fingerprint names a certificate: the SHA-256 of its DER bytes.
type Fingerprint [sha256.Size]byte

// FingerprintOf returns the fingerprint of a certificate in DER.
func FingerprintOf(der []byte) Fingerprint { return sha256.Sum256(der) }

// String returns the fingerprint in lower-case hexadecimal.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// ParseFingerprint is the inverse of [Fingerprint.String]; it takes no other spelling.
func ParseFingerprint(s string) (Fingerprint, error) {
	var f Fingerprint
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(f) || hex.EncodeToString(b) != s {
		return f, errors.New("not a certificate's fingerprint: want 64 digits of lower-case hexadecimal")
	}
	copy(f[:], b)
	return f, nil
}

// ErrOther says that a server's certificate is not the one that is trusted.
var ErrOther = errors.New("the server shows a certificate that does not come from the one this agent trusts. If the server was set up anew, ask the home's owner for a new join link; otherwise somebody is in between")

// Trust returns the configuration of a client that takes from host, a name or an
// address without port, only certificates below the root of that fingerprint, which
// the server sends along.
func Trust(root Fingerprint, host string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		ServerName: host,
		// The standard check knows no root by its fingerprint; VerifyConnection makes
		// the same check below the one that is trusted, on resumed connections too.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			roots := x509.NewCertPool()
			found := false
			for _, c := range state.PeerCertificates {
				if FingerprintOf(c.Raw) == root {
					roots.AddCert(c)
					found = true
				}
			}
			if !found {
				return ErrOther
			}
			if _, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
				return fmt.Errorf("%w: %w", ErrOther, err)
			}
			return nil
		},
	}
}
