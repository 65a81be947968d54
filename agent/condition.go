package agent

import (
	"cmp"
	"encoding/json"
	"os"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/sealed"
)

var qualities = map[sealed.Quality]letter.Quality{
	sealed.TimeUnknown: letter.Unknown, sealed.TimeSynchronised: letter.Synchronised, sealed.TimeEstimated: letter.Estimated,
}

// defaultSpool is the spool's own default.
const defaultSpool = 8 << 30

// condition seals how the agent is, for the home's people.
func (a *Agent) condition(t *deed.Title) ([]byte, error) {
	number := a.conditions.Add(1)
	return letter.SealCondition(a.keys, t, a.start.Incarnation(), number, a.clock.Now().Wall, a.conditionOf(a.Status()))
}

func (a *Agent) conditionOf(s Status) letter.Condition {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	c := letter.Condition{
		Version: a.config.Version, Name: host, Started: a.timeOf(s.Started), Clock: letter.Clock{Quality: s.Clock.Quality},
		Spool: letter.Spool{Objects: int64(s.Spool.Objects), Bytes: s.Spool.Bytes, Limit: cmp.Or(a.config.SpoolBytes, defaultSpool), Says: s.Spool.Says()},
		Disk:  letter.Disk{Free: max(0, s.Disk.Free)},
	}
	c.Footage = &letter.Kept{
		Bytes: s.Footage.Bytes, Limit: a.config.Footage.Keep.Bytes, State: string(s.Footage.Health), Says: s.Footage.Health.Says(),
	}
	if !s.Footage.Until.IsZero() {
		c.Footage.Lost = latchkey.TimeOf(s.Footage.Until)
	}
	for _, k := range s.Clock.Corrections {
		c.Clock.Boots = append(c.Clock.Boots, letter.Boot{Boot: k.Boot, Correction: k.By})
	}
	for _, k := range s.Cameras {
		c.Cameras = append(c.Cameras, letter.CameraCondition{
			Camera: k.ID, State: string(k.State), Recording: k.Recording, Since: a.timeOf(k.Since), Says: k.Detail, Last: a.timeOf(k.Last),
			Width: int64(k.Width), Height: int64(k.Height), Codec: k.Codec, Rate: k.Rate, Audio: k.Audio, Motion: k.Motion, Events24H: int64(k.Events),
		})
	}
	return c
}

// news is what the home is told at once when it changes: all but the numbers that
// change all the time.
func (a *Agent) news(s Status) string {
	c := a.conditionOf(s)
	c.Spool.Objects, c.Spool.Bytes, c.Disk.Free, c.Footage.Bytes = 0, 0, 0, 0
	c.Footage.Lost = min(c.Footage.Lost, 1) // that something is
	for i := range c.Cameras {
		c.Cameras[i].Last, c.Cameras[i].Rate, c.Cameras[i].Events24H = 0, 0, 0
	}
	b, err := json.Marshal(c)
	if err != nil {
		panic("internal error: encode a condition: " + err.Error())
	}
	return string(b)
}

// timeOf says when something was, as the agent's clock knows it by now; 0 is never.
func (a *Agent) timeOf(t time.Time) latchkey.Time {
	if t.IsZero() {
		return 0
	}
	return a.clock.At(t).Wall
}
