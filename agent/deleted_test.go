package agent_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// deletes has the owner delete an event.
func (h *house) deletes(event latchkey.EventID) {
	h.t.Helper()
	h.buries(tombstone.Tombstone{Scope: tombstone.Events, Events: []latchkey.EventID{event}})
}

// buries has the owner delete what a tombstone says.
func (h *house) buries(what tombstone.Tombstone) {
	h.t.Helper()
	one, err := tombstone.Sign(h.owner.Keys.Signing, h.owner.Title(), h.owner.Now(), what)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.owner.home.Delete(h.ctx, one.Bytes()); err != nil {
		h.t.Fatal(err)
	}
}

// events are those that the owner is shown.
func (h *house) events() map[latchkey.EventID]bool {
	h.t.Helper()
	all, err := h.owner.look(h.ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	shown := map[latchkey.EventID]bool{}
	for id := range all {
		shown[id] = true
	}
	return shown
}

// TestDeletedStaysDeleted: an event is backed up, then deleted; the server is restored
// from that backup. The agent, of which another start has come, gives the tombstone back
// before the home is shown to anybody: the event is gone, and the one beside it is there.
func TestDeletedStaysDeleted(t *testing.T) {
	h := newHouse(t).joined()
	a, o, stop := h.placed(agent.Config{})
	for range 2 {
		if err := o.one(); err != nil {
			t.Fatal(err)
		}
	}
	h.arrived(a, o)
	gone, stays := o.ids[0], o.ids[1]
	backup := filepath.Join(t.TempDir(), "backup")
	if _, lost, err := server.BackUp(h.ctx, server.BackupConfig{Data: h.data, To: backup}); err != nil || lost.Count > 0 {
		t.Fatalf("back up: %v, lost %+v", err, lost)
	}
	h.deletes(gone)
	if shown := h.events(); shown[gone] || !shown[stays] {
		t.Fatalf("after the deletion %v are shown", shown)
	}
	h.until("the agent knows", func() bool { _, err := os.Stat(filepath.Join(h.folder, "tombstones")); return err == nil })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := h.server.Close(); err != nil {
		t.Fatal(err)
	}
	h.restore(backup)
	h.signIn()
	if _, err := h.owner.look(h.ctx); err == nil {
		t.Error("a restored home is shown before anybody has confirmed it")
	}
	h.run(agent.Config{})
	h.until("the home is open again", func() bool { _, err := h.owner.look(h.ctx); return err == nil })
	if shown := h.events(); shown[gone] || !shown[stays] {
		t.Errorf("after the restore it is back: %t; the one beside it is there: %t", shown[gone], shown[stays])
	}
}

// TestDeletedStaysDeletedControl: where the server does not ask for what it has lost, the
// event is back.
func TestDeletedStaysDeletedControl(t *testing.T) {
	without := controls.Without(t, sabotage.Cut{File: "server/closed.go", Old: "if err := t.takeTombstones(ctx, hello, title); err != nil {", New: "if err := t.takeTombstones(ctx, api.Hello{}, title); err != nil {"})
	t.Parallel()
	out, err := without.Tests(t.Context(), "^TestDeletedStaysDeleted$")
	if err == nil || !strings.Contains(string(out), "after the restore it is back: true") {
		t.Errorf("with the exchange cut out, the test says %v\n%s", err, out)
	}
}

// TestDeletedBeforeUpload: an event is deleted that waits while there is no line. It does
// not go up, and leaves the agent's disk.
func TestDeletedBeforeUpload(t *testing.T) {
	h := newHouse(t).joined()
	l := newLine(t, strings.TrimPrefix(h.server.Origin, "http://"))
	a, o, _ := h.placed(agent.Config{HTTP: l.client()})
	if err := o.one(); err != nil {
		t.Fatal(err)
	}
	h.arrived(a, o)
	l.is(quality{portal: true})
	l.cut()
	if err := o.one(); err != nil { // waits
		t.Fatal(err)
	}
	h.deletes(o.ids[1])
	l.is(quality{})
	h.until("what waits is thrown away", func() bool { return a.Status().Uplink.Deleted > 0 && drained(a) })
	if shown := h.events(); len(shown) != 1 || !shown[o.ids[0]] {
		t.Errorf("%v are shown", shown)
	}
}

// noon is when what [house.kept] writes begins.
var noon = latchkey.TimeOf(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC))

const minute latchkey.Time = 60_000_000

// still is a clock that stands at noon.
type still struct{}

func (still) Now() clock.Moment     { return clock.Moment{Wall: noon, Quality: sealed.TimeSynchronised} }
func (still) Boot() latchkey.BootID { return latchkey.BootID{1} }

