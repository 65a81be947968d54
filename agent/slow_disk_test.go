package agent_test

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/sealed"
)

// hanging is a disk that answers nothing as long as a test says so. It stands in for one of a
// network whose server is away: no real one can be made to hang by whoever is not root.
type hanging struct {
	durable.FS
	*hang
}

type hang struct {
	mu    sync.Mutex    // protects until
	until chan struct{} // nil if it answers
}

func (h *hang) wrap(f durable.FS) durable.FS { return hanging{f, h} }

// begin has it hang until the function that it returns is called.
func (h *hang) begin() (end func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	until := make(chan struct{})
	h.until = until
	return sync.OnceFunc(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.until = nil
		close(until)
	})
}

func (h *hang) wait() {
	h.mu.Lock()
	until := h.until
	h.mu.Unlock()
	if until != nil {
		<-until
	}
}

func (h hanging) OpenFile(name string, flag int) (durable.File, error) {
	h.wait()
	f, err := h.FS.OpenFile(name, flag)
	if err != nil {
		return nil, err
	}
	return hangingFile{f, h.hang}, nil
}

type hangingFile struct {
	durable.File
	*hang
}

func (f hangingFile) Write(p []byte) (int, error) {
	f.wait()
	return f.File.Write(p)
}

func (f hangingFile) Sync() error {
	f.wait()
	return f.File.Sync()
}

// TestFootageDiskHangs: a disk that does not answer, under a camera that sends more than waits
// in memory. The home is told, live view and events go on, the timeline answers, and when the
// disk answers it is recorded again and what is missing is said.
func TestFootageDiskHangs(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	noise := cameratest.Encode(t, "testsrc2=size=512x288:rate=15:duration=1,noise=alls=100:allf=t", "-crf", "0")
	walk := cameratest.Encode(t, cameratest.Mover(320, 180, 12, 4, 5))
	main, sub := cameratest.Serve(t, noise, nil), cameratest.Serve(t, walk, nil)
	main.Play(t, slices.Repeat([]cameratest.Film{noise}, 120)...)
	sub.Play(t, slices.Repeat([]cameratest.Film{walk}, 10)...)
	state, err := agent.OpenState(h.folder)
	if err != nil {
		t.Fatal(err)
	}
	added, _, err := state.AddCamera(agent.Camera{Name: "Yard", Main: main.Address(), Sub: sub.Address()})
	if err != nil {
		t.Fatal(err)
	}
	state.Close()
	var disk hang
	began := now()
	a, stop := h.talking(agent.Config{Footage: agent.FootageConfig{Disk: disk.wrap}})
	h.recorded(filepath.Join(h.folder, "footage"), 1000)

	answer := disk.begin()
	defer answer()
	h.until("the home is told that the disk does not keep up", func() bool {
		said, _, _, err := h.owner.condition(h.ctx, a.Status().Agent)
		return err == nil && said.Footage != nil && said.Footage.State == string(footage.HealthSlow) && said.Footage.Says == footage.HealthSlow.Says()
	})
	_, device := h.owner.Device()
	screen := h.watch(h.owner, device, added.ID, sealed.SubStream)
	screen.plays(5)
	screen.socket.Close()
	h.until("an event is uploaded", func() bool { return a.Status().Uplink.Uploaded > 0 })
	line := func() letter.CameraTimeline {
		lines, ok := h.do(a, letter.Timeline{Cameras: []latchkey.CameraID{added.ID}, Track: "main", Stretch: letter.Stretch{From: began, Until: now()}}).(letter.Timelines)
		if !ok || len(lines.Cameras) != 1 {
			t.Fatalf("timeline: %+v", lines)
		}
		return lines.Cameras[0]
	}
	slow := func(hole letter.Hole) bool { return hole.Reason == "slow" && hole.Loss && hole.Says != "" }
	if l := line(); !slices.ContainsFunc(l.Holes, slow) {
		t.Errorf("the timeline says %+v", l.Holes)
	}
	answer()
	h.until("it is recorded again", func() bool {
		l := line()
		i := slices.IndexFunc(l.Holes, slow)
		return i >= 0 && slices.ContainsFunc(l.Pictures, func(s letter.Stretch) bool { return s.From >= l.Holes[i].Until })
	})

	if os.Getenv("LATCHKEY_LONG") != "" { // it takes half a minute
		defer disk.begin()()
		go h.owner.command(h.ctx, a.Status().Agent, letter.Stills{Of: letter.Of{Camera: added.ID, Stretch: letter.Stretch{From: began, Until: now()}}, Most: 1})
		time.Sleep(time.Second)
		ended := make(chan error, 1)
		go func() { ended <- stop() }()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("while its disk hangs the agent does not end")
		}
	} else if err := stop(); err != nil {
		t.Error(err)
	}
	h.checked("")
}
