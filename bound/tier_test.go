package bound

import (
	"context"
	"testing"
	"time"
)

// shop is a store whose sources do what a test says.
type shop struct {
	now *ware
	get func(from *ware) ([]byte, error)
	set int // how many values it was given
}

type ware struct{ shop *shop }

func (s *shop) begin()                       {}
func (s *shop) close()                       {}
func (s *shop) current() source              { return s.now }
func (s *shop) await(context.Context) source { return s.now }

func (s *shop) replace(from source) bool {
	if s.now != from {
		return false
	}
	s.now = &ware{s}
	return true
}

func (w *ware) get(context.Context, name) ([]byte, error) { return w.shop.get(w) }
func (*ware) remove(context.Context, name) error          { return nil }

func (w *ware) set(context.Context, name, sealedValue) error {
	w.shop.set++
	return nil
}

// cache is one whose only tier is the shop.
func (s *shop) cache(t *testing.T, keys *Keys) *Cache {
	t.Helper()
	c, err := New(Config{Keys: keys, Tiers: []Tier{{name: "shop", open: func(setting) (store, error) { return s, nil }}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestClientPanics: a client that has panicked is thrown away, and counted as what it is.
func TestClientPanics(t *testing.T) {
	s := &shop{get: func(*ware) ([]byte, error) { return nil, errPanicked }}
	s.now = &ware{s}
	c := s.cache(t, NewKeys())
	_, v := c.look(t.Context(), flightKey{q: Question{Scope: "home/1", Key: "deeds", Codec: 1}}, time.Now())
	if st := c.Stats().Tiers[0]; v == fresh || st.Panics != 1 || st.Replaced != 1 {
		t.Errorf("%d, %+v: want one panic and another client", v, st)
	}
}

// TestTooLate: what a client says that was thrown away meanwhile is a miss, even if it is
// right: nobody knows any more what it is the reply to.
func TestTooLate(t *testing.T) {
	keys := NewKeys()
	q := Question{Scope: "home/1", Key: "deeds", Codec: 1}
	value := keys.seal(Answer{Scope: q.Scope, Key: q.Key, Codec: q.Codec, Stored: time.Now()})
	replaced := false
	s := &shop{}
	s.now = &ware{s}
	s.get = func(from *ware) ([]byte, error) {
		if replaced {
			s.replace(from)
		}
		return value, nil
	}
	c := s.cache(t, keys)
	if _, v := c.look(t.Context(), flightKey{q: q}, time.Now()); v != fresh {
		t.Fatalf("the value is %d", v)
	}
	replaced = true
	if a, v := c.look(t.Context(), flightKey{q: q}, time.Now()); v == fresh || a.Bytes != nil {
		t.Errorf("a client that was thrown away is believed: %+v, %d", a, v)
	}
	if n := c.Stats().Tiers[0].Unasked; n != 1 {
		t.Errorf("counted %d as too late, want 1", n)
	}
}

// TestNothingIsKeptInQuarantine: a tier that is not asked is given nothing either.
func TestNothingIsKeptInQuarantine(t *testing.T) {
	s := &shop{get: func(*ware) ([]byte, error) { return nil, nil }}
	s.now = &ware{s}
	c := s.cache(t, NewKeys())
	q := Question{Scope: "home/1", Key: "deeds", Codec: 1}
	keep := func() {
		c.keep(t.Context(), c.tiers[0], flightKey{q: q}, Answer{Scope: q.Scope, Key: q.Key, Codec: q.Codec, Stored: time.Now()})
	}
	keep()
	for now := time.Now(); !c.tiers[0].ward.strike(now); {
	}
	keep()
	if s.set != 1 {
		t.Errorf("it was given %d values, want the one from before its quarantine", s.set)
	}
}

// TestBudget: so many at once, then so many a second, and an exact time to come back.
func TestBudget(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b := newBudget(10, 3, now)
	for i := range 3 {
		if _, ok := b.take(now); !ok {
			t.Fatalf("the burst ends after %d", i)
		}
	}
	after, ok := b.take(now)
	if ok || after != 100*time.Millisecond {
		t.Errorf("%v, %v: want to come back in 100 ms", after, ok)
	}
	if _, ok := b.take(now.Add(after - time.Millisecond)); ok {
		t.Error("taken before it was time")
	}
	if _, ok := b.take(now.Add(after)); !ok {
		t.Error("not taken when it was time")
	}
	if _, ok := b.take(now.Add(-time.Hour)); ok {
		t.Error("a clock that goes back fills the budget")
	}
	now = now.Add(time.Hour)
	for i := range 4 {
		if _, ok := b.take(now); ok != (i < 3) {
			t.Errorf("after an hour, read %d: %v", i, ok)
		}
	}
}