// kept writes footage of a camera into the folder of an agent that does not run: groups of a
// minute in three segments, at noon, an hour and two hours later, of each of its tracks.
func (h *house) kept(camera latchkey.CameraID, folder string) {
	h.t.Helper()
	state, err := durable.Open(h.folder)
	if err != nil {
		h.t.Fatal(err)
	}
	defer state.Close()
	key, _, err := footage.LoadKey(state, "footage.key")
	if err != nil {
		h.t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		h.t.Fatal(err)
	}
	disk, err := durable.Open(folder)
	if err != nil {
		h.t.Fatal(err)
	}
	defer disk.Close()
	coding := &footage.Coding{Type: "video/mp4", Init: []byte("init")}
	for hour := range latchkey.Time(3) {
		store, err := footage.Open(h.ctx, footage.Config{FS: disk, Home: h.owner.Home(), Key: key, Clock: still{}})
		if err != nil {
			h.t.Fatal(err)
		}
		for _, track := range []footage.Track{footage.Main, footage.Sub, footage.Still} {
			w, err := store.Writer(camera, track)
			if err != nil {
				h.t.Fatal(err)
			}
			g := footage.Group{Start: clock.Moment{Wall: noon + hour*60*minute}, Duration: time.Minute, Key: true, Content: []byte("a minute")}
			if track != footage.Still {
				g.Coding = coding
			}
			if err := w.Append(g); err != nil {
				h.t.Fatal(err)
			}
		}
		if err := store.Close(); err != nil {
			h.t.Fatal(err)
		}
	}
}

// hours are those of which there is footage of a camera on the main track, by the agent's
// own word; nil while it does not say.
func (h *house) hours(a *agent.Agent, camera latchkey.CameraID) []latchkey.Time {
	h.t.Helper()
	r, err := h.owner.command(h.ctx, a.Status().Agent, letter.Timeline{
		Cameras: []latchkey.CameraID{camera}, Track: "main", Stretch: letter.Stretch{From: noon, Until: noon + 180*minute},
	})
	if err != nil {
		return nil
	}
	lines, ok := r.(letter.Timelines)
	if !ok {
		return nil
	}
	all := []latchkey.Time{}
	for _, p := range lines.Cameras[0].Pictures {
		all = append(all, (p.From-noon)/(60*minute))
	}
	return all
}

// sizeOf is how long a file in the agent's folder is.
func (h *house) sizeOf(name string) int64 {
	h.t.Helper()
	info, err := os.Stat(filepath.Join(h.folder, name))
	if err != nil {
		h.t.Fatal(err)
	}
	return info.Size()
}

// segments counts the segments in a folder of footage.
func (h *house) segments(folder string) int {
	h.t.Helper()
	all, err := filepath.Glob(filepath.Join(folder, "2026-11-25", "*", "*.footage"))
	if err != nil {
		h.t.Fatal(err)
	}
	return len(all)
}

