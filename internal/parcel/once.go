package parcel

import (
	"sync"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// How far an agent's clock and a device's may differ, in microseconds, before what a
// device has sent is refused: it lives two minutes, and clocks of people's devices are
// wrong by minutes.
const (
	late  = 5 * 60 * 1_000_000
	ahead = 10 * 60 * 1_000_000
)

// Timely refuses what ended too long ago, or ends too far ahead, by a clock that can be
// believed. What says what it is, as in "command".
func Timely(what string, expires, now latchkey.Time) error {
	switch {
	case now > expires+late:
		return sealed.Refuse(sealed.Expired, "a %s that ended at %d, and it is %d", what, expires, now)
	case expires > now+ahead:
		return sealed.Refuse(sealed.Expired, "a %s of the future: it ends at %d, and it is %d", what, expires, now)
	}
	return nil
}

// Remembered is how many a [Once] remembers. A server that replays must replay one of the
// last so many, or one that the clock refuses.
const Remembered = 4096

// Once tells what comes for the first time from what came before. The zero value has met
// nothing. It may be used by several at once.
type Once[K comparable] struct {
	mu    sync.Mutex // protects what follows
	seen  map[K]bool
	order []K
}

// First says whether k has not come before, and remembers it.
func (o *Once[K]) First(k K) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen[k] {
		return false
	}
	if o.seen == nil {
		o.seen = map[K]bool{}
	}
	o.seen[k] = true
	if o.order = append(o.order, k); len(o.order) > Remembered {
		delete(o.seen, o.order[0])
		o.order = o.order[1:]
	}
	return true
}
