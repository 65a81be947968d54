package bound_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey/bound"
)

// crossed gives whoever asks the value of somebody else.
func crossed(s *server) func(command []string, reply []byte) []byte {
	return func(command []string, reply []byte) []byte {
		if command[0] != "GET" {
			return reply
		}
		for name, value := range s.values {
			if name != command[1] {
				return bulk(value)
			}
		}
		return reply
	}
}

// TestQuarantine: a server that goes on giving wrong values is asked no more, then once
// in a while, longer and longer, and is used again when it has given right ones. What
// the origin is asked meanwhile keeps to the budget.
func TestQuarantine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o, alarms := newServer(), &table{}, &log{}
		c := open(t, bound.Config{Tiers: []bound.Tier{s.tier()}, Life: time.Hour, BudgetRate: 10, BudgetBurst: 20, Alarm: alarms.add})
		for i := range homes {
			want(t, c, home(i), o.read, 0)
		}
		synctest.Wait()
		s.set(func() { s.hurt = crossed(s) })
		for i := 0; tell(t, c).State != bound.Isolated; i++ {
			if i == 10 {
				t.Fatalf("after 10 wrong values the tier is asked still: %+v", tell(t, c))
			}
			want(t, c, home(i), o.read, 0)
			synctest.Wait()
		}
		if n := len(alarms.of(bound.Misrouted)); n != 5 || tell(t, c).Replaced != 5 || tell(t, c).Quarantines != 1 {
			t.Errorf("%d wrong values reported, %+v; want 5, 5 replacements, 1 quarantine", n, tell(t, c))
		}
		asked, reads := s.asked(), o.reads.Load()
		var busy *bound.BusyError
		refused := 0
		for i := range 100 {
			_, err := c.Get(t.Context(), home(i%homes), o.read)
			if errors.As(err, &busy) && errors.Is(err, bound.ErrBusy) {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		if s.asked() != asked {
			t.Errorf("in quarantine the server was asked %d times", s.asked()-asked)
		}
		if n := o.reads.Load() - reads; n > 20 || refused != 100-int(n) || busy.After <= 0 || busy.After > 100*time.Millisecond {
			t.Errorf("%d reads of the origin and %d refusals (%v), want at most 20 and the rest", n, refused, busy)
		}
		heal(t, c, s, o)
	})
}

// heal watches quarantines become longer, and end when the server is honest again.
func heal(t *testing.T, c *bound.Cache, s *server, o *table) {
	for _, span := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		asked := s.asked()
		time.Sleep(span*time.Second - time.Millisecond)
		_, _ = c.Get(t.Context(), home(1), o.read)
		if s.asked() != asked {
			t.Fatalf("asked before the %d s of the quarantine are over", span)
		}
		time.Sleep(time.Millisecond)
		for range 5 {
			_, _ = c.Get(t.Context(), home(1), o.read)
			synctest.Wait()
		}
		if s.asked() != asked+1 || tell(t, c).State != bound.Isolated {
			t.Fatalf("after %d s asked %d times and %s; want one probe and the next quarantine", span, s.asked()-asked, tell(t, c).State)
		}
	}
	s.set(func() { s.hurt = nil })
	time.Sleep(time.Minute)
	for i := range 8 {
		if state := tell(t, c).State; state != bound.Probing {
			t.Fatalf("before probe %d the tier is %s", i, state)
		}
		want(t, c, home(i), o.read, 0)
		synctest.Wait()
	}
	if state := tell(t, c).State; state != bound.Healthy {
		t.Errorf("after 8 good probes the tier is %s", state)
	}
	time.Sleep(2 * time.Minute)
	s.set(func() { s.hurt = crossed(s) })
	for i := range 5 {
		want(t, c, home(i), o.read, 0)
		synctest.Wait()
	}
	s.set(func() { s.hurt = nil })
	time.Sleep(time.Second)
	if state := tell(t, c).State; state != bound.Probing {
		t.Errorf("a quarantine long after the last is %s after a second: it should be as short as the first", state)
	}
}

// TestProbesAreFew: of a hundred who ask when a quarantine has ended one asks the server.
func TestProbesAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newServer(), &table{}
		c := isolated(t, s, o)
		time.Sleep(time.Second)
		asked := s.asked()
		gate := make(chan struct{})
		s.set(func() {
			s.hurt = func(command []string, reply []byte) []byte {
				s.mu.Unlock()
				<-gate
				s.mu.Lock()
				return reply
			}
		})
		for i := range 100 {
			go func() { _, _ = c.Get(t.Context(), home(i%homes), o.read) }()
		}
		synctest.Wait()
		close(gate)
		synctest.Wait()
		if n := s.asked() - asked; n != 1 {
			t.Errorf("%d probes at once, want 1", n)
		}
	})
}

// isolated is a cache whose server has just been quarantined.
func isolated(t *testing.T, s *server, o *table) *bound.Cache {
	t.Helper()
	c := open(t, bound.Config{Tiers: []bound.Tier{s.tier()}})
	for i := range homes {
		want(t, c, home(i), o.read, 0)
	}
	synctest.Wait()
	s.set(func() { s.hurt = crossed(s) })
	for i := range 5 {
		want(t, c, home(i), o.read, 0)
		synctest.Wait()
	}
	if state := tell(t, c).State; state != bound.Isolated {
		t.Fatalf("after five wrong values the tier is %s", state)
	}
	return c
}

