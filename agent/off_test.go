package agent_test

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/motion"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/settings"
)

// wire is what lies between an agent and a camera: it counts who is connected.
type wire struct {
	address string

	mu           sync.Mutex // protects what follows
	open, dialed int
}

func newWire(t *testing.T, camera string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	host, path, _ := strings.Cut(strings.TrimPrefix(camera, "rtsp://"), "/")
	w := &wire{address: "rtsp://" + l.Addr().String() + "/" + path}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			w.count(1)
			go w.carry(near, host)
		}
	}()
	return w
}

func (w *wire) carry(near net.Conn, host string) {
	defer w.count(-1)
	defer near.Close()
	far, err := net.Dial("tcp", host)
	if err != nil {
		return
	}
	defer far.Close()
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			io.Copy(way[0], way[1]) // the end of either is the end of both
			ended <- struct{}{}
		}()
	}
	<-ended
}

func (w *wire) count(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open += n
	w.dialed += max(n, 0)
}

func (w *wire) counts() (open, dialed int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open, w.dialed
}

// settle puts the next settings document of the home.
func (h *house) settle(prev *sealed.Settings, zone string, cameras map[latchkey.CameraID]settings.Camera) *sealed.Settings {
	h.t.Helper()
	b := h.owner.Settings(prev, settings.Content{Home: "Our house", Zone: zone, Cameras: cameras})
	if err := h.owner.home.PutSettings(h.ctx, b); err != nil {
		h.t.Fatal(err)
	}
	s, err := sealed.ParseSettings(b)
	if err != nil {
		h.t.Fatal(err)
	}
	return &s
}

func stateOf(a *agent.Agent, c latchkey.CameraID) agent.CameraStatus {
	for _, k := range a.Status().Cameras {
		if k.ID == c {
			return k
		}
	}
	return agent.CameraStatus{}
}

// TestOff: a camera that is switched off has no session at all. The agent sees
// nothing of it and stores nothing, it does not connect at a start, and it is back
// when it is switched on.
func TestOff(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, cameratest.Mover(320, 180, 3, 0.5, 2))
	c := cameratest.Serve(t, film, nil)
	c.Play(t, slices.Repeat([]cameratest.Film{film}, 40)...)
	w := newWire(t, c.Address())
	h := newHouse(t).joined()
	a, stop := h.talking(agent.Config{})
	yard, ok := h.do(a, letter.AddCamera{Source: letter.Source{Name: "Yard", Main: w.address}}).(letter.Added)
	if !ok {
		t.Fatal("not added")
	}
	h.until("it is placed", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	h.until("it records", func() bool { return stateOf(a, yard.Camera).Recording })
	listed := func() int {
		all, err := h.owner.look(h.ctx)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	h.until("something was stored, or nothing would be tested", func() bool { return listed() > 0 })

	off := map[latchkey.CameraID]settings.Camera{yard.Camera: {Name: "Yard", Off: true}}
	h.settle(nil, "Europe/Berlin", off)
	began := time.Now()
	h.until("the session ends", func() bool { open, _ := w.counts(); return open == 0 })
	if took := time.Since(began); took > 6*time.Second { // on a quiet machine it takes a tenth of a second
		t.Errorf("the session went on for %v", took)
	}
	h.until("it is shown as off", func() bool {
		k := stateOf(a, yard.Camera)
		return k.State == agent.CameraOff && !k.Recording && k.Detail != ""
	})
	h.fails(a, "off", letter.StillPicture{Camera: yard.Camera})
	h.until("what had begun before is stored", func() bool { return drained(a) })
	time.Sleep(500 * time.Millisecond)
	h.until("what had begun before is stored", func() bool { return drained(a) })
	before := listed()
	_, dialed := w.counts()
	time.Sleep(3 * time.Second) // long enough for another event, as the control shows
	if open, now := w.counts(); open != 0 || now != dialed || listed() != before {
		t.Errorf("while it is off: %d sessions, %d begun, %d events", open, now-dialed, listed()-before)
	}

	if err := stop(); err != nil {
		t.Fatal(err)
	}
	h.server.Close() // what is known is known without the server
	a, _ = h.run(agent.Config{})
	h.until("it is off after a start", func() bool { return stateOf(a, yard.Camera).State == agent.CameraOff })
	time.Sleep(time.Second)
	if _, now := w.counts(); now != dialed {
		t.Errorf("at its start the agent connected %d times to a camera that is off", now-dialed)
	}
}

// TestOnAgain is the control of [TestOff]: within the same time a camera that is
// switched on is connected to again, and records.
func TestOnAgain(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, cameratest.Mover(320, 180, 3, 0.5, 2))
	c := cameratest.Serve(t, film, nil)
	c.Play(t, slices.Repeat([]cameratest.Film{film}, 20)...)
	w := newWire(t, c.Address())
	h := newHouse(t).joined()
	a, _ := h.talking(agent.Config{})
	yard := h.do(a, letter.AddCamera{Source: letter.Source{Name: "Yard", Main: w.address}}).(letter.Added).Camera
	kept := h.settle(nil, "UTC", map[latchkey.CameraID]settings.Camera{yard: {Name: "Yard", Off: true}})
	h.until("it is placed", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	h.until("it is off", func() bool { return stateOf(a, yard).State == agent.CameraOff })
	if _, dialed := w.counts(); dialed != 0 {
		t.Errorf("a camera that was off before it was placed was connected to %d times", dialed)
	}
	h.settle(kept, "UTC", map[latchkey.CameraID]settings.Camera{yard: {Name: "Yard"}})
	h.until("it records", func() bool { return stateOf(a, yard).Recording })
	h.until("an event is stored", func() bool { all, err := h.owner.look(h.ctx); return err == nil && len(all) > 0 })
}

// watchmaker is the clocks of a machine, set by a test.
type watchmaker struct {
	boot  latchkey.BootID
	began time.Time

	mu   sync.Mutex // protects wall
	wall time.Time
}

func (m *watchmaker) Boot() latchkey.BootID { return m.boot }

func (m *watchmaker) Read() clock.Reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	return clock.Reading{Steady: now, Wall: m.wall, SinceBoot: now.Sub(m.began), Synchronised: true}
}

