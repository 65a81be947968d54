package agent_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
)

var setupLink = regexp.MustCompile(`(http://[^/]+)/#setup=([A-Za-z0-9]+)&join=([a-z2-7]{26})`)

// foundsWith founds a home with the link that an agent has printed, and takes it in, as
// the page does.
func foundsWith(ctx context.Context, link string) (*owner, error) {
	m := setupLink.FindStringSubmatch(link)
	if m == nil {
		return nil, errors.New("the link is " + link)
	}
	join, err := api.ParseLink(m[1] + "/#join=" + m[3])
	if err != nil {
		return nil, err
	}
	o, err := found(ctx, m[1], m[2], nil)
	if err != nil {
		return nil, err
	}
	_, announcement, err := o.announce(ctx, join.Secret)
	if err != nil {
		return nil, err
	}
	_, err = o.place(ctx, join, announcement)
	return o, err
}

// TestFoundAgain: every key of a home is lost. Whoever stands at the agent's machine
// founds a new one; the agent joins it with its cameras, and what is recorded then opens
// for the new owner. Nothing of the old home does, and nothing new for the old one.
func TestFoundAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	l := newLine(t, strings.TrimPrefix(h.server.Origin, "http://"))
	l.listen()
	a, o, stop := h.placed(agent.Config{HTTP: l.client()})
	if err := o.one(); err != nil {
		t.Fatal(err)
	}
	h.arrived(a, o)
	l.is(quality{portal: true})
	l.cut()
	h.until("it is away", func() bool { return a.Status().Uplink.State == uplink.Waiting })
	if err := o.one(); err != nil { // it is never uploaded
		t.Fatal(err)
	}
	was := a.Status()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	l.is(quality{})
	old := h.owner
	links := make(chan string, 1)
	ended := make(chan error, 1)
	var joined agent.Joined
	go func() {
		var err error
		joined, err = agent.FoundAgain(h.ctx, agent.FoundAgainConfig{Folder: h.folder, HTTP: l.client(), Retry: 10 * time.Millisecond, Link: func(s string) { links <- s }})
		ended <- err
	}()
	var err error
	if h.owner, err = foundsWith(h.ctx, <-links); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil || joined.Home != h.owner.Home() || joined.People["owner"] != 1 {
		t.Fatalf("it joined %+v, %v", joined, err)
	}

	again := newOnDemand()
	a, _ = h.run(agent.Config{HTTP: l.client(), Watch: again.watch})
	h.until("its camera is placed anew", func() bool { h.owner.placeAsked(h.ctx); return again.watches.Load() > 0 })
	if err := again.one(); err != nil {
		t.Fatal(err)
	}
	h.arrived(a, again)
	now := a.Status()
	if now.Agent == was.Agent || now.Home == was.Home || len(now.Cameras) != 1 || now.Cameras[0].ID == was.Cameras[0].ID || now.Cameras[0].Name != "Yard" {
		t.Errorf("it is %+v\nwas %+v", now, was)
	}
	if all, err := h.owner.look(h.ctx); err != nil || len(all) != 1 {
		t.Errorf("the new owner sees %d events, want the new one; %v", len(all), err)
	}
	if all, err := old.look(h.ctx); err != nil || len(all) != 1 || all[o.ids[0]] == nil {
		t.Errorf("the old home has %d events, want the one that was uploaded; %v", len(all), err)
	}
	k := h.loot(l)
	homes := func(o *owner) (homes map[latchkey.HomeID]int) {
		homes = map[latchkey.HomeID]int{}
		objects, _ := k.opens(keysOf(t, o.Title(), o.Keys))
		for _, id := range objects {
			homes[k.objects[id].Binding.Home]++
		}
		return homes
	}
	for who, c := range map[string]struct {
		owner *owner
		want  map[latchkey.HomeID]int
	}{
		"the new owner": {h.owner, map[latchkey.HomeID]int{now.Home: 3}},
		"the old owner": {old, map[latchkey.HomeID]int{was.Home: 3}},
	} {
		if diff := cmp.Diff(c.want, homes(c.owner)); diff != "" {
			t.Errorf("%s opens (-want +got):\n%s", who, diff)
		}
	}
	for _, name := range []string{"agent.json", "agent.keys", "deeds", "start", "spool", "spool.key", "cameras"} {
		if _, err := os.Stat(filepath.Join(h.folder, "old-home-1", name)); err != nil {
			t.Errorf("of the old home: %v", err)
		}
	}
	h.noLeaving()
}

