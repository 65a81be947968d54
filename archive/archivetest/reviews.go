package archivetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
)

func reviews(t *testing.T, s Subject) {
	one, two := found(t, s, 1), found(t, s, 2)
	events := make([]latchkey.EventID, 5)
	for i := range events {
		events[i] = latchkey.NewEventID()
		must(t, s.Objects.Index(t.Context(), one.entry(events[i], latchkey.Thumbnail, Now+latchkey.Time(i))))
	}
	ada, bob := latchkey.NewPersonID(), latchkey.NewPersonID()
	mark := func(home latchkey.HomeID, p latchkey.PersonID, through latchkey.EventID, which ...latchkey.EventID) {
		t.Helper()
		must(t, s.Reviews.Review(t.Context(), home, p, which, through))
	}
	var nothing latchkey.EventID
	mark(one.home, ada, nothing, events[1], events[3], events[3], latchkey.NewEventID())
	mark(one.home, ada, nothing, events[3])
	mark(one.home, bob, events[2])
	mark(two.home, ada, events[2], events[0]) // of which that home has none
	looked := func(what string, home latchkey.HomeID, p latchkey.PersonID, since latchkey.Time, want ...int) {
		t.Helper()
		all, err := s.Reviews.Reviewed(t.Context(), home, p, since)
		must(t, err)
		var got []int
		for i, e := range events {
			for _, m := range all {
				if m.Home != home || m.Person != p {
					t.Errorf("%s: a mark of %s in %s", what, m.Person, m.Home)
				}
				if m.Covers(archive.Cursor{Time: Now + latchkey.Time(i), Event: e}) {
					got = append(got, i)
				}
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
	looked("two of them", one.home, ada, 0, 1, 3)
	looked("the younger", one.home, ada, Now+2, 3)
	looked("all up to one", one.home, bob, Now+4, 0, 1, 2)
	looked("of another home", two.home, ada, 0)
	mark(one.home, ada, events[2])
	mark(one.home, ada, events[0]) // less than was marked before
	looked("all up to one, and one more", one.home, ada, 0, 0, 1, 2, 3)
}
