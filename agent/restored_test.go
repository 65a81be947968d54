package agent_test

import (
	"log/slog"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// TestServerRestored: a server is backed up while it runs, goes on, and is restored from
// that backup. The agent that goes on running gives back the deeds that were lost, so
// that somebody who was removed since stays removed; it is not taken for a copy, then and
// at its next starts; and nothing that it had not uploaded yet is lost.
func TestServerRestored(t *testing.T) {
	h := newHouse(t).joined()
	a, o, stop := h.placed(agent.Config{})
	one := func() {
		t.Helper()
		if err := o.one(); err != nil {
			t.Fatal(err)
		}
	}
	one()
	h.arrived(a, o)
	kept := slices.Clone(o.ids)
	onto := h.owner.Title().Head()
	p := h.owner.Join(keytest.NewPerson(), keytest.AsResident)
	h.append(onto)
	admitted := h.owner.Title().Head()

	backup := filepath.Join(t.TempDir(), "backup")
	if _, lost, err := server.BackUp(h.ctx, server.BackupConfig{Data: h.data, To: backup}); err != nil || lost.Count > 0 {
		t.Fatalf("back up: %v, lost %+v", err, lost)
	}
	h.owner.Dismiss(p)
	h.append(admitted)
	one() // is uploaded, acknowledged and removed here: it is lost with the server
	h.until("everything is uploaded", func() bool { return drained(a) })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	o = newOnDemand()
	a, stop = h.run(agent.Config{Watch: o.watch}) // another start, whose token the backup does not know
	h.until("the agent knows of the removal", func() bool { return drained(a) && a.Status().Head == h.owner.Title().Head().String() })
	if err := h.server.Close(); err != nil {
		t.Fatal(err)
	}
	one() // waits
	kept = append(kept, o.ids...)

	h.restore(backup)
	h.until("what waited is uploaded", func() bool { return drained(a) })

	if _, err := h.owner.client.SignIn(h.ctx, h.owner.Home(), p.Keys.Device, p.Keys.DeviceSigning, admitted); api.ReasonOf(err) != api.SignInRefused {
		t.Errorf("the removed person signs in: %v", err)
	}
	h.signIn()
	if _, at, err := h.owner.home.Deeds(h.ctx, 0); err != nil || at != h.owner.Title().Head() {
		t.Errorf("the restored server's head is %s, %v; want %s", at, err, h.owner.Title().Head())
	}
	all, err := h.owner.look(h.ctx)
	if err != nil {
		t.Fatal(err)
	}
	have := map[latchkey.EventID]bool{}
	for id := range all {
		have[id] = true
	}
	want := map[latchkey.EventID]bool{}
	for _, id := range kept {
		want[id] = true
		if err := whole(id, all[id], latchkey.Thumbnail, latchkey.Description, latchkey.Clip); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("events after the restore (-want +got):\n%s", diff)
	}
	for range 2 {
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		a, stop = h.run(agent.Config{})
		h.until("the agent is taken in at its next start", func() bool { return a.Status().Uplink.State == uplink.Connected })
	}
}

// append sends what the owner has signed since.
func (h *house) append(onto latchkey.Head) {
	h.t.Helper()
	if _, err := h.owner.home.Append(h.ctx, onto, h.owner.Title().Deeds(onto.Seq+1)...); err != nil {
		h.t.Fatal(err)
	}
}

// restore has a server that was restored from a backup stand where the house's stood.
func (h *house) restore(backup string) {
	h.t.Helper()
	data := filepath.Join(h.t.TempDir(), "restored")
	if _, lost, err := server.Restore(h.ctx, server.RestoreConfig{From: backup, Data: data}); err != nil || lost.Count > 0 {
		h.t.Fatalf("restore: %v, lost %+v", err, lost)
	}
	restored, err := server.Run(h.ctx, server.LocalConfig{Data: data, Listen: h.server.Address, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { restored.Close() })
	h.data = data
}

// signIn has the owner's device sign in at the server that stands there now.
func (h *house) signIn() {
	h.t.Helper()
	device, signing := h.owner.Device()
	var err error
	if h.owner.home, err = h.owner.client.SignIn(h.ctx, h.owner.Home(), device, signing, h.owner.Title().Head()); err != nil {
		h.t.Fatal(err)
	}
}
