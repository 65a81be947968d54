package footage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"github.com/latchkey-cam/latchkey"
)

// find is a segment that is to be read.
type find struct {
	binding
	span   Span   // from its first picture to its last
	groups uint32 // those that it is known to have
	heads  []head // if it is being written
}

// overlapping returns the segments of a track that have something of a span, in the
// order in which they were recorded.
func (s *Store) overlapping(p place, span Span) []find {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.shelves[p]
	if sh == nil {
		return nil
	}
	var all []find
	for d, x := range sh.days {
		for _, e := range x.entries {
			if e.state != going && e.overlaps(span) {
				all = append(all, find{binding{home: s.home, camera: p.camera, track: p.track, day: d, first: e.first}, e.span(), e.groups, slices.Clone(e.heads)})
			}
		}
	}
	slices.SortFunc(all, func(a, b find) int { return cmp.Compare(a.first, b.first) })
	return all
}

// Read gives the groups of a track that have something of a span, in the order in
// which they were recorded. Where the clock was set back that is not the order of their
// times.
//
// A group that does not verify is given as an error that is [ErrDamaged], with its
// times if they are known, and the next one follows. After any other error nothing does.
func (s *Store) Read(ctx context.Context, camera latchkey.CameraID, track Track, span Span) iter.Seq2[Group, error] {
	return func(yield func(Group, error) bool) {
		for _, f := range s.overlapping(place{camera, track}, span) {
			if !s.readSegment(ctx, f, func(h head) bool { return h.span().overlaps(span) }, yield) {
				return
			}
		}
	}
}

// readSegment gives the groups of one segment that are wanted, and says whether to
// go on.
func (s *Store) readSegment(ctx context.Context, found find, want func(head) bool, yield func(Group, error) bool) bool {
	fail := func(err error) bool {
		err = fmt.Errorf("read %s: %w", segmentName(found.place(), found.day, found.first), err)
		return yield(Group{}, err) && errors.Is(err, ErrDamaged)
	}
	g, f, size, err := s.openSegment(found.binding)
	if errors.Is(err, fs.ErrNotExist) {
		return true // removed since it was found
	}
	if err != nil {
		return fail(err)
	}
	defer f.Close() // read only
	all := g.growing(found.heads)
	if found.heads == nil {
		if all, _, err = g.locate(f, size); err != nil {
			return fail(err)
		}
	}
	next, wanted := uint32(0), true
	for _, l := range all {
		if l.i >= found.groups {
			break
		}
		missing := l.i - next
		next, wanted = l.i+1, want(l.head)
		if !wanted {
			continue
		}
		if missing > 0 && !fail(fmt.Errorf("%w: %d groups before %d do not open", ErrDamaged, missing, g.first+uint64(l.i))) {
			return false
		}
		if ctx.Err() != nil {
			return fail(ctx.Err())
		}
		content, err := g.read(f, l)
		if err != nil {
			err = fmt.Errorf("read group %d: %w", g.first+uint64(l.i), err)
		}
		group := Group{
			Start: l.head.start, Duration: l.head.duration, Key: l.head.key, Motion: l.head.motion, Coding: g.coding,
			Content: content, Sequence: g.first + uint64(l.i), Boot: g.boot,
		}
		if !yield(group, err) || err != nil && !errors.Is(err, ErrDamaged) {
			return false
		}
	}
	if wanted && next < found.groups {
		return fail(fmt.Errorf("%w: its last %d groups do not open", ErrDamaged, found.groups-next))
	}
	return true
}

// growing says where the groups are of a segment that is being written.
func (g *segment) growing(heads []head) []located {
	all := make([]located, len(heads))
	at := g.start
	for i, h := range heads {
		all[i] = located{uint32(i), at, h}
		at += h.size()
	}
	return all
}

// maxStills is how many stills are given at once: more than a screen has pixels for.
const maxStills = 1000

// Stills gives up to n stills of a camera's filmstrip: the first in each n-th part of
// the span that has one. A still that does not verify is left out.
func (s *Store) Stills(ctx context.Context, camera latchkey.CameraID, span Span, n int) ([]Group, error) {
	n = min(n, maxStills)
	if span.empty() || n < 1 {
		return nil, nil
	}
	taken := make(map[uint64]bool, n)
	part := func(at latchkey.Time) uint64 { return uint64(at-span.From) * uint64(n) / uint64(span.Until-span.From) }
	var stills []Group
	for _, f := range s.overlapping(place{camera, Still}, span) {
		some := f.span.within(span)
		if first, last := part(some.From), part(some.Until-1); first == last && taken[first] {
			continue
		}
		var failed error
		want := func(h head) bool {
			return h.start.Wall >= span.From && h.start.Wall < span.Until && !taken[part(h.start.Wall)]
		}
		s.readSegment(ctx, f, want, func(still Group, err error) bool {
			switch {
			case err == nil:
				taken[part(still.Start.Wall)] = true
				stills = append(stills, still)
			case !errors.Is(err, ErrDamaged):
				failed = err
			}
			return true
		})
		if failed != nil {
			return nil, failed
		}
	}
	return stills, nil
}
