package agent_test

import (
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/sealed"
)

// wrong is a machine whose wall clock is off.
type wrong struct {
	boot  latchkey.BootID
	began time.Time

	mu   sync.Mutex // protects the rest
	off  time.Duration
	held bool
}

func (w *wrong) Boot() latchkey.BootID { return w.boot }

func (w *wrong) Read() clock.Reading {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	return clock.Reading{Steady: now, Wall: now.Round(0).Add(w.off), SinceBoot: now.Sub(w.began), Synchronised: w.held}
}

func (w *wrong) set(off time.Duration, held bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off, w.held = off, held
}

// TestClocks runs an agent on a machine that wakes in 1970, is told the time by its
// server, gets NTP, and is set an hour on and ten years back by hand. The objects carry
// what was known when, in an order that never turns.
func TestClocks(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	w := &wrong{boot: latchkey.NewBootID(), began: time.Now(), off: -time.Since(time.Unix(0, 0))}
	a, o, _ := h.placed(agent.Config{Clock: w}) // it has been connected, and told the time
	steps := []struct {
		off  time.Duration
		held bool
		want sealed.Quality
		near time.Duration // of the real time that it is recorded at
	}{
		{-time.Since(time.Unix(0, 0)), false, sealed.TimeEstimated, 0},
		{0, true, sealed.TimeSynchronised, 0},
		{time.Hour, false, sealed.TimeEstimated, time.Hour},
		{-87_660 * time.Hour, false, sealed.TimeEstimated, time.Hour}, // not believed: this program is younger
		{0, true, sealed.TimeSynchronised, 0},
	}
	for _, s := range steps {
		w.set(s.off, s.held)
		a.Status() // it notices; by itself it does within a second
		if err := o.one(); err != nil {
			t.Fatal(err)
		}
	}
	h.arrived(a, o)
	all, err := h.owner.look(h.ctx)
	if err != nil {
		t.Fatal(err)
	}
	last := uint64(0)
	for i, id := range o.ids {
		for _, s := range all[id] {
			b := s.binding
			off := time.Since(b.Time.Time()) + steps[i].near
			if b.Quality != steps[i].want || off < -time.Minute || off > 2*time.Minute || b.Boot != w.boot {
				t.Errorf("step %d: recorded at %v, quality %v", i, b.Time.Time(), b.Quality)
			}
			if b.Monotonic < last {
				t.Errorf("step %d comes before the one before it", i)
			}
		}
		last = all[id][0].binding.Monotonic
	}
	if s := a.Status().Clock; len(s.Corrections) != 1 || s.Corrections[0].Boot != w.boot {
		t.Errorf("the status says of the clock %+v", s)
	}
}
