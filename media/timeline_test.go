package media_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/latchkey-cam/latchkey/media"
)

// stranger is a camera whose clock runs at another rate, behind a network that is late
// now and then.
type stranger struct {
	rate     float64       // of its clock, beside ours
	base     time.Duration // that every picture is late
	spikes   int           // of a hundred pictures are later
	spike    time.Duration // at most
	stamp    uint32        // its first one
	reorder  bool          // pictures are shown in another order than they come in
	buffered int           // pictures that were taken before the session began, and come in at once
}

// shot is a picture as it came in, when it was really taken, and what became of it.
type shot struct {
	media.Unit
	true time.Time
}

// film sends pictures for a while, 15 a second, in groups of 30.
func (s stranger) film(t *rapid.T, nals [2][][]byte, d time.Duration) []shot {
	var a media.Assembler
	var all []shot
	last := noon
	for i := range int(d.Seconds() * 15) {
		shown := i
		if s.reorder && i%30 != 0 && i%3 != 0 { // 2 before 1 of each three
			shown = i + 3 - 2*(i%3)
		}
		taken := noon.Add(time.Duration(shown-s.buffered) * time.Second / 15)
		in := noon.Add(time.Duration(max(i, shown)-s.buffered)*time.Second/15 + s.base)
		if i > 60 && (i*7919)%100 < s.spikes {
			in = in.Add(s.spike)
		}
		if in.Before(noon.Add(s.base)) {
			in = noon.Add(s.base)
		}
		if in.Before(last) {
			in = last
		}
		last = in
		kind := 1
		if i%30 == 0 {
			kind = 0
		}
		ticks := float64(shown) / 15 * media.Rate * s.rate
		u, ok, err := a.Unit(nals[kind], s.stamp+uint32(int64(ticks)), in)
		if err != nil || !ok {
			t.Fatalf("picture %d: %t, %v", i, ok, err)
		}
		all = append(all, shot{u, taken})
	}
	return all
}

// sample returns the NAL units of a key picture with its sets, and of another one.
func sample(t *testing.T) (nals [2][][]byte) {
	pictures := encode(t, 1, "64x48")
	return [2][][]byte{pictures[0].nals, pictures[1].nals}
}

// TestTaken draws cameras whose crystals are off by up to 500 ppm, on networks that are
// late by a second now and then. Pictures are never taken after they came in or before
// the one that they follow, and after five minutes they are as near to the truth as
// after five seconds.
func TestTaken(t *testing.T) {
	nals := sample(t)
	rapid.Check(t, func(t *rapid.T) {
		s := stranger{
			rate:     1 + float64(rapid.IntRange(-500, 500).Draw(t, "ppm"))/1e6,
			base:     time.Duration(rapid.IntRange(1, 100).Draw(t, "base")) * time.Millisecond,
			spikes:   rapid.IntRange(0, 5).Draw(t, "spikes"),
			spike:    time.Duration(rapid.IntRange(1, 900).Draw(t, "spike")) * time.Millisecond,
			stamp:    rapid.Uint32().Draw(t, "stamp"),
			reorder:  rapid.Bool().Draw(t, "reorder"),
			buffered: rapid.IntRange(0, 20).Draw(t, "buffered"),
		}
		all := s.film(t, nals, 5*time.Minute)
		var top shot
		for i, u := range all {
			if late := u.Received.Sub(u.Taken); late < 0 || late > 6*time.Second {
				t.Fatalf("picture %d came in %v after it was taken", i, late)
			}
			if u.PTS > top.PTS && u.Taken.Before(top.Taken) {
				t.Fatalf("picture %d was taken %v before the one that it follows", i, top.Taken.Sub(u.Taken))
			}
			if u.PTS > top.PTS {
				top = u
			}
			if off := u.Taken.Sub(u.true) - s.base; i > 60 && off.Abs() > 100*time.Millisecond {
				t.Fatalf("picture %d: its time is %v off", i, off)
			}
		}
	})
}

// TestOverworked: a camera that sends fewer pictures than its stamps say. Their times
// are a second or two off and never further, however long that goes on.
func TestOverworked(t *testing.T) {
	nals := sample(t)
	rapid.Check(t, func(t *rapid.T) {
		s := stranger{rate: rapid.Float64Range(0.8, 1.2).Draw(t, "rate"), base: 50 * time.Millisecond}
		for i, u := range s.film(t, nals, 2*time.Minute) {
			if off := u.Taken.Sub(u.true) - s.base; off > 0 || off < -2*time.Second {
				t.Fatalf("picture %d: its time is %v off", i, off)
			}
		}
	})
}
