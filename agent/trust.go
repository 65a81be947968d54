package agent

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/certificate"
)

// trusting returns the client with which the server at origin is spoken to: the one
// that was handed in, or one that trusts the root of that fingerprint alone, or the
// machine's trust if there is none.
func trusting(client *http.Client, origin, fingerprint string) (*http.Client, error) {
	if client != nil || fingerprint == "" {
		return client, nil
	}
	root, err := certificate.ParseFingerprint(fingerprint)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(origin)
	if err != nil {
		return nil, fmt.Errorf("read the server's address: %w", err)
	}
	return uplink.NewHTTP(certificate.Trust(root, u.Hostname())), nil
}

// untrusted says what to do about a server whose certificate is not trusted, which no
// waiting mends; nil for every other error. A certificate that is out of its time is
// another matter: the clock of a machine that has just started is often wrong.
func untrusted(err error) error {
	if errors.Is(err, certificate.ErrOther) {
		return certificate.ErrOther
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return errors.New("this machine does not know who vouches for the server's certificate. If the server made it itself, copy the join link from its page again, whole: it names what to trust")
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return errors.New("the server's certificate is for another name than the one in the link. Open the server's page under its own name and make a new join link there")
	}
	return nil
}
