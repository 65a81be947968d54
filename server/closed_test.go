package server_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// backUp keeps the index as it is now; put opens a house from it, as a restore would. The
// objects are the ones that are there.
func (h *house) backUp(t *testing.T) (put func(change ...func(c *server.Config)) *house) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "archive.db")
	if err := archive.BackUpSQLite(t.Context(), h.file, file); err != nil {
		t.Fatal(err)
	}
	return func(change ...func(c *server.Config)) *house {
		t.Helper()
		a := must(archive.OpenSQLite(t.Context(), file))
		if err := a.Archive().Restores.Restored(t.Context(), latchkey.TimeOf(time.Now())); err != nil {
			t.Fatal(err)
		}
		restored := openHouse(t, append(change, func(c *server.Config) { c.Archive, c.Blobs = a.Archive(), must(blob.NewDisk(h.disk)) })...)
		t.Cleanup(func() {
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		})
		return restored
	}
}

// at is the home as it is at another server.
func (m *home) at(t *testing.T, h *house) *home {
	moved := *m
	moved.t, moved.house = t, h
	moved.upload = h.client.Agent(m.owner.Home(), m.agent.Keys.Agent, m.agent.Keys.Signing)
	return &moved
}

func (m *home) wantClosed(want bool) {
	m.t.Helper()
	_, err := m.member.Events(m.t.Context(), "", 0)
	if got := api.ReasonOf(err) == api.Closed; got != want || err != nil && !got {
		m.t.Errorf("events: %v; want closed: %t", err, want)
	}
}

// TestClosedHome walks every route of a home that is closed: nothing but what is there
// for opening it again answers.
func TestClosedHome(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	o := m.stored(latchkey.Thumbnail, "a picture")
	before, key := m.asPage(), m.mac()
	m = m.at(t, h.backUp(t)())
	if answer, text := m.house.do(t, raw{method: "GET", path: m.path("/deeds"), header: before, mac: key}); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a session of before the restore: %d %s", answer.StatusCode, text)
	}
	m.member = m.signIn()
	var works []string
	for _, route := range api.Routes {
		if !route.Right.Session() && route.Right != api.Uploader {
			continue
		}
		path := m.address(route, o.Name())
		header, mac := m.asPage(), m.mac()
		if route.Right == api.Uploader {
			header, mac = m.asAgent(route.Method, path), nil
		}
		if route.ID == "sign-out" {
			continue // ends this walk's session: below
		}
		answer, text := m.house.do(t, raw{method: route.Method, path: path, header: header, mac: mac, body: map[bool]string{true: "{}"}[route.Request != nil]})
		if answer.Header.Get(api.HeaderReason) != string(api.Closed) {
			works = append(works, route.ID)
		} else if answer.StatusCode != http.StatusServiceUnavailable || strings.Contains(text, "picture") {
			t.Errorf("%s: %d %s", route.ID, answer.StatusCode, text)
		}
	}
	if got := strings.Join(works, " "); got != "deeds append-deeds confirm" {
		t.Errorf("while the home is closed these routes answer: %s", got)
	}
	if err := m.member.SignOut(t.Context()); err != nil {
		t.Errorf("signing out: %v", err)
	}
	m.member = m.signIn()
	// The control: the same home, open, shows it.
	m.connect(start{1, 0, 1})
	m.wantClosed(false)
}

// TestClosedHomeControl runs the walk against a server that lacks the check.
func TestClosedHomeControl(t *testing.T) {
	control(t, "TestClosedHome", []string{" object "},
		sabotage.Cut{File: "server/titles.go", Old: "if h.Closed {", New: "if h.Closed && false {"})
}

// TestAgentOpens: an agent that knows the server's head opens its home, and no other.
func TestAgentOpens(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	m.connect(start{1, 0, 1})
	put := h.backUp(t)
	m.connect(start{4, 1, 2}) // tokens that the backup does not know
	r := put()
	m, other = m.at(t, r), other.at(t, r)
	m.member, other.member = m.signIn(), other.signIn()
	known := latchkey.Head{Seq: 1}
	known.Hash, _ = m.owner.Title().HashAt(1)
	for what, head := range map[string]*latchkey.Head{"nothing": nil, "less than the server": &known} {
		_, f := m.dial(m.hello(start{5, 2, 3}, head), m.agent)
		if refused, ok := f.(api.Refused); !ok || refused.Reason != api.Closed || refused.RetryAfterMS == 0 {
			t.Errorf("an agent that knows %s: %+v", what, f)
		}
		m.wantClosed(true)
	}
	m.connect(start{5, 2, 3})
	m.wantClosed(false)
	other.wantClosed(true)
	m.connect(start{6, 3, 4})
	if _, f := m.dial(m.hello(start{6, 3, 9}, nil), m.agent); f.(api.Refused).Reason != api.Cloned {
		t.Errorf("a copy of an agent whose start was taken after the restore: %+v", f)
	}
	if len(r.logs.lines(t, "home opened after a restore")) != 1 {
		t.Errorf("the log: %s", r.logs.text())
	}
}

