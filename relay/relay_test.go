package relay_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/relay"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestNewestGroupFirst: whoever comes is given the group that is kept, and what follows
// it, all once; and nothing at all before a grant.
func TestNewestGroupFirst(t *testing.T) {
	b := open(t, relay.Config{})
	early, late := b.watch(hall), b.watch(hall)
	in := b.inlet(hall)
	b.letIn(early, hall, 1, runOf(1), 1)
	b.bring(in, hall, runOf(1), 1, 2, 4)
	b.want(b.given(in, early), 1, 2)
	b.bring(in, hall, runOf(1), 3, 8, 4)
	b.want(b.given(in, early), span(3, 8)...)
	b.want(b.given(in, late))
	b.letIn(late, hall, 2, runOf(1), 5)
	b.want(b.given(in, late), span(5, 8)...)
	b.bring(in, hall, runOf(1), 9, 10, 4)
	b.want(b.given(in, early), 9, 10)
	b.want(b.given(in, late), 9, 10)
	if a := b.raised(); len(a) != 0 {
		t.Errorf("alarms %v", a)
	}
}

// TestFromTheGrant: a group that began before the grant's is not given, and one of
// another run is not either.
func TestFromTheGrant(t *testing.T) {
	b := open(t, relay.Config{})
	v := b.watch(hall)
	in := b.inlet(hall)
	b.bring(in, hall, runOf(1), 1, 6, 4)
	b.letIn(v, hall, 1, runOf(1), 9)
	b.want(b.given(in, v))
	b.bring(in, hall, runOf(1), 7, 10, 4)
	b.want(b.given(in, v), 9, 10)
	b.letIn(v, hall, 2, runOf(2), 1)
	b.bring(in, hall, runOf(1), 11, 11, 4)
	b.want(b.given(in, v), 11) // what was watched goes on
	b.bring(in, hall, runOf(2), 1, 2, 4)
	b.bring(in, hall, runOf(1), 12, 12, 4)
	b.want(b.given(in, v), 1, 2) // until the next can begin
}

// TestGrantOfTheSameRun: whoever knocks once more while the run goes on stays where they
// are in it.
func TestGrantOfTheSameRun(t *testing.T) {
	b := open(t, relay.Config{})
	v := b.watch(hall)
	in := b.inlet(hall)
	b.letIn(v, hall, 1, runOf(1), 1)
	b.bring(in, hall, runOf(1), 1, 6, 4)
	b.want(b.given(in, v), 5, 6)
	b.letIn(v, hall, 2, runOf(1), 5)
	b.bring(in, hall, runOf(1), 7, 11, 4)
	b.letIn(v, hall, 3, runOf(1), 9)
	b.want(b.given(in, v), 9, 10, 11)
	b.letIn(v, hall, 4, runOf(1), 14) // where nobody can begin
	b.letIn(v, hall, 5, runOf(1), 13)
	b.bring(in, hall, runOf(1), 12, 18, 4)
	b.want(b.given(in, v), 17, 18)
}

// TestSlowViewer: one who is a moment behind misses nothing, one who is further behind
// goes on with the newest group.
func TestSlowViewer(t *testing.T) {
	b := open(t, relay.Config{})
	v := b.watch(hall)
	in := b.inlet(hall)
	b.letIn(v, hall, 1, runOf(1), 1)
	b.bring(in, hall, runOf(1), 1, 50, 40) // 41 begins a group
	b.want(b.given(in, v), span(41, 50)...)
	b.bring(in, hall, runOf(1), 51, 90, 40) // 81 does
	b.want(b.given(in, v), span(51, 90)...)
}

// TestGroupTooLong: of a group above the limits nothing is kept for who comes; who
// watches misses nothing.
func TestGroupTooLong(t *testing.T) {
	for name, c := range map[string]struct {
		size  int
		count uint32
	}{"fragments": {100, sealed.MaxGroupFragments + 1}, "bytes": {1 << 20, 17}} {
		t.Run(name, func(t *testing.T) {
			b := open(t, relay.Config{})
			v, late := b.watch(hall), b.watch(hall)
			in := b.inlet(hall)
			b.letIn(v, hall, 1, runOf(1), 1)
			b.letIn(late, hall, 2, runOf(1), 1)
			for i := range c.count {
				b.must(in.Take(fragment(hall, runOf(1), i+1, i == 0, c.size)))
				b.want(b.given(in, v), i+1)
			}
			if kept := b.Load().Bytes; kept > 3<<20+200 {
				t.Errorf("%d bytes are kept of it", kept)
			}
			b.want(b.given(in, late))
			b.must(in.Take(fragment(hall, runOf(1), c.count+1, true, c.size)))
			b.want(b.given(in, late), c.count+1)
			b.want(b.given(in, v), c.count+1)
		})
	}
}

