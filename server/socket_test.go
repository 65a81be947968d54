package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// start is what an agent says of one start.
type start struct {
	incarnation uint64
	token, next byte
}

func (m *home) hello(s start, head *latchkey.Head) api.Hello {
	h := api.Hello{
		ID: "hello", Home: m.owner.Home(), Agent: m.agent.Keys.Agent, Incarnation: s.incarnation,
		Token: bytes.Repeat([]byte{s.token}, 32), NextToken: bytes.Repeat([]byte{s.next}, 32),
	}
	if head != nil {
		h.Head = head.String()
	}
	return h
}

// dial opens the agent's websocket and answers the challenge with a hello.
func (m *home) dial(h api.Hello, key *keytest.Agent) (*api.Socket, api.Frame) {
	m.t.Helper()
	ctx := within(m.t)
	s := must(m.house.client.Dial(ctx, ""))
	m.t.Cleanup(func() { s.Close() })
	challenge, ok := must(s.Receive(ctx)).(api.Challenge)
	if !ok || len(challenge.Nonce) != 32 {
		m.t.Fatalf("the server begins with %+v", challenge)
	}
	if err := s.Send(ctx, must(api.SignHello(h, challenge.Nonce, key.Keys.Signing))); err != nil {
		m.t.Fatal(err)
	}
	f, err := s.Receive(ctx)
	if err != nil {
		m.t.Fatal(err)
	}
	return s, f
}

func (m *home) connect(s start) *api.Socket {
	m.t.Helper()
	head := m.owner.Title().Head()
	socket, f := m.dial(m.hello(s, &head), m.agent)
	if _, ok := f.(api.Welcome); !ok {
		m.t.Fatalf("not welcomed: %+v", f)
	}
	return socket
}

func receive[T api.Frame](t *testing.T, s *api.Socket) T {
	t.Helper()
	f, err := s.Receive(within(t))
	if err != nil {
		t.Fatal(err)
	}
	m, ok := f.(T)
	if !ok {
		t.Fatalf("received %+v", f)
	}
	return m
}

func TestAgentIsWelcomed(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	document := m.settings(nil, "house")
	if err := m.member.PutSettings(t.Context(), document); err != nil {
		t.Fatal(err)
	}
	_, f := m.dial(m.hello(start{1, 0, 1}, nil), m.agent)
	w, ok := f.(api.Welcome)
	if !ok || w.ID != "hello" || w.Home != m.owner.Home() || w.Incarnation != 1 || !bytes.Equal(w.Settings, document) {
		t.Fatalf("welcome %+v", f)
	}
	if title := fold(t, m.owner.Home(), w.Deeds); title.Head() != latchkey.Head(w.Head) || title.Head() != m.owner.Title().Head() {
		t.Errorf("the deeds lead to %s, the welcome says %v", title.Head(), w.Head)
	}
	known := latchkey.Head{Seq: 1}
	known.Hash, _ = m.owner.Title().HashAt(1)
	_, f = m.dial(m.hello(start{2, 1, 2}, &known), m.agent)
	if w, ok = f.(api.Welcome); !ok || len(w.Deeds) != len(m.owner.Deeds())-2 {
		t.Errorf("after deed 1 there are %d, the welcome brings %d", len(m.owner.Deeds())-2, len(w.Deeds))
	}
}

