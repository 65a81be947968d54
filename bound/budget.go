package bound

import (
	"sync"
	"time"
)

// budget is how often the origin is asked while a tier is out of order.
type budget struct {
	rate  float64 // a second
	burst float64

	mu    sync.Mutex // protects what follows
	held  float64
	since time.Time
}

func newBudget(rate, burst int, now time.Time) *budget {
	return &budget{rate: float64(rate), burst: float64(burst), held: float64(burst), since: now}
}

// take takes one read from the budget, or says when there will be one.
func (b *budget) take(now time.Time) (after time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if passed := now.Sub(b.since); passed > 0 {
		b.held = min(b.burst, b.held+passed.Seconds()*b.rate)
		b.since = now
	}
	if b.held >= 1 {
		b.held--
		return 0, true
	}
	return time.Duration((1 - b.held) / b.rate * float64(time.Second)), false
}
