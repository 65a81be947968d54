package server_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

func (m *home) offset(o keytest.Object) api.Progress {
	m.t.Helper()
	p, err := m.upload.Offset(m.t.Context(), m.owner.Title().Head(), o.Name())
	if err != nil {
		m.t.Fatal(err)
	}
	return p
}

// part uploads a body up to a byte, breaks the connection once that has arrived, and
// returns how much the server holds when it has noticed.
func (m *home) part(o keytest.Object, to int) uint64 {
	m.t.Helper()
	before := m.offset(o).Held
	arrived := func() bool { return m.offset(o).Held >= uint64(to) }
	broken := io.MultiReader(bytes.NewReader(o.Body[before:to]), breaksWhen{m.t, arrived})
	err := m.upload.Upload(m.t.Context(), m.owner.Title().Head(), o.Name(), o.File.Bytes(), before, broken, uint64(len(o.Body))-before)
	if err == nil {
		m.t.Fatal("an upload that broke off was taken")
	}
	eventually(m.t, "the server has noticed the end", func() bool {
		// While the upload goes on, another is told to wait.
		return api.ReasonOf(m.putFrom(o, len(o.Body), len(o.Body))) == api.Offset
	})
	return m.offset(o).Held
}

// breaksWhen is the end of a body whose connection breaks as soon as a condition holds.
type breaksWhen struct {
	t         *testing.T
	condition func() bool
}

func (b breaksWhen) Read([]byte) (int, error) {
	eventually(b.t, "what was sent has arrived", b.condition)
	return 0, errors.New("the cable was pulled")
}

func TestUploadGoesOnWhereItStopped(t *testing.T) {
	m := openHouse(t).found(t)
	content := strings.Repeat("0123456789abcdef", 50_000)
	o := m.object(latchkey.Clip, content)
	if p := m.offset(o); p != (api.Progress{}) {
		t.Errorf("nothing was uploaded, and %+v is there", p)
	}
	var held uint64
	for _, to := range []int{100_000, 300_000, 500_000} {
		held = m.part(o, to)
	}
	eventually(t, "three are counted as broken off", func() bool { return m.house.metric(t, "latchkey_uploads_total", "outcome=malformed") == 3 })
	err := m.putFrom(o, 0, len(o.Body))
	wantReason(t, "from the beginning", err, api.Offset)
	if e, _ := errors.AsType[*api.Error](err); e.Offset != held {
		t.Errorf("the refusal says %d", e.Offset)
	}
	wantReason(t, "past the end", m.putFrom(o, int(held)+1, len(o.Body)), api.Offset)
	if _, err := m.see(o.Name()); err == nil {
		t.Error("half an object is listed")
	}
	if err := m.putFrom(o, int(held), len(o.Body)); err != nil {
		t.Fatal(err)
	}
	if p := m.offset(o); !p.Stored {
		t.Errorf("it is stored, and the answer is %+v", p)
	}
	if got, err := m.see(o.Name()); err != nil || got != content {
		t.Errorf("opens as %d bytes, %v", len(got), err)
	}
	// Replays, whole and with nothing left to send, are acknowledged again.
	for _, from := range []int{0, 7, len(o.Body)} {
		if err := m.putFrom(o, from, len(o.Body)); err != nil {
			t.Errorf("again from %d: %v", from, err)
		}
	}
	if page, err := m.member.Events(t.Context(), "", 0); err != nil || len(page.Events) != 1 || len(page.Events[0].Objects) != 1 {
		t.Errorf("after replays the list has %d events, %v", len(page.Events), err)
	}
}