// TestOneQuarantineAtATime: what fails in a quarantine, in which values are removed still,
// makes it no longer.
func TestOneQuarantineAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newServer(), &table{}
		c := isolated(t, s, o)
		s.set(func() { s.hurt = func([]string, []byte) []byte { return []byte("+nonsense\r\n") } })
		if err := c.Forget(t.Context(), home(1)); err == nil {
			t.Error("what is no reply to a removal is taken for one")
		}
		time.Sleep(time.Second)
		if st := tell(t, c); st.Replaced != 6 || st.Quarantines != 1 || st.State != bound.Probing {
			t.Errorf("%+v: want 6 replacements, one quarantine, and that it is over", st)
		}
	})
}

// TestRightValuesExcuseNoWrongOnes: a server that gives nine right values between any two
// wrong ones is left alone as well.
func TestRightValuesExcuseNoWrongOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newServer(), &table{}
		c := open(t, bound.Config{Tiers: []bound.Tier{s.tier()}})
		for i := range 10 {
			want(t, c, home(i), o.read, 0)
			synctest.Wait() // or a question whose name shares its turn may be looked for twice
		}
		wrong := crossed(s)
		s.set(func() {
			s.hurt = func(command []string, reply []byte) []byte {
				if command[0] == "GET" && s.gets%10 == 0 {
					return wrong(command, reply)
				}
				return reply
			}
		})
		for i := range 50 {
			want(t, c, home(i%10), o.read, 0)
			synctest.Wait()
		}
		if st := tell(t, c); st.Misrouted != 5 || st.Hits != 45 || st.State != bound.Isolated {
			t.Errorf("%+v: want 5 wrong values, 45 right ones, and a quarantine", st)
		}
	})
}

// TestWhatAReplyCosts: what is no reply to its command is told, and costs the client; a
// server that says no, or whose caller has gone, is in step.
func TestWhatAReplyCosts(t *testing.T) {
	for _, tt := range []struct {
		command, reply string
		cost           int
	}{
		{"GET", ":1\r\n", 1}, {"GET", "", 0}, {"SET", ":1\r\n", 1}, {"SET", "-ERR full\r\n", 0}, {"DEL", "", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, o, alarms := newServer(), &table{}, &log{}
			s.hurt = func(command []string, reply []byte) []byte {
				if command[0] == tt.command {
					return []byte(tt.reply)
				}
				return reply
			}
			c := open(t, bound.Config{Tiers: []bound.Tier{s.tier()}, Alarm: alarms.add})
			ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer stop()
			if tt.command == "DEL" {
				_ = c.Forget(ctx, thumbnails)
			} else {
				_, _ = c.Get(ctx, thumbnails, o.read)
			}
			time.Sleep(100 * time.Millisecond)
			if n := int(tell(t, c).Replaced); n != tt.cost || len(alarms.list) != n || len(alarms.of(bound.Damaged)) != n {
				t.Errorf("%q to %s: replaced %d times, and %+v is told; want %d", tt.reply, tt.command, n, alarms.list, tt.cost)
			}
		})
	}
}

// TestOneNameForAll: a server that keeps everything under one name hands each the value of
// somebody else. Nobody is shown it.
func TestOneNameForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newServer(), &table{}
		s.hurt = func(command []string, reply []byte) []byte {
			switch command[0] {
			case "SET":
				s.values["all"] = []byte(command[2])
			case "GET":
				return bulk(s.values["all"])
			}
			return reply
		}
		c := open(t, bound.Config{Tiers: []bound.Tier{s.tier()}, Life: time.Hour, BudgetRate: 1000})
		for i := range 1000 {
			want(t, c, home(i%homes), o.read, 0)
			synctest.Wait()
			time.Sleep(10 * time.Millisecond)
		}
		if st := tell(t, c); st.Misrouted == 0 || st.Quarantines == 0 {
			t.Errorf("nobody has noticed: %+v", st)
		}
	})
}

// TestServerComesBack: a server that is gone costs each of those who ask at that moment
// one miss, and is used again when it is back.
func TestServerComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o, alarms := newServer(), &table{}, &log{}
		c := open(t, bound.Config{Tiers: []bound.Tier{s.tier()}, Life: time.Hour, Alarm: alarms.add})
		want(t, c, thumbnails, o.read, 0)
		synctest.Wait()
		s.set(func() {
			s.down = true
			s.hurt = func([]string, []byte) []byte { return []byte("-ERR going down\r\n") }
		})
		want(t, c, thumbnails, o.read, 0)
		began := time.Now()
		want(t, c, thumbnails, o.read, 0)
		if state := tell(t, c).State; state != bound.Replacing || time.Since(began) != 0 {
			t.Errorf("the tier is %s and a read took %v; want it replaced and nobody to wait", state, time.Since(began))
		}
		s.set(func() { s.down, s.hurt = false, nil })
		time.Sleep(2 * time.Second)
		reads := o.reads.Load()
		want(t, c, thumbnails, o.read, 0)
		if o.reads.Load() != reads || tell(t, c).State != bound.Healthy {
			t.Errorf("the server is back, and %+v", tell(t, c))
		}
		if len(alarms.list) != 0 {
			t.Errorf("a server that is gone is no incident: %+v", alarms.list)
		}
	})
}

