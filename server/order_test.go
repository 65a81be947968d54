package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/bound"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/explore"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// The orders of a removal: the real server on the real archive, whose calls and whose
// writes to connections are steps, in every order in which they can happen.

// scene is a home as it lies on the disk before somebody is removed from it.
type scene struct {
	index  []byte // the archive's file
	blobs  string
	now    time.Time
	origin string
	name   latchkey.Name // of a picture
	secret []byte        // the end of its body
	owner  pass
	leaver pass   // who is removed
	stayer pass   // who is not
	words  []byte // the body of the request that removes
	home   latchkey.HomeID
}

// pass is what a page has to be let in with.
type pass struct {
	cookie string
	mac    api.MACKey
}

func passOf(h *api.Home) pass { return pass{h.Cookie(), h.MACKey()} }

func setScene(t *testing.T) *scene {
	h := openHouse(t)
	m := h.found(t)
	before := m.owner.Title().Head()
	leaver, stayer := m.owner.Join(keytest.NewPerson(), keytest.AsResident), m.owner.Join(keytest.NewPerson(), keytest.AsResident)
	m.append(before)
	o := m.agent.Object(m.owner.Title(), m.camera, latchkey.Thumbnail, bytes.Repeat([]byte("pixel"), 2000))
	must(0, m.upload.Upload(t.Context(), m.owner.Title().Head(), o.Name(), o.File.Bytes(), 0, bytes.NewReader(o.Body), uint64(len(o.Body))))
	s := &scene{
		blobs: h.blobs, now: h.time(), origin: h.origin, name: o.Name(), secret: o.Body[len(o.Body)-64:], home: m.owner.Home(),
		owner: passOf(m.member), leaver: passOf(m.enter(leaver)), stayer: passOf(m.enter(stayer)),
	}
	onto := m.owner.Title().Head()
	m.owner.Dismiss(leaver)
	s.words = must(json.Marshal(api.AppendDeeds{Home: s.home, Onto: api.Head(onto), Deeds: m.owner.Title().Deeds(onto.Seq + 1)}))
	must(0, h.Close())
	must(0, h.archive.Close())
	s.index = must(os.ReadFile(h.file))
	return s
}

// enter signs somebody in.
func (m *home) enter(p *keytest.Person) *api.Home {
	m.t.Helper()
	return must(m.house.client.SignIn(m.t.Context(), m.owner.Home(), p.Keys.Device, p.Keys.DeviceSigning, m.owner.Title().Head()))
}

// stage is a server in the scene whose steps are ordered.
type stage struct {
	*scene
	t     *testing.T
	world *explore.World
	dial  chan net.Conn
	close []func() error

	told bool // the owner has been answered that it is done
}

// open starts a server on a copy of the scene.
func (s *scene) open(ctx context.Context, t *testing.T, w *explore.World, cached bool) *stage {
	st := &stage{scene: s, t: t, world: w, dial: make(chan net.Conn)}
	file := filepath.Join(t.TempDir(), "archive.db")
	must(0, os.WriteFile(file, s.index, 0o600))
	index := must(archive.OpenSQLite(ctx, file))
	folder := must(durable.Open(s.blobs))
	c := server.Config{
		Archive: index.Archive(), Blobs: must(blob.NewDisk(folder)), Origin: s.origin,
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return s.now },
	}
	if cached {
		c.Cache = must(bound.New(bound.Config{Keys: bound.NewKeys(), Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{Bytes: 1 << 20})}}))
		st.close = append(st.close, c.Cache.Close)
	}
	c.Archive.Homes, c.Archive.Sessions = stepHomes{c.Archive.Homes, w}, stepSessions{c.Archive.Sessions, w}
	c.Archive.Objects, c.Archive.Receipts = stepObjects{c.Archive.Objects, w}, stepReceipts{c.Archive.Receipts, w}
	c.Archive.Outbox = stepOutbox{c.Archive.Outbox, w}
	run := must(server.New(ctx, c))
	front := server.HTTPServer(run.Handler())
	lines := front.ConnContext
	front.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return explore.As(lines(ctx, c), c.(*wire).of)
	}
	go front.Serve(&stageDoor{st.dial, make(chan struct{})})
	st.close = append([]func() error{front.Close, run.Close, index.Close, folder.Close}, st.close...)
	return st
}

// end closes what open has opened.
func (s *stage) end() {
	for _, f := range s.close {
		must(0, f())
	}
}

// stageDoor is a listener at which actors knock.
type stageDoor struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (d *stageDoor) Accept() (net.Conn, error) {
	select {
	case c := <-d.conns:
		return c, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

func (d *stageDoor) Close() error   { close(d.closed); return nil }
func (d *stageDoor) Addr() net.Addr { return &net.UnixAddr{Name: "stage", Net: "unix"} }

// wire is the server's end of an actor's connection. What is written to it has reached
// whoever is at the other end.
type wire struct {
	net.Conn
	of    context.Context // the actor's
	stage *stage
	left  bool // its actor is one whose right ends
}

func (w *wire) Write(p []byte) (int, error) {
	// What follows may be the actor's next request, or that the removal is confirmed.
	w.stage.world.Step(w.of, "writes to the connection", inMemory...)
	n, err := w.Conn.Write(p)
	if n > 0 && w.left && w.stage.told && bytes.Contains(p, w.stage.secret) {
		w.stage.world.Fail("a picture goes out to somebody after their removal was confirmed")
	}
	return n, err
}

// browser is an actor's.
func (s *stage) browser(left bool) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		near, far := net.Pipe()
		s.dial <- &wire{Conn: far, of: ctx, stage: s, left: left}
		return near, nil
	}}}
}

