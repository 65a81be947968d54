package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/fields"
)

// Content is what a settings document says.
type Content struct {
	Home    string // the home's name
	Zone    string // of the IANA database, in which times are shown
	Cameras map[latchkey.CameraID]Camera
	People  map[latchkey.PersonID]Person // former ones too
}

// Person is what the settings say of one person.
type Person struct {
	Name string `json:"name"`
}

// Name is the camera's name, "" if it has none.
func (c Content) Name(id latchkey.CameraID) string { return c.Cameras[id].Name }

type contentJSON struct {
	V       int                          `json:"v"`
	Home    string                       `json:"home"`
	Zone    string                       `json:"zone"`
	Cameras map[latchkey.CameraID]Camera `json:"cameras"`
	People  map[latchkey.PersonID]Person `json:"people,omitempty"`
}

// encode writes the content, and refuses what no reader would take.
func (c Content) encode() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Cameras == nil {
		c.Cameras = map[latchkey.CameraID]Camera{}
	}
	b, err := json.Marshal(contentJSON{1, c.Home, c.Zone, c.Cameras, c.People})
	if err != nil {
		return nil, err
	}
	if _, err := parseContent(b); err != nil {
		return nil, err
	}
	return b, nil
}

// maxName is how many characters a name has at most.
const maxName = 64

func parseContent(b []byte) (Content, error) {
	o, err := fields.Parse(b)
	if err != nil {
		return Content{}, err
	}
	if v := o.Count("v"); o.Err() == nil && v != 1 {
		return Content{}, fmt.Errorf("content of version %d", v)
	}
	c := Content{Home: o.Text("home", maxName), Zone: o.Text("zone", maxName), Cameras: map[latchkey.CameraID]Camera{}}
	cameras := o.Object("cameras")
	for _, text := range cameras.Names() {
		id, err := latchkey.ParseCameraID(text)
		if err != nil {
			return Content{}, err
		}
		c.Cameras[id] = readCamera(cameras.Object(text))
	}
	if o.Has("people") {
		people := o.Object("people")
		c.People = map[latchkey.PersonID]Person{}
		for _, text := range people.Names() {
			id, err := latchkey.ParsePersonID(text)
			if err != nil {
				return Content{}, err
			}
			person := people.Object(text)
			c.People[id] = Person{Name: person.Text("name", maxName)}
		}
	}
	if err := o.Err(); err != nil {
		return Content{}, err
	}
	return c, c.check()
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
	for _, person := range c.People {
		if err := CheckName(person.Name); err != nil {
			return fmt.Errorf("name of a person: %w", err)
		}
	}
	return nil
}

// CheckName says what is wrong with a name that a person gave a home, a camera or a
// zone. A character that turns the direction of text could make one name look like
// another.
func CheckName(name string) error {
	if name == "" {
		return fmt.Errorf("0 characters, want 1 to %d", maxName)
	}
	return fields.CheckText(name, maxName)
}
