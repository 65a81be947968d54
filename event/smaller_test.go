package event

import (
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

// film is a stream of one group a second, of five units each, with a sound in each unit,
// on an axis of its own.
func film(from time.Time, seconds int, axis media.Ticks, coding *media.Coding) (r media.Ring) {
	r.Limit = ringBytes
	p := &media.Parameters{SPS: []byte{1}}
	for n := range 5 * seconds {
		u := media.Unit{NALs: [][]byte{{1}}, Key: n%5 == 0, Parameters: p, Taken: from.Add(time.Duration(n) * time.Second / 5),
			PTS: axis + media.Ticks(n)*media.Rate/5}
		if coding != nil {
			u.Sounds = []media.Sound{{Coding: coding, PTS: u.PTS, Data: []byte{byte(n)}}}
		}
		r.Add(u)
	}
	return r
}

// A clip is of the sub-stream if that has all of it, and otherwise of the main stream.
func TestSmaller(t *testing.T) {
	main := film(noon, 20, 7, nil)
	groups := main.Since(noon)
	for name, tt := range map[string]struct {
		from    time.Duration // after the main stream
		seconds int
		small   bool
	}{
		"the same time":                {0, 20, true},
		"more on both sides":           {-5 * time.Second, 30, true},
		"a little late":                {900 * time.Millisecond, 19, true},
		"it comes after the beginning": {3 * time.Second, 17, false},
		"it broke off":                 {0, 12, false},
		"it has not come":              {0, 0, false},
		"it came before":               {-30 * time.Second, 10, false},
	} {
		t.Run(name, func(t *testing.T) {
			sub := film(noon.Add(tt.from), tt.seconds, 0, nil)
			got := smaller(sub.Since(noon), groups, noon)
			if (got != nil) != tt.small {
				t.Fatalf("%d groups", len(got))
			}
			if got == nil {
				return
			}
			if from, to := span(got); from < -1 || from > 1 || to < 18.8 || to > 19.9 {
				t.Errorf("the clip is from %g to %g s, want 0 to 19.8", from, to)
			}
		})
	}
	if got := smaller(nil, nil, noon); got != nil {
		t.Error("a clip of nothing")
	}
}

// The sub-stream comes without sound: its clip has the main stream's, where it was heard.
func TestSmallerIsHeard(t *testing.T) {
	coding := &media.Coding{}
	main, sub := film(noon, 10, 1_000_000, coding), film(noon.Add(-400*time.Millisecond), 12, 50, &media.Coding{})
	got := smaller(sub.Since(noon), main.Since(noon), noon)
	sounds := got[0].Units[0].Sounds
	if len(sounds) != 50 || sounds[0].Coding != coding {
		t.Fatalf("%d sounds", len(sounds))
	}
	// The first one was heard at noon: 0.4 s after the sub-stream's first picture.
	if at, want := sounds[0].PTS, media.Ticks(50+36_000); at != want {
		t.Errorf("the first sound is at %d, want %d", at, want)
	}
	if kept := sub.Since(noon)[0].Units[0].Sounds; len(kept) != 1 || kept[0].Data[0] != 0 || kept[0].Coding == coding {
		t.Error("what others read was changed")
	}
}

// An event's clip is of the sub-stream while that comes, and of the main stream from the
// moment at which it does not.
func TestClipFallsBack(t *testing.T) {
	b := newBench()
	b.smaller = 16
	b.run(10*time.Second, 0)
	b.run(2*time.Second, 0.1)
	b.run(20*time.Second, 0)
	b.smaller = 0
	b.run(2*time.Second, 0.1)
	b.run(20*time.Second, 0)
	if len(b.ended) != 2 {
		t.Fatalf("%d events", len(b.ended))
	}
	for i, want := range []int{16, b.size} {
		if got := len(b.clips[i][0].Units[0].NALs[0]); got != want || b.ended[i].Clip.Sub != (want == 16) {
			t.Errorf("event %d has units of %d bytes, want %d, sub %v", i, got, want, b.ended[i].Clip.Sub)
		}
	}
	if from, to := span(b.clips[0]); from > 5 || from < 4 || to < 16.5 || to > 17.5 {
		t.Errorf("the clip is from %g to %g s, want 5 to 17", from, to)
	}
}