// ask makes a request as a page does, and returns the answer's status: 0 if there was none.
func (s *stage) ask(ctx context.Context, b *http.Client, p pass, method, path string, body []byte) (status int, answer []byte) {
	r := must(http.NewRequestWithContext(ctx, method, s.origin+path, bytes.NewReader(body)))
	id := "a"
	r.Header.Set(api.HeaderRequest, id)
	r.Header.Set(api.HeaderMAC, p.mac.RequestMAC(method, path, id, body))
	r.Header.Set("Cookie", p.cookie)
	r.Header.Set("Origin", s.origin)
	r.Header.Set("Content-Type", "application/json")
	a, err := b.Do(r)
	if err != nil {
		return 0, nil
	}
	defer a.Body.Close()
	answer, err = io.ReadAll(a.Body)
	if err != nil {
		return 0, answer
	}
	return a.StatusCode, answer
}

func (s *stage) picture(ctx context.Context, b *http.Client, p pass) int {
	status, answer := s.ask(ctx, b, p, "GET", "/v1/objects/"+strings.TrimPrefix(s.name.String(), "v1/"), nil)
	if status == http.StatusOK && !bytes.HasSuffix(answer, s.secret) {
		s.world.Fail("the answer is another picture")
	}
	return status
}

// remove is the owner's removal of the leaver.
func (s *stage) remove(ctx context.Context) {
	status, answer := s.ask(ctx, s.browser(false), s.owner, "POST", "/v1/homes/"+s.home.String()+"/deeds", s.words)
	if status != http.StatusCreated {
		s.world.Fail("the removal is answered by %d: %s", status, answer)
	}
	s.told = true
}

// receipts is [archive.Receipts], which has a method of its own name.
type receipts = archive.Receipts

// What a call of the archive does is done in one step. What the server does with what it
// has read is another: meanwhile others go on.
type (
	stepHomes struct {
		archive.Homes
		w *explore.World
	}
	stepSessions struct {
		archive.Sessions
		w *explore.World
	}
	stepObjects struct {
		archive.Objects
		w *explore.World
	}
	stepReceipts struct {
		receipts
		w *explore.World
	}
	stepOutbox struct {
		archive.Outbox
		w *explore.World
	}
)

// What steps touch: the archive's file, and what the server remembers, connections
// included. Who has read something goes on to remember it.
var (
	inMemory = []explore.Touch{explore.Writes("memory")}
	reading  = []explore.Touch{explore.Reads("archive")}
	changing = []explore.Touch{explore.Writes("archive")}
)

func (s stepHomes) Head(ctx context.Context, home latchkey.HomeID) (archive.HomeHead, error) {
	s.w.Step(ctx, "reads the head", reading...)
	defer s.w.Step(ctx, "has read the head", inMemory...)
	return s.Homes.Head(ctx, home)
}

func (s stepHomes) Deeds(ctx context.Context, home latchkey.HomeID, from uint64, max int) ([]archive.Deed, error) {
	s.w.Step(ctx, "reads deeds", reading...)
	defer s.w.Step(ctx, "has read deeds", inMemory...)
	return s.Homes.Deeds(ctx, home, from, max)
}

func (s stepHomes) Append(ctx context.Context, onto latchkey.Head, g archive.Growth) error {
	s.w.Step(ctx, "appends", changing...)
	defer s.w.Step(ctx, "has appended", inMemory...)
	return s.Homes.Append(ctx, onto, g)
}

func (s stepSessions) Session(ctx context.Context, home latchkey.HomeID, secret archive.Secret) (archive.Session, error) {
	s.w.Step(ctx, "reads the session", reading...)
	defer s.w.Step(ctx, "has read the session", inMemory...)
	return s.Sessions.Session(ctx, home, secret)
}

func (s stepObjects) Object(ctx context.Context, name latchkey.Name) (archive.Row, error) {
	s.w.Step(ctx, "reads the row", reading...)
	defer s.w.Step(ctx, "has read the row", inMemory...)
	return s.Objects.Object(ctx, name)
}

// PutReceipt touches nothing that anybody else does: receipts are never looked at here.
func (s stepReceipts) PutReceipt(ctx context.Context, r archive.Receipt) error {
	s.w.Step(ctx, "writes a receipt", explore.Writes("receipts"))
	return s.receipts.PutReceipt(ctx, r)
}

func (s stepOutbox) Moves(ctx context.Context, above uint64, max int) ([]archive.Move, error) {
	s.w.Step(ctx, "reads the outbox", reading...)
	defer s.w.Step(ctx, "has read the outbox", inMemory...)
	return s.Outbox.Moves(ctx, above, max)
}

// orders runs a play in every order.
func (s *scene) orders(t *testing.T, cached bool, play func(ctx context.Context, st *stage)) (int, error) {
	t.Helper()
	began := time.Now()
	n, err := explore.All(t, func(ctx context.Context, w *explore.World) func() {
		st := s.open(ctx, t, w, cached)
		play(ctx, st)
		return st.end
	})
	t.Logf("%d orders in %v", n, time.Since(began).Round(time.Millisecond))
	return n, err
}

func TestOrdersOfARemoval(t *testing.T) {
	s := setScene(t)
	looks := func(times int) func(context.Context, *stage) {
		return func(ctx context.Context, st *stage) {
			b := st.browser(true)
			st.picture(ctx, b, s.leaver)
			st.world.Go(ctx, "owner", st.remove)
			st.world.Go(ctx, "leaver", func(ctx context.Context) {
				for range times {
					st.picture(ctx, b, s.leaver)
				}
			})
		}
	}
	_, err := s.orders(t, false, looks(1))
	if err != nil {
		t.Error(err)
	}
	_, err = s.orders(t, true, looks(1))
	if err != nil {
		t.Error(err)
	}
	_, err = s.orders(t, true, looks(2))
	if err != nil {
		t.Error(err)
	}
}