// TestOldEpoch: what an agent wrapped for an epoch that has passed is refused with the
// deeds that it missed, and taken when it is wrapped anew.
func TestOldEpoch(t *testing.T) {
	m := openHouse(t).found(t)
	known := m.owner.Title()
	o := m.object(latchkey.Thumbnail, "taken before")
	m.startEpoch()
	m.startEpoch()
	err := m.upload.Upload(t.Context(), known.Head(), o.Name(), o.File.Bytes(), 0, bytes.NewReader(o.Body), uint64(len(o.Body)))
	wantReason(t, "an envelope of an old epoch", err, api.OldEpoch)
	e, _ := errors.AsType[*api.Error](err)
	if e.Status != 409 || e.Refusal.Home != m.owner.Home().String() || e.Refusal.Head == nil {
		t.Fatalf("the refusal: %+v", e.Refusal)
	}
	title, err := known.Append(e.Refusal.Deeds...)
	if err != nil || title.Head() != latchkey.Head(*e.Refusal.Head) {
		t.Fatalf("the deeds with the refusal: %v", err)
	}
	if _, err := m.see(o.Name()); err == nil {
		t.Error("an object with an old envelope is listed")
	}
	o.File.Envelopes = []sealed.Envelope{must(seal.WrapForEpoch(o.Key, o.File.Header.Binding, title))}
	if err := m.put(o); err != nil {
		t.Fatal(err)
	}
	if got, err := m.see(o.Name()); err != nil || got != "taken before" {
		t.Errorf("opens as %q, %v", got, err)
	}
	m.startEpoch()
	if err := m.put(o); err != nil {
		t.Errorf("what is stored is acknowledged in any epoch: %v", err)
	}
}

// TestEarlyRefusalArrives: a refusal that comes before a large body was sent reaches the
// agent, and not a broken pipe in its place.
func TestEarlyRefusalArrives(t *testing.T) {
	m := openHouse(t).found(t)
	o := m.object(latchkey.Clip, strings.Repeat("x", 24<<20))
	m.startEpoch()
	for range 10 {
		wantReason(t, "24 MB with an old envelope", m.put(o), api.OldEpoch)
	}
}

// TestEpochTurnsMeanwhile: the epoch changes while the body is on its way. The check
// before the body was passed; the one in the index's transaction is not.
func TestEpochTurnsMeanwhile(t *testing.T) {
	m := openHouse(t).found(t)
	known := m.owner.Title()
	o := m.object(latchkey.Clip, strings.Repeat("x", 600_000))
	late := &hookReader{r: bytes.NewReader(o.Body), after: 400_000, hook: func() {
		eventually(t, "the body is being received", func() bool { return m.offset(o).Held > 0 })
		m.startEpoch()
	}}
	err := m.upload.Upload(t.Context(), known.Head(), o.Name(), o.File.Bytes(), 0, late, uint64(len(o.Body)))
	wantReason(t, "the epoch turned meanwhile", err, api.OldEpoch)
	if p := m.offset(o); p.Stored || p.Held != uint64(len(o.Body)) {
		t.Errorf("the body is not kept: %+v", p)
	}
	o.File.Envelopes = []sealed.Envelope{must(seal.WrapForEpoch(o.Key, o.File.Header.Binding, m.owner.Title()))}
	if err := m.putFrom(o, len(o.Body), len(o.Body)); err != nil {
		t.Errorf("the new envelope alone: %v", err)
	}
	if got, err := m.see(o.Name()); err != nil || len(got) != 600_000 {
		t.Errorf("opens as %d bytes, %v", len(got), err)
	}
}

// hookReader calls hook once when that many bytes were read.
type hookReader struct {
	r     io.Reader
	after int
	hook  func()
}

func (h *hookReader) Read(p []byte) (int, error) {
	if h.after <= 0 && h.hook != nil {
		h.hook()
		h.hook = nil
	}
	n, err := h.r.Read(p[:min(len(p), 50_000)])
	h.after -= n
	return n, err
}