func TestAgentIsRefused(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	fork := m.owner.Title().Head()
	fork.Hash[0]++
	for _, tt := range []struct {
		name   string
		change func(h *api.Hello)
		key    *keytest.Agent
		want   api.Reason
	}{
		{"another agent's key", func(h *api.Hello) {}, other.agent, api.UnknownAgent},
		{"no such agent", func(h *api.Hello) { h.Agent[0]++ }, m.agent, api.UnknownAgent},
		{"no such home", func(h *api.Hello) { h.Home[0]++ }, m.agent, api.UnknownAgent},
		{"an agent of another home", func(h *api.Hello) { h.Home = other.owner.Home() }, m.agent, api.UnknownAgent},
		{"a fork", func(h *api.Hello) { h.Head = fork.String() }, m.agent, api.UnknownHead},
		{"incarnation 0", func(h *api.Hello) { h.Incarnation = 0 }, m.agent, api.Malformed},
		{"an incarnation that no page could read", func(h *api.Hello) { h.Incarnation = latchkey.MaxInt + 1 }, m.agent, api.Malformed},
		{"a short token", func(h *api.Hello) { h.Token = h.Token[1:] }, m.agent, api.Malformed},
		{"a short next token", func(h *api.Hello) { h.NextToken = h.NextToken[1:] }, m.agent, api.Malformed},
		{"an ID with a space", func(h *api.Hello) { h.ID = "a b" }, m.agent, api.Malformed},
		{"a place in no list of tombstones", func(h *api.Hello) { h.Tombstones = "x" }, m.agent, api.Malformed},
		{"half a digest of tombstones", func(h *api.Hello) { h.Tombstones = "1:00" }, m.agent, api.Malformed},
		{"the digest of no tombstones", func(h *api.Hello) { h.Tombstones = "0:" + strings.Repeat("0", 64) }, m.agent, api.Malformed},
	} {
		hello := m.hello(start{1, 0, 1}, nil)
		tt.change(&hello)
		s, f := m.dial(hello, tt.key)
		r, ok := f.(api.Refused)
		if !ok || r.Reason != tt.want {
			t.Errorf("%s: %+v, want %s", tt.name, f, tt.want)
		}
		if named := r.ID == hello.ID && r.Home == hello.Home.String(); !named && (api.CheckRequestID(hello.ID) == nil || r.ID+r.Home != "") {
			t.Errorf("%s: refused as %q of the home %q", tt.name, r.ID, r.Home)
		}
		if _, err := s.Receive(within(t)); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			t.Errorf("%s: the connection goes on: %v", tt.name, err)
		}
	}
	if n := h.metric(t, "latchkey_agents"); n != 0 {
		t.Errorf("%v agents are counted as connected", n)
	}
}

func TestClonedAgentIsRefused(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	m.connect(start{1, 0, 1})
	m.connect(start{2, 1, 2})
	m.connect(start{2, 1, 2}) // the connection was lost; the same start says the same again
	for name, s := range map[string]start{"a restored backup": {2, 1, 3}, "a copy that counts on": {3, 1, 3}, "a copy with another token": {3, 9, 3}} {
		_, f := m.dial(m.hello(s, nil), m.agent)
		if r, ok := f.(api.Refused); !ok || r.Reason != api.Cloned {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if len(h.logs.lines(t, "cloned")) != 3 {
		t.Errorf("the log: %s", h.logs.text())
	}
	if all := must(m.member.Conditions(t.Context())); len(all) != 1 || all[0].Agent != m.agent.Keys.Agent || all[0].Cloned != latchkey.TimeOf(h.time()) {
		t.Errorf("the page is told %+v", all)
	}
	m.connect(start{7, 2, 3})
}

func TestAgentHearsOfChanges(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	s := m.connect(start{1, 0, 1})
	other.startEpoch() // is none of its business
	before := m.owner.Title()
	m.startEpoch()
	d := receive[api.DeedsFrame](t, s)
	title, err := before.Append(d.Deeds...)
	if err != nil || d.Home != m.owner.Home() || title.Head() != latchkey.Head(d.Head) || title.Epoch() != 2 {
		t.Errorf("deeds %+v, %v", d, err)
	}
	document := m.settings(nil, "house")
	if err := m.member.PutSettings(t.Context(), document); err != nil {
		t.Fatal(err)
	}
	if f := receive[api.SettingsFrame](t, s); f.Home != m.owner.Home() || !bytes.Equal(f.Document, document) {
		t.Errorf("settings of %s: %d bytes", f.Home, len(f.Document))
	}
	// What is deleted is told alone: there are no deeds to tell with it.
	gone := m.deletes(latchkey.NewEventID())
	if f := receive[api.TombstonesFrame](t, s); f.Home != m.owner.Home() || len(f.Tombstones) != 1 || !bytes.Equal(f.Tombstones[0], gone) {
		t.Errorf("deleted in %s: %d", f.Home, len(f.Tombstones))
	}
}

// TestAgentIsToldDeedsFirst: settings may have come to the server before the news of the
// deed that they name. They are sent after it, because the agent could not judge them.
func TestAgentIsToldDeedsFirst(t *testing.T) {
	deaf := &hung{}
	h := openHouse(t, func(c *server.Config) { deaf.Outbox, c.Archive.Outbox = c.Archive.Outbox, deaf })
	m := h.found(t)
	s := m.connect(start{1, 0, 1})
	deaf.on.Store(true)
	m.startEpoch()
	document := m.settings(nil, "house")
	if err := m.member.PutSettings(t.Context(), document); err != nil {
		t.Fatal(err)
	}
	deaf.on.Store(false)
	receive[api.DeedsFrame](t, s)
	if f := receive[api.SettingsFrame](t, s); !bytes.Equal(f.Document, document) {
		t.Errorf("settings: %d bytes", len(f.Document))
	}
}

// TestAgentsThatHaveGone: an agent that does not answer whether it is there has gone, and one
// that does is not.
func TestAgentsThatHaveGone(t *testing.T) {
	h := openHouse(t)
	if !long() {
		return // it is asked every 20 s, and has 10 s
	}
	there, gone := h.found(t), h.found(t)
	answering := there.connect(start{1, 0, 1})
	gone.connect(start{1, 0, 1}) // whoever does not read does not answer
	ctx, stop := context.WithTimeout(t.Context(), 35*time.Second)
	defer stop()
	if f, err := answering.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an agent that is there is told %+v, %v", f, err)
	}
	connected := func(m *home) bool { return must(m.member.Conditions(t.Context()))[0].Connected }
	if connected(gone) {
		t.Error("an agent that has gone counts as connected")
	}
}

// TestNewerConnectionReplaces: an agent whose connection is half open comes back, and
// the old one does not go on beside it.
func TestNewerConnectionReplaces(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	older := m.connect(start{1, 0, 1})
	newer := m.connect(start{1, 0, 1})
	if _, err := older.Receive(within(t)); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("the older connection: %v", err)
	}
	m.startEpoch()
	receive[api.DeedsFrame](t, newer)
	eventually(t, "one agent is counted", func() bool { return h.metric(t, "latchkey_agents") == 1 })
}

