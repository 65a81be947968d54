package motion_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/motion"
)

const width, height = 160, 90

// film makes grey pictures, five a second, and shows them to a detector.
type film struct {
	detector motion.Detector
	at       time.Time
	noise    *rand.Rand
	level    int // of the noise
	last     motion.Activity
}

func newFilm(level int) *film {
	return &film{at: time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC), noise: rand.New(rand.NewPCG(1, 2)), level: level}
}

// scene is a wall with a window, a lawn, and nothing that moves.
func scene() []int {
	p := make([]int, width*height)
	for y := range height {
		for x := range width {
			switch {
			case y > 60:
				p[y*width+x] = 90 + x%7
			case x > 40 && x < 70 && y > 20 && y < 45:
				p[y*width+x] = 190
			default:
				p[y*width+x] = 130 + y/3
			}
		}
	}
	return p
}

func block(p []int, x, y, w, h, shade int) {
	for j := max(0, y); j < min(height, y+h); j++ {
		for i := max(0, x); i < min(width, x+w); i++ {
			p[j*width+i] = shade
		}
	}
}

// show shows seconds of pictures that change makes of the scene, and returns in how
// many of them something moved.
func (f *film) show(seconds float64, change func(p []int, t float64)) (moving int) {
	n := int(seconds * 5)
	for i := range n {
		p := scene()
		if change != nil {
			change(p, float64(i)/5)
		}
		pix := make([]byte, len(p))
		for j, v := range p {
			if f.level > 0 {
				v += f.noise.IntN(2*f.level+1) - f.level
			}
			pix[j] = byte(min(255, max(0, v)))
		}
		f.at = f.at.Add(200 * time.Millisecond)
		f.last = f.detector.Look(camera.Grey{Width: width, Height: height, Pix: pix, Taken: f.at, Received: f.at.Add(time.Millisecond)}, motion.Config{}, nil)
		if f.last.Moving {
			moving++
		}
	}
	return moving
}

// walker is a person of 8x24 pixels who crosses the picture in eight seconds.
func walker(p []int, t float64) { block(p, int(t*21)-8, 50, 8, 24, 40) }

func TestMoverIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		noise  int
		change func(p []int, t float64)
		least  int // of the 40 pictures of eight seconds
	}{
		"somebody dark":            {3, walker, 30},
		"somebody in a noisy dusk": {25, walker, 30},
		"somebody pale": {3, func(p []int, t float64) {
			block(p, int(t*21)-8, 50, 8, 24, 175)
		}, 25},
		"a cat":            {3, func(p []int, t float64) { block(p, int(t*21)-12, 74, 12, 6, 30) }, 25},
		"a car":            {3, func(p []int, t float64) { block(p, int(t*80)-40, 62, 40, 18, 220) }, 10},
		"somebody nearing": {3, func(p []int, t float64) { block(p, 100-int(t*2), 40-int(t*2), 6+int(t*2), 20+int(t*5), 45) }, 20},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFilm(test.noise)
			if n := f.show(30, nil); n > 0 {
				t.Fatalf("an empty scene moved in %d pictures", n)
			}
			if n := f.show(8, test.change); n < test.least {
				t.Errorf("moved in %d of 40 pictures, want %d", n, test.least)
			}
			if n := f.show(4, nil); n > 3 || f.last.Moving {
				t.Errorf("moved in %d pictures after it had gone", n)
			}
		})
	}
}

func TestMotionIsDecidedQuickly(t *testing.T) {
	f := newFilm(3)
	f.show(30, nil)
	appears := f.at
	for !f.last.Moving {
		if f.at.Sub(appears) > 2*time.Second {
			t.Fatal("not found within two seconds")
		}
		at := f.at.Sub(appears).Seconds() + 0.2
		f.show(0.2, func(p []int, _ float64) { walker(p, at) })
	}
	if took := f.last.At.Sub(appears); took > time.Second {
		t.Errorf("decided %v after the first picture with somebody in it", took)
	}
	if !f.last.Since.Before(f.last.At) || !f.last.Began.After(f.last.Since) {
		t.Errorf("decided at %v, since %v, received %v", f.last.At, f.last.Since, f.last.Began)
	}
}

