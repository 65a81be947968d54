package porch_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/certificate"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/porch"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/settings"
)

// waiting is what an agent has recorded.
type waiting struct {
	objects map[latchkey.Name]keytest.Object
	order   []keytest.Object
	fails   error
	open    int
	more    atomic.Pointer[chan struct{}]
}

func (w *waiting) put(o keytest.Object) {
	w.objects[o.Name()] = o
	w.order = append(w.order, o)
	close(*w.more.Swap(new(make(chan struct{}))))
}

func (w *waiting) Changed() <-chan struct{} { return *w.more.Load() }

func (w *waiting) List() (all []sealed.Header) {
	for _, o := range w.order {
		all = append(all, o.File.Header)
	}
	return all
}

func (w *waiting) Open(name latchkey.Name) (sealed.File, io.ReadCloser, error) {
	o, there := w.objects[name]
	switch {
	case w.fails != nil:
		return sealed.File{}, nil, w.fails
	case !there:
		return sealed.File{}, nil, fs.ErrNotExist
	}
	w.open++
	return o.File, body{bytes.NewReader(o.Body), w}, nil
}

type body struct {
	io.Reader
	of *waiting
}

func (b body) Close() error {
	b.of.open--
	return nil
}

// porched is a porch beside nobody, and how a browser reaches it.
type porched struct {
	t         *testing.T
	owner     *keytest.Owner
	connected atomic.Bool
	stands    atomic.Bool
	settings  atomic.Pointer[[]byte]
	waits     *waiting
	config    porch.Config
	porch     *porch.Porch
	browser   *http.Client
}

func (p *porched) start() {
	p.t.Helper()
	var err error
	if p.porch, err = porch.Open(p.t.Context(), p.config); err != nil {
		p.t.Fatal(err)
	}
	p.browser = &http.Client{Transport: &http.Transport{TLSClientConfig: certificate.Trust(p.porch.Root, "127.0.0.1")}}
}

func newPorched(t *testing.T, server *httptest.Server) *porched {
	t.Helper()
	p := &porched{t: t, owner: keytest.NewOwner(), waits: &waiting{objects: map[latchkey.Name]keytest.Object{}}}
	p.owner.Found()
	p.stands.Store(true)
	p.waits.more.Store(new(make(chan struct{})))
	p.settings.Store(new([]byte))
	p.config = porch.Config{
		Folder: t.TempDir(), Listen: "127.0.0.1:0", Names: []string{"127.0.0.1"}, Unsent: p.waits,
		Settings: func() []byte { return *p.settings.Load() }, Server: server.URL, HTTP: server.Client(),
		Connected: p.connected.Load, Stands: p.stands.Load, Log: slog.New(slog.DiscardHandler),
		App: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("the porch's page")) }),
	}
	return p
}

// home is the owner's session at the porch.
func (p *porched) home() *api.Home {
	p.t.Helper()
	c, err := api.NewClient(p.porch.Origin, p.browser)
	if err != nil {
		p.t.Fatal(err)
	}
	device, signing := p.owner.Device()
	home, err := c.SignIn(p.t.Context(), p.owner.Home(), device, signing, p.owner.Title().Head())
	if err != nil {
		p.t.Fatal(err)
	}
	return home
}

// TestLists: a porch lists what waits and gives it, as long as it waits; what is gone is
// gone, what cannot be read is said to be, and nothing stays open.
func TestLists(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	p := newPorched(t, server)
	agent := p.owner.PlaceAgent()
	camera := p.owner.PlaceCamera(agent)
	for i := range 3 {
		p.waits.put(agent.Object(p.owner.Title(), camera, latchkey.Thumbnail, []byte{byte(i)}))
	}
	p.config.Title = p.owner.Title()
	p.start()
	defer p.porch.Close()
	home, ctx := p.home(), t.Context()
	page, err := home.Events(ctx, "", 0)
	if err != nil || len(page.Events) != 3 || !page.Porch || page.Next != "" {
		t.Fatalf("the list: %+v %v", page, err)
	}
	for i, e := range page.Events {
		o := p.waits.order[2-i]
		if e.Event != o.File.Header.Binding.Event || len(e.Objects) != 1 || !bytes.Equal(e.Objects[0].Header, o.File.Header.Bytes()) || !bytes.Equal(e.Objects[0].Envelope, o.File.Envelopes[0].Bytes()) {
			t.Errorf("event %d: %+v", i, e)
		}
		d, err := home.Object(ctx, o.Name())
		if err != nil {
			t.Fatal(err)
		}
		f, err := sealed.ReadFile(d.File)
		if err != nil || f.Header.Name() != o.Name() {
			t.Errorf("object %d is of %v, %v", i, f.Header.Name(), err)
		}
		if b, err := io.ReadAll(d.File); err != nil || !bytes.Equal(b, o.Body) {
			t.Errorf("object %d: %v", i, err)
		}
		d.File.Close()
	}
	gone := p.waits.order[1].Name()
	delete(p.waits.objects, gone)
	if page, err := home.Events(ctx, "", 0); err != nil || len(page.Events) != 2 {
		t.Errorf("the list, when one has gone: %+v %v", page, err)
	}
	if _, err := home.Object(ctx, gone); api.ReasonOf(err) != api.NotFound {
		t.Errorf("what is gone: %v", err)
	}
	p.waits.fails = errors.New("no disk")
	if _, err := home.Events(ctx, "", 0); api.ReasonOf(err) != api.Internal {
		t.Errorf("the list of what cannot be read: %v", err)
	}
	if _, err := home.Object(ctx, p.waits.order[0].Name()); api.ReasonOf(err) != api.Internal {
		t.Errorf("what cannot be read: %v", err)
	}
	if p.waits.open != 0 {
		t.Errorf("%d bodies were left open", p.waits.open)
	}
}

