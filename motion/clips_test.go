package motion_test

import (
	"math"
	"math/rand/v2"
	"os"
)

// Clips are painted at the size of a small sub stream, and encoded and decoded before
// the detector sees them; see table_test.go.
const (
	clipWidth, clipHeight = 320, 180
	clipRate              = 10 // pictures a second
	clipSeconds           = 14
	leadIn                = 5.0 // seconds before anything happens that happens once
)

// clip is some seconds of a camera. It follows from its class and seed alone.
type clip struct {
	class    string
	seed     uint64
	from, to float64 // when somebody is in the picture, who must be found; 0, 0 in the classes where nothing may be

	r     *rand.Rand
	night bool
	scene []float32
	noise float32 // of the sensor, standard deviation in shades
	alter func(p []float32, t float64)
	clock bool
}

type class struct {
	name  string
	clips int
	stage func(c *clip)
}

// classes are the clips' classes and how many there are of each with LATCHKEY_LONG, half
// as many without. The first is of people who must be found; in all others nothing may be.
var classes = halved([]class{
	{"walk-by", 120, walkBy},
	{"small animal", 20, smallAnimal},
	{"lights on and off", 20, lights},
	{"rain and noise", 20, rain},
	{"flicker", 20, flicker},
	{"IR switch", 20, infrared},
	{"swaying shadow", 20, swaying},
	{"nothing", 20, nothing},
})

func halved(all []class) []class {
	if os.Getenv("LATCHKEY_LONG") == "" {
		for i := range all {
			all[i].clips /= 2
		}
	}
	return all
}

// newClip prepares a clip.
func newClip(class int, seed uint64) *clip {
	c := &clip{class: classes[class].name, seed: seed, r: rand.New(rand.NewPCG(seed, uint64(class)))}
	c.night = c.r.IntN(5) < 2
	c.noise = c.between(1, 3.5)
	if c.night {
		c.noise = c.between(2.5, 6)
	}
	c.clock = c.r.IntN(5) > 0
	c.scene = c.paintScene()
	classes[class].stage(c)
	return c
}

func (c *clip) between(a, b float64) float32 { return float32(a + (b-a)*c.r.Float64()) }

// frame paints the picture of a time.
func (c *clip) frame(out []byte, n int) {
	t := float64(n) / clipRate
	p := append([]float32(nil), c.scene...)
	if c.alter != nil {
		c.alter(p, t)
	}
	if c.clock {
		overlay(p, t)
	}
	for y := range clipHeight {
		at := c.r.IntN(len(gauss) - clipWidth)
		for x := range clipWidth {
			i := y*clipWidth + x
			out[i] = byte(min(255, max(0, p[i]+c.noise*gauss[at+x]+0.5)))
		}
	}
}

var gauss = func() []float32 {
	r := rand.New(rand.NewPCG(4, 2))
	g := make([]float32, 1<<16)
	for i := range g {
		g[i] = float32(r.NormFloat64())
	}
	return g
}()

// paintScene paints what a camera at a house may look at: ground and sky or wall,
// rough surfaces, some large and small things with straight sides.
func (c *clip) paintScene() []float32 {
	p := make([]float32, clipWidth*clipHeight)
	horizon := clipHeight * (0.2 + 0.4*c.r.Float64())
	above, below := c.between(90, 210), c.between(70, 160)
	for y := range clipHeight {
		for x := range clipWidth {
			if float64(y) < horizon {
				p[y*clipWidth+x] = above - float32(y)/8
			} else {
				p[y*clipWidth+x] = below + float32(y)/10
			}
		}
	}
	for range 3 + c.r.IntN(8) {
		w, h := c.r.IntN(90)+6, c.r.IntN(70)+6
		x, y := c.r.IntN(clipWidth)-w/2, c.r.IntN(clipHeight)-h/2
		rectangle(p, x, y, w, h, c.between(30, 230))
	}
	for _, scale := range []float64{60, 17, 5} {
		c.roughen(p, scale, c.between(3, 14))
	}
	if c.night {
		gain, centre := c.between(0.25, 0.5), float64(c.between(0.3, 0.7))
		for y := range clipHeight {
			for x := range clipWidth {
				d := math.Hypot(float64(x)/clipWidth-centre, float64(y)/clipHeight-0.6)
				p[y*clipWidth+x] = 12 + p[y*clipWidth+x]*gain*float32(1.5-d)
			}
		}
	}
	return p
}

