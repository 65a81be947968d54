package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/server"
	"github.com/latchkey-cam/latchkey/strain"
)

// strained is a server that something keeps from letting in more than it always does, which
// are 20 a second.
func strained(c *server.Config) {
	c.Usual.Pace = 1
	c.Strains = []strain.Measure{{Name: "test", Level: func() float64 { return 1 }}}
}

// storm has so many agents come at the same moment, and returns what those were told who
// are to come back, the first to come first.
func storm(t *testing.T, h *house, agents int) (sent []*api.Error) {
	t.Helper()
	ctx := within(t)
	var mu sync.Mutex
	var all sync.WaitGroup
	for range agents {
		all.Go(func() {
			s, err := h.client.Dial(ctx, "")
			if err == nil {
				s.Close()
				return
			}
			mu.Lock()
			defer mu.Unlock()
			var e *api.Error
			if !errors.As(err, &e) || e.Refusal.Error.Reason != api.Turn || e.RetryAfter() <= 0 || e.Place == "" {
				t.Errorf("sent away with %v", err)
				return
			}
			sent = append(sent, e)
		})
	}
	all.Wait()
	slices.SortFunc(sent, func(a, b *api.Error) int { return int(a.RetryAfter() - b.RetryAfter()) })
	return sent
}

// TestTurns: of many agents that come at the same moment a server lets in as many as it
// bears, and tells the others when it is their turn. Then it is.
func TestTurns(t *testing.T) {
	t.Parallel()
	h := openHouse(t, strained)
	sent := storm(t, h, 200)
	if len(sent) < 100 || h.metric(t, "latchkey_gate_sent_total", "rank=agent") != float64(len(sent)) {
		t.Fatalf("of 200 agents %d are to come back, and the counter says %v", len(sent), h.metric(t, "latchkey_gate_sent_total", "rank=agent"))
	}
	first, last := sent[0], sent[len(sent)-1]
	if last.RetryAfter() < first.RetryAfter()+2*time.Second {
		t.Errorf("the first is to come in %v, the last in %v", first.RetryAfter(), last.RetryAfter())
	}
	time.Sleep(last.RetryAfter() / 2)
	times := 1
	for place := last.Place; ; times++ {
		s, err := h.client.Dial(within(t), place)
		if err == nil {
			s.Close()
			break
		}
		var e *api.Error
		if !errors.As(err, &e) || e.Place != last.Place {
			t.Fatalf("the place is lost: %v", err)
		}
		place = e.Place
		time.Sleep(e.RetryAfter())
	}
	if times > 3 { // once too early, and fewer may have been let in than it seemed
		t.Errorf("it had to come %d times", times)
	}
}

// TestPeopleFirst: while agents wait by the hundred, people open their homes.
func TestPeopleFirst(t *testing.T) {
	t.Parallel()
	h := openHouse(t, strained)
	m := h.found(t)
	var storming sync.WaitGroup
	storming.Go(func() { storm(t, h, 300) })
	defer storming.Wait()
	eventually(t, "agents wait", func() bool { return h.metric(t, "latchkey_gate_waiting", "rank=agent") > 20 })
	device, key := m.owner.Device()
	began := time.Now()
	home := must(h.client.SignIn(t.Context(), m.owner.Home(), device, key, m.owner.Title().Head()))
	must(home.Events(t.Context(), "", 10))
	if took := time.Since(began); took > time.Second {
		t.Errorf("a person waited for %v", took)
	}
}