// TestHints: pages at a porch hear of what is new, and connect anew when the home's server
// is back.
func TestHints(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	p := newPorched(t, server)
	agent := p.owner.PlaceAgent()
	camera := p.owner.PlaceCamera(agent)
	p.config.Title = p.owner.Title()
	p.start()
	defer p.porch.Close()
	changes, err := p.home().Changes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer changes.Close()
	for range 2 {
		p.waits.put(agent.Object(p.owner.Title(), camera, latchkey.Thumbnail, nil))
		if what, err := changes.Next(t.Context()); what != api.EventsChanged || err != nil {
			t.Fatalf("something new is said as %q, %v", what, err)
		}
	}
	p.connected.Store(true)
	if what, err := changes.Next(t.Context()); err == nil {
		t.Errorf("the home's server is back, and the porch says %q", what)
	}
}

// TestSettings: a porch has the settings that the agent has, the newest, also when it is
// opened once more, and none of what was in it before.
func TestSettings(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	p := newPorched(t, server)
	p.config.Title = p.owner.Title()
	p.start()
	home, ctx := p.home(), t.Context()
	if b, err := home.Settings(ctx); len(b) != 0 {
		t.Errorf("settings where there are none: %d bytes, %v", len(b), err)
	}
	var prev *sealed.Settings
	for i := range 4 {
		if i == 2 { // the agent starts anew, with what it has
			if err := p.porch.Close(); err != nil {
				t.Fatal(err)
			}
			p.start()
			home = p.home()
		} else {
			next := p.owner.Settings(prev, settings.Content{Home: "By the lake", Zone: "Europe/Berlin"})
			s, err := sealed.ParseSettings(next)
			if err != nil {
				t.Fatal(err)
			}
			prev = &s
			p.settings.Store(&next)
		}
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			b, err := home.Settings(ctx)
			if err == nil && bytes.Equal(b, *p.settings.Load()) {
				break
			}
			if err != nil || i == 2 || time.Now().After(deadline) {
				t.Fatalf("settings %d are %d bytes, %v", i, len(b), err)
			}
		}
	}
	last := *p.settings.Load()
	p.settings.Store(&[]byte{})
	time.Sleep(3 * time.Second) // the porch has looked
	if b, err := home.Settings(ctx); err != nil || !bytes.Equal(b, last) {
		t.Errorf("when the agent cannot read them there are %d bytes, %v", len(b), err)
	}
	if err := p.porch.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestFront: while the home's server answers it is asked, and only for what is its own: it
// is told its own name, and its own origin where that was the porch's. Another site's page
// stays another site's.
func TestFront(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Host+" "+r.Header.Get("Origin")+" "+r.URL.Path)
	}))
	p := newPorched(t, server)
	p.config.Title = p.owner.Title()
	wrong := p.config
	wrong.Server = "https://[::1"
	if _, err := porch.Open(t.Context(), wrong); err == nil {
		t.Error("a porch of a server that has no address")
	}
	p.start()
	defer p.porch.Close()
	name := server.Listener.Addr().String()
	ask := func(method, path, origin string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, p.porch.Origin+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		answer, err := p.browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(b)
	}
	for _, c := range []struct {
		what, path, origin string
		connected          bool
		says               string
	}{
		{"the porch's page", "/v1/health", p.porch.Origin, true, name + " " + server.URL + " /v1/health"},
		{"another site's page", "/v1/health", "https://evil.example", true, name + " https://evil.example /v1/health"},
		{"the same host without TLS", "/v1/health", "http" + p.porch.Origin[5:], true, name + " http" + p.porch.Origin[5:] + " /v1/health"},
		{"the app", "/", p.porch.Origin, true, "the porch's page"},
		{"the app, without the server", "/", p.porch.Origin, false, "the porch's page"},
	} {
		p.connected.Store(c.connected)
		if status, says := ask("GET", c.path, c.origin); status != 200 || says != c.says {
			t.Errorf("%s: %d %q, want %q", c.what, status, says, c.says)
		}
	}
	p.connected.Store(false)
	if status, says := ask("GET", "/v1/health", p.porch.Origin); status != 200 || says == name+" "+server.URL+" /v1/health" {
		t.Errorf("without the server: %d %q", status, says)
	}
	p.connected.Store(true)
	server.Close()
	if status, _ := ask("GET", "/v1/health", p.porch.Origin); status != http.StatusBadGateway {
		t.Errorf("a server that is gone, and nobody knows it yet: %d", status)
	}
}
