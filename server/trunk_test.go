package server_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

// spied is a bus that counts what it carries of live streams, and may mix it up.
type spied struct {
	bus.Bus
	fragments atomic.Int64
	change    atomic.Pointer[func(of sealed.Stream, m bus.Live) (sealed.Stream, bus.Live)]
}

func (b *spied) Send(ctx context.Context, of sealed.Stream, m bus.Live) error {
	if m.Kind == bus.Fragment {
		b.fragments.Add(1)
	}
	if change := b.change.Load(); change != nil {
		of, m = (*change)(of, m)
	}
	return b.Bus.Send(ctx, of, m)
}

// wantEvery is longer than a server waits until it calls again for what is watched there.
const wantEvery = 1100 * time.Millisecond

// district is two servers on one bus; the agents are connected to the first.
type district struct {
	*house
	bus   *spied
	other *api.Client
}

func openDistrict(t *testing.T) *district {
	b := &spied{Bus: bus.NewLocal()}
	h := openHouse(t, func(c *server.Config) { c.Bus = b })
	return &district{h, b, must(api.NewClient(h.beside(t, b, h.archive.Archive()), nil))}
}

// far is a seat of the owner's at the other server.
func (d *district) far(s *studio) *seat {
	device, key := s.owner.Device()
	page := must(d.other.SignIn(within(s.t), s.owner.Home(), device, key, s.owner.Title().Head()))
	return s.seat(page, key)
}

// TestLiveAtAnotherServer: who watches at one server what is brought to another sees the
// kept group and all that follows; for all who watch there it goes over the bus once, and
// when nobody watches nothing does.
func TestLiveAtAnotherServer(t *testing.T) {
	t.Parallel()
	d := openDistrict(t)
	s := d.found(t).studio()
	one := d.far(s)
	s.wanted(true) // though nobody watches at the agent's server
	one.knock()
	s.answer()
	one.wants("granted")
	s.bring()
	s.film("A", "b")
	one.wants("A", "b")
	two, near := d.far(s), s.owners()
	for _, v := range []*seat{two, near} {
		v.knock()
		s.answer()
		v.wants("granted", "A", "b")
	}
	s.film("c", "D")
	for _, v := range []*seat{one, two, near} {
		v.wants("c", "D")
	}
	time.Sleep(2 * wantEvery) // they call again meanwhile
	if n := d.bus.fragments.Load(); n != 4 {
		t.Errorf("the bus has carried %d fragments, want each of the four once", n)
	}
	one.socket.Close()
	two.socket.Close()
	eventually(t, "nobody is fed", func() bool { return d.metric(t, "latchkey_live_viewers") == 1 })
	s.film("e")
	near.wants("e")
	if n := d.bus.fragments.Load(); n != 4 {
		t.Errorf("the bus has carried %d fragments, though nobody watches there", n-4)
	}
	near.socket.Close()
	s.wanted(false)
}

// TestLiveAwayFromAnotherServer: that nobody brings it is said there, too, and that it
// comes again.
func TestLiveAwayFromAnotherServer(t *testing.T) {
	t.Parallel()
	d := openDistrict(t)
	m := d.found(t)
	v := d.far(&studio{home: m})
	v.knock()
	v.wants(api.LiveAway)
	s := m.studio()
	v.s = s
	s.wanted(true)
	v.knock()
	s.answer()
	v.wants("granted")
	s.bring()
	s.film("A")
	v.wants("A")
	s.inlet.Close()
	v.wants(api.LiveAway)
	s.bring()
	s.film("B")
	v.wants("B")
}

// TestLiveBroughtElsewhere: the agent's connections may lead to different servers.
func TestLiveBroughtElsewhere(t *testing.T) {
	t.Parallel()
	d := openDistrict(t)
	s := d.found(t).studio()
	near := s.owners()
	s.wanted(true)
	near.knock()
	s.answer()
	near.wants("granted")
	elsewhere := d.other.Agent(s.owner.Home(), s.agent.Keys.Agent, s.agent.Keys.Signing)
	eventually(t, "the other server takes it", func() bool {
		in, err := elsewhere.Inlet(within(t), s.owner.Title().Head(), s.main())
		s.inlet = in
		return err == nil
	})
	t.Cleanup(func() { s.inlet.Close() })
	s.film("A", "b")
	near.wants("A", "b")
}

// TestLiveBroughtWhereItIsWatched: and is watched first at the one that it is brought to.
func TestLiveBroughtWhereItIsWatched(t *testing.T) {
	t.Parallel()
	d := openDistrict(t)
	s := d.found(t).studio()
	far := d.far(s)
	s.wanted(true)
	s.upload = d.other.Agent(s.owner.Home(), s.agent.Keys.Agent, s.agent.Keys.Signing)
	s.bring()
	s.film("A", "b")
	near := s.owners()
	for _, v := range []*seat{far, near} {
		v.knock()
		s.answer()
		v.wants("granted", "A", "b")
	}
}

