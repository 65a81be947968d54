package agent_test

import (
	"bytes"
	"image/jpeg"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
)

// TestRealCamera has nothing made up between an RTSP camera and a member who opens the
// pictures.
func TestRealCamera(t *testing.T) {
	film := cameratest.Encode(t, cameratest.Mover(320, 180, 9, 3, 6))
	c := cameratest.Serve(t, film, func(c *cameratest.Camera) { c.User, c.Password = "viewer", "pass word" })
	quiet := cameratest.Encode(t, cameratest.Mover(320, 180, 12, 20, 21)) // motions closer than ten seconds are one event
	c.Play(t, film, quiet, quiet)
	h := newHouse(t).joined()
	a, _ := h.run(agent.Config{})
	state, err := agent.OpenState(h.folder)
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	if _, _, err := state.AddCamera(agent.Camera{
		Name: "Yard", Main: c.Address(), Credentials: camera.Credentials{User: camera.NewSecret("viewer"), Password: camera.NewSecret("pass word")},
	}); err != nil {
		t.Fatal(err)
	}
	h.until("the owner is asked", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	var all map[latchkey.EventID][]seen
	h.until("an event arrives whole", func() bool {
		if all, err = h.owner.look(h.ctx); err != nil {
			t.Fatal(err)
		}
		for _, objects := range all {
			if len(objects) == 3 {
				return true
			}
		}
		return false
	})
	for _, objects := range all {
		for _, o := range objects {
			switch o.binding.Kind {
			case latchkey.Thumbnail:
				if _, err := jpeg.Decode(bytes.NewReader(o.content)); err != nil {
					t.Errorf("the thumbnail is no picture: %v", err)
				}
			case latchkey.Clip:
				if !bytes.Contains(o.content[:min(len(o.content), 64)], []byte("ftyp")) || !bytes.Contains(o.content, []byte("moof")) {
					t.Error("the clip is no fragmented MP4")
				}
			}
		}
	}
	if s := a.Status(); s.Cameras[0].State != agent.CameraReceiving || s.Cameras[0].Detail == "" {
		t.Errorf("camera %+v", s.Cameras[0])
	}
}
