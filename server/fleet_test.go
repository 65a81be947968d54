package server_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/internal/pipes"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// beside starts another server of the same archive, and returns its address.
func (h *house) beside(t *testing.T, b bus.Bus, a archive.Archive) string {
	t.Helper()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	origin := "http://" + listener.Addr().String()
	s := must(server.New(t.Context(), server.Config{
		Archive: a, Blobs: must(blob.NewDisk(h.disk)), Origin: origin, Bus: b,
		Log: slog.New(slog.NewJSONHandler(h.logs, nil)), Now: h.time,
	}))
	front := server.HTTPServer(s.Handler())
	go front.Serve(listener)
	t.Cleanup(func() {
		for _, c := range []io.Closer{front, s} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return origin
}

// TestOtherServersCut: a session that ends at one server is cut at another, at once by
// the bus, and within a good second without it.
func TestOtherServersCut(t *testing.T) {
	b := bus.NewLocal()
	h := openHouse(t, func(c *server.Config) { c.Bus = b })
	other := h.beside(t, b, h.archive.Archive())
	m := h.found(t)
	name := clip(m)
	for _, tt := range []struct {
		silent bool
		within time.Duration
	}{{false, 500 * time.Millisecond}, {true, 2500 * time.Millisecond}} {
		b.Silence(tt.silent)
		victim := m.signedIn()
		s := victim.slow(other, "GET", objectPath(name), "")
		if err := victim.member.SignOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := s.rest(); err == nil || time.Since(began) > tt.within {
			t.Errorf("silent %t: ended after %s with %v, want a reset within %s", tt.silent, time.Since(began), err, tt.within)
		}
	}
}

// crossedBus delivers what was published for one home as another's.
type crossedBus struct {
	bus.Bus
	to latchkey.HomeID
}

func (b crossedBus) Publish(ctx context.Context, _ latchkey.HomeID, n bus.News) error {
	return b.Bus.Publish(ctx, b.to, n)
}

// TestCrossedBus: news that comes as another home's is an alarm. What it was about is
// learnt from the outbox, and nothing else happens.
func TestCrossedBus(t *testing.T) {
	b := bus.NewLocal()
	h := openHouse(t, func(c *server.Config) { c.Bus = crossedBus{b, latchkey.HomeID{1}} })
	other := h.beside(t, b, h.archive.Archive())
	m := h.found(t)
	s := m.signedIn().slow(other, "GET", objectPath(clip(m)), "")
	m.startEpoch()
	eventually(t, "two alarms", func() bool { return len(h.logs.lines(t, "misroute")) >= 2 }) // the servers'
	for _, line := range h.logs.lines(t, "misroute") {
		if line["where"] != "bus" || line["found"] != m.owner.Home().String() {
			t.Errorf("the log: %v", line)
		}
	}
	if n, err := io.CopyN(io.Discard, s.c, 100_000); err != nil {
		t.Errorf("a download of somebody who may see it: %d bytes, then %v", n, err)
	}
}

// hung is an outbox that says nothing while it is hung.
type hung struct {
	archive.Outbox
	on atomic.Bool
}

func (o *hung) Moves(ctx context.Context, above uint64, max int) ([]archive.Move, error) {
	if o.on.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return o.Outbox.Moves(ctx, above, max)
}

// lossy is a bus that loses news, but no beats.
type lossy struct {
	bus.Bus
	on atomic.Bool
}

func (b *lossy) Publish(ctx context.Context, home latchkey.HomeID, n bus.News) error {
	if b.on.Load() {
		return nil
	}
	return b.Bus.Publish(ctx, home, n)
}

// world is two servers of one archive, and a member who has begun a download at the
// second, all of it within a bubble of synctest.
type world struct {
	bus  *bus.Local
	news lossy                 // the same, for news
	hung hung                  // the outbox as the second server sees it
	get  func() *http.Response // the download
	move func()                // ends another session, at the first server
}

func openWorld(t *testing.T) *world {
	a := must(archive.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "archive.db")))
	w := &world{bus: bus.NewLocal()}
	blobs := must(blob.NewDisk(durabletest.New()))
	var clients []*http.Client
	var ends []io.Closer
	serve := func(change func(a *archive.Archive)) *server.Server {
		kept := a.Archive()
		change(&kept)
		s := must(server.New(t.Context(), server.Config{
			Archive: kept, Blobs: blobs, Origin: "http://house", Bus: &w.news, Patience: time.Hour, Log: slog.New(slog.DiscardHandler),
		}))
		l := pipes.Listen()
		front := server.HTTPServer(s.Handler())
		go front.Serve(l)
		transport := &http.Transport{DialContext: l.Dial}
		clients = append(clients, &http.Client{Transport: transport})
		ends = append(ends, front, s)
		return s
	}
	w.news.Bus = w.bus
	s := serve(func(*archive.Archive) {})
	serve(func(a *archive.Archive) { w.hung.Outbox, a.Outbox = a.Outbox, &w.hung })
	t.Cleanup(func() {
		for _, c := range append(ends, a) {
			c.Close()
		}
		for _, c := range clients {
			c.CloseIdleConnections()
		}
	})
	client := must(api.NewClient("http://house", clients[0]))
	owner := keytest.NewOwner()
	must(client.Found(t.Context(), must(s.MintSetup(t.Context())), owner.Found()))
	founded := owner.Title().Head()
	device, key := owner.Device()
	member := must(client.SignIn(t.Context(), owner.Home(), device, key, founded))
	agent := owner.PlaceAgent()
	camera := owner.PlaceCamera(agent)
	must(member.Append(t.Context(), founded, owner.Title().Deeds(2)...))
	o := agent.Object(owner.Title(), camera, latchkey.Clip, []byte(strings.Repeat("a clip ", 100_000)))
	upload := client.Agent(owner.Home(), agent.Keys.Agent, agent.Keys.Signing)
	if err := upload.Upload(t.Context(), owner.Title().Head(), o.Name(), o.File.Bytes(), 0, bytes.NewReader(o.Body), uint64(len(o.Body))); err != nil {
		t.Fatal(err)
	}
	w.get = func() *http.Response {
		r := must(http.NewRequestWithContext(t.Context(), "GET", "http://house"+objectPath(o.Name()), nil))
		prove(member, r)
		return must(clients[1].Do(r))
	}
	w.move = func() {
		other := must(client.SignIn(t.Context(), owner.Home(), device, key, founded))
		if err := other.SignOut(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// TestLease lets time pass: a download goes on as long as either the bus or the archive
// says that nothing has changed, and is cut when both have been silent for 10 s. Then
// nothing new begins, until one of them speaks again.
func TestLease(t *testing.T) {
	for name, tt := range map[string]struct {
		busSilent, newsLost, archiveHangs bool
		cut                               bool
	}{
		"both speak":                   {false, false, false, false},
		"the bus is silent":            {true, false, false, false},
		"the archive hangs":            {false, false, true, false},
		"the bus loses some":           {false, true, false, false},
		"what the bus lost is missing": {false, true, true, true},
		"both are silent":              {true, false, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := openWorld(t)
				d := w.get()
				defer d.Body.Close()
				time.Sleep(1250 * time.Millisecond) // between two looks at the archive, none of which sees the move
				w.bus.Silence(tt.busSilent)
				w.news.on.Store(tt.newsLost)
				w.hung.on.Store(tt.archiveHangs)
				w.move()
				began := time.Now()
				var err error
				for time.Since(began) < time.Minute && err == nil {
					_, err = io.ReadFull(d.Body, make([]byte, 1000))
					time.Sleep(100 * time.Millisecond)
				}
				ended := time.Since(began)
				// The reader takes 10 KB a second, and had up to 8 KB before it when it was cut.
				if cut := err != nil; cut != tt.cut || cut && (ended < 8*time.Second || ended > 10800*time.Millisecond) {
					t.Fatalf("after %s: %v; cut: %t", ended, err, tt.cut)
				}
				if !tt.cut {
					return
				}
				a := w.get()
				a.Body.Close()
				if a.StatusCode != 503 || a.Header.Get("Retry-After") == "" {
					t.Errorf("a new download: %s", a.Status)
				}
				w.hung.on.Store(false)
				time.Sleep(3 * time.Second)
				a = w.get()
				a.Body.Close()
				if a.StatusCode != 200 {
					t.Errorf("a new download when the archive speaks again: %s", a.Status)
				}
			})
		})
	}
}

