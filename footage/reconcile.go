package footage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

// The names on the disk, docs/footage.md, "On the disk".
const (
	segmentSuffix = ".footage"
	indexSuffix   = ".index"
	savedDir      = "saved"
)

func dirName(p place, d latchkey.Day) string { return path.Join(string(d), p.camera.String()) }

func indexName(p place, d latchkey.Day) string {
	return path.Join(dirName(p, d), p.track.String()+indexSuffix)
}

func segmentName(p place, d latchkey.Day, first uint64) string {
	return path.Join(dirName(p, d), fmt.Sprintf("%s-%016d%s", p.track, first, segmentSuffix))
}

// parseSegmentName says what a file of a day's directory is a segment of. It takes the
// spelling of [segmentName] alone.
func parseSegmentName(name string) (track Track, first uint64, ok bool) {
	base, ok := strings.CutSuffix(name, segmentSuffix)
	word, digits, cut := strings.Cut(base, "-")
	first, err := strconv.ParseUint(digits, 10, 64)
	track = trackOf(word)
	return track, first, ok && cut && err == nil && len(digits) == 16 && digits[0] != '+' && first > 0 && first <= latchkey.MaxInt && track != 0
}

// trackOf returns the track of that name, 0 if there is none.
func trackOf(word string) Track {
	for s, name := range trackNames {
		if name == word {
			return s
		}
	}
	return 0
}

// reconcile reads what is on the disk, and makes indexes and segments agree.
func (s *Store) reconcile(ctx context.Context) error {
	days, err := durable.List(s.fs, ".")
	if err != nil {
		return err
	}
	if err := s.loadSaved(); err != nil {
		return err
	}
	for _, e := range days {
		day, err := latchkey.ParseDay(e.Name())
		if err != nil || !e.IsDir() {
			continue // not ours
		}
		cameras, err := durable.List(s.fs, e.Name())
		if err != nil {
			return err
		}
		for _, c := range cameras {
			camera, err := latchkey.ParseCameraID(c.Name())
			if err != nil || !c.IsDir() {
				continue
			}
			if err := errors.Join(ctx.Err(), s.loadDay(camera, day)); err != nil {
				return err
			}
		}
	}
	for _, sh := range s.shelves {
		if err := s.note(sh); err != nil { // another time: nothing depends on it
			s.log.Warn("note what was found", "camera", sh.camera.String(), "track", sh.track.String(), "error", err)
		}
	}
	return nil
}

// loadDay takes in the directory of a camera's day.
func (s *Store) loadDay(camera latchkey.CameraID, day latchkey.Day) error {
	dir := path.Join(string(day), camera.String())
	if err := durable.Sweep(s.fs, dir); err != nil && !readOnly(err) {
		return err
	}
	files, err := durable.List(s.fs, dir)
	if err != nil {
		return err
	}
	segments, indexed := map[Track][]uint64{}, map[Track]bool{}
	for _, f := range files {
		if track, first, ok := parseSegmentName(f.Name()); ok {
			segments[track] = append(segments[track], first)
		} else if word, ok := strings.CutSuffix(f.Name(), indexSuffix); ok && trackOf(word) != 0 {
			indexed[trackOf(word)] = true
		}
	}
	for track := range trackNames {
		if len(segments[track]) == 0 && !indexed[track] {
			continue
		}
		if err := s.loadIndex(place{camera, track}, day, segments[track]); err != nil {
			return err
		}
	}
	return nil
}

func readOnly(err error) bool {
	h := HealthOf(err)
	return h == HealthReadOnly || h == HealthForbidden
}

// loadIndex takes in a day of one track, of which there are those segments.
func (s *Store) loadIndex(p place, day latchkey.Day, segments []uint64) error {
	x, err := s.readIndex(p, day)
	if errors.Is(err, ErrDamaged) {
		s.log.Error("read an index of footage; it is made again", "index", indexName(p, day), "error", err)
		s.forgotten++
		x, err = &index{dirty: true}, nil
	}
	if err != nil {
		return err
	}
	x.made = true
	sh := s.shelf(p)
	sh.days[day] = x
	slices.Sort(segments)
	for _, e := range slices.Clone(x.entries) {
		i, there := slices.BinarySearch(segments, e.first)
		removed, err := s.agree(sh, x, e, day, there)
		if err != nil {
			return err
		}
		if removed {
			segments = slices.Delete(segments, i, i+1)
		}
	}
	for _, first := range segments {
		if x.find(first) == nil {
			if err := s.adopt(sh, x, day, first); err != nil {
				return err
			}
		}
		sh.next = max(sh.next, first+1)
	}
	for _, e := range x.entries {
		s.bytes += e.bytes
		sh.next = max(sh.next, e.first+uint64(e.groups))
	}
	return nil
}

