package agent

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/media"
	"github.com/latchkey-cam/latchkey/motion"
)

const (
	// A group that has no end is cut: footage takes none that is longer or larger.
	tapeLongest = 30 * media.Rate
	tapeLargest = 12 << 20

	// tapeDrift is how far the axis of what is recorded may be from the clock. From there
	// on it begins anew, which a player sees as a hole of that length.
	tapeDrift = media.Rate / 10

	// stillEvery is how often a filmstrip has a still, and stillLasts for how long one
	// stands: until the next one, of a camera with a key frame every five seconds.
	stillEvery, stillLasts = 10 * time.Second, 15 * time.Second
)

// tapes are the recordings of one camera.
type tapes struct {
	archive   *archive
	camera    latchkey.CameraID
	main, sub tape
	strip     tape // the filmstrip

	mu     sync.Mutex // protects what follows
	wanted time.Time  // when the next still is due
}

// tape makes groups of one stream's units and has them kept. Nothing here waits for the
// disk.
type tape struct {
	tapes *tapes
	track footage.Track

	mu        sync.Mutex      // protects what follows
	writer    *footage.Writer // nil while there is no store
	ended     bool            // nothing is recorded any more
	units     []media.Unit    // of the group that is coming in
	bytes     int
	moved     float64 // the most since the last group
	recording *media.Recording
	coding    *footage.Coding
	offset    media.Ticks // of the axis
	placed    bool        // the offset is known
	missed    []missed    // what came while there was no store
}

// missed is groups that came one after the other while the store could not be opened.
type missed struct {
	footage.Span
	groups uint32
	why    error
}

// mostMissed is how many of them are told apart: that often the reason has changed.
const mostMissed = 100

// tapesOf returns the tapes of a camera, and makes them.
func (f *archive) tapesOf(id latchkey.CameraID) *tapes {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.tapes[id]
	if t == nil {
		t = &tapes{archive: f, camera: id}
		t.main, t.sub, t.strip = tape{tapes: t, track: footage.Main}, tape{tapes: t, track: footage.Sub}, tape{tapes: t, track: footage.Still}
		f.tapes[id] = t
	}
	return t
}

// drop ends the tapes of a camera that this agent records no more.
func (f *archive) drop(id latchkey.CameraID) {
	f.mu.Lock()
	t := f.tapes[id]
	delete(f.tapes, id)
	f.mu.Unlock()
	if t != nil {
		for _, one := range t.all() {
			one.end()
		}
	}
}

// forget drops what is coming in on the tapes of those cameras.
func (f *archive) forget(of func(latchkey.CameraID) bool) {
	for _, t := range f.tapesThat(of) {
		t.mu.Lock()
		t.units, t.bytes = nil, 0
		t.mu.Unlock()
	}
}

// tapesThat are the tapes of those cameras. A tape's lock is taken before the archive's, and
// so never here.
func (f *archive) tapesThat(of func(latchkey.CameraID) bool) (all []*tape) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, t := range f.tapes {
		if of(id) {
			all = append(all, t.all()...)
		}
	}
	return all
}

func (t *tapes) all() []*tape { return []*tape{&t.main, &t.sub, &t.strip} }

// connect has an event's watcher record, beside what it does with the units already.
func (t *tapes) connect(c *event.Config) {
	main, sub := c.OnMain, c.OnSub
	c.OnMain = func(u media.Unit) {
		main(u)
		t.main.take(u)
		if c.Sub == "" {
			t.still(u)
		}
	}
	c.OnSub = func(u media.Unit) {
		sub(u)
		t.sub.take(u)
		t.still(u)
	}
	c.OnMotion = func(a motion.Activity) {
		if a.Moving {
			t.main.move(a.Score)
			t.sub.move(a.Score)
		}
	}
}

// heard takes what the watcher says of its streams: one that does not come is a gap.
func (t *tapes) heard(s event.Status) {
	if s.Main.State != camera.Receiving {
		t.main.stop(footage.Offline)
	}
	if s.Sub.State != camera.Receiving && s.Sub.State != "" {
		t.sub.stop(footage.Offline)
	}
}

// stop says that nothing comes of a camera, and why.
func (t *tapes) stop(c Camera, why footage.Reason) {
	t.main.stop(why)
	if c.Sub != "" {
		t.sub.stop(why)
	}
}

// still has a still made now and then.
func (t *tapes) still(u media.Unit) {
	if !u.Key {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if u.Received.Before(t.wanted) {
		return
	}
	select {
	case t.archive.stills <- stripShot{t, u}:
		t.wanted = u.Received.Add(stillEvery)
	default: // another camera's is being made; the next key picture asks again
	}
}

// stripShot is a key picture that a still is made of.
type stripShot struct {
	of *tapes
	media.Unit
}

// makeStills makes stills one after the other, so that they never take more than one
// core, until ctx ends.
func (f *archive) makeStills(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-f.stills:
			picture, err := camera.Still(ctx, "", []media.Unit{s.Unit})
			if err != nil {
				if ctx.Err() == nil {
					f.agent.log.Warn("a filmstrip lacks a still", "camera", s.of.camera.String(), "error", err)
				}
				continue
			}
			s.of.strip.keep(footage.Group{Start: f.agent.clock.At(s.Taken), Duration: stillLasts, Key: true, Content: picture})
		}
	}
}

