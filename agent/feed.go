package agent

import (
	"sync"

	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/media"
	"github.com/latchkey-cam/latchkey/sealed"
)

// shot is a unit and where it stands on the axis that all streams of all cameras share:
// players join pictures and sounds by it.
type shot struct {
	media.Unit
	offset media.Ticks // from its PTS to the axis
}

// feed is what comes of a camera by one connection to it, main or sub, while it does: it
// keeps the newest group, for who begins to watch, and hands every unit to the streams
// that are brought.
type feed struct {
	clock *clock.Clock

	mu     sync.Mutex // protects what follows
	dead   bool       // nothing of it is brought any more
	came   bool
	offset media.Ticks
	end    media.Ticks   // on the axis, of all that came
	group  []shot        // nil if it is too long to be kept
	size   int           // in bytes
	coding *media.Coding // of the newest sounds; nil if there were none
	outs   map[sealed.StreamKind]*stream
}

// take takes a unit as it comes. It never waits.
func (f *feed) take(u media.Unit) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return
	}
	f.place(u)
	f.keep(shot{u, f.offset})
	for _, s := range u.Sounds {
		if s.Coding.Check() == nil {
			f.coding = s.Coding
		}
	}
	for _, out := range f.outs {
		out.push(shot{u, f.offset})
	}
}

// place sets the offset of what begins with u: the axis is the machine's clock, which
// nothing sets. What went wrong on the way does not move it, a camera that begins anew
// does; it never goes back.
func (f *feed) place(u media.Unit) {
	if u.Break || !f.came {
		at := media.Ticks(f.clock.At(u.Taken).Monotonic / 100 * 9) // 1/90000 s, of 1/1000000 s
		if apart := at - u.PTS - f.offset; !f.came || apart > media.Rate || apart < -media.Rate {
			f.offset += apart
		}
		f.offset = max(f.offset, f.end+1-u.PTS)
		f.came = true
	}
	f.end = max(f.end, u.PTS+f.offset)
}

func (f *feed) keep(s shot) {
	switch {
	case s.Key:
		f.group, f.size = nil, 0
	case f.group == nil || s.Break:
		f.group = nil
		return
	}
	f.group, f.size = append(f.group, s), f.size+s.Size()
	if f.size > sealed.MaxGroup || len(f.group) > sealed.MaxGroupFragments {
		f.group = nil
	}
}

// close ends what is brought of it, at once.
func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead, f.group = true, nil
	for _, out := range f.outs {
		out.wakeUp()
	}
}

// What may wait for a slow line. What is beyond it is left out, up to the next key frame.
const (
	queuedShots = 512
	queuedBytes = 8 << 20
)

// queue is what waits to be brought.
type queue struct {
	mu    sync.Mutex // protects what follows; it is taken after a feed's
	shots []shot
	size  int
	skips bool // up to the next key frame
}

func (q *queue) push(s shot) {
	q.mu.Lock()
	defer q.mu.Unlock()
	full := len(q.shots) >= queuedShots || q.size+s.Size() > queuedBytes && len(q.shots) > 0
	switch {
	case full && s.Key:
		q.shots, q.size, q.skips = nil, 0, false
	case full:
		q.skips = true
	case s.Key:
		q.skips = false
	}
	if !q.skips {
		q.shots, q.size = append(q.shots, s), q.size+s.Size()
	}
}

// pop takes what waits.
func (q *queue) pop() []shot {
	q.mu.Lock()
	defer q.mu.Unlock()
	shots := q.shots
	q.shots, q.size = nil, 0
	return shots
}