// clock draws HH:MM:SS: the last digit changes every second, all of them every minute.
func clock(p []int, t float64) {
	for i := range 8 {
		age := uint64(t) / 60
		switch i {
		case 6:
			age = uint64(t) / 10
		case 7:
			age = uint64(t)
		}
		dots := rand.New(rand.NewPCG(age, uint64(i)))
		for y := range 7 {
			for x := range 5 {
				block(p, 100+i*6+x, 3+y, 1, 1, 255*dots.IntN(2))
			}
		}
	}
}

func TestWhatIsNoMotion(t *testing.T) {
	for name, test := range map[string]struct {
		noise  int
		change func(p []int, t float64)
	}{
		"noise":       {10, nil},
		"heavy noise": {40, nil},
		"the light flickers": {3, func(p []int, t float64) {
			for i := range p {
				p[i] += int(t*5) % 2 * 25
			}
		}},
		"a tube flickers before it lights": {3, func(p []int, t float64) {
			if int(t*5)%2 == 1 {
				block(p, 0, 0, 100, 90, 250)
			}
		}},
		"the light goes on": {3, func(p []int, t float64) {
			if t > 10 {
				for i := range p {
					p[i] = min(255, p[i]+90)
				}
			}
		}},
		"a lamp goes on in one corner": {3, func(p []int, t float64) {
			if t > 10 {
				block(p, 100, 10, 50, 40, 245)
			}
		}},
		"the exposure follows the sun": {3, func(p []int, t float64) {
			for i := range p {
				p[i] = int(float64(p[i]) * (1 + 0.25*t/20))
			}
		}},
		"a clock in the corner": {3, clock},
		"something parks": {3, func(p []int, t float64) {
			if t > 10 {
				block(p, 60, 60, 40, 18, 30)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFilm(test.noise)
			f.show(20, nil)
			if n := f.show(70, test.change); n > 0 {
				t.Errorf("moved in %d pictures", n)
			}
		})
	}
}

// Leaves in the wind may be motion at first, but not for long, and they must not hide
// somebody who walks by.
func TestLeavesAreLearned(t *testing.T) {
	leaves := func(p []int, t float64) {
		shift := int(2.4 * (1 + rand.New(rand.NewPCG(uint64(t*5), 7)).Float64()))
		for i := range 6 {
			block(p, 10+i*7+shift, 8+i%3*7, 5, 6, 60)
		}
	}
	f := newFilm(3)
	f.show(90, leaves)
	if n := f.show(60, leaves); n > 0 {
		t.Errorf("leaves still moved in %d of 300 pictures after 90 s", n)
	}
	n := f.show(8, func(p []int, t float64) {
		leaves(p, t)
		walker(p, t)
	})
	if n < 30 {
		t.Errorf("somebody walking by under the tree was seen in %d of 40 pictures", n)
	}
}

// After the light has changed, what moves is found again within seconds.
func TestMotionAfterTheLightChanged(t *testing.T) {
	f := newFilm(3)
	f.show(20, nil)
	night := func(p []int) {
		for i := range p {
			p[i] /= 5
		}
	}
	f.show(3, func(p []int, _ float64) { night(p) })
	if n := f.show(8, func(p []int, t float64) {
		night(p)
		block(p, int(t*21)-8, 50, 8, 24, 90)
	}); n < 30 {
		t.Errorf("moved in %d of 40 pictures", n)
	}
}

func TestPicturesOfAnotherSizeBeginAnew(t *testing.T) {
	f := newFilm(3)
	f.show(20, nil)
	small := camera.Grey{Width: 32, Height: 18, Pix: make([]byte, 32*18), Taken: f.at.Add(time.Second)}
	if a := f.detector.Look(small, motion.Config{}, nil); a.Moving || a.Score != 0 {
		t.Errorf("the first picture of another size: %+v", a)
	}
}

// While clouds or the camera's exposure make the picture lighter and darker, somebody
// is still found.
func TestCloudsDoNotBlind(t *testing.T) {
	clouds := func(p []int, t float64) {
		f := 1 + 0.3*math.Sin(t*3)
		for i := range p {
			p[i] = int(float64(p[i]) * f)
		}
	}
	f := newFilm(3)
	f.show(20, nil)
	if n := f.show(10, clouds); n > 0 {
		t.Errorf("clouds moved in %d pictures", n)
	}
	n := f.show(8, func(p []int, t float64) {
		walker(p, t)
		clouds(p, t)
	})
	if n < 25 {
		t.Errorf("moved in %d of 40 pictures", n)
	}
}
