package media

import "time"

const (
	// maxDrift is how far a camera's clock may run from ours before it is no longer
	// believed. A camera on a bad network is late by a second or two; one whose clock
	// is set, stands still or leaps is off by more within seconds.
	maxDrift = 5 * time.Second

	// maxJumps is how often that is forgiven in one session. A clock is set once or
	// twice; one that is off again and again is not a clock.
	maxJumps = 2

	// slew is the part of a lateness that is taken over with each unit, so that
	// crystals that differ do not add up to maxDrift within a day.
	slew = 512

	// window is how long the least late picture is looked for. If even that one was
	// late, the camera's clock is slow: the start is moved by a two-thousandth of the
	// window, which is more than any crystal is off.
	window, crystal = 2 * time.Second, 2000

	// overworked is how late the least late picture must be for the start to be moved
	// at once: the camera sends fewer pictures than its stamps say, or takes new ones
	// later than it thinks. A network is not late for so long.
	overworked = time.Second
)

// timeline turns the 32-bit stamps of RTP into times that start at 0 and never leap.
// The camera's clock gives the distance between pictures as long as it agrees with
// ours to within maxDrift; when it does not, one distance is taken from our clock and
// the camera's is followed again from there, and after maxJumps of those ours alone
// counts. So stamps that wrap, leap, stand still or run at another rate all end in a
// stream that lasts about as long as it really did.
//
// When a picture was taken is told by its place in the stream and the start of the
// stream by our clock, which is the earliest that any picture says (docs/time.md).
type timeline struct {
	begun bool
	jumps int
	stamp uint32    // the last one
	pts   Ticks     // that it was given
	top   Ticks     // the greatest given
	zero  time.Time // by our clock, when PTS 0 would come in if nothing is late or early

	shot   time.Time     // by our clock, when a picture of PTS 0 was taken
	newest time.Time     // when the picture of the greatest PTS was taken
	since  time.Time     // when the window began
	least  time.Duration // of the pictures in the window
}

// place returns the time in the stream of a picture with this stamp that came in at
// received, and when it was taken by our clock. A key picture is placed after all
// that were before it.
func (t *timeline) place(stamp uint32, received time.Time, key bool) (pts Ticks, taken time.Time) {
	if !t.begun {
		*t = timeline{begun: true, stamp: stamp, zero: received, newest: received}
		t.anchor(received, 0)
		return 0, received
	}
	pts = t.pts + Ticks(int32(stamp-t.stamp))
	late := received.Sub(t.zero.Add(pts.Duration()))
	switch {
	case t.jumps > maxJumps:
		pts = max(TicksOf(received.Sub(t.zero)), t.top+1)
		t.anchor(received, pts)
	case late > maxDrift || late < -maxDrift || pts < 0 || key && pts <= t.top:
		pts = max(TicksOf(received.Sub(t.zero)), t.top+1)
		t.zero = received.Add(-pts.Duration())
		t.anchor(received, pts)
		t.jumps++
	default:
		t.zero = t.zero.Add(late / slew)
		t.follow(received, pts)
	}
	taken = t.shot.Add(pts.Duration())
	if pts < t.top {
		if taken.After(t.newest) {
			taken = t.newest
		}
	} else {
		if taken.Before(t.newest) {
			taken = t.newest // the start was found to be earlier; what was said stays
		}
		t.newest = taken
	}
	t.stamp, t.pts, t.top = stamp, pts, max(t.top, pts)
	return pts, taken
}

// anchor says that a picture was taken when it came in.
func (t *timeline) anchor(received time.Time, pts Ticks) {
	t.shot = received.Add(-pts.Duration())
	t.since, t.least = received, 0
}

// follow moves the start: at once to where it is earlier, because no picture comes in
// before it was taken, and slowly to where it is later.
func (t *timeline) follow(received time.Time, pts Ticks) {
	late := received.Sub(t.shot.Add(pts.Duration()))
	if late < 0 {
		t.shot = t.shot.Add(late)
		late = 0
	}
	t.least = min(t.least, late)
	passed := received.Sub(t.since)
	if passed < window {
		return
	}
	if t.least < overworked {
		t.least = min(t.least, passed/crystal)
	}
	t.shot = t.shot.Add(t.least)
	t.since, t.least = received, late-t.least
}
