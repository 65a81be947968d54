package agent_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/settings"
)

// TestNamesForGuests: a description says what the settings call things, so that a guest
// reads names; before there are settings it says none.
func TestNamesForGuests(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	a, o, _ := h.placed(agent.Config{})
	camera := h.owner.Title().Cameras()[0].ID
	described := func() (names map[string]string) {
		t.Helper()
		if err := o.one(); err != nil {
			t.Fatal(err)
		}
		h.arrived(a, o)
		all, err := h.owner.look(h.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all[o.ids[len(o.ids)-1]] {
			if s.binding.Kind != latchkey.Description {
				continue
			}
			var d struct {
				Names map[string]string `json:"names"`
			}
			if err := json.Unmarshal(s.content, &d); err != nil {
				t.Fatal(err)
			}
			names = d.Names
		}
		return names
	}
	if names := described(); names != nil {
		t.Errorf("before there are settings: %v", names)
	}
	prev := h.settle(nil, "Europe/Berlin", map[latchkey.CameraID]settings.Camera{})
	h.until("it knows the settings", func() bool { return a.Status().HomeName == "Our house" })
	if diff := cmp.Diff(map[string]string{"home": "Our house", "zone": "Europe/Berlin"}, described()); diff != "" {
		t.Errorf("a camera without a name (-want +got):\n%s", diff)
	}
	h.settle(prev, "Europe/Berlin", map[latchkey.CameraID]settings.Camera{camera: {Name: "Front door"}})
	h.until("it knows the name", func() bool { return stateOf(a, camera).Name == "Front door" })
	if diff := cmp.Diff(map[string]string{"camera": "Front door", "home": "Our house", "zone": "Europe/Berlin"}, described()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
