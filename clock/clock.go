// Package clock says when something happened. Wall time is what people read, and it
// can be wrong; monotonic time never jumps within one boot of a machine, and orders
// and measures everything. A [Moment] is one moment on both. docs/time.md has the rules.
package clock

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Moment is one moment on both of an agent's clocks. A picture's moment is when the
// first byte of it could have been read here, never what the camera's clock says.
type Moment struct {
	Wall      latchkey.Time
	Monotonic uint64         // microseconds since the boot that the clock's owner knows
	Quality   sealed.Quality // of Wall
}

// Sub returns how long after u the moment m was, by the monotonic clock.
func (m Moment) Sub(u Moment) time.Duration {
	return time.Duration(int64(m.Monotonic)-int64(u.Monotonic)) * time.Microsecond
}

// Reading is what a machine's clocks show at one moment.
type Reading struct {
	// Steady is the time by which a program measures: differences between two of them
	// are right, whatever the wall clock does. It stands still while the machine sleeps.
	Steady time.Time

	Wall         time.Time     // what the machine believes the time to be
	SinceBoot    time.Duration // with the time that the machine slept
	Synchronised bool          // something (NTP, PTP, a GPS receiver) holds Wall right
}

// Source is the clocks of a machine.
type Source interface {
	// Boot is another one after each start of the machine.
	Boot() latchkey.BootID
	// Read reads all clocks at once.
	Read() Reading
}

// Correction is what was wrong with the wall times of a boot that were recorded while
// nobody knew better (their quality is unknown).
type Correction struct {
	Boot latchkey.BootID `json:"boot"`
	By   int64           `json:"correction"` // microseconds to add to them
}

// Config is what [New] must know; the zero one makes a clock that keeps nothing.
type Config struct {
	// Source is the machine's clocks; [Machine] if nil.
	Source Source

	// FS and Name are where the last time that was known, and the corrections, are
	// kept across starts; nowhere if FS is nil.
	FS   durable.FS
	Name string

	// Built is the day that the program was made: no time before it is believed. That
	// of this build if zero.
	Built time.Time

	// Log is told of steps and corrections; nobody if nil.
	Log *slog.Logger
}

const (
	// step is how far the wall clock may be off before it is not led back slowly.
	step = 2 * time.Second

	// look is how often the machine's clocks are compared, and save how often the time
	// is kept. What is kept is what a machine without a battery begins with when it is
	// switched on again.
	look, save = time.Second, time.Minute

	// mostStretches and mostCorrections bound what is remembered: stretches are asked
	// for by events of the last minutes, corrections by people who look back.
	mostStretches, mostCorrections = 64, 64
)

// Clock is an agent's clock. What it has said of a moment it says again: a wall clock
// that is set moves what comes, never what was. Its methods may be called by several
// goroutines.
type Clock struct {
	source Source
	boot   latchkey.BootID
	fs     durable.FS
	name   string
	built  time.Time
	log    *slog.Logger

	mu          sync.Mutex // protects everything below
	stretches   []stretch  // of this boot, oldest first; at least one
	system      int64      // what the machine's wall clock showed, or would have, at its boot
	follows     bool       // the wall time is the machine's; otherwise nobody's but ours
	blind       bool       // there were moments of unknown quality in this boot
	unknown     int64      // as system, of the wall time at those moments
	corrections []Correction
}

// New returns a clock that goes on where the last one of this machine stopped. What
// cannot be read of that is as if it had not been kept.
func New(c Config) *Clock {
	k := &Clock{source: c.Source, fs: c.FS, name: c.Name, built: c.Built, log: c.Log}
	if k.source == nil {
		k.source = Machine()
	}
	if k.built.IsZero() {
		k.built = built()
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	k.boot = k.source.Boot()
	k.begin(k.load(), k.source.Read())
	return k
}

// Boot is the boot that moments are counted from.
func (c *Clock) Boot() latchkey.BootID { return c.boot }

// Now is this moment.
func (c *Clock) Now() Moment {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.source.Read()
	c.look(r)
	return c.moment(r.Steady)
}

// At says what the clock showed at t, a time of this process that is not to come.
func (c *Clock) At(t time.Time) Moment {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look(c.source.Read())
	return c.moment(t)
}

// Corrections are what is to be added to the wall times of boots whose quality is
// unknown, the latest boot last.
func (c *Clock) Corrections() []Correction {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.corrections)
}

// Hear takes what a server says the time is. It is believed where nothing better is
// known, and makes of an unknown time an estimated one.
func (c *Clock) Hear(server latchkey.Time) {
	c.mu.Lock()
	r := c.source.Read()
	c.look(r)
	learnt := c.hear(r, int64(server))
	c.mu.Unlock()
	if learnt {
		c.keep()
	}
}

// Run compares the machine's clocks and keeps the time until ctx ends, and then returns
// nil. A disk that does not take it is no reason to stop.
func (c *Clock) Run(ctx context.Context) error {
	c.keep()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for kept := time.Now(); ; {
		select {
		case <-ctx.Done():
			c.keep()
			return nil
		case now := <-tick.C:
			before := c.Corrections()
			c.Now()
			if now.Sub(kept) >= save || !slices.Equal(before, c.Corrections()) {
				kept = now
				c.keep()
			}
		}
	}
}
