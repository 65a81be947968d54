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
	src.Patience, src.Delays = 200*time.Millisecond, []time.Duration{100 * time.Millisecond}
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

// A camera that has one place, and holds it after the connection has broken, is asked
// to free it; one that will not is given the time that it said it needs.
func TestStaleSessions(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=1")
	for name, test := range map[string]struct {
		session string
		frees   bool // at TEARDOWN
		least   time.Duration
	}{
		"frees it when asked":   {"abc;timeout=60", true, 0},
		"frees it after 2 s":    {"abc;timeout=2", false, 1500 * time.Millisecond},
		"does not say for long": {"abc", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var taken, torn atomic.Bool
			var told atomic.Int32
			broke := make(chan time.Time, 9)
			r := cameratest.Misbehave(t, film, cameratest.Misdeed{
				Answer: func(c *cameratest.Call, q cameratest.Request) (string, bool) {
					switch {
					case q.Method == "SETUP" && q.Header["Authorization"] != "":
						if taken.Swap(true) && test.frees {
							return cameratest.Reply(q, "453 Not Enough Bandwidth", ""), true
						}
						return "", false
					case q.Method == "TEARDOWN" && q.Header["Authorization"] != "":
						told.Add(1)
						if q.Header["Session"] == "abc" && test.frees {
							torn.Store(true)
							taken.Store(false)
							return cameratest.Reply(q, "200 OK", ""), true
						}
						return cameratest.Reply(q, "405 Method Not Allowed", ""), true
					}
					return "", false
				},
				Play: func(c *cameratest.Call) {
					c.Picture(film[0])
					c.Sleep(100 * time.Millisecond)
					broke <- time.Now()
					c.HangUp()
				},
			}, func(r *cameratest.Rogue) { r.User, r.Password, r.Session = "admin", secret, test.session })
			s := source(t, r.Address(), "admin", secret)
			s.Delays = []time.Duration{100 * time.Millisecond}
			f := follow(t, s, nil)
			f.name = name
			first := await(t, broke)
			second := await(t, broke)
			if pause := second.Sub(first); pause < test.least || pause > test.least+5*time.Second {
				t.Errorf("the next session broke %v after the first, want about %v", pause, test.least)
			}
			if told.Load() == 0 || torn.Load() != test.frees {
				t.Errorf("asked %d times to free the session, freed: %t", told.Load(), torn.Load())
			}
			if s := f.now(); s.State != camera.Lost && s.State != camera.Receiving {
				t.Errorf("%+v: the camera was said to be at its limit", s)
			}
		})
	}
}

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("nothing within 20 s")
		panic("unreachable")
	}
}
