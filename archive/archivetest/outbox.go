package archivetest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// outbox wants a row for each change that took place, and none for one that did not.
func outbox(t *testing.T, s Subject) {
	last, err := s.Outbox.LastMove(t.Context())
	if last != 0 || err != nil {
		t.Errorf("the last number of an empty outbox: %d, %v", last, err)
	}
	one, two := found(t, s, 1), found(t, s, 2)
	onto := one.head
	must(t, s.Homes.Append(t.Context(), onto, one.grow("three", "four")))
	first := one.head
	want(t, "append onto a head that moved", s.Homes.Append(t.Context(), onto, one.grow("five")), archive.ErrConflict)
	one.head = first
	onto = two.head
	must(t, s.Homes.Append(t.Context(), onto, two.grow("three")))
	n := archive.Session{Home: one.home, ID: latchkey.NewSessionID(), Secret: secret("s"), Keys: []api.MACKey{{1}}, Started: Now, Expires: Now + 5}
	must(t, s.Sessions.StartSession(t.Context(), n))
	must(t, s.Sessions.EndSession(t.Context(), two.home, n.ID))
	must(t, s.Sessions.EndSession(t.Context(), one.home, n.ID))
	must(t, s.Sessions.EndSession(t.Context(), one.home, n.ID))
	for i := range byte(archive.MaxDeviceSessions + 1) { // the first ends with the last
		many := n
		many.ID, many.Secret, many.Seen = latchkey.SessionID{i + 1}, archive.Secret{i + 1}, Now+latchkey.Time(i)
		must(t, s.Sessions.StartSession(t.Context(), many))
	}
	must(t, s.Receipts.Sweep(t.Context(), Now, 0))
	wanted := []archive.Move{
		{Number: 1, Home: one.home, Head: first},
		{Number: 2, Home: two.home, Head: two.head},
		{Number: 3, Home: one.home, Head: first, Ended: n.ID},
		{Number: 4, Home: one.home, Head: first, Ended: latchkey.SessionID{1}},
	}
	for above := range uint64(5) {
		for _, max := range []int{1, 2, 100} {
			all, err := s.Outbox.Moves(t.Context(), above, max)
			if diff := cmp.Diff(wanted[above:min(int(above)+max, 4)], all, cmp.Transformer("none", func(m []archive.Move) []archive.Move {
				return append([]archive.Move{}, m...)
			})); diff != "" || err != nil {
				t.Errorf("%d rows above %d: %v (-want +got):\n%s", max, above, err, diff)
			}
		}
	}
	for of, want := range map[*chain][2]uint64{one: {4, archive.MaxDeviceSessions + 2}, two: {2, 0}, found(t, s, 3): {0, 0}} {
		if h, err := s.Homes.Head(t.Context(), of.home); h.Moved != want[0] || h.SignIns != want[1] || err != nil {
			t.Errorf("home %s moved last with number %d after %d sign-ins, %v; want %d", of.home, h.Moved, h.SignIns, err, want)
		}
	}
	if last, err := s.Outbox.LastMove(t.Context()); last != 4 || err != nil {
		t.Errorf("the last number: %d, %v", last, err)
	}
}

// outboxOrder has several homes grow at once and reads along: whoever has read up to a
// number has missed none below it.
func outboxOrder(t *testing.T, s Subject) {
	const homes, each = 4, 25
	var writers sync.WaitGroup
	for i := range homes {
		c := found(t, s, byte(i+1))
		writers.Go(func() {
			for n := range each {
				onto := c.head
				if err := s.Homes.Append(t.Context(), onto, c.grow(fmt.Sprint("deed ", n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	heads := map[latchkey.HomeID]uint64{}
	for read := uint64(0); read < homes*each && !t.Failed(); {
		moves, err := s.Outbox.Moves(t.Context(), read, 7)
		must(t, err)
		for _, m := range moves {
			before, seen := heads[m.Home]
			if m.Number != read+1 || seen && m.Head.Seq != before+1 {
				t.Errorf("after number %d comes %d; home %s went from deed %d to %d", read, m.Number, m.Home, before, m.Head.Seq)
			}
			read, heads[m.Home] = m.Number, m.Head.Seq
		}
	}
	writers.Wait()
	if moves, err := s.Outbox.Moves(t.Context(), homes*each, 7); len(moves) != 0 || err != nil {
		t.Errorf("at the end there are %v, %v", moves, err)
	}
}
