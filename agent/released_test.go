package agent_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
)

// startUp starts an agent and returns what its run ends with.
func (h *house) startUp(c agent.Config) (*agent.Agent, <-chan error) {
	h.t.Helper()
	c.Folder, c.Retry = h.folder, 10*time.Millisecond
	a, err := agent.New(h.ctx, c)
	if err != nil {
		h.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(a.Run(h.ctx), a.Close()) }()
	return a, ended
}

// TestReleased: an agent that the home has released stops by itself, whether it hears of
// it at once or when it comes back. It keeps what it has and uploads nothing of it; its
// status says what to do; and it is told no deed that came after.
func TestReleased(t *testing.T) {
	for name, away := range map[string]bool{"at once": false, "while it was away": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t).joined()
			l := newLine(t, strings.TrimPrefix(h.server.Origin, "http://"))
			o := newOnDemand()
			h.describe("Yard")
			a, ended := h.startUp(agent.Config{HTTP: l.client(), Watch: o.watch})
			h.until("it is placed", func() bool { h.owner.placeAsked(h.ctx); return o.watches.Load() > 0 })
			if err := o.one(); err != nil {
				t.Fatal(err)
			}
			h.arrived(a, o)
			if away {
				l.is(quality{portal: true})
				l.cut()
				h.until("it is away", func() bool { return a.Status().Uplink.State == uplink.Waiting })
				if err := o.one(); err != nil {
					t.Fatal(err)
				}
			}
			id := a.Status().Agent
			if err := h.owner.say(h.ctx, deed.ReleaseAgentBody{Agent: id}); err != nil {
				t.Fatal(err)
			}
			released := h.owner.Title().Head()
			if err := h.owner.say(h.ctx, deed.FreezeBody{}); err != nil {
				t.Fatal(err)
			}
			l.is(quality{})
			if err := <-ended; !errors.Is(err, uplink.ErrReleased) {
				t.Fatalf("it ends with %v", err)
			}
			s, err := agent.ReadStatus(h.folder)
			if err != nil || s.Running || s.Uplink.State != uplink.Released || !strings.Contains(s.Uplink.Detail, "another folder") {
				t.Errorf("status %+v, %v", s, err)
			}
			if got := a.Status(); got.Head != released.String() || (got.Spool.Objects == 3) != away {
				t.Errorf("it knows deed %s, want %s; %d objects wait", got.Head, released, got.Spool.Objects)
			}
			if files, err := os.ReadDir(filepath.Join(h.folder, "spool")); err != nil || away != (len(files) > 1) {
				t.Errorf("its folder holds %d files of the spool, %v", len(files), err)
			}
			if _, err := agent.New(h.ctx, agent.Config{Folder: h.folder}); !errors.Is(err, uplink.ErrReleased) {
				t.Errorf("started again: %v", err)
			}
			if all, err := h.owner.look(h.ctx); err == nil || len(all) > 1 { // it is frozen
				t.Errorf("%d events, %v", len(all), err)
			}
		})
	}
}

// TestCameraReleased: a camera that the home has released is not recorded, is shown as
// released, and asks nobody to be placed again; the others go on, and what it had
// recorded before is uploaded.
func TestCameraReleased(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	yard, shed := h.describe("Yard"), h.describe("Shed")
	a, _ := h.run(agent.Config{Watch: idle})
	placed := 0
	h.until("both are placed", func() bool {
		names, err := h.owner.placeAsked(h.ctx)
		placed += len(names)
		return err == nil && placed == 2
	})
	h.until("both are watched", func() bool {
		return stateOf(a, yard.ID).State == agent.CameraStarting && stateOf(a, shed.ID).State == agent.CameraStarting
	})
	if err := h.owner.say(h.ctx, deed.ReleaseCameraBody{Camera: shed.ID}); err != nil {
		t.Fatal(err)
	}
	h.until("it is released", func() bool {
		s := stateOf(a, shed.ID)
		return s.State == agent.CameraReleased && !s.Recording && s.Detail != ""
	})
	time.Sleep(50 * time.Millisecond)
	if names, err := h.owner.placeAsked(h.ctx); len(names) != 0 || err != nil {
		t.Errorf("it asks for %v, %v", names, err)
	}
	if s := stateOf(a, yard.ID); s.State != agent.CameraStarting || a.Status().Uplink.State != uplink.Connected {
		t.Errorf("the other camera is %s", s.State)
	}
	if _, err := os.Stat(filepath.Join(h.folder, "cameras", shed.ID.String()+".json")); err != nil {
		t.Errorf("its description: %v", err)
	}
}

// TestReplacedCopy: a copy of an agent whose place was given to another learns it, and
// says what to do.
func TestReplacedCopy(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	h.describe("Yard")
	o := newOnDemand()
	a, ended := h.startUp(agent.Config{Watch: o.watch})
	h.until("it is placed", func() bool { h.owner.placeAsked(h.ctx); return o.watches.Load() > 0 })
	other, err := key.NewAgentKeys()
	if err != nil {
		t.Fatal(err)
	}
	other.Agent = a.Status().Agent
	if err := h.owner.say(h.ctx, deed.ReplaceAgentBody{AgentBody: other.Body()}); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, uplink.ErrCloned) || !strings.Contains(err.Error(), "join --replace") {
		t.Errorf("it ends with %v", err)
	}
	if _, err := agent.New(h.ctx, agent.Config{Folder: h.folder}); !errors.Is(err, uplink.ErrCloned) {
		t.Errorf("started again: %v", err)
	}
}