// TestWhoIsInsideGoesOn: a session comes in once; it does again when it has been silent.
func TestWhoIsInsideGoesOn(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	m := h.found(t)
	entered := func() float64 { return h.metric(t, "latchkey_gate_entered_total", "rank=person") }
	ask := func() { must(m.member.Events(t.Context(), "", 10)) }
	ask()
	for _, c := range []struct {
		pass time.Duration
		come float64 // in anew
	}{{0, 0}, {4 * time.Minute, 0}, {4 * time.Minute, 0}, {4 * time.Minute, 0}, {11 * time.Minute, 1}, {0, 0}} {
		h.pass(c.pass)
		before := entered()
		for range 10 {
			ask()
		}
		if got := entered() - before; got != c.come {
			t.Errorf("after %v of silence the session came in %v times, want %v", c.pass, got, c.come)
		}
	}
	// A cookie that is of no session is inside never.
	before := entered()
	for range 3 {
		r := must(http.NewRequestWithContext(t.Context(), "GET", h.origin+"/v1/homes/"+m.owner.Home().String()+"/events", nil))
		r.Header.Set(api.HeaderRequest, "false")
		r.Header.Set("Cookie", api.CookieName(m.owner.Home())+"=false")
		a := must(http.DefaultClient.Do(r))
		must(0, a.Body.Close())
		if got := a.Header.Get(api.HeaderReason); a.StatusCode != http.StatusUnauthorized || got != string(api.SignedOut) {
			t.Errorf("with a false cookie: %d %s", a.StatusCode, got)
		}
	}
	if got := entered() - before; got != 3 {
		t.Errorf("with a false cookie somebody came in %v times in 3 requests", got)
	}
}

// TestAccountsAreInside: so is a session of an account, from the moment on at which it has
// begun.
func TestAccountsAreInside(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	for _, c := range []struct {
		pass time.Duration
		come float64
	}{{0, 0}, {11 * time.Minute, 1}} {
		before := h.metric(t, "latchkey_gate_entered_total", "rank=person")
		h.pass(c.pass)
		for range 5 {
			must(p.session.Look(t.Context()))
		}
		if got := h.metric(t, "latchkey_gate_entered_total", "rank=person") - before; got != c.come {
			t.Errorf("after %v of silence the session came in %v times, want %v", c.pass, got, c.come)
		}
	}
}

// TestSpared: under a strain that goes on a server takes what is new first, one clip at a
// time, and what is old one at a time; nothing of it is lost.
func TestSpared(t *testing.T) {
	t.Parallel()
	h := openHouse(t, strained)
	m := h.found(t)
	socket := m.connect(start{1, 0, 1})
	defer socket.Close()
	eventually(t, "clips are spared", func() bool { return h.metric(t, "latchkey_gate_spared", "feature=clips") == 1 })
	for name, c := range map[string]struct {
		kind   latchkey.Kind
		age    time.Duration
		spared bool
	}{
		"a thumbnail of now":   {latchkey.Thumbnail, 0, false},
		"a description of now": {latchkey.Description, 0, false},
		"a clip of now":        {latchkey.Clip, 0, true},
		"an old thumbnail":     {latchkey.Thumbnail, time.Hour, true},
		"an old clip":          {latchkey.Clip, time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			under := server.Occupy(h.Server) // as if one of each were under way
			b := m.agent.Bind(m.owner.Title(), m.camera, c.kind)
			b.Time = latchkey.TimeOf(h.time().Add(-c.age))
			o := m.agent.Seal(m.owner.Title(), b, []byte(name))
			err := m.put(o)
			if got := api.ReasonOf(err) == api.Spared; got != c.spared || err != nil && !got {
				t.Errorf("while another is under way: %v", err)
			}
			under()
			if err := m.put(o); err != nil {
				t.Errorf("alone: %v", err)
			}
		})
	}
}

// TestSparedIsTold: pages are told what is left out, and that it changes.
func TestSparedIsTold(t *testing.T) {
	t.Parallel()
	var level atomic.Int64
	level.Store(2)
	h := openHouse(t, func(c *server.Config) {
		c.Strains = []strain.Measure{{Name: "test", Level: func() float64 { return float64(level.Load()) }}}
	})
	m := h.found(t)
	page := must(m.member.Changes(t.Context()))
	defer page.Close()
	told := func() {
		t.Helper()
		for {
			if what, err := page.Next(within(t)); err != nil || what == api.SparedChanged {
				must(0, err)
				return
			}
		}
	}
	health := func() (a api.Health) {
		t.Helper()
		r := must(http.NewRequestWithContext(t.Context(), "GET", h.origin+"/v1/health", nil))
		r.Header.Set(api.HeaderRequest, "health")
		answer := must(http.DefaultClient.Do(r))
		defer answer.Body.Close()
		must(0, json.NewDecoder(answer.Body).Decode(&a))
		return a
	}
	told()
	if got := health().Spared; len(got) == 0 || got[0] != "filmstrips" {
		t.Errorf("under a strain it says that it leaves out %v", got)
	}
	level.Store(0)
	for len(health().Spared) > 0 {
		told()
	}
}

