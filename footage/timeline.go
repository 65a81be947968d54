package footage

import (
	"cmp"
	"slices"

	"github.com/latchkey-cam/latchkey"
)

// Gap is a time of which there are no pictures, and why.
type Gap struct {
	Span
	Reason Reason `json:"reason"`
}

// nothing says whether it is what is left between two reasons, or a reason and pictures, by
// clocks that do not agree to the microsecond.
func (g Gap) nothing() bool { return g.Reason == NotRunning && g.Until-g.From <= tolerance }

// Timeline is what there is of one day of one track.
type Timeline struct {
	Camera   latchkey.CameraID `json:"camera"`
	Day      latchkey.Day      `json:"day"`      // in UTC
	Until    latchkey.Time     `json:"until"`    // the day's end, or now
	Pictures []Span            `json:"pictures"` // when there are some, to within half a second
	Gaps     []Gap             `json:"gaps"`     // everything else
	Motion   []uint8           `json:"motion,omitempty"`
	Lost     uint64            `json:"lost"`  // groups that were not kept
	Bytes    int64             `json:"bytes"` // of segments
}

// Timeline says what there is of a day of one track. It asks no disk. Motion is the most
// that moved in each minute, and empty if nothing did.
func (s *Store) Timeline(camera latchkey.CameraID, track Track, day latchkey.Day) (Timeline, error) {
	if _, err := latchkey.ParseDay(string(day)); err != nil {
		return Timeline{}, err
	}
	now := s.clock.Now().Wall
	s.mu.Lock()
	defer s.mu.Unlock()
	t := Timeline{Camera: camera, Day: day}
	all := daySpan(day)
	sh := s.shelves[place{camera, track}]
	var known []gap
	if sh != nil {
		sh.settle(now)
		t.Pictures = sh.pictures(all)
		if x := sh.days[day]; x != nil {
			known, t.Motion = x.gaps, slices.Clone(x.motion)
			for _, e := range x.entries {
				t.Bytes += e.bytes
			}
		}
	}
	t.Until = min(all.Until, max(now, all.From))
	if n := len(t.Pictures); n > 0 { // the clock may have been ahead
		t.Until = max(t.Until, t.Pictures[n-1].Until)
	}
	all.Until = t.Until
	for _, g := range known {
		t.Lost += uint64(g.lost)
	}
	t.Gaps = explain(all, t.Pictures, known)
	return t, nil
}

// pictures are the times of which there are some. Its caller holds the store's mu.
func (sh *shelf) pictures(all Span) []Span {
	var spans []Span
	before := latchkey.Time(max(all.From, 1) - 1).Day() // whose last group may reach over midnight
	for _, d := range []latchkey.Day{before, all.From.Day()} {
		x := sh.days[d]
		if x == nil {
			continue
		}
		for _, e := range x.entries {
			for _, span := range e.spans {
				if span = span.within(all); !span.empty() && e.state != going {
					spans = cover(spans, span, tolerance)
				}
			}
		}
	}
	return spans
}

// inOrder are the reasons, the one first that is shown of several for one moment. There were
// pictures where some are gone: a camera that came and went all day, whose gaps are written
// as one, must not hide that.
var inOrder = []Reason{
	Expired, Evicted, Deleted, Damaged,
	Offline, Off, DiskFull, Full, Slow, ReadOnly, Forbidden, Away, Failing, Refused, ClockSet,
}

// explain returns the gaps that pictures leave of a span, cut where their reason changes.
func explain(all Span, pictures []Span, known []gap) []Gap {
	type edge struct {
		at     latchkey.Time
		reason Reason
		by     int
	}
	var edges []edge
	for _, g := range known {
		edges = append(edges, edge{g.From, g.reason, 1}, edge{g.Until, g.reason, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	var holds [256]int // how many known gaps there are of each reason
	now := func() Reason {
		for _, r := range inOrder {
			if holds[r] > 0 {
				return r
			}
		}
		return NotRunning
	}
	var gaps []Gap
	put := func(s Span, r Reason) {
		n := len(gaps)
		g := Gap{s, r}
		if s.empty() {
			return
		}
		if n == 0 || gaps[n-1].Until != s.From {
			gaps = append(gaps, g)
			return
		}
		switch before := &gaps[n-1]; {
		case before.Reason == r, g.nothing():
			before.Until = s.Until
		case before.nothing():
			before.Until, before.Reason = s.Until, r
		default:
			gaps = append(gaps, g)
		}
	}
	for _, hole := range holes(all, pictures) {
		from := hole.From
		for len(edges) > 0 && edges[0].at < hole.Until {
			put(Span{from, edges[0].at}, now())
			from = max(from, edges[0].at)
			holds[edges[0].reason] += edges[0].by
			edges = edges[1:]
		}
		put(Span{from, hole.Until}, now())
	}
	return gaps
}

// holes is what pictures leave of a span.
func holes(all Span, pictures []Span) []Span {
	var left []Span
	from := all.From
	for _, r := range pictures {
		if from < r.From {
			left = append(left, Span{from, r.From})
		}
		from = max(from, r.Until)
	}
	if from < all.Until {
		left = append(left, Span{from, all.Until})
	}
	return left
}
