package uplink_test

import (
	"bytes"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// knows makes the agent know the whole chain.
func (s *stage) knows() {
	s.t.Helper()
	if _, err := s.chain.Extend(s.owner.Title().Head(), s.owner.Deeds()); err != nil {
		s.t.Fatal(err)
	}
}

// behind says that the server ends at that deed.
func (s *stage) behind(h api.Hello, seq uint64) api.Behind {
	hash, _ := s.owner.Title().HashAt(seq)
	return api.Behind{ID: h.ID, Home: h.Home, Head: api.Head{Seq: seq, Hash: hash}}
}

// TestGivesBack: a server that has lost deeds is given them, as many as fit in a message
// at a time, and then takes the agent in.
func TestGivesBack(t *testing.T) {
	s := newStage(t)
	for range 250 { // two and a half KiB each
		s.owner.StartEpoch()
	}
	s.knows()
	hellos := make(chan api.Hello, 100)
	s.welcome = func(h api.Hello) api.Frame {
		hellos <- h
		return s.behind(h, 1)
	}
	s.run()
	h := <-hellos
	var back [][]byte
	for n := 1; 2+len(back) < len(s.owner.Deeds()); n++ {
		s.until("it gives deeds back", func() bool { return len(saidOf[api.GiveBack](s)) == n })
		g := saidOf[api.GiveBack](s)[n-1]
		end := uint64(1 + len(back))
		if hash, _ := s.owner.Title().HashAt(end); g.ID != h.ID || g.Home != s.owner.Home() || g.Onto != (api.Head{Seq: end, Hash: hash}) {
			t.Fatalf("after deed %d it gives back onto %v", end, g.Onto)
		}
		if size := len(bytes.Join(g.Deeds, nil)); size > 512<<10 {
			t.Errorf("%d bytes of deeds in a message", size)
		}
		back = append(back, g.Deeds...)
		if end += uint64(len(g.Deeds)); end < s.owner.Title().Head().Seq {
			s.then <- s.behind(h, end)
		}
	}
	if !bytes.Equal(bytes.Join(back, nil), bytes.Join(s.owner.Title().Deeds(2), nil)) {
		t.Errorf("%d deeds were given back, and not those that were lost", len(back))
	}
	s.then <- s.genuine(h)
	s.until("it is connected", func() bool { return s.uplink.Status().State == uplink.Connected })
	if n := len(saidOf[api.GiveBack](s)); n != 2 {
		t.Errorf("%d messages, want 2: none was too large, or they were not filled", n)
	}
}

// TestAsksForDeedsThatAreNone: deeds are given to a server that lost them, and to no
// other.
func TestAsksForDeedsThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		lie  func(s *stage, b *api.Behind)
		want uplink.State
	}{
		"at a fork":            {func(_ *stage, b *api.Behind) { b.Head.Hash[0] ^= 1 }, uplink.OtherChain},
		"at its own end":       {func(s *stage, b *api.Behind) { b.Head = api.Head(s.owner.Title().Head()) }, uplink.OtherChain},
		"beyond the end":       {func(_ *stage, b *api.Behind) { b.Head.Seq += 99 }, uplink.OtherChain},
		"for another home":     {func(_ *stage, b *api.Behind) { b.Home[0] ^= 1 }, uplink.Waiting},
		"for another question": {func(_ *stage, b *api.Behind) { b.ID = "another" }, uplink.Waiting},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.knows()
			s.welcome = func(h api.Hello) api.Frame {
				b := s.behind(h, 1)
				c.lie(s, &b)
				return b
			}
			s.add(latchkey.Thumbnail, "x")
			s.run()
			s.until("the state says so", func() bool { return s.uplink.Status().State == c.want })
			s.until("it tries again", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.hellos > 2 })
			if n := len(saidOf[api.GiveBack](s)); n > 0 || len(s.kinds()) > 0 {
				t.Errorf("%d messages with deeds, %d uploads", n, len(s.kinds()))
			}
		})
	}
}

// TestNothingIsTakenBack: a server that asks again for what it was given does not take
// it, and the agent does not go on for ever.
func TestNothingIsTakenBack(t *testing.T) {
	s := newStage(t)
	s.knows()
	s.welcome = func(h api.Hello) api.Frame {
		s.then <- s.behind(h, 1)
		return s.behind(h, 1)
	}
	s.run()
	s.until("it hangs up and comes back", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.hellos > 2 })
}

// TestKnowsNothingToGive: an agent that has just joined is asked for deeds.
func TestKnowsNothingToGive(t *testing.T) {
	s := newStage(t)
	s.welcome = func(h api.Hello) api.Frame {
		if s.hellos > 2 {
			return s.genuine(h)
		}
		return s.behind(h, 1)
	}
	s.run()
	s.until("it goes on with an honest server", func() bool { return s.uplink.Status().State == uplink.Connected })
}

// TestLostTombstones are given back to a server that asks for them, once and for the
// question that was put, and to no other; an agent that keeps none has none to give.
func TestLostTombstones(t *testing.T) {
	for name, c := range map[string]struct {
		lie  func(*api.TombstonesLost)
		none bool
		want bool
	}{
		"as asked":             {func(*api.TombstonesLost) {}, false, true},
		"for another home":     {func(l *api.TombstonesLost) { l.Home[0] ^= 1 }, false, false},
		"for another question": {func(l *api.TombstonesLost) { l.ID = "another" }, false, false},
		"where there are none": {func(*api.TombstonesLost) {}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.knows()
			if !c.none {
				s.config.Tombstones = s.deleted()
			}
			s.welcome = func(h api.Hello) api.Frame {
				if (h.Tombstones == "") != c.none {
					t.Errorf("the hello says of tombstones %q", h.Tombstones)
				}
				lost := api.TombstonesLost{ID: h.ID, Home: h.Home}
				c.lie(&lost)
				s.then <- lost // and once more
				return lost
			}
			s.run()
			s.until("it hangs up and comes back", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.hellos > 2 })
			given := len(saidOf[api.TombstonesFrame](s))
			s.mu.Lock()
			defer s.mu.Unlock()
			if given > s.hellos || (given > 0) != c.want {
				t.Errorf("they were given %d times in %d conversations", given, s.hellos)
			}
		})
	}
}

// deleted are tombstones of which the agent has been told: one.
func (s *stage) deleted() *uplink.Tombstones {
	s.t.Helper()
	all, err := uplink.LoadTombstones(durabletest.New(), "tombstones", s.owner.Home(), s.config.Log)
	if err != nil {
		s.t.Fatal(err)
	}
	one, err := tombstone.Sign(s.owner.Keys.Signing, s.owner.Title(), s.owner.Now(), tombstone.Tombstone{Scope: tombstone.Home})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := uplink.Follow(all, api.TombstonesFrame{Home: s.owner.Home(), Tombstones: [][]byte{one.Bytes()}}, s.owner.Title()); err != nil {
		s.t.Fatal(err)
	}
	return all
}