// giveBack answers what a server asks for after a hello, some deeds at a time.
func (m *home) giveBack(s *api.Socket, f api.Frame, atOnce int) api.Frame {
	m.t.Helper()
	for {
		b, ok := f.(api.Behind)
		if !ok {
			return f
		}
		deeds := m.owner.Title().Deeds(b.Head.Seq + 1)
		g := api.GiveBack{ID: b.ID, Home: b.Home, Onto: b.Head, Deeds: deeds[:min(atOnce, len(deeds))]}
		if err := s.Send(within(m.t), g); err != nil {
			m.t.Fatal(err)
		}
		f = must(s.Receive(within(m.t)))
	}
}

// TestAgentGivesBack: what was said after the backup holds again before anybody is let
// in.
func TestAgentGivesBack(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	put := h.backUp(t)
	for range 5 {
		m.startEpoch()
	}
	m = m.at(t, put())
	m.member = m.signIn() // with a head that this server has lost
	head := m.owner.Title().Head()
	s, f := m.dial(m.hello(start{1, 0, 1}, &head), m.agent)
	m.wantClosed(true)
	w, ok := m.giveBack(s, f, 2).(api.Welcome)
	if !ok || latchkey.Head(w.Head) != head {
		t.Fatalf("after giving back: %+v", w)
	}
	m.wantClosed(false)
	if _, got, err := m.member.Deeds(t.Context(), 0); got != head || err != nil {
		t.Errorf("the server's head is %s, %v; want %s", got, err, head)
	}
	if n := m.house.metric(t, "latchkey_deeds_given_back_total"); n != 5 {
		t.Errorf("%v deeds are counted as given back", n)
	}
	if err := m.put(m.object(latchkey.Thumbnail, "x")); err != nil {
		t.Errorf("an upload: %v", err)
	}
}

// TestGivingBackNonsense: what does not follow is refused, and the home stays closed.
func TestGivingBackNonsense(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	put := h.backUp(t)
	m.startEpoch()
	other.startEpoch()
	r := put()
	m, other = m.at(t, r), other.at(t, r)
	m.member = m.signIn()
	head := m.owner.Title().Head()
	for what, c := range map[string]struct {
		bend func(g *api.GiveBack) api.Frame
		want api.Reason
	}{
		"another home's deeds": {func(g *api.GiveBack) api.Frame { g.Deeds = other.owner.Title().Deeds(head.Seq); return *g }, "wrong-home"},
		"no deeds":             {func(g *api.GiveBack) api.Frame { g.Deeds = [][]byte{}; return *g }, api.Malformed},
		"an altered deed":      {func(g *api.GiveBack) api.Frame { g.Deeds[0][len(g.Deeds[0])-1] ^= 1; return *g }, "bad-signature"},
		"onto another head":    {func(g *api.GiveBack) api.Frame { g.Onto.Seq--; return *g }, api.Malformed},
		"for another home":     {func(g *api.GiveBack) api.Frame { g.Home = other.owner.Home(); return *g }, api.Malformed},
		"another hello again":  {func(g *api.GiveBack) api.Frame { return m.hello(start{1, 0, 1}, &head) }, api.Malformed},
	} {
		s, f := m.dial(m.hello(start{1, 0, 1}, &head), m.agent)
		b, ok := f.(api.Behind)
		if !ok {
			t.Fatalf("%s: %+v", what, f)
		}
		g := api.GiveBack{ID: b.ID, Home: b.Home, Onto: b.Head, Deeds: [][]byte{append([]byte{}, m.owner.Title().Deeds(b.Head.Seq + 1)[0]...)}}
		if err := s.Send(within(t), c.bend(&g)); err != nil {
			t.Fatal(err)
		}
		if refused := receive[api.Refused](t, s); refused.Reason != c.want {
			t.Errorf("%s: %+v, want %s", what, refused, c.want)
		}
		m.wantClosed(true)
	}
}

// TestPageGivesBackAndConfirms is what a browser does, request by request.
func TestPageGivesBackAndConfirms(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	put := h.backUp(t)
	m.startEpoch()
	m = m.at(t, put())
	m.member = m.signIn()
	_, lost, err := m.member.Deeds(t.Context(), m.owner.Title().Head().Seq+1)
	if err != nil || !m.owner.Title().OnChain(lost) || lost == m.owner.Title().Head() {
		t.Fatalf("the restored head %s, %v", lost, err)
	}
	head := m.owner.Title().Head()
	wantReason(t, "confirming what the server does not have", m.member.Confirm(t.Context(), head), api.UnknownHead)
	m.append(lost)
	m.wantClosed(true)
	wantReason(t, "confirming an older head", m.member.Confirm(t.Context(), lost), api.Conflict)
	wantReason(t, "before the agents had their time", m.member.Confirm(t.Context(), head), api.Closed)
	m.house.pass(61 * time.Second)
	wantReason(t, "soon after the sign-in said that deeds are missing", m.member.Confirm(t.Context(), head), api.Closed)
	m.house.pass(time.Minute)
	m.wantClosed(true)
	for range 2 {
		if err := m.member.Confirm(t.Context(), head); err != nil {
			t.Fatal(err)
		}
	}
	m.wantClosed(false)
}

