package letter

import (
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/fields"
	"github.com/latchkey-cam/latchkey/settings"
)

// The longest texts of a content, in characters.
const (
	maxAddress = 2048
	maxSecret  = 256 // a user's name, a password
	maxWord    = 128 // an ID, a name of a codec, what a device calls itself
	maxSays    = 600 // a sentence for people
)

// Command is what a member asks of an agent: one of [Probe], [Discover], [AddCamera],
// [DescribeCamera], [ChangeCamera], [ForgetCamera], [AcceptDevice], [StillPicture],
// [WouldFire], [ConfirmHead], [Timeline], [Stills], [Footage], [Save], [Unsave] and
// [DeleteFootage].
type Command interface {
	// Do is the command's name in the letter.
	Do() string
	// parseReply reads the last reply to this command.
	parseReply(o fields.Object) Reply
}

// Password opens a camera. It prints as "(secret)".
type Password string

const secret = "(secret)"

// Format hides the secret from every verb of fmt.
func (Password) Format(f fmt.State, _ rune) { fmt.Fprint(f, secret) }

// LogValue hides it from structured logs.
func (Password) LogValue() slog.Value { return slog.StringValue(secret) }

// Probe asks what a camera offers. It is answered by [Progress] and [Found].
type Probe struct {
	Address  string   `json:"address"` // rtsp://… or host[:port]
	User     string   `json:"user"`
	Password Password `json:"password"`
}

// Discover asks which cameras say of themselves that they are there. It is answered by
// [Devices].
type Discover struct{}

// Source is where a camera's pictures come from.
type Source struct {
	Name     string   `json:"name"`
	Main     string   `json:"main"` // rtsp://… of the stream that is recorded
	Sub      string   `json:"sub"`  // of a smaller one, "" for none
	User     string   `json:"user"`
	Password Password `json:"password"`
	Pin      Pin      `json:"pin"`
}

// AddCamera makes the agent keep a new camera. It is answered by [Added].
type AddCamera struct{ Source }

// DescribeCamera asks for what the agent keeps of a camera. It is answered by
// [Description].
type DescribeCamera struct {
	Camera latchkey.CameraID `json:"camera"`
}

// ChangeCamera makes the agent keep something else of a camera; an empty password
// keeps the one that it has. It is answered by [Done].
type ChangeCamera struct {
	Camera latchkey.CameraID `json:"camera"`
	Source
}

// ForgetCamera makes the agent keep nothing of a camera. It is answered by [Done].
type ForgetCamera struct {
	Camera latchkey.CameraID `json:"camera"`
}

// AcceptDevice makes the agent take the device that is now at a camera's address for
// the right one. It is answered by [Done].
type AcceptDevice struct {
	Camera latchkey.CameraID `json:"camera"`
}

// StillPicture asks for a picture of now. It is answered by [Picture].
type StillPicture struct {
	Camera latchkey.CameraID `json:"camera"`
}

// WouldFire asks how often a camera would have told of motion lately with other
// settings. It is answered by [WouldHaveFired].
type WouldFire struct {
	Camera      latchkey.CameraID    `json:"camera"`
	Sensitivity settings.Sensitivity `json:"sensitivity"`
	Zones       []settings.Zone      `json:"zones,omitempty"`
	Masks       []settings.Mask      `json:"masks,omitempty"`
}

// ConfirmHead asks for the newest deed that the agent knows. It is the one command that
// is obeyed from a person's own key too: a device without memory signs no deed until the
// chain that it was shown is confirmed. It is answered by [Confirmed].
type ConfirmHead struct{}

// Pin is what tells a device from another one at the same address; what is not known
// is "".
type Pin struct {
	MAC         string `json:"mac"`
	Serial      string `json:"serial"`
	Certificate string `json:"certificate"` // SHA-256 of what it shows over TLS, in hexadecimal
}

// Do is "probe".
func (Probe) Do() string { return "probe" }

// Do is "discover".
func (Discover) Do() string { return "discover" }

// Do is "add-camera".
func (AddCamera) Do() string { return "add-camera" }

// Do is "describe-camera".
func (DescribeCamera) Do() string { return "describe-camera" }

// Do is "change-camera".
func (ChangeCamera) Do() string { return "change-camera" }

// Do is "forget-camera".
func (ForgetCamera) Do() string { return "forget-camera" }

