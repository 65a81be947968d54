package paint

import (
	"image"
	"math"
	"sync"
	"time"
)

// Scene is what a painted camera looks at.
type Scene int

// The scenes. Each has its own rhythm, in which somebody or something crosses it.
const (
	FrontDoor Scene = iota // a house at dusk; somebody walks by
	Garden                 // an afternoon; a cat crosses the lawn
	Driveway               // an overcast day; a car comes past
)

// Scenes are all of them.
var Scenes = []Scene{FrontDoor, Garden, Driveway}

var scenes = map[Scene]struct {
	name       string
	period     time.Duration // from one crossing to the next
	crossing   time.Duration // how long one takes
	background func(*canvas)
	mover      func(c *canvas, at float64, pass int64) // at goes from 0 to 1
}{
	FrontDoor: {"Front door", 15 * time.Second, 5 * time.Second, paintFrontDoor, paintWalker},
	Garden:    {"Garden", 18 * time.Second, 5 * time.Second, paintGarden, paintCat},
	Driveway:  {"Driveway", 13 * time.Second, 3500 * time.Millisecond, paintDriveway, paintCar},
}

// String is the camera's name, as it is burnt into its picture.
func (s Scene) String() string { return scenes[s].name }

// Frame paints the scene as it looks at that moment, Width by Height pixels. The
// picture belongs to the caller.
func Frame(s Scene, at time.Time) *image.RGBA {
	scene := scenes[s]
	c := newCanvas(image.NewRGBA(image.Rect(0, 0, Width, Height)))
	copy(c.Pix, backgrounds[s]().Pix)
	since := time.Duration(at.UnixNano())
	if progress := float64(since%scene.period) / float64(scene.crossing); progress < 1 {
		scene.mover(c, progress, int64(since/scene.period))
	}
	c.write(at.Format("2006-01-02 15:04:05"), Width-12-19*14, 5)
	return c.RGBA
}

// backgrounds are painted once: they are most of the work and never change.
var backgrounds = map[Scene]func() *image.RGBA{
	FrontDoor: sync.OnceValue(func() *image.RGBA { return paintBackground(FrontDoor) }),
	Garden:    sync.OnceValue(func() *image.RGBA { return paintBackground(Garden) }),
	Driveway:  sync.OnceValue(func() *image.RGBA { return paintBackground(Driveway) }),
}

func paintBackground(s Scene) *image.RGBA {
	c := newCanvas(image.NewRGBA(image.Rect(0, 0, Width, Height)))
	scenes[s].background(c)
	c.rect(veil(0x000000, 0.45), 0, 0, Width, 34)
	c.write(s.String(), 12, 5)
	return c.RGBA
}

func paintFrontDoor(c *canvas) {
	c.wash(rgb(0x1d2a4d), rgb(0xd98b5f), 0, 0, Width, 210)
	for i := range 9 { // a far hedge
		c.ellipse(rgb(0x1b2a2c), float64(i)*34-10, 205, 30, 26)
	}
	c.wash(rgb(0x3a4437), rgb(0x23291f), 0, 210, Width, 150)
	c.rect(rgb(0x6b4a3e), 250, 40, 390, 190) // the house
	for row := range 16 {
		for col := range 12 {
			c.rect(veil(0x4c3129, 0.55), 250+float64(col)*34+float64(row%2)*17, 40+float64(row)*12, 32, 1.4)
		}
	}
	c.polygon(rgb(0x2f3140), 225, 62, 640, 62, 640, 34, 262, 34)
	c.rect(rgb(0xf2e6cf), 388, 88, 92, 142) // the door in its frame
	c.rect(rgb(0x16605c), 395, 95, 78, 135)
	c.rect(rgb(0x114a47), 405, 106, 25, 48)
	c.rect(rgb(0x114a47), 438, 106, 25, 48)
	c.rect(rgb(0x114a47), 405, 164, 58, 52)
	c.ellipse(rgb(0xe7c15a), 464, 168, 4, 4)
	c.rect(rgb(0xf2e6cf), 532, 92, 86, 78) // a lit window
	c.wash(rgb(0xffdc8a), rgb(0xf3a94e), 538, 98, 74, 66)
	c.rect(rgb(0xf2e6cf), 573, 98, 4, 66)
	c.rect(rgb(0xf2e6cf), 538, 129, 74, 4)
	c.ellipse(rgb(0xfff2c2), 356, 108, 7, 10) // the lamp
	c.glow(0xffd98a, 356, 110, 120, 0.5)
	c.polygon(rgb(0x8a8278), 380, 230, 488, 230, 560, 360, 250, 360) // the path
	for i := range 5 {
		y := 244 + float64(i*i)*5
		c.polygon(veil(0x5d574f, 0.8), 372-float64(i)*22, y, 494+float64(i)*14, y, 494+float64(i)*14, y+2, 372-float64(i)*22, y+2)
	}
	c.rect(rgb(0x8a5a3c), 322, 205, 30, 28) // a pot
	for i := range 7 {
		c.ellipse(rgb(0x3f7a4a), 318+float64(i)*6, 196-float64(i%3)*9, 10, 12)
	}
}