// TestMissingFragments: what comes twice, late, or after a hole in its group goes to
// nobody.
func TestMissingFragments(t *testing.T) {
	b := open(t, relay.Config{})
	v := b.watch(hall)
	in := b.inlet(hall)
	b.letIn(v, hall, 1, runOf(1), 1)
	var got []uint32
	for _, n := range []uint32{2, 1, 1, 2, 4, 3, 5, 2, 6, 8, 9} { // 1, 5 and 9 begin groups
		b.must(in.Take(fragment(hall, runOf(1), n, n%4 == 1, 100)))
		got = append(got, b.given(in, v)...)
	}
	b.want(got, 5, 6, 9)
}

// TestHolesAreNotKept: what follows a hole in a group takes no memory.
func TestHolesAreNotKept(t *testing.T) {
	b := open(t, relay.Config{})
	b.watch(hall)
	in := b.inlet(hall)
	b.bring(in, hall, runOf(1), 1, 2, 8)
	before := b.Load().Bytes
	b.bring(in, hall, runOf(1), 4, 6, 8)
	if now := b.Load().Bytes; now != before {
		t.Errorf("%d bytes are kept behind a hole", now-before)
	}
}

// TestFormerRunIsKeptForAGroup: who is a moment behind when the run changes is given the
// rest of the former one, until a group of the next has passed.
func TestFormerRunIsKeptForAGroup(t *testing.T) {
	b := open(t, relay.Config{})
	slow, slower := b.watch(hall), b.watch(hall)
	in := b.inlet(hall)
	b.letIn(slow, hall, 1, runOf(1), 1)
	b.letIn(slower, hall, 2, runOf(1), 1)
	b.bring(in, hall, runOf(1), 1, 2, 4)
	b.bring(in, hall, runOf(2), 1, 4, 4)
	b.want(b.given(in, slow), 1, 2)
	b.bring(in, hall, runOf(2), 5, 5, 4)
	b.want(b.given(in, slower))
}

// TestFeedOfTwoRuns: a feed is given what comes of both runs, each fragment once.
func TestFeedOfTwoRuns(t *testing.T) {
	b := open(t, relay.Config{})
	feed, err := b.Feed(t.Context(), hall)
	b.must(err)
	defer feed.Close()
	in := b.inlet(hall)
	b.bring(in, hall, runOf(1), 1, 3, 4)
	b.want(b.given(in, feed), 1, 2, 3)
	b.bring(in, hall, runOf(2), 1, 2, 4)
	b.want(b.given(in, feed), 1, 2)
	b.bring(in, hall, runOf(1), 4, 4, 4)
	b.want(b.given(in, feed), 4)
	b.bring(in, hall, runOf(2), 3, 3, 4)
	b.want(b.given(in, feed), 3)
	b.bring(in, hall, runOf(2), 4, 5, 4)
	b.bring(in, hall, runOf(1), 5, 6, 4)
	b.want(b.given(in, feed), 5, 6, 4, 5) // of the older first
}

// TestBelongsElsewhere: what is of another home, camera or stream than the inlet's is
// named in the error and the alarm, and goes nowhere.
func TestBelongsElsewhere(t *testing.T) {
	for name, other := range map[string]sealed.Stream{
		"home": streamOf(2, 1, sealed.MainStream), "camera": streamOf(1, 2, sealed.MainStream), "stream": streamOf(1, 1, sealed.SubStream),
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, relay.Config{})
			v, theirs := b.watch(hall), b.watch(other)
			in, ownIn := b.inlet(hall), b.inlet(other)
			b.letIn(v, hall, 1, runOf(1), 1)
			b.letIn(theirs, other, 2, runOf(1), 1)
			b.bring(in, hall, runOf(1), 1, 1, 4)
			wrong := fragment(other, runOf(1), 2, true, 100)
			if err := in.Take(wrong); !errors.Is(err, relay.ErrMisrouted) || !bytes.Contains([]byte(err.Error()), []byte("wrong-"+name)) {
				t.Errorf("it is taken with %v", err)
			}
			if got, want := b.raised(), []relay.Misroute{{Where: relay.AtInlet, Asked: hall, Found: other}}; !slices.Equal(got, want) {
				t.Errorf("alarms %v, want %v", got, want)
			}
			b.want(b.given(in, v), 1)
			b.want(b.given(ownIn, theirs))
		})
	}
}

