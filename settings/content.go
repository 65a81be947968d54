package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/latchkey-cam/latchkey"
)

// Content is what a settings document says.
type Content struct {
	Home    string // the home's name
	Zone    string // of the IANA database, in which times are shown
	Cameras map[latchkey.CameraID]Camera
}

// Camera is what the settings say of one camera.
type Camera struct {
	Name string `json:"name"`
}

// Name is the camera's name, "" if it has none.
func (c Content) Name(id latchkey.CameraID) string { return c.Cameras[id].Name }

type contentJSON struct {
	V       int                          `json:"v"`
	Home    string                       `json:"home"`
	Zone    string                       `json:"zone"`
	Cameras map[latchkey.CameraID]Camera `json:"cameras"`
}

func (c Content) encode() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Cameras == nil {
		c.Cameras = map[latchkey.CameraID]Camera{}
	}
	return json.Marshal(contentJSON{1, c.Home, c.Zone, c.Cameras})
}

// parseContent takes the JSON apart member by member, because encoding/json would
// take a member of another case for one that it knows, and one that is missing for
// an empty one.
func parseContent(b []byte) (Content, error) {
	if !utf8.Valid(b) {
		return Content{}, errors.New("no UTF-8")
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(b, &top); err != nil {
		return Content{}, errors.New("no JSON object")
	}
	var c Content
	var v int
	var cameras map[string]map[string]json.RawMessage
	for name, into := range map[string]any{"v": &v, "home": &c.Home, "zone": &c.Zone, "cameras": &cameras} {
		if err := member(top, name, into); err != nil {
			return Content{}, err
		}
	}
	if v != 1 {
		return Content{}, fmt.Errorf("content of version %d", v)
	}
	c.Cameras = map[latchkey.CameraID]Camera{}
	for text, members := range cameras {
		id, err := latchkey.ParseCameraID(text)
		if err != nil {
			return Content{}, err
		}
		var camera Camera
		if err := member(members, "name", &camera.Name); err != nil {
			return Content{}, err
		}
		c.Cameras[id] = camera
	}
	return c, c.check()
}

func member(m map[string]json.RawMessage, name string, into any) error {
	raw, ok := m[name]
	if !ok || string(raw) == "null" || json.Unmarshal(raw, into) != nil {
		return fmt.Errorf("member %q is missing or of another type", name)
	}
	return nil
}

var zoneName = regexp.MustCompile(`^[A-Za-z0-9_+/-]{1,64}$`)

func (c Content) check() error {
	if err := CheckName(c.Home); err != nil {
		return fmt.Errorf("name of the home: %w", err)
	}
	if !zoneName.MatchString(c.Zone) {
		return errors.New("time zone: want a name like Europe/Berlin")
	}
	for _, camera := range c.Cameras {
		if err := CheckName(camera.Name); err != nil {
			return fmt.Errorf("name of a camera: %w", err)
		}
	}
	return nil
}

// CheckName says what is wrong with a name that a person gave a home or a camera. A
// character that turns the direction of text could make one name look like another.
func CheckName(name string) error {
	if !utf8.ValidString(name) {
		return errors.New("no UTF-8")
	}
	if n := utf8.RuneCountInString(name); n < 1 || n > 64 {
		return fmt.Errorf("%d characters, want 1 to 64", n)
	}
	for _, r := range name {
		switch {
		case r <= 0x1f, r >= 0x7f && r <= 0x9f:
			return fmt.Errorf("control character %U", r)
		case r == 0x61c, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return fmt.Errorf("character %U turns the direction of text", r)
		}
	}
	return nil
}
