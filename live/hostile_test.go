package live_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/sealed"
)

// pool is what a server has to send: the run that a viewer was granted, in order, and
// everything else that it has ever carried.
type pool struct {
	own    [][]byte
	media  map[string]uint32 // of the own run, by what it shows, the number
	others [][]byte
}

// newPool has an agent seal ten groups of the run that was granted, and some of another
// camera, of another stream, and of a run before.
func newPool(s *scene) pool {
	p := pool{media: map[string]uint32{}}
	granted := s.run
	other := s.owner.PlaceCamera(s.agent)
	for _, of := range []sealed.Stream{
		{Home: s.stream.Home, Camera: other, Kind: sealed.MainStream},
		{Home: s.stream.Home, Camera: s.stream.Camera, Kind: sealed.SubStream},
		s.stream,
	} {
		r, err := live.Start(s.agent.Keys, of, init1080, at(s.now))
		s.must(err)
		s.run = r
		for i := range 12 {
			p.others = append(p.others, s.seal(fmt.Sprintf("%s %d", of, i), i%4 == 0))
		}
	}
	s.run = granted
	for i := range 40 {
		text := fmt.Sprintf("own %d", i)
		p.own = append(p.own, s.seal(text, i%4 == 0))
		p.media[text] = uint32(i + 1)
	}
	return p
}

// TestHostileServer: whatever a server sends, in whatever order, whole, altered or put
// together of parts, a viewer is given fragments of the granted run alone, each as it was
// sealed, in rising order, once; and where one is missing it is told so, and given nothing
// more before a key frame.
func TestHostileServer(t *testing.T) {
	s := newScene(t)
	_, device := s.owner.Device()
	first := live.NewViewer(device, s.stream)
	knock := s.knock(first)
	grant := s.grant(knock)
	p := newPool(s)
	given, holes := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		watch := &watcher{pool: p, viewer: first.Copy()}
		if _, err := watch.viewer.Take(grant, s.owner.Title(), moment); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 40).Draw(t, "messages") {
			watch.take(t, s, watch.draw(t))
		}
		given, holes = given+watch.given, holes+watch.holes
	})
	if given < 100 || holes < 10 {
		t.Errorf("%d fragments were given out, and %d holes seen: that proves little", given, holes)
	}
}

// watcher looks at what a viewer is given.
type watcher struct {
	pool
	viewer *live.Viewer
	next   int    // in the pool: what an honest server would send
	last   uint32 // number of the newest that was given out
	hole   bool   // and since then something was said to be missing
	given  int
	holes  int
}

// draw chooses what the server sends: mostly what comes next, so that it comes to
// something.
func (w *watcher) draw(t *rapid.T) []byte {
	own := func() []byte { return w.own[rapid.IntRange(0, len(w.own)-1).Draw(t, "own")] }
	any := func() []byte { return rapid.SampledFrom(slices.Concat(w.others, w.own)).Draw(t, "any") }
	switch rapid.IntRange(0, 5).Draw(t, "how") {
	case 2: // something is left out
		w.next += rapid.IntRange(1, 3).Draw(t, "left out")
	case 3:
		return any()
	case 4: // a bit is another
		b := bytes.Clone(own())
		b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		return b
	case 5: // the beginning of one and the end of another
		a, b := own(), any()
		at := rapid.IntRange(0, min(len(a), len(b))).Draw(t, "at")
		return append(bytes.Clone(a[:at]), b[at:]...)
	}
	w.next = min(w.next+1, len(w.own))
	return w.own[w.next-1]
}

func (w *watcher) take(t *rapid.T, s *scene, b []byte) {
	step, err := w.viewer.Take(b, s.owner.Title(), s.now)
	if err != nil {
		if step.Media != nil {
			t.Fatalf("refused (%v), and given out", err)
		}
		return
	}
	w.hole = w.hole || step.Missing > 0
	if step.Media == nil {
		return
	}
	number, own := w.media[string(step.Media)]
	switch {
	case !own:
		t.Fatalf("%q was never sealed for this run", step.Media)
	case number <= w.last:
		t.Fatalf("%d is given out after %d", number, w.last)
	case w.last != 0 && number != w.last+1 && !w.hole:
		t.Fatalf("%d is given out after %d, and nothing is said to be missing", number, w.last)
	case (w.last == 0 || w.hole) && !step.Key, step.Key != (number%4 == 1):
		t.Fatalf("%d is given out after a hole (%v), key frame: %v", number, w.hole, step.Key)
	}
	if w.given++; w.hole {
		w.holes++
	}
	w.last, w.hole = number, false
}
