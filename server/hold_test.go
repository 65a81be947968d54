package server_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/server"
)

// operator is whoever holds and releases, by another handle of the archive's file, as the
// command does beside a server.
type operator struct {
	t     *testing.T
	house *house
	archive.Holds
}

func (h *house) operator(t *testing.T) *operator {
	t.Helper()
	s := must(archive.OpenSQLite(t.Context(), h.file))
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &operator{t, h, s.Archive().Holds}
}

// hold holds, and waits until the server knows.
func (o *operator) hold(all ...archive.Hold) (numbers []uint64) {
	o.t.Helper()
	before := o.house.metric(o.t, "latchkey_holds")
	for _, x := range all {
		x.Who, x.Why, x.Since = "the watch", "a secret reason", latchkey.TimeOf(o.house.time())
		numbers = append(numbers, must(o.PutHold(o.t.Context(), x)))
	}
	eventually(o.t, "the server holds", func() bool {
		return o.house.metric(o.t, "latchkey_holds") == before+float64(len(all))
	})
	return numbers
}

// release releases, and waits until the server knows.
func (o *operator) release(numbers ...uint64) {
	o.t.Helper()
	before := o.house.metric(o.t, "latchkey_holds")
	for _, n := range numbers {
		if err := o.Release(o.t.Context(), n, archive.Release{Who: "bob", Why: "over"}); err != nil {
			o.t.Fatal(err)
		}
	}
	eventually(o.t, "the server releases", func() bool {
		return o.house.metric(o.t, "latchkey_holds") == before-float64(len(numbers))
	})
}

// documented reads from the guide what a hold does to each route.
func documented(t *testing.T) (stopped, goesOn []string) {
	t.Helper()
	page := string(must(os.ReadFile("../docs/guide/server.md")))
	row := func(what string) (routes []string) {
		m := regexp.MustCompile(`(?m)^\| ` + what + ` \| (.*) \|$`).FindStringSubmatch(page)
		if m == nil {
			t.Fatalf("docs/guide/server.md has no row %q", what)
		}
		for _, id := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(m[1], -1) {
			routes = append(routes, id[1])
		}
		return routes
	}
	return row("stopped"), row("goes on")
}

// walker asks by every route, as whoever may use it.
type walker struct {
	*home
	person *somebody
	leaver *somebody // has an account until they have deleted it
	name   latchkey.Name
	slot   api.Slot
}

func (h *house) walker(t *testing.T) *walker {
	t.Helper()
	w := &walker{home: h.found(t), person: h.signUp(t, "anna@example.org")}
	w.name = w.stored(latchkey.Thumbnail, "a picture").Name()
	return w
}

// ask returns the reason for which a route refuses, empty if it does not. What it sends
// is malformed, so that nothing changes.
func (w *walker) ask(t *testing.T, route api.Route) api.Reason {
	t.Helper()
	if route.Right == api.AgentHello {
		head := w.owner.Title().Head()
		s, f := w.dial(w.hello(start{1, 0, 1}, &head), w.agent)
		s.Close()
		r, _ := f.(api.Refused)
		return r.Reason
	}
	person := w.person
	if route.ID == "delete-account" {
		person = w.leaver
	}
	route.Pattern = strings.NewReplacer("{slot}", w.slot.String(), "{account}", person.id.String()).Replace(route.Pattern)
	path := w.address(route, w.name)
	q := raw{method: route.Method, path: path, body: map[bool]string{true: "{}"}[route.Request != nil], header: http.Header{"Origin": {w.house.origin}}, again: 20}
	switch {
	case route.Right.Session():
		q.header, q.mac = w.asPage(), w.mac()
	case route.Right.Page():
		key := person.session.MACKey()
		q.header.Set("Cookie", person.session.Cookie())
		q.mac = &key
	case route.Right == api.Uploader:
		q.header = w.asAgent(route.Method, path)
	}
	if route.ID == "answer-join" { // the slot is looked up when the message has been read
		q.body = `{"v":1,"slot":"` + w.slot.String() + `","answer":"AAAA"}`
	}
	answer, text := w.house.do(t, q)
	if q.mac != nil && answer.StatusCode >= 400 && answer.Header.Get(api.HeaderAnswer) == "" {
		t.Errorf("%s: the page cannot believe %d %s", route.ID, answer.StatusCode, text)
	}
	if strings.Contains(text, "secret reason") || strings.Contains(text, "the watch") {
		t.Errorf("%s tells people %s", route.ID, text)
	}
	return api.Reason(answer.Header.Get(api.HeaderReason))
}