// paintWalker is somebody who walks past the door.
func paintWalker(c *canvas, at float64, pass int64) {
	coats := []uint32{0xc94f3d, 0x3d6fc9, 0xd8a531, 0x7a4fb0}
	coat := rgb(coats[pass%int64(len(coats))])
	x, feet := -40+at*(Width+80), 318.0
	if pass%2 == 1 {
		x = Width - x
	}
	step := math.Sin(at * 34)
	c.ellipse(veil(0x000000, 0.35), x, feet+3, 30, 6)
	c.limb(rgb(0x26304a), x, feet-62, x+step*19, feet, 13)
	c.limb(rgb(0x1d2539), x, feet-62, x-step*19, feet, 13)
	c.limb(coat, x, feet-112, x, feet-66, 32)
	c.limb(mix(coat, rgb(0), 0.25), x, feet-110, x-step*17, feet-72, 10)
	c.limb(mix(coat, rgb(0xffffff), 0.1), x, feet-110, x+step*17, feet-72, 10)
	c.ellipse(rgb(0xe0b08c), x, feet-140, 13, 15)
	c.ellipse(rgb(0x33241c), x, feet-146, 14, 11)
}

func paintGarden(c *canvas) {
	c.wash(rgb(0x8cc7ee), rgb(0xe3f2f6), 0, 0, Width, 150)
	c.ellipse(veil(0xffffff, 0.8), 130, 72, 46, 14)
	c.ellipse(veil(0xffffff, 0.8), 165, 62, 36, 18)
	for i := range 16 { // the hedge
		c.ellipse(rgb(0x2f6b3c), float64(i)*44, 150, 36, 32)
		c.ellipse(rgb(0x3a7d47), float64(i)*44+18, 160, 30, 24)
	}
	c.wash(rgb(0x6fae4b), rgb(0x8cc456), 0, 168, Width, 192)
	for i := range 13 { // mown stripes
		if i%2 == 0 {
			x := float64(i)*52 - 20
			c.polygon(veil(0xffffff, 0.07), x, 168, x+40, 168, x+40+(x-300)*0.45, 360, x+(x-320)*0.45, 360)
		}
	}
	for i := range 22 { // the fence
		c.polygon(rgb(0xf4efe4), float64(i)*30+3, 200, float64(i)*30+3, 138, float64(i)*30+11, 130, float64(i)*30+19, 138, float64(i)*30+19, 200)
	}
	c.rect(rgb(0xe2dbc9), 0, 150, Width, 7)
	c.rect(rgb(0xe2dbc9), 0, 182, Width, 7)
	c.rect(rgb(0x7a5537), 500, 120, 26, 130) // the tree
	for i := range 11 {
		a := float64(i) * 0.9
		c.ellipse(mix(rgb(0x3f8b46), rgb(0x6bb354), float64(i%4)/4), 513+math.Cos(a)*62, 92+math.Sin(a)*40, 44, 36)
	}
	for i := range 7 {
		c.ellipse(rgb(0xd9483b), 462+float64(i)*17, 70+float64(i*37%60), 5, 5)
	}
	for i := range 18 { // flowers
		col := []uint32{0xf6c445, 0xe76f8a, 0xf5f0ff}[i%3]
		c.limb(rgb(0x4c8a3a), 22+float64(i)*9, 232+float64(i*29%22), 22+float64(i)*9, 218+float64(i*29%22), 2)
		c.ellipse(rgb(col), 22+float64(i)*9, 216+float64(i*29%22), 4.5, 4.5)
	}
}

