package server_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/server"
)

// probe returns what a probe answers at the server's own address and at the operator's.
func probe(t *testing.T, h *house, path string) (status int, outside, inside string) {
	t.Helper()
	operator := httptest.NewServer(h.Operator())
	defer operator.Close()
	for origin, to := range map[string]*string{h.origin: &outside, operator.URL: &inside} {
		a := must(http.Get(origin + path))
		*to = string(must(io.ReadAll(a.Body)))
		must(0, a.Body.Close())
		status = a.StatusCode
	}
	return status, outside, inside
}

// TestProbes: a server says whether it goes on and whether it is to be asked, and why not
// only to whoever runs it.
func TestProbes(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, outside, inside := probe(t, h, path); status != http.StatusOK || outside != "ok\n" || inside != "ok\n" {
			t.Errorf("%s of a server that goes on: %d %q %q", path, status, outside, inside)
		}
	}
	release := server.Hang(h.Server)
	if status, outside, inside := probe(t, h, "/healthz"); status != http.StatusServiceUnavailable || outside != "no\n" || len(inside) < 10 {
		t.Errorf("of one that hangs: %d %q %q", status, outside, inside)
	}
	release()
	eventually(t, "it goes on", func() bool { status, _, _ := probe(t, h, "/healthz"); return status == http.StatusOK })
	h.Drain(t.Context(), time.Millisecond)
	if status, outside, inside := probe(t, h, "/readyz"); status != http.StatusServiceUnavailable || outside != "no\n" || len(inside) < 10 {
		t.Errorf("of one that is going down: %d %q %q", status, outside, inside)
	}
	if status, _, _ := probe(t, h, "/healthz"); status != http.StatusOK {
		t.Errorf("/healthz of one that is going down: %d", status)
	}
}

// TestDrain: agents and pages are told to move, one after the other, and requests are
// answered meanwhile.
func TestDrain(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	const homes, within = 8, 800 * time.Millisecond
	ended := make(chan time.Duration, 2*homes)
	wrong := make(chan error, 2*homes)
	var began time.Time
	started := make(chan struct{})
	var last *home
	for range homes {
		m := h.found(t)
		last = m
		agent := m.connect(start{1, 0, 1})
		page := must(m.member.Changes(t.Context()))
		go func() {
			<-started
			for {
				if _, err := agent.Receive(context.Background()); err != nil {
					if !errors.Is(err, api.ErrMoved) {
						wrong <- err
					}
					break
				}
			}
			ended <- time.Since(began)
		}()
		go func() {
			<-started
			for {
				if _, err := page.Next(context.Background()); err != nil {
					break
				}
			}
			ended <- time.Since(began)
		}()
	}
	began = time.Now()
	close(started)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		h.Drain(context.Background(), within)
	}()
	must(last.member.Events(t.Context(), "", 1))
	var all []time.Duration
	for range 2 * homes {
		select {
		case d := <-ended:
			all = append(all, d)
		case err := <-wrong:
			t.Fatalf("an agent was not told to move: %v", err)
		case <-time.After(patience):
			t.Fatalf("only %d of %d have moved", len(all), 2*homes)
		}
	}
	<-drained
	if first, last := all[0], all[len(all)-1]; last-first < within/2 {
		t.Errorf("the first moved after %v, the last after %v: want them one after the other within %v", first, last, within)
	}
}

// TestOperatorsPage: whoever runs the server sees how it is doing and what is held, and no
// home but those that they have named themselves.
func TestOperatorsPage(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	m := h.found(t)
	m.connect(start{1, 0, 1})
	page := func() string {
		w := httptest.NewRecorder()
		h.Operator().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
	eventually(t, "the strains are known", func() bool { return strings.Contains(page(), "<th>archive</th>") })
	quiet := page()
	for _, want := range []string{"is ready", "None since the start", `<tr><th>agents</th><td class="n">1</td>`, "<th>person</th>", "Nothing is left out", "None stands"} {
		if !strings.Contains(quiet, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(quiet, m.owner.Home().String()) {
		t.Error("the page names a home")
	}
	must(h.archive.Archive().Holds.PutHold(t.Context(), archive.Hold{Scope: api.HoldEverything, Who: "op <b>", Why: "why & wherefore", Since: latchkey.TimeOf(h.time())}))
	eventually(t, "the hold is on it", func() bool { return strings.Contains(page(), "op &lt;b&gt;: why &amp; wherefore") })
	h.Drain(t.Context(), 0)
	if !strings.Contains(page(), "is not ready") {
		t.Error("the page says that a server is ready that is going down")
	}
}

// TestWatchedMetricsExist: dashboard and alerts ask for nothing that the server does not
// count.
func TestWatchedMetricsExist(t *testing.T) {
	t.Parallel()
	counted := map[string]bool{"latchkey_connections_refused_total": true} // of a listener
	h := openHouse(t)
	described := make(chan *prometheus.Desc, 1000)
	server.Describe(h.Server, described)
	close(described)
	for d := range described {
		if name := regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(d.String()); name != nil {
			counted[name[1]] = true
		}
	}
	asked := 0
	for _, file := range []string{"../deploy/prometheus/latchkey.rules.yml", "../deploy/grafana/latchkey.json"} {
		b := must(os.ReadFile(file))
		for _, name := range regexp.MustCompile(`latchkey_[a-z_]+`).FindAllString(string(b), -1) {
			asked++
			if !counted[name] {
				t.Errorf("%s asks for %s, which nobody counts", file, name)
			}
		}
	}
	if asked < 30 {
		t.Errorf("only %d metrics are asked for", asked)
	}
}
