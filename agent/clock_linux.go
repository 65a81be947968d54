package agent

import (
	"encoding/hex"
	"os"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/sealed"
	"golang.org/x/sys/unix"
)

// machineClock is the kernel's: its boot ID, the time since that boot with the time
// that the machine slept, and whether the clock is held right by something (NTP, PTP,
// a GPS receiver).
func machineClock() clock {
	return clock{boot: bootID(), now: kernelNow, quality: kernelQuality}
}

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

func kernelNow() event.Moment {
	var since unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &since); err != nil {
		panic("internal error: clock since boot: " + err.Error())
	}
	return event.Moment{Wall: latchkey.TimeOf(time.Now()), Monotonic: uint64(since.Nano() / 1000)}
}

func kernelQuality() sealed.Quality {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return sealed.TimeUnknown
	}
	if t.Status&unix.STA_UNSYNC != 0 {
		return sealed.TimeEstimated
	}
	return sealed.TimeSynchronised
}
