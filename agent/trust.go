package agent

import (
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
