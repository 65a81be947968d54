package motion

import "slices"

// Sensitivity says how little is enough to be motion.
type Sensitivity string

// The sensitivities. At Medium a person is found wherever one can be made out, and a
// small animal is not told about.
const (
	Low    Sensitivity = "low"
	Medium Sensitivity = "medium"
	High   Sensitivity = "high"
)

// Full is the width and the height of the picture in the units of a [Point].
const Full = 10_000

// Point is a place in the picture, relative to its size, so that it stays where it is
// when the camera's resolution changes: 0, 0 is the upper left corner and Full, Full
// the lower right one.
type Point struct{ X, Y int }

// Config says what of a camera's motion counts. The zero Config looks at the whole
// picture with medium sensitivity.
type Config struct {
	// Sensitivity is Medium if it is empty or none of the three.
	Sensitivity Sensitivity

	// Zones are polygons in which motion counts; none is the whole picture. Masks are
	// polygons in which it does not, zone or no zone. A polygon with fewer than three
	// points encloses nothing.
	Zones, Masks [][]Point
}

// Equal reports whether two configs say the same.
func (c Config) Equal(other Config) bool {
	same := func(a, b [][]Point) bool { return slices.EqualFunc(a, b, slices.Equal[[]Point]) }
	return c.level() == other.level() && same(c.Zones, other.Zones) && same(c.Masks, other.Masks)
}

// The levels of sensitivity, in the order in which they let motion through: what one
// finds, the ones after it find too.
const (
	low = iota
	medium
	high
	levels
)

func (c Config) level() int {
	switch c.Sensitivity {
	case Low:
		return low
	case High:
		return high
	}
	return medium
}

// cells returns by cell whether it counts in a picture of that size: its middle is in
// a zone, if there are zones, and in no mask.
func (c Config) cells(width, height int) []bool {
	columns, rows := cells(width), cells(height)
	out := make([]bool, columns*rows)
	for i := range out {
		x := float64(min(i%columns*cellSide+cellSide/2, width-1)) + 0.5
		y := float64(min(i/columns*cellSide+cellSide/2, height-1)) + 0.5
		x, y = x*Full/float64(width), y*Full/float64(height)
		in := func(polygon []Point) bool { return inside(polygon, x, y) }
		out[i] = (len(c.Zones) == 0 || slices.ContainsFunc(c.Zones, in)) && !slices.ContainsFunc(c.Masks, in)
	}
	return out
}

// inside reports whether the polygon encloses the place.
func inside(polygon []Point, x, y float64) bool {
	in := false
	for i, p := range polygon {
		q := polygon[(i+len(polygon)-1)%len(polygon)]
		ax, ay, bx, by := float64(p.X), float64(p.Y), float64(q.X), float64(q.Y)
		if (ay > y) != (by > y) && x < (bx-ax)*(y-ay)/(by-ay)+ax {
			in = !in
		}
	}
	return in
}