// open opens a slot at which an agent may answer.
func (w *walker) open(t *testing.T) {
	t.Helper()
	link := api.NewJoinSecret()
	at := latchkey.TimeOf(w.house.time().Add(time.Minute))
	if err := w.member.OpenJoin(t.Context(), link.Slot(), link.Announce(api.Announcement{Home: w.name.Home, Head: w.owner.Title().Head(), Expires: at}), at); err != nil {
		t.Fatal(err)
	}
	w.slot = link.Slot()
}

// walk opens a slot, holds, and compares what every route answers with what is wanted.
// Signing out is left out, because whoever has does not go on.
func (w *walker) walk(t *testing.T, o *operator, what string, holds []archive.Hold, stopped func(r api.Route) bool) {
	t.Helper()
	w.open(t)
	w.leaver = w.house.signUp(t, w.slot.String()+"@example.org")
	defer func(n []uint64) { o.release(n...) }(o.hold(holds...))
	for _, route := range api.Routes {
		if strings.HasPrefix(route.ID, "sign-out") {
			continue
		}
		if got := w.ask(t, route); (got == api.Held) != stopped(route) {
			t.Errorf("%s: route %s answers %q, stopped: %t", what, route.ID, got, stopped(route))
		}
	}
}

// TestHeldRoutes walks every route under each scope of hold.
func TestHeldRoutes(t *testing.T) {
	t.Parallel()
	stops, goesOn := documented(t)
	for _, route := range api.Routes {
		if slices.Contains(stops, route.ID) == slices.Contains(goesOn, route.ID) || slices.Contains(goesOn, route.ID) != route.Held {
			t.Errorf("docs/guide/server.md and the table differ about route %s", route.ID)
		}
	}
	if len(stops)+len(goesOn) != len(api.Routes) {
		t.Errorf("docs/guide/server.md speaks of %d routes, there are %d", len(stops)+len(goesOn), len(api.Routes))
	}
	id := latchkey.NewServerID()
	h := openHouse(t, func(c *server.Config) { c.ID = id })
	o, w := h.operator(t), h.walker(t)
	w.walk(t, o, "nothing is held", nil, func(api.Route) bool { return false })
	all := func(r api.Route) bool { return slices.Contains(stops, r.ID) }
	for what, tt := range map[string]struct {
		hold archive.Hold
		want func(r api.Route) bool
	}{
		"everything":         {archive.Hold{Scope: api.HoldEverything}, all},
		"this server":        {archive.Hold{Scope: api.HoldServer, Server: id}, all},
		"a scope to come":    {archive.Hold{Scope: "continent"}, all},
		"the home":           {archive.Hold{Scope: api.HoldHome, Home: w.name.Home}, func(r api.Route) bool { return all(r) && r.ID != "found-home" }},
		"another home":       {archive.Hold{Scope: api.HoldHome, Home: latchkey.HomeID{1}}, func(api.Route) bool { return false }},
		"a route not theirs": {archive.Hold{Scope: api.HoldRoute, Route: "of tomorrow"}, func(api.Route) bool { return false }},
	} {
		w.walk(t, o, what, []archive.Hold{tt.hold}, tt.want)
	}
	for odd := range 2 {
		var holds []archive.Hold
		isHeld := map[string]bool{}
		for i, r := range api.Routes {
			if i%2 == odd {
				holds = append(holds, archive.Hold{Scope: api.HoldRoute, Route: r.ID})
				isHeld[r.ID] = true
			}
		}
		w.walk(t, o, "every second route", holds, func(r api.Route) bool { return isHeld[r.ID] || isHeld["object"] && r.ID == "events" })
	}
	o.hold(archive.Hold{Scope: api.HoldEverything})
	// The connection that the last answer came by may have been cut.
	eventually(t, "they sign out while everything is held", func() bool { return w.member.SignOut(t.Context()) == nil })
}