func TestUploadRefusals(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	second := m.owner.Title().Head()
	agent2 := m.owner.PlaceAgent()
	m.append(second)
	stored := m.stored(latchkey.Clip, "stored")
	send := func(o keytest.Object, name latchkey.Name) error {
		return m.upload.Upload(t.Context(), m.owner.Title().Head(), name, o.File.Bytes(), 0, bytes.NewReader(o.Body), uint64(len(o.Body)))
	}
	good := func() keytest.Object { return m.object(latchkey.Thumbnail, "good") }
	for _, tt := range []struct {
		name   string
		object func() (keytest.Object, latchkey.Name)
		want   api.Reason
	}{
		{"under another camera's name", func() (keytest.Object, latchkey.Name) {
			o := good()
			n := o.Name()
			n.Camera[0]++
			return o, n
		}, "wrong-camera"},
		{"under another object's name", func() (keytest.Object, latchkey.Name) {
			o := good()
			n := o.Name()
			n.Object[0]++
			return o, n
		}, "wrong-object"},
		{"under another day", func() (keytest.Object, latchkey.Name) {
			o := good()
			n := o.Name()
			n.Day = "2001-01-01"
			return o, n
		}, "wrong-day"},
		{"another home's object", func() (keytest.Object, latchkey.Name) {
			o := other.object(latchkey.Thumbnail, "x")
			n := o.Name()
			n.Home = m.owner.Home()
			return o, n
		}, "wrong-home"},
		{"signed by another agent of the home", func() (keytest.Object, latchkey.Name) {
			o := agent2.Object(m.owner.Title(), m.camera, latchkey.Thumbnail, []byte("x"))
			return o, o.Name()
		}, api.WrongAgent},
		{"signed by nobody of the home", func() (keytest.Object, latchkey.Name) {
			o := other.agent.Object(m.owner.Title(), m.camera, latchkey.Thumbnail, []byte("x"))
			return o, o.Name()
		}, api.UnknownAgent},
		{"of a camera that is not placed", func() (keytest.Object, latchkey.Name) {
			o := m.agent.Object(m.owner.Title(), latchkey.NewCameraID(), latchkey.Thumbnail, []byte("x"))
			return o, o.Name()
		}, api.WrongAgent},
		{"an altered signature", func() (keytest.Object, latchkey.Name) {
			o := good()
			o.File.Header.Signatures[0][0] ^= 1
			return o, o.Name()
		}, "bad-signature"},
		{"another body", func() (keytest.Object, latchkey.Name) {
			o := good()
			o.Body[60] ^= 1
			return o, o.Name()
		}, "wrong-hash"},
		{"a body too long", func() (keytest.Object, latchkey.Name) {
			o := good()
			o.Body = append(o.Body, 0)
			return o, o.Name()
		}, "trailing"},
		{"no envelope", func() (keytest.Object, latchkey.Name) {
			o := good()
			o.File.Envelopes = nil
			return o, o.Name()
		}, api.OldEpoch},
		{"an envelope of another home", func() (keytest.Object, latchkey.Name) {
			o := good()
			o.File.Envelopes = append(o.File.Envelopes, must(seal.WrapForEpoch(o.Key, o.File.Header.Binding, other.owner.Title())))
			return o, o.Name()
		}, "unknown-epoch"},
		{"the same name with other bytes", func() (keytest.Object, latchkey.Name) {
			o := m.agent.Seal(m.owner.Title(), stored.File.Header.Binding, []byte("changed"))
			return o, o.Name()
		}, api.Different},
		{"a sequence number twice", func() (keytest.Object, latchkey.Name) {
			b := stored.File.Header.Binding
			b.Object = latchkey.NewObjectID()
			o := m.agent.Seal(m.owner.Title(), b, []byte("x"))
			return o, o.Name()
		}, api.Different},
		{"a head from nowhere", func() (keytest.Object, latchkey.Name) {
			b := good().File.Header.Binding
			b.Head.Hash[0]++
			o := m.agent.Seal(m.owner.Title(), b, []byte("x"))
			return o, o.Name()
		}, api.UnknownHead},
	} {
		o, name := tt.object()
		wantReason(t, tt.name, send(o, name), tt.want)
		if name != stored.Name() {
			if _, _, err := m.get(name); api.ReasonOf(err) != api.NotFound {
				t.Errorf("%s: afterwards it is there: %v", tt.name, err)
			}
		}
	}
	if got, err := m.see(stored.Name()); err != nil || got != "stored" {
		t.Errorf("what was stored first opens as %q, %v", got, err)
	}
	if n := h.metric(t, "latchkey_different_total"); n != 2 {
		t.Errorf("%v uploads counted as different, want 2", n)
	}
}

