package clock_test

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// recorded is something that was recorded: what the clock said, and the truth.
type recorded struct {
	clock.Moment
	boot    latchkey.BootID
	true    time.Time
	at      time.Time // by which the same clock can be asked again
	elapsed time.Duration
}

// life is a machine, its clock, and what was recorded with it.
type life struct {
	*rapid.T
	m     *machine
	disk  *durabletest.Forgetful
	c     *clock.Clock
	all   []recorded
	fresh int                      // where what this clock said begins
	hand  map[latchkey.BootID]bool // somebody set it to anything in that boot
	known map[latchkey.BootID]bool // the truth was to be had in that boot
	kept  []clock.Correction
	steps int // stretches that this clock may have begun
}

func (l *life) begin() {
	l.c = l.m.clock(l.disk)
	l.fresh, l.steps = len(l.all), 0
	l.learn()
}

// learn notes that the machine itself knew the truth.
func (l *life) learn() {
	if l.m.held && l.m.off == 0 {
		l.known[l.m.boot] = true
	}
}

// record records something, and a second later at the latest the clock has kept what it
// learnt.
func (l *life) record() {
	l.all = append(l.all, recorded{l.c.Now(), l.m.boot, l.m.true, l.m.at(), l.m.since})
	if now := l.c.Corrections(); !slices.Equal(now, l.kept) {
		keepNow(l.c)
		l.kept = now
	}
}

// pass lets time go by as the agent sees it: the clocks are compared each second at
// least.
func (l *life) pass(d time.Duration) {
	for ; d > time.Second; d -= time.Second {
		l.m.pass(time.Second)
		l.c.Now()
	}
	l.m.pass(d)
}

func (l *life) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"record": func(*rapid.T) { l.record() },
		"pass": func(t *rapid.T) {
			l.pass(time.Duration(rapid.Int64Range(0, int64(2*time.Minute)).Draw(t, "for")))
			l.record()
		},
		"sleep": func(t *rapid.T) {
			l.m.sleep(time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "for")))
			l.steps++
			l.record()
		},
		"set": func(t *rapid.T) { // an hour, ten years, or anything: by hand
			by := rapid.SampledFrom([]time.Duration{time.Hour, -time.Hour, 87_660 * time.Hour, -87_660 * time.Hour, time.Second, -time.Second}).Draw(t, "by")
			l.m.off += by
			l.m.held = false // as the kernel says when its clock is set
			l.hand[l.m.boot] = true
			l.steps++
			l.record()
		},
		"synchronise": func(*rapid.T) {
			l.m.synchronise()
			l.steps += 2
			l.learn()
			l.record()
		},
		"let go": func(*rapid.T) { l.m.held = false; l.steps++; l.record() },
		"hear": func(t *rapid.T) {
			late := rapid.Int64Range(-int64(time.Second), int64(time.Second)).Draw(t, "late")
			l.c.Hear(latchkey.TimeOf(l.m.true.Add(time.Duration(late))))
			l.known[l.m.boot] = true
			l.steps++
			l.record()
		},
		"start again": func(*rapid.T) {
			keepNow(l.c)
			l.begin()
			l.record()
		},
		"switch off and on": func(t *rapid.T) {
			l.disk.Crash()
			l.m.true = l.m.true.Add(time.Duration(rapid.Int64Range(0, int64(240*time.Hour)).Draw(t, "dark")))
			l.m.restart(rapid.Bool().Draw(t, "battery"))
			l.m.pass(20 * time.Second)
			l.begin()
			l.record()
		},
		"": l.check,
	}
}

// check holds everything that was recorded against what docs/time.md promises.
func (l *life) check(t *rapid.T) {
	corrections := l.c.Corrections()
	for i, r := range l.all {
		if i > 0 && l.all[i-1].boot == r.boot {
			before := l.all[i-1]
			want := r.elapsed - before.elapsed
			if d := r.Sub(before.Moment); d < 0 || (d-want).Abs() > 101*time.Millisecond {
				t.Fatalf("%v between two moments that are %v apart", d, want)
			}
		}
		if i >= l.fresh && l.steps < 30 {
			if again := l.c.At(r.at); again.Wall != r.Wall || again.Monotonic != r.Monotonic {
				if i+1 == len(l.all) || !l.all[i+1].at.Equal(r.at) { // two at one moment: the later one counts
					t.Fatalf("%+v has become %+v", r.Moment, again)
				}
			}
		}
		wrong := r.Wall.Time().Sub(r.true).Abs()
		if r.Quality == sealed.TimeSynchronised && wrong > 2*time.Second+time.Millisecond {
			t.Fatalf("a synchronised time is %v off", wrong)
		}
		if l.hand[r.boot] {
			continue
		}
		if r.Quality == sealed.TimeEstimated && wrong > 4*time.Second {
			t.Fatalf("an estimated time is %v off", wrong)
		}
		if r.Quality == sealed.TimeUnknown && l.known[r.boot] {
			by := int64(0)
			if k := slices.IndexFunc(corrections, func(c clock.Correction) bool { return c.Boot == r.boot }); k >= 0 {
				by = corrections[k].By
			}
			if left := time.Duration(int64(r.Wall)+by-r.true.UnixMicro()) * time.Microsecond; left.Abs() > 6*time.Second {
				t.Fatalf("after its correction a time is %v off", left)
			}
		}
	}
}

// keepNow has the clock keep its time, as it does when an agent ends.
func keepNow(c *clock.Clock) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	_ = c.Run(ctx) // always nil
}

// TestHistories draws the lives of machines: switched off, put to sleep, set by hand,
// without a battery, with and without NTP and a server. Whatever happens, monotonic
// time orders and measures, what was recorded stays, and what is known is near the
// truth. LATCHKEY_LONG draws more.
func TestHistories(t *testing.T) {
	draw := func(t *rapid.T) {
		l := &life{T: t, m: newMachine(), disk: durabletest.New(), hand: map[latchkey.BootID]bool{}, known: map[latchkey.BootID]bool{}}
		l.m.restart(rapid.Bool().Draw(t, "battery"))
		l.begin()
		t.Repeat(l.actions())
	}
	rapid.Check(t, draw)
	if os.Getenv("LATCHKEY_LONG") != "" {
		for range 50 {
			rapid.Check(t, draw)
		}
	}
}