// TestBadBytes: what is none of the messages is refused for that, and is nobody's misroute.
func TestBadBytes(t *testing.T) {
	b := open(t, relay.Config{})
	v := b.watch(hall)
	in := b.inlet(hall)
	for what, err := range map[string]error{
		"fragment": in.Take([]byte("not a fragment")),
		"knock":    func() error { _, err := v.Knock([]byte("not a knock")); return err }(),
		"grant":    b.Grant(hall.Home, agent, []byte("not a grant")),
	} {
		if reason := sealed.ReasonOf(err); reason == "" || errors.Is(err, relay.ErrMisrouted) || errors.Is(err, relay.ErrGone) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if raised := b.raised(); raised != nil {
		t.Errorf("alarms: %v", raised)
	}
}

// TestGrantsFindTheirKnock: a grant goes to the viewer whose knock it answers and to
// nobody else, once.
func TestGrantsFindTheirKnock(t *testing.T) {
	b := open(t, relay.Config{})
	kitchen := streamOf(1, 2, sealed.MainStream)
	one, two, three := b.watch(hall), b.watch(hall), b.watch(kitchen)
	in, other := b.inlet(hall), b.inlet(kitchen)
	k := knock(hall, agent, 1)
	for v, n := range map[*relay.Viewer]uint64{one: 1, two: 2} {
		_, err := v.Knock(knock(hall, agent, n))
		b.must(err)
	}
	if _, err := two.Knock(k); sealed.ReasonOf(err) != sealed.Replayed {
		t.Errorf("another's knock is taken with %v", err)
	}
	if _, err := three.Knock(knock(hall, agent, 3)); !errors.Is(err, relay.ErrMisrouted) {
		t.Errorf("a knock at another camera is taken with %v", err)
	}
	elsewhere := streamOf(2, 1, sealed.MainStream)
	for name, g := range map[string]struct {
		of    sealed.Stream
		agent latchkey.AgentID
		from  latchkey.AgentID
	}{
		"from another agent":            {hall, agent, latchkey.AgentID{2}},
		"another agent's":               {hall, latchkey.AgentID{2}, agent},
		"of an agent who was not asked": {hall, latchkey.AgentID{2}, latchkey.AgentID{2}},
		"of another camera":             {kitchen, agent, agent},
		"of another home":               {elsewhere, agent, agent},
	} {
		if err := b.Grant(hall.Home, g.from, grant(g.of, g.agent, k, runOf(1), 1)); !errors.Is(err, relay.ErrMisrouted) {
			t.Errorf("a grant %s is taken with %v", name, err)
		}
	}
	g := grant(hall, agent, k, runOf(1), 1)
	if err := b.Grant(elsewhere.Home, agent, g); !errors.Is(err, relay.ErrMisrouted) {
		t.Errorf("a grant from another home's agent is taken with %v", err)
	}
	if got := len(b.raised()); got != 7 {
		t.Errorf("%d alarms, want 7", got)
	}
	b.must(b.Grant(hall.Home, agent, g))
	if err := b.Grant(hall.Home, agent, g); !errors.Is(err, relay.ErrGone) {
		t.Errorf("the second time it is taken with %v", err)
	}
	if got, err := one.Next(); err != nil || !bytes.Equal(got, g) {
		t.Errorf("the one who knocked is given %d bytes, %v", len(got), err)
	}
	b.bring(in, hall, runOf(1), 1, 2, 4)
	b.want(b.given(in, one), 1, 2)
	b.want(b.given(in, two))
	b.want(b.given(other, three))
}

// TestRefusalTakesNothingBack: who is refused another run goes on with the one that was
// granted, though it has not begun.
func TestRefusalTakesNothingBack(t *testing.T) {
	b := open(t, relay.Config{})
	v := b.watch(hall)
	in := b.inlet(hall)
	b.letIn(v, hall, 1, runOf(1), 1)
	b.letIn(v, hall, 2, latchkey.RunID{}, 0)
	b.bring(in, hall, runOf(1), 1, 2, 4)
	b.want(b.given(in, v), 1, 2)
}

// TestNewestKnockCounts: the grant for an older knock, or for one of somebody who has
// gone, reaches nobody; a grant that refuses is passed on, and nothing else is.
func TestNewestKnockCounts(t *testing.T) {
	b := open(t, relay.Config{})
	v := b.watch(hall)
	in := b.inlet(hall)
	old, fresh, gone := knock(hall, agent, 1), knock(hall, agent, 2), knock(hall, agent, 3)
	for _, k := range [][]byte{old, fresh} {
		_, err := v.Knock(k)
		b.must(err)
	}
	if err := b.Grant(hall.Home, agent, grant(hall, agent, old, runOf(1), 1)); !errors.Is(err, relay.ErrGone) {
		t.Errorf("a grant for an older knock is taken with %v", err)
	}
	b.must(b.Grant(hall.Home, agent, grant(hall, agent, fresh, latchkey.RunID{}, 0)))
	if _, err := v.Next(); err != nil {
		t.Error(err)
	}
	b.bring(in, hall, runOf(1), 1, 2, 4)
	b.want(b.given(in, v))
	_, err := v.Knock(gone)
	b.must(err)
	v.Close()
	if err := b.Grant(hall.Home, agent, grant(hall, agent, gone, runOf(1), 1)); !errors.Is(err, relay.ErrGone) {
		t.Errorf("a grant for one who has gone is taken with %v", err)
	}
	if _, err := v.Knock(knock(hall, agent, 4)); !errors.Is(err, relay.ErrClosed) {
		t.Errorf("one who has gone knocks with %v", err)
	}
}

// TestNewestInlet: an agent that connects again takes the place of its older connection,
// whose end is then nobody's business.
func TestNewestInlet(t *testing.T) {
	b := open(t, relay.Config{})
	v := b.watch(hall)
	old := b.inlet(hall)
	b.letIn(v, hall, 1, runOf(1), 1)
	b.bring(old, hall, runOf(1), 1, 2, 4)
	in := b.inlet(hall)
	if err := old.Take(fragment(hall, runOf(1), 3, false, 100)); !errors.Is(err, relay.ErrReplaced) {
		t.Errorf("the older one takes it with %v", err)
	}
	old.Close()
	b.bring(in, hall, runOf(1), 3, 3, 4)
	b.want(b.given(in, v), 1, 2, 3)
	in.Close()
	if _, err := v.Next(); !errors.Is(err, relay.ErrAway) {
		t.Errorf("the viewer is told %v", err)
	}
	if err := in.Take(fragment(hall, runOf(1), 4, false, 100)); !errors.Is(err, relay.ErrReplaced) {
		t.Errorf("one that was closed takes it with %v", err)
	}
}

// TestWanted: the first viewer makes a stream wanted, and a while after the last one has
// left it is not any more; each change is told once.
func TestWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, relay.Config{Hold: 5 * time.Second})
		began := time.Now()
		watch := func() *relay.Viewer {
			v, err := b.Watch(context.Background(), relay.Who{}, hall)
			b.must(err)
			return v
		}
		if _, err := b.Inlet(hall); !errors.Is(err, relay.ErrUnwanted) {
			t.Errorf("what nobody watches comes in with %v", err)
		}
		one, two := watch(), watch()
		in := b.inlet(hall)
		b.bring(in, hall, runOf(1), 1, 1, 4)
		one.Close()
		time.Sleep(time.Minute)
		two.Close()
		two.Close()
		time.Sleep(4 * time.Second)
		three := watch() // at 64 s, within the hold
		time.Sleep(4 * time.Second)
		b.bring(in, hall, runOf(1), 2, 2, 4)
		three.Close()
		time.Sleep(6 * time.Second) // until 74 s; at 73 it ends
		if err := in.Take(fragment(hall, runOf(1), 3, false, 100)); !errors.Is(err, relay.ErrUnwanted) {
			t.Errorf("what nobody watches is taken with %v", err)
		}
		if l := b.Load(); l != (relay.Load{}) {
			t.Errorf("%+v is left", l)
		}
		watch().Close()
		synctest.Wait()
		at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
		if got, want := b.told(), []demand{{hall, true, at(0)}, {hall, false, at(73)}, {hall, true, at(74)}}; !slices.Equal(got, want) {
			t.Errorf("told %v, want %v", got, want)
		}
		time.Sleep(time.Minute)
	})
}

// TestRelayCloses: all who watch are told, and nobody is let in.
func TestRelayCloses(t *testing.T) {
	b := open(t, relay.Config{})
	v := b.watch(hall)
	in := b.inlet(hall)
	b.bring(in, hall, runOf(1), 1, 1, 4)
	b.must(b.Close())
	if _, err := v.Next(); !errors.Is(err, relay.ErrClosed) {
		t.Errorf("a viewer is told %v", err)
	}
	if _, err := b.Watch(t.Context(), relay.Who{}, hall); !errors.Is(err, relay.ErrClosed) {
		t.Errorf("one is let in with %v", err)
	}
	if err := in.Take(fragment(hall, runOf(1), 2, false, 100)); !errors.Is(err, relay.ErrUnwanted) {
		t.Errorf("a fragment is taken with %v", err)
	}
	if _, err := v.Knock(knock(hall, agent, 1)); !errors.Is(err, relay.ErrClosed) {
		t.Errorf("a knock is taken with %v", err)
	}
	if l := b.Load(); l.Streams != 0 || l.Bytes != 0 {
		t.Errorf("%+v is left", l)
	}
}