// noLeaving wants nothing to be left to do.
func (h *house) noLeaving() {
	h.t.Helper()
	if _, err := os.Stat(filepath.Join(h.folder, "leaving.json")); err == nil {
		h.t.Error("leaving the old home still goes on")
	}
}

// TestFoundAgainRefuses: an agent that the home has released, or that none has, changes
// nothing in its folder.
func TestFoundAgainRefuses(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	again := func(folder string) error {
		_, err := agent.FoundAgain(h.ctx, agent.FoundAgainConfig{Folder: folder, Retry: 10 * time.Millisecond, Link: func(string) { t.Error("it printed a link") }})
		return err
	}
	if err := again(t.TempDir()); !errors.Is(err, agent.ErrNotJoined) {
		t.Errorf("an empty folder: %v", err)
	}
	a, ended := h.startUp(agent.Config{})
	h.until("it knows the deeds", func() bool { return drained(a) })
	if err := again(h.folder); !errors.Is(err, agent.ErrRunning) {
		t.Errorf("while it runs: %v", err)
	}
	if err := h.owner.say(h.ctx, deed.ReleaseAgentBody{Agent: a.Status().Agent}); err != nil {
		t.Fatal(err)
	}
	<-ended
	if err := again(h.folder); err == nil || !strings.Contains(err.Error(), "set-up link") {
		t.Errorf("an agent that was released: %v", err)
	}
	if _, err := os.Stat(filepath.Join(h.folder, "old-home-1")); err == nil {
		t.Error("something was put aside")
	}
	h.noLeaving()
}

// TestFoundAgainCrash kills the process at every point; the same command again brings it
// to its end with every camera once.
func TestFoundAgainCrash(t *testing.T) {
	t.Parallel()
	program := filepath.Join(crashing(t), "agent.test")
	h := newHouse(t)
	for i, point := range []string{
		"agent.leave.begun", "agent.leave.moved", "agent.leave.moved:2", "agent.leave.moved:5", "agent.leave.moved:9", "agent.leave.moved:12",
		"agent.leave.cameras", "agent.leave.left", "agent.leave.joined",
	} {
		h.folder = filepath.Join(t.TempDir(), "agent", strings.Repeat("x", i+1))
		h.joined()
		names := map[string]agent.Camera{}
		for _, name := range []string{"Yard", "Shed"} {
			names[name] = h.describe(name)
		}
		env := []string{crashingFolder + "=" + h.folder, crashingLink + "=" + foundAgain}
		p := start(t, append(env, "LATCHKEY_CRASH="+point), program)
		if point == "agent.leave.joined" {
			link := p.expect(regexp.MustCompile(`(http\S+)`))
			if _, err := foundsWith(h.ctx, link); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.Contains(p.soon(), "killed") {
			t.Fatalf("at %s: %s\n%s", point, p.how(), p.tail())
		}
		p = start(t, env, program)
		if point != "agent.leave.joined" {
			link := p.expect(regexp.MustCompile(`(http\S+)`))
			if _, err := foundsWith(h.ctx, link); err != nil {
				t.Fatal(err)
			}
		}
		if p.soon() != "exit 0" {
			t.Fatalf("after %s: %s\n%s", point, p.how(), p.tail())
		}
		h.noLeaving()
		state, err := agent.OpenState(h.folder)
		if err != nil {
			t.Fatal(err)
		}
		cameras, err := state.ReadCameras()
		if err := errors.Join(err, state.Close()); err != nil || len(cameras) != 2 {
			t.Fatalf("after %s: %d cameras, %v", point, len(cameras), err)
		}
		for _, c := range cameras {
			if was := names[c.Name]; was.ID == c.ID || was.Main != c.Main {
				t.Errorf("after %s camera %+v was %+v", point, c, was)
			}
		}
		a, stop := h.run(agent.Config{Watch: idle})
		h.until("it goes on after "+point, func() bool { return drained(a) })
		if err := stop(); err != nil {
			t.Errorf("after %s: %v", point, err)
		}
	}
}
