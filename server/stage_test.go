package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
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

// A stage is the real server on the real archive, whose calls and whose writes to
// connections are steps: orders_test.go plays on it in every order.

// scene is a home as it lies on the disk before a play begins.
type scene struct {
	*home                // of the house in which it was furnished
	index  []byte        // the archive's file
	name   latchkey.Name // of a picture
	secret []byte        // the end of its body
	people map[string]*keytest.Person
	passes map[string]pass // of "owner" and of people

	onto  latchkey.Head // that the removal is appended to
	words []byte        // the body of the request that does
}

// pass is what a page has to be let in with.
type pass struct {
	cookie string
	mac    api.MACKey
}

// The actors.
const (
	leaver  = "leaver" // whose removal is signed
	stayer  = "stayer"
	remover = "owner"
	giver   = "agent" // the home's, who gives back what is missing
)

func setScene(t *testing.T) *scene {
	h := openHouse(t)
	s := &scene{home: h.found(t), people: map[string]*keytest.Person{}}
	before := s.owner.Title().Head()
	for _, name := range []string{leaver, stayer} {
		s.people[name] = s.owner.Join(keytest.NewPerson(), keytest.AsResident)
	}
	s.append(before)
	o := s.agent.Object(s.owner.Title(), s.camera, latchkey.Thumbnail, bytes.Repeat([]byte("pixel"), 2000))
	must(0, s.upload.Upload(t.Context(), s.owner.Title().Head(), o.Name(), o.File.Bytes(), 0, bytes.NewReader(o.Body), uint64(len(o.Body))))
	s.name, s.secret = o.Name(), o.Body[len(o.Body)-64:]
	s.enter(h)
	must(0, h.Close())
	must(0, h.archive.Close())
	s.index = must(os.ReadFile(h.file))
	s.onto = s.owner.Title().Head()
	s.owner.Dismiss(s.people[leaver])
	s.words = must(json.Marshal(api.AppendDeeds{Home: s.owner.Home(), Onto: api.Head(s.onto), Deeds: s.removal()}))
	return s
}

// removal is the deeds that remove the leaver.
func (s *scene) removal() [][]byte { return s.owner.Title().Deeds(s.onto.Seq + 1) }

// enter signs everybody in at a house.
func (s *scene) enter(h *house) {
	at, head := s.home.at(s.t, h), s.owner.Title().Head()
	s.passes = map[string]pass{}
	for name, p := range s.people {
		in := must(h.client.SignIn(s.t.Context(), s.owner.Home(), p.Keys.Device, p.Keys.DeviceSigning, head))
		s.passes[name] = pass{in.Cookie(), in.MACKey()}
	}
	in := at.signIn()
	s.passes[remover] = pass{in.Cookie(), in.MACKey()}
}

// restored is the scene as a backup from before the removal has it when it was put back:
// the home is closed, and everybody has signed in anew.
func (s *scene) restored(t *testing.T) *scene {
	file := filepath.Join(t.TempDir(), "archive.db")
	must(0, os.WriteFile(file, s.index, 0o600))
	a := must(archive.OpenSQLite(t.Context(), file))
	must(0, a.Archive().Restores.Restored(t.Context(), latchkey.TimeOf(s.house.time())))
	h := openHouse(t, func(c *server.Config) { c.Archive = a.Archive() })
	r := *s
	r.enter(h)
	must(0, h.Close())
	must(0, a.Close())
	r.index = must(os.ReadFile(file))
	return &r
}

// stage is a server in the scene whose steps are ordered.
type stage struct {
	*scene
	t     *testing.T
	world *explore.World
	dial  chan net.Conn
	close []func() error

	later time.Duration // the server's clock, after the scene's
	told  bool          // the owner has been answered that it is done

	mu    sync.Mutex // protects heard
	heard map[string][]int
}

