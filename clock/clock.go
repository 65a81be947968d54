// Package clock says when something happened. Wall time is what people read, and it
// can be wrong; monotonic time never jumps within one boot of a machine, and orders
// and measures everything (docs/time.md). A [Moment] is one moment on both.
package clock

import (
	"time"

	"github.com/latchkey-cam/latchkey"
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

// Clock is an agent's clock.
type Clock struct {
	source Source
	boot   latchkey.BootID
}

// New returns the clock of a machine.
func New(s Source) *Clock { return &Clock{s, s.Boot()} }

// Boot is the boot that moments are counted from.
func (c *Clock) Boot() latchkey.BootID { return c.boot }

// Now is this moment.
func (c *Clock) Now() Moment { return c.At(c.source.Read().Steady) }

// At says what the clock showed at t, a time of this process.
func (c *Clock) At(t time.Time) Moment {
	r := c.source.Read()
	ago := r.Steady.Sub(t)
	q := sealed.TimeEstimated
	if r.Synchronised {
		q = sealed.TimeSynchronised
	}
	return Moment{
		Wall:      latchkey.Time(max(0, int64(latchkey.TimeOf(r.Wall))-ago.Microseconds())),
		Monotonic: uint64(max(0, (r.SinceBoot - ago).Microseconds())),
		Quality:   q,
	}
}