// roughen adds a smooth random pattern of that scale and depth.
func (c *clip) roughen(p []float32, scale float64, depth float32) {
	w := int(clipWidth/scale) + 3
	lattice := make([]float32, w*(int(clipHeight/scale)+3))
	for i := range lattice {
		lattice[i] = c.between(-1, 1) * depth
	}
	for y := range clipHeight {
		fy := float64(y) / scale
		iy, ay := int(fy), float32(fy-math.Floor(fy))
		for x := range clipWidth {
			fx := float64(x) / scale
			ix, ax := int(fx), float32(fx-math.Floor(fx))
			l := lattice[iy*w+ix:]
			p[y*clipWidth+x] += (l[0]*(1-ax)+l[1]*ax)*(1-ay) + (l[w]*(1-ax)+l[w+1]*ax)*ay
		}
	}
}

func rectangle(p []float32, x, y, w, h int, shade float32) {
	for j := max(0, y); j < min(clipHeight, y+h); j++ {
		for i := max(0, x); i < min(clipWidth, x+w); i++ {
			p[j*clipWidth+i] = shade
		}
	}
}

// overlay burns in a clock whose digits change.
func overlay(p []float32, t float64) {
	for i := range 8 {
		age := uint64(0)
		switch i {
		case 6:
			age = uint64(t) / 10
		case 7:
			age = uint64(t)
		}
		dots := rand.New(rand.NewPCG(age, uint64(i)))
		for y := range 5 {
			for x := range 4 {
				rectangle(p, 210+i*11+x*2, 6+y*2, 2, 2, float32(20+220*dots.IntN(2)))
			}
		}
	}
}

// oval lets change change the pixels of an ellipse, whose weight falls off over soft
// of its radius.
func oval(p []float32, x, y, rx, ry, soft float64, change func(shade *float32, weight float32)) {
	for j := max(0, int(y-ry)); j <= min(clipHeight-1, int(y+ry)); j++ {
		for i := max(0, int(x-rx)); i <= min(clipWidth-1, int(x+rx)); i++ {
			d := math.Hypot((float64(i)-x)/rx, (float64(j)-y)/ry)
			if d < 1 {
				change(&p[j*clipWidth+i], float32(min(1, (1-d)/soft)))
			}
		}
	}
}

func towards(shade float32) func(*float32, float32) {
	return func(p *float32, w float32) { *p += (shade - *p) * w }
}

func times(gain float32) func(*float32, float32) {
	return func(p *float32, w float32) { *p *= 1 + (gain-1)*w }
}

// person paints somebody who stands on x, y.
func person(p []float32, x, y, h, step float64, dark, light float32) {
	swing := math.Sin(step) * h * 0.11
	for _, s := range []float64{swing, -swing} {
		for k := range 6 {
			f := float64(k) / 5
			oval(p, x+s*f, y-h*0.46*(1-f)-h*0.03, h*0.05+1, h*0.07+1, 0.4, towards(dark))
		}
		oval(p, x-s*0.7, y-h*0.6, h*0.04+1, h*0.14, 0.4, towards(light))
	}
	oval(p, x, y-h*0.65, h*0.12, h*0.23, 0.3, towards(light))
	oval(p, x, y-h*0.92, h*0.065+0.5, h*0.08+0.5, 0.4, towards((dark+light)/2))
}

