package agent_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/camera/find"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/letter"
)

// another is the same house with the folder of a second agent, which joins.
func (h *house) another() *house {
	h.t.Helper()
	second := *h
	second.folder = filepath.Join(h.t.TempDir(), "second")
	return second.joined()
}

// TestSeveralAgents: two agents serve one home side by side, each its own cameras.
func TestSeveralAgents(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	second := h.another()
	happened := make(chan latchkey.EventID, 8)
	one, _ := h.talking(agent.Config{Watch: once(happened)})
	two, _ := second.talking(agent.Config{Watch: once(happened)})
	add := func(a *agent.Agent, name string) latchkey.CameraID {
		r, ok := h.do(a, letter.AddCamera{Source: letter.Source{Name: name, Main: "rtsp://10.0.0.5/" + name}}).(letter.Added)
		if !ok {
			t.Fatalf("camera %s is not added", name)
		}
		return r.Camera
	}
	yard, shed := add(one, "Yard"), add(two, "Shed")
	placed := 0
	h.until("both are placed", func() bool {
		names, err := h.owner.placeAsked(h.ctx)
		placed += len(names)
		return err == nil && placed == 2
	})
	for range 2 {
		<-happened
	}
	h.until("both have uploaded", func() bool { return drained(one) && drained(two) })
	if all, err := h.owner.look(h.ctx); err != nil || len(all) != 2 {
		t.Errorf("%d events, %v", len(all), err)
	}
	for of, want := range map[*agent.Agent]latchkey.CameraID{one: yard, two: shed} {
		h.until("each says of its camera, and of no other", func() bool {
			c, _, connected, err := h.owner.condition(h.ctx, of.Status().Agent)
			return err == nil && connected && len(c.Cameras) == 1 && c.Cameras[0].Camera == want && c.Cameras[0].State == string(agent.CameraReceiving)
		})
	}
	h.fails(one, "unknown-camera", letter.DescribeCamera{Camera: shed})
	h.fails(two, "unknown-camera", letter.ForgetCamera{Camera: yard})

	// A camera that stands with one agent is not the other's to record, whatever is in
	// the other's folder.
	name := "/cameras/" + yard.String() + ".json"
	b, err := os.ReadFile(h.folder + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(second.folder+name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	h.until("the other refuses it", func() bool { return stateOf(two, yard).State == agent.CameraElse })
	time.Sleep(50 * time.Millisecond)
	if len(happened) > 0 {
		t.Error("a camera of another agent was watched")
	}
	if k := stateOf(one, yard); k.State != agent.CameraReceiving {
		t.Errorf("with its own agent it is %s", k.State)
	}
}

// TestCommandForAnotherAgent: a command that was sealed to one agent is not obeyed by
// another one of the home, even by a server's mistake.
func TestCommandForAnotherAgent(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	second := h.another()
	var log lines
	one, _ := h.talking(agent.Config{Watch: idle})
	two, _ := second.talking(agent.Config{Watch: idle, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if one.Status().Incarnation != two.Status().Incarnation {
		t.Fatalf("incarnations %d and %d: the command would be refused for another reason", one.Status().Incarnation, two.Status().Incarnation)
	}
	_, device := h.owner.Device()
	sent, err := letter.SealCommand(device, h.owner.Title(), one.Status().Agent, one.Status().Incarnation, latchkey.TimeOf(time.Now()), letter.DescribeCamera{Camera: latchkey.NewCameraID()})
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.owner.home.Command(h.ctx, two.Status().Agent, sent.Bytes())
	if err == nil {
		r.Close()
	}
	t.Logf("refused as %s", api.ReasonOf(err))
	if api.ReasonOf(err) == "" || strings.Contains(log.String(), "describe-camera") {
		t.Errorf("another agent was given the command: %v\n%s", err, log.String())
	}
}

// TestCommandForAnotherAgentAtAServerThatErrs runs that test with a server that does
// not compare: then it is the agent that refuses.
func TestCommandForAnotherAgentAtAServerThatErrs(t *testing.T) {
	without := controls.Without(t, sabotage.Cut{File: "server/command.go", Old: "case l.Agent != a.to:", New: "case false:"})
	t.Parallel()
	out, err := without.Tests(t.Context(), "^TestCommandForAnotherAgent$", "-test.v")
	if err != nil || !strings.Contains(string(out), "refused as "+string(api.AgentRefused)) {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestAnotherDevice: what answers at a camera's address and is not the device that was
// pinned is neither recorded nor shown, until somebody accepts it.
func TestAnotherDevice(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=1")
	c := cameratest.Serve(t, film, nil)
	c.Play(t, slices.Repeat([]cameratest.Film{film}, 40)...)
	h := newHouse(t).joined()
	a, _ := h.talking(agent.Config{})
	yard := h.do(a, letter.AddCamera{Source: letter.Source{
		Name: "Yard", Main: c.Address(), Pin: letter.Pin{MAC: "00:11:22:aa:bb:cc"},
	}}).(letter.Added).Camera
	h.until("it is placed", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	h.until("it is noticed", func() bool { return stateOf(a, yard).State == agent.CameraState(camera.AnotherDevice) })
	h.until("the home is told", func() bool {
		k, _, _, err := h.owner.condition(h.ctx, a.Status().Agent)
		return err == nil && len(k.Cameras) == 1 && k.Cameras[0].State == "another-device" && !k.Cameras[0].Recording && k.Cameras[0].Says != ""
	})
	h.fails(a, "no-picture", letter.StillPicture{Camera: yard})
	if n := c.Sessions(); n != 0 {
		t.Errorf("%d sessions with another device", n)
	}
	if r := h.do(a, letter.AcceptDevice{Camera: yard}); r != (letter.Done{}) {
		t.Fatalf("accepted: %+v", r)
	}
	h.until("it records", func() bool { return stateOf(a, yard).Recording })
	if d := h.do(a, letter.DescribeCamera{Camera: yard}).(letter.Description); d.Pin.MAC == "00:11:22:aa:bb:cc" {
		t.Errorf("the pin is still %+v", d.Pin)
	}
	h.until("there is a picture of it", func() bool {
		p, ok := h.do(a, letter.StillPicture{Camera: yard}).(letter.Picture)
		return ok && p.Width == 64 && p.Height == 48 && len(p.JPEG) > 0 && p.Time != 0
	})
}

// TestCameraFileVersions: the files of the first version are read, those of a later
// one are left alone.
func TestCameraFileVersions(t *testing.T) {
	s := openState(t)
	kept, _, err := s.AddCamera(yard())
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(s.Folder(), "cameras", kept.ID.String()+".json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"v": 1, "id": "` + kept.ID.String() + `", "name": "Yard", "main": "rtsp://10.0.0.5/main", "user": "u", "password": "p"}`)
	all, err := s.ReadCameras()
	if err != nil || len(all) != 1 || all[0].Credentials.Password.Reveal() != "p" || all[0].Pin != (find.Identity{}) {
		t.Errorf("version 1: %v, %v", all, err)
	}
	pinned := yard()
	pinned.Pin = find.Identity{Serial: "S1"}
	if _, _, err := s.AddCamera(pinned); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.AddCamera(yard()); err != nil { // the same hosts, and no pin given
		t.Fatal(err)
	}
	if all, err = s.ReadCameras(); err != nil || len(all) != 1 || all[0].Pin != pinned.Pin {
		t.Errorf("described anew at the same address: %v, %v", all, err)
	}
	elsewhere := yard()
	elsewhere.Main, elsewhere.Sub = "rtsp://10.0.0.6/", ""
	if _, _, err := s.AddCamera(elsewhere); err != nil {
		t.Fatal(err)
	}
	if all, err = s.ReadCameras(); err != nil || len(all) != 1 || all[0].Pin != (find.Identity{}) {
		t.Errorf("described anew at another address: %v, %v", all, err)
	}
	write(`{"v": 3, "id": "` + kept.ID.String() + `", "name": "Yard", "main": "rtsp://10.0.0.5/main"}`)
	if all, err := s.ReadCameras(); err == nil || !strings.Contains(err.Error(), "newer latchkey") || len(all) != 0 {
		t.Errorf("version 3: %v, %v", all, err)
	}
}
