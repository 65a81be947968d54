package footage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/internal/crash"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

const (
	// queueBytes is how much of one track waits in memory for the disk: half a minute
	// of a camera of 4 Mbit/s, which is longer than a disk takes that wakes up.
	queueBytes = 16 << 20
	queueCount = 1024

	// retry is how long a disk that took nothing is left alone.
	retry = 5 * time.Second

	// forTheRest is how much room a group needs beside its own bytes: for its index, and
	// the blocks of directories.
	forTheRest = 64 << 10

	// noteEvery is how often a gap that goes on is noted again.
	noteEvery = 10 * time.Minute

	// segmentTime and filmstripTime are how long a segment lasts.
	segmentTime, filmstripTime = 10 * time.Minute, time.Hour

	// step is how far wall and monotonic time may disagree between two groups before
	// the clock was set (docs/time.md).
	step = 2 * time.Second
)

// Writer records one track of one camera. There is one at a time. Its methods may be
// called by several goroutines; groups are in the order of their calls.
type Writer struct {
	store *Store
	shelf *shelf
	wake  chan struct{}
	done  chan struct{}

	// The store's mu protects these.
	queue  []Group
	queued int           // bytes
	busy   time.Time     // since when the disk has been asked; zero if it is not
	gap    *gap          // the one that goes on, nil if pictures come
	last   *clock.Moment // when the group before ended
	cut    bool          // the segment is to end
	closed bool
	turn   chan struct{} // closed when the disk was done with something

	// These are the goroutine's own.
	segment *segment
	file    durable.File
	entry   *entry
	failed  error     // what was wrong when the disk last took nothing
	again   time.Time // when it is tried again

	unnoted   error     // why the index could not be written
	noteAgain time.Time // when that is tried again
}

// Writer begins to record a track. Until the first group comes, or [Writer.Gap] says
// otherwise, its camera counts as offline.
func (s *Store) Writer(camera latchkey.CameraID, track Track) (*Writer, error) {
	if trackNames[track] == "" {
		return nil, fmt.Errorf("record %s: there is no such track", track)
	}
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.shelf(place{camera, track})
	if s.closed {
		return nil, fmt.Errorf("record %s: %w", track, ErrClosed)
	}
	if sh.writer != nil {
		return nil, fmt.Errorf("record %s of camera %s: it is being recorded already", track, camera)
	}
	w := &Writer{
		store: s, shelf: sh, wake: make(chan struct{}, 1), done: make(chan struct{}), turn: make(chan struct{}),
		gap: &gap{Span: Span{From: now.Wall}, reason: Offline},
	}
	sh.writer = w
	go w.run()
	return w, nil
}

// Append takes a group, whose bytes are the writer's from then on. It never waits: if
// too much waits for the disk already the group is lost, and the error is
// [ErrBehind]. What happens to one that was taken the store's status says, and its
// timeline.
func (w *Writer) Append(group Group) error {
	s := w.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	var err error
	switch {
	case group.Start.Wall > latchkey.MaxInt || group.Start.Monotonic > latchkey.MaxInt:
		return fmt.Errorf("append a group of year %d: %w", group.Start.Wall.Time().Year(), ErrTooLarge)
	case len(group.Content) > maxContent || group.Duration < time.Microsecond || group.Duration > maxDuration:
		err = fmt.Errorf("append %d bytes of %v: %w", len(group.Content), group.Duration, ErrTooLarge)
		group.Duration = min(max(group.Duration, 0), maxDuration)
	case len(w.queue) > 0 && w.queued+len(group.Content) > queueBytes || len(w.queue) >= queueCount:
		s.behind = time.Now()
		err = fmt.Errorf("append to %d bytes that wait: %w", w.queued, ErrBehind)
	}
	w.bridge(group)
	if err != nil {
		s.lose(w.shelf, group.span(), 1, err)
		return err
	}
	w.queue = append(w.queue, group)
	w.queued += len(group.Content)
	w.stir()
	return nil
}

// bridge ends the gap that goes on when a group comes, and says why there is one if
// nobody has. Its caller holds the store's mu.
func (w *Writer) bridge(group Group) {
	w.endGap(group.Start.Wall)
	if w.last != nil && group.Start.Wall > w.last.Wall+tolerance {
		reason := Offline
		if jumped(*w.last, group.Start) {
			reason = ClockSet
		}
		w.shelf.pending.add(gap{Span{w.last.Wall, group.Start.Wall}, reason, 0})
	}
	w.last = &clock.Moment{Wall: group.span().Until, Monotonic: group.Start.Monotonic + uint64(group.Duration.Microseconds())}
}

// jumped says whether wall and monotonic time disagree about how long b is after a.
func jumped(a, b clock.Moment) bool {
	wall := time.Duration(int64(b.Wall)-int64(a.Wall)) * time.Microsecond
	return (wall - b.Sub(a)).Abs() > step
}

