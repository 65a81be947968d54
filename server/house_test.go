package server_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/bound"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/open"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

// house is a server on a real socket with a real archive and blobs, whose clock and
// stores a test can reach.
type house struct {
	*server.Server
	origin  string
	client  *api.Client
	archive *archive.SQLite
	file    string // the archive's
	blobs   string // their folder
	setups  archive.Setups
	disk    *disk
	logs    *logs

	mu  sync.Mutex // protects now
	now time.Time
}

// disk is a folder whose writes a test can make fail.
type disk struct {
	durable.FS
	mu   sync.Mutex // protects full
	full error
}

func (d *disk) OpenFile(name string, flag int) (durable.File, error) {
	f, err := d.FS.OpenFile(name, flag)
	if err != nil {
		return nil, err
	}
	return &diskFile{f, d}, nil
}

type diskFile struct {
	durable.File
	d *disk
}

func (f *diskFile) Write(p []byte) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.full != nil {
		return 0, f.d.full
	}
	return f.File.Write(p)
}

// logs is what the server said, a line of JSON for each.
type logs struct {
	mu sync.Mutex // protects b
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// lines returns the lines with that message.
func (l *logs) lines(t *testing.T, message string) (found []map[string]any) {
	t.Helper()
	for line := range strings.Lines(l.text()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if m["msg"] == message {
			found = append(found, m)
		}
	}
	return found
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func openHouse(t *testing.T, change ...func(c *server.Config)) *house {
	t.Helper()
	folder := t.TempDir()
	h := &house{file: filepath.Join(folder, "archive.db"), blobs: filepath.Join(folder, "blobs"), logs: &logs{}, now: time.Now()}
	dir := must(durable.Open(h.blobs))
	h.disk = &disk{FS: dir}
	h.archive = must(archive.OpenSQLite(t.Context(), h.file))
	h.setups = h.archive.Archive().Setups
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	h.origin = "http://" + listener.Addr().String()
	c := server.Config{
		Archive: h.archive.Archive(), Blobs: must(blob.NewDisk(h.disk)), Origin: h.origin,
		Log: slog.New(slog.NewJSONHandler(h.logs, nil)), Now: h.time, Usual: server.Usual{Pace: 5000},
	}
	c.Cache = memory(t, bound.Config{})
	for _, f := range change {
		f(&c)
	}
	h.Server = must(server.New(t.Context(), c))
	front := server.HTTPServer(h.Handler())
	go front.Serve(server.Gathering(listener))
	h.client = must(api.NewClient(h.origin, nil))
	t.Cleanup(func() {
		for _, c := range []io.Closer{front, h.Server, h.archive, dir} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return h
}

// again starts another server of the same house, whose origin is its own if none is given.
func (h *house) again(t *testing.T, c server.Config) *house {
	t.Helper()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	origin := "http://" + listener.Addr().String()
	c.Origin = cmp.Or(c.Origin, origin)
	next := &house{Server: must(server.New(t.Context(), c)), origin: origin, logs: h.logs}
	next.client = must(api.NewClient(next.origin, nil))
	front := server.HTTPServer(next.Handler())
	go front.Serve(server.Gathering(listener))
	t.Cleanup(func() { must(0, front.Close()); must(0, next.Close()) })
	return next
}

// memory is a cache within the process.
func memory(t *testing.T, c bound.Config) *bound.Cache {
	t.Helper()
	c.Keys, c.Tiers = bound.NewKeys(), []bound.Tier{bound.Memory(bound.MemoryConfig{})}
	cache := must(bound.New(c))
	t.Cleanup(func() {
		if err := cache.Close(); err != nil {
			t.Error(err)
		}
	})
	return cache
}

// uncached asks the archive and the blobs themselves, each time.
func uncached(c *server.Config) { c.Cache, c.Bus = nil, bus.NewLocal() }

func (h *house) time() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// metric sums a counter over the label values that are given.
func (h *house) metric(t *testing.T, name string, labels ...string) (sum float64) {
	t.Helper()
	families, err := h.Metrics().(prometheus.Gatherer).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetName()+"="+l.GetValue())
			}
			match := true
			for _, want := range labels {
				match = match && strings.Contains(" "+strings.Join(values, " ")+" ", " "+want+" ")
			}
			if match {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// home is a home with an owner, an agent and a camera.
type home struct {
	t      *testing.T
	house  *house
	owner  *keytest.Owner
	agent  *keytest.Agent
	camera latchkey.CameraID
	member *api.Home
	upload *api.Agent
}

// found founds a home and signs its owner in.
func (h *house) found(t *testing.T) *home {
	t.Helper()
	m := &home{t: t, house: h, owner: keytest.NewOwner()}
	secret := must(h.MintSetup(t.Context()))
	founded := must(h.client.Found(t.Context(), secret, m.owner.Found()))
	if founded.Home != m.owner.Home() || latchkey.Head(founded.Head) != m.owner.Title().Head() {
		t.Fatalf("founded %v", founded)
	}
	m.member = m.signIn()
	before := m.owner.Title().Head()
	m.agent = m.owner.PlaceAgent()
	m.camera = m.owner.PlaceCamera(m.agent)
	m.append(before)
	h.heeds(t)
	m.upload = h.client.Agent(m.owner.Home(), m.agent.Keys.Agent, m.agent.Keys.Signing)
	return m
}

// heeds waits until the server has told of all that happened: no hint of it comes later.
func (h *house) heeds(t *testing.T) {
	t.Helper()
	ctx := within(t)
	for heeded := false; !heeded; time.Sleep(time.Millisecond) {
		heeded = must(server.Heeded(ctx, h.Server))
	}
}

func (m *home) signIn() *api.Home {
	m.t.Helper()
	device, key := m.owner.Device()
	return must(m.house.client.SignIn(m.t.Context(), m.owner.Home(), device, key, m.owner.Title().Head()))
}

// append sends what the owner has signed since.
func (m *home) append(since latchkey.Head) {
	m.t.Helper()
	head, err := m.member.Append(m.t.Context(), since, m.owner.Title().Deeds(since.Seq+1)...)
	if err != nil || head != m.owner.Title().Head() {
		m.t.Fatalf("append: %v, %v", head, err)
	}
}

// startEpoch starts an epoch at the server.
func (m *home) startEpoch() {
	m.t.Helper()
	before := m.owner.Title().Head()
	m.owner.StartEpoch()
	m.append(before)
}

func (m *home) object(kind latchkey.Kind, content string) keytest.Object {
	return m.agent.Object(m.owner.Title(), m.camera, kind, []byte(content))
}

// put uploads a whole object.
func (m *home) put(o keytest.Object) error {
	return m.putFrom(o, 0, len(o.Body))
}

// putFrom uploads the bytes of the body from..to.
func (m *home) putFrom(o keytest.Object, from, to int) error {
	return m.upload.Upload(m.t.Context(), m.owner.Title().Head(), o.Name(), o.File.Bytes(), uint64(from), bytes.NewReader(o.Body[from:to]), uint64(to-from))
}

// stored uploads an object that must be taken.
func (m *home) stored(kind latchkey.Kind, content string) keytest.Object {
	m.t.Helper()
	o := m.object(kind, content)
	if err := m.put(o); err != nil {
		m.t.Fatal(err)
	}
	return o
}

// get fetches an object file and reports the header that it has.
func (m *home) get(name latchkey.Name) (sealed.File, []byte, error) {
	d, err := m.member.Object(m.t.Context(), name)
	if err != nil {
		return sealed.File{}, nil, err
	}
	defer d.File.Close()
	f, err := sealed.ReadFile(d.File)
	if err != nil {
		return f, nil, err
	}
	body, err := io.ReadAll(d.File)
	return f, body, err
}

// see is what a browser does: it lists, finds the object and its envelope, fetches the
// body and opens it.
func (m *home) see(name latchkey.Name) (string, error) {
	page, err := m.member.Events(m.t.Context(), "", 0)
	if err != nil {
		return "", err
	}
	for _, e := range page.Events {
		for _, row := range e.Objects {
			h, err := sealed.ParseHeader(row.Header)
			if err != nil || h.Name() != name {
				continue
			}
			envelope, err := sealed.ParseEnvelope(row.Envelope)
			if err != nil {
				return "", err
			}
			f, body, err := m.get(name)
			if err != nil {
				return "", err
			}
			f.Envelopes = []sealed.Envelope{envelope}
			var content bytes.Buffer
			err = open.Open(f, bytes.NewReader(body), name, m.owner.Title(), m.owner.Ring(), &content)
			return content.String(), err
		}
	}
	return "", archive.ErrNotFound
}

// raw is a request made by hand.
type raw struct {
	method, path string
	header       http.Header
	body         string
	mac          *api.MACKey // of the session that it is made in, nil for none
	again        int         // so often, if the connection is cut, which the request before may have left
}

func (h *house) do(t *testing.T, r raw) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), r.method, h.origin, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if r.mac != nil && (strings.HasSuffix(r.path, "/changes") || strings.HasSuffix(r.path, "/main")) { // a websocket's MAC is in its address
		r.path += "?request=test&mac=" + url.QueryEscape(r.mac.RequestMAC(r.method, r.path, "test", nil))
	}
	request.URL.Opaque = r.path // as it is, not cleaned
	request.Header.Set(api.HeaderRequest, "test")
	if r.mac != nil {
		request.Header.Set(api.HeaderMAC, r.mac.RequestMAC(r.method, r.path, "test", []byte(r.body)))
	}
	if r.body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, values := range r.header {
		request.Header[name] = values
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if r.again > 0 && errors.Is(err, syscall.ECONNRESET) {
		r.again--
		return h.do(t, r)
	} else if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(b)
}

// asPage are the headers that a page of the server's sends for a member, beside the MAC.
func (m *home) asPage() http.Header {
	return http.Header{"Cookie": {m.member.Cookie()}, "Origin": {m.house.origin}}
}

// mac is the member's MAC key.
func (m *home) mac() *api.MACKey {
	k := m.member.MACKey()
	return &k
}

func (m *home) path(rest string) string { return "/v1/homes/" + m.owner.Home().String() + rest }

func objectPath(n latchkey.Name) string {
	return "/v1/objects/" + strings.TrimPrefix(n.String(), "v1/")
}

// asAgent is the header that an agent signs.
func (m *home) asAgent(method, path string) http.Header {
	r := api.NewAgentRequest(m.owner.Home(), m.agent.Keys.Agent, m.owner.Title().Head(), m.house.time())
	return http.Header{api.HeaderAgent: {must(r.Sign(m.agent.Keys.Signing, method, path))}}
}

func wantReason(t *testing.T, what string, err error, want api.Reason) {
	t.Helper()
	if got := api.ReasonOf(err); got != want || err == nil {
		t.Errorf("%s: %v, want the reason %q", what, err, want)
	}
}

// patience is how long anything may take on a machine that does much else. In a control,
// what is waited for may never come.
var patience = map[bool]time.Duration{false: 20 * time.Second, true: 5 * time.Second}[os.Getenv(sabotage.Switch) != ""]

// eventually waits for something that another goroutine does.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	t.Cleanup(stop)
	return ctx
}

func chance() string { return rand.Text() }

func fold(t *testing.T, home latchkey.HomeID, deeds [][]byte) *deed.Title {
	t.Helper()
	title, err := deed.Fold(home, deeds)
	if err != nil {
		t.Fatal(err)
	}
	return title
}

// cryptoHash0 says that Ed25519 signs the message itself.
const cryptoHash0 = crypto.Hash(0)