func (m *watchmaker) set(wall time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wall = wall
}

// TestOffHours: hours are those that the home's clocks show, in the nights too in which
// they are put back and forward.
func TestOffHours(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			panic(err)
		}
		return t
	}
	m := &watchmaker{boot: latchkey.NewBootID(), began: time.Now(), wall: at("2027-10-30T12:00:00Z")}
	h := newHouse(t).joined()
	var mu sync.Mutex
	running := 0
	a, _ := h.run(agent.Config{Clock: m, Watch: func(ctx context.Context, c event.Config) error {
		mu.Lock()
		running++
		mu.Unlock()
		<-ctx.Done()
		mu.Lock()
		running--
		mu.Unlock()
		return nil
	}})
	c := h.describe("Bath")
	h.until("it is placed", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	every := []int{1, 2, 3, 4, 5, 6, 7}
	h.settle(nil, "Europe/Berlin", map[latchkey.CameraID]settings.Camera{c.ID: {
		Name: "Bath", OffWhen: []settings.Hours{{Days: every, From: 2 * 60, To: 3 * 60}, {Days: []int{7}, From: 22 * 60, To: 6 * 60}},
	}})
	for _, tt := range []struct {
		at    string
		off   bool
		until string
	}{
		{"2027-10-30T23:59:50Z", false, ""},                    // 01:59 in summer time
		{"2027-10-31T00:10:00Z", true, "2027-10-31T02:00:00Z"}, // 02:10 for the first time
		{"2027-10-31T01:10:00Z", true, "2027-10-31T02:00:00Z"}, // and for the second
		{"2027-10-31T02:00:00Z", false, ""},                    // 03:00 in winter time
		{"2027-10-31T21:00:00Z", true, "2027-11-01T05:00:00Z"}, // Sunday, 22:00
		{"2027-11-01T04:59:00Z", true, "2027-11-01T05:00:00Z"}, // Monday, 05:59
		{"2027-11-01T05:00:00Z", false, ""},                    // Monday, 06:00
		{"2028-03-26T01:00:00Z", false, ""},                    // there is no 02:00; it is 03:00
	} {
		m.set(at(tt.at))
		h.until("the camera is as it is to be at "+tt.at, func() bool {
			k := stateOf(a, c.ID)
			mu.Lock()
			defer mu.Unlock()
			if tt.off {
				return k.State == agent.CameraOff && k.Until.Equal(at(tt.until)) && running == 0
			}
			return k.State != agent.CameraOff && running == 1
		})
	}
}

// TestSettingsWhileItRuns: names, sensitivity, zones and masks are taken without
// interrupting the recording.
func TestSettingsWhileItRuns(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	configs := make(chan event.Config, 4)
	a, _ := h.run(agent.Config{Watch: func(ctx context.Context, c event.Config) error {
		configs <- c
		<-ctx.Done()
		return nil
	}})
	c := h.describe("Camera 1")
	h.until("it is placed", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	watched := <-configs
	if got := watched.Motion(); !got.Equal(motion.Config{}) {
		t.Errorf("without settings: %+v", got)
	}
	h.settle(nil, "UTC", map[latchkey.CameraID]settings.Camera{c.ID: {
		Name: "Yard", Sensitivity: settings.High,
		Zones: []settings.Zone{{Name: "Gate", Points: []settings.Point{{X: 0, Y: 0}, {X: 10_000, Y: 0}, {X: 0, Y: 10_000}}}},
		Masks: []settings.Mask{{Points: []settings.Point{{X: 1, Y: 2}, {X: 3, Y: 4}, {X: 5, Y: 6}}}},
	}})
	want := motion.Config{
		Sensitivity: motion.High, Zones: [][]motion.Point{{{X: 0, Y: 0}, {X: 10_000, Y: 0}, {X: 0, Y: 10_000}}},
		Masks: [][]motion.Point{{{X: 1, Y: 2}, {X: 3, Y: 4}, {X: 5, Y: 6}}},
	}
	h.until("they are taken", func() bool { return watched.Motion().Equal(want) })
	if diff := cmp.Diff(want, watched.Motion()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	h.until("the name is taken", func() bool { return stateOf(a, c.ID).Name == "Yard" })
	select {
	case <-configs:
		t.Error("the recording was interrupted")
	default:
	}
}
