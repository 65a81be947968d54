// Package motion finds out whether something worth being told about moves in a row of
// small grey pictures.
//
// It is simple and says what it cannot do. A picture is brought to the eye's scale, on
// which a light is the same step up in the dark as in the sun, and compared with a
// running average of those before it, the background. What differs smoothly over a
// large part of the picture is light, and is taken out. A pixel stands out if what is
// left is more than a threshold, which shrinks with the contrast of the scene, and
// more than it usually is, so that leaves in the wind and a noisy sensor at night
// raise their own threshold. Pixels that stand out are counted in cells of five by
// five, cells that hang together are a blob, and a blob must be of some size, and must
// have changed since the picture before, not only since the background was learned.
// Three such pictures of six are motion.
//
// The second comparison is what keeps a clock that is burnt into the picture, a lamp
// that is switched on, or a parked car from being motion: those change once, and stay.
// If a large part of the picture changes at once, it was the light or the camera, and
// the background is learned anew, until the picture has come to rest.
//
// Everything up to the cells is the same for every [Config]; zones, masks and the
// sensitivity only choose and weigh cells. A [Log] therefore keeps the cells of a day
// and can say what any other Config would have made of it.
//
// It does not see what is smaller than some fifty pixels of 14,400 (twenty-five with
// high sensitivity), what moves as slowly as a shadow, nor somebody who covers a fifth
// of the picture from one moment to the next. It does not know people from large dogs,
// nor a beam of light that sweeps by from somebody.
package motion

import (
	"math"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
)

// The times are of the pictures' clock, and were chosen by the table of the tests.
const (
	warmUp  = 2500 * time.Millisecond // to learn the first background
	settle  = 1200 * time.Millisecond // to learn a new one after the light changed
	unrest  = 4 * time.Second         // to wait for the picture to come to rest then, at the most
	gap     = 5 * time.Second         // between pictures: from here on the background is too old
	seldom  = 600 * time.Millisecond  // between pictures: from here on each counts twice
	restful = 0.01                    // of the pixels may change from one picture to the next at rest
	global  = 0.22                    // of the pixels: from here on it was the light

	// The time constants by which the background follows: while it is learned, where
	// nothing stands out, under what does, which may be somebody standing still, and
	// with the light.
	learnQuickly = 500 * time.Millisecond
	learnSlowly  = 15 * time.Second
	standsStill  = 60 * time.Second
	lightly      = 15 * time.Second
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

	// Quality says how good a likeness of what moves the picture is, to choose the
	// best of several by: larger, sharper and whole rather than cut off by the edge.
	Quality float64

	// Global says that too much of the picture changed at once to be anything but
	// the light or the camera.
	Global bool
}

// Detector looks at the pictures of one camera. The zero Detector is ready; it is for
// one goroutine.
type Detector struct {
	model
	judge judge

	last                    time.Time
	learning                bool
	learnUntil, unrestUntil time.Time // while learning

	lax lax
}

// lax switches guards off, for the tests' controls.
type lax struct{ noVeto, once bool }

// Look looks at the next picture. A picture of another size, or after a long gap,
// begins anew. The config may be another one each time; what has been learned is kept.
// Log may be nil.
func (d *Detector) Look(g camera.Grey, c Config, log *Log) Activity {
	a := Activity{At: g.Taken, Received: g.Received}
	if g.Width != d.width || g.Height != d.height {
		d.reset(g.Width, g.Height)
		d.last = time.Time{}
	}
	elapsed := g.Taken.Sub(d.last)
	begins := d.last.IsZero() || elapsed > gap || elapsed < -gap
	d.last = g.Taken
	s := sketch{at: g.Taken, received: g.Received, width: g.Width, height: g.Height, weight: 1}
	if elapsed > seldom {
		s.weight = 2
	}
	d.see(g.Pix)
	if begins {
		copy(d.raw, d.picture)
		d.learn(g.Taken, warmUp)
		s.anew = true
	} else {
		d.compare()
		if d.learning && !g.Taken.Before(d.learnUntil) {
			d.learned()
			d.learning = false
		}
		a.Global = !d.lax.noVeto && !d.learning && d.share(max(d.out, d.changed)) > global
		switch {
		case a.Global:
			d.learn(g.Taken, settle)
			s.anew = true
		case d.learning:
			d.adapt(max(elapsed, 0), true)
			d.wait(g.Taken)
		default:
			d.adapt(max(elapsed, 0), false)
			s.spots = d.spots(s.spots)
		}
	}
	if log != nil {
		log.add(s)
	}
	v := d.judge.look(s, c, d.lax.once)
	a.Score = float64(v.area) / float64(g.Width*g.Height)
	a.Quality = a.Score * d.likeness(g.Pix, v)
	if a.Moving = v.moving; a.Moving {
		a.Since, a.Began = v.since.at, v.since.received
	}
	return a
}

// learn takes the picture as the background, and looks for nothing for at least that
// long. What pixels usually differ by is kept: leaves move in any light.
func (d *Detector) learn(at time.Time, least time.Duration) {
	d.take()
	d.learning = true
	d.learnUntil, d.unrestUntil = at.Add(least), at.Add(least+unrest)
}

// wait lets the learning go on until the picture has come to rest: a camera's exposure
// and its codec take some seconds after the light has changed.
func (d *Detector) wait(at time.Time) {
	changed := d.share(d.changed)
	if changed > restful && at.Before(d.unrestUntil) {
		d.learnUntil = later(d.learnUntil, at.Add(settle/2))
	}
	if changed > global {
		d.forget()
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// rate is how much of a difference is made good in a time.
func rate(elapsed, over time.Duration) float32 {
	return float32(1 - math.Exp(-elapsed.Seconds()/over.Seconds()))
}