func (w *Writer) endGap(at latchkey.Time) {
	if w.gap != nil && w.gap.From < at {
		w.gap.Until = at
		w.shelf.pending.add(*w.gap)
	}
	w.gap = nil
}

// Gap says why no groups come from now on, until one does: the camera is [Offline], or
// [Off]. Why the store does not keep what comes it knows itself.
func (w *Writer) Gap(why Reason) {
	if why != Off {
		why = Offline
	}
	now := w.store.clock.Now().Wall
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	from := now
	switch {
	case w.gap != nil && w.gap.reason == why || w.closed:
		return
	case w.gap == nil && w.last != nil:
		from = min(now, w.last.Wall)
	}
	w.endGap(now)
	w.gap, w.last = &gap{Span: Span{From: from}, reason: why}, nil
	w.stir()
}

// Missed notes so many groups that came before the store could be opened, and why it could
// not be.
func (w *Writer) Missed(span Span, groups uint32, why error) {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	w.store.lose(w.shelf, span, groups, why)
	w.stir()
}

// Wait returns when everything that was appended before is on the disk, or counted as
// lost.
func (w *Writer) Wait(ctx context.Context) error {
	return w.until(ctx, func() bool { return len(w.queue) == 0 && w.busy.IsZero() })
}

// until waits for something that holds between two turns of the disk.
func (w *Writer) until(ctx context.Context, holds func() bool) error {
	for {
		w.store.mu.Lock()
		turn, ok := w.turn, holds()
		w.store.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-turn:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close writes what waits, ends the segment, and returns when that is done. The track
// can then be recorded by another writer.
func (w *Writer) Close() error {
	w.store.mu.Lock()
	w.closed = true
	w.stir()
	w.store.mu.Unlock()
	<-w.done
	return nil
}

// drop forgets what waits of a span. Its caller holds the store's mu.
func (w *Writer) drop(span Span) {
	w.queue = slices.DeleteFunc(w.queue, func(g Group) bool {
		gone := g.span().overlaps(span)
		if gone {
			w.queued -= len(g.Content)
			w.shelf.pending.add(gap{g.span(), Deleted, 0})
		}
		return gone
	})
}

func (w *Writer) stir() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run is the writer's goroutine: the only one that writes the track's segments.
func (w *Writer) run() {
	defer close(w.done)
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		group, ok, cut, closed := w.take()
		if cut || !ok && closed {
			w.end()
		}
		if ok {
			w.keep(group)
		} else {
			w.note()
		}
		w.finish(closed && !ok)
		switch {
		case ok:
		case closed:
			return
		default:
			select {
			case <-w.wake:
			case <-tick.C:
			}
		}
	}
}

// take returns the next group to write, if there is one.
func (w *Writer) take() (group Group, ok, cut, closed bool) {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	w.busy = time.Now()
	cut, w.cut = w.cut, false
	if ok = len(w.queue) > 0; ok {
		group = w.queue[0]
		w.queue[0] = Group{} // the slice's memory lives on; what it held must not
		w.queue = w.queue[1:]
		w.queued -= len(group.Content)
	}
	return group, ok, cut, w.closed
}

// finish says that the disk was done with something.
func (w *Writer) finish(last bool) {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	w.busy = time.Time{}
	if last {
		w.shelf.writer = nil
	}
	close(w.turn)
	w.turn = make(chan struct{})
}

// note brings the shelf's index to the disk. If that fails it is done another time: it
// can be made again from the segments.
func (w *Writer) note() {
	now := w.store.clock.Now().Wall
	w.store.mu.Lock()
	closed := w.closed
	if closed {
		w.endGap(now)
	}
	w.store.mu.Unlock()
	if !closed && w.unnoted != nil && time.Now().Before(w.noteAgain) {
		return
	}
	err := w.store.note(w.shelf)
	if err != nil && w.unnoted == nil {
		w.store.log.Warn("note what was recorded", "camera", w.shelf.camera.String(), "track", w.shelf.track.String(), "error", err)
	}
	w.unnoted, w.noteAgain = err, time.Now().Add(retry)
}

// keep writes a group, or loses it.
func (w *Writer) keep(group Group) {
	err := w.failed
	if err == nil || time.Now().After(w.again) {
		err = w.write(group)
		if durable.Full(err) || errors.Is(err, ErrFull) || errors.Is(err, ErrDiskFull) {
			w.leave() // what is being written may be all that can go
			err = w.store.cram(err, int64(len(group.Content))+forTheRest, func() error { return w.write(group) })
		}
		if !errors.Is(err, ErrTooLarge) { // which says nothing about the disk
			w.failed, w.again = err, time.Now().Add(retry)
			w.store.judge(err)
		}
	}
	if err == nil {
		return
	}
	w.leave()
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	w.store.lose(w.shelf, group.span(), 1, err)
}

// lose counts groups that were not kept. Its caller holds mu.
func (s *Store) lose(sh *shelf, span Span, groups uint32, err error) {
	s.lost += uint64(groups)
	sh.pending.add(gap{span, reasonOf(err), groups})
}

func (w *Writer) write(group Group) error {
	if err := w.store.makeRoom(0); err != nil {
		return err
	}
	if w.segment != nil && w.over(group) {
		w.end()
	}
	if w.segment == nil {
		if err := w.begin(group); err != nil {
			return err
		}
	}
	return w.add(group)
}

// over says whether a group belongs into a segment of its own.
func (w *Writer) over(group Group) bool {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	heads := w.entry.heads
	lasts := segmentTime
	if w.segment.track == Still {
		lasts = filmstripTime
	}
	before := heads[len(heads)-1].start
	return group.Start.Wall.Day() != w.segment.day || group.Coding != w.segment.coding && group.Coding != nil ||
		group.Start.Sub(heads[0].start) >= lasts && group.Key || len(heads) >= maxGroups || w.entry.bytes >= maxSegment ||
		group.Start.Wall < before.Wall || jumped(before, group.Start)
}

// begin begins a segment with the group that is to be its first.
func (w *Writer) begin(group Group) error {
	s, sh, day := w.store, w.shelf, group.Start.Wall.Day()
	sh.hand.Lock()
	defer sh.hand.Unlock()
	s.mu.Lock()
	x, first := sh.day(day), sh.next
	s.mu.Unlock()
	name := segmentName(sh.place, day, first)
	if _, err := s.fs.Stat(name); err == nil { // one that could not be removed
		s.mu.Lock()
		sh.next++
		s.mu.Unlock()
		return fmt.Errorf("begin %s: %w", name, fs.ErrExist)
	}
	g, beginning, err := newSegment(s.key, binding{s.home, sh.camera, sh.track, day, s.clock.Boot(), first}, group.Coding)
	if err != nil {
		return err
	}
	if err := s.put(sh, day, x, name, beginning); err != nil {
		return err
	}
	crash.Point("footage.begun")
	file, err := s.fs.OpenFile(name, os.O_RDWR)
	if err != nil {
		return fmt.Errorf("begin %s: %w", name, err)
	}
	if _, err := file.Seek(0, io.SeekEnd); err != nil {
		return errors.Join(fmt.Errorf("begin %s: %w", name, err), file.Close())
	}
	w.segment, w.file = g, file
	w.entry = &entry{first: first, bytes: g.start, state: growing}
	s.mu.Lock()
	defer s.mu.Unlock()
	x.insert(w.entry)
	s.bytes += g.start
	return nil
}

// add writes a group behind the last one, and returns when it is on the disk.
func (w *Writer) add(group Group) error {
	s, h, i := w.store, headOf(group), w.entry.groups
	before, body, err := w.segment.sealGroup(i, h, group.Content)
	if err != nil {
		return err
	}
	_, err = w.file.Write(before)
	if err == nil {
		_, err = w.file.Write(body)
	}
	if err == nil {
		crash.Point("footage.written")
		err = w.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("write group %d: %w", w.segment.first+uint64(i), err)
	}
	crash.Point("footage.synced")
	s.mu.Lock()
	defer s.mu.Unlock()
	e := w.entry
	e.heads = append(e.heads, h)
	e.groups++
	e.bytes += h.size()
	e.spans = cover(e.spans, h.span(), tolerance)
	s.bytes += h.size()
	w.shelf.next = e.first + uint64(e.groups)
	w.shelf.days[w.segment.day].move(w.segment.day, h.span(), h.motion)
	return nil
}

// end ends the segment with its contents. Whatever goes wrong now, its groups are
// there.
func (w *Writer) end() {
	if w.segment == nil {
		return
	}
	s := w.store
	s.mu.Lock()
	heads := w.entry.heads
	s.mu.Unlock()
	contents, err := w.segment.sealContents(heads)
	if err == nil {
		_, err = w.file.Write(contents)
	}
	if err == nil {
		err = w.file.Sync()
	}
	if err != nil {
		s.log.Warn("end a segment", "segment", segmentName(w.shelf.place, w.segment.day, w.segment.first), "error", err)
	} else {
		s.mu.Lock()
		w.entry.bytes += int64(len(contents))
		s.bytes += int64(len(contents))
		s.mu.Unlock()
	}
	crash.Point("footage.ended")
	w.leave()
	w.note()
}

// leave closes the segment as it is.
func (w *Writer) leave() {
	if w.segment == nil {
		return
	}
	s, name := w.store, segmentName(w.shelf.place, w.segment.day, w.segment.first)
	if err := w.file.Close(); err != nil {
		s.log.Warn("close a segment", "segment", name, "error", err)
	}
	s.mu.Lock()
	x, e := w.shelf.days[w.segment.day], w.entry
	e.state, e.heads, x.dirty = whole, nil, true
	empty := e.groups == 0
	if empty {
		x.drop(e)
		s.bytes -= e.bytes
	}
	s.mu.Unlock()
	w.segment, w.file, w.entry = nil, nil, nil
	if empty {
		_ = s.fs.Remove(name) // if not now, then at the next start
	}
}
