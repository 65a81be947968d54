package footage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/crash"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
)

// atOnce is how much more is removed at most than must be, so that a disk that is always
// full is not asked for room before every group.
const atOnce = 64 << 20

// victim is a segment that may be removed, or is to be.
type victim struct {
	shelf *shelf
	day   latchkey.Day
	x     *index
	entry *entry
	why   Reason
}

// rank is the order of eviction, docs/footage.md, "What is kept, and what goes first".
func (v victim) rank() int {
	switch {
	case v.entry.state == shut:
		return 0
	case v.shelf.track != Still:
		return 1
	}
	return 2
}

func compareVictims(a, b victim) int {
	return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.entry.span().From, b.entry.span().From), cmp.Compare(a.day, b.day),
		slices.Compare(a.shelf.camera[:], b.shelf.camera[:]), cmp.Compare(a.shelf.track, b.shelf.track), cmp.Compare(a.entry.first, b.entry.first))
}

// Sweep removes what is older than is kept, and makes room. An agent calls it once a
// minute; writers make room by themselves.
func (s *Store) Sweep(ctx context.Context) error {
	s.making.Lock()
	defer s.making.Unlock()
	if err := s.expire(ctx); err != nil {
		return fmt.Errorf("remove footage that is too old: %w", err)
	}
	if err := s.evict(ctx, 0); err != nil {
		return fmt.Errorf("make room for footage: %w", err)
	}
	return nil
}

// makeRoom makes room if there is none, or in any case for so many bytes more than the
// bounds say, and says whether there is now.
func (s *Store) makeRoom(more int64) error {
	s.making.Lock()
	defer s.making.Unlock()
	return s.evict(context.Background(), more)
}

// cram makes room for so many bytes on a disk that says it is full, and tries again. If
// that did not help it is not done again before something was written: a disk that is
// full of something else must not cost all footage, for nothing.
func (s *Store) cram(full error, bytes int64, again func() error) error {
	s.mu.Lock()
	vain := s.vain
	s.mu.Unlock()
	if vain {
		return full
	}
	err := s.makeRoom(bytes)
	if err == nil {
		err = again()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.vain = durable.Full(err)
	return err
}

// short is how many bytes must go, and which bound says so.
func (s *Store) short() (int64, error) {
	s.mu.Lock()
	keep, held := s.keep, s.bytes
	s.mu.Unlock()
	if s.free != nil {
		free, err := s.free()
		if err != nil {
			return 0, fmt.Errorf("ask for the free room on the disk: %w", err)
		}
		if free < keep.Free {
			return keep.Free - free, fmt.Errorf("%w: %d MiB are free, and %d MiB stay free", ErrDiskFull, free>>20, keep.Free>>20)
		}
	}
	if keep.Bytes > 0 && held >= keep.Bytes {
		return held - keep.Bytes + 1, fmt.Errorf("%w: %d of %d MiB", ErrFull, held>>20, keep.Bytes>>20)
	}
	return 0, nil
}

// evict removes segments until there is room for so many bytes more than the bounds say,
// in their order.
func (s *Store) evict(ctx context.Context, more int64) error {
	need, why := s.short()
	if need == 0 && why == nil && more > 0 {
		why = fmt.Errorf("%w: it takes no more", ErrDiskFull)
	}
	if need += more; need == 0 {
		return why
	}
	s.mu.Lock()
	slack := min(atOnce, s.bytes/64)
	all := s.removable()
	s.mu.Unlock()
	slices.SortFunc(all, compareVictims)
	n, sum := 0, int64(0)
	for ; n < len(all) && sum < need+slack; n++ {
		sum += all[n].entry.bytes
	}
	if err := s.remove(ctx, all[:n]); err != nil {
		return err
	}
	s.mu.Lock()
	for _, v := range all[:n] {
		if v.entry.state != shut {
			s.evicted++
		}
	}
	s.mu.Unlock()
	if sum < need {
		return why
	}
	return nil
}

// removable returns all segments that may be removed. Its caller holds mu.
func (s *Store) removable() []victim {
	var all []victim
	for _, sh := range s.shelves {
		for d, x := range sh.days {
			for _, e := range x.entries {
				if e.state == growing || e.state == going || s.isSaved(sh.camera, e) {
					continue
				}
				all = append(all, victim{sh, d, x, e, Evicted})
			}
		}
	}
	return all
}

// expire removes what is older than is kept, if the clock can be believed.
func (s *Store) expire(ctx context.Context) error {
	now := s.clock.Now()
	if now.Quality != sealed.TimeSynchronised {
		return nil
	}
	s.mu.Lock()
	oldest := latchkey.TimeOf(now.Wall.Time().AddDate(0, 0, -s.keep.Days)).Day()
	var old []victim
	for _, v := range s.removable() {
		if v.day < oldest {
			v.why = Expired
			old = append(old, v)
		}
	}
	s.mu.Unlock()
	if err := s.remove(ctx, old); err != nil {
		return err
	}
	return s.forget(oldest)
}

// forget removes the indexes of days before oldest of which nothing is left.
func (s *Store) forget(oldest latchkey.Day) error {
	type empty struct {
		sh  *shelf
		day latchkey.Day
	}
	var all []empty
	s.mu.Lock()
	for _, sh := range s.shelves {
		for d, x := range sh.days {
			if d < oldest && len(x.entries) == 0 {
				all = append(all, empty{sh, d})
				delete(sh.days, d)
			}
		}
	}
	s.mu.Unlock()
	for _, o := range all {
		o.sh.hand.Lock()
		err := ignoreMissing(s.fs.Remove(indexName(o.sh.place, o.day)))
		_ = s.fs.Remove(dirName(o.sh.place, o.day)) // which fails while there is something in it
		_ = s.fs.Remove(string(o.day))
		o.sh.hand.Unlock()
		if err != nil {
			return fmt.Errorf("remove index of %s: %w", o.day, err)
		}
	}
	return nil
}

// remove removes segments: first the disk is told why, then they go.
func (s *Store) remove(ctx context.Context, all []victim) error {
	by := map[*shelf][]victim{}
	for _, v := range all {
		by[v.shelf] = append(by[v.shelf], v)
	}
	for sh, some := range by {
		if err := errors.Join(ctx.Err(), s.removeFrom(sh, some)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) removeFrom(sh *shelf, all []victim) error {
	sh.hand.Lock()
	defer sh.hand.Unlock()
	s.mu.Lock()
	was := make([]state, len(all))
	for i, v := range all {
		was[i] = v.entry.state
		sh.lost(v.entry, v.why)
		v.entry.state, v.x.dirty = going, true
	}
	s.mu.Unlock()
	// A disk that is full to the last byte takes no index; what is missing says it then.
	if err := s.noteInHand(sh); err != nil && !durable.Full(err) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, v := range all {
			v.entry.state = was[i]
		}
		return err
	}
	crash.Point("footage.going")
	dirs := map[string]bool{}
	for i, v := range all {
		err := ignoreMissing(s.fs.Remove(segmentName(sh.place, v.day, v.entry.first)))
		s.mu.Lock()
		if err != nil {
			v.entry.state = was[i]
		} else {
			v.x.drop(v.entry)
			s.bytes -= v.entry.bytes
			v.entry.state = was[i] // for who counts
			dirs[dirName(sh.place, v.day)] = true
		}
		v.x.dirty = true
		s.mu.Unlock()
		if err != nil {
			return err
		}
		crash.Point("footage.removed")
	}
	for dir := range dirs { // before an index forgets that they were going
		if err := durable.SyncDir(s.fs, dir); err != nil {
			return err
		}
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
