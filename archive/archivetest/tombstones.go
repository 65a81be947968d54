package archivetest

import (
	"cmp"
	"slices"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// buries is a tombstone of the home. Archives do not look at who signed it.
func (c *chain) buries(t tombstone.Tombstone) tombstone.Tombstone {
	t.Home, t.Head, t.Signatures = c.home, c.head, [][]byte{make([]byte, 64)}
	return t
}

func (c *chain) buriesEvents(all ...latchkey.EventID) tombstone.Tombstone {
	return c.buries(tombstone.Tombstone{Scope: tombstone.Events, Events: all})
}

// knows says whether an object is found and its event listed; both must say the same.
func knows(t *testing.T, s Subject, e archive.Entry) bool {
	t.Helper()
	_, err := s.Objects.Object(t.Context(), e.Header.Name())
	p, err2 := s.Objects.Events(t.Context(), e.Header.Binding.Home, archive.Cursor{}, 100)
	must(t, err2)
	listed := false
	for _, v := range p.Events {
		for _, o := range v.Objects {
			listed = listed || o.Name == e.Header.Name()
		}
	}
	if listed != (err == nil) {
		t.Errorf("an object is listed: %t, and found: %v", listed, err)
	}
	return listed
}

// deletes: from a tombstone on its objects are not there, and what is not covered is; the
// index takes none of them; the steps afterwards remove them all, and nothing else.
func deletes(t *testing.T, s Subject) {
	one, two := found(t, s, 1), found(t, s, 2)
	event := latchkey.NewEventID()
	elsewhere := one.entry(latchkey.NewEventID(), latchkey.Clip, Now+10)
	elsewhere.Header.Binding.Camera[0]++
	gone := []archive.Entry{
		one.entry(event, latchkey.Thumbnail, Now), one.entry(event, latchkey.Clip, Now),
		one.entry(latchkey.NewEventID(), latchkey.Clip, Now+10), one.entry(latchkey.NewEventID(), latchkey.Clip, Now+19),
	}
	stays := []archive.Entry{
		one.entry(latchkey.NewEventID(), latchkey.Clip, Now+20), one.entry(latchkey.NewEventID(), latchkey.Clip, Now+9),
		two.entry(event, latchkey.Clip, Now+10), // the same in another home
		elsewhere,
	}
	for _, e := range slices.Concat(gone, stays) {
		must(t, s.Objects.Index(t.Context(), e))
	}
	span := tombstone.Tombstone{Scope: tombstone.Span, Camera: latchkey.CameraID{1}, From: Now + 10, To: Now + 20}
	all := []tombstone.Tombstone{one.buriesEvents(event), one.buries(span)}
	for range 2 {
		must(t, s.Tombstones.PutTombstones(t.Context(), one.home, all))
	}
	if s.Tombstones.PutTombstones(t.Context(), two.home, all) == nil {
		t.Error("another home's tombstone is kept")
	}
	check := func(when string) {
		t.Helper()
		for _, e := range gone {
			deleted(t, s, when, e)
		}
		for _, e := range stays {
			if is, err := s.Tombstones.Deleted(t.Context(), e.Header.Binding); is || err != nil || !knows(t, s, e) {
				t.Errorf("%s: %s is gone: %t, %v", when, e.Header.Name(), is, err)
			}
		}
	}
	check("at once")
	before, err := s.Homes.Head(t.Context(), one.home)
	if err != nil || before.Tombstones != 2 || before.Gone != 2 {
		t.Errorf("head %+v, %v", before, err)
	}
	unlist(t, s, one.home, 10, func() { check("after a step") })
	leave(t, s, gone)
	u, err := s.Objects.Usage(t.Context(), one.home)
	must(t, err)
	h, err := s.Homes.Head(t.Context(), one.home)
	if u.Objects != 3 || u.Bytes != 300 || h.Gone != 6 || h.Objects != before.Objects || err != nil {
		t.Errorf("usage %+v, head %+v, %v: the numbers of a head only rise", u, h, err)
	}
}

// deleted wants an object gone by a tombstone.
func deleted(t *testing.T, s Subject, when string, e archive.Entry) {
	t.Helper()
	if knows(t, s, e) {
		t.Errorf("%s: a deleted %s is there", when, e.Header.Name())
	}
	want(t, when+": a deleted object once more", s.Objects.Index(t.Context(), e), archive.ErrDeleted)
	if is, err := s.Tombstones.Deleted(t.Context(), e.Header.Binding); !is || err != nil {
		t.Errorf("%s: deleted: %t, %v", when, is, err)
	}
}

// leave wants the bytes of exactly these to be removed, and says that they are.
func leave(t *testing.T, s Subject, gone []archive.Entry) {
	t.Helper()
	names, err := s.Deletions.Leaving(t.Context(), 100)
	must(t, err)
	var wanted []latchkey.Name
	for _, e := range gone {
		wanted = append(wanted, e.Header.Name())
	}
	order := func(a, b latchkey.Name) int { return cmp.Compare(a.String(), b.String()) }
	slices.SortFunc(names, order)
	slices.SortFunc(wanted, order)
	if !slices.Equal(names, wanted) {
		t.Errorf("%v leave, want %v", names, wanted)
	}
	for _, n := range names {
		must(t, s.Deletions.Left(t.Context(), n))
	}
	if names, err := s.Deletions.Leaving(t.Context(), 100); len(names) > 0 || err != nil {
		t.Errorf("%v are still leaving, %v", names, err)
	}
}

// unlist takes out one object after the other of a home until there is no more to be
// done, which is after so many steps at most.
func unlist(t *testing.T, s Subject, home latchkey.HomeID, most int, each func()) {
	t.Helper()
	for steps := 0; ; steps++ {
		is, err := s.Deletions.Unlist(t.Context(), 1)
		must(t, err)
		if is == (latchkey.HomeID{}) {
			return
		}
		if is != home || steps > most {
			t.Fatalf("step %d takes out of home %s", steps, is)
		}
		each()
	}
}

// deletesHomes: a tombstone of a home covers everything, also what was made since, and
// ends its chain. What is kept of it is gone then.
func deletesHomes(t *testing.T, s Subject) {
	c := found(t, s, 1)
	old := c.entry(latchkey.NewEventID(), latchkey.Clip, Now)
	must(t, s.Objects.Index(t.Context(), old))
	all := c.buries(tombstone.Tombstone{Scope: tombstone.Home})
	before := c.head
	must(t, s.Homes.Append(t.Context(), before, c.grow("three")))
	fresh := c.entry(latchkey.NewEventID(), latchkey.Clip, Now)
	must(t, s.Objects.Index(t.Context(), fresh))
	must(t, s.Settings.PutSettings(t.Context(), [32]byte{}, archive.Document{Home: c.home, Bytes: []byte("settings")}))
	must(t, s.Tombstones.PutTombstones(t.Context(), c.home, []tombstone.Tombstone{all}))
	want(t, "tombstones of no home", s.Tombstones.PutTombstones(t.Context(), home(9), nil), archive.ErrNotFound)
	if h, err := s.Homes.Head(t.Context(), c.home); !h.Ended || err != nil {
		t.Errorf("the head of a home that was deleted: %+v, %v", h, err)
	}
	if knows(t, s, old) || knows(t, s, fresh) {
		t.Error("something of a home that was deleted is known")
	}
	want(t, "another object", s.Objects.Index(t.Context(), c.entry(latchkey.NewEventID(), latchkey.Clip, Now)), archive.ErrDeleted)
	want(t, "another deed", s.Homes.Append(t.Context(), c.head, c.grow("four")), archive.ErrConflict)
	unlist(t, s, c.home, 3, func() {})
	if u, err := s.Objects.Usage(t.Context(), c.home); u.Objects != 0 || u.Bytes != 0 || err != nil {
		t.Errorf("it has %+v, %v", u, err)
	}
	_, err := s.Settings.Settings(t.Context(), c.home)
	want(t, "its settings", err, archive.ErrNotFound)
	if all, err := s.Tombstones.TombstonesAbove(t.Context(), c.home, 0, 1<<20); len(all) != 1 || err != nil {
		t.Errorf("%d tombstones stay, %v", len(all), err)
	}
	if deeds, err := s.Homes.Deeds(t.Context(), c.home, 0, 1<<20); uint64(len(deeds)) <= c.head.Seq-1 || err != nil {
		t.Errorf("%d deeds stay, %v", len(deeds), err)
	}
}

// listsTombstones: by numbers, with digests that say what came before.
func listsTombstones(t *testing.T, s Subject) {
	c := found(t, s, 1)
	m := archive.Mark{Home: c.home}
	if is, err := s.Tombstones.Mark(t.Context(), c.home, 0); is != m || err != nil {
		t.Errorf("the mark of nothing: %v, %v", is, err)
	}
	for range 3 {
		b := c.buriesEvents(latchkey.NewEventID())
		must(t, s.Tombstones.PutTombstones(t.Context(), c.home, []tombstone.Tombstone{b}))
		m = m.Next(b.Bytes())
		if is, err := s.Tombstones.Mark(t.Context(), c.home, m.Number); is != m || err != nil {
			t.Errorf("mark %v, %v; want %v", is, err, m)
		}
	}
	_, err := s.Tombstones.Mark(t.Context(), c.home, 4)
	want(t, "beyond the end", err, archive.ErrNotFound)
	for above, n := range map[uint64]int{0: 1, 1: 1, 2: 1, 3: 0} { // as many as fit, but one
		all, err := s.Tombstones.TombstonesAbove(t.Context(), c.home, above, 1)
		if err != nil || len(all) != n || n > 0 && (all[0].Number != above+1 || all[0].Home != c.home) {
			t.Errorf("above %d: %v, %v", above, all, err)
		}
	}
	if all, err := s.Tombstones.TombstonesAbove(t.Context(), c.home, 0, 1<<20); len(all) != 3 || err != nil {
		t.Errorf("%d tombstones, %v", len(all), err)
	}
}

// expires: the oldest go first, until nothing is too old and there are no more bytes than
// are wanted; an object whose bytes are still to be removed is not taken meanwhile.
func expires(t *testing.T, s Subject) {
	c, other := found(t, s, 1), found(t, s, 2)
	var all []archive.Entry
	for i := range 5 {
		e := c.entry(latchkey.NewEventID(), latchkey.Clip, Now)
		e.Stored = Now + latchkey.Time(i)
		must(t, s.Objects.Index(t.Context(), e))
		all = append(all, e)
	}
	must(t, s.Objects.Index(t.Context(), other.entry(latchkey.NewEventID(), latchkey.Clip, Now)))
	expire := func(before latchkey.Time, bytes uint64, max, want int) {
		t.Helper()
		if n, err := s.Deletions.Expire(t.Context(), c.home, before, bytes, max); n != want || err != nil {
			t.Errorf("%d went, %v; want %d", n, err, want)
		}
	}
	expire(Now, 0, 10, 0)
	expire(Now+2, 0, 1, 1)
	expire(Now+2, 0, 10, 1)
	expire(0, 300, 10, 0)
	expire(0, 299, 10, 1)
	for i, e := range all {
		if knows(t, s, e) != (i >= 3) {
			t.Errorf("the object of time %d is there: %t", i, i < 3)
		}
	}
	want(t, "before its bytes are gone", s.Objects.Index(t.Context(), all[0]), archive.ErrConflict)
	must(t, s.Deletions.Left(t.Context(), all[0].Header.Name()))
	want(t, "afterwards", s.Objects.Index(t.Context(), all[0]), nil)
	homes, err := s.Deletions.HomesAfter(t.Context(), latchkey.HomeID{}, 10)
	if err != nil || !slices.Equal(homes, []latchkey.HomeID{c.home, other.home}) {
		t.Errorf("homes %v, %v", homes, err)
	}
	if homes, err := s.Deletions.HomesAfter(t.Context(), c.home, 1); err != nil || !slices.Equal(homes, []latchkey.HomeID{other.home}) {
		t.Errorf("homes after the first %v, %v", homes, err)
	}
}