// paintCat is a cat that has somewhere to be.
func paintCat(c *canvas, at float64, pass int64) {
	furs := []uint32{0xd98335, 0x2e2b2b, 0x9a9aa2}
	fur := rgb(furs[pass%int64(len(furs))])
	way, x := 1.0, -60+at*(Width+120)
	if pass%2 == 0 {
		way, x = -1, Width-x
	}
	y, step := 290+8*math.Sin(at*9), math.Sin(at*46)
	c.ellipse(veil(0x1c3a12, 0.35), x, y+31, 44, 6)
	for i, phase := range []float64{1, -1, -1, 1} {
		lx := x + way*(-26+float64(i)*17)
		c.limb(mix(fur, rgb(0), 0.15), lx, y+8, lx+phase*step*9, y+30, 8)
	}
	c.ellipse(fur, x, y, 40, 17)
	c.limb(fur, x-way*36, y-4, x-way*60, y-26+4*step, 7)
	c.ellipse(fur, x+way*40, y-14, 16, 14)
	c.polygon(fur, x+way*30, y-22, x+way*32, y-40, x+way*42, y-26)
	c.polygon(fur, x+way*40, y-26, x+way*50, y-40, x+way*54, y-20)
	c.ellipse(rgb(0xf7e97a), x+way*45, y-16, 2.4, 3)
}

func paintDriveway(c *canvas) {
	c.wash(rgb(0x9aa7b3), rgb(0xd3d9dc), 0, 0, Width, 140)
	for i := range 7 { // far roofs
		x := float64(i) * 100
		c.polygon(rgb(0x75808a), x-10, 140, x+42, 96, x+94, 140)
	}
	c.wash(rgb(0x7d8c74), rgb(0x6c7a62), 0, 140, Width, 112)
	c.rect(rgb(0xe9e4da), 20, 92, 230, 114) // the garage
	c.polygon(rgb(0x514a52), 4, 94, 135, 46, 266, 94)
	c.rect(rgb(0xc7ccd1), 52, 116, 166, 90)
	for i := range 6 {
		c.rect(rgb(0xa9b0b7), 52, 116+float64(i)*15, 166, 2)
	}
	c.polygon(rgb(0x8f9296), 40, 206, 232, 206, 330, 300, 0, 300) // the drive
	c.wash(rgb(0x55595f), rgb(0x44484e), 0, 252, Width, 108)
	c.rect(rgb(0xb9bcbf), 0, 248, Width, 6)
	for i := range 9 {
		c.polygon(rgb(0xe8e4d2), float64(i)*84-10, 312, float64(i)*84+32, 312, float64(i)*84+28, 317, float64(i)*84-14, 317)
	}
	c.rect(rgb(0x5b5148), 566, 60, 9, 190) // a lamp post
	c.limb(rgb(0x5b5148), 570, 62, 530, 54, 5)
	c.ellipse(rgb(0xf4f1df), 524, 56, 12, 5)
	for i := range 5 {
		c.ellipse(rgb(0x4f7a4c), 330+float64(i)*36, 214-float64(i%2)*8, 28, 24)
	}
}

// paintCar is a car that passes the drive.
func paintCar(c *canvas, at float64, pass int64) {
	paints := []uint32{0xb5302b, 0x2b62b5, 0xf0f0ee, 0x2f7d57}
	body := rgb(paints[pass%int64(len(paints))])
	way, x := 1.0, -130+at*(Width+260)
	if pass%2 == 1 {
		way, x = -1, Width-x
	}
	y := 322.0
	c.ellipse(veil(0x000000, 0.4), x, y+14, 104, 8)
	c.polygon(mix(body, rgb(0), 0.12), x-way*62, y-28, x-way*40, y-62, x+way*30, y-62, x+way*62, y-28)
	c.polygon(rgb(0xbcd6e6), x-way*50, y-30, x-way*34, y-56, x-way*6, y-56, x-way*6, y-30)
	c.polygon(rgb(0xbcd6e6), x+way*2, y-30, x+way*2, y-56, x+way*26, y-56, x+way*50, y-30)
	c.polygon(body, x-way*100, y+6, x-way*98, y-24, x-way*60, y-31, x+way*62, y-31, x+way*98, y-18, x+way*102, y+6)
	c.ellipse(rgb(0xfff3c4), x+way*96, y-12, 6, 5)
	c.ellipse(rgb(0xd33a2c), x-way*97, y-14, 4, 6)
	for _, wheel := range []float64{-58, 58} {
		c.ellipse(rgb(0x1b1c1e), x+wheel, y+4, 20, 20)
		c.ellipse(rgb(0xb9bcc0), x+wheel, y+4, 10, 10)
		sin, cos := math.Sincos(at * way * 40)
		c.limb(rgb(0x6f7276), x+wheel-cos*8, y+4-sin*8, x+wheel+cos*8, y+4+sin*8, 2.5)
	}
}
