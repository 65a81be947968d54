package event_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/camera/onvif"
	"github.com/latchkey-cam/latchkey/camera/onvif/onviftest"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/motion"
)

// A camera that says by ONVIF that it sees somebody says so of the event that goes on,
// and what it says when nothing moves belongs to none.
func TestWhatTheCameraSees(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, cameratest.Mover(320, 180, 10, 4, 6))
	c := serve(t, film)
	c.Play(t, film, film, film) // it may move before the camera is listened to
	device := onviftest.Serve(t, onviftest.Device{Events: true, User: "viewer", Password: password})
	var once sync.Once
	w := watch(t, func(_ *watched, config *event.Config) {
		config.Main = c.Address()
		credentials := config.Credentials
		config.Listen = func(ctx context.Context, saw func(latchkey.Sighting)) error {
			client, err := onvif.Open(ctx, onvif.Config{Address: device.Address(), Credentials: credentials})
			if err != nil {
				return err
			}
			defer client.Close()
			return client.Listen(ctx, nil, saw)
		}
		config.OnMotion = func(a motion.Activity) {
			if a.Moving && device.Subscribers() > 0 {
				once.Do(func() {
					device.Tell(onviftest.Notification("tns1:RuleEngine/MyRuleDetector/PeopleDetect", "Changed", "v", "State", "true"))
				})
			}
		}
	})
	e := await(t, w.ended)
	for e.Saw == 0 {
		e = await(t, w.ended)
	}
	if e.Saw != latchkey.SawPerson {
		t.Errorf("the event says that it saw %v", e.Saw.Names())
	}
	w.stop()
	for end := time.Now().Add(patience); device.Subscribers() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the subscription is left behind")
		}
	}
}

// Listening that fails, in whatever way, costs no event, and the camera's state says
// nothing of it. A camera that refuses the password is not asked again, because it would
// lock the account; another is.
func TestListeningThatFails(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, cameratest.Mover(320, 180, 8, 3, 5))
	for name, test := range map[string]struct {
		listen func(ctx context.Context, saw func(latchkey.Sighting)) error
		again  bool // it is tried more than once
		saw    latchkey.Sighting
	}{
		"breaks off": {func(context.Context, func(latchkey.Sighting)) error { return errors.New("gone") }, true, 0},
		"ends":       {func(context.Context, func(latchkey.Sighting)) error { return nil }, true, 0},
		"refuses": {func(context.Context, func(latchkey.Sighting)) error {
			return camera.NewError(camera.WrongPassword, "refused")
		}, false, 0},
		"panics": {func(context.Context, func(latchkey.Sighting)) error { panic("a bug") }, false, 0},
		"hangs":  {func(ctx context.Context, _ func(latchkey.Sighting)) error { <-ctx.Done(); return ctx.Err() }, false, 0},
		"floods": {func(ctx context.Context, saw func(latchkey.Sighting)) error {
			for ctx.Err() == nil {
				saw(latchkey.SawVehicle | latchkey.SawAnimal)
			}
			return ctx.Err()
		}, false, latchkey.SawVehicle | latchkey.SawAnimal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, film)
			c.Play(t, film, film)
			var tries atomic.Int32
			w := watch(t, func(_ *watched, config *event.Config) {
				config.Main = c.Address()
				config.Listen = func(ctx context.Context, saw func(latchkey.Sighting)) error {
					tries.Add(1)
					return test.listen(ctx, saw)
				}
			})
			b, e := await(t, w.begun), await(t, w.ended)
			checkPair(t, b, e)
			if e.Saw != test.saw {
				t.Errorf("the event says that it saw %v", e.Saw.Names())
			}
			if s := w.now(); s.Motion != nil || s.SinkErr != nil || s.Lost != 0 {
				t.Errorf("status %+v", s)
			}
			if n := tries.Load(); n == 0 || n > 1 != test.again {
				t.Errorf("it was tried %d times", n)
			}
		})
	}
}
