package agent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/letter"
	"image/jpeg"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

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
	h.until("the camera has sent for two seconds", func() bool {
		if _, err := h.owner.placeAsked(h.ctx); err != nil {
			t.Fatal(err)
		}
		s := a.Status()
		return len(s.Cameras) == 1 && s.Cameras[0].Recording && time.Since(s.Cameras[0].Since) > 3*time.Second
	})
	there := now()
	if err := os.Mkdir(elsewhere, 0o700); err != nil {
		t.Fatal(err)
	}
	h.recorded(elsewhere, 1000)
	camera := a.Status().Cameras[0].ID
	lines, ok := h.do(a, letter.Timeline{Cameras: []latchkey.CameraID{camera}, Track: "main", Stretch: letter.Stretch{From: there - 60_000_000, Until: there}}).(letter.Timelines)
	if !ok || !slices.ContainsFunc(lines.Cameras[0].Holes, func(h letter.Hole) bool {
		return h.Reason == "away" && h.Loss && h.From > there-10_000_000 && h.Until > there-1_000_000
	}) {
		t.Errorf("while the disk was away from the start on: %+v", lines)
	}
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

// TestFootageByCommand reads timeline, stills and pictures of a real camera as a page does,
// piece by piece, and nothing of it from a frozen home.
func TestFootageByCommand(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	h.filmed(30)
	a, _ := h.talking(agent.Config{})
	h.recorded(filepath.Join(h.folder, "footage"), 40_000)
	camera := a.Status().Cameras[0].ID
	now := latchkey.TimeOf(time.Now())
	of := letter.Of{Camera: camera, Stretch: letter.Stretch{From: now - 60_000_000, Until: now + 60_000_000}}

	lines, ok := h.do(a, letter.Timeline{Cameras: []latchkey.CameraID{camera}, Track: "main", Stretch: of.Stretch}).(letter.Timelines)
	if !ok || len(lines.Cameras) != 1 || len(lines.Cameras[0].Pictures) == 0 || len(lines.Cameras[0].Holes) == 0 {
		t.Fatalf("timeline: %+v", lines)
	}
	strip, ok := h.do(a, letter.Stills{Of: of, Most: 12}).(letter.Strip)
	if !ok || len(strip.Stills) == 0 || strip.Until != of.Until {
		t.Fatalf("stills: %d", len(strip.Stills))
	}
	if size, err := jpeg.DecodeConfig(bytes.NewReader(strip.Stills[0].JPEG)); err != nil || size.Width != 320 {
		t.Errorf("a still: %+v, %v", size, err)
	}
	film, again := h.film(a, of, 10_000), h.film(a, of, letter.MaxCarried)
	if len(film) < 20_000 || !bytes.HasPrefix(again, film) {
		t.Error("in small pieces it is another film")
	}
	probe := exec.CommandContext(h.ctx, "ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets,start_time", "-of", "csv=p=0", "-")
	probe.Stdin = bytes.NewReader(film)
	said, err := probe.CombinedOutput()
	start, packets := 0.0, 0
	if _, e := fmt.Sscanf(string(said), "%f,%d", &start, &packets); err != nil || e != nil || packets < 30 {
		t.Errorf("ffprobe: %q %v %v", said, err, e)
	}
	if first := float64(lines.Cameras[0].Pictures[0].From) / 1e6; math.Abs(start-first) > 0.2 {
		t.Errorf("on the axis it begins at %f, by the timeline at %f", start, first)
	}

	h.do(a, letter.Save{Of: of})
	saved := func(from, until latchkey.Time) []letter.Stretch {
		t.Helper()
		lines, _ := h.do(a, letter.Timeline{Cameras: []latchkey.CameraID{camera}, Track: "main", Stretch: letter.Stretch{From: from, Until: until}}).(letter.Timelines)
		if len(lines.Cameras) != 1 {
			t.Fatalf("%+v", lines)
		}
		return lines.Cameras[0].Saved
	}
	// Of a time that has only a part of it, it is said whole: by that it is let go of.
	if s := saved(of.Until-1, of.Until+1); !slices.Equal(s, []letter.Stretch{of.Stretch}) {
		t.Errorf("saved: %v", s)
	}
	if s := slices.Concat(saved(of.From-1, of.From), saved(of.Until, of.Until+1)); len(s) != 0 {
		t.Errorf("saved beside it: %v", s)
	}
	h.do(a, letter.Unsave{Of: letter.Of{Camera: camera, Stretch: saved(of.From, of.From+1)[0]}})
	if s := saved(of.From, of.Until); len(s) != 0 {
		t.Errorf("after it was let go of: %v", s)
	}
	h.do(a, letter.Save{Of: of})
	h.fails(a, "unknown-camera", letter.Footage{Of: letter.Of{Camera: latchkey.NewCameraID(), Stretch: of.Stretch}, Track: "main", Most: 1})
	h.do(a, letter.DeleteFootage{Of: letter.Of{Camera: camera, Stretch: letter.Stretch{From: of.From, Until: now - 1}}})
	lines, _ = h.do(a, letter.Timeline{Cameras: []latchkey.CameraID{camera}, Track: "main", Stretch: letter.Stretch{From: of.From, Until: now - 2_000_000}}).(letter.Timelines)
	if len(lines.Cameras) != 1 || len(lines.Cameras[0].Pictures) != 0 || len(lines.Cameras[0].Saved) != 0 {
		t.Errorf("after it was deleted: %+v", lines)
	}
	if err := h.owner.say(h.ctx, deed.FreezeBody{}); err != nil {
		t.Fatal(err)
	}
	h.until("the agent knows", func() bool {
		r, err := h.owner.command(h.ctx, a.Status().Agent, letter.Stills{Of: of, Most: 1})
		f, failed := r.(letter.Failure)
		return err == nil && failed && f.Reason == "frozen"
	})
	for _, c := range []letter.Command{
		letter.Timeline{Cameras: []latchkey.CameraID{camera}, Track: "main", Stretch: of.Stretch}, letter.Footage{Of: of, Track: "main", Most: 1},
		letter.Unsave{Of: of}, letter.DeleteFootage{Of: of},
	} {
		h.fails(a, "frozen", c)
	}
}

// film asks for everything of a stretch, so many bytes at a time.
func (h *house) film(a *agent.Agent, of letter.Of, most int64) (film []byte) {
	h.t.Helper()
	ask := letter.Footage{Of: of, Track: "main", Most: most}
	for {
		r, ok := h.do(a, ask).(letter.Pieces)
		if !ok || film != nil && r.More && len(r.Pieces) == 0 {
			h.t.Fatalf("footage: %+v", r)
		}
		if film == nil {
			film = bytes.Clone(r.Init)
		}
		for _, p := range r.Pieces {
			film = append(film, p.Bytes...)
		}
		if !r.More {
			return film
		}
		ask.Group, ask.Offset = r.Group, r.Offset
	}
}
