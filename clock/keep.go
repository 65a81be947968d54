package clock

import (
	"encoding/json"
	"errors"
	"io/fs"
	"runtime/debug"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
)

// earliest is believed to have passed wherever this program runs.
var earliest = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// mostKept is the size of the file of a clock with all its corrections, several times.
const mostKept = 64 << 10

// kept is what outlives a start. Times are microseconds.
type kept struct {
	V           int             `json:"v"`
	Boot        latchkey.BootID `json:"boot"`
	Base        int64           `json:"base"`    // the wall time less the monotonic one
	Since       int64           `json:"since"`   // the monotonic time when it was kept
	System      int64           `json:"system"`  // as Base, of the machine's own wall clock
	Follows     bool            `json:"follows"` // the wall time is the machine's
	Quality     sealed.Quality  `json:"quality"`
	Blind       bool            `json:"blind"`   // there were moments of unknown quality
	Unknown     int64           `json:"unknown"` // as Base, of those
	Corrections []Correction    `json:"corrections"`
}

// load reads what the last start kept; nothing if there is none that can be read.
func (c *Clock) load() kept {
	if c.fs == nil {
		return kept{}
	}
	b, err := durable.ReadBytes(c.fs, c.name, mostKept)
	if errors.Is(err, fs.ErrNotExist) {
		return kept{}
	}
	var k kept
	if err == nil {
		err = json.Unmarshal(b, &k)
	}
	if err == nil && (k.V != 1 || k.Quality > sealed.TimeEstimated || len(k.Corrections) > mostCorrections || k.outside()) {
		err = errors.New("it is no time of version 1")
	}
	if err != nil {
		c.log.Warn("the time of the last start cannot be read; the machine's own counts", "reason", err)
		return kept{}
	}
	return k
}

// outside says whether a time is none that this program has written.
func (k kept) outside() bool {
	for _, t := range []int64{k.Base, k.Since, k.System, k.Unknown} {
		if t > latchkey.MaxInt || t < -latchkey.MaxInt {
			return true
		}
	}
	return k.Since < 0
}

// keep writes what the next start begins with.
func (c *Clock) keep() {
	if c.fs == nil {
		return
	}
	c.mu.Lock()
	r := c.source.Read()
	c.look(r)
	now := c.stretches[len(c.stretches)-1]
	since, wall := now.at(r.Steady)
	k := kept{
		V: 1, Boot: c.boot, Base: wall - since, Since: since, System: c.system, Follows: c.follows,
		Quality: now.quality, Blind: c.blind, Unknown: c.unknown, Corrections: append([]Correction{}, c.corrections...),
	}
	c.mu.Unlock()
	b, err := json.Marshal(k)
	if err != nil {
		panic("internal error: encode the time: " + err.Error())
	}
	if err := durable.WriteBytes(c.fs, c.name, append(b, '\n')); err != nil {
		c.log.Warn("the time is not kept; a machine without a clock of its own begins with an older one", "error", err)
	}
}

// built is when this program's source was last changed, less a day.
func built() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return earliest
	}
	for _, s := range info.Settings {
		if t, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
			return t.Add(-24 * time.Hour)
		}
	}
	return earliest
}
