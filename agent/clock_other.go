//go:build !linux

package agent

import (
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/sealed"
)

// machineClock counts from the start of this program, which is given a boot ID of its
// own: not every system says when it booted, or whether its clock is right.
func machineClock() clock {
	start := time.Now()
	return clock{
		boot: latchkey.NewBootID(),
		now: func() event.Moment {
			now := time.Now()
			return event.Moment{Wall: latchkey.TimeOf(now), Monotonic: uint64(now.Sub(start).Microseconds())}
		},
		quality: func() sealed.Quality { return sealed.TimeUnknown },
	}
}