// TestLeaseForReal waits for it.
func TestLeaseForReal(t *testing.T) {
	t.Parallel()
	b := bus.NewLocal()
	gate := &hung{}
	h := openHouse(t, func(c *server.Config) {
		c.Bus, gate.Outbox = b, c.Archive.Outbox
		c.Archive.Outbox = gate
	})
	m := h.found(t)
	s := m.slow(h.origin, "GET", m.path("/changes"), "")
	b.Silence(true)
	gate.on.Store(true)
	began := time.Now()
	_ = s.c.SetReadDeadline(began.Add(20 * time.Second))
	_, err := io.Copy(io.Discard, s.c)
	if d := time.Since(began); d < 8500*time.Millisecond || d > 15*time.Second || err == nil {
		t.Errorf("closed after %s with %v, want a reset after 9 to 15 s", d, err)
	}
	answer, body := h.do(t, raw{method: "GET", path: m.path("/events"), header: m.asPage()})
	if answer.StatusCode != 503 || !strings.Contains(body, `"reason":"busy"`) || answer.Header.Get("Retry-After") == "" {
		t.Errorf("afterwards: %d %s", answer.StatusCode, body)
	}
	if len(h.logs.lines(t, "nobody says who may see what: everything under way is ended")) != 1 {
		t.Errorf("the log: %s", h.logs.text())
	}
}
