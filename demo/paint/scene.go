package paint

import (
	"image"
	"image/color"
	"math"
	"sync"
	"time"
)

// Scene is what a painted camera looks at.
type Scene int

// The scenes. Each has its own rhythm, in which somebody or something crosses it, with
// pauses that are long enough for each crossing to be an event of its own.
const (
	FrontDoor Scene = iota // a house at dusk; somebody walks by
	Garden                 // a sunny afternoon; a tree sways, a cat crosses the lawn
	Driveway               // a pale morning; a car comes past
)

// Scenes are all of them.
var Scenes = []Scene{FrontDoor, Garden, Driveway}

// place is how a scene is painted.
type place struct {
	name     string
	period   time.Duration // from one crossing to the next
	crossing time.Duration // how long one takes

	back   func(c canvas)                             // what never moves
	always func(c canvas, t float64)                  // what always moves a little
	mover  func(c canvas, at, t float64, pass uint64) // what crosses: at goes from 0 to 1 on its way
	heard  func(t float64) float64                    // what is heard of it
}

var places = map[Scene]place{
	FrontDoor: {"Front door", 18 * time.Second, 5500 * time.Millisecond, frontDoor, lamp, walker, steps},
	Garden:    {"Garden", 19 * time.Second, 6 * time.Second, garden, tree, cat, bell},
	Driveway:  {"Driveway", 17 * time.Second, 4 * time.Second, driveway, cloud, car, engine},
}

// String is the camera's name, as it is burnt into its picture.
func (s Scene) String() string { return places[s].name }

// Frame paints the scene as it looks at that moment, Width by Height pixels. The same
// scene and moment always give the same picture, which belongs to the caller.
func Frame(s Scene, at time.Time) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, Width, Height))
	paintFrame(img, s, at)
	return img
}

// Crossing says whether somebody or something is on its way across the scene.
func Crossing(s Scene, at time.Time) bool {
	_, ok := places[s].way(at)
	return ok
}

// way is how far what crosses has come, 0 to 1.
func (p place) way(at time.Time) (float64, bool) {
	w := float64(time.Duration(at.UnixNano())%p.period) / float64(p.crossing)
	return w, w < 1
}

// paintFrame paints over img.
func paintFrame(img *image.RGBA, s Scene, at time.Time) {
	p := places[s]
	copy(img.Pix, backs[s]().Pix)
	c := newCanvas(img)
	since := time.Duration(at.UnixNano())
	// A day's worth of seconds: the sines of greater numbers tremble.
	t := (since % (24 * time.Hour)).Seconds()
	p.always(c, t)
	if way, ok := p.way(at); ok {
		p.mover(c, way, t, uint64(since/p.period))
	}
	clock := at.Format("2006-01-02 15:04:05")
	c.write(640-12-textWidth(clock), 8, clock)
}

// backs are painted once: they are most of the work and never change.
var backs = map[Scene]func() *image.RGBA{
	FrontDoor: sync.OnceValue(func() *image.RGBA { return paintBack(FrontDoor) }),
	Garden:    sync.OnceValue(func() *image.RGBA { return paintBack(Garden) }),
	Driveway:  sync.OnceValue(func() *image.RGBA { return paintBack(Driveway) }),
}

func paintBack(s Scene) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, Width, Height))
	c := newCanvas(img)
	places[s].back(c)
	c.fill(rect(0, 0, 640, 30, 0), color.NRGBA{0, 0, 0, 90})
	c.write(12, 8, s.String())
	return img
}

// swing is a sine between -1 and 1 with that period in seconds.
func swing(t, period float64) float64 { return math.Sin(2 * math.Pi * t / period) }

// pick picks one of the colours for each pass.
func pick(pass uint64, colours ...uint32) color.NRGBA {
	return rgb(colours[pass%uint64(len(colours))])
}
