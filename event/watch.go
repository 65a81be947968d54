package event

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/camera"
)

// Config is what [Watch] must know of one camera.
type Config struct {
	Camera latchkey.CameraID

	// Main is the address of the stream that is recorded, rtsp://HOST[:PORT]/PATH
	// without user or password. Sub is a smaller stream of the same picture in which
	// motion is looked for; empty if the camera has none.
	Main, Sub string

	// Credentials are given to the camera and to nobody else.
	Credentials camera.Credentials

	Sink Sink

	// Clock tells the time. The default is the machine's, with monotonic
	// microseconds since the program started.
	Clock func() Moment

	// Status, if there is one, is told of every change of the camera's state. It is
	// called from the camera's goroutines, one call at a time, and must not block.
	Status func(Status)

	// PreRoll and PostRoll are how much is kept from before and after motion,
	// rounded up to whole groups of pictures. 5 s each if zero.
	PreRoll, PostRoll time.Duration

	// Longest is the length at which an event is ended and another one goes on from
	// it. 60 s if zero.
	Longest time.Duration

	// Log is where the camera's troubles are written; none if nil.
	Log *slog.Logger
}

// Status is how a camera is doing.
type Status struct {
	Camera latchkey.CameraID
}

// Watch records one camera until ctx ends and hands its events to the sink. It
// connects again for ever when the camera goes away; it returns an error at once
// only for a Config that cannot work, and otherwise nil when ctx ends.
func Watch(ctx context.Context, c Config) error {
	return errors.New("watch camera: not built into this version")
}
