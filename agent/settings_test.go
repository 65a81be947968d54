package agent_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/settings"
)

// TestSettingsOfSomebodyWhoLeft: settings hold as long as nobody makes others, whatever
// has become of the owner who signed them. What that owner signs after the dismissal is
// taken from nobody, not from the agent's own disk either.
func TestSettingsOfSomebodyWhoLeft(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	a, stop := h.run(agent.Config{Watch: idle})
	camera := h.describe("Bath")
	h.until("it is placed", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	bob, bobs := h.join(keytest.AsOwner)
	content := func(home string, off bool) settings.Content {
		return settings.Content{Home: home, Zone: "UTC", Cameras: map[latchkey.CameraID]settings.Camera{camera.ID: {Name: "Bath", Off: off}}}
	}
	first := bobs.Settings(nil, content("By Bob", true))
	if err := bobs.home.PutSettings(h.ctx, first); err != nil {
		t.Fatal(err)
	}
	h.until("they are taken", func() bool { return a.Status().HomeName == "By Bob" && stateOf(a, camera.ID).State == agent.CameraOff })
	since := h.owner.Title().Head()
	h.owner.Dismiss(bob)
	if err := h.owner.publish(h.ctx, since); err != nil {
		t.Fatal(err)
	}
	h.until("the agent knows that Bob has left", func() bool { return a.Status().Head == h.owner.Title().Head().String() })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	h.server.Close() // what is known is known without the server
	a, stop = h.run(agent.Config{Watch: idle})
	h.until("the camera is off after a start", func() bool { return stateOf(a, camera.ID).State == agent.CameraOff })
	if s := a.Status(); s.HomeName != "By Bob" {
		t.Errorf("the home is called %q", s.HomeName)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	kept, err := sealed.ParseSettings(first)
	if err != nil {
		t.Fatal(err)
	}
	bobs.Adopt(h.owner.Title())
	late := bobs.Settings(&kept, content("By Bob, later", false))
	if err := os.WriteFile(filepath.Join(h.folder, "settings"), late, 0o600); err != nil {
		t.Fatal(err)
	}
	var log lines
	a, _ = h.run(agent.Config{Watch: idle, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if s := a.Status(); s.HomeName != "" || !strings.Contains(log.String(), "no owner at head") {
		t.Errorf("what Bob signed later is taken: the home is called %q\n%s", s.HomeName, log.String())
	}
}
