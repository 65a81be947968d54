package letter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/fields"
	"github.com/latchkey-cam/latchkey/sealed"
)

// The largest parts of a reply, which is a letter of at most 1 MiB.
const (
	maxStill    = 512 << 10 // bytes of a JPEG
	maxStreams  = 32
	maxFindings = 64
	maxDevices  = 256
)

// Reply is what an agent says to a command: [Progress] any number of times, then one
// of [Found], [Devices], [Added], [Description], [Done], [Picture], [WouldHaveFired],
// [Confirmed], [Timelines], [Strip] and [Pieces], whichever belongs to the command, or [Failure].
type Reply interface {
	// Last says that no other reply to the command follows.
	Last() bool
	// clean makes of what others wrote such as may be shown.
	clean() any
}

// Progress says how far a command has come.
type Progress struct {
	Says  string `json:"says"` // a sentence for people
	Done  int64  `json:"done"`
	Of    int64  `json:"of"`              // 0 if nobody knows
	Still []byte `json:"still,omitempty"` // a JPEG, if there is one to show
}

// Failure says why a command was not carried out.
type Failure struct {
	Reason  string `json:"reason"`  // for programs
	Message string `json:"message"` // for people: what happened, and what to do
}

// Severity says how bad a finding is.
type Severity string

// The severities of findings.
const (
	Good    Severity = "good"
	Warning Severity = "warning"
	Bad     Severity = "bad"
)

// Finding is something about a camera that its person should know.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"` // for programs
	Says     string   `json:"says"`
	Fix      string   `json:"fix"` // what to do, "" if nothing is to be done
}

// Role is what a stream of a camera is good for.
type Role string

// The roles of streams.
const (
	Main  Role = "main" // to be recorded
	Sub   Role = "sub"  // small, for motion and for looking
	Other Role = "other"
)

// Stream is one stream of a camera.
type Stream struct {
	Role          Role      `json:"role"`
	Address       string    `json:"address"`
	Codec         string    `json:"codec"`
	Profile       string    `json:"profile"`
	Width         int64     `json:"width"`
	Height        int64     `json:"height"`
	Rate          float64   `json:"rate"` // pictures a second, as they came
	KeyIntervalMS int64     `json:"key_interval_ms"`
	BFrames       bool      `json:"b_frames"`
	Bitrate       int64     `json:"bitrate"` // bits a second
	Audio         string    `json:"audio"`   // its codec, "" for none
	Still         []byte    `json:"still"`   // a JPEG, empty if there is none
	Findings      []Finding `json:"findings"`
}

// CameraClock is what a camera's own clock shows.
type CameraClock struct {
	Known    bool  `json:"known"`
	OffsetMS int64 `json:"offset_ms"` // by which it is ahead
}

// Found is what a camera offers.
type Found struct {
	Host     string      `json:"host"`
	Brand    string      `json:"brand"`
	Streams  []Stream    `json:"streams"`
	Clock    CameraClock `json:"clock"`
	Pin      Pin         `json:"pin"`
	Findings []Finding   `json:"findings"`
}

// Device is a camera that says of itself that it is there.
type Device struct {
	Host     string `json:"host"`
	Name     string `json:"name"`
	Hardware string `json:"hardware"`
	Address  string `json:"address"`
}

// Devices are those that were discovered.
type Devices struct {
	Devices []Device `json:"devices"`
}

// Added is the camera that the agent now keeps.
type Added struct {
	Camera latchkey.CameraID `json:"camera"`
}

// Description is what an agent keeps of a camera, without its password.
type Description struct {
	Name string `json:"name"`
	Main string `json:"main"`
	Sub  string `json:"sub"`
	User string `json:"user"`
	Pin  Pin    `json:"pin"`
}

// Done says that it is done.
type Done struct{}

// Picture is a picture of a camera.
type Picture struct {
	JPEG   []byte        `json:"jpeg"`
	Width  int64         `json:"width"`
	Height int64         `json:"height"`
	Time   latchkey.Time `json:"time"`
}

// WouldHaveFired says how often a camera would have told of motion, and since when
// that is known.
type WouldHaveFired struct {
	Times int64         `json:"times"`
	Since latchkey.Time `json:"since"`
}

// Confirmed is the newest deed that the agent knows.
type Confirmed struct{ Head latchkey.Head }

// MarshalJSON writes the head as text.
func (r Confirmed) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"head": r.Head.String()})
}

// Last is false.
func (Progress) Last() bool { return false }

// Last is true.
func (Failure) Last() bool { return true }

// Last is true.
func (Found) Last() bool { return true }

// Last is true.
func (Devices) Last() bool { return true }

// Last is true.
func (Added) Last() bool { return true }

// Last is true.
func (Description) Last() bool { return true }

// Last is true.
func (Done) Last() bool { return true }

// Last is true.
func (Picture) Last() bool { return true }

// Last is true.
func (WouldHaveFired) Last() bool { return true }

// Last is true.
func (Confirmed) Last() bool { return true }

func encodeReply(r Reply) ([]byte, error) {
	switch clean := r.clean().(type) {
	case Progress:
		return json.Marshal(map[string]any{"v": 1, "progress": clean})
	case Failure:
		return json.Marshal(map[string]any{"v": 1, "error": clean})
	case Found:
		return encodeFound(clean)
	case carrier:
		b, err := marshalWith(clean, map[string]any{"v": 1})
		return append(append(b, 0), clean.carried()...), err
	default:
		return marshalWith(clean, map[string]any{"v": 1})
	}
}

// encodeFound leaves out what there is no room for in a letter, the stills first, then
// findings: a camera that lists streams without end is told of all the same.
func encodeFound(f Found) ([]byte, error) {
	const room = sealed.MaxLetter - 4<<10 // for what a letter is besides
	for findings := maxFindings; ; findings /= 2 {
		b, err := json.Marshal(map[string]any{"v": 1, "found": f})
		if err != nil || len(b) <= room || findings == 0 {
			return b, err
		}
		for i, s := range f.Streams {
			f.Streams[i].Still, f.Streams[i].Findings = []byte{}, s.Findings[:min(len(s.Findings), findings/2)]
		}
	}
}

// parseReply reads a reply to that command.
func parseReply(b []byte, to Command) (Reply, error) {
	b, carried, carries := bytes.Cut(b, []byte{0}) // which no JSON has
	o, err := fields.Parse(b)
	if err != nil {
		return nil, err
	}
	if v := o.Count("v"); o.Err() == nil && v != 1 {
		return nil, fmt.Errorf("content of version %d", v)
	}
	var r Reply
	switch {
	case o.Has("progress"):
		r = readProgress(o.Object("progress"))
	case o.Has("error"):
		e := o.Object("error")
		r = Failure{e.Text("reason", maxWord), e.Text("message", maxSays)}
	default:
		r = to.parseReply(o)
	}
	if o.Err() != nil {
		return nil, o.Err()
	}
	c, may := r.(carrier)
	switch {
	case may && carries:
		return c.with(carried)
	case may || carries:
		return nil, errors.New("bytes behind a reply that has none, or none behind one that has")
	}
	return r, nil
}
