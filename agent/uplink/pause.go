package uplink

import (
	"context"
	"math/rand/v2"
	"time"
)

// pause says how long to wait before something is tried again. It doubles from least
// to most and draws from the upper half at random: after an outage every agent comes
// back, and they must not come back at the same moment.
type pause struct {
	least, most time.Duration
	failures    int
}

// next returns the next wait. It is never shorter than atLeast, which is what the
// server asked for; beyond that at most a quarter is added, so that those who were
// told the same time do not return together.
func (p *pause) next(atLeast time.Duration) time.Duration {
	d := p.most
	if p.failures < 30 {
		d = min(p.least<<p.failures, p.most)
	}
	p.failures++
	d = d/2 + rand.N(d/2+1)
	if d < atLeast {
		d = atLeast + rand.N(atLeast/4+1)
	}
	return d
}

// reset is for after a success.
func (p *pause) reset() { p.failures = 0 }

// sleep waits, and returns early with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