// TestSilentServer: who waits for a server that says nothing waits for as long as the
// tier's patience.
func TestSilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newServer(), &table{}
		c := open(t, bound.Config{Tiers: []bound.Tier{s.tier()}, Life: time.Hour})
		want(t, c, thumbnails, o.read, 0)
		synctest.Wait()
		s.set(func() { s.hurt = func([]string, []byte) []byte { return nil } })
		began := time.Now()
		want(t, c, thumbnails, o.read, 0)
		if took := time.Since(began); took != 500*time.Millisecond || tell(t, c).Failed != 1 || tell(t, c).Replaced != 1 {
			t.Errorf("a read took %v, and %+v; want 500 ms, one failure, one replacement", took, tell(t, c))
		}
	})
}

// TestNothingIsLeftToMislead: where the origin knows nothing that could be put over a
// wrong value the wrong value is removed, or each who asks would cost the next a client.
func TestNothingIsLeftToMislead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o, alarms := newServer(), &table{}, &log{}
		c := open(t, bound.Config{Tiers: []bound.Tier{s.tier()}, Alarm: alarms.add})
		want(t, c, thumbnails, o.read, 0)
		synctest.Wait()
		s.set(func() {
			for name := range s.values {
				s.values[name] = []byte("rot")
			}
		})
		reportedOnce(t, c, thumbnails, alarms, bound.Damaged)
	})
}

// reportedOnce asks again and again what the origin has no row for, and wants the wrong
// value that a tier had for it to have been an incident once.
func reportedOnce(t *testing.T, c *bound.Cache, q bound.Question, alarms *log, kind bound.Kind) {
	t.Helper()
	missing := errors.New("no such row")
	for range 10 {
		_, err := c.Get(t.Context(), q, func(context.Context, bound.Question) (bound.Answer, error) { return bound.Answer{}, missing })
		if !errors.Is(err, missing) {
			t.Error(err)
		}
		synctest.Wait()
	}
	if n := len(alarms.of(kind)); n != 1 || tell(t, c).Replaced != 1 {
		t.Errorf("one value that is %s is reported %d times and %+v", kind, n, tell(t, c))
	}
}

// TestFlightsAreBounded: the origin is asked no more than so many things at once.
func TestFlightsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, bound.Config{MaxFlights: 10})
		gate := make(chan struct{})
		stuck := func(_ context.Context, q bound.Question) (bound.Answer, error) {
			<-gate
			return truth(q, 0), nil
		}
		for i := range 10 {
			go want(t, c, home(i), stuck, 0)
		}
		synctest.Wait()
		if _, err := c.Get(t.Context(), home(10), stuck); !errors.Is(err, bound.ErrBusy) {
			t.Errorf("an eleventh question: %v, want ErrBusy", err)
		}
		go want(t, c, home(9), stuck, 0)
		synctest.Wait()
		close(gate)
		synctest.Wait()
	})
}

// TestOriginTakesTooLong: a read of the origin has a time of its own, and its panic is
// an error.
func TestOriginTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alarms := &log{}
		c := open(t, bound.Config{OriginTimeout: time.Second, Alarm: alarms.add})
		began := time.Now()
		_, err := c.Get(t.Context(), thumbnails, func(ctx context.Context, _ bound.Question) (bound.Answer, error) {
			<-ctx.Done()
			return bound.Answer{}, ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		_, err = c.Get(t.Context(), thumbnails, func(context.Context, bound.Question) (bound.Answer, error) { panic(fmt.Sprint("no", "way")) })
		synctest.Wait()
		if err == nil || c.Stats().Panics != 1 || len(alarms.of(bound.Panicked)) != 1 {
			t.Errorf("an origin that panics: %v, %+v, %+v", err, c.Stats(), alarms.list)
		}
	})
}

// TestEarlyRefresh: what is asked for all the time is read anew before it expires, by one
// of those who ask, and nobody waits for it.
func TestEarlyRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		c := open(t, bound.Config{Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{})}, Life: time.Minute})
		slow := func(ctx context.Context, q bound.Question) (bound.Answer, error) {
			time.Sleep(time.Second)
			return o.read(ctx, q)
		}
		want(t, c, thumbnails, slow, 0)
		waited := 0
		for range 30000 {
			time.Sleep(10 * time.Millisecond)
			began := time.Now()
			want(t, c, thumbnails, slow, 0)
			if time.Since(began) > 0 {
				waited++
			}
		}
		s := c.Stats()
		if waited > 0 || s.Refreshed < 5 || s.Refreshed > 6 {
			t.Errorf("in five minutes %d waited and %d read early, want 0 and 5 or 6: %+v", waited, s.Refreshed, s)
		}
	})
}
