package motion

import (
	"encoding/binary"
	"sync"
	"time"
)

const (
	// Together is how close two motions are that are one incident: from the last
	// moving picture of the one to the first of the other.
	Together = 10 * time.Second

	// day is how long a Log remembers.
	day = 24 * time.Hour

	// chunkBytes and chunks bound what a Log keeps, 2 MiB: some two hours in which
	// somebody walks about without a pause. When more moves, it remembers less than a
	// day.
	chunkBytes = 32 << 10
	chunks     = 64
)

// Log remembers what a Detector has seen in a day, in at most 2 MiB: the sketch of each
// picture in which something may have moved, by whatever config. The zero Log is ready
// and safe for use by several goroutines.
type Log struct {
	mu      sync.Mutex // protects what follows
	begun   time.Time  // when the first picture was taken
	dropped time.Time  // up to when what was seen is forgotten for want of room
	chunks  []chunk    // the oldest first
	n       uint64     // pictures seen
	anew    bool       // since the last sketch that was kept, the background was learned anew
}

// chunk is a row of sketches, each relative to the one before it, the first to the
// chunk's own beginning. What is once in it is never changed.
type chunk struct {
	at     time.Time // of the first sketch, and
	n      uint64    // its number
	newest time.Time
	last   uint64
	data   []byte
}

const (
	flagAnew = 1 << iota
	flagTwice
	flagBits = iota
)

// add takes a picture's sketch.
func (l *Log) add(s sketch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begun.IsZero() {
		l.begun = s.at
	}
	l.n++
	l.anew = l.anew || s.anew
	if !s.mayMove() {
		return
	}
	for len(l.chunks) > 0 && s.at.Sub(l.chunks[0].newest) > day {
		l.drop()
	}
	k := len(l.chunks) - 1
	if k < 0 || len(l.chunks[k].data)+recordBytes*len(s.spots)+headBytes > chunkBytes || s.at.Before(l.chunks[k].newest) {
		if len(l.chunks) == chunks {
			l.dropped = l.chunks[0].newest
			l.drop()
		}
		l.chunks = append(l.chunks, chunk{at: s.at, n: l.n, newest: s.at, last: l.n, data: make([]byte, 0, chunkBytes)})
		k = len(l.chunks) - 1
	}
	c := &l.chunks[k]
	c.data = s.append(c.data, l.n-c.last, s.at.Sub(c.newest), l.anew)
	c.newest, c.last, l.anew = s.at, l.n, false
}

func (l *Log) drop() {
	l.chunks[0] = chunk{}
	l.chunks = l.chunks[1:]
}

// mayMove reports whether any config could find something in the sketch.
func (s sketch) mayMove() bool {
	out, moved := 0, 0
	for _, p := range s.spots {
		out, moved = out+int(p.out[high]), moved+int(p.moved)
	}
	return moved >= 3 && float64(out) >= smallest[high]*float64(s.width*s.height)-1
}

// headBytes is what a sketch takes at the most without its spots, recordBytes what a
// spot takes: its cell, after the one before it, and four counts of up to 25 in five
// bits each.
const headBytes, recordBytes = 4 * binary.MaxVarintLen64, 3 + 3

// append writes the sketch as it is kept.
func (s sketch) append(b []byte, pictures uint64, elapsed time.Duration, anew bool) []byte {
	flags := pictures << flagBits
	if anew {
		flags |= flagAnew
	}
	if s.weight > 1 {
		flags |= flagTwice
	}
	b = binary.AppendUvarint(b, flags)
	b = binary.AppendUvarint(b, uint64(elapsed.Milliseconds()))
	b = binary.AppendUvarint(b, uint64(s.width)<<16|uint64(s.height))
	b = binary.AppendUvarint(b, uint64(len(s.spots)))
	cell := uint16(0)
	for _, p := range s.spots {
		b = binary.AppendUvarint(b, uint64(p.cell-cell))
		cell = p.cell
		counts := uint32(p.moved)
		for _, n := range p.out {
			counts = counts<<5 | uint32(n)
		}
		b = append(b, byte(counts), byte(counts>>8), byte(counts>>16))
	}
	return b
}

// replay calls look with each sketch of the chunk and the number of its picture. The
// sketch's spots are valid until look returns.
func (c chunk) replay(look func(n uint64, s sketch)) {
	b := c.data
	next := func() uint64 {
		v, n := binary.Uvarint(b)
		b = b[n:]
		return v
	}
	n, at := c.n, c.at
	var spots []spot
	for len(b) > 0 {
		flags := next()
		n += flags >> flagBits
		at = at.Add(time.Duration(next()) * time.Millisecond)
		size := next()
		s := sketch{at: at, received: at, width: int(size >> 16), height: int(size & 0xffff), weight: 1, anew: flags&flagAnew != 0}
		if flags&flagTwice != 0 {
			s.weight = 2
		}
		spots = spots[:0]
		cell := uint16(0)
		for range next() {
			cell += uint16(next())
			counts := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
			b = b[3:]
			p := spot{cell: cell, moved: uint8(counts >> 15)}
			for l := levels - 1; l >= 0; l-- {
				p.out[l] = uint8(counts & 31)
				counts >>= 5
			}
			spots = append(spots, p)
		}
		s.spots = spots
		look(n, s)
	}
}

// WouldHaveFired returns how many incidents there were by that config in the 24 hours
// before now, and since when the Log knows: later than 24 hours ago if it is younger
// or has had to forget, and zero if it has seen no picture.
func (l *Log) WouldHaveFired(c Config, now time.Time) (times int, since time.Time) {
	l.mu.Lock()
	kept := append([]chunk(nil), l.chunks...)
	since = l.begun
	if !since.IsZero() {
		since = later(later(since, l.dropped), now.Add(-day))
	}
	l.mu.Unlock()
	var j judge
	var last uint64
	var i incidents
	for _, k := range kept {
		k.replay(func(n uint64, s sketch) {
			// Pictures that were not kept showed nothing.
			for range min(among, n-last-1) {
				j.decide(seen{}, false)
			}
			last = n
			v := j.look(s, c, false)
			if v.moving && v.area > 0 && i.begins(v.since.at, s.at) && !v.since.at.Before(since) {
				times++
			}
		})
	}
	return times, since
}

// incidents joins motions that are close together.
type incidents struct{ last time.Time }

// begins takes a picture in which something moves, and since when it does, and reports
// whether another incident begins.
func (i *incidents) begins(since, at time.Time) bool {
	begins := i.last.IsZero() || since.Sub(i.last) > Together
	i.last = at
	return begins
}
