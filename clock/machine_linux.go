package clock

import (
	"encoding/hex"
	"os"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
	"golang.org/x/sys/unix"
)

// machine is the kernel's clocks.
type machine struct{ boot latchkey.BootID }

// Machine returns the clocks of this machine.
func Machine() Source { return machine{bootID()} }

func bootID() latchkey.BootID {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return latchkey.NewBootID() // one for each start says less, and nothing wrong
	}
	id, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(string(text)), "-", ""))
	if err != nil || len(id) != len(latchkey.BootID{}) {
		return latchkey.NewBootID()
	}
	return latchkey.BootID(id)
}

// Boot is [Source]'s.
func (m machine) Boot() latchkey.BootID { return m.boot }

// Read is [Source]'s. A program can be held up between the reading of two clocks, so it
// is done again until it was quick.
func (m machine) Read() Reading {
	r := Reading{Synchronised: synchronised()}
	for range 20 {
		before := sinceBoot()
		r.Steady = time.Now()
		r.Wall, r.SinceBoot = r.Steady.Round(0), before
		if sinceBoot()-before < 5*time.Millisecond {
			break
		}
	}
	return r
}

func sinceBoot() time.Duration {
	var since unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &since); err != nil {
		panic("internal error: clock since boot: " + err.Error())
	}
	return time.Duration(since.Nano())
}

func synchronised() bool {
	var t unix.Timex
	_, err := unix.Adjtimex(&t)
	return err == nil && t.Status&unix.STA_UNSYNC == 0
}
