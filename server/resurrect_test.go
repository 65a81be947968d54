package server_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// eventGone is what deletes one event.
func eventGone(e latchkey.EventID) tombstone.Tombstone {
	return tombstone.Tombstone{Scope: tombstone.Events, Events: []latchkey.EventID{e}}
}

// deletes has the owner delete an event.
func (m *home) deletes(e latchkey.EventID) []byte {
	m.t.Helper()
	b := m.buried(eventGone(e))
	if err := m.member.Delete(m.t.Context(), b); err != nil {
		m.t.Fatal(err)
	}
	return b
}

// following is the hello of an agent that knows all deeds, and has followed a list of
// tombstones.
func (m *home) following(s start, list ...[]byte) api.Hello {
	var digest [32]byte
	for _, b := range list {
		digest = tombstone.Next(digest, tombstone.Hash(b))
	}
	head := m.owner.Title().Head()
	h := m.hello(s, &head)
	h.Tombstones = fmt.Sprintf("%d:%x", len(list), digest)
	return h
}

// TestTombstonesAreGivenBack: a server that has lost what was deleted since its backup is
// given that back by an agent before anybody is let in, also what somebody said who has
// left since. What is no such thing is refused, and the home stays closed.
func TestTombstonesAreGivenBack(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	before := m.owner.Title().Head()
	left := m.owner.Join(keytest.NewPerson(), keytest.AsResident)
	then := m.owner.Title()
	m.owner.Dismiss(left)
	m.append(before)
	gone, stays, more := m.stored(latchkey.Thumbnail, "goes"), m.stored(latchkey.Thumbnail, "stays"), m.stored(latchkey.Thumbnail, "goes too")
	put := h.backUp(t)
	one := m.deletes(eventOf(gone))
	two := must(tombstone.Sign(left.Keys.Signing, then, now(), eventGone(eventOf(more)))).Bytes() // taken while they lived there
	m = m.at(t, put())
	m.member = m.signIn()
	for what, c := range map[string]struct {
		frame api.Frame
		want  api.Reason
	}{
		"another message":  {api.GiveBack{ID: "hello", Home: m.owner.Home(), Deeds: m.owner.Deeds()}, api.Malformed},
		"of another home":  {api.TombstonesFrame{Home: other.owner.Home(), Tombstones: [][]byte{one}, Last: true}, api.Malformed},
		"another home's":   {api.TombstonesFrame{Home: m.owner.Home(), Tombstones: [][]byte{other.buried(eventGone(eventOf(gone)))}, Last: true}, "wrong-home"},
		"with a bad one":   {api.TombstonesFrame{Home: m.owner.Home(), Tombstones: [][]byte{one, spoilt(slices.Clone(two))}, Last: true}, "bad-signature"},
		"nothing":          {api.TombstonesFrame{Home: m.owner.Home(), Tombstones: [][]byte{}, Last: true}, api.Malformed},
		"more than may be": {api.TombstonesFrame{Home: m.owner.Home(), Tombstones: slices.Repeat([][]byte{{}}, tombstone.MaxInHome+1), Last: true}, api.Malformed},
	} {
		s, f := m.dial(m.following(start{1, 0, 1}, one, two), m.agent)
		if lost, ok := f.(api.TombstonesLost); !ok || lost.ID != "hello" || lost.Home != m.owner.Home() {
			t.Fatalf("%s: told %+v", what, f)
		}
		if err := s.Send(within(t), c.frame); err != nil {
			t.Fatal(err)
		}
		if r := receive[api.Refused](t, s); r.Reason != c.want {
			t.Errorf("%s: refused as %s, want %s", what, r.Reason, c.want)
		}
		s.Close()
		m.wantClosed(true)
	}
	s, _ := m.dial(m.following(start{1, 0, 1}, one, two), m.agent)
	for i, b := range [][]byte{one, two} {
		if err := s.Send(within(t), api.TombstonesFrame{Home: m.owner.Home(), Tombstones: [][]byte{b}, Last: i == 1}); err != nil {
			t.Fatal(err)
		}
	}
	receive[api.Welcome](t, s)
	m.wantClosed(false)
	if got := m.listed(); !slices.Equal(got, []latchkey.EventID{eventOf(stays)}) {
		t.Errorf("%v are listed, want %v", got, eventOf(stays))
	}
	if f := receive[api.TombstonesFrame](t, s); f.Above != 0 || len(f.Tombstones) != 2 {
		t.Errorf("it is told %d above %d, want this server's list from its start", len(f.Tombstones), f.Above)
	}
	_, f := m.dial(m.following(start{2, 1, 2}, two, one), m.agent)
	if _, lost := f.(api.TombstonesLost); !lost {
		t.Errorf("an agent with another list is told %+v", f)
	}
}

