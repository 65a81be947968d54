package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/letter"
)

// condition fetches and opens what an agent last said of itself.
func (o *owner) condition(ctx context.Context, of latchkey.AgentID) (c letter.Condition, incarnation uint64, connected bool, err error) {
	all, err := o.home.Conditions(ctx)
	if err != nil {
		return c, 0, false, err
	}
	for _, k := range all {
		if k.Agent != of {
			continue
		}
		if len(k.Letter) == 0 {
			return c, 0, k.Connected, errors.New("it has said nothing yet")
		}
		c, l, err := letter.OpenCondition(k.Letter, o.Title(), of, nil, o.Ring())
		return c, l.Incarnation, k.Connected, err
	}
	return c, 0, false, errors.New("no such agent")
}

// send seals a command and sends it.
func (o *owner) send(ctx context.Context, to latchkey.AgentID, c letter.Command) (*letter.Sent, *api.Replies, error) {
	_, incarnation, _, err := o.condition(ctx, to)
	if err != nil {
		return nil, nil, err
	}
	_, device := o.Device()
	sent, err := letter.SealCommand(device, o.Title(), to, incarnation, latchkey.TimeOf(time.Now()), c)
	if err != nil {
		return nil, nil, err
	}
	replies, err := o.home.Command(ctx, to, sent.Bytes())
	return sent, replies, err
}

// command has an agent do something and returns its last reply, as a page does.
func (o *owner) command(ctx context.Context, to latchkey.AgentID, c letter.Command) (letter.Reply, error) {
	sent, replies, err := o.send(ctx, to, c)
	if err != nil {
		return nil, err
	}
	defer replies.Close()
	var last letter.Reply
	for {
		b, err := replies.Next()
		switch {
		case err == io.EOF && last != nil && last.Last():
			return last, nil
		case err != nil:
			return nil, fmt.Errorf("after %v: %w", last, err)
		}
		if last, err = sent.Open(b, o.Title()); err != nil {
			return nil, err
		}
	}
}

// talking runs an agent and waits until it can be asked.
func (h *house) talking(c agent.Config) (*agent.Agent, func() error) {
	h.t.Helper()
	a, stop := h.run(c)
	h.until("the agent says how it is", func() bool {
		_, incarnation, connected, err := h.owner.condition(h.ctx, a.Status().Agent)
		return err == nil && connected && incarnation == a.Status().Incarnation
	})
	return a, stop
}

// do is a command that must be answered.
func (h *house) do(a *agent.Agent, c letter.Command) letter.Reply {
	h.t.Helper()
	r, err := h.owner.command(h.ctx, a.Status().Agent, c)
	if err != nil {
		h.t.Fatalf("%s: %v", c.Do(), err)
	}
	return r
}

// fails is a command that must fail for a reason.
func (h *house) fails(a *agent.Agent, reason string, c letter.Command) {
	h.t.Helper()
	r := h.do(a, c)
	f, ok := r.(letter.Failure)
	if !ok || f.Reason != reason || !strings.HasSuffix(f.Message, ".") {
		h.t.Errorf("%s: %+v, want the reason %s", c.Do(), r, reason)
	}
}

// idle is a camera in which nothing happens.
func idle(ctx context.Context, c event.Config) error {
	<-ctx.Done()
	return nil
}