// TestAnotherSpread: an agent is told anew when its server finds out that it takes twice as
// long, or half as long, until all are back; of parts of a second it is not told.
func TestAnotherSpread(t *testing.T) {
	for _, c := range []struct {
		was, is time.Duration
		want    bool
	}{
		{0, 0, false},
		{0, 900 * time.Millisecond, false},
		{0, time.Second, true},
		{900 * time.Millisecond, time.Second, false},
		{10 * time.Second, 19 * time.Second, false},
		{10 * time.Second, 20 * time.Second, true},
		{10 * time.Second, 6 * time.Second, false},
		{10 * time.Second, 5 * time.Second, true},
		{10 * time.Second, 0, true},
	} {
		if got := server.Another(c.was, c.is); got != c.want {
			t.Errorf("%v and then %v: %t", c.was, c.is, got)
		}
	}
}

// TestSentAwayKeepsTheConnection: whoever is sent away comes back over the same connection,
// without another handshake.
func TestSentAwayKeepsTheConnection(t *testing.T) {
	t.Parallel()
	h := openHouse(t, strained)
	var connections atomic.Int64
	client := must(api.NewClient(h.origin, &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		connections.Add(1)
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}}))
	var storming sync.WaitGroup
	storming.Go(func() { storm(t, h, 200) })
	defer storming.Wait()
	eventually(t, "agents wait", func() bool { return h.metric(t, "latchkey_gate_waiting", "rank=agent") > 20 })
	for range 3 {
		if _, err := client.Dial(within(t), ""); api.ReasonOf(err) != api.Turn {
			t.Fatalf("want to be sent away, got %v", err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("it took %d connections, want 1", n)
	}
}

// TestAgentsAreToldTheSpread: an agent that is connected is told when it takes longer until
// all are back, and nothing when it does not.
func TestAgentsAreToldTheSpread(t *testing.T) {
	t.Parallel()
	for name, level := range map[string]float64{"under a strain": 2, "under none": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, func(c *server.Config) {
				c.Usual = server.Usual{Pace: 1000, Agents: 2000}
				c.Strains = []strain.Measure{{Name: "test", Level: func() float64 { return level }}}
			})
			m := h.found(t)
			head := m.owner.Title().Head()
			s, f := m.dial(m.hello(start{1, 0, 1}, &head), m.agent)
			welcome, ok := f.(api.Welcome)
			if !ok || welcome.SpreadMS < 2000 {
				t.Fatalf("welcomed with %+v", f)
			}
			within := map[bool]time.Duration{true: 60 * time.Second, false: 25 * time.Second}[level > 0]
			ctx, stop := context.WithTimeout(t.Context(), within)
			var coming sync.WaitGroup
			defer coming.Wait()
			for range 60 * min(int(level), 1) { // that fewer come in is seen when more come
				coming.Go(func() {
					for ctx.Err() == nil {
						if c, err := h.client.Dial(ctx, ""); err == nil {
							c.Close()
						}
					}
				})
			}
			defer stop()
			var told api.SpreadFrame
			for told.SpreadMS == 0 {
				f, err := s.Receive(ctx)
				if err != nil {
					break
				}
				told, _ = f.(api.SpreadFrame)
			}
			if got := told.SpreadMS > 0; got != (level > 0) || got && (told.Home != m.owner.Home() || told.SpreadMS < 2*welcome.SpreadMS) {
				t.Errorf("welcomed with %d ms, told %+v", welcome.SpreadMS, told)
			}
		})
	}
}