// meanwhile is an archive in which something happens, once, when tombstones are read that
// are not a home's first.
type meanwhile struct {
	archive.Tombstones
	do func()
}

func (a *meanwhile) TombstonesAbove(ctx context.Context, home latchkey.HomeID, above uint64, max int) ([]archive.Tombstone, error) {
	if do := a.do; do != nil && above > 1 {
		a.do = nil
		do()
	}
	return a.Tombstones.TombstonesAbove(ctx, home, above, max)
}

// TestTombstonesAreTold: an agent is told what it has not followed, in several messages if
// it is much. What is deleted meanwhile comes behind the deeds at which it was signed.
func TestTombstonesAreTold(t *testing.T) {
	a := &meanwhile{}
	h := openHouse(t, func(c *server.Config) { a.Tombstones, c.Archive.Tombstones = c.Archive.Tombstones, a })
	m := h.found(t)
	first := m.deletes(latchkey.NewEventID())
	list := [][]byte{first}
	for range 2 {
		var many [][]byte
		for range api.MaxTombstones {
			var events []latchkey.EventID
			for range tombstone.MaxEvents {
				events = append(events, latchkey.NewEventID())
			}
			many = append(many, m.buried(tombstone.Tombstone{Scope: tombstone.Events, Events: events}))
		}
		must(0, m.member.Delete(t.Context(), many...))
		list = append(list, many...)
	}
	a.do = func() {
		m.startEpoch()
		list = append(list, m.deletes(latchkey.NewEventID()))
	}
	s, f := m.dial(m.following(start{1, 0, 1}, first), m.agent)
	if _, ok := f.(api.Welcome); !ok {
		t.Fatalf("not welcomed: %+v", f)
	}
	told := uint64(1)
	next := func(last bool) {
		t.Helper()
		f := receive[api.TombstonesFrame](t, s)
		if f.Home != m.owner.Home() || f.Above != told || f.Last != last || !slices.EqualFunc(f.Tombstones, list[told:told+uint64(len(f.Tombstones))], bytes.Equal) {
			t.Fatalf("above %d it is told %d, above %d, the last: %t", told, len(f.Tombstones), f.Above, f.Last)
		}
		told += uint64(len(f.Tombstones))
	}
	next(false)
	next(true)
	if told != 1+2*api.MaxTombstones {
		t.Errorf("%d are told before the deed", told)
	}
	receive[api.DeedsFrame](t, s)
	next(true)
}

// TestCrossedTombstones: where the archive answers an agent's question for tombstones with
// another answer, the agent is not told by it.
func TestCrossedTombstones(t *testing.T) {
	var config server.Config
	h := openHouse(t, func(c *server.Config) { config = *c })
	m, other, none := h.found(t), h.found(t), h.found(t)
	one := m.deletes(latchkey.NewEventID())
	m.deletes(latchkey.NewEventID())
	other.deletes(latchkey.NewEventID())
	at := func(read string, to keys) *home {
		c := config
		c.Origin = ""
		c.Archive = misreader{Archive: config.Archive, read: read, to: to}.crossed()
		next := m.at(t, h.again(t, c))
		next.member = next.signIn()
		return next
	}
	wants := func(m *home, hello api.Hello, want api.Frame) {
		t.Helper()
		if _, f := m.dial(hello, m.agent); fmt.Sprintf("%T", f) != fmt.Sprintf("%T", want) {
			t.Errorf("it is told %+v, want %T", f, want)
		}
	}
	crossed := at("Tombstones.Mark", keys{home: other.owner.Home(), above: 1})
	wants(crossed, crossed.following(start{1, 0, 1}, one), api.Refused{})
	if n := crossed.house.metric(t, "latchkey_misroutes_total", "where=tombstone", "confirmed=true"); n != 1 {
		t.Errorf("another home's mark is %v alarms", n)
	}
	crossed = at("Tombstones.Mark", keys{home: m.owner.Home(), above: 1})
	hello := crossed.following(start{1, 0, 1}, one)
	hello.Tombstones = "2" + hello.Tombstones[1:]
	wants(crossed, hello, api.TombstonesLost{})

	behind := at("Tombstones.TombstonesAbove", keys{home: none.owner.Home()})
	s := behind.connect(start{1, 0, 1})
	before := behind.owner.Title().Head()
	behind.owner.Sign(deed.FreezeBody{})
	behind.append(before)
	receive[api.DeedsFrame](t, s)
}
