package server_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/server"
)

// slow is somebody who reads slowly, over a socket that takes little at a time.
type slow struct {
	t *testing.T
	c *net.TCPConn
}

// ask sends a page's request by hand and waits until the answer has begun.
func (m *home) slow(address, method, path, body string) *slow {
	t := m.t
	t.Helper()
	c := must(net.Dial("tcp", strings.TrimPrefix(address, "http://"))).(*net.TCPConn)
	t.Cleanup(func() { c.Close() })
	if err := c.SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	r := must(http.NewRequest(method, address+path, strings.NewReader(body)))
	r.Header = m.asPage()
	r.Header.Set(api.HeaderRequest, "slow")
	mac := m.mac().RequestMAC(method, path, "slow", []byte(body))
	r.Header.Set(api.HeaderMAC, mac)
	switch {
	case strings.HasSuffix(path, "/changes"):
		r.URL.RawQuery = url.Values{"request": {"slow"}, "mac": {mac}}.Encode()
		for name, value := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13", "Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		} {
			r.Header.Set(name, value)
		}
	case body != "":
		r.Header.Set("Content-Type", "application/octet-stream")
	}
	if err := r.Write(c); err != nil {
		t.Fatal(err)
	}
	s := &slow{t, c}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	begin := make([]byte, len("HTTP/1.1 200"))
	if _, err := io.ReadFull(c, begin); err != nil || begin[9] > '2' {
		t.Fatalf("%s %s: %q, %v", method, path, begin, err)
	}
	return s
}

// prove makes a request without a body one of a member's page.
func prove(m *api.Home, r *http.Request) {
	r.Header.Set("Cookie", m.Cookie())
	r.Header.Set(api.HeaderRequest, "test")
	r.Header.Set(api.HeaderMAC, m.MACKey().RequestMAC(r.Method, r.URL.RequestURI(), "test", nil))
}

// rest reads what is left, and says how much came and why no more did.
func (s *slow) rest() (int64, error) {
	_ = s.c.SetReadDeadline(time.Now().Add(2 * time.Second))
	return io.Copy(io.Discard, s.c)
}

// wantReset wants the connection to have been reset, with no more behind it than the
// reader's own kernel holds.
func (s *slow) wantReset(what string) {
	s.t.Helper()
	if n, err := s.rest(); !errors.Is(err, syscall.ECONNRESET) || n > 96<<10 {
		s.t.Errorf("%s: %d bytes more, then %v; want a reset", what, n, err)
	}
}

// signedIn is the same home with another session.
func (m *home) signedIn() *home {
	again := *m
	again.member = m.signIn()
	return &again
}

func clip(m *home) latchkey.Name {
	m.t.Helper()
	return m.stored(latchkey.Clip, strings.Repeat("a clip ", 700_000)).Name()
}

// everyWay opens whatever can be under way to a member: a download, one that the kernel
// alone still sends, a page's websocket, the replies to a command.
func (m *home) everyWay(agent *api.Socket, name latchkey.Name) map[string]*slow {
	m.t.Helper()
	short := m.stored(latchkey.Clip, strings.Repeat("short", 20_000)).Name()
	open := map[string]*slow{
		"a download":                  m.slow(m.house.origin, "GET", objectPath(name), ""),
		"a download without a writer": m.slow(m.house.origin, "GET", objectPath(short), ""),
		"a websocket":                 m.slow(m.house.origin, "GET", m.path("/changes"), ""),
	}
	sent := m.seal(letter.Discover{})
	go func() { // replies, so that the stream begins
		c := m.receive(agent)
		_ = agent.Send(m.t.Context(), m.reply(c, letter.Progress{Says: "Looking around.", Done: 1, Of: 2}))
	}()
	open["replies"] = m.slow(m.house.origin, "POST", m.path("/agents/"+m.agent.Keys.Agent.String()+"/commands"), string(sent.Bytes()))
	time.Sleep(100 * time.Millisecond) // the short download's handler has come to its end
	return open
}

// TestEndedSessionIsCut: with a session everything ends that goes on in it, at once:
// a download, one that the kernel alone still sends, a page's websocket, the replies to
// a command. Another session of the same device goes on.
func TestEndedSessionIsCut(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	name := clip(m)
	agent := m.connect(start{1, 0, 1})
	victim, other := m.signedIn(), m.signedIn()
	stays := other.slow(h.origin, "GET", objectPath(name), "")
	cut := victim.everyWay(agent, name)
	if err := victim.member.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	for what, s := range cut {
		s.wantReset(what)
	}
	eventually(t, "four cuts are counted", func() bool { return h.metric(t, "latchkey_cuts_total", "why=ended") >= 4 })
	if n, err := io.CopyN(io.Discard, stays.c, 200_000); err != nil {
		t.Errorf("another session's download: %d bytes, then %v", n, err)
	}
	if f := receive[api.StopFrame](t, agent); f.Home != m.owner.Home() {
		t.Errorf("the agent is not told to stop: %+v", f)
	}
}