func (m *home) ask(camera latchkey.CameraID, change ...func(a *api.Ask)) []byte {
	m.t.Helper()
	t := m.owner.Title()
	k, _ := t.EpochKey(t.Epoch())
	a := api.Ask{
		Home: t.Home(), Agent: m.agent.Keys.Agent, Camera: camera, Head: t.Head(), Time: latchkey.TimeOf(time.Now()),
		Key: k.ID(), Epoch: t.Epoch(), SealedName: []byte(chance()),
	}
	for _, c := range change {
		c(&a)
	}
	return must(a.Sign(m.agent.Keys.Signing)).Bytes()
}

func TestAsks(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	s := m.connect(start{1, 0, 1})
	ctx := within(t)
	send := func(id string, ask []byte) {
		t.Helper()
		if err := s.Send(ctx, api.AskFrame{ID: id, Home: m.owner.Home(), Ask: ask}); err != nil {
			t.Fatal(err)
		}
	}
	camera, another := latchkey.NewCameraID(), latchkey.NewCameraID()
	first, second, third := m.ask(camera), m.ask(camera), m.ask(another)
	for id, ask := range map[string][]byte{"1": first} {
		send(id, ask)
		if d := receive[api.Done](t, s); d.ID != id || d.Home != m.owner.Home() {
			t.Errorf("done %+v", d)
		}
	}
	send("2", second)
	receive[api.Done](t, s)
	send("3", third)
	receive[api.Done](t, s)
	list := func(want ...[]byte) {
		t.Helper()
		got, err := m.member.Asks(t.Context())
		if err != nil || !bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil)) {
			t.Errorf("%d asks, %v; want %d", len(got), err, len(want))
		}
	}
	list(second, third)
	if err := m.member.RefuseAsk(t.Context(), another); err != nil {
		t.Fatal(err)
	}
	list(second)
	before := m.owner.Title().Head()
	m.owner.Sign(deed.CameraBody{Camera: camera, Agent: m.agent.Keys.Agent})
	m.append(before)
	list()
	receive[api.DeedsFrame](t, s)
	send("4", second)
	if d := receive[api.Done](t, s); d.ID != "4" {
		t.Errorf("an ask for a camera that stands: %+v", d)
	}
	list()
	altered := m.ask(another)
	altered[40] ^= 1
	send("5", altered)
	if r := receive[api.Refused](t, s); r.ID != "5" || r.Reason != api.WrongAgent {
		t.Errorf("an altered ask: %+v", r)
	}
	send("6", []byte("x"))
	if r := receive[api.Refused](t, s); r.ID != "6" || r.Reason != api.FutureVersion { // 'x' as a version
		t.Errorf("nonsense: %+v", r)
	}
	send("cut", second[:50])
	if r := receive[api.Refused](t, s); r.ID != "cut" || r.Reason != api.Malformed {
		t.Errorf("an ask that was cut: %+v", r)
	}
	unsigned := m.ask(another)
	unsigned[len(unsigned)-1] ^= 1
	send("unsigned", unsigned)
	if r := receive[api.Refused](t, s); r.ID != "unsigned" || r.Reason != api.WrongAgent {
		t.Errorf("an ask that nobody signed: %+v", r)
	}
	send("7", m.ask(another, func(a *api.Ask) { a.Head.Hash[0]++ }))
	if r := receive[api.Refused](t, s); r.ID != "7" || r.Reason != api.UnknownHead {
		t.Errorf("an ask at a fork: %+v", r)
	}
	theirs := *m
	before = m.owner.Title().Head()
	theirs.agent = m.owner.PlaceAgent()
	m.append(before)
	receive[api.DeedsFrame](t, s)
	send("8", theirs.ask(another))
	if r := receive[api.Refused](t, s); r.ID != "8" || r.Reason != api.WrongAgent {
		t.Errorf("another agent's ask: %+v", r)
	}
	before = m.owner.Title().Head()
	placed := m.owner.PlaceCamera(theirs.agent)
	m.append(before)
	receive[api.DeedsFrame](t, s)
	send("9", m.ask(placed))
	if r := receive[api.Refused](t, s); r.ID != "9" || r.Reason != api.WrongAgent {
		t.Errorf("an ask for another agent's camera: %+v", r)
	}
	list()
}

