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
	// crystals that differ do not add up to maxDrift within a day. The guess when a
	// picture was taken follows faster: a camera that is overworked sends fewer
	// pictures than its stamps say.
	slew, slewTaken = 512, 64
)

// timeline turns the 32-bit stamps of RTP into times that start at 0 and never leap.
// The camera's clock gives the distance between pictures as long as it agrees with
// ours to within maxDrift; when it does not, one distance is taken from our clock and
// the camera's is followed again from there, and after maxJumps of those ours alone
// counts. So stamps that wrap, leap, stand still or run at another rate all end in a
// stream that lasts about as long as it really did.
type timeline struct {
	begun bool
	jumps int
	stamp uint32    // the last one
	pts   Ticks     // that it was given
	top   Ticks     // the greatest given
	zero  time.Time // by our clock, when PTS 0 would come in if nothing is late or early
	shot  time.Time // by our clock, when a picture of PTS 0 was taken: as the least late picture says
}

// place returns the time in the stream of a picture with this stamp that came in at
// received, and when it was taken by our clock. A key picture is placed after all
// that were before it.
func (t *timeline) place(stamp uint32, received time.Time, key bool) (pts Ticks, taken time.Time) {
	if !t.begun {
		*t = timeline{begun: true, stamp: stamp, zero: received, shot: received}
		return 0, received
	}
	pts = t.pts + Ticks(int32(stamp-t.stamp))
	late := received.Sub(t.zero.Add(pts.Duration()))
	switch {
	case t.jumps > maxJumps:
		pts = max(TicksOf(received.Sub(t.zero)), t.top+1)
		t.shot = received.Add(-pts.Duration())
	case late > maxDrift || late < -maxDrift || pts < 0 || key && pts <= t.top:
		pts = max(TicksOf(received.Sub(t.zero)), t.top+1)
		t.zero = received.Add(-pts.Duration())
		t.shot = t.zero
		t.jumps++
	default:
		t.zero = t.zero.Add(late / slew)
		t.shot = t.shot.Add(received.Sub(t.shot.Add(pts.Duration())) / slewTaken)
	}
	if early := t.shot.Add(pts.Duration()).Sub(received); early > 0 {
		t.shot = t.shot.Add(-early) // no picture comes in before it was taken
	}
	t.stamp, t.pts, t.top = stamp, pts, max(t.top, pts)
	return pts, t.shot.Add(pts.Duration())
}
