package relay_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/relay"
	"github.com/latchkey-cam/latchkey/sealed"
)

const moment = latchkey.Time(1740840000000000)

// studio is a home with a camera, the agent's end of its stream.
type studio struct {
	t      *testing.T
	owner  *keytest.Owner
	agent  *keytest.Agent
	of     sealed.Stream
	porter *live.Porter
	now    latchkey.Time
}

func newStudio(t *testing.T) *studio {
	s := &studio{t: t, owner: keytest.NewOwner(), now: moment}
	s.owner.Found()
	s.agent = s.owner.PlaceAgent()
	s.of = sealed.Stream{Home: s.owner.Home(), Camera: s.owner.PlaceCamera(s.agent), Kind: sealed.MainStream}
	s.porter = live.NewPorter(s.agent.Keys, 1)
	return s
}

func (s *studio) at() live.Now { return live.Now{Clock: s.now, Sure: true, Monotonic: uint64(s.now)} }

func (s *studio) start() *live.Run {
	s.t.Helper()
	r, err := live.Start(s.agent.Keys, s.of, live.Init{Type: "video/mp4", Segment: []byte("moov")}, s.at())
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// seat is a member's device on one side and what the relay gives it on the other.
type seat struct {
	s      *studio
	viewer *live.Viewer
	out    *relay.Viewer
}

func (s *studio) seat(r *relay.Relay) seat {
	s.t.Helper()
	_, device := s.owner.Device()
	out, err := r.Watch(s.t.Context(), relay.Who{}, s.of)
	if err != nil {
		s.t.Fatal(err)
	}
	return seat{s, live.NewViewer(device, s.of), out}
}

// knock has the viewer knock, and the agent grant them the run, by that relay.
func (t seat) knock(r *relay.Relay, run *live.Run) {
	t.s.t.Helper()
	k, err := t.viewer.Knock(t.s.owner.Title(), t.s.now)
	if err != nil {
		t.s.t.Fatal(err)
	}
	if _, err := t.out.Knock(k); err != nil {
		t.s.t.Fatal(err)
	}
	visitor, err := t.s.porter.Open(k, t.s.owner.Title(), t.s.at())
	if err != nil {
		t.s.t.Fatal(err)
	}
	g, err := visitor.Grant(run, t.s.owner.Title(), t.s.at())
	if err != nil {
		t.s.t.Fatal(err)
	}
	if err := r.Grant(t.s.of.Home, t.s.agent.Keys.Agent, g); err != nil {
		t.s.t.Fatal(err)
	}
}

// take has the viewer take what the relay gives next, and says what they make of it.
func (t seat) take() string {
	t.s.t.Helper()
	b, err := t.out.Next()
	if err != nil {
		return err.Error()
	}
	step, err := t.viewer.Take(b, t.s.owner.Title(), t.s.now)
	switch {
	case err != nil:
		return err.Error()
	case step.Granted:
		return "granted"
	case step.Missing > 0:
		return fmt.Sprintf("%d missing, %s", step.Missing, step.Media)
	}
	return string(step.Media)
}

func (t seat) wants(all ...string) {
	t.s.t.Helper()
	for _, want := range all {
		if got := t.take(); got != want {
			t.s.t.Errorf("the viewer has %q, want %q", got, want)
		}
	}
}

// film seals pictures of a run; those in capitals are key frames.
func (s *studio) film(r *live.Run, in *relay.Inlet, pictures ...string) {
	s.t.Helper()
	for _, p := range pictures {
		f, err := r.Seal([]byte(p), p[0] < 'a', uint64(s.now))
		if err != nil {
			s.t.Fatal(err)
		}
		if err := in.Take(f); err != nil {
			s.t.Fatal(err)
		}
		s.now += 1000
	}
}

// TestWholeWay: what an agent seals is opened by those who knocked, through a relay that
// has no key, and goes on from one run to the next without a hole.
func TestWholeWay(t *testing.T) {
	b, s := open(t, relay.Config{}), newStudio(t)
	early := s.seat(b.Relay)
	in := b.inlet(s.of)
	one := s.start()
	early.knock(b.Relay, one)
	s.film(one, in, "A", "b", "c")
	early.wants("granted", "A", "b", "c")
	s.film(one, in, "D", "e")
	late := s.seat(b.Relay)
	late.knock(b.Relay, one)
	late.wants("granted", "D", "e")

	two := s.start()
	s.film(two, in, "F")
	one.End(uint64(s.now))
	s.film(one, in, "f")
	early.wants("D", "e", "f")
	late.wants("f")
	late.knock(b.Relay, two)
	s.film(two, in, "g")
	s.film(one, in, "g")
	late.wants("granted", "F", "g")
	early.wants("g")
	if a := b.raised(); len(a) != 0 {
		t.Errorf("alarms %v", a)
	}
}

// between is a bus between the relays of one process: each gives the others a feed. It
// remembers what went over it.
type between struct {
	relays []*relay.Relay
	self   int // whose it is

	mu      sync.Mutex // protects what follows
	carried int
	feeds   int
}

func (b *between) Subscribe(of sealed.Stream, in *relay.Inlet) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	for i, other := range b.relays {
		if i == b.self {
			continue
		}
		done.Go(func() { b.carry(ctx, other, of, in) })
	}
	return func() { cancel(); done.Wait() }
}