// TestHeldSays wants people told since when, in the operator's words for them and in no
// others; and the operator told everything.
func TestHeldSays(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	o, m := h.operator(t), h.found(t)
	began := latchkey.TimeOf(h.time())
	first := o.hold(archive.Hold{Scope: api.HoldHome, Home: m.owner.Home()})
	h.pass(time.Hour)
	second := o.hold(archive.Hold{Scope: api.HoldEverything, Says: "We are looking into it."})
	second = append(second, o.hold(archive.Hold{Scope: api.HoldEverything})...) // whose operator says nothing
	_, err := m.member.Events(t.Context(), "", 0)
	e, ok := errors.AsType[*api.Error](err)
	if !ok || e.Status != 503 || e.RetryAfter() == 0 {
		t.Fatalf("the list: %v", err)
	}
	if d := cmp.Diff(&api.HoldSaid{Scope: api.HoldHome, Since: began, Says: "We are looking into it."}, e.Refusal.Hold); d != "" {
		t.Errorf("what is said (-want +got):\n%s", d)
	}
	o.release(append(first, second...)...)
	if _, err := m.member.Events(t.Context(), "", 0); err != nil {
		t.Errorf("after the release: %v", err)
	}
	eventually(t, "the log of the last release", func() bool { return len(h.logs.lines(t, "released")) >= 3 })
	held, released := h.logs.lines(t, "held"), h.logs.lines(t, "released")
	if len(held) != 3 || held[0]["who"] != "the watch" || held[0]["why"] != "a secret reason" || held[0]["scope"] != "home" || held[0]["of"] != m.owner.Home().String() {
		t.Errorf("the log of holds: %v", held)
	}
	if len(released) != 3 || released[0]["who"] != "bob" || released[0]["why"] != "over" || released[0]["held_by"] != "the watch" {
		t.Errorf("the log of releases: %v", released)
	}
}

// TestHoldCuts: what is under way when a hold begins is reset within a second, whatever
// it is; another home's goes on, and so does everything that agents bring.
func TestHoldCuts(t *testing.T) {
	h := openHouse(t)
	o, m, other := h.operator(t), h.found(t), h.found(t)
	agent := m.connect(start{1, 0, 1})
	stays := other.slow(h.origin, "GET", objectPath(clip(other)), "")
	cut := m.everyWay(agent, clip(m))
	must(o.PutHold(t.Context(), archive.Hold{Scope: api.HoldHome, Home: m.owner.Home()}))
	committed := time.Now()
	for what, s := range cut {
		s.wantReset(what)
	}
	if d := time.Since(committed); d > 5*time.Second { // a second is promised; the machine may do much else
		t.Errorf("the last is cut %s after the hold", d)
	}
	eventually(t, "four cuts are counted", func() bool { return h.metric(t, "latchkey_cuts_total", "why=held") >= 4 })
	stays.goesOn("another home's download", 200_000)
	if f := receive[api.StopFrame](t, agent); f.Home != m.owner.Home() {
		t.Errorf("the agent is not told to stop: %+v", f)
	}
	kept := m.stored(latchkey.Thumbnail, "recorded meanwhile")
	if _, _, err := m.get(kept.Name()); api.ReasonOf(err) != api.Held {
		t.Errorf("it is handed out: %v", err)
	}
	before := m.owner.Title().Head()
	m.owner.StartEpoch()
	m.append(before)
	if f := receive[api.DeedsFrame](t, agent); f.Home != m.owner.Home() {
		t.Errorf("the agent hears of no deeds: %+v", f)
	}
}

