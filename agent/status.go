package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/letter"
)

// Status is how an agent is doing. A running agent keeps it in its folder, where
// `latchkey agent status` reads it; it holds names, so it stays there.
type Status struct {
	V        int             `json:"v"`
	Running  bool            `json:"running"` // says the reader, from the folder's lock
	At       time.Time       `json:"at"`      // when it was written
	Started  time.Time       `json:"started"`
	Home     latchkey.HomeID `json:"home"`
	HomeName string          `json:"home_name,omitempty"`
	HomeStatus
	Agent       latchkey.AgentID `json:"agent"`
	Server      string           `json:"server"`
	Incarnation uint64           `json:"incarnation"`
	Uplink      uplink.Status    `json:"uplink"`
	Spool       spool.Status     `json:"spool"`
	Footage     footage.Status   `json:"footage"`
	Disk        DiskStatus       `json:"disk"`
	Clock       ClockStatus      `json:"clock"`
	Cameras     []CameraStatus   `json:"cameras"` // by name
}

// DiskStatus is the spool's disk.
type DiskStatus struct {
	Free int64 `json:"free"` // bytes, -1 if nobody knows
}

// ClockStatus says how far the agent's clock can be believed.
type ClockStatus struct {
	Quality     letter.Quality     `json:"quality"`
	Corrections []clock.Correction `json:"corrections,omitempty"`
}

// CameraStatus is how one camera is doing.
type CameraStatus struct {
	ID        latchkey.CameraID `json:"id"`
	Name      string            `json:"name"`
	State     CameraState       `json:"state"`
	Recording bool              `json:"recording"`        // pictures come in, and would be kept if something moved
	Since     time.Time         `json:"since"`            // of the state
	Detail    string            `json:"detail,omitempty"` // for people
	Until     time.Time         `json:"until,omitzero"`   // of state off: when it is to be on again
	Last      time.Time         `json:"last,omitzero"`    // the last good picture
	Width     int               `json:"width,omitempty"`
	Height    int               `json:"height,omitempty"`
	Codec     string            `json:"codec,omitempty"`
	Rate      float64           `json:"rate,omitempty"` // pictures a second, as they come
	Audio     string            `json:"audio,omitempty"`
	Motion    string            `json:"motion,omitempty"` // why motion is not looked for, for people
	Events    int               `json:"events_24h"`
}

// Status says how the agent is doing.
func (a *Agent) Status() Status {
	s := Status{
		V: 1, Running: true, At: time.Now(), Started: a.began, Home: a.identity.Home, Agent: a.keys.Agent,
		Server: a.identity.Server, Incarnation: a.start.Incarnation(),
		Uplink: a.uplink.Status(), Spool: a.spool.Status(), Footage: a.archive.status(), Cameras: []CameraStatus{},
		HomeStatus: homeStatus(a.identity.Home, a.chain.Title()),
		Clock:      ClockStatus{Quality: qualities[a.clock.Now().Quality], Corrections: a.clock.Corrections()},
	}
	s.Disk.Free = a.state.dir.lastFree.Load() - 1
	a.mu.Lock()
	defer a.mu.Unlock()
	s.HomeName = a.homeName()
	for _, w := range a.cameras {
		s.Cameras = append(s.Cameras, a.cameraStatus(w, s.Spool))
	}
	slices.SortFunc(s.Cameras, func(a, b CameraStatus) int {
		return strings.Compare(a.Name+a.ID.String(), b.Name+b.ID.String())
	})
	return s
}

// cameraStatus is a camera's. Its caller holds the lock.
func (a *Agent) cameraStatus(w *watched, kept spool.Status) CameraStatus {
	c := CameraStatus{ID: w.camera.ID, Name: a.name(w.camera), State: w.state, Since: w.since, Detail: w.detail, Until: w.until}
	said := w.said.Load()
	if said == nil {
		return c
	}
	c.Events, c.Last = said.Day, said.Last
	m := said.Main
	if w.stop == nil || w.state != CameraState(m.State) {
		return c // that was before
	}
	c.Recording = said.Recording
	c.Width, c.Height, c.Codec, c.Rate, c.Audio = m.Width, m.Height, m.Codec, m.Rate, m.Audio
	switch {
	case kept.Health == spool.Slow:
		c.Detail = kept.Says()
	case kept.Health != spool.Healthy:
		c.Recording, c.Detail = false, "Pictures come in and cannot be kept. "+kept.Says()
	case c.Recording && (said.Motion != nil || !said.Looking):
		c.Motion = said.Says()
	}
	return c
}

// statusEvery is how often the status is written although nothing has changed but the
// numbers that always do.
const statusEvery = 10 * time.Second

// keepStatus writes the status whenever it has changed, at most once a second, and
// tells the home. The file is not synced: it is worth nothing after a power cut, and
// disks wear.
func (a *Agent) keepStatus(ctx context.Context) error {
	var last Status
	var told string // what the home was told last
	var at time.Time
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		s := a.Status()
		if news := a.news(s); news != told && time.Since(at) >= tellEvery {
			told, at = news, time.Now()
			a.uplink.Tell()
		}
		if s.differs(last) || s.At.Sub(last.At) >= statusEvery {
			last = s
			if err := a.writeStatus(s); err != nil {
				a.log.Warn("write the status", "error", err)
			}
		}
		select {
		case <-ctx.Done(): // the last word is why it ended
			if err := a.writeStatus(a.Status()); err != nil {
				a.log.Warn("write the status", "error", err)
			}
			return nil
		case <-tick.C:
		}
	}
}

// tellEvery is how often the home is told of changes at most.
const tellEvery = 2 * time.Second

// differs says whether one status says something else than the other, beside the
// numbers that change all the time.
func (s Status) differs(other Status) bool {
	steady := func(s Status) string {
		s.At, s.Disk.Free, s.Spool.Bytes = time.Time{}, 0, 0
		s.Footage.Bytes, s.Footage.Segments, s.Footage.Lost = 0, 0, 0
		s.Cameras = slices.Clone(s.Cameras)
		for i := range s.Cameras {
			s.Cameras[i].Last, s.Cameras[i].Rate = time.Time{}, 0
		}
		b, err := json.Marshal(s)
		if err != nil {
			panic("internal error: encode the status: " + err.Error())
		}
		return string(b)
	}
	return steady(s) != steady(other)
}

func (a *Agent) writeStatus(s Status) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("internal error: encode the status: " + err.Error())
	}
	f, err := a.state.dir.OpenFile(statusFile+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return a.state.dir.Rename(statusFile+".new", statusFile)
}

// ReadStatus reads what the folder's agent last said of itself, and whether it runs
// now.
func ReadStatus(folder string) (Status, error) {
	var s Status
	state, err := openExisting(folder, nil)
	if err != nil {
		return s, err
	}
	defer state.Close() // nothing was written
	id, err := state.identity()
	if err != nil {
		return s, err
	}
	b, err := durable.ReadBytes(state.dir, statusFile, 4<<20)
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("read the agent's status: %w", err)
	}
	s.Home, s.Server, s.V = id.Home, id.Server, 1
	s.Fingerprint = homeStatus(id.Home, nil).Fingerprint
	l, err := takeLock(folder, lockFile, false)
	s.Running = errors.Is(err, errLocked)
	if err == nil {
		return s, l.release()
	}
	if !s.Running {
		return s, err
	}
	return s, nil
}
