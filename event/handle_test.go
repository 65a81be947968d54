package event_test

import (
	"bytes"
	"errors"
	"image/jpeg"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/motion"
)

// By its handle a camera that is watched shows its newest picture, and says what other
// settings would have come to; the settings apply at once, while it is watched.
func TestHandle(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, cameratest.Mover(320, 180, 7, 3, 5))
	c := serve(t, film)
	c.Play(t, film, film)
	nowhere := motion.Config{Masks: [][]motion.Point{{{X: 0, Y: 0}, {X: motion.Full, Y: 0}, {X: motion.Full, Y: motion.Full}, {X: 0, Y: motion.Full}}}}
	var settings atomic.Pointer[motion.Config]
	settings.Store(&nowhere)
	var h event.Handle
	if _, err := h.Still(t.Context()); !errors.Is(err, event.ErrNoPicture) {
		t.Errorf("a picture of a camera that is not watched: %v", err)
	}
	w := watch(t, func(_ *watched, config *event.Config) {
		config.Main, config.Handle = c.Address(), &h
		config.Motion = func() motion.Config { return *settings.Load() }
	})
	w.eventually(func(s event.Status) bool { return s.Recording && time.Since(s.Last) < time.Minute })
	still, err := h.Still(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if size, err := jpeg.DecodeConfig(bytes.NewReader(still.JPEG)); err != nil || size.Width != 320 || still.Width != 320 || still.Height != 180 {
		t.Errorf("%dx%d, a JPEG of %+v, %v", still.Width, still.Height, size, err)
	}
	if age := time.Since(still.Taken.Wall.Time()); age < 0 || age > 30*time.Second {
		t.Errorf("the picture is %v old", age)
	}
	fired := func(c motion.Config) int {
		n, since := h.WouldHaveFired(c)
		if n > 0 && (since.IsZero() || time.Since(since) > time.Minute) {
			t.Errorf("%d times since %v", n, since)
		}
		return n
	}
	// Something moved, but not where it counts.
	w.eventually(func(event.Status) bool { return fired(motion.Config{}) == 1 })
	if n := fired(nowhere); n != 0 || len(w.begun) != 0 || w.now().Day != 0 {
		t.Errorf("where nothing counts it would have fired %d times, and did %d", n, len(w.begun))
	}
	settings.Store(&motion.Config{})
	await(t, w.begun)
	await(t, w.ended)
	if s := w.now(); s.Day != 1 {
		t.Errorf("%d events in a day", s.Day)
	}
	w.stop()
	if err := <-w.done; err != nil {
		t.Error(err)
	}
	w.done <- nil // for the end of the test
	if _, err := h.Still(t.Context()); !errors.Is(err, event.ErrNoPicture) {
		t.Errorf("a picture of a camera that is not watched any more: %v", err)
	}
	if n := fired(motion.Config{}); n < 1 {
		t.Error("what moved is forgotten with the watching")
	}
}