func (b *between) carry(ctx context.Context, from *relay.Relay, of sealed.Stream, in *relay.Inlet) {
	v, err := from.Feed(ctx, of)
	if err != nil {
		return
	}
	defer v.Close()
	b.count(0, 1)
	defer b.count(0, -1)
	for {
		p, err := v.Next()
		switch {
		case errors.Is(err, relay.ErrAway):
			in.Away()
		case err != nil:
			return
		case in.Take(p) != nil:
			return
		default:
			b.count(1, 0)
		}
	}
}

func (b *between) count(carried, feeds int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.carried, b.feeds = b.carried+carried, b.feeds+feeds
}

// joined returns so many relays with buses between them.
func joined(t *testing.T, n int) (all []*trial, buses []*between) {
	for i := range n {
		buses = append(buses, &between{self: i})
		all = append(all, open(t, relay.Config{Bus: buses[i]}))
	}
	for i := range n {
		for _, b := range all {
			buses[i].relays = append(buses[i].relays, b.Relay)
		}
	}
	return all, buses
}

// TestBetweenRelays: who watches at one server what comes in at another has the group
// that is kept there, and then all of it; each relay asks for itself, and nothing goes
// over the bus twice or back.
func TestBetweenRelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, buses := joined(t, 3)
		s := newStudio(t)
		home := all[0] // where the agent is
		near := s.seat(home.Relay)
		in := home.inlet(s.of)
		run := s.start()
		near.knock(home.Relay, run)
		s.film(run, in, "A", "b")
		near.wants("granted", "A", "b")

		far := s.seat(all[1].Relay)
		further := s.seat(all[2].Relay)
		far.knock(all[1].Relay, run)
		further.knock(all[2].Relay, run)
		synctest.Wait()
		far.wants("granted", "A", "b")
		s.film(run, in, "c", "D", "e")
		synctest.Wait()
		for _, v := range []seat{near, far} {
			v.wants("c", "D", "e")
		}
		further.wants("granted", "D", "e")
		if got := []int{buses[0].carried, buses[1].carried, buses[2].carried}; got[0] != 0 || got[1] != 5 || got[2] != 5 {
			t.Errorf("the buses have carried %v fragments, want 0, 5 and 5", got)
		}

		in.Close()
		for _, v := range []seat{near, far, further} {
			v.wants(relay.ErrAway.Error())
		}
		synctest.Wait()

		near.out.Close()
		far.out.Close()
		further.out.Close()
		time.Sleep(time.Minute)
		for i, b := range all {
			if l := b.Load(); l != (relay.Load{}) || buses[i].feeds != 0 {
				t.Errorf("at %d there is %+v and %d feeds left", i, l, buses[i].feeds)
			}
			for j, d := range b.told() {
				if d.wanted != (j%2 == 0) || d.of != s.of {
					t.Errorf("at %d demand %d is %+v", i, j, d)
				}
			}
			if n := len(b.told()); n != 2 {
				t.Errorf("at %d demand has changed %d times, want twice", i, n)
			}
		}
	})
}

// TestBusMixesUp: what comes over the bus is compared too.
func TestBusMixesUp(t *testing.T) {
	bus := crossed{make(chan *relay.Inlet, 1)}
	b := open(t, relay.Config{Bus: bus})
	v := b.watch(hall)
	in := <-bus.in
	b.letIn(v, hall, 1, runOf(1), 1)
	other := streamOf(2, 1, sealed.MainStream)
	if err := in.Take(fragment(other, runOf(1), 1, true, 100)); !errors.Is(err, relay.ErrMisrouted) {
		t.Errorf("it is taken with %v", err)
	}
	b.want(b.given(in, v))
	if a := b.raised(); len(a) != 1 || a[0] != (relay.Misroute{Where: relay.AtBus, Asked: hall, Found: other}) {
		t.Errorf("alarms %v", a)
	}
}

// crossed is a bus whose messages the test makes.
type crossed struct{ in chan *relay.Inlet }

func (c crossed) Subscribe(_ sealed.Stream, in *relay.Inlet) (stop func()) {
	c.in <- in
	return func() {}
}
