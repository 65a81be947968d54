package agent_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/server"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// deletes has the owner delete an event.
func (h *house) deletes(event latchkey.EventID) {
	h.t.Helper()
	one, err := tombstone.Sign(h.owner.Keys.Signing, h.owner.Title(), h.owner.Now(), tombstone.Tombstone{Scope: tombstone.Events, Events: []latchkey.EventID{event}})
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
