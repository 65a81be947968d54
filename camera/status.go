package camera

import (
	"errors"
	"fmt"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

// State is how it stands with one stream of a camera.
type State string

// The states of a stream. All but Connecting and Receiving are why there is no stream.
const (
	Connecting    State = "connecting"
	Receiving     State = "receiving"
	WrongPassword State = "wrong-password"
	NotFound      State = "not-found"
	Busy          State = "busy"
	Unreachable   State = "unreachable"
	Silent        State = "silent"
	NoKeyFrame    State = "no-key-frame"
	NotH264       State = "not-h264"
	Unusable      State = "unusable"
	Elsewhere     State = "elsewhere"
	Lost          State = "lost"
)

// says holds a sentence for each state: what happened, what to do next.
var says = map[State]string{
	Connecting:    "Connecting to the camera.",
	Receiving:     "Receiving pictures.",
	WrongPassword: "The camera refuses this user and password. Check them in the camera's own settings; the next try is a minute away, so that the camera does not lock the account.",
	NotFound:      "The camera answers, but has no stream at this address. Check the part of the address after the host.",
	Busy:          "The camera refuses another viewer. It may be at its limit of connections; close other apps that show it.",
	Unreachable:   "The camera cannot be reached. Check that it is switched on, in this network, and that host and port are right.",
	Silent:        "The camera is connected but has stopped sending pictures. It will be asked again; if this goes on, restart it.",
	NoKeyFrame:    "The camera sends no key frames, so that no picture can be begun. Set the interval of its key frames (I-frames) to 1 or 2 seconds.",
	NotH264:       "The camera sends no H.264 video here. Set its video encoding to H.264 in the camera's own settings.",
	Unusable:      "The camera sends something that is no video, or is too large to be one. If it is a camera, update its firmware.",
	Elsewhere:     "The camera sends us to another host. That is refused; give the address of that host if it is the camera.",
	Lost:          "The connection to the camera has broken off. It will be asked again.",
}

// Says returns a sentence for people: what happened, and what to do if anything.
func (s State) Says() string { return says[s] }

// Status is how it stands with one stream of a camera.
type Status struct {
	State State
	Since time.Time
	Err   error     // what went wrong in detail, for logs; nil in Connecting and Receiving
	Retry time.Time // when the camera will be asked again; zero in Connecting and Receiving

	// Of the stream, in Receiving.
	Width, Height int
	Codec         string

	Sessions uint64 // begun since the agent started
	Damaged  uint64 // RTP packets that were missing or made no sense, in all sessions
}

// Error is why a session ended, or did not begin. It never contains the password.
type Error struct {
	State State
	text  string
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
	return &Error{state, c.scrub(fmt.Sprintf(format, args...))}
}

func (s *Status) receiving(p *media.Parameters) {
	s.State, s.Since, s.Err, s.Retry = Receiving, time.Now(), nil, time.Time{}
	s.Width, s.Height, s.Codec = p.Width(), p.Height(), p.Codec()
}
