package event

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/media"
	"github.com/latchkey-cam/latchkey/motion"
)

const (
	// answerWithin is how long a watched camera may take to say what its newest picture
	// is; it is asked between two others.
	answerWithin = 2 * time.Second

	// mostBegun bounds the times that are kept to count a day's events by. Motions that
	// are close together are one event, so that a day has some 8,000 at the most.
	mostBegun = 10_000
)

// ErrNoPicture is what [Handle.Still] returns when there is none to be had: the camera
// is not watched, or nothing has come from it yet.
var ErrNoPicture = errors.New("the camera has no picture to show")

// Handle is by what others ask a camera that is being watched. It remembers the motion
// of the last day while the camera is not watched, so that one Handle may be given to
// one [Watch] after another, though not to two at once. The zero Handle is ready, and
// safe for use by several goroutines.
type Handle struct {
	log motion.Log

	mu      sync.Mutex  // protects what follows
	watcher *watcher    // nil while the camera is not watched
	begun   []time.Time // when the events of the last day began, the oldest first

	still sync.Mutex // held while one is made: each takes a child that decodes
}

// Still is one picture of a camera.
type Still struct {
	JPEG          []byte
	Width, Height int
	Taken         clock.Moment
}

// Still returns the newest picture of the camera, at most 640 by 360 pixels. It takes
// as long as decoding a group of pictures does, and at most some seconds. When was it
// taken is for the caller to look at: a camera that is silent keeps its last picture
// for as long as the time before an event is kept.
func (h *Handle) Still(ctx context.Context) (Still, error) {
	h.still.Lock()
	defer h.still.Unlock()
	h.mu.Lock()
	w := h.watcher
	h.mu.Unlock()
	if w == nil {
		return Still{}, ErrNoPicture
	}
	units, err := w.ask(ctx)
	if err != nil {
		return Still{}, err
	}
	picture, err := camera.Still(ctx, w.config.FFmpeg, units)
	if err != nil {
		return Still{}, err
	}
	size, err := jpeg.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		return Still{}, err
	}
	return Still{picture, size.Width, size.Height, w.config.Clock(units[len(units)-1].Taken)}, nil
}

// WouldHaveFired returns how many events there would have been with that config, and
// since when: at most 24 hours ago, less if the camera has not been watched that long
// or too much has moved to remember it all, and zero if nothing has been seen at all.
func (h *Handle) WouldHaveFired(c motion.Config) (times int, since time.Time) {
	return h.log.WouldHaveFired(c, time.Now())
}

// watched says by whom the camera is watched from now on, nil if by nobody.
func (h *Handle) watched(by *watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watcher = by
}

// began counts an event.
func (h *Handle) began(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.begun = append(h.begun, at)
	h.begun = h.begun[max(0, len(h.begun)-mostBegun):]
}

// day returns how many events began in the 24 hours before now.
func (h *Handle) day(now time.Time) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.begun) > 0 && now.Sub(h.begun[0]) > 24*time.Hour {
		h.begun = h.begun[1:]
	}
	return len(h.begun)
}

// ask asks the goroutine that joins for the newest group of pictures.
func (w *watcher) ask(ctx context.Context) ([]media.Unit, error) {
	patience := time.NewTimer(answerWithin)
	defer patience.Stop()
	answer := make(chan []media.Unit, 1)
	select {
	case w.asks <- answer:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-patience.C: // the watching has broken off, or ends
		return nil, ErrNoPicture
	}
	if units := <-answer; len(units) > 0 {
		return units, nil
	}
	return nil, ErrNoPicture
}

// view returns the newest group of pictures, as far as it has come in.
func (m *machine) view() []media.Unit {
	groups := m.ring.Since(m.newest.Taken)
	if len(groups) == 0 {
		return nil
	}
	return groups[len(groups)-1].Units
}
