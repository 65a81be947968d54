package clock_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/sealed"
)

var (
	noon  = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	built = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	epoch = time.Unix(0, 0)
)

// machine is a machine whose clocks a test sets. True is what the time really is.
type machine struct {
	boot   latchkey.BootID
	mu     sync.Mutex // between Read and pass
	true   time.Time
	off    time.Duration // how far the wall clock is ahead of the truth
	held   bool
	steady time.Duration
	since  time.Duration
}

func newMachine() *machine { return &machine{boot: latchkey.NewBootID(), true: noon} }

func (m *machine) Boot() latchkey.BootID { return m.boot }

func (m *machine) Read() clock.Reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	return clock.Reading{Steady: m.at(), Wall: m.true.Add(m.off), SinceBoot: m.since, Synchronised: m.held}
}

// at is this moment as a program measures it.
func (m *machine) at() time.Time { return epoch.Add(m.steady) }

func (m *machine) pass(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.true, m.steady, m.since = m.true.Add(d), m.steady+d, m.since+d
}

func (m *machine) sleep(d time.Duration) { m.true, m.since = m.true.Add(d), m.since+d }

// restart switches the machine off and on again; without a battery its clock begins in
// 1970.
func (m *machine) restart(battery bool) {
	m.boot, m.since, m.held = latchkey.NewBootID(), 0, false
	if !battery {
		m.set(epoch)
	}
}

func (m *machine) set(wall time.Time) { m.off = wall.Sub(m.true) }

func (m *machine) synchronise() { m.off, m.held = 0, true }

func (m *machine) clock(fsys durable.FS) *clock.Clock {
	return clock.New(clock.Config{Source: m, FS: fsys, Name: "clock.json", Built: built})
}

// wrong is how far a moment's wall time is ahead of the truth.
func (m *machine) wrong(now clock.Moment) time.Duration { return now.Wall.Time().Sub(m.true) }

func TestNoBattery(t *testing.T) {
	disk := durabletest.New()
	m := newMachine()
	m.synchronise()
	c := m.clock(disk)
	if q := c.Now().Quality; q != sealed.TimeSynchronised {
		t.Errorf("quality %v where the kernel says that it is right", q)
	}
	run(t, c)

	m.pass(time.Hour)
	m.restart(false)
	m.pass(20 * time.Second)
	c = m.clock(disk)
	began := c.Now()
	if off := m.wrong(began); began.Quality != sealed.TimeUnknown || off > 0 || off < -time.Hour-time.Minute {
		t.Errorf("a machine in 1970 begins %v off the truth, quality %v; want the last time that was kept, unknown", off, began.Quality)
	}
	at := m.at()
	m.pass(10 * time.Minute)
	m.synchronise()
	if now := c.Now(); now.Quality != sealed.TimeSynchronised || m.wrong(now) != 0 || now.Sub(began) != 10*time.Minute {
		t.Errorf("once it is synchronised: %v off, quality %v, %v later", m.wrong(now), now.Quality, now.Sub(began))
	}
	if again := c.At(at); again != began {
		t.Errorf("what was recorded has moved: %+v, was %+v", again, began)
	}
	want := []clock.Correction{{Boot: m.boot, By: m.true.Add(-10*time.Minute).UnixMicro() - int64(began.Wall)}}
	if diff := cmp.Diff(want, c.Corrections()); diff != "" {
		t.Errorf("corrections (-want +got):\n%s", diff)
	}
	run(t, c)
	m.restart(true)
	if diff := cmp.Diff(want, m.clock(disk).Corrections()); diff != "" {
		t.Errorf("corrections after another start (-want +got):\n%s", diff)
	}
}

func TestNeverBeforeItWasMade(t *testing.T) {
	m := newMachine()
	m.set(epoch)
	if now := m.clock(durabletest.New()).Now(); now.Wall.Time() != built || now.Quality != sealed.TimeUnknown {
		t.Errorf("the first start of a machine in 1970: %v, quality %v", now.Wall.Time(), now.Quality)
	}
}