// walkBy is somebody who walks or runs by, or nears, by day or night, large or far
// away, dark or light.
func walkBy(c *clip) {
	h := float64(c.between(32, 110))
	base := h/2 + 10 + float64(c.between(0, 1))*(clipHeight-14-h/2-10)
	base = max(base, h+4)
	pace := float64(c.between(0.5, 1.3)) * h // pixels a second
	if c.r.IntN(5) == 0 {
		pace *= 2
	}
	if c.r.IntN(2) == 0 {
		pace = -pace
	}
	begin := leadIn + float64(c.between(0, 1))
	start := float64(c.between(0.1, 0.9)) * clipWidth // appears from behind something
	if c.r.IntN(2) == 0 {                             // comes in from the side
		start = -h * 0.2
	}
	if pace < 0 {
		start = clipWidth - start
	}
	nearing := c.r.IntN(4) == 0
	grow := float64(c.between(0.08, 0.2))
	if nearing {
		pace /= 4
		start = float64(c.between(0.2, 0.8)) * clipWidth
	}
	way := func() float64 { // to the edge of the picture
		if pace < 0 {
			return start
		}
		return clipWidth - start
	}
	if way() < 0.25*clipWidth {
		pace = -pace
	}
	pace = math.Copysign(min(math.Abs(pace), way()/2), pace) // nobody is gone within two seconds
	where := func(t float64) (x, y, size float64) {
		size = h
		if nearing {
			size = min(150, h*(1+grow*t))
		}
		return start + pace*t, min(clipHeight-2, base+(size-h)*0.8), size
	}
	// By day they differ from what they walk past by some 30 shades or more, at night
	// by some 22; closer than that an eye loses them too at this size and bit rate.
	behind, n := float32(0), 0
	for t := 0.0; t < 4; t += 0.2 {
		x, y, size := where(t)
		if i := int(y-size/2)*clipWidth + int(x); x >= 0 && x < clipWidth && i >= 0 {
			behind, n = behind+c.scene[i], n+1
		}
	}
	behind /= float32(max(1, n))
	contrast := c.between(30, 100)
	if c.night {
		contrast = c.between(22, 80)
	}
	if behind-contrast > 8 && (behind > 128 || c.r.IntN(2) == 0) || behind+contrast > 245 {
		contrast = -contrast
	}
	light, dark := behind+contrast, behind+contrast*c.between(0.7, 1.3)
	c.from, c.to = begin, min(clipSeconds, begin+way()/math.Abs(pace))
	c.alter = func(p []float32, t float64) {
		if t >= begin {
			x, y, size := where(t - begin)
			person(p, x, y, size, (t-begin)*7, dark, light)
		}
	}
}

// smallAnimal is a mouse, a bird, a cat far away.
func smallAnimal(c *clip) {
	length := float64(c.between(6, 14))
	y, x := float64(c.between(0.35, 0.95))*clipHeight, float64(c.between(0, 0.5))*clipWidth
	pace := float64(c.between(0.8, 4)) * length
	shade := c.between(5, 250)
	hop := float64(c.between(0, 5))
	c.alter = func(p []float32, t float64) {
		if t -= leadIn; t < 0 {
			return
		}
		x, y := x+pace*t, y-hop*math.Abs(math.Sin(t*5))
		oval(p, x, y, length/2, length/4+0.5, 0.4, towards(shade))
		oval(p, x+length/2, y-length/6, length/6+0.5, length/6+0.5, 0.4, towards(shade))
	}
}

// nothing is the noise of the sensor, the codec's, and an exposure that drifts.
func nothing(c *clip) {
	depth, period := c.between(0, 0.08), float64(c.between(4, 20))
	c.alter = func(p []float32, t float64) {
		scale(p, 1+depth*float32(math.Sin(t*2*math.Pi/period)))
	}
}

func scale(p []float32, gain float32) {
	for i := range p {
		p[i] *= gain
	}
}