// TestRemovedStayRemoved: somebody who was removed after the backup gets nothing from a
// server that was restored from it, before the home is open and after. Whoever gives the
// removal back ends their sessions.
func TestRemovedStayRemoved(t *testing.T) {
	for role, standing := range map[string]deed.Standing{"resident": keytest.AsResident, "guest": keytest.AsGuest(), "owner": keytest.AsOwner} {
		t.Run(role, func(t *testing.T) {
			h := openHouse(t)
			m := h.found(t)
			before := m.owner.Title().Head()
			p := m.owner.Join(keytest.NewPerson(), standing)
			m.append(before)
			o := m.stored(latchkey.Thumbnail, "a picture")
			admitted := m.owner.Title().Head()
			put := h.backUp(t)
			m.owner.Dismiss(p)
			m.append(admitted)

			m = m.at(t, put())
			theirs, err := m.house.client.SignIn(t.Context(), m.owner.Home(), p.Keys.Device, p.Keys.DeviceSigning, admitted)
			if err != nil {
				t.Fatal(err) // the restored deeds know nothing of the removal
			}
			refused := func(when string, want api.Reason) {
				t.Helper()
				_, err := theirs.Object(t.Context(), o.Name())
				wantReason(t, when+", an object", err, want)
				_, err = theirs.Events(t.Context(), "", 0)
				wantReason(t, when+", the list", err, want)
				_, err = theirs.Changes(within(t))
				wantReason(t, when+", the websocket", err, want)
			}
			refused("before the home is open", api.Closed)
			reason := api.NotFound
			if standing.Role == deed.Owner {
				reason = api.Closed // in the first minute
			}
			wantReason(t, "confirming", theirs.Confirm(t.Context(), admitted), reason)
			head := m.owner.Title().Head()
			s, f := m.dial(m.hello(start{1, 0, 1}, &head), m.agent)
			if w, ok := m.giveBack(s, f, 9).(api.Welcome); !ok {
				t.Fatalf("the agent: %+v", w)
			}
			refused("after the home is open", api.SignedOut)
			_, err = m.house.client.SignIn(t.Context(), m.owner.Home(), p.Keys.Device, p.Keys.DeviceSigning, admitted)
			wantReason(t, "signing in again", err, api.SignInRefused)
			m.member = m.signIn()
			if content, err := m.see(o.Name()); err != nil || content != "a picture" {
				t.Errorf("the owner sees %q, %v", content, err)
			}
		})
	}
}

// TestRemovedStayRemovedControl runs it against a server that does not close homes.
func TestRemovedStayRemovedControl(t *testing.T) {
	control(t, "TestRemovedStayRemoved", []string{"before the home is open, an object: <nil>"},
		sabotage.Cut{File: "server/titles.go", Old: "if h.Closed {", New: "if h.Closed && false {"})
}

// TestForkAfterRestore: an agent that knows another chain is no witness, is refused, and
// makes an owner's word wait.
func TestForkAfterRestore(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	put := h.backUp(t)
	before := m.owner.Title()
	m.startEpoch()
	truth := m.owner.Title()
	r := put()
	m.owner.Adopt(before) // somebody forks the home before anybody gives back
	m.owner.StartEpoch()
	m = m.at(t, r)
	m.member = m.signIn()
	m.append(before.Head())
	head := truth.Head()
	m.house.pass(10 * time.Minute)
	s, f := m.dial(m.hello(start{1, 0, 1}, &head), m.agent)
	if refused, ok := f.(api.Refused); !ok || refused.Reason != api.UnknownHead {
		t.Errorf("an agent on another chain: %+v", f)
	}
	s.Close()
	if len(r.logs.lines(t, "unknown-head")) != 1 {
		t.Errorf("the log: %s", r.logs.text())
	}
	wantReason(t, "an owner's word against an agent's", m.member.Confirm(t.Context(), m.owner.Title().Head()), api.Closed)
	m.wantClosed(true)
	device, key := m.owner.Device()
	_, err := r.client.SignIn(t.Context(), m.owner.Home(), device, key, head)
	wantReason(t, "a device on another chain", err, api.UnknownHead)
}

// TestGenerationIsTold: clients can tell what was before a restore from what is after.
func TestGenerationIsTold(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	if _, text := h.do(t, raw{method: "GET", path: "/v1/health"}); strings.Contains(text, "generation") {
		t.Errorf("a server that was never restored says %s", text)
	}
	m = m.at(t, h.backUp(t)())
	m.member = m.signIn()
	for _, path := range []string{"/v1/health", m.path("/deeds")} {
		if _, text := m.house.do(t, raw{method: "GET", path: path, header: m.asPage(), mac: m.mac()}); !strings.Contains(text, `"generation":1`) {
			t.Errorf("%s of a restored server says %s", path, text)
		}
	}
}