// TestLiveIsCutAtOtherServers: a removal at one server ends what is watched at another.
func TestLiveIsCutAtOtherServers(t *testing.T) {
	t.Parallel()
	d := openDistrict(t)
	m := d.settle(t)
	s := m.studio()
	stays := d.far(s)
	k := m.people[resident].Keys
	page := must(d.other.SignIn(within(t), m.owner.Home(), k.Device, k.DeviceSigning, m.owner.Title().Head()))
	goes := s.seat(page, k.DeviceSigning)
	s.wanted(true)
	for _, v := range []*seat{stays, goes} {
		v.knock()
		s.answer()
		v.wants("granted")
	}
	s.bring()
	s.film("A")
	stays.wants("A")
	goes.wants("A")
	before := m.owner.Title().Head()
	m.owner.Dismiss(m.people[resident])
	must(m.member.Append(t.Context(), before, m.owner.Title().Deeds(before.Seq+1)...))
	goes.wantCut("a removal at the other server")
	s.film("b")
	stays.wants("b")
}

// TestLiveIsNotCrossedOnTheBus: what the bus brings to the wrong place is not shown, and
// is an alarm.
func TestLiveIsNotCrossedOnTheBus(t *testing.T) {
	t.Parallel()
	d := openDistrict(t)
	s, other := d.found(t).studio(), d.found(t).studio()
	var seats []*seat
	for _, one := range []*studio{s, other} {
		v := d.far(one)
		one.wanted(true)
		v.knock()
		one.answer()
		v.wants("granted")
		one.bring()
		one.film("A")
		v.wants("A")
		seats = append(seats, v)
	}
	ours, theirs := s.main(), other.main()
	film := func() { other.film("Theirs") }
	alarms := 0
	for _, c := range []struct {
		what   string
		kind   bus.LiveKind
		change func(m *bus.Live) (under sealed.Stream)
		do     func()
		asked  sealed.Stream
		heard  int // by so many servers
	}{
		{"a fragment's subject", bus.Fragment, func(*bus.Live) sealed.Stream { return ours }, film, ours, 1},
		{"a fragment's subject and name", bus.Fragment, func(m *bus.Live) sealed.Stream { m.Stream = ours; return ours }, film, ours, 1},
		{"another archive's fragment", bus.Fragment, func(m *bus.Live) sealed.Stream { m.Archive[0]++; return theirs }, film, theirs, 1},
		{"a knock's subject", bus.Knock, func(*bus.Live) sealed.Stream { return ours }, seats[1].knock, ours, 2},
		{"a knock's subject and name", bus.Knock, func(m *bus.Live) sealed.Stream { m.Stream = ours; return ours }, seats[1].knock, ours, 1},
		{"a grant's subject and name", bus.Grant, func(m *bus.Live) sealed.Stream { m.Stream = ours; return ours }, func() { seats[1].knock(); other.answer() }, ours, 1},
	} {
		d.bus.change.Store(new(func(of sealed.Stream, m bus.Live) (sealed.Stream, bus.Live) {
			if of == theirs && m.Kind == c.kind {
				return c.change(&m), m
			}
			return of, m
		}))
		c.do()
		alarms += c.heard
		eventually(t, c.what+" is an alarm", func() bool { return len(d.logs.lines(t, "misroute")) >= alarms })
		line := d.logs.lines(t, "misroute")[alarms-1]
		if line["where"] != "live-bus" || line["asked"] != c.asked.String() || line["found"] != theirs.String() {
			t.Errorf("%s: the log says %v", c.what, line)
		}
		s.film("b")
		seats[0].wants("b")
	}
	for kind, says := range map[bus.LiveKind]string{bus.Knock: "the bus brings what is no knock", bus.Grant: "the bus brings what is not taken"} {
		d.bus.change.Store(new(func(of sealed.Stream, m bus.Live) (sealed.Stream, bus.Live) {
			if m.Kind == kind {
				m.Bytes = m.Bytes[:10]
			}
			return of, m
		}))
		before := len(d.logs.lines(t, says))
		if seats[1].knock(); kind == bus.Grant {
			other.answer()
		}
		eventually(t, says, func() bool { return len(d.logs.lines(t, says)) > before })
	}
	if n := len(d.logs.lines(t, "misroute")); n != alarms {
		t.Errorf("%d alarms, want %d", n, alarms)
	}
}