func TestUploadHeaders(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	o := m.object(latchkey.Thumbnail, "a picture")
	path := objectPath(o.Name())
	body := string(o.File.Bytes()) + string(o.Body)
	signed := m.asAgent("PUT", path)
	old := api.NewAgentRequest(m.owner.Home(), m.agent.Keys.Agent, m.owner.Title().Head(), time.Now().Add(-time.Hour))
	late := http.Header{api.HeaderAgent: {must(old.Sign(m.agent.Keys.Signing, "PUT", path))}}
	for _, tt := range []struct {
		name   string
		header http.Header
		body   string
		status int
		reason api.Reason
	}{
		{"for another method", m.asAgent("HEAD", path), body, 403, api.UnknownAgent},
		{"for another path", m.asAgent("PUT", path+"x"), body, 403, api.UnknownAgent},
		{"by another home's agent", other.asAgent("PUT", path), body, 404, api.NotFound},
		{"of an hour ago", late, body, 403, api.Expired},
		{"of a later version", http.Header{api.HeaderAgent: {"/w=="}}, body, 400, api.FutureVersion},
		{"a bad offset", with(m.asAgent("PUT", path), api.HeaderOffset, "-1"), body, 400, api.Malformed},
		{"two offsets", with(with(m.asAgent("PUT", path), api.HeaderOffset, "0"), api.HeaderOffset, "1"), body, 400, api.Malformed},
		{"compressed", with(m.asAgent("PUT", path), "Content-Encoding", "gzip"), body, 415, api.Malformed},
		{"nothing", m.asAgent("PUT", path), "", 400, "truncated"},
		{"no object file", m.asAgent("PUT", path), strings.Repeat("x", 1000), 400, "malformed"},
		{"a later file format", m.asAgent("PUT", path), strings.Replace(body, "object 1", "object 2", 1), 400, "future-version"},
		{"a prefix that breaks off", m.asAgent("PUT", path), body[:100], 400, "truncated"},
		{"a header too large", m.asAgent("PUT", path), sealed.Magic + "\xff\xff", 413, "oversize"},
		{"a body that is too short", m.asAgent("PUT", path), body[:len(body)-1], 409, api.Offset},
		{"good", with(signed, api.HeaderOffset, fmt.Sprint(len(o.Body)-1)), body[:len(o.File.Bytes())] + body[len(body)-1:], 201, ""},
		{"the same request again", signed, body, 409, api.Replayed},
	} {
		answer, text := h.do(t, raw{method: "PUT", path: path, header: tt.header, body: tt.body})
		if answer.StatusCode != tt.status || tt.reason != "" && !strings.Contains(text, `"reason":"`+string(tt.reason)+`"`) {
			t.Errorf("%s: %d %s, want %d %s", tt.name, answer.StatusCode, text, tt.status, tt.reason)
		}
	}
	if got, err := m.see(o.Name()); err != nil || got != "a picture" {
		t.Errorf("opens as %q, %v", got, err)
	}
}

func with(h http.Header, name, value string) http.Header {
	h = h.Clone()
	h.Add(name, value)
	return h
}

func TestFullDisk(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	o := m.object(latchkey.Clip, strings.Repeat("x", 100_000))
	h.disk.mu.Lock()
	h.disk.full = fmt.Errorf("write: %w", syscall.ENOSPC)
	h.disk.mu.Unlock()
	err := m.put(o)
	wantReason(t, "a full disk", err, api.Full)
	e, _ := errors.AsType[*api.Error](err)
	if e.Status != 503 || e.RetryAfter() != time.Minute || !strings.Contains(e.Refusal.Error.Message, "disk is full") {
		t.Errorf("the refusal: %d %+v", e.Status, e.Refusal.Error)
	}
	h.disk.mu.Lock()
	h.disk.full = nil
	h.disk.mu.Unlock()
	if err := m.putFrom(o, int(m.offset(o).Held), len(o.Body)); err != nil {
		t.Errorf("after room was made: %v", err)
	}
}

func TestHomeBound(t *testing.T) {
	h := openHouse(t, func(c *server.Config) { c.MaxHomeBytes = 1000 })
	m, other := h.found(t), h.found(t)
	if err := m.put(m.object(latchkey.Thumbnail, strings.Repeat("x", 800))); err != nil {
		t.Fatal(err)
	}
	wantReason(t, "over the bound", m.put(m.object(latchkey.Thumbnail, strings.Repeat("x", 200))), api.TooMany)
	if err := other.put(other.object(latchkey.Thumbnail, strings.Repeat("x", 200))); err != nil {
		t.Errorf("another home: %v", err)
	}
}