func TestChanges(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	ctx := within(t)
	mine, theirs := must(m.member.Changes(ctx)), must(other.member.Changes(ctx))
	defer mine.Close()
	defer theirs.Close()
	next := func(s *api.Changes, want api.Change) {
		t.Helper()
		if got, err := s.Next(ctx); got != want || err != nil {
			t.Errorf("a hint of %q, %v; want %q", got, err, want)
		}
	}
	m.stored(latchkey.Thumbnail, "x")
	next(mine, api.EventsChanged)
	m.startEpoch()
	next(mine, api.DeedsChanged)
	if err := m.member.PutSettings(t.Context(), m.settings(nil, "x")); err != nil {
		t.Fatal(err)
	}
	next(mine, api.SettingsChanged)
	other.stored(latchkey.Thumbnail, "y")
	next(theirs, api.EventsChanged) // and nothing of the other home before it

	// A page that does not read loses nothing but repetitions.
	for range 50 {
		m.stored(latchkey.Thumbnail, "x")
	}
	next(mine, api.EventsChanged)

	two := m.signIn()
	ended := must(two.Changes(ctx))
	defer ended.Close()
	if err := two.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if what, err := ended.Next(ctx); err == nil {
		t.Errorf("a hint after signing out: %s", what)
	}
	if _, err := two.Changes(ctx); api.ReasonOf(err) != api.SignedOut {
		t.Errorf("a websocket after signing out: %v", err)
	}
}

