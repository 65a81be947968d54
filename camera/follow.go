package camera

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

// delays is what most recorders have arrived at: quick after a hiccup, patient with a
// camera that is off.
var delays = []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second,
	15 * time.Second, 30 * time.Second, 60 * time.Second}

// healthy is how long a session must have received for the delays to begin anew.
const healthy = 60 * time.Second

// Follow receives the stream until ctx ends: it opens a session, and when that
// breaks, after a delay, another one. A refused password waits for the longest delay
// at once, because cameras lock accounts after a few wrong ones. Handle is called as
// [Receive] does; status, which may be nil, on every change. It returns ctx's error.
func Follow(ctx context.Context, s Source, handle func(media.Unit), status func(Status)) error {
	if s.Delays == nil {
		s.Delays = delays
	}
	if status == nil {
		status = func(Status) {}
	}
	var damaged atomic.Uint64
	for failures, sessions := 0, uint64(0); ; sessions++ {
		st := Status{State: Connecting, Since: time.Now(), Sessions: sessions, Damaged: damaged.Load()}
		status(st)
		var current *media.Parameters
		var began time.Time
		err := receive(ctx, s, &damaged, func(u media.Unit) {
			if u.Parameters != current {
				current = u.Parameters
				if began.IsZero() {
					began = time.Now()
				}
				st.Sessions, st.Damaged = sessions+1, damaged.Load()
				st.receiving(current)
				status(st)
			}
			handle(u)
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !began.IsZero() && time.Since(began) >= healthy {
			failures = 0
		}
		wait := s.Delays[min(failures, len(s.Delays)-1)]
		failures++
		if StateOf(err) == WrongPassword {
			wait = s.Delays[len(s.Delays)-1]
		}
		wait = time.Duration(float64(wait) * (0.8 + 0.4*rand.Float64()))
		now := time.Now()
		status(Status{State: StateOf(err), Since: now, Err: err, Retry: now.Add(wait), Sessions: sessions + 1, Damaged: damaged.Load()})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// Probe opens one session, waits for the first picture and closes it. It returns the
// stream's status, or an [*Error] whose state says what to tell the person.
func Probe(ctx context.Context, s Source) (Status, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var st Status
	var seen atomic.Bool
	err := Receive(ctx, s, func(u media.Unit) {
		if !seen.Swap(true) {
			st.receiving(u.Parameters)
			cancel()
		}
	})
	if seen.Load() {
		return st, nil
	}
	return Status{}, fmt.Errorf("probe camera: %w", err)
}
