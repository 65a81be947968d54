package agent_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/footage"
)

// filmed has the agent's folder describe a real camera whose main and sub-stream play for
// that many seconds.
func (h *house) filmed(seconds int) {
	h.t.Helper()
	state, err := agent.OpenState(h.folder)
	if err != nil {
		h.t.Fatal(err)
	}
	defer state.Close()
	film := cameratest.Encode(h.t, cameratest.Mover(320, 180, seconds, 4, 7))
	c, sub := cameratest.Serve(h.t, film, nil), cameratest.Serve(h.t, film, nil)
	c.Play(h.t, film)
	sub.Play(h.t, film)
	if _, _, err := state.AddCamera(agent.Camera{Name: "Yard", Main: c.Address(), Sub: sub.Address()}); err != nil {
		h.t.Fatal(err)
	}
}

// recorded waits until so many bytes of footage are on the disk.
func (h *house) recorded(folder string, least int64) {
	h.t.Helper()
	h.until("something is recorded", func() bool {
		if _, err := h.owner.placeAsked(h.ctx); err != nil {
			h.t.Fatal(err)
		}
		tracks := map[string]int64{}
		all, err := filepath.Glob(filepath.Join(folder, "20*", "*", "*.footage"))
		if err != nil {
			h.t.Fatal(err)
		}
		for _, name := range all {
			if info, err := os.Stat(name); err == nil {
				tracks[strings.SplitN(filepath.Base(name), "-", 2)[0]] += info.Size()
			}
		}
		return tracks["main"] > least && tracks["sub"] > least && tracks["still"] > 1000
	})
}

// checked checks all footage.
func (h *house) checked(folder string) agent.FootageCheck {
	h.t.Helper()
	r, err := agent.CheckFootage(h.ctx, h.folder, agent.FootageConfig{Folder: folder}, nil, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if !r.Whole() {
		said, err := json.MarshalIndent(r, "", " ")
		h.t.Errorf("%s %v", said, err)
	}
	return r
}

// TestFootage records a real camera's main and sub-stream and its filmstrip, ends in order,
// and everything is there.
func TestFootage(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	h.filmed(20)
	if _, err := agent.CheckFootage(h.ctx, h.folder, agent.FootageConfig{}, nil, nil); !errors.Is(err, agent.ErrNoFootage) {
		t.Errorf("a check before anything was recorded: %v", err)
	}
	a, stop := h.run(agent.Config{})
	h.recorded(filepath.Join(h.folder, "footage"), 20_000)
	if s := a.Status().Footage; s.Health != footage.HealthOK || s.Bytes == 0 || s.Lost != 0 {
		t.Errorf("status: %+v", s)
	}
	if _, err := agent.CheckFootage(h.ctx, h.folder, agent.FootageConfig{}, nil, nil); !errors.Is(err, agent.ErrRunning) {
		t.Errorf("a check while the agent runs: %v", err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if r := h.checked(""); r.Repaired != 0 || r.Segments < 3 || r.Groups < 5 {
		t.Errorf("%+v", r)
	}
}

// TestFootageAfterAKill: an agent that is killed while it records loses the group that was
// being written, and nothing else.
func TestFootageAfterAKill(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	h.filmed(20)
	p := start(t, []string{crashingFolder + "=" + h.folder, crashingJournal + "=" + realCameras}, os.Args[0])
	t.Cleanup(p.kill)
	h.recorded(filepath.Join(h.folder, "footage"), 20_000)
	p.kill()
	if r := h.checked(""); r.Repaired < 3 || r.Groups < 5 {
		t.Errorf("%+v", r)
	}
	if r := h.checked(""); r.Repaired != 0 {
		t.Errorf("a second check repairs %d", r.Repaired)
	}
	rot(t, filepath.Join(h.folder, "footage"))
	if r, err := agent.CheckFootage(h.ctx, h.folder, agent.FootageConfig{}, nil, nil); err != nil || r.Whole() || len(r.Findings) == 0 {
		t.Errorf("after a byte has rotted: %+v, %v", r, err)
	}
}

// rot changes a byte in the middle of a segment.
func rot(t *testing.T, folder string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(folder, "20*", "*", "main-*.footage"))
	if err != nil || len(all) == 0 {
		t.Fatalf("%v, %v", all, err)
	}
	b, err := os.ReadFile(all[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(all[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFootageElsewhere: a folder of its own is used as soon as it is there, and no other in
// its place, while the agent does everything else.
func TestFootageElsewhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	h.filmed(60)
	elsewhere := filepath.Join(t.TempDir(), "disk")
	c := agent.Config{Footage: agent.FootageConfig{Folder: elsewhere}}
	a, stop := h.talking(c)
	h.until("the status says that the folder is not there", func() bool {
		return a.Status().Footage.Health == footage.HealthAway
	})
	h.until("the home is told", func() bool {
		said, _, _, err := h.owner.condition(h.ctx, a.Status().Agent)
		return err == nil && said.Footage != nil && said.Footage.State == "away" && said.Footage.Says != ""
	})
	if err := os.Mkdir(elsewhere, 0o700); err != nil {
		t.Fatal(err)
	}
	h.recorded(elsewhere, 1000)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	h.checked(elsewhere)
	if err := os.Rename(elsewhere, elsewhere+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(elsewhere, 0o700); err != nil { // where it was mounted
		t.Fatal(err)
	}
	a, stop = h.run(c)
	h.until("the empty folder is not taken for it", func() bool {
		return a.Status().Footage.Health == footage.HealthAway
	})
	if left, err := os.ReadDir(elsewhere); err != nil || len(left) != 0 {
		t.Errorf("in the empty folder: %v, %v", left, err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// TestFootageDiskTrouble: whatever is wrong with the disk of the footage has a name, from
// the start on or later; events go on, and the recording begins when the disk is well.
func TestFootageDiskTrouble(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	h.filmed(90)
	var disk illness
	disk.set(func(_, _ string) error { return syscall.EROFS })
	a, stop := h.run(agent.Config{Footage: agent.FootageConfig{Disk: disk.wrap}})
	becomes := func(want footage.Health) {
		t.Helper()
		h.until("the footage is "+string(want), func() bool {
			if _, err := h.owner.placeAsked(h.ctx); err != nil {
				t.Fatal(err)
			}
			s := a.Status()
			return s.Footage.Health == want && (want == footage.HealthOK) == (want.Says() == "")
		})
	}
	becomes(footage.HealthReadOnly)
	h.until("an event is uploaded all the same", func() bool {
		if _, err := h.owner.placeAsked(h.ctx); err != nil {
			t.Fatal(err)
		}
		all, err := h.owner.look(h.ctx)
		return err == nil && len(all) > 0
	})
	disk.set(nil)
	becomes(footage.HealthOK)
	h.recorded(filepath.Join(h.folder, "footage"), 1000)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	h.checked("")
	full := agent.FootageConfig{Keep: footage.Keep{Free: 1 << 60}}
	a, stop = h.run(agent.Config{Footage: full})
	becomes(footage.HealthDiskFull)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}