// TestHoldOfAgentsCuts: agents that are connected are cut when their route is held.
func TestHoldOfAgentsCuts(t *testing.T) {
	h := openHouse(t)
	o, m := h.operator(t), h.found(t)
	agent := m.connect(start{1, 0, 1})
	o.hold(archive.Hold{Scope: api.HoldRoute, Route: "agent"})
	ctx := within(t)
	if f, err := agent.Receive(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("it goes on: %+v, %v", f, err)
	}
}

// TestHoldOfPicturesTells: a page that is open hears that a hold of pictures alone has begun
// and that it has ended, and what it then asks for says which.
func TestHoldOfPicturesTells(t *testing.T) {
	h := openHouse(t)
	o, m := h.operator(t), h.found(t)
	m.stored(latchkey.Thumbnail, "a picture")
	page := must(m.member.Changes(within(t)))
	defer page.Close()
	hears := func(when string, want api.Reason) {
		t.Helper()
		if what, err := page.Next(within(t)); err != nil || what != api.EventsChanged {
			t.Fatalf("%s the page hears %q, %v", when, what, err)
		}
		if _, err := m.member.Events(t.Context(), "", 0); api.ReasonOf(err) != want || (err == nil) != (want == "") {
			t.Errorf("%s the list is answered %v, want %q", when, err, want)
		}
	}
	held := o.hold(archive.Hold{Scope: api.HoldRoute, Route: "object"})
	hears("held", api.Held)
	o.release(held...)
	hears("released", "")
}

// TestNothingAfterAHold has people read without end while holds begin and end: a second
// after the command has returned nobody gets a byte, until it is released.
func TestNothingAfterAHold(t *testing.T) {
	h := openHouse(t)
	o, m := h.operator(t), h.found(t)
	path := objectPath(m.stored(latchkey.Clip, strings.Repeat("a clip ", 30_000)).Name())
	var heldSince, late, read atomic.Int64 // the first in nanoseconds, 0 while nothing is held
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for b := make([]byte, 8<<10); ctx.Err() == nil; {
				r := must(http.NewRequestWithContext(ctx, "GET", h.origin+path, nil))
				prove(m.member, r)
				a, err := http.DefaultClient.Do(r)
				for err == nil && a.StatusCode == 200 {
					var n int
					n, err = a.Body.Read(b)
					if at := heldSince.Load(); n > 0 && at != 0 && time.Now().UnixNano() > at+int64(time.Second) {
						late.Add(int64(n))
					}
					read.Add(int64(n))
				}
				if a != nil {
					a.Body.Close()
				}
			}
		})
	}
	for range 2 {
		before := read.Load()
		eventually(t, "people read", func() bool { return read.Load() > before+1<<20 })
		n := must(o.PutHold(ctx, archive.Hold{Scope: api.HoldEverything}))
		heldSince.Store(time.Now().UnixNano())
		time.Sleep(1500 * time.Millisecond)
		heldSince.Store(0)
		o.release(n)
	}
	stop()
	readers.Wait()
	if late.Load() != 0 {
		t.Errorf("%d bytes of %d came more than a second after a hold", late.Load(), read.Load())
	}
}

// unreadable are holds that cannot be read while it is on.
type unreadable struct {
	archive.Holds
	on atomic.Bool
}

func (u *unreadable) Standing(ctx context.Context) ([]archive.Hold, error) {
	if u.on.Load() {
		return nil, errors.New("the table is damaged")
	}
	return u.Holds.Standing(ctx)
}