// open starts a server on a copy of the scene.
func (s *scene) open(ctx context.Context, t *testing.T, w *explore.World, cached bool) *stage {
	st := &stage{scene: s, t: t, world: w, dial: make(chan net.Conn), heard: map[string][]int{}}
	dir := must(os.MkdirTemp("", "stage-")) // removed after each order: there are many
	file := filepath.Join(dir, "archive.db")
	must(0, os.WriteFile(file, s.index, 0o600))
	index := must(archive.OpenSQLite(ctx, file))
	folder := must(durable.Open(s.house.blobs))
	c := server.Config{
		Archive: index.Archive(), Blobs: must(blob.NewDisk(folder)), Origin: s.house.origin,
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return s.house.time().Add(st.later) },
	}
	if cached {
		c.Cache = must(bound.New(bound.Config{Keys: bound.NewKeys(), Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{Bytes: 1 << 20})}}))
		st.close = append(st.close, c.Cache.Close)
	}
	steps := seam{w}
	c.Archive.Homes, c.Archive.Sessions = stepHomes{c.Archive.Homes, steps}, stepSessions{c.Archive.Sessions, steps}
	c.Archive.Objects, c.Archive.Outbox = stepObjects{c.Archive.Objects, steps}, stepOutbox{c.Archive.Outbox, steps}
	run := must(server.New(ctx, c))
	front := server.HTTPServer(run.Handler())
	lines := front.ConnContext
	front.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return explore.As(lines(ctx, c), c.(*wire).of)
	}
	go front.Serve(&stageDoor{st.dial, make(chan struct{})})
	st.close = append([]func() error{front.Close, run.Close, index.Close, folder.Close, func() error { return os.RemoveAll(dir) }}, st.close...)
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

// What steps touch: the archive's file; what the server remembers, of connections that are
// open too; whether each of these stands; and what the owner was told. While everything
// is remembered, whoever asks does not change it.
const (
	onDisk   = "archive"
	inMemory = "memory"
	theWord  = "word"
)

func lineOf(name string) string { return "line of " + name }

var (
	looksUp = []explore.Touch{explore.Reads(inMemory), explore.MightWrite(inMemory)}
	// Of the connections, those of nobody else are ended while it is looked.
	goesOn = []explore.Touch{explore.Writes(inMemory), explore.MightWrite(lineOf(leaver)), explore.MightWrite(lineOf(giver))}
)

// wire is the server's end of an actor's connection. What is written to it has reached
// whoever is at the other end.
type wire struct {
	net.Conn
	of    context.Context // the actor's
	stage *stage
	name  string // the actor's
}

func (w *wire) Write(p []byte) (int, error) {
	touches := []explore.Touch{explore.Writes(lineOf(w.name))}
	if w.name == giver {
		touches = append(touches, looksUp...) // its conversation goes on
	}
	shows := w.name == leaver && bytes.Contains(p, w.stage.secret)
	if shows {
		touches = append(touches, explore.Reads(theWord))
	}
	w.stage.world.Step(w.of, "writes to "+w.name, touches...)
	n, err := w.Conn.Write(p)
	if n > 0 && shows && w.stage.told {
		w.stage.world.Fail("a picture goes out to somebody after their removal was confirmed")
	}
	return n, err
}

// Close is the end, or a cut.
func (w *wire) Close() error {
	w.stage.world.Touched(lineOf(w.name))
	return w.Conn.Close()
}

// browser is an actor's.
func (s *stage) browser(name string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		near, far := net.Pipe()
		s.dial <- &wire{Conn: far, of: ctx, stage: s, name: name}
		return near, nil
	}}}
}

// ask makes a request as a page does, and returns the answer's status: 0 if there was
// none.
func (s *stage) ask(ctx context.Context, b *http.Client, name, method, path string, body []byte) (status int, answer []byte) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.heard[name] = append(s.heard[name], status)
	}()
	r := must(http.NewRequestWithContext(ctx, method, s.house.origin+path, bytes.NewReader(body)))
	p := s.passes[name]
	r.Header.Set(api.HeaderRequest, "a")
	r.Header.Set(api.HeaderMAC, p.mac.RequestMAC(method, path, "a", body))
	r.Header.Set("Cookie", p.cookie)
	r.Header.Set("Origin", s.house.origin)
	r.Header.Set("Content-Type", "application/json")
	s.world.Step(ctx, "asks", looksUp...)
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

// answers are the statuses that everybody was answered.
func (s *stage) answers() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprint(s.heard)
}

// look asks for the picture. What comes is it, or no picture.
func (s *stage) look(ctx context.Context, b *http.Client, name string) (status int) {
	status, answer := s.ask(ctx, b, name, "GET", objectPath(s.name), nil)
	if status == http.StatusOK && !bytes.HasSuffix(answer, s.secret) {
		s.world.Fail("the answer is another picture")
	}
	return status
}

