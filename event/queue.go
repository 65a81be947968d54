package event

import (
	"context"
	"sync"

	"github.com/latchkey-cam/latchkey/media"
)

// queue carries units from the session's goroutine to another one, which must not
// hold up the session. It is bounded; when it is full, units are dropped and counted
// until the next key unit that has room, and that one is marked as a break, so that
// whoever reads begins anew there and never takes a hole for a stream.
type queue struct {
	maxUnits, maxBytes int

	mu      sync.Mutex // protects what follows
	units   []media.Unit
	bytes   int
	broken  bool // dropping until a key unit
	dropped uint64

	ready chan struct{} // holds one token when there may be something to read
}

func newQueue(maxUnits, maxBytes int) *queue {
	return &queue{maxUnits: maxUnits, maxBytes: maxBytes, ready: make(chan struct{}, 1)}
}

func (q *queue) push(u media.Unit) {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := u.Size()
	full := len(q.units) >= q.maxUnits || q.bytes+size > q.maxBytes
	if full || q.broken && !u.Key {
		q.broken = true
		q.dropped++
		return
	}
	if q.broken {
		q.broken, u.Break = false, true
	}
	q.units = append(q.units, u)
	q.bytes += size
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// pop returns the oldest unit, if there is one. Reading goes: wait for ready, then
// pop until there is none.
func (q *queue) pop() (media.Unit, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.units) == 0 {
		return media.Unit{}, false
	}
	u := q.units[0]
	q.units[0] = media.Unit{} // the slice's memory lives on; what it held must not
	q.units = q.units[1:]
	q.bytes -= u.Size()
	return u, true
}

// next waits for a unit.
func (q *queue) next(ctx context.Context) (media.Unit, error) {
	for {
		if u, ok := q.pop(); ok {
			return u, nil
		}
		select {
		case <-ctx.Done():
			return media.Unit{}, ctx.Err()
		case <-q.ready:
		}
	}
}

func (q *queue) lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
