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
	"github.com/latchkey-cam/latchkey/internal/durable"
)

// Status is how an agent is doing. A running agent keeps it in its folder, where
// `latchkey agent status` reads it; it holds names, so it stays there.
type Status struct {
	V           int              `json:"v"`
	Running     bool             `json:"running"` // says the reader, from the folder's lock
	At          time.Time        `json:"at"`      // when it was written
	Started     time.Time        `json:"started"`
	Home        latchkey.HomeID  `json:"home"`
	HomeName    string           `json:"home_name,omitempty"`
	Agent       latchkey.AgentID `json:"agent"`
	Server      string           `json:"server"`
	Incarnation uint64           `json:"incarnation"`
	Uplink      uplink.Status    `json:"uplink"`
	Spool       spool.Status     `json:"spool"`
	Cameras     []CameraStatus   `json:"cameras"` // by name
}

// CameraStatus is how one camera is doing.
type CameraStatus struct {
	ID     latchkey.CameraID `json:"id"`
	Name   string            `json:"name"`
	State  CameraState       `json:"state"`
	Since  time.Time         `json:"since"`
	Detail string            `json:"detail,omitempty"` // for people
}

// Status says how the agent is doing.
func (a *Agent) Status() Status {
	s := Status{
		V: 1, Running: true, At: time.Now().UTC(), Started: a.began.UTC(), Home: a.identity.Home, Agent: a.keys.Agent,
		Server: a.identity.Server, Incarnation: a.start.Incarnation(),
		Uplink: a.uplink.Status(), Spool: a.spool.Status(), Cameras: []CameraStatus{},
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s.HomeName = a.homeName()
	for _, w := range a.cameras {
		s.Cameras = append(s.Cameras, CameraStatus{w.camera.ID, a.name(w.camera), w.state, w.since.UTC(), w.detail})
	}
	slices.SortFunc(s.Cameras, func(a, b CameraStatus) int {
		return strings.Compare(a.Name+a.ID.String(), b.Name+b.ID.String())
	})
	return s
}

// keepStatus writes the status whenever it has changed, at most once a second. It is
// not synced: it is worth nothing after a power cut, and disks wear.
func (a *Agent) keepStatus(ctx context.Context) error {
	var last Status
	write := func() {
		s := a.Status()
		s.At = last.At
		if last.V != 0 && same(s, last) {
			return
		}
		s.At = time.Now().UTC()
		last = s
		if err := a.writeStatus(s); err != nil {
			a.log.Warn("write the status", "error", err)
		}
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		write()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func same(a, b Status) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func (a *Agent) writeStatus(s Status) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("internal error: encode the status: " + err.Error())
	}
	temp := a.state.path(statusFile + ".new")
	if err := os.WriteFile(temp, append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(temp, a.state.path(statusFile))
}

// ReadStatus reads what the folder's agent last said of itself, and whether it runs
// now.
func ReadStatus(folder string) (Status, error) {
	var s Status
	state, err := openExisting(folder)
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