// remove is the owner's removal of the leaver.
func (s *stage) remove(ctx context.Context, b *http.Client) {
	status, answer := s.ask(ctx, b, remover, "POST", s.path("/deeds"), s.words)
	if status != http.StatusCreated {
		s.world.Fail("the removal is answered by %d: %s", status, answer)
	}
	s.world.Step(ctx, "is told", explore.Writes(theWord))
	s.told = true
}

// confirm is the owner's word, given at the home's newest head.
func (s *stage) confirm(ctx context.Context, b *http.Client) {
	body := must(json.Marshal(api.HomeHead{Home: s.owner.Home(), Head: api.Head(s.owner.Title().Head())}))
	s.ask(ctx, b, remover, "POST", s.path("/confirm"), body)
}

// arrive is the agent's beginning. It has ended when the agent is welcome.
func (s *stage) arrive(ctx context.Context, b *http.Client) {
	client := must(api.NewClient(s.house.origin, b))
	s.world.Step(ctx, "calls", looksUp...)
	socket := must(client.Dial(ctx, ""))
	s.close = append([]func() error{socket.Close}, s.close...)
	challenge, head := must(socket.Receive(ctx)).(api.Challenge), s.owner.Title().Head()
	s.world.Step(ctx, "says who it is", looksUp...)
	must(0, socket.Send(ctx, must(api.SignHello(s.hello(start{1, 0, 1}, &head), challenge.Nonce, s.agent.Keys.Signing))))
	answer := must(socket.Receive(ctx))
	if _, ok := answer.(api.Welcome); !ok {
		s.world.Fail("the agent is answered by %T", answer)
	}
}

// What a call of the archive does is done in one step. What the server does with what it
// has read is another: meanwhile others go on. Receipts, and that an agent has come, are
// written down without a step of their own: nobody here reads them.
type seam struct{ world *explore.World }

func (s seam) reads(ctx context.Context, what string) (has func()) {
	s.world.Touched(inMemory) // whoever asks the archive has made a place to remember it in
	s.world.Step(ctx, "reads "+what, explore.Reads(onDisk))
	return func() { s.world.Step(ctx, "has read "+what, goesOn...) }
}

func (s seam) changes(ctx context.Context, does, done string) (has func()) {
	s.world.Step(ctx, does, explore.Writes(onDisk))
	return func() { s.world.Step(ctx, done, goesOn...) }
}

type (
	stepHomes struct {
		archive.Homes
		seam
	}
	stepSessions struct {
		archive.Sessions
		seam
	}
	stepObjects struct {
		archive.Objects
		seam
	}
	stepOutbox struct {
		archive.Outbox
		seam
	}
)

func (s stepHomes) Head(ctx context.Context, home latchkey.HomeID) (archive.HomeHead, error) {
	defer s.reads(ctx, "the head")()
	return s.Homes.Head(ctx, home)
}

func (s stepHomes) Deeds(ctx context.Context, home latchkey.HomeID, from uint64, max int) ([]archive.Deed, error) {
	defer s.reads(ctx, "deeds")()
	return s.Homes.Deeds(ctx, home, from, max)
}

func (s stepHomes) Append(ctx context.Context, onto latchkey.Head, g archive.Growth) error {
	defer s.changes(ctx, "appends", "has appended")()
	return s.Homes.Append(ctx, onto, g)
}

func (s stepHomes) Reopen(ctx context.Context, home latchkey.HomeID, confirmed latchkey.Head) error {
	defer s.changes(ctx, "opens the home", "has opened the home")()
	return s.Homes.Reopen(ctx, home, confirmed)
}

func (s stepSessions) Session(ctx context.Context, home latchkey.HomeID, secret archive.Secret) (archive.Session, error) {
	defer s.reads(ctx, fmt.Sprintf("the session %x", secret[:2]))()
	return s.Sessions.Session(ctx, home, secret)
}

func (s stepObjects) Object(ctx context.Context, name latchkey.Name) (archive.Row, error) {
	defer s.reads(ctx, "the row")()
	return s.Objects.Object(ctx, name)
}

func (s stepOutbox) Moves(ctx context.Context, above uint64, max int) ([]archive.Move, error) {
	defer s.reads(ctx, "the outbox")()
	return s.Outbox.Moves(ctx, above, max)
}
