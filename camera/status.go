package camera

import (
	"errors"
	"fmt"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

// State is how it stands with one stream of a camera.
type State string

// The states of a stream. All but Connecting, Receiving and Frozen are why there is no
// stream. A camera that was in trouble stays in it, with its sentence, while it is asked
// again, until there is a picture.
const (
	Connecting    State = "connecting"
	Receiving     State = "receiving"
	Frozen        State = "frozen"
	WrongPassword State = "wrong-password"
	AnotherDevice State = "another-device"
	NotFound      State = "not-found"
	Busy          State = "busy"
	Unreachable   State = "unreachable"
	Silent        State = "silent"
	NoKeyFrame    State = "no-key-frame"
	NoVideo       State = "no-video"
	Unsupported   State = "unsupported"
	Unusable      State = "unusable"
	Flood         State = "flood"
	Elsewhere     State = "elsewhere"
	Lost          State = "lost"
)

// says holds a sentence for each state: what happened, what to do next.
var says = map[State]string{
	Connecting:    "Connecting to the camera.",
	Receiving:     "Receiving pictures.",
	Frozen:        "The camera sends the same picture over and over. If it does not show a still on purpose, as with its shutter closed, restart it.",
	WrongPassword: "The camera refuses this user and password. Check them in the camera's own settings. It will be asked again in a minute and then ever more rarely, so that it does not lock the account.",
	AnotherDevice: "Another device than this camera answers at its address, so nothing of it is taken. If you have replaced the camera, accept the new one; if not, look up the camera's new address in your router.",
	NotFound:      "The camera answers, but has no stream at this address. Check the part of the address after the host.",
	Busy:          "The camera refuses another connection. It may be at its connection limit: close other apps that show it. If it has never worked, check the port and that RTSP is switched on in the camera.",
	Unreachable:   "The camera cannot be reached. Check that it is switched on, in this network, and that host and port are right.",
	Silent:        "The camera is connected but has stopped sending pictures. It will be asked again; if this goes on, restart it.",
	NoKeyFrame:    "The camera sends no key frames, so that no picture can be begun. Set the interval of its key frames (I-frames) to 1 or 2 seconds.",
	NoVideo:       "The camera offers no video at this address. Check the part of the address after the host.",
	Unsupported:   "The camera sends its video in a coding that cannot be recorded here, such as MJPEG. Set its video encoding to H.264 or H.265 in the camera's own settings.",
	Unusable:      "The camera sends something that is no video, or is too large to be one. If it is a camera, update its firmware.",
	Flood:         "The camera sends more pictures or bytes a second than any camera needs to. Lower its frame rate or bit rate, or restart it.",
	Elsewhere:     "The camera sends us to another address, or in a circle. That is refused; give the address of the stream itself.",
	Lost:          "The connection to the camera has broken off. It will be asked again.",
}

// Says returns a sentence for people: what happened, and what to do if anything.
func (s State) Says() string { return says[s] }

// Status is how it stands with one stream of a camera.
type Status struct {
	State State
	Since time.Time // when State began; trying again does not end it
	Err   error     // what went wrong in detail, for logs; nil in Connecting and Receiving
	Retry time.Time // when the camera is asked again; zero in Connecting and Receiving

	// Last is when the last good picture came in, zero if there was none yet: one that
	// could be used and was not the same over and over. It is a few seconds old at the
	// most.
	Last time.Time

	// Of the stream, in Receiving and Frozen.
	Width, Height int
	Codec         string
	Rate          float64 // pictures a second as they come in, in tenths; 0 in the first seconds
	Audio         string  // the codec of its sound, empty if there is none

	Sessions uint64 // begun since the agent started
	Damaged  uint64 // RTP packets that were missing or made no sense, in all sessions
}

// Error is why a session ended, or did not begin. It never contains the password.
type Error struct {
	State State
	text  string
	stale *stale // the session that the camera may still hold; nil if none
}

// Error returns what happened, for logs.
func (e *Error) Error() string { return e.text }

// StateOf returns the state that an error of [Receive] or [Probe] stands for.
func StateOf(err error) State {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.State
	}
	return Lost
}

// failure makes an Error. The cause is kept as text, without secrets, because the
// value itself might hold some.
func (c Credentials) failure(state State, format string, args ...any) *Error {
	return &Error{State: state, text: c.scrub(fmt.Sprintf(format, args...))}
}

// become changes the state, and when it began unless it is the same.
func (s *Status) become(state State) {
	if s.State != state {
		s.State, s.Since = state, time.Now()
	}
}

// of takes what the parameters say of the stream.
func (s *Status) of(p *media.Parameters) {
	s.Width, s.Height, s.Codec = p.Width(), p.Height(), p.Codec()
}
