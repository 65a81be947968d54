package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/api"
)

// leaseLife is for how long what is known of the homes' heads is good. Proof that
// nothing has changed comes from the archive or from another server that has just looked
// there; whoever streams stops when both have been silent for that long.
const leaseLife = 10 * time.Second

// lease says whether what this server knows of the homes' heads is fresh. There is one
// for all connections.
type lease struct {
	lapsed func() // called each time that it lapses

	mu      sync.Mutex // protects until
	until   time.Time
	renewed chan struct{} // has one place
}

func newLease(lapsed func()) *lease {
	return &lease{lapsed: lapsed, renewed: make(chan struct{}, 1)}
}

// renew makes the lease last from the moment that a proof is true of.
func (l *lease) renew(asOf time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := asOf.Add(leaseLife); until.After(l.until) {
		l.until = until
		select {
		case l.renewed <- struct{}{}:
		default:
		}
	}
}

func (l *lease) left() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Until(l.until)
}

func (l *lease) fresh() bool { return l.left() > 0 }

// watch ends what goes on under the lease when it lapses.
func (l *lease) watch(ctx context.Context) {
	for {
		if left := l.left(); left > 0 {
			if !sleep(ctx, left) {
				return
			}
			continue
		}
		l.lapsed()
		for !l.fresh() {
			select {
			case <-ctx.Done():
				return
			case <-l.renewed:
			}
		}
	}
}

// sleep is false if ctx ended it.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func stale() *refusal {
	return refuse(http.StatusServiceUnavailable, api.Busy,
		"The server cannot find out at the moment who may see this, so it shows nothing. Try again soon.").after(2 * time.Second)
}