// TestHoldsThatCannotBeRead: when nobody can say what is held, nothing is shown that a
// hold could stop, and what is under way ends.
func TestHoldsThatCannotBeRead(t *testing.T) {
	broken := &unreadable{}
	h := openHouse(t, func(c *server.Config) { broken.Holds, c.Archive.Holds = c.Archive.Holds, broken })
	o, m := h.operator(t), h.found(t)
	name := clip(m)
	s := m.slow(h.origin, "GET", objectPath(name), "")
	broken.on.Store(true)
	n := must(o.PutHold(t.Context(), archive.Hold{Scope: api.HoldHome, Home: latchkey.HomeID{1}}))
	s.wantReset("a download")
	for what, err := range map[string]error{
		"the list":  second(m.member.Events(t.Context(), "", 0)),
		"an object": third(m.get(name)),
	} {
		wantReason(t, what, err, api.Busy)
	}
	m.startEpoch() // deeds go on
	broken.on.Store(false)
	eventually(t, "the holds are read again", func() bool { return third(m.get(name)) == nil })
	if err := o.Release(t.Context(), n, archive.Release{}); err != nil {
		t.Fatal(err)
	}
	broken.on.Store(true)
	c := server.Config{Archive: h.archive.Archive(), Blobs: must(blob.NewDisk(h.disk)), Origin: h.origin}
	c.Archive.Holds = broken
	if _, err := server.New(t.Context(), c); err == nil {
		t.Error("a server starts that does not know what is held")
	}
}

func second[A any](_ A, err error) error        { return err }
func third[A, B any](_ A, _ B, err error) error { return err }

// TestHoldOfAnotherServer: a hold of one server leaves another of the same archive alone,
// but for one that has no ID.
func TestHoldOfAnotherServer(t *testing.T) {
	t.Parallel()
	h := openHouse(t, func(c *server.Config) { c.ID = latchkey.ServerID{1} })
	m := h.found(t)
	n := must(h.archive.Archive().Holds.PutHold(t.Context(), archive.Hold{Scope: api.HoldServer, Server: latchkey.ServerID{2}, Who: "anna", Why: "its cache"}))
	for id, want := range map[latchkey.ServerID]int{{1}: 200, {2}: 503, {}: 503} {
		c := server.Config{ID: id, Archive: h.archive.Archive(), Blobs: must(blob.NewDisk(h.disk)), Origin: h.origin}
		s := must(server.New(t.Context(), c))
		if standing := s.Holds(); (len(standing) == 1 && standing[0].Number == n) != (want == 503) {
			t.Errorf("server %s says at its start: %v", id, standing)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	time.Sleep(700 * time.Millisecond)
	if _, err := m.member.Events(t.Context(), "", 0); err != nil {
		t.Errorf("a server that is not held: %v", err)
	}
}

// TestHeldRoutesControl: without the check at the door, at the wall, at the slot of a join
// and at an agent's hello the walk sees each.
func TestHeldRoutesControl(t *testing.T) {
	control(t, "TestHeldRoutes", []string{"route object answers", "route events answers", "route join-slot answers", "route agent answers"},
		sabotage.Cut{File: "server/door.go", Old: "d.holds.stops(q.Route, q.Name.Home)", New: "error(nil)"},
		sabotage.Cut{File: "server/wall.go", Old: "return a.server.holds.stops(a.route, a.home)", New: "return nil"},
		sabotage.Cut{File: "server/join.go", Old: "s.holds.stops(a.route, j.Home)", New: "nil"},
		sabotage.Cut{File: "server/agent.go", Old: "s.holds.stops(t.route, t.home)", New: "nil"},
	)
}

// TestHoldCutsControl: without the cut, and with a server that goes on by what it knew, the
// readers see it.
func TestHoldCutsControl(t *testing.T) {
	control(t, "(TestHoldCuts|TestHoldOfPicturesTells|TestHoldsThatCannotBeRead)",
		[]string{"--- FAIL: TestHoldCuts ", "--- FAIL: TestHoldOfPicturesTells ", "--- FAIL: TestHoldsThatCannotBeRead "},
		sabotage.Cut{File: "server/cut.go", Old: "h.stops(o.who.route, o.home) != nil", New: "false"},
		sabotage.Cut{File: "server/hold.go", Old: "h.known.Store(nil)", New: "_ = 0"},
		sabotage.Cut{File: "server/hold.go", Old: "s.hub.lists()", New: "_ = 0"},
	)
}
