package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

func TestLocal(t *testing.T) {
	folder := t.TempDir()
	c := server.LocalConfig{Data: folder, Listen: "127.0.0.1:0", Metrics: "127.0.0.1:0"}
	l := must(server.Run(t.Context(), c))
	if any, err := l.AnyHome(t.Context()); any || err != nil {
		t.Errorf("a new server has a home: %t, %v", any, err)
	}
	client := must(api.NewClient(l.Origin, nil))
	owner := keytest.NewOwner()
	must(client.Found(t.Context(), must(l.MintSetup(t.Context())), owner.Found()))
	get := func(url string) (int, string) {
		a := must(http.Get(url))
		defer a.Body.Close()
		return a.StatusCode, string(must(io.ReadAll(a.Body)))
	}
	if status, body := get(l.MetricsURL); status != 200 || !strings.Contains(body, `latchkey_requests_total{route="found-home",status="201"} 1`) {
		t.Errorf("metrics: %d %s", status, body)
	}
	if status, _ := get(l.Origin + "/metrics"); status != 404 {
		t.Errorf("the counters are served to everybody: %d", status)
	}
	if status, body := get(l.Origin + "/"); status != 404 || !strings.Contains(body, "without its web page") {
		t.Errorf("the page: %d %s", status, body)
	}
	// Beside the running server, a set-up secret can be minted; it is good there.
	a := must(server.OpenArchive(t.Context(), folder))
	secret := must(server.MintSetup(t.Context(), a.Archive().Setups, time.Now()))
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	must(client.Found(t.Context(), secret, keytest.NewOwner().Found()))
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	l = must(server.Run(t.Context(), c))
	defer l.Close()
	if any, err := l.AnyHome(t.Context()); !any || err != nil {
		t.Errorf("the home is gone after a restart: %t, %v", any, err)
	}
}

// TestCloseEndsWebsockets: a server that stops does not wait for those who listen.
func TestCloseEndsWebsockets(t *testing.T) {
	l := must(server.Run(t.Context(), server.LocalConfig{Data: t.TempDir(), Listen: "127.0.0.1:0"}))
	socket := must(must(api.NewClient(l.Origin, nil)).Dial(t.Context(), ""))
	defer socket.Close()
	must(socket.Receive(t.Context()))
	began := time.Now()
	if err := l.Close(); err != nil || time.Since(began) > 4*time.Second {
		t.Errorf("close: %v after %v", err, time.Since(began))
	}
	if f, err := socket.Receive(t.Context()); err == nil {
		if _, err = socket.Receive(t.Context()); err == nil {
			t.Errorf("the websocket goes on: %+v", f)
		}
	}
}

func TestMetricsAreForThisMachine(t *testing.T) {
	l, err := server.Run(t.Context(), server.LocalConfig{Data: t.TempDir(), Listen: "127.0.0.1:0", Metrics: "0.0.0.0:0"})
	if err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("counters on every address: %v, %v", l, err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, origin := range []string{"", "localhost", "http://", "ftp://x", "https://example.org/", "https://example.org/path", "https://u@example.org"} {
		if _, err := server.New(t.Context(), server.Config{Origin: origin}); err == nil {
			t.Errorf("%q is taken for an origin", origin)
		}
	}
}

// behind is a client that says the origin of a page behind https, as the proxy in front
// of the server would pass it on, and keeps what the server answers.
type behind struct {
	origin  string
	cookies []string
}

func (b *behind) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Origin", b.origin)
	a, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		b.cookies = append(b.cookies, a.Header.Values("Set-Cookie")...)
	}
	return a, err
}

// TestSecureCookie: behind https the cookie never goes over http.
func TestSecureCookie(t *testing.T) {
	h := openHouse(t, func(c *server.Config) { c.Origin = "https://example.org" })
	proxy := &behind{origin: "https://example.org"}
	h.client = must(api.NewClient(h.origin, &http.Client{Transport: proxy}))
	h.found(t)
	if len(proxy.cookies) != 1 || !strings.Contains(proxy.cookies[0], "Secure") || !strings.Contains(proxy.cookies[0], "HttpOnly") {
		t.Errorf("cookies: %v", proxy.cookies)
	}
}
