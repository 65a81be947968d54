package camera

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/media"
)

// watchFilm follows a film for some minutes of made-up time; the film is played over
// and over if it is shorter. It returns when the camera was said to be frozen first, or
// a negative time, and the last status.
func watchFilm(t *testing.T, film cameratest.Film, minutes int) (frozen time.Duration, sessions int, last Status) {
	t.Helper()
	frozen = -1
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(minutes)*time.Minute)
		defer cancel()
		start, n := time.Now(), 0
		f := &follower{handle: func(media.Unit) {},
			tell: func(s Status) {
				if last = s; s.State == Frozen && frozen < 0 {
					frozen = time.Since(start)
				}
			},
			receive: func(ctx context.Context, s Source, _ *atomic.Uint64, handle func(media.Unit)) error {
				sessions++
				var a media.Assembler
				for i := uint32(0); ctx.Err() == nil; i++ {
					u, ok, err := a.Unit(film[n%len(film)], i*90000/cameratest.Rate, time.Now())
					if n++; err != nil {
						t.Error(err)
						return err
					}
					if ok {
						handle(u)
					}
					time.Sleep(time.Second / cameratest.Rate)
				}
				return ctx.Err()
			}}
		f.run(ctx)
	})
	return frozen, sessions, last
}

// An encoder that is given the same picture for ever is found out, whatever it is told
// about quality and rate. The control is a scene as still and dark as can be, with the
// noise of one shade that the best sensor has.
func TestFrozen(t *testing.T) {
	t.Parallel()
	const bars, dark, noise = "smptebars=size=160x96:rate=15:duration=40", "color=black:size=160x96:rate=15:duration=40", ",noise=alls=1:allf=t"
	for name, args := range map[string][]string{
		"quality":       {"-crf", "23"},
		"rate":          {"-b:v", "500k", "-maxrate", "500k", "-bufsize", "500k"},
		"entropy coder": {"-crf", "30", "-preset", "medium", "-bf", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, scene := range []string{bars, dark} {
				still := cameratest.Encode(t, scene, args...)
				still = append(still[:0:0], still[len(still)/2:]...) // it has settled
				at, sessions, last := watchFilm(t, still, 30)
				if at < time.Minute || at > 2*time.Minute || last.State != Frozen {
					t.Errorf("%s: frozen after %v, at last %s", scene, at, last.State)
				}
				if sessions < 3 || sessions > 5 {
					t.Errorf("%s: %d sessions in half an hour, want one each ten minutes", scene, sessions)
				}
				if long := time.Since(last.Last); long < 0 || last.Since.IsZero() || !last.Since.Equal(last.Last) {
					t.Errorf("%s: %+v, want it frozen since the last good picture", scene, last)
				}
				if at, sessions, last := watchFilm(t, cameratest.Encode(t, scene+noise, args...), 30); at >= 0 || sessions != 1 || last.State != Receiving {
					t.Errorf("%s with noise: said to be frozen after %v, %d sessions, %s", scene, at, sessions, last.State)
				}
			}
		})
	}
}

// A picture that thaws is received at once.
func TestThaws(t *testing.T) {
	film := cameratest.Encode(t, "testsrc2=size=160x96:rate=15:duration=20")
	var mixed cameratest.Film
	for range 100 * cameratest.Rate {
		mixed = append(mixed, film[0])
	}
	mixed = append(mixed, film[cameratest.Rate:]...)
	at, sessions, last := watchFilm(t, mixed, 1)
	if at >= 0 || last.State != Receiving {
		t.Errorf("said to be frozen after %v: too early", at)
	}
	at, sessions, last = watchFilm(t, mixed, 2)
	if at < time.Minute || at > time.Minute+5*time.Second || sessions != 2 || last.State != Receiving || last.Last.Sub(last.Since) < 5*time.Second {
		t.Error(fmt.Sprint(at, sessions), last)
	}
}