// move notes that something moves.
func (t *tape) move(score float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.moved = max(t.moved, score)
}

// take takes the next unit of the stream.
func (t *tape) take(u media.Unit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.units); n > 0 {
		first := t.units[0]
		switch {
		case u.Break || u.Parameters != first.Parameters && !u.Parameters.Equal(first.Parameters):
			t.finish(0)
			t.placed = t.placed && !u.Break
		case u.Key, u.PTS-first.PTS >= tapeLongest && u.PTS > t.units[n-1].PTS, t.bytes+u.Size() > tapeLargest && u.PTS > t.units[n-1].PTS:
			t.finish(u.PTS)
		}
	}
	if len(t.units) == 0 && !u.Key && t.recording == nil {
		return // there is nothing to go on from
	}
	t.units = append(t.units, u)
	t.bytes += u.Size()
}

// stop ends the group that is coming in, and says why no other does.
func (t *tape) stop(why footage.Reason) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.finish(0)
	t.placed = false
	if w := t.open(); w != nil {
		w.Gap(why)
	}
}

// finish has the group kept that has come in. What follows begins at next, 0 if nobody
// knows. Its caller holds the lock.
func (t *tape) finish(next media.Ticks) {
	units := t.units
	t.units, t.bytes = nil, 0
	if len(units) == 0 {
		return
	}
	g := media.Group{Units: units, End: next}
	if t.recording == nil || !t.recording.Fits(g) {
		t.recording, t.placed = media.NewRecording(g), false
		t.coding = &footage.Coding{Type: t.recording.Type(), Init: t.recording.Init()}
	}
	start := t.tapes.archive.agent.clock.At(g.Start())
	t.place(g, start)
	moved := t.moved
	t.moved = 0
	t.keepLocked(footage.Group{
		Start: start, Duration: min(media.Length(g).Duration(), time.Minute), Key: units[0].Key, Motion: motionByte(moved),
		Coding: t.coding, Content: t.recording.Add(g, t.offset),
	})
}

// place has the axis of what is recorded agree with the clock, to within a tenth of a
// second: a player then finds each group where its time is.
func (t *tape) place(g media.Group, start clock.Moment) {
	want := media.TicksOf(time.Duration(start.Wall)*time.Microsecond) - g.Units[0].PTS
	if off := want - t.offset; !t.placed || off > tapeDrift || off < -tapeDrift {
		if t.recording != nil && off < 0 { // a recording's times only grow
			t.recording = media.NewRecording(g)
		}
		t.offset, t.placed = want, true
	}
}

// motionByte is the share of the picture that moved, from 0 to 255; the root of it, so
// that a person at the far end of a yard is seen beside a car.
func motionByte(score float64) uint8 {
	return uint8(math.Ceil(255 * math.Sqrt(min(max(score, 0), 1))))
}

// keep has a group kept.
func (t *tape) keep(g footage.Group) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keepLocked(g)
}

func (t *tape) keepLocked(g footage.Group) {
	if w := t.open(); w != nil {
		_ = w.Append(g) // the store counts what it does not take, and says why in its status
	} else if why := t.tapes.archive.closed(); why != nil {
		t.miss(g, why)
	}
}

// miss notes a group that no store was there for. Its caller holds the lock.
func (t *tape) miss(g footage.Group, why error) {
	m := missed{footage.Span{From: g.Start.Wall, Until: g.Start.Wall + latchkey.Time(g.Duration.Microseconds())}, 1, why}
	if n := len(t.missed); n > 0 {
		last := &t.missed[n-1]
		if n == mostMissed || footage.HealthOf(last.why) == footage.HealthOf(why) {
			last.Until, last.groups = max(last.Until, m.Until), last.groups+1
			return
		}
	}
	t.missed = append(t.missed, m)
}

// open returns the writer, nil if there is no store. Its caller holds the lock.
func (t *tape) open() *footage.Writer {
	if t.writer == nil && !t.ended {
		if t.writer = t.tapes.archive.writer(t.tapes.camera, t.track); t.writer != nil {
			for _, m := range t.missed {
				t.writer.Missed(m.Span, m.groups, m.why)
			}
			t.missed = nil
		}
	}
	return t.writer
}

// writer begins to record a track, if there is a store.
func (f *archive) writer(id latchkey.CameraID, track footage.Track) *footage.Writer {
	store := f.opened()
	if store == nil {
		return nil
	}
	w, err := store.Writer(id, track)
	if err != nil {
		return nil // the store is closed, or what was recorded before is not ended yet
	}
	return w
}

// end ends the tape. What waits for the disk is still written.
func (t *tape) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.finish(0)
	t.ended = true
	if w := t.writer; w != nil {
		go func() { _ = w.Close() }() // it always returns nil, and may wait for the disk
	}
	t.writer = nil
}
