package footage

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

// savedName is the file of a saved span. The name is all: no flipped byte in a file can
// make the store forget that something is saved.
func savedName(camera latchkey.CameraID, span Span) string {
	return path.Join(savedDir, fmt.Sprintf("%s-%d-%d", camera, span.From, span.Until))
}

// parseSavedName is the inverse of [savedName]; it takes no other spelling.
func parseSavedName(name string) (camera latchkey.CameraID, span Span, ok bool) {
	parts := strings.Split(name, "-")
	if len(parts) != 3 {
		return camera, span, false
	}
	camera, err := latchkey.ParseCameraID(parts[0])
	from, e1 := strconv.ParseUint(parts[1], 10, 64)
	until, e2 := strconv.ParseUint(parts[2], 10, 64)
	span = Span{latchkey.Time(from), latchkey.Time(until)}
	ok = err == nil && e1 == nil && e2 == nil && until <= latchkey.MaxInt && !span.empty() && path.Base(savedName(camera, span)) == name
	return camera, span, ok
}

func (s *Store) loadSaved() error {
	if err := durable.Sweep(s.fs, savedDir); err != nil && !readOnly(err) {
		return ignoreMissing(err)
	}
	files, err := durable.List(s.fs, savedDir)
	if err != nil {
		return ignoreMissing(err)
	}
	for _, f := range files {
		if camera, span, ok := parseSavedName(f.Name()); ok {
			s.saved[camera] = append(s.saved[camera], span)
		}
	}
	return nil
}

// isSaved says whether a segment has something of a saved span. Its caller holds mu.
func (s *Store) isSaved(camera latchkey.CameraID, e *entry) bool {
	return slices.ContainsFunc(s.saved[camera], e.overlaps)
}

// Save has a span of a camera kept until [Store.Unsave], in all its tracks, by whole
// segments. When it returns that survives a power cut. What is saved already may be saved
// again.
func (s *Store) Save(camera latchkey.CameraID, span Span) error {
	if span.empty() || span.Until > latchkey.MaxInt {
		return errors.New("save footage: the span has no length")
	}
	s.making.Lock() // nothing of it is on its way out meanwhile
	defer s.making.Unlock()
	s.mu.Lock()
	there := slices.Contains(s.saved[camera], span)
	s.mu.Unlock()
	if there {
		return nil
	}
	err := durable.MkdirAll(s.fs, savedDir)
	if err == nil {
		err = durable.WriteBytes(s.fs, savedName(camera, span), []byte("saved\n"))
	}
	if err != nil {
		return fmt.Errorf("save footage: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved[camera] = append(s.saved[camera], span)
	return nil
}

// Unsave ends what [Store.Save] began for exactly that span. What other spans save is
// still saved.
func (s *Store) Unsave(camera latchkey.CameraID, span Span) error {
	s.making.Lock()
	defer s.making.Unlock()
	return s.unsave(camera, span)
}

func (s *Store) unsave(camera latchkey.CameraID, span Span) error {
	if err := ignoreMissing(durable.Remove(s.fs, savedName(camera, span))); err != nil {
		return fmt.Errorf("unsave footage: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved[camera] = slices.DeleteFunc(s.saved[camera], func(o Span) bool { return o == span })
	return nil
}

// Saved returns the spans of a camera that are saved, in their order.
func (s *Store) Saved(camera latchkey.CameraID) []Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.saved[camera])
	slices.SortFunc(all, func(a, b Span) int {
		return slices.Compare([]latchkey.Time{a.From, a.Until}, []latchkey.Time{b.From, b.Until})
	})
	return all
}

// Holds says whether there is something that [Store.Delete] of that span would remove.
func (s *Store) Holds(camera latchkey.CameraID, span Span) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, track := range []Track{Main, Sub, Still} {
		sh := s.shelves[place{camera, track}]
		if sh == nil {
			continue
		}
		for d, x := range sh.days {
			if slices.ContainsFunc(x.entries, func(e *entry) bool { return e.within(d, span) }) {
				return true
			}
		}
	}
	return false
}

// within says whether a segment of that day goes with a span: what does not open, and
// so does not say when it is of, goes with anything of its day.
func (e *entry) within(d latchkey.Day, span Span) bool {
	return e.overlaps(span) || e.state == shut && !span.within(daySpan(d)).empty()
}

// Delete removes whatever a camera recorded in a span, saved or not, in all its tracks,
// by whole segments: it deletes up to ten minutes more on either side, and of the
// filmstrip an hour, rather than leave something. What is being recorded ends first. When it
// returns the files are gone.
func (s *Store) Delete(ctx context.Context, camera latchkey.CameraID, span Span) error {
	for _, track := range []Track{Main, Sub, Still} {
		if err := s.deleteFrom(ctx, place{camera, track}, span); err != nil {
			return fmt.Errorf("delete footage: %w", err)
		}
	}
	s.making.Lock()
	defer s.making.Unlock()
	for _, saved := range s.Saved(camera) {
		if saved.overlaps(span) {
			if err := s.unsave(camera, saved); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) deleteFrom(ctx context.Context, p place, span Span) error {
	s.mu.Lock()
	sh := s.shelves[p]
	var w *Writer
	if sh != nil {
		w = sh.writer
	}
	if w != nil {
		w.drop(span)
		w.cut = true
		w.stir()
	}
	s.mu.Unlock()
	if sh == nil {
		return nil
	}
	if w != nil {
		if err := w.until(ctx, func() bool { return !w.cut && w.busy.IsZero() || sh.writer != w }); err != nil {
			return err
		}
	}
	s.making.Lock()
	defer s.making.Unlock()
	s.mu.Lock()
	var all []victim
	for d, x := range sh.days {
		for _, e := range x.entries {
			if e.within(d, span) && e.state != growing {
				all = append(all, victim{sh, d, x, e, Deleted})
			}
		}
		x.still(d, span)
	}
	s.mu.Unlock()
	return s.remove(ctx, all)
}

// still forgets what moved in a span of the day.
func (x *index) still(day latchkey.Day, span Span) {
	span = span.within(daySpan(day))
	if x.motion == nil || span.empty() {
		return
	}
	x.dirty = true
	clear(x.motion[minuteOf(day, span.From) : minuteOf(day, span.Until-1)+1])
}
