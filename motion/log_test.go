package motion_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/motion"
)

// someHours plays a long row of comings and goings, each a seed's, to look: people small and
// large, leaves, lamps and changes of the light, with pauses of all lengths.
func someHours(hours float64, look func(camera.Grey)) {
	r := rand.New(rand.NewPCG(7, 7))
	at := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	show := func(seconds float64, change func(p []int, t float64)) {
		for t := 0.0; t < seconds; t += 0.2 {
			p := scene()
			if change != nil {
				change(p, t)
			}
			pix := make([]byte, len(p))
			for i, v := range p {
				pix[i] = byte(min(255, max(0, v+r.IntN(7)-3)))
			}
			at = at.Add(200 * time.Millisecond)
			look(camera.Grey{Width: width, Height: height, Pix: pix, Taken: at, Received: at})
		}
	}
	show(10, nil)
	for begun := at; at.Sub(begun).Hours() < hours; {
		y, h, pace := 10+r.IntN(60), 5+r.IntN(25), 8+r.Float64()*30
		shade := 20 + r.IntN(200)
		switch r.IntN(5) {
		case 0:
			show(2, func(p []int, t float64) { block(p, 40, 10, 60, 50, 250) })
		case 1:
			show(3, func(p []int, t float64) {
				for i := range p {
					p[i] /= 3
				}
			})
		default:
			show(2+r.Float64()*5, func(p []int, t float64) { block(p, int(t*pace), y, max(3, h/3), h, shade) })
		}
		show(4+r.Float64()*3, nil)
		if r.IntN(3) > 0 {
			at = at.Add(time.Duration(5+r.IntN(40)) * time.Second) // the camera was off
		}
	}
}

var someConfigs = map[string]motion.Config{
	"everything":   {},
	"low":          {Sensitivity: motion.Low},
	"high":         {Sensitivity: motion.High},
	"the left":     {Zones: [][]motion.Point{{{0, 0}, {5000, 0}, {5000, 10000}, {0, 10000}}}},
	"but the path": {Sensitivity: motion.High, Masks: [][]motion.Point{{{0, 5000}, {10000, 6000}, {10000, 10000}, {0, 10000}}}},
	"two corners": {Zones: [][]motion.Point{{{0, 0}, {3000, 0}, {0, 3000}}, {{10000, 10000}, {6000, 10000}, {10000, 5000}}},
		Masks: [][]motion.Point{{{9000, 9000}, {10000, 9000}, {10000, 10000}, {9000, 10000}}}},
	"nothing": {Masks: [][]motion.Point{{{0, 0}, {10000, 0}, {10000, 10000}, {0, 10000}}}},
}

// What the log says of a config is what a detector with that config does, when it sees
// the same pictures again, whatever config there was when the log was written.
func TestLogSaysWhatTheDetectorWouldHaveDone(t *testing.T) {
	t.Parallel()
	var log motion.Log
	var writer motion.Detector
	type run struct {
		detector motion.Detector
		times    int
		last     time.Time
	}
	again := map[string]*run{}
	for name := range someConfigs {
		again[name] = &run{}
	}
	var now time.Time
	someHours(0.2, func(g camera.Grey) {
		now = g.Taken
		writer.Look(g, someConfigs["two corners"], &log)
		for name, r := range again {
			a := r.detector.Look(g, someConfigs[name], nil)
			if a.Moving && a.Score > 0 {
				if r.last.IsZero() || a.Since.Sub(r.last) > motion.Together {
					r.times++
				}
				r.last = g.Taken
			}
		}
	})
	for name, r := range again {
		times, since := log.WouldHaveFired(someConfigs[name], now)
		if times != r.times {
			t.Errorf("%s: the log says %d times, the detector %d", name, times, r.times)
		}
		if name == "everything" && (times < 8 || now.Sub(since) < 11*time.Minute) {
			t.Errorf("%d times since %v", times, since)
		}
	}
	if a, b, c := again["nothing"].times, again["low"].times, again["high"].times; a != 0 || b == 0 || b >= c {
		t.Errorf("masked altogether %d times, with low sensitivity %d, with high %d", a, b, c)
	}
}

// Two days in which something moves in every picture are remembered in 2 MiB: less than
// a day, and the log says how much less. A quiet camera's whole day is, and no more.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	begin := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	var storm, quiet motion.Log
	now := begin
	for ; now.Sub(begin) < 48*time.Hour; now = now.Add(200 * time.Millisecond) {
		storm.Remember(now, 24)
		blob := 0
		if now.Sub(begin)%(10*time.Minute) < 8*time.Second {
			blob = 24
		}
		quiet.Remember(now, blob)
	}
	if n := storm.Bytes(); n > 2<<20+64<<10 {
		t.Errorf("%d bytes are kept", n)
	}
	times, since := storm.WouldHaveFired(motion.Config{}, now)
	if span := now.Sub(since); times > 1 || span < time.Hour || span > 12*time.Hour {
		t.Errorf("%d times in %v", times, span)
	}
	times, since = quiet.WouldHaveFired(motion.Config{}, now)
	if span := now.Sub(since); times < 143 || times > 145 || span != 24*time.Hour {
		t.Errorf("%d times in %v, want one each ten minutes of a day", times, span)
	}
	if times, _ = quiet.WouldHaveFired(motion.Config{}, now.Add(12*time.Hour)); times < 71 || times > 73 {
		t.Errorf("%d times in the last day half a day later", times)
	}
}