// TestDeletedFootage: what an owner deletes of a camera leaves the disk at home, saved or
// not, from all its tracks, and nothing beside it; also what is deleted while the agent is
// away, and its disk is away when it comes back. What it says is gone is gone.
func TestDeletedFootage(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	elsewhere := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(elsewhere, 0o700); err != nil {
		t.Fatal(err)
	}
	c := agent.Config{Footage: agent.FootageConfig{Folder: elsewhere, Keep: footage.Keep{Days: 36_500}}}
	a, _, stop := h.placed(c)
	camera := a.Status().Cameras[0].ID
	c.Watch = newOnDemand().watch
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	h.kept(camera, elsewhere)

	a, stop = h.talking(c)
	h.until("there are three hours", func() bool { return len(h.hours(a, camera)) == 3 })
	h.do(a, letter.Save{Of: letter.Of{Camera: camera, Stretch: letter.Stretch{From: noon, Until: noon + minute}}})
	h.buries(tombstone.Tombstone{Scope: tombstone.Span, Camera: camera, From: noon + 10_000_000, To: noon + minute})
	h.until("the first is gone", func() bool { hours := h.hours(a, camera); return len(hours) == 2 && hours[0] == 1 })
	if n := h.segments(elsewhere); n != 6 {
		t.Errorf("%d segments are on the disk, want 6", n)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	known := h.sizeOf("tombstones")
	h.buries(tombstone.Tombstone{Scope: tombstone.Span, Camera: camera, From: noon + 60*minute, To: noon + 61*minute})
	if err := os.Rename(elsewhere, elsewhere+".away"); err != nil {
		t.Fatal(err)
	}
	a, stop = h.talking(c)
	h.until("the agent knows", func() bool { return h.sizeOf("tombstones") > known })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(elsewhere+".away", elsewhere); err != nil {
		t.Fatal(err)
	}
	a, stop = h.talking(c)
	h.until("the second is gone", func() bool { hours := h.hours(a, camera); return len(hours) == 1 && hours[0] == 2 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := h.segments(elsewhere); n != 3 {
		t.Errorf("%d segments are on the disk, want 3", n)
	}
}

// TestDeletedFootageControl: an agent that does not look whether something of what was
// deleted is still there says of footage that it is.
func TestDeletedFootageControl(t *testing.T) {
	without := controls.Without(t, sabotage.Cut{File: "agent/footage.go", Old: "store.Holds(camera, gone)", New: "false && store.Holds(camera, gone)"},
		sabotage.Cut{File: "agent/house_test.go", Old: "3*time.Minute", New: "10*time.Second"})
	t.Parallel()
	out, err := without.Tests(t.Context(), "^TestDeletedFootage$")
	if err == nil || !strings.Contains(string(out), "the first is gone does not happen") {
		t.Errorf("with the look cut out, the test says %v\n%s", err, out)
	}
}

// TestHomeIsDeleted: an owner deletes the home. At once nobody is let in by the server any
// more, and nothing of it is left there; its agent removes what it recorded, the key of
// that, and the cameras' passwords. A server that is restored from a backup of before is
// told by the agent, and the home stays deleted.
func TestHomeIsDeleted(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	a, o, stop := h.placed(agent.Config{})
	if err := o.one(); err != nil {
		t.Fatal(err)
	}
	h.arrived(a, o)
	camera := a.Status().Cameras[0].ID
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(h.folder, "footage")
	h.kept(camera, folder)
	c := agent.Config{Watch: newOnDemand().watch, Footage: agent.FootageConfig{Keep: footage.Keep{Days: 36_500}}}
	a, stop = h.talking(c)
	backup := filepath.Join(t.TempDir(), "backup")
	if _, lost, err := server.BackUp(h.ctx, server.BackupConfig{Data: h.data, To: backup}); err != nil || lost.Count > 0 {
		t.Fatalf("back up: %v, lost %+v", err, lost)
	}
	h.buries(tombstone.Tombstone{Scope: tombstone.Home})
	if _, err := h.owner.look(h.ctx); err == nil {
		t.Error("a home that was deleted is shown")
	}
	if err := h.signedIn(); api.ReasonOf(err) != api.HomeDeleted {
		t.Errorf("whoever signs in to it is told %v", err)
	}
	if err := h.owner.say(h.ctx, deed.FreezeBody{}); err == nil {
		t.Error("its chain goes on")
	}
	h.until("the agent has nothing left", func() bool {
		_, noKey := os.Stat(filepath.Join(h.folder, "footage.key"))
		cameras, err := os.ReadDir(filepath.Join(h.folder, "cameras"))
		return h.segments(folder) == 0 && errors.Is(noKey, fs.ErrNotExist) && len(cameras) == 0 && err == nil && len(a.Status().Cameras) == 0
	})
	h.until("it says so", func() bool { return a.Status().Uplink.State == uplink.Ended })
	h.until("the server has nothing left", func() bool { return h.blobs() == 0 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := h.server.Close(); err != nil {
		t.Fatal(err)
	}
	h.restore(backup)
	if h.blobs() == 0 {
		t.Fatal("there is nothing in the backup")
	}
	h.run(c)
	h.until("the home is deleted again", func() bool { return api.ReasonOf(h.signedIn()) == api.HomeDeleted && h.blobs() == 0 })
}

// signedIn tries to sign the owner in.
func (h *house) signedIn() error {
	device, signing := h.owner.Device()
	_, err := h.owner.client.SignIn(h.ctx, h.owner.Home(), device, signing, h.owner.Title().Head())
	return err
}

// blobs counts the objects that the server has.
func (h *house) blobs() (n int) {
	h.t.Helper()
	err := filepath.WalkDir(filepath.Join(h.data, "blobs", "objects"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return nil // what is being removed is gone
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// TestHomeIsDeletedControl: a server that does not ask whether the home was deleted lets
// its people in.
func TestHomeIsDeletedControl(t *testing.T) {
	control(t, "TestHomeIsDeleted", "whoever signs in to it is told", sabotage.Cut{File: "server/session.go", Old: "if at.Ended {", New: "if false && at.Ended {"},
		sabotage.Cut{File: "agent/house_test.go", Old: "3*time.Minute", New: "15*time.Second"})
}
