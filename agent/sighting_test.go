package agent_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/camera/find"
	"github.com/latchkey-cam/latchkey/camera/onvif/onviftest"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/motion"
)

// What a camera says by ONVIF that it saw is in the description that its agent seals, in
// one order; a member reads it, and the server has nothing of it.
func TestWhatACameraSawIsSealed(t *testing.T) {
	film := cameratest.Encode(t, cameratest.Mover(320, 180, 9, 3, 6))
	c := cameratest.Serve(t, film, func(c *cameratest.Camera) { c.User, c.Password = "viewer", "pass word" })
	quiet := cameratest.Encode(t, cameratest.Mover(320, 180, 12, 20, 21))
	c.Play(t, film, film, quiet) // motions closer than ten seconds are one event
	// An agent asks at the ports that cameras use, and nowhere else.
	device := onviftest.ServeAt(t, onviftest.Device{Serial: "S-1", User: "viewer", Password: "pass word", Events: true}, 2020, 8899, 5000, 8000, 8080)
	var once sync.Once
	h := newHouse(t).joined()
	h.run(agent.Config{Watch: func(ctx context.Context, c event.Config) error {
		moves := c.OnMotion
		c.OnMotion = func(a motion.Activity) {
			moves(a)
			if a.Moving && device.Subscribers() > 0 {
				once.Do(func() {
					for _, rule := range []string{"DogCatDetect", "PeopleDetect", "Visitor", "CryDetect"} {
						device.Tell(onviftest.Notification("tns1:RuleEngine/MyRuleDetector/"+rule, "Changed", "v", "State", "true"))
					}
				})
			}
		}
		return event.Watch(ctx, c)
	}})
	state, err := agent.OpenState(h.folder)
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	if _, _, err := state.AddCamera(agent.Camera{
		Name: "Yard", Main: c.Address(), Credentials: camera.Credentials{User: camera.NewSecret("viewer"), Password: camera.NewSecret("pass word")},
		Pin: find.Identity{Serial: "S-1"},
	}); err != nil {
		t.Fatal(err)
	}
	h.until("the owner is asked", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	var text string
	h.until("an event is described", func() bool {
		all, err := h.owner.look(h.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, objects := range all {
			for _, o := range objects {
				if o.binding.Kind == latchkey.Description {
					text = string(o.content)
				}
			}
		}
		return text != ""
	})
	var d struct {
		Cause string
		Saw   []string
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	if d.Cause != "motion" || !slices.Equal(d.Saw, []string{"visitor", "person", "animal"}) {
		t.Errorf("described is %s", text)
	}
	// The server sees how long it is, and is not to guess from that what was seen.
	missing := len(`"face","vehicle","package",`)
	if padding := len(text) - len(strings.TrimRight(text, " ")); padding != missing {
		t.Errorf("it ends with %d spaces, want %d", padding, missing)
	}
}
