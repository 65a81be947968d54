package bound_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/latchkey-cam/latchkey/bound"
)

// TestWaysToAServer: over TLS, whose certificate is checked, and by a path.
func TestWaysToAServer(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	s := newServer()
	secure := func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go s.serve(tls.Server(far, &tls.Config{Certificates: web.TLS.Certificates}))
		return near, nil
	}
	path := filepath.Join(t.TempDir(), "socket")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	for name, c := range map[string]struct {
		config bound.ValkeyConfig
		state  bound.State
	}{
		"TLS, trusted":      {bound.ValkeyConfig{URL: "valkeys://server?skip_verify=true", Dial: secure}, bound.Healthy},
		"TLS, a stranger's": {bound.ValkeyConfig{URL: "valkeys://server", Dial: secure}, bound.Replacing},
		"no TLS to TLS":     {bound.ValkeyConfig{URL: "valkey://server", Dial: secure}, bound.Replacing},
		"a path":            {bound.ValkeyConfig{URL: "unix://" + path}, bound.Healthy},
		"no such path":      {bound.ValkeyConfig{URL: "unix://" + path + "x"}, bound.Replacing},
	} {
		t.Run(name, func(t *testing.T) {
			o := &table{}
			cache := open(t, bound.Config{Tiers: []bound.Tier{bound.Valkey(c.config)}})
			want(t, cache, thumbnails, o.read, 0)
			if state := tell(t, cache).State; state != c.state {
				t.Errorf("the tier is %s, want %s", state, c.state)
			}
		})
	}
}
