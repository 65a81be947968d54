package server_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// FuzzAddress: whatever stands in an address and in a cookie, a member gets a page of
// the own home or a refusal, and nobody makes the server stumble.
func FuzzAddress(f *testing.F) {
	file := f.TempDir() + "/archive.db"
	a := must(archive.OpenSQLite(f.Context(), file))
	s := must(server.New(f.Context(), server.Config{Archive: a.Archive(), Blobs: must(blob.NewDisk(durabletest.New())), Origin: "http://localhost", Usual: server.Usual{Pace: 5000}}))
	front := httptest.NewServer(s.Handler())
	f.Cleanup(func() { front.Close(); s.Close(); a.Close() })
	client := must(api.NewClient(front.URL, &http.Client{Transport: &behind{origin: "http://localhost"}}))
	owner := keytest.NewOwner()
	must(client.Found(f.Context(), must(s.MintSetup(f.Context())), owner.Found()))
	device, key := owner.Device()
	member := must(client.SignIn(f.Context(), owner.Home(), device, key, owner.Title().Head()))
	cookie, mac := member.Cookie(), member.MACKey()

	here, there := net.Pipe() // of the connection that each request seems to come by
	f.Cleanup(func() { here.Close(); there.Close() })
	line := server.HTTPServer(s.Handler()).ConnContext(f.Context(), here)
	home := owner.Home().String()
	object := latchkey.Name{Home: owner.Home(), Day: "2026-01-01", Kind: latchkey.Clip}.String()
	n := 0
	for _, seed := range []string{
		"/v1/homes/" + home + "/events", "/v1/homes/" + home + "/events?before=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&limit=1", "/v1/homes/" + home + "/deeds?from=1",
		"/v1/homes/" + home + "/../../x", "/v1/homes/%2e%2e/events", "/v1/objects/" + object[3:], "/v1/objects/" + object[3:] + "/", "/v1/joins/aaaaaaaaaaaaaaaaaaaaaaaaaa",
		"/v1/homes/" + home + "/joins/aaaaaaaaaaaaaaaaaaaaaaaaaa", "/v1/homes/" + strings.ToUpper(home) + "/events", "/v1//homes", "/v1", "//v1/x", "/v1/agent", "/v1/homes/" + home + "/changes", "/v1/%00",
		"/v1/homes/" + home + "/events?limit=99999999999999999999", "/v1/homes/" + home + "/events?limit=1;limit=2", "/v1/health?x",
		"/v1/homes/" + home + "/events?camera=aaaaaaaaaaaaaaaaaaaaaaaaaa&from=1&until=9007199254740991",
	} {
		for _, method := range []string{"GET", "HEAD", "DELETE"} {
			f.Add(method, seed, cookie)
			n++
		}
	}
	if n < 40 {
		f.Fatalf("%d seeds, want at least 40", n)
	}
	f.Fuzz(func(t *testing.T, method, address, cookie string) {
		u, err := url.ParseRequestURI(address)
		if err != nil || method != "GET" && method != "HEAD" && method != "DELETE" || u.Host != "" || method == "DELETE" && strings.Contains(u.Path, "/session") || len(address) > 1<<15 {
			return
		}
		r := httptest.NewRequest(method, "/", nil)
		r.URL, r.RequestURI = u, address
		r.Header.Set(api.HeaderRequest, "fuzz")
		r.Header.Set("Origin", "http://localhost")
		r.Header.Set("Cookie", cookie)
		r.Header.Set(api.HeaderMAC, mac.RequestMAC(method, address, "fuzz", nil))
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r.WithContext(line))
		if w.Code >= 500 || w.Code == 0 {
			t.Fatalf("%s %q: %d %s", method, address, w.Code, w.Body)
		}
		if strings.HasPrefix(u.Path, "/v1/objects/") && w.Code == http.StatusOK {
			t.Fatalf("%s %q: an object that is not there", method, address)
		}
	})
}
