package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/settings"
)

// renews announces a slot, and has the owner give new keys to whoever answers in it.
func (h *house) renews() (link api.Link, signed <-chan error) {
	h.t.Helper()
	link, announcement, err := h.owner.announce(h.ctx, api.NewJoinSecret())
	if err != nil {
		h.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		body, err := h.owner.answer(h.ctx, link, announcement)
		if err == nil {
			err = h.owner.say(h.ctx, deed.ReplaceAgentBody{AgentBody: body})
		}
		ended <- err
	}()
	return link, ended
}

// replaced gives the agent of the folder new keys.
func (h *house) replaced() {
	h.t.Helper()
	link, signed := h.renews()
	_, err := agent.Join(h.ctx, agent.JoinConfig{Folder: h.folder, Link: link.Text(), Replace: true, Retry: 10 * time.Millisecond})
	if err := errors.Join(err, <-signed); err != nil {
		h.t.Fatal(err)
	}
}

// TestReplace: an agent that was refused as a copy gets new keys, and is the same agent:
// with its cameras, and with what it had recorded before, which is uploaded. Its people
// take what it says for newer than what the copy said.
func TestReplace(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	l := newLine(t, strings.TrimPrefix(h.server.Origin, "http://"))
	a, o, stop := h.placed(agent.Config{HTTP: l.client()})
	if err := o.one(); err != nil {
		t.Fatal(err)
	}
	h.arrived(a, o)
	l.is(quality{portal: true})
	l.cut()
	h.until("it is away", func() bool { return a.Status().Uplink.State == uplink.Waiting })
	if err := o.one(); err != nil {
		t.Fatal(err)
	}
	before := a.Status()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	original := h.folder
	h.folder = filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(h.folder, os.DirFS(original)); err != nil {
		t.Fatal(err)
	}
	for range 3 { // the copy counts further than the original
		b, stop := h.talking(agent.Config{Watch: idle})
		h.until("the copy has uploaded what it found", func() bool { return drained(b) })
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	_, seen, _, err := h.owner.condition(h.ctx, before.Agent)
	if err != nil {
		t.Fatal(err)
	}
	h.folder = original
	_, ended := h.startUp(agent.Config{Watch: idle})
	if err := <-ended; !errors.Is(err, uplink.ErrCloned) || !strings.Contains(err.Error(), "latchkey agent join --replace") {
		t.Fatalf("the original ends with %v", err)
	}
	h.replaced()

	again := newOnDemand()
	a, _ = h.run(agent.Config{Watch: again.watch})
	h.until("its camera is watched", func() bool { return again.watches.Load() > 0 })
	if err := again.one(); err != nil {
		t.Fatal(err)
	}
	h.until("everything is uploaded", func() bool { return drained(a) })
	again.ids = append(again.ids, o.ids...)
	h.arrived(a, again)
	if s := a.Status(); s.Agent != before.Agent || s.Spool.Refused+s.Spool.Damaged > 0 {
		t.Errorf("it is agent %s, was %s; %+v", s.Agent, before.Agent, s.Spool)
	}
	keys := map[latchkey.KeyID]bool{}
	all, err := h.owner.look(h.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, objects := range all {
		for _, s := range objects {
			keys[s.binding.AgentKey] = true
		}
	}
	if len(keys) != 2 {
		t.Errorf("%d keys have signed what there is, want the old and the new one", len(keys))
	}
	h.until("it says how it is, later than the copy did", func() bool {
		_, now, connected, err := h.owner.condition(h.ctx, before.Agent)
		return err == nil && connected && now > seen
	})
	if r, ok := h.do(a, letter.ConfirmHead{}).(letter.Confirmed); !ok || r.Head != h.owner.Title().Head() {
		t.Errorf("a command to the new keys: %+v", r)
	}
	h.noNext()
}

// TestReplaceKeepsOff: a camera that is off stays off when the agent has new keys, before
// the settings are sealed to them; then the old keys are gone.
func TestReplaceKeepsOff(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	a, stop := h.run(agent.Config{Watch: idle})
	bath := h.describe("Bath")
	h.until("it is placed", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	off := map[latchkey.CameraID]settings.Camera{bath.ID: {Name: "Bath", Off: true}}
	prev := h.settle(nil, "UTC", off)
	h.until("it is off", func() bool { return stateOf(a, bath.ID).State == agent.CameraOff })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	h.replaced()
	old := filepath.Join(h.folder, "agent.keys.before")
	if info, err := os.Stat(old); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the old keys: %v, %v", info, err)
	}
	a, _ = h.run(agent.Config{Watch: func(ctx context.Context, c event.Config) error {
		t.Error("a camera that is off is watched")
		<-ctx.Done()
		return nil
	}})
	h.until("it is connected", func() bool { return drained(a) })
	h.until("it is off", func() bool { return stateOf(a, bath.ID).State == agent.CameraOff })
	time.Sleep(100 * time.Millisecond)
	if s := stateOf(a, bath.ID); s.State != agent.CameraOff {
		t.Errorf("it is %s", s.State)
	}
	h.settle(prev, "Europe/Berlin", off) // sealed to the new keys
	h.until("the old keys are gone", func() bool { _, err := os.Stat(old); return errors.Is(err, fs.ErrNotExist) })
	if s := a.Status(); s.HomeName != "Our house" || stateOf(a, bath.ID).State != agent.CameraOff {
		t.Errorf("then it is %+v", s)
	}
}

// noNext wants nothing of a replacement to be left in the folder.
func (h *house) noNext() {
	h.t.Helper()
	if left, err := filepath.Glob(filepath.Join(h.folder, "*.next")); err != nil || len(left) > 0 {
		h.t.Errorf("left behind: %q, %v", left, err)
	}
	b, err := os.ReadFile(filepath.Join(h.folder, "agent.json"))
	if err != nil || strings.Contains(string(b), "replacing") {
		h.t.Errorf("a replacement still goes on: %s, %v", b, err)
	}
}

// TestReplaceMends: an agent whose keys or count of starts are damaged goes on as itself
// with new ones.
func TestReplaceMends(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"agent.keys", "start"} {
		h := newHouse(t).joined()
		if err := os.WriteFile(filepath.Join(h.folder, file), []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := agent.New(h.ctx, agent.Config{Folder: h.folder}); err == nil || !strings.Contains(err.Error(), "join --replace") {
			t.Fatalf("with a damaged file %s: %v", file, err)
		}
		h.replaced()
		a, _ := h.run(agent.Config{Watch: idle})
		h.until("it goes on", func() bool { return drained(a) })
	}
}

// TestReplaceRefuses: links of another home, folders without an agent and agents that
// the home has released; none of it takes the old keys away.
func TestReplaceRefuses(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	neighbour := newHouse(t)
	replace := func(folder string, link api.Link) error {
		_, err := agent.Join(h.ctx, agent.JoinConfig{Folder: folder, Link: link.Text(), Replace: true, Retry: 10 * time.Millisecond})
		return err
	}
	theirs, _, err := neighbour.owner.announce(h.ctx, api.NewJoinSecret())
	if err != nil {
		t.Fatal(err)
	}
	if err := replace(h.folder, theirs); !errors.Is(err, agent.ErrLink) {
		t.Errorf("another home's link: %v", err)
	}
	ours, _, err := h.owner.announce(h.ctx, api.NewJoinSecret())
	if err != nil {
		t.Fatal(err)
	}
	if err := replace(t.TempDir(), ours); !errors.Is(err, agent.ErrNotJoined) {
		t.Errorf("an empty folder: %v", err)
	}
	h.noNext()
	a, ended := h.startUp(agent.Config{})
	h.until("it goes on as itself", func() bool { return drained(a) })
	if err := h.owner.say(h.ctx, deed.ReleaseAgentBody{Agent: a.Status().Agent}); err != nil {
		t.Fatal(err)
	}
	<-ended
	if err := replace(h.folder, ours); !errors.Is(err, uplink.ErrReleased) {
		t.Errorf("an agent that was released: %v", err)
	}
}

// TestReplaceCrash kills the process at every point of a replacement; the same command
// again brings it to its end, and the agent goes on.
func TestReplaceCrash(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("replace.go")
	if err != nil {
		t.Fatal(err)
	}
	var points []string
	for _, m := range regexp.MustCompile(`crash\.Point\("([^"]+)"\)`).FindAllStringSubmatch(string(src), -1) {
		points = append(points, m[1])
	}
	if len(points) < 6 {
		t.Fatalf("%d points: %q", len(points), points)
	}
	program := filepath.Join(crashing(t), "agent.test")
	h := newHouse(t).joined()
	h.describe("Yard")
	for _, point := range append(points, "agent.replace.moved:2", "agent.replace.moved:3") {
		link, signed := h.renews()
		env := []string{crashingFolder + "=" + h.folder, crashingLink + "=" + link.Text()}
		if p := start(t, append(env, "LATCHKEY_CRASH="+point), program); !strings.Contains(p.soon(), "killed") {
			t.Fatalf("at %s: %s\n%s", point, p.how(), p.tail())
		}
		if p := start(t, env, program); p.soon() != "exit 0" {
			t.Fatalf("after %s: %s\n%s", point, p.how(), p.tail())
		}
		if err := <-signed; err != nil {
			t.Fatal(err)
		}
		h.noNext()
		a, stop := h.run(agent.Config{Watch: idle})
		h.until(fmt.Sprintf("it goes on after %s", point), func() bool { return drained(a) })
		if err := stop(); err != nil {
			t.Errorf("after %s: %v", point, err)
		}
	}
}