// Do is "accept-device".
func (AcceptDevice) Do() string { return "accept-device" }

// Do is "still".
func (StillPicture) Do() string { return "still" }

// Do is "would-fire".
func (WouldFire) Do() string { return "would-fire" }

// Do is "confirm-head".
func (ConfirmHead) Do() string { return "confirm-head" }

// encodeCommand writes a command and the key that replies to it are sealed to.
func encodeCommand(c Command, reply deed.Key) ([]byte, error) {
	b, err := marshalWith(c, map[string]any{"v": 1, "do": c.Do(), "reply": reply.Bytes})
	if err != nil {
		return nil, err
	}
	if _, _, err := parseCommand(b); err != nil { // what no agent would obey
		return nil, err
	}
	return b, nil
}

// marshalWith writes a struct with more members.
func marshalWith(content any, more map[string]any) ([]byte, error) {
	b, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	for name, value := range more {
		if all[name], err = json.Marshal(value); err != nil {
			return nil, err
		}
	}
	return json.Marshal(all)
}

// parseCommand reads a command and the key that replies to it are to be sealed to.
func parseCommand(b []byte) (Command, deed.Key, error) {
	o, err := fields.Parse(b)
	if err != nil {
		return nil, deed.Key{}, err
	}
	if v := o.Count("v"); o.Err() == nil && v != 1 {
		return nil, deed.Key{}, fmt.Errorf("content of version %d", v)
	}
	const xwing = 1216
	reply := deed.XWingKey(o.Bytes("reply", xwing))
	if len(reply.Bytes) != xwing {
		o.Refuse("member \"reply\" is no public key")
	}
	c := readCommand(o)
	return c, reply, o.Err()
}

func readCommand(o fields.Object) Command {
	switch do := o.Text("do", maxWord); do {
	case Probe{}.Do():
		return Probe{filled(o, "address", maxAddress), o.Text("user", maxSecret), Password(o.Text("password", maxSecret))}
	case Discover{}.Do():
		return Discover{}
	case AddCamera{}.Do():
		return AddCamera{readSource(o)}
	case DescribeCamera{}.Do():
		return DescribeCamera{readCamera(o)}
	case ChangeCamera{}.Do():
		return ChangeCamera{readCamera(o), readSource(o)}
	case ForgetCamera{}.Do():
		return ForgetCamera{readCamera(o)}
	case AcceptDevice{}.Do():
		return AcceptDevice{readCamera(o)}
	case StillPicture{}.Do():
		return StillPicture{readCamera(o)}
	case WouldFire{}.Do():
		w := WouldFire{Camera: readCamera(o)}
		w.Sensitivity, w.Zones, w.Masks = settings.ReadMotion(o)
		return w
	case ConfirmHead{}.Do():
		return ConfirmHead{}
	case Timeline{}.Do():
		return readTimeline(o)
	case Stills{}.Do():
		return Stills{readOf(o), o.Int("most", 1, MaxPieces)}
	case Footage{}.Do():
		return readFootage(o)
	case Save{}.Do():
		return Save{readOf(o)}
	case Unsave{}.Do():
		return Unsave{readOf(o)}
	case DeleteFootage{}.Do():
		return DeleteFootage{readOf(o)}
	default:
		o.Refuse("this program cannot %q", do)
		return nil
	}
}

// filled is a text that is not empty.
func filled(o fields.Object, name string, most int) string {
	s := o.Text(name, most)
	if s == "" {
		o.Refuse("member %q is empty", name)
	}
	return s
}

func readCamera(o fields.Object) latchkey.CameraID {
	id, err := latchkey.ParseCameraID(o.Text("camera", maxWord))
	if err != nil {
		o.Refuse("%w", err)
	}
	return id
}

func readSource(o fields.Object) Source {
	s := Source{
		Name: o.Text("name", maxWord), Main: filled(o, "main", maxAddress), Sub: o.Text("sub", maxAddress),
		User: o.Text("user", maxSecret), Password: Password(o.Text("password", maxSecret)), Pin: readPin(o.Object("pin")),
	}
	if err := settings.CheckName(s.Name); err != nil {
		o.Refuse("name of the camera: %w", err)
	}
	return s
}

func readPin(o fields.Object) Pin {
	return Pin{o.Text("mac", maxWord), o.Text("serial", maxWord), o.Text("certificate", maxWord)}
}
