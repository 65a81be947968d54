package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/settings"
)

// once is a camera in which one thing happens.
func once(happened chan<- latchkey.EventID) func(context.Context, event.Config) error {
	return func(ctx context.Context, c event.Config) error {
		c.Status(event.Status{Camera: c.Camera, Main: camera.Status{State: camera.Receiving}, Looking: true})
		id, began, ended := happen(ctx, c)
		if err := errors.Join(began, ended); err != nil {
			return err
		}
		happened <- id
		<-ctx.Done()
		return nil
	}
}

// TestFromCameraToMember goes the whole way with a real server: join, describe a
// camera, ask, be given it, record, upload, list, open.
func TestFromCameraToMember(t *testing.T) {
	h := newHouse(t).joined()
	happened := make(chan latchkey.EventID, 1)
	a, stop := h.run(agent.Config{Watch: once(happened)})
	h.until("the agent connects", func() bool { return a.Status().Uplink.State == uplink.Connected })
	described := h.describe("Front door")
	var names map[latchkey.CameraID]string
	h.until("the owner is asked", func() bool {
		var err error
		if names, err = h.owner.placeAsked(h.ctx); err != nil {
			t.Fatal(err)
		}
		return len(names) > 0
	})
	if diff := cmp.Diff(map[latchkey.CameraID]string{described.ID: "Front door"}, names); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	id := <-happened
	h.until("everything is uploaded", func() bool { return drained(a) })
	all, err := h.owner.look(h.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := whole(id, all[id], latchkey.Thumbnail, latchkey.Description, latchkey.Clip); err != nil || len(all) != 1 {
		t.Errorf("%d events; %v", len(all), err)
	}
	for _, o := range all[id] {
		if o.binding.Incarnation != a.Status().Incarnation || o.binding.Camera != described.ID || o.binding.Event != id {
			t.Errorf("binding %+v", o.binding)
		}
	}
	if asks, err := h.owner.home.Asks(h.ctx); err != nil || len(asks) != 0 {
		t.Errorf("%d asks are left, %v", len(asks), err)
	}
	s := a.Status()
	if len(s.Cameras) != 1 || s.Cameras[0].State != agent.CameraReceiving || s.Cameras[0].Name != "Front door" {
		t.Errorf("cameras %+v", s.Cameras)
	}
	h.until("the status is written", func() bool {
		read, err := agent.ReadStatus(h.folder)
		return err == nil && read.Running && read.Uplink.Uploaded == 3
	})
	if err := stop(); err != nil {
		t.Errorf("the agent ended with %v", err)
	}
	if read, err := agent.ReadStatus(h.folder); err != nil || read.Running {
		t.Errorf("status of an agent that has ended: running %t, %v", read.Running, err)
	}
}

// TestStagesAreLogged: a bench reads how long each step of an event takes.
func TestStagesAreLogged(t *testing.T) {
	h := newHouse(t).joined()
	var log lines
	happened := make(chan latchkey.EventID, 1)
	a, _ := h.run(agent.Config{Watch: once(happened), Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	h.describe("Front door")
	h.until("the camera is placed", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) > 0 })
	id := <-happened
	h.until("everything is uploaded", func() bool { return drained(a) })
	got := map[string]int{}
	for line := range strings.Lines(log.String()) {
		var stage struct {
			Msg, Stage, Event, Kind, Object, Camera string
			At, Moving, Received, Decided, Still    uint64
		}
		if err := json.Unmarshal([]byte(line), &stage); err != nil {
			t.Fatal(err)
		}
		if stage.Msg != "stage" || stage.Event != id.String() {
			continue
		}
		got[stage.Stage+" "+stage.Kind]++
		if stage.At == 0 || stage.Object == "" || stage.Camera == "" || stage.Stage == "sealed" && stage.At < stage.Moving {
			t.Errorf("line %s", line)
		}
	}
	want := map[string]int{
		"sealed thumbnail": 1, "sealed clip": 1, "sealed description": 1,
		"acknowledged thumbnail": 1, "acknowledged clip": 1, "acknowledged description": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// lines is a log in memory.
type lines struct {
	mu sync.Mutex // protects b
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestCamerasAreApart: one that panics and one whose watcher gives up are started
// again, and the third does not notice.
func TestCamerasAreApart(t *testing.T) {
	h := newHouse(t).joined()
	happened := make(chan latchkey.EventID, 8)
	var mu sync.Mutex
	starts := map[string]int{}
	good := once(happened)
	a, _ := h.run(agent.Config{Watch: func(ctx context.Context, c event.Config) error {
		mu.Lock()
		starts[c.Main]++
		mu.Unlock()
		switch {
		case strings.HasSuffix(c.Main, "panics"):
			var none *event.Event
			return errors.New(none.Cause)
		case strings.HasSuffix(c.Main, "ends"):
			return errors.New("nothing to see here")
		}
		return good(ctx, c)
	}})
	for _, name := range []string{"panics", "ends", "good"} {
		h.describe(name)
	}
	placed := 0
	h.until("all are placed", func() bool {
		names, err := h.owner.placeAsked(h.ctx)
		placed += len(names)
		return err == nil && placed == 3
	})
	<-happened
	h.until("the bad ones are started again", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return starts["rtsp://127.0.0.1/panics"] > 1 && starts["rtsp://127.0.0.1/ends"] > 1
	})
	states := map[string]agent.CameraState{}
	for _, c := range a.Status().Cameras {
		states[c.Name] = c.State
	}
	if states["good"] != agent.CameraReceiving || starts["rtsp://127.0.0.1/good"] != 1 {
		t.Errorf("the good camera is %s and was started %d times", states["good"], starts["rtsp://127.0.0.1/good"])
	}
	if states["ends"] != agent.CameraStopped && states["ends"] != agent.CameraStarting {
		t.Errorf("the one that ends is %s", states["ends"])
	}
}

// TestCameraDescribedAnew: a new address restarts the watcher, the camera stays the same.
func TestCameraDescribedAnew(t *testing.T) {
	h := newHouse(t).joined()
	watched := make(chan string, 8)
	h.run(agent.Config{Watch: func(ctx context.Context, c event.Config) error {
		watched <- c.Main + " " + c.Credentials.Password.Reveal()
		<-ctx.Done()
		return nil
	}})
	before := h.describe("Garden")
	h.until("it is placed", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	if got := <-watched; got != "rtsp://127.0.0.1/Garden " {
		t.Errorf("watched %q", got)
	}
	state, err := agent.OpenState(h.folder)
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	after, fresh, err := state.AddCamera(agent.Camera{
		Name: "Garden", Main: "rtsp://127.0.0.1/other", Credentials: camera.Credentials{User: camera.NewSecret("u"), Password: camera.NewSecret("p")},
	})
	if err != nil || fresh || after.ID != before.ID {
		t.Errorf("described anew: fresh %t, the same camera %t, %v", fresh, after.ID == before.ID, err)
	}
	if got := <-watched; got != "rtsp://127.0.0.1/other p" {
		t.Errorf("watched %q", got)
	}
}

func TestSettingsNameTheCameras(t *testing.T) {
	h := newHouse(t).joined()
	a, stop := h.run(agent.Config{Watch: once(make(chan latchkey.EventID, 9))})
	c := h.describe("Camera 1")
	h.until("it is placed", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	document := h.owner.Settings(nil, settings.Content{Home: "Our house", Zone: "Europe/Berlin", Cameras: map[latchkey.CameraID]settings.Camera{c.ID: {Name: "Front door"}}})
	if err := h.owner.home.PutSettings(h.ctx, document); err != nil {
		t.Fatal(err)
	}
	named := func() bool {
		s := a.Status()
		return s.HomeName == "Our house" && len(s.Cameras) == 1 && s.Cameras[0].Name == "Front door"
	}
	h.until("the names arrive", named)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	h.server.Close() // what is known is known without the server
	a, _ = h.run(agent.Config{Watch: once(make(chan latchkey.EventID, 9))})
	h.until("the names are still there", named)
}

func TestOneAgentToAFolder(t *testing.T) {
	h := newHouse(t).joined()
	_, stop := h.run(agent.Config{})
	if _, err := agent.New(h.ctx, agent.Config{Folder: h.folder}); !errors.Is(err, agent.ErrRunning) {
		t.Errorf("a second agent: %v", err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	_, stop = h.run(agent.Config{})
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestCopiedFolder runs a copy of an agent's folder, and then the original.
func TestCopiedFolder(t *testing.T) {
	h := newHouse(t).joined()
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(h.folder)); err != nil {
		t.Fatal(err)
	}
	original := h.folder
	h.folder = copied
	a, stop := h.run(agent.Config{})
	h.until("the copy is taken", func() bool { return a.Status().Uplink.State == uplink.Connected })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	a, err := agent.New(h.ctx, agent.Config{Folder: original, Retry: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := a.Run(h.ctx); !errors.Is(err, uplink.ErrCloned) {
		t.Errorf("the original beside its copy ends with %v", err)
	}
}

func TestFolderOfNoAgent(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := agent.New(t.Context(), agent.Config{Folder: missing}); !errors.Is(err, agent.ErrNotJoined) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a folder was made where none was")
	}
	if _, err := agent.New(t.Context(), agent.Config{Folder: t.TempDir()}); !errors.Is(err, agent.ErrNotJoined) {
		t.Errorf("an empty folder: %v", err)
	}
}

// TestDamagedFolder damages each file that an agent keeps. It goes on where that is
// safe, and says what to do where it is not; it never panics.
func TestDamagedFolder(t *testing.T) {
	h := newHouse(t).joined()
	_, stop := h.run(agent.Config{})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for file, goesOn := range map[string]bool{
		"deeds": true, "spool.key": true, "status.json": true, "settings": true,
		"agent.json": false, "agent.keys": false, "start": false,
	} {
		t.Run(file, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "copy")
			if err := os.CopyFS(folder, os.DirFS(h.folder)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, file), []byte("\x00\x01 damaged"), 0o600); err != nil {
				t.Fatal(err)
			}
			a, err := agent.New(t.Context(), agent.Config{Folder: folder})
			if err == nil {
				defer a.Close()
			}
			if (err == nil) != goesOn {
				t.Errorf("started: %v, want going on %t", err, goesOn)
			}
			if err != nil && strings.Contains(err.Error(), "damaged") {
				t.Errorf("the error quotes the file: %v", err)
			}
		})
	}
}