// TestServerGivesAnEstimate is a house without NTP: the server's time is all there is.
func TestServerGivesAnEstimate(t *testing.T) {
	m := newMachine()
	m.set(epoch)
	c := m.clock(durabletest.New())
	before := c.Now()
	c.Hear(latchkey.TimeOf(epoch)) // a server that is no better
	if q := c.Now().Quality; q != sealed.TimeUnknown {
		t.Errorf("a server in 1970 made the quality %v", q)
	}
	m.pass(time.Minute)
	c.Hear(latchkey.TimeOf(m.true))
	now := c.Now()
	if off := m.wrong(now); now.Quality != sealed.TimeEstimated || off != 0 || now.Sub(before) != time.Minute {
		t.Errorf("%v off, quality %v, %v later", off, now.Quality, now.Sub(before))
	}
	if got := c.Corrections(); len(got) != 1 || got[0].By != noon.Sub(built).Microseconds() {
		t.Errorf("corrections %+v", got)
	}
	c.Hear(latchkey.TimeOf(m.true.Add(time.Second)))
	if off := m.wrong(c.Now()); off != 0 {
		t.Errorf("the clock follows the way of each message: %v", off)
	}
	m.synchronise()
	c.Now()
	c.Hear(latchkey.TimeOf(m.true.Add(time.Hour)))
	if now := c.Now(); m.wrong(now) != 0 || now.Quality != sealed.TimeSynchronised {
		t.Errorf("a server is believed where something better is known: %v off", m.wrong(now))
	}
}

// TestSteps sets the clock in every way while something is recorded.
func TestSteps(t *testing.T) {
	for name, by := range map[string]time.Duration{
		"an hour on": time.Hour, "an hour back": -time.Hour,
		"ten years on": 87_660 * time.Hour, "a month back": -31 * 24 * time.Hour, "ten years back": -87_660 * time.Hour,
	} {
		for _, held := range []bool{true, false} {
			m := newMachine()
			if m.held = held; !held {
				m.pass(time.Second)
			}
			c := m.clock(durabletest.New())
			before, at := c.Now(), m.at()
			m.pass(time.Second)
			m.off += by
			after := c.Now()
			if after.Sub(before) != time.Second || c.At(at) != before {
				t.Errorf("%s: %v passed, and what was recorded has the time %v", name, after.Sub(before), c.At(at).Wall.Time())
			}
			want := by
			if m.true.Add(by).Before(built) {
				want = 0 // it is not believed
			}
			if off := m.wrong(after); off != want {
				t.Errorf("%s: what is recorded now is %v off, want %v", name, off, want)
			}
		}
	}
}

// TestLeapSecond: the wall clock shows one second twice in the middle of an event.
func TestLeapSecond(t *testing.T) {
	m := newMachine()
	m.synchronise()
	c := m.clock(durabletest.New())
	last := c.Now()
	for i := range 4000 {
		if i == 10 {
			m.off = -time.Second
		}
		m.pass(500 * time.Millisecond)
		now := c.Now()
		passed := time.Duration(now.Wall-last.Wall) * time.Microsecond
		if slow := 500*time.Millisecond - passed; now.Sub(last) != 500*time.Millisecond || slow < 0 || slow > 500*time.Microsecond {
			t.Fatalf("after %d half seconds: %v by one clock, %v by the other", i, now.Sub(last), passed)
		}
		last = now
	}
	m.pass(time.Minute)
	if behind := m.wrong(c.Now()) + time.Second; behind > 2*time.Millisecond {
		t.Errorf("half an hour later the wall time is still %v ahead", behind)
	}
}

// TestSummerTime: both switches of Central Europe. All is in UTC, and nothing happens.
func TestSummerTime(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{time.Date(2027, 3, 28, 1, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)} {
		m := newMachine()
		m.true = at.Add(-10 * time.Second).In(berlin)
		m.held = true
		c := m.clock(durabletest.New())
		_, before := m.true.Zone()
		last := c.Now()
		for range 20 {
			m.pass(time.Second)
			now := c.Now()
			if now.Wall-last.Wall != 1_000_000 || now.Quality != sealed.TimeSynchronised {
				t.Errorf("%v: %d microseconds in a second", m.true, now.Wall-last.Wall)
			}
			last = now
		}
		if _, after := m.true.Zone(); after == before {
			t.Errorf("the control: nothing was switched at %v", at)
		}
	}
}

// TestSleep: a machine that was put to sleep and woken. What came in before keeps its
// time, though the program's own clock stood still.
func TestSleep(t *testing.T) {
	m := newMachine()
	m.synchronise()
	c := m.clock(durabletest.New())
	before, at := c.Now(), m.at()
	m.pass(time.Second)
	m.sleep(8 * time.Hour)
	m.pass(time.Second)
	now := c.Now()
	if now.Sub(before) != 8*time.Hour+2*time.Second || m.wrong(now) != 0 {
		t.Errorf("%v passed, and the time is %v off", now.Sub(before), m.wrong(now))
	}
	if c.At(at) != before {
		t.Errorf("what came in before has moved by %v", c.At(at).Sub(before))
	}
}