// TestUploadsAtOnce: the same object on two connections, and many objects.
func TestUploadsAtOnce(t *testing.T) {
	m := openHouse(t).found(t)
	same := m.object(latchkey.Clip, strings.Repeat("s", 300_000))
	var objects []keytest.Object
	for i := range 12 {
		objects = append(objects, m.object(latchkey.Thumbnail, fmt.Sprint(i)))
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			err := m.put(same)
			for deadline := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(deadline); err = m.put(same) {
				if r := api.ReasonOf(err); r != api.Busy && r != api.Offset {
					t.Errorf("the same at once: %v", err)
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	for _, o := range objects {
		wait.Go(func() {
			if err := m.put(o); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	page, err := m.member.Events(t.Context(), "", 0)
	if err != nil || len(page.Events) != 13 {
		t.Errorf("%d events, %v", len(page.Events), err)
	}
}

// TestSlowSender: an upload that drips ends, what arrived is kept, and others go on.
func TestSlowSender(t *testing.T) {
	h := openHouse(t, func(c *server.Config) { c.Patience = 300 * time.Millisecond })
	m := h.found(t)
	o := m.object(latchkey.Clip, strings.Repeat("x", 100_000))
	c, err := net.Dial("tcp", strings.TrimPrefix(h.origin, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	path, prefix := objectPath(o.Name()), o.File.Bytes()
	fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: x\r\n%s: slow\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s",
		path, api.HeaderRequest, api.HeaderAgent, m.asAgent("PUT", path).Get(api.HeaderAgent), len(prefix)+len(o.Body), prefix)
	answered := make(chan string)
	go func() {
		b, _ := io.ReadAll(c)
		answered <- string(b)
	}()
	sent := 0
	for ended := false; !ended; sent++ {
		_, _ = c.Write(o.Body[sent : sent+1])
		select {
		case text := <-answered:
			ended = true // the answer is lost if a byte crossed with it
			if text != "" && (!strings.HasPrefix(text, "HTTP/1.1 408") || !strings.Contains(text, "What arrived is kept")) {
				t.Errorf("after %d bytes: %s", sent, text)
			}
		case <-time.After(20 * time.Millisecond):
		}
		if sent > 300 {
			t.Fatal("the server waits for every byte")
		}
		if sent == 10 {
			m.stored(latchkey.Thumbnail, "meanwhile")
		}
	}
	if held := m.offset(o).Held; held == 0 || held > uint64(sent) {
		t.Errorf("%d bytes were sent, and %d are kept", sent, held)
	}
}

// TestSlowFetcher: a browser that stops reading does not keep an object open.
func TestSlowFetcher(t *testing.T) {
	h := openHouse(t, func(c *server.Config) { c.Patience = 300 * time.Millisecond })
	m := h.found(t)
	o := m.stored(latchkey.Clip, strings.Repeat("x", 24<<20))
	c, err := net.Dial("tcp", strings.TrimPrefix(h.origin, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	path := objectPath(o.Name())
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n%s: slow\r\n%s: %s\r\nCookie: %s\r\n\r\n",
		path, api.HeaderRequest, api.HeaderMAC, m.mac().RequestMAC("GET", path, "slow", nil), m.member.Cookie())
	eventually(t, "the delivery ends", func() bool { return h.metric(t, "latchkey_requests_total", "route=object") == 1 })
	b, err := io.ReadAll(c)
	if len(b) >= len(o.Body) {
		t.Errorf("%d bytes came, %v", len(b), err)
	}
}

// TestLargeHeader: a request is bounded before anybody looks at it.
func TestLargeHeader(t *testing.T) {
	h := openHouse(t)
	c, err := net.Dial("tcp", strings.TrimPrefix(h.origin, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET /v1/health HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", strings.Repeat("X: y\r\n", 5000))
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	b, _ := io.ReadAll(c)
	if !strings.HasPrefix(string(b), "HTTP/1.1 431") {
		t.Errorf("30 KB of headers: %.40q", b)
	}
	if err := h.client.Health(t.Context()); err != nil {
		t.Error(err)
	}
}
