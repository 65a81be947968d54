// Package motion finds out whether something moves in a row of small grey pictures.
//
// It is simple and says what it cannot do. A picture is compared with a running
// average of those before it, the background, after its brightness and contrast have
// been matched to it, so that clouds and a camera's exposure change nothing. A pixel
// stands out if it differs by more than a fixed threshold and by more than it usually
// does, so that leaves in the wind and a noisy sensor at night raise their own
// threshold. Pixels that stand out are joined to blobs; the largest must be of some
// size, and it must have changed since the picture before, not only since the
// background was learned. If that holds for two of three pictures, something moves.
//
// The second comparison is what keeps a clock that is burnt into the picture, a lamp
// that is switched on, or a parked car from being motion: those change once, and stay.
// If a large part of the picture changes at once, it was the light or the camera, and
// the background is learned anew.
//
// It does not see what is smaller than some fifty pixels of 14,400, what moves as
// slowly as a shadow, nor somebody who covers most of the picture from one moment to
// the next. It does not know people from cats.
package motion

import (
	"math"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
)

// The figures are for pictures of 160x90 at 5 a second; sizes are shares of the
// picture, times are of the clock.
const (
	threshold   = 20.0 // shades that a pixel must differ by from the background
	noiseFactor = 3.5  // times its usual difference that it must differ by
	change      = 12.0 // shades that it must differ by from the picture before

	smallest    = 0.0028 // of the picture: the smallest blob, 40 pixels of 160x90
	changedPart = 0.12   // of a blob: how much of it must have changed since the picture before
	changedMost = 30     // pixels: but that many are enough, however large the blob
	global      = 0.45   // of the picture: from here on it was the light

	warmUp = 2 * time.Second         // to learn the first background
	settle = 1200 * time.Millisecond // to learn a new one after the light changed
	gap    = 5 * time.Second         // between pictures: from here on the background is too old

	// The time constants by which the background follows: while it is learned, where
	// nothing stands out, and under what does, which may be somebody standing still.
	learnQuickly = 500 * time.Millisecond
	learnSlowly  = 15 * time.Second
	standsStill  = 60 * time.Second

	wanted, among = 2, 3 // pictures of the last ones that must show a moving blob
)

// Activity is what a picture says together with those before it.
type Activity struct {
	At, Received time.Time // of the picture

	// Moving says that something moves, Since since which picture, and Began when
	// that one had been received.
	Moving       bool
	Since, Began time.Time

	// Score is the share of the picture that the moving blobs cover, 0 to 1. It is
	// this picture's, whether it is enough to be Moving or not.
	Score float64

	// Global says that too much of the picture changed at once to be anything but
	// the light or the camera.
	Global bool
}

// Detector looks at the pictures of one camera. The zero Detector is ready; it is for
// one goroutine.
type Detector struct {
	width, height int
	background    []float32 // the running average, in the camera's own brightness
	usual         []float32 // how much each pixel usually differs from it
	before        []float32 // the last picture, matched

	picture []float32 // this one, matched: scratch
	blurred []float32 // scratch
	mask    []uint8   // 0, or stands out, or stands out and changed: scratch
	stack   []int32   // scratch

	last, learnUntil time.Time
	recent           []hit // the newest last
	since            hit   // while moving
	moving           bool
}

// hit is a picture and whether a moving blob was in it.
type hit struct {
	at, received time.Time
	seen         bool
}

// Look looks at the next picture. A picture of another size, or after a long gap,
// begins anew.
func (d *Detector) Look(g camera.Grey) Activity {
	a := Activity{At: g.Taken, Received: g.Received}
	if g.Width != d.width || g.Height != d.height {
		d.reset(g.Width, g.Height)
	}
	elapsed := g.Taken.Sub(d.last)
	first := d.last.IsZero() || elapsed > gap || elapsed < -gap
	d.last = g.Taken
	blur(d.blurred, g.Pix, d.width, d.height)
	if first {
		d.learn(g.Taken.Add(warmUp))
		return a
	}
	d.match()
	area, out := d.compare()
	pixels := float64(d.width * d.height)
	a.Global = float64(out) > global*pixels
	if a.Global {
		d.learn(g.Taken.Add(settle))
		return a
	}
	learning := g.Taken.Before(d.learnUntil)
	d.adapt(max(elapsed, 0), learning)
	copy(d.before, d.picture)
	if !learning {
		a.Score = float64(area) / pixels
	}
	d.decide(hit{g.Taken, g.Received, a.Score > 0})
	a.Moving = d.moving
	if d.moving {
		a.Since, a.Began = d.since.at, d.since.received
	}
	return a
}

// decide takes the picture among the recent ones: wanted of among begin a motion, and
// none ends it.
func (d *Detector) decide(h hit) {
	d.recent = append(d.recent, h)
	d.recent = d.recent[max(0, len(d.recent)-among):]
	n := 0
	var earliest hit
	for i := len(d.recent) - 1; i >= 0; i-- {
		if d.recent[i].seen {
			n, earliest = n+1, d.recent[i]
		}
	}
	switch {
	case !d.moving && n >= wanted:
		d.moving, d.since = true, earliest
	case n == 0:
		d.moving = false
	}
}

func (d *Detector) reset(width, height int) {
	n := width * height
	*d = Detector{width: width, height: height,
		background: make([]float32, n), usual: make([]float32, n), before: make([]float32, n),
		picture: make([]float32, n), blurred: make([]float32, n), mask: make([]uint8, n)}
}

// learn takes the picture as the background, and looks for nothing until then. What
// pixels usually differ by is kept: leaves move in any light.
func (d *Detector) learn(until time.Time) {
	copy(d.background, d.blurred)
	copy(d.before, d.blurred)
	d.learnUntil, d.recent, d.moving = until, d.recent[:0], false
}

// adapt moves the background and the usual differences towards the picture.
func (d *Detector) adapt(elapsed time.Duration, learning bool) {
	rate := func(over time.Duration) float32 { return float32(1 - math.Exp(-elapsed.Seconds()/over.Seconds())) }
	still, standing := rate(learnSlowly), rate(standsStill)
	if learning {
		still, standing = rate(learnQuickly), rate(learnQuickly)
	}
	for i, p := range d.picture {
		diff, r := p-d.background[i], still
		if d.mask[i] != 0 {
			r = standing // one thing passing must not blind a place to the next
		}
		d.background[i] += r * diff
		d.usual[i] += r * (min(abs(diff), 60) - d.usual[i])
	}
}

func abs(x float32) float32 {
	if x < 0 {
		return -x
	}
	return x
}