// TestSameBoot: an agent that is started again does not begin its time anew, and
// notices what was set meanwhile.
func TestSameBoot(t *testing.T) {
	disk := durabletest.New()
	m := newMachine()
	m.set(epoch)
	c := m.clock(disk)
	run(t, c)
	before := c.Now()
	m.pass(time.Hour)
	c = m.clock(disk)
	now := c.Now()
	if passed := time.Duration(now.Wall-before.Wall) * time.Microsecond; passed != time.Hour || now.Quality != sealed.TimeUnknown {
		t.Errorf("after another start %v passed on the wall, quality %v", passed, now.Quality)
	}
	run(t, c)
	m.set(m.true)
	c = m.clock(disk)
	if now := c.Now(); m.wrong(now) != 0 || now.Quality != sealed.TimeEstimated {
		t.Errorf("set while nobody looked: %v off, quality %v", m.wrong(now), now.Quality)
	}
	if got := c.Corrections(); len(got) != 1 || got[0].By != noon.Sub(built).Microseconds() {
		t.Errorf("corrections %+v", got)
	}
}

// run lets a clock run for a moment, which is long enough to keep the time.
func run(t *testing.T, c *clock.Clock) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestKeptEachMinute: after a power cut the time is at most a minute older.
func TestKeptEachMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := durabletest.New()
		m := newMachine()
		m.synchronise()
		c := m.clock(disk)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		for range 10 * 60 {
			time.Sleep(time.Second)
			synctest.Wait()
			m.pass(time.Second)
		}
		disk.Crash()
		after := durabletest.New() // what the end keeps was never asked for
		for name, b := range disk.Contents() {
			if err := durable.WriteBytes(after, name, b); err != nil {
				t.Fatal(err)
			}
		}
		stop()
		<-ended
		m.restart(false)
		if off := m.wrong(m.clock(after).Now()); off > 0 || off < -time.Minute-time.Second {
			t.Errorf("the time after a power cut is %v off", off)
		}
	})
}

// FuzzKept gives a start any file. It never panics, and never runs backwards.
func FuzzKept(f *testing.F) {
	seeds, err := filepath.Glob("testdata/fuzz/FuzzKept/*")
	if err != nil || len(seeds) < 5 {
		f.Fatalf("%d seeds in testdata, %v; want at least 5", len(seeds), err)
	}
	disk := durabletest.New()
	genuine := newMachine().clock(disk)
	genuine.Hear(latchkey.TimeOf(noon.Add(time.Hour)))
	b, err := durable.ReadBytes(disk, "clock.json", 1<<16)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		disk := durabletest.New()
		if err := durable.WriteBytes(disk, "clock.json", b); err != nil {
			t.Fatal(err)
		}
		m := newMachine()
		c := m.clock(disk)
		last := c.Now()
		if last.Wall.Time().Before(built) || last.Wall > latchkey.MaxInt {
			t.Errorf("begins at %v", last.Wall.Time())
		}
		m.pass(time.Second)
		if now := c.Now(); now.Sub(last) != time.Second || now.Wall < last.Wall {
			t.Errorf("from %+v to %+v", last, now)
		}
		m.synchronise()
		if now := c.Now(); m.wrong(now).Abs() > 2*time.Second {
			t.Errorf("synchronised and %v off", m.wrong(now))
		}
	})
}

func TestMachine(t *testing.T) {
	c := clock.New(clock.Config{})
	before := c.Now()
	time.Sleep(20 * time.Millisecond)
	at := time.Now()
	now := c.Now()
	if d := now.Sub(before); d < 20*time.Millisecond || d > time.Minute || c.Boot() == (latchkey.BootID{}) {
		t.Errorf("%v passed in boot %v", d, c.Boot())
	}
	if d := now.Sub(c.At(at)); d < 0 || d > time.Minute {
		t.Errorf("a time of this process is %v before the next one", d)
	}
	if _, err := os.Stat("/proc/sys/kernel/random/boot_id"); err == nil && clock.New(clock.Config{}).Boot() != c.Boot() {
		t.Error("two boots of one machine at once")
	}
}