func TestJoin(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	hint := must(m.member.Changes(within(t)))
	defer hint.Close()
	secret := api.NewJoinSecret()
	_, err := h.client.JoinSlot(t.Context(), secret.Slot())
	wantReason(t, "before the slot is open", err, api.NotFound)
	expires := latchkey.TimeOf(time.Now().Add(api.JoinLife))
	said := secret.Announce(api.Announcement{Home: m.owner.Home(), Head: m.owner.Title().Head(), Expires: expires})
	if err := m.member.OpenJoin(t.Context(), secret.Slot(), said, expires); err != nil {
		t.Fatal(err)
	}
	if a, err := m.member.Join(t.Context(), secret.Slot()); err != nil || len(a) != 0 {
		t.Errorf("before anybody answered: %d bytes, %v", len(a), err)
	}
	heard := must(h.client.JoinSlot(t.Context(), secret.Slot()))
	if _, err := secret.CheckAnnouncement(heard, time.Now()); err != nil {
		t.Fatal(err)
	}
	keys := must(key.NewAgentKeys())
	answer := must(secret.Answer(heard, keys.Body()))
	for range 2 {
		if err := h.client.AnswerJoin(t.Context(), secret.Slot(), answer); err != nil {
			t.Fatal(err)
		}
	}
	if what, err := hint.Next(within(t)); what != api.JoinsChanged || err != nil {
		t.Errorf("hint %s, %v", what, err)
	}
	rival := must(secret.Answer(heard, must(key.NewAgentKeys()).Body()))
	wantReason(t, "a second answer", h.client.AnswerJoin(t.Context(), secret.Slot(), rival), api.Expired)
	got := must(m.member.Join(t.Context(), secret.Slot()))
	if agent, err := secret.CheckAnswer(said, got); err != nil || agent.Agent != keys.Agent {
		t.Errorf("the answer: %v, %v", agent, err)
	}
	_, err = other.member.Join(t.Context(), secret.Slot())
	wantReason(t, "another home looks", err, api.NotFound)
	wantReason(t, "another home takes the slot", other.member.OpenJoin(t.Context(), secret.Slot(),
		secret.Announce(api.Announcement{Home: other.owner.Home(), Head: other.owner.Title().Head(), Expires: expires}), expires), api.Conflict)
	wantReason(t, "an announcement of another home", m.member.OpenJoin(t.Context(), api.Slot{1},
		secret.Announce(api.Announcement{Home: other.owner.Home(), Head: other.owner.Title().Head(), Expires: expires}), expires), api.WrongHome)
	far := latchkey.TimeOf(time.Now().Add(24 * time.Hour))
	wantReason(t, "a slot for a day", m.member.OpenJoin(t.Context(), api.Slot{1},
		secret.Announce(api.Announcement{Home: m.owner.Home(), Head: m.owner.Title().Head(), Expires: far}), far), api.Expired)
	open := func(a api.Announcement, expires latchkey.Time) error {
		return m.member.OpenJoin(t.Context(), api.Slot{1}, secret.Announce(a), expires)
	}
	fork := m.owner.Title().Head()
	fork.Hash[0]++
	late := latchkey.TimeOf(time.Now().Add(-time.Minute))
	wantReason(t, "an announcement at a fork", open(api.Announcement{Home: m.owner.Home(), Head: fork, Expires: expires}, expires), api.UnknownHead)
	wantReason(t, "one that ends at another time", open(api.Announcement{Home: m.owner.Home(), Head: m.owner.Title().Head(), Expires: expires}, expires+1), api.Malformed)
	wantReason(t, "one that has ended", open(api.Announcement{Home: m.owner.Home(), Head: m.owner.Title().Head(), Expires: late}, late), api.Expired)
	at := "/joins/" + secret.Slot().String()
	for what, q := range map[string]struct {
		method, path string
		body         any
		want         api.Reason
	}{
		"a slot of another home":             {"POST", m.path("/joins"), api.OpenJoin{Home: other.owner.Home(), Slot: api.Slot{1}, Announcement: said, Expires: expires}, api.WrongHome},
		"a slot for a thing":                 {"POST", m.path("/joins"), api.OpenJoin{Home: m.owner.Home(), Slot: api.Slot{1}, For: "thing", Announcement: said, Expires: expires}, api.Malformed},
		"an answer in another slot":          {"PUT", "/v1" + at, api.JoinAnswer{Slot: api.Slot{1}, Answer: answer}, api.Malformed},
		"what is revealed in another":        {"PUT", m.path(at), api.RevealJoin{Home: m.owner.Home(), Slot: api.Slot{1}, Reveal: make([]byte, api.RevealSize)}, api.Malformed},
		"what is revealed in another's home": {"PUT", m.path(at), api.RevealJoin{Home: other.owner.Home(), Slot: secret.Slot(), Reveal: make([]byte, api.RevealSize)}, api.WrongHome},
		"less than is revealed":              {"PUT", m.path(at), api.RevealJoin{Home: m.owner.Home(), Slot: secret.Slot(), Reveal: make([]byte, api.RevealSize-1)}, api.Malformed},
	} {
		answer, text := h.do(t, raw{method: q.method, path: q.path, body: string(must(json.Marshal(q.body))), header: m.asPage(), mac: m.mac()})
		if answer.StatusCode < 400 || !strings.Contains(text, `"reason":"`+string(q.want)+`"`) {
			t.Errorf("%s: %d %s, want %s", what, answer.StatusCode, text, q.want)
		}
	}
	wantReason(t, "nonsense", m.member.OpenJoin(t.Context(), api.Slot{1}, []byte("x"), expires), api.Malformed)
	wantReason(t, "an answer of nonsense", h.client.AnswerJoin(t.Context(), secret.Slot(), []byte("x")), api.Malformed)
	h.pass(api.JoinLife + time.Minute)
	_, err = h.client.JoinSlot(t.Context(), secret.Slot())
	wantReason(t, "after it ran out", err, api.NotFound)
	if answer, _ := h.do(t, raw{method: "GET", path: "/v1/joins/" + strings.ToUpper(secret.Slot().String())}); answer.StatusCode != http.StatusNotFound {
		t.Errorf("a slot in upper case: %d", answer.StatusCode)
	}
}
