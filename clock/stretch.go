package clock

import (
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// slewing is how fast a small error of the wall time is led back: a two-thousandth,
// which is more than a crystal is off and less than anybody sees.
const slewing = 2000

// slewFrom is the error in microseconds from which on it is led back, slewTo the one
// that is left.
const slewFrom, slewTo = 10_000, 1000

// nap is the least time that counts as the machine's sleep; reading two clocks one
// after the other takes less.
const nap = 50 * time.Millisecond

// stretch is a stretch of time in which both clocks run evenly.
type stretch struct {
	from    time.Time // its first moment, by the steady clock
	since   int64     // the monotonic time then, microseconds
	wall    int64     // the wall time then, microseconds since 1970
	slew    int64     // -1, 0 or 1 of slewing
	quality sealed.Quality
}

// at returns both times at t.
func (s stretch) at(t time.Time) (since, wall int64) {
	d := t.Sub(s.from).Microseconds()
	return s.since + d, s.wall + d + s.slew*d/slewing
}

// moment says what the clock showed at t. Its caller holds the lock.
func (c *Clock) moment(t time.Time) Moment {
	i := len(c.stretches) - 1
	for i > 0 && c.stretches[i].from.After(t) {
		i--
	}
	s := c.stretches[i]
	since, wall := s.at(t)
	return Moment{Wall: latchkey.Time(min(max(0, wall), latchkey.MaxInt)), Monotonic: uint64(max(0, since)), Quality: s.quality}
}

// begin makes the first stretch, of what was kept and of what the machine shows.
func (c *Clock) begin(k kept, r Reading) {
	c.corrections = k.Corrections
	since, system := r.SinceBoot.Microseconds(), r.Wall.UnixMicro()
	c.system = system - since
	s := stretch{from: r.Steady, since: since, quality: sealed.TimeUnknown}
	if k.Boot == c.boot { // an earlier start in this boot
		c.system, c.follows, c.unknown, c.blind = k.System, k.Follows, k.Unknown, k.Blind
		s.wall, s.quality = k.Base+since, k.Quality
	} else {
		s.wall = max(system, k.Base+k.Since, c.built.UnixMicro())
		c.follows = s.wall == system
		c.unknown = s.wall - since
		if r.Synchronised && c.believable(r) {
			s.wall, s.quality, c.follows = system, sealed.TimeSynchronised, true
		}
		c.blind = s.quality == sealed.TimeUnknown
	}
	c.stretches = []stretch{s}
	c.look(r)
}

// believable says whether the machine's wall time can be one at all.
func (c *Clock) believable(r Reading) bool { return !r.Wall.Before(c.built) }

// look compares what the machine's clocks show with what they should, and begins a new
// stretch if something has changed. Its caller holds the lock.
func (c *Clock) look(r Reading) {
	now := c.stretches[len(c.stretches)-1]
	since, wall := now.at(r.Steady)
	next := stretch{from: r.Steady, since: since, wall: wall, slew: now.slew, quality: now.quality}
	if slept := r.SinceBoot.Microseconds() - since; slept > nap.Microseconds() {
		next.since += slept
		next.wall += slept
	}
	system := r.Wall.UnixMicro() - next.since
	stepped := far(system - c.system)
	c.system = system
	if c.believable(r) {
		off := r.Wall.UnixMicro() - next.wall
		switch {
		case r.Synchronised:
			c.follow(&next, off, sealed.TimeSynchronised)
		case stepped: // somebody has set it
			c.follow(&next, off, sealed.TimeEstimated)
		case c.follows:
			c.follow(&next, off, unheld(next.quality))
		}
	} else {
		c.alone(&next)
	}
	if next.since != since || next.wall != wall || next.slew != now.slew || next.quality != now.quality {
		c.add(now, next)
	}
}

// far says whether a difference is one that is not led back slowly.
func far(micros int64) bool { return micros > step.Microseconds() || micros < -step.Microseconds() }

// follow has the wall time go with the machine's, which is off ahead.
func (c *Clock) follow(next *stretch, off int64, q sealed.Quality) {
	c.follows, next.quality = true, q
	switch {
	case far(off):
		next.wall += off
		next.slew = 0
	case off > slewFrom:
		next.slew = 1
	case off < -slewFrom:
		next.slew = -1
	case off*next.slew < slewTo:
		next.slew = 0
	}
}

// alone has the wall time go on by itself, because the machine's cannot be right.
func (c *Clock) alone(next *stretch) {
	c.follows, next.slew, next.quality = false, 0, unheld(next.quality)
}

// unheld is what becomes of a quality when nothing holds the clock right any more.
func unheld(q sealed.Quality) sealed.Quality {
	if q == sealed.TimeSynchronised {
		return sealed.TimeEstimated
	}
	return q
}

// hear takes a server's time and says whether anything was learnt. Its caller holds
// the lock.
func (c *Clock) hear(r Reading, server int64) bool {
	now := c.stretches[len(c.stretches)-1]
	since, wall := now.at(r.Steady)
	off := server - wall
	if now.quality == sealed.TimeSynchronised || server < c.built.UnixMicro() || server > latchkey.MaxInt {
		return false
	}
	if !far(off) && now.quality == sealed.TimeEstimated {
		return false
	}
	next := stretch{from: r.Steady, since: since, wall: wall, slew: now.slew, quality: sealed.TimeEstimated}
	if far(off) {
		next.wall, next.slew = server, 0
		c.follows = false
	}
	c.add(now, next)
	return true
}

// add begins a stretch, and notes what the times before it were off if they were
// unknown and are not any more.
func (c *Clock) add(before, next stretch) {
	if next.quality == sealed.TimeUnknown {
		c.unknown = next.wall - next.since
	} else if c.blind && (before.quality == sealed.TimeUnknown || next.quality == sealed.TimeSynchronised && before.quality != next.quality) {
		c.correct(next.wall - next.since - c.unknown)
	}
	if since, wall := before.at(next.from); far(next.wall - next.since - (wall - since)) {
		c.log.Warn("the clock was set; what is recorded from now on has the new time",
			"from", latchkey.Time(max(0, wall)).Time(), "to", latchkey.Time(max(0, next.wall)).Time())
	}
	c.stretches = append(c.stretches, next)
	if n := len(c.stretches) - mostStretches; n > 0 {
		c.stretches = append([]stretch(nil), c.stretches[n:]...)
	}
}

// correct notes what is to be added to the unknown times of this boot.
func (c *Clock) correct(by int64) {
	if n := len(c.corrections); n > 0 && c.corrections[n-1].Boot == c.boot {
		c.corrections = c.corrections[:n-1]
	}
	if !far(by) {
		return
	}
	c.corrections = append(c.corrections, Correction{c.boot, by})
	if n := len(c.corrections) - mostCorrections; n > 0 {
		c.corrections = c.corrections[n:]
	}
}