// TestCameraByCommand adds, describes, changes and forgets a camera from a browser. Its
// password reaches the agent's disk, and no log, status, reply or server.
func TestCameraByCommand(t *testing.T) {
	t.Parallel()
	const password = "sw0rdfish"
	h := newHouse(t).joined()
	var log lines
	a, _ := h.talking(agent.Config{Watch: idle, Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	source := letter.Source{
		Name: "Yard", Main: "rtsp://10.0.0.5/main", Sub: "rtsp://10.0.0.5/sub", User: "viewer", Password: password,
		Pin: letter.Pin{MAC: "00:11:22:aa:bb:cc", Serial: "S1"},
	}
	added, ok := h.do(a, letter.AddCamera{Source: source}).(letter.Added)
	if !ok || added.Camera == (latchkey.CameraID{}) {
		t.Fatalf("added %+v", added)
	}
	h.fails(a, "name-taken", letter.AddCamera{Source: source})
	h.until("the owner is asked", func() bool {
		names, err := h.owner.placeAsked(h.ctx)
		return err == nil && names[added.Camera] == "Yard"
	})
	want := letter.Description{Name: "Yard", Main: source.Main, Sub: source.Sub, User: "viewer", Pin: source.Pin}
	if diff := cmp.Diff(letter.Reply(want), h.do(a, letter.DescribeCamera{Camera: added.Camera})); diff != "" {
		t.Errorf("described (-want +got):\n%s", diff)
	}

	kept := func() string {
		b, err := os.ReadFile(filepath.Join(h.folder, "cameras", added.Camera.String()+".json"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	source.Password, source.Main = "", "rtsp://10.0.0.5/other"
	if r := h.do(a, letter.ChangeCamera{Camera: added.Camera, Source: source}); r != (letter.Done{}) {
		t.Errorf("changed: %+v", r)
	}
	if text := kept(); !strings.Contains(text, password) || !strings.Contains(text, "/other") {
		t.Error("an empty password does not keep the one that is there")
	}
	source.Main = "rtsp://203.0.113.9/main"
	h.fails(a, "password-needed", letter.ChangeCamera{Camera: added.Camera, Source: source})
	source.Main = "rtsp://" + password + "@10.0.0.5/"
	h.fails(a, "address", letter.ChangeCamera{Camera: added.Camera, Source: source})
	h.fails(a, "unknown-camera", letter.DescribeCamera{Camera: latchkey.NewCameraID()})
	h.fails(a, "no-picture", letter.StillPicture{Camera: added.Camera})
	if r, ok := h.do(a, letter.WouldFire{Camera: added.Camera}).(letter.WouldHaveFired); !ok || r != (letter.WouldHaveFired{}) {
		t.Errorf("a camera that has seen nothing would have fired %+v", r)
	}

	status, err := os.ReadFile(filepath.Join(h.folder, "status.json"))
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"log": log.String(), "status": string(status), "status in memory": fmt.Sprintf("%+v", a.Status())} {
		if strings.Contains(text, password) {
			t.Errorf("the password is in the %s", where)
		}
	}
	if !strings.Contains(log.String(), `"do":"add-camera"`) {
		t.Error("the log does not say what was done; nothing was tested")
	}
	if r := h.do(a, letter.ForgetCamera{Camera: added.Camera}); r != (letter.Done{}) {
		t.Errorf("forgotten: %+v", r)
	}
	h.fails(a, "unknown-camera", letter.DescribeCamera{Camera: added.Camera})
	h.until("it is gone", func() bool { return len(a.Status().Cameras) == 0 })
}

// tarpit is a camera that takes connections and never says a word.
func tarpit(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
		}
	}()
	return l.Addr().String()
}

// TestSlowCommandDelaysNothing: while probes hang, an event is recorded and another
// command answered; whoever goes away ends the probe.
func TestSlowCommandDelaysNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	happened := make(chan latchkey.EventID, 1)
	began := make(chan struct{})
	watch := func(ctx context.Context, c event.Config) error {
		<-began
		return once(happened)(ctx, c)
	}
	a, _ := h.talking(agent.Config{Watch: watch})
	c := h.describe("Yard")
	h.until("it is placed", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	silent := tarpit(t)
	ctx, giveUp := context.WithCancel(h.ctx)
	ended := make(chan error, 3)
	for range 3 {
		go func() {
			_, err := h.owner.command(ctx, a.Status().Agent, letter.Probe{Address: "rtsp://" + silent + "/"})
			ended <- err
		}()
	}
	time.Sleep(300 * time.Millisecond) // the probes are under way
	start := time.Now()
	if d, ok := h.do(a, letter.DescribeCamera{Camera: c.ID}).(letter.Description); !ok || d.Name != "Yard" {
		t.Errorf("described %+v", d)
	}
	close(began)
	<-happened
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("beside slow commands it took %v", took)
	}
	select {
	case err := <-ended:
		t.Errorf("a probe of a camera that says nothing has ended: %v; nothing was tested", err)
	default:
	}
	giveUp()
	for range 3 {
		<-ended
	}
	for range 3 { // the server lets a home have four at once, so these three had ended
		h.do(a, letter.DescribeCamera{Camera: c.ID})
	}
}

func TestCommandsThatAreNotTaken(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	a, stop := h.talking(agent.Config{Watch: idle})
	id := a.Status().Agent
	_, device := h.owner.Device()
	seal := func(incarnation uint64, at time.Time) []byte {
		sent, err := letter.SealCommand(device, h.owner.Title(), id, incarnation, latchkey.TimeOf(at), letter.Discover{})
		if err != nil {
			t.Fatal(err)
		}
		return sent.Bytes()
	}
	post := func(b []byte) api.Reason {
		r, err := h.owner.home.Command(h.ctx, id, b)
		if err == nil {
			r.Close()
		}
		return api.ReasonOf(err)
	}
	now := a.Status().Incarnation
	describe := letter.DescribeCamera{Camera: latchkey.NewCameraID()}
	sent, err := letter.SealCommand(device, h.owner.Title(), id, now, latchkey.TimeOf(time.Now()), describe)
	if err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string][2]api.Reason{
		"an earlier start":   {post(seal(now+1, time.Now())), api.Stale},
		"from an hour ago":   {post(seal(now, time.Now().Add(-time.Hour))), api.Expired},
		"from in an hour":    {post(seal(now, time.Now().Add(time.Hour))), api.Expired},
		"the first time":     {post(sent.Bytes()), ""},
		"the same once more": {post(sent.Bytes()), api.Replayed},
	} {
		if what == "from an hour ago" || what == "from in an hour" {
			if a.Status().Clock.Quality == letter.Unknown && got[0] == "" {
				continue // a machine whose clock nothing holds right judges nobody's
			}
		}
		if got[0] != got[1] {
			t.Errorf("%s: %q, want %q", what, got[0], got[1])
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	h.until("it is away", func() bool { return post(seal(now, time.Now())) == api.AgentAway })
	if a.Status().Uplink.State == uplink.Cloned {
		t.Error("the agent was taken for a copy")
	}
}

// TestConditionIsTold: the home's people read of every camera what `latchkey agent
// status` says.
func TestConditionIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	a, _ := h.talking(agent.Config{Watch: once(make(chan latchkey.EventID, 9)), Version: "1.2.3"})
	c := h.describe("Yard")
	told := func(what string, is func(letter.Condition) bool) {
		t.Helper()
		h.until(what, func() bool {
			c, _, connected, err := h.owner.condition(h.ctx, a.Status().Agent)
			return err == nil && connected && c.Version == "1.2.3" && c.Name != "" && c.Started != 0 && c.Spool.Limit == 8<<30 && is(c)
		})
	}
	camera := func(c letter.Condition) letter.CameraCondition {
		if len(c.Cameras) != 1 {
			return letter.CameraCondition{}
		}
		return c.Cameras[0]
	}
	told("that it waits for the owner", func(k letter.Condition) bool {
		return camera(k).Camera == c.ID && camera(k).State == string(agent.CameraAsking) && !camera(k).Recording && camera(k).Since != 0
	})
	h.until("it is placed", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	told("that it receives", func(k letter.Condition) bool {
		return camera(k).State == string(agent.CameraReceiving) && camera(k).Says != ""
	})
	onto := h.owner.Title().Head()
	if _, err := h.owner.home.Append(h.ctx, onto, h.owner.StartEpoch()); err != nil {
		t.Fatal(err)
	}
	told("in the new epoch, too", func(letter.Condition) bool { return true })
}
