package camera_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/media"
)

// A camera that refuses the password is not asked again soon: it would lock the account.
// How often it is asked in hours is counted by TestDelays.
func TestWrongPasswordWaitsLongest(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := cameratest.Play(t, func(_ net.Conn, r cameratest.Request) (string, bool) {
		if r.Method == "DESCRIBE" {
			asked.Add(1)
			return cameratest.Reply(r, "401 Unauthorized", "", `WWW-Authenticate: Digest realm="r", nonce="n"`), true
		}
		return cameratest.Honest(r), true
	})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	src := source(t, s.Address(), "admin", "wrong")
	src.Delays = []time.Duration{time.Millisecond, time.Millisecond, time.Minute}
	var last camera.Status
	camera.Follow(ctx, src, func(media.Unit) {}, func(s camera.Status) { last = s })
	if n := asked.Load(); n != 2 { // once without, as the protocol wants, and once with
		t.Errorf("the camera was asked %d times", n)
	}
	if wait := time.Until(last.Retry); last.State != camera.WrongPassword || wait < 45*time.Second || wait > 75*time.Second {
		t.Errorf("state %s, next try in %v", last.State, wait)
	}
}

// A camera that does not come back is asked again and again, and its trouble has begun
// when it began.
func TestFollowConnectsAgain(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=1")
	c := cameratest.Serve(t, film, nil)
	src := source(t, c.Address(), "", "")
	src.Patience, src.Delays = 200*time.Millisecond, []time.Duration{10 * time.Millisecond}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var said []camera.Status
	camera.Follow(ctx, src, func(media.Unit) {}, func(s camera.Status) {
		if said = append(said, s); len(said) == 4 {
			cancel()
		}
	})
	var states []string
	for _, s := range said {
		states = append(states, string(s.State))
	}
	if want := "connecting silent silent silent"; strings.Join(states, " ") != want {
		t.Fatalf("states %v, want %s", states, want)
	}
	if c.Sessions() != 3 || said[3].Sessions != 3 {
		t.Errorf("%d sessions, said to be %d", c.Sessions(), said[3].Sessions)
	}
	if !said[3].Since.Equal(said[1].Since) || said[3].Retry.Before(said[1].Retry) || !said[3].Last.IsZero() {
		t.Errorf("first %+v, then %+v", said[1], said[3])
	}
}

// Another device at the camera's address is not even connected to.
func TestAnotherDevice(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=3")
	c := cameratest.Serve(t, film, func(c *cameratest.Camera) { c.User, c.Password = "admin", secret })
	c.Play(t, film)
	src := source(t, c.Address(), "admin", secret)
	src.Delays = []time.Duration{10 * time.Millisecond}
	var same atomic.Bool
	src.Admit = func(context.Context) error {
		if !same.Load() {
			return errors.New("the serial number is not the one that was noted, nor is " + secret)
		}
		return nil
	}
	if _, err := camera.Probe(t.Context(), src); camera.StateOf(err) != camera.AnotherDevice || leaks(err.Error()) {
		t.Errorf("probed: %v (%s)", err, camera.StateOf(err))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var refused camera.Status
	n := 0
	camera.Follow(ctx, src, func(media.Unit) {}, func(s camera.Status) {
		switch {
		case s.State == camera.AnotherDevice:
			if refused = s; n < 3 {
				if n++; n == 3 && c.Sessions() == 0 {
					same.Store(true)
				}
			}
		case s.State == camera.Receiving:
			cancel()
		}
	})
	if n != 3 || refused.Err == nil || leaks(refused.Err.Error()) || !strings.Contains(refused.State.Says(), "Another device") {
		t.Errorf("refused %d times, at last with %+v", n, refused)
	}
	if c.Sessions() != 1 {
		t.Errorf("%d sessions, want one after it was the right device again", c.Sessions())
	}
}
