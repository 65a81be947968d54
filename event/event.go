// Package event watches cameras: it joins the recorded groups of pictures of one
// camera with what moves in them to events, each with a thumbnail, a clip and the
// seconds before and after, and hands them to a [Sink].
//
// [Watch] runs one camera whole, from its RTSP session to the sink. Everything of
// one camera lives under that call, so that one camera's trouble, a panic included,
// is no other's.
package event

import (
	"context"
	"io"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/clock"
)

// Sink takes the events of one or more cameras.
//
// For each event Begin is called once and then End once, in that order; different
// events of one camera do not overlap, those of different cameras do. A sink may be
// slow: recording goes on meanwhile, and finished events wait in a short queue.
//
// An error of either is reported through [Config.Status] and stops nothing; End is
// called although Begin failed, because a clip without a thumbnail is still worth
// keeping. A sink heeds its context: the watching does not end before it returns.
type Sink interface {
	// Begin is told of an event about a second after something moved, while it goes
	// on. The thumbnail is a JPEG picture, nil if none could be made.
	Begin(ctx context.Context, e Event, thumbnail []byte) error

	// End is told of the whole event. The function clip writes its clip, a
	// fragmented MP4, to a writer, streaming; it may be called more than once, until
	// End returns. It returns the writer's errors. When the agent stops, End is
	// called for an event that is under way, with a context that has a few seconds.
	End(ctx context.Context, e Event, clip func(io.Writer) error) error
}

// Event is something that happened on one camera.
type Event struct {
	ID     latchkey.EventID
	Camera latchkey.CameraID

	// Continues is the event that this one goes on from because that one had
	// reached its longest; zero for all others.
	Continues latchkey.EventID

	Cause string       // "motion"
	Start clock.Moment // of the first picture in which something moved
	End   clock.Moment // of the last one, as far as is known

	// Saw is what the camera itself said that it saw, from the time before the event that
	// its clip shows until the event was over; as far as is known in Begin.
	Saw latchkey.Sighting

	// Score is how much moved at the most, 0 to 1: the share of the picture.
	Score float64

	Picture clock.Moment // of the picture that the thumbnail shows; in Begin and End
	Clip    Clip         // zero in Begin
	Stages  Stages
}

// Clip describes an event's clip.
type Clip struct {
	Sub           bool         // it is of the sub-stream; otherwise of the main stream
	Start         clock.Moment // of its first picture: a key frame, some seconds before the event's start
	Duration      time.Duration
	Type          string // video/mp4; codecs="avc1.64001f"
	Width, Height int
	Bytes         int64 // that are written by the function that End is given
}

// Stages says when an event got how far, for measuring; Monotonic is the clock to
// subtract by.
type Stages struct {
	Received clock.Moment // the first moving picture had been received whole
	Decided  clock.Moment // it was decided that something moves
	Still    clock.Moment // the thumbnail had been made
}
