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

// Read is [Source]'s.
func (m machine) Read() Reading {
	var since unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &since); err != nil {
		panic("internal error: clock since boot: " + err.Error())
	}
	now := time.Now()
	return Reading{Steady: now, Wall: now.Round(0), SinceBoot: time.Duration(since.Nano()), Synchronised: synchronised()}
}

func synchronised() bool {
	var t unix.Timex
	_, err := unix.Adjtimex(&t)
	return err == nil && t.Status&unix.STA_UNSYNC == 0
}
