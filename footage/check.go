package footage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/latchkey-cam/latchkey"
)

// Finding is something that is not as it should be.
type Finding struct {
	File   string            `json:"file"`
	Camera latchkey.CameraID `json:"camera"`
	Track  string            `json:"track"`
	Span   Span              `json:"span"` // of what is lost, as far as it is known
	Says   string            `json:"says"`
}

// Report is what [Store.Check] has found.
type Report struct {
	Segments int       `json:"segments"`
	Groups   int       `json:"groups"`
	Bytes    int64     `json:"bytes"`
	Findings []Finding `json:"findings"`
}

// Check reads all that there is, opens every group, and says what does not verify or
// agree. It changes nothing, and what is being written it leaves out. The function told
// hears, after each segment, how many of all bytes were read; it may be nil.
func (s *Store) Check(ctx context.Context, told func(done, all int64)) (Report, error) {
	finds, bytes := s.everything()
	if told == nil {
		told = func(int64, int64) {}
	}
	r := Report{Findings: []Finding{}}
	done := int64(0)
	for _, f := range finds {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		if err := s.checkSegment(&r, f); err != nil {
			return r, fmt.Errorf("check footage: %w", err)
		}
		done += f.bytes
		told(done, bytes)
	}
	return r, s.checkIndexes(&r)
}

// kept is a segment as its index knows it.
type kept struct {
	find
	bytes int64
}

// everything returns all segments that are not being written, in order.
func (s *Store) everything() (all []kept, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, sh := range s.shelves {
		for d, x := range sh.days {
			for _, e := range x.entries {
				if e.state == growing || e.state == going {
					continue
				}
				b := binding{home: s.home, camera: p.camera, track: p.track, day: d, first: e.first}
				all = append(all, kept{find{b, e.span(), e.groups, nil}, e.bytes})
				bytes += e.bytes
			}
		}
	}
	slices.SortFunc(all, func(a, b kept) int {
		return cmp.Or(cmp.Compare(a.day, b.day), slices.Compare(a.camera[:], b.camera[:]), cmp.Compare(a.track, b.track), cmp.Compare(a.first, b.first))
	})
	return all, bytes
}

func (s *Store) checkSegment(r *Report, k kept) error {
	name := segmentName(k.place(), k.day, k.first)
	found := func(span Span, format string, args ...any) {
		r.Findings = append(r.Findings, Finding{name, k.camera, k.track.String(), span, fmt.Sprintf(format, args...)})
	}
	g, f, size, err := s.openSegment(k.binding)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !s.knows(k):
		return nil // removed meanwhile
	case errors.Is(err, fs.ErrNotExist):
		found(k.span, "the segment is not there")
		return nil
	case errors.Is(err, ErrDamaged):
		found(k.span, "the segment does not open: %v", err)
		return nil
	case err != nil:
		return err
	}
	defer f.Close() // read only
	r.Segments++
	r.Bytes += size
	walked, err := g.walk(f, size)
	if err != nil {
		return err
	}
	listed, err := g.contents(f, size)
	switch {
	case errors.Is(err, ErrDamaged):
		listed = walked
	case err != nil:
		return err
	case !slices.Equal(listed, walked):
		found(k.span, "what its contents say is not what is there: of %d groups %d are in their places", len(listed), len(walked))
	}
	if n := uint32(len(listed)); n == 0 || listed[n-1].i+1 < k.groups {
		found(k.span, "it ends after %d groups, and had %d", n, k.groups)
	}
	for _, l := range listed {
		if l.i >= k.groups {
			continue
		}
		if _, err := g.read(f, l); errors.Is(err, ErrDamaged) {
			found(l.head.span(), "group %d does not open", g.first+uint64(l.i))
		} else if err != nil {
			return err
		} else {
			r.Groups++
		}
	}
	return nil
}

// knows says whether a segment is still one that is kept.
func (s *Store) knows(k kept) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.shelves[k.place()]
	if sh == nil || sh.days[k.day] == nil {
		return false
	}
	e := sh.days[k.day].find(k.first)
	return e != nil && e.state != going
}

// checkIndexes opens every index that the disk has.
func (s *Store) checkIndexes(r *Report) error {
	type at struct {
		place
		day latchkey.Day
	}
	var all []at
	s.mu.Lock()
	for p, sh := range s.shelves {
		for d := range sh.days {
			all = append(all, at{p, d})
		}
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b at) int {
		return cmp.Or(cmp.Compare(a.day, b.day), slices.Compare(a.camera[:], b.camera[:]), cmp.Compare(a.track, b.track))
	})
	for _, a := range all {
		if _, err := s.readIndex(a.place, a.day); errors.Is(err, ErrDamaged) {
			r.Findings = append(r.Findings, Finding{indexName(a.place, a.day), a.camera, a.track.String(), daySpan(a.day), "the index does not open; the next start makes it again, without the reasons of gaps"})
		} else if err != nil {
			return fmt.Errorf("check footage: %w", err)
		}
	}
	return nil
}
