package event

import (
	"errors"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/camera"
)

// Status is how a camera is doing.
type Status struct {
	Camera latchkey.CameraID

	Main camera.Status
	Sub  camera.Status // the zero Status if there is no sub stream

	// Looking says that pictures are being looked at for motion. Motion is why they
	// are not, nil if they are or if they are not yet.
	Looking bool
	Motion  error

	// Recording says that pictures come in and would be kept if something moved. Last
	// is when the newest good one came in, a few seconds ago at the most; it tells more
	// than any connection does. Day is how many events began in the last 24 hours.
	Recording bool
	Last      time.Time
	Day       int

	// SinkErr is what the sink said last, nil if it took what it was told.
	SinkErr error

	// Events is how many events the sink has taken, Dropped how many it was too slow
	// for, whole or their clips, Lost how many units could not be kept for a clip.
	// They count from the beginning of Watch.
	Events, Dropped, Lost uint64
}

// Says returns a sentence for people: what matters most of how the camera is doing,
// and what to do if anything.
func (s Status) Says() string {
	switch {
	case s.Main.State != camera.Receiving:
		return s.Main.State.Says()
	case s.SinkErr != nil:
		return "Receiving pictures, but the last event could not be kept whole. Check that the disk has room and see the log."
	case s.Motion != nil:
		why := "See the log."
		if f := (*camera.FFmpegError)(nil); errors.As(s.Motion, &f) {
			why = f.Says()
		}
		return "Receiving pictures, but motion cannot be looked for, so no events are recorded. " + why
	case s.Sub.State != "" && s.Sub.State != camera.Receiving:
		return "Receiving pictures, but not the smaller stream in which motion is looked for, so no events are recorded. " + s.Sub.State.Says()
	case !s.Looking:
		return "Receiving pictures; motion will be looked for in a moment."
	}
	return s.Main.State.Says()
}
