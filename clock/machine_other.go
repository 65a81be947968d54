//go:build !linux

package clock

import (
	"time"

	"github.com/latchkey-cam/latchkey"
)

// machine counts from the start of this program, which is given a boot ID of its own:
// not every system says when it booted, or whether its clock is right.
type machine struct {
	boot  latchkey.BootID
	start time.Time
}

// Machine returns the clocks of this machine.
func Machine() Source { return machine{latchkey.NewBootID(), time.Now()} }

// Boot is [Source]'s.
func (m machine) Boot() latchkey.BootID { return m.boot }

// Read is [Source]'s.
func (m machine) Read() Reading {
	now := time.Now()
	return Reading{Steady: now, Wall: now.Round(0), SinceBoot: now.Sub(m.start)}
}