// TestCutControl runs the tests of the cut against a server that does not, and wants
// each of them to see it.
func TestCutControl(t *testing.T) {
	control(t, "(TestEndedSessionIsCut|TestDeedsCut|TestCutUnderTLS|TestLease)",
		[]string{"--- FAIL: TestEndedSessionIsCut ", "--- FAIL: TestDeedsCut ", "--- FAIL: TestCutUnderTLS ", "--- FAIL: TestLease "},
		sabotage.Cut{File: "server/cut.go", Old: "if !gone(o) {", New: "if true {"})
}

// TestSessionRunsOut: what goes on when a session runs out ends with it.
func TestSessionRunsOut(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	m := h.found(t)
	name := clip(m)
	h.pass(api.SessionLife - 300*time.Millisecond)
	began := time.Now()
	_, err := m.slow(h.origin, "GET", objectPath(name), "").rest()
	if d := time.Since(began); !errors.Is(err, syscall.ECONNRESET) || d > 2*time.Second {
		t.Errorf("it ended after %s with %v, want a reset after 300 ms", d, err)
	}
	eventually(t, "one cut is counted", func() bool { return h.metric(t, "latchkey_cuts_total", "why=expired") == 1 })
}

// TestCutUnderTLS: the reset goes through TLS, with HTTP/1.1 and with 2.
func TestCutUnderTLS(t *testing.T) {
	l := own(t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(l.Own.Root())
	for major, protocol := range []string{1: "http/1.1", 2: "h2"} {
		if protocol == "" {
			continue
		}
		connect := func() *http.Client {
			b := browser(t, &tls.Config{RootCAs: roots, NextProtos: []string{protocol}})
			b.Transport.(*http.Transport).ForceAttemptHTTP2 = protocol == "h2"
			return b
		}
		here, there := connect(), connect()
		client := must(api.NewClient(l.Origin, here))
		owner := keytest.NewOwner()
		must(client.Found(t.Context(), must(l.MintSetup(t.Context())), owner.Found()))
		founded := owner.Title().Head()
		device, key := owner.Device()
		member := must(client.SignIn(t.Context(), owner.Home(), device, key, founded))
		agent := owner.PlaceAgent()
		camera := owner.PlaceCamera(agent)
		must(member.Append(t.Context(), founded, owner.Title().Deeds(2)...))
		o := agent.Object(owner.Title(), camera, latchkey.Clip, []byte(strings.Repeat("a clip ", 700_000)))
		upload := client.Agent(owner.Home(), agent.Keys.Agent, agent.Keys.Signing)
		if err := upload.Upload(t.Context(), owner.Title().Head(), o.Name(), o.File.Bytes(), 0, bytes.NewReader(o.Body), uint64(len(o.Body))); err != nil {
			t.Fatal(err)
		}
		request := func(b *http.Client, method, path string) *http.Response {
			r := must(http.NewRequestWithContext(t.Context(), method, l.Origin+path, nil))
			r.Header.Set("Origin", l.Origin)
			prove(member, r)
			return must(b.Do(r))
		}
		a := request(there, "GET", objectPath(o.Name()))
		if a.StatusCode != 200 || a.ProtoMajor != major {
			t.Fatalf("%s: %s over %s", protocol, a.Status, a.Proto)
		}
		if end := request(here, "DELETE", "/v1/homes/"+owner.Home().String()+"/session"); end.StatusCode != 200 {
			t.Fatalf("%s: sign out: %s", protocol, end.Status)
		}
		n, err := io.Copy(io.Discard, a.Body)
		if err == nil || n > 4<<20 { // of 4.9 MB
			t.Errorf("%s: %d bytes after the end of the session, then %v", protocol, n, err)
		}
	}
}

// TestSlowDownloadLeavesTheConnection: a download that takes longer than a body may
// leaves a connection that is as good as any.
func TestSlowDownloadLeavesTheConnection(t *testing.T) {
	t.Parallel()
	h := openHouse(t, func(c *server.Config) { c.Patience = 750 * time.Millisecond })
	m := h.found(t)
	name := m.stored(latchkey.Clip, strings.Repeat("a clip ", 100_000)).Name()
	transport := &http.Transport{MaxConnsPerHost: 1}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport}
	get := func(path string) *http.Response {
		r := must(http.NewRequest("GET", h.origin+path, nil))
		prove(m.member, r)
		return must(client.Do(r))
	}
	a := get(objectPath(name))
	began := time.Now()
	for {
		if _, err := io.CopyN(io.Discard, a.Body, 32<<10); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	a.Body.Close()
	if d := time.Since(began); d < 1800*time.Millisecond {
		t.Fatalf("the download took %s, which shows nothing", d)
	}
	if a = get(m.path("/events")); a.StatusCode != 200 {
		t.Errorf("the next request by this connection: %s", a.Status)
	}
	a.Body.Close()
}