// readIndex reads the index of a day; one that is not there is empty.
func (s *Store) readIndex(p place, day latchkey.Day) (*index, error) {
	name := indexName(p, day)
	info, err := s.fs.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &index{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if info.Size() > maxIndex {
		return nil, fmt.Errorf("%w: an index of %d bytes", ErrDamaged, info.Size())
	}
	b, err := durable.ReadBytes(s.fs, name, maxIndex)
	if err != nil {
		return nil, err
	}
	return openIndex(s.key, s.home, p, day, b)
}

// agree makes an entry and what the disk has of it agree, and says whether it has
// removed the segment.
func (s *Store) agree(sh *shelf, x *index, e *entry, day latchkey.Day, there bool) (removed bool, err error) {
	name := segmentName(sh.place, day, e.first)
	switch {
	case e.state == going && there:
		err := durable.Remove(s.fs, name)
		if readOnly(err) {
			return false, nil // and it goes on going
		}
		if err != nil {
			return false, err
		}
		removed = true
	case e.state == going:
	case !there:
		s.log.Error("footage is gone", "segment", name)
		sh.lost(e, Damaged)
	default:
		return false, nil
	}
	x.drop(e)
	x.dirty = true
	s.repaired++
	return removed, nil
}

// lost notes that what an entry has is no more. Its caller holds the store's mu, or is
// alone.
func (sh *shelf) lost(e *entry, why Reason) {
	for _, span := range e.spans {
		span.days(func(d latchkey.Day, part Span) { sh.day(d).add(gap{part, why, 0}) })
	}
}

// adopt makes the entry of a segment that the index does not know: the last one before a
// crash, or all if the index is lost.
func (s *Store) adopt(sh *shelf, x *index, day latchkey.Day, first uint64) error {
	x.dirty = true
	s.repaired++
	b := binding{home: s.home, camera: sh.camera, track: sh.track, day: day, first: first}
	g, f, size, err := s.openSegment(b)
	if errors.Is(err, ErrDamaged) {
		info, e := s.fs.Stat(segmentName(sh.place, day, first))
		if e != nil {
			return e
		}
		s.log.Error("a segment of footage does not open", "segment", segmentName(sh.place, day, first), "error", err)
		x.insert(&entry{first: first, bytes: info.Size(), state: shut})
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close() // read only
	all, ended, err := g.locate(f, size)
	if err == nil && !ended {
		all, err = g.verified(f, all)
	}
	if err != nil {
		return err
	}
	if len(all) == 0 {
		if err := s.fs.Remove(segmentName(sh.place, day, first)); err != nil && !readOnly(err) {
			return err
		}
		return nil
	}
	e := &entry{first: first, bytes: size, state: whole}
	for n, l := range all {
		if n > 0 && l.i > e.groups {
			x.add(gap{Span{all[n-1].head.span().Until, l.head.start.Wall}.within(daySpan(day)), Damaged, 0})
		}
		e.groups = l.i + 1
		e.spans = cover(e.spans, l.head.span(), tolerance)
		x.move(day, l.head.span(), l.head.motion)
	}
	x.insert(e)
	return nil
}

// verified leaves out what stands at the end of a segment that was not ended, if its
// body does not open: it was being written when the power went.
func (g *segment) verified(f durable.File, all []located) ([]located, error) {
	for len(all) > 0 {
		_, err := g.read(f, all[len(all)-1])
		if !errors.Is(err, ErrDamaged) {
			return all, err
		}
		all = all[:len(all)-1]
	}
	return all, nil
}

// read reads the content of a group.
func (g *segment) read(f durable.File, l located) ([]byte, error) {
	body, err := readAt(f, l.at+int64(beforeBody), int(l.head.body))
	if err != nil {
		return nil, err
	}
	return g.openBody(l.i, l.head, body)
}
