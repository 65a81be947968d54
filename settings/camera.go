package settings

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/latchkey-cam/latchkey/internal/fields"
)

// The limits of what is said of one camera (docs/deed.md, "Settings").
const (
	MaxHours  = 16     // rules of hours
	MaxShapes = 16     // zones, and as many masks
	MinPoints = 3      // of a shape
	MaxPoints = 32     // of a shape
	Edge      = 10_000 // the width and the height of a picture, for points
)

// Camera is what the settings say of one camera. Everything but the name may be left
// out: then the camera is on, looks at its whole picture, and is of medium sensitivity.
type Camera struct {
	Name        string      `json:"name"`
	Off         bool        `json:"off,omitempty"`      // by hand
	OffWhen     []Hours     `json:"off_when,omitempty"` // on the home's clock
	Sensitivity Sensitivity `json:"sensitivity,omitzero"`
	Zones       []Zone      `json:"zones,omitempty"` // where motion counts; none is everywhere
	Masks       []Mask      `json:"masks,omitempty"` // where it does not
}

// Sensitivity says how little motion is told of.
type Sensitivity uint8

// The sensitivities.
const (
	Medium Sensitivity = iota
	Low
	High
)

var sensitivities = []string{Medium: "medium", Low: "low", High: "high"}

// String returns the sensitivity as documents spell it.
func (s Sensitivity) String() string {
	if int(s) < len(sensitivities) {
		return sensitivities[s]
	}
	return fmt.Sprintf("sensitivity %d", uint8(s))
}

// MarshalText is [Sensitivity.String] for encoders.
func (s Sensitivity) MarshalText() ([]byte, error) {
	if int(s) >= len(sensitivities) {
		return nil, fmt.Errorf("no such sensitivity: %d", uint8(s))
	}
	return []byte(s.String()), nil
}

// Point is a place in a picture: ten-thousandths of its width and of its height, from
// the upper left corner.
type Point struct{ X, Y int }

// MarshalJSON writes [x, y].
func (p Point) MarshalJSON() ([]byte, error) { return json.Marshal([2]int{p.X, p.Y}) }

// Zone is a part of the picture with a name.
type Zone struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"`
}

// Mask is a part of the picture in which nothing counts.
type Mask struct {
	Points []Point `json:"points"`
}

// ReadMotion reads the members sensitivity, zones and masks, each of which may be left
// out, as a document and a letter have them.
func ReadMotion(o fields.Object) (s Sensitivity, zones []Zone, masks []Mask) {
	if o.Has("sensitivity") {
		s = Sensitivity(max(0, slices.Index(sensitivities, o.OneOf("sensitivity", sensitivities...))))
	}
	if o.Has("zones") {
		for _, z := range o.List("zones", MaxShapes) {
			zones = append(zones, Zone{readName(z), readPoints(z)})
		}
	}
	if o.Has("masks") {
		for _, m := range o.List("masks", MaxShapes) {
			masks = append(masks, Mask{readPoints(m)})
		}
	}
	return s, zones, masks
}

func readCamera(o fields.Object) Camera {
	c := Camera{Name: readName(o)}
	if o.Has("off") {
		c.Off = o.Bool("off")
	}
	if o.Has("off_when") {
		for _, h := range o.List("off_when", MaxHours) {
			c.OffWhen = append(c.OffWhen, readHours(h))
		}
	}
	c.Sensitivity, c.Zones, c.Masks = ReadMotion(o)
	return c
}

func readName(o fields.Object) string {
	name := o.Text("name", maxName)
	if name == "" {
		o.Refuse("a name is empty")
	}
	return name
}

func readPoints(o fields.Object) []Point {
	var points []Point
	for _, raw := range o.Raw("points", MaxPoints) {
		var pair []json.RawMessage
		if json.Unmarshal(raw, &pair) != nil || len(pair) != 2 {
			o.Refuse("a point is no pair")
			return nil
		}
		x, okX := fields.Whole(pair[0], 0, Edge)
		y, okY := fields.Whole(pair[1], 0, Edge)
		if !okX || !okY {
			o.Refuse("a point is not in the picture")
			return nil
		}
		points = append(points, Point{x, y})
	}
	if len(points) < MinPoints {
		o.Refuse("a shape of %d points, want at least %d", len(points), MinPoints)
	}
	return points
}
