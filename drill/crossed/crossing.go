package crossed

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// crossing lets answers of the database change places: the one that comes first waits
// for another, and each goes on with the other's. So did a standard library's, when a
// caller went away at the wrong moment.
type crossing struct {
	done atomic.Int64 // answers that went elsewhere

	mu      sync.Mutex // protects what follows
	rate    float64    // of answers
	lose    bool       // them, or be late, instead
	rng     *rand.Rand
	waiting chan string // takes the second's answer and gives the first's
}

// waitsFor is how long an answer waits for another.
const waitsFor = 20 * time.Millisecond

// order makes that share of the answers go elsewhere from now on, or be lost or late.
func (c *crossing) order(rate float64, seed uint64, lose bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rate, c.lose, c.rng = rate, lose, rand.New(rand.NewPCG(seed, 0))
}

var errLost = errors.New("the database's answer was lost")

// pass returns an answer, or another's.
func (c *crossing) pass(ctx context.Context, answer string) (string, error) {
	c.mu.Lock()
	if c.rate == 0 || c.rng.Float64() >= c.rate {
		c.mu.Unlock()
		return answer, nil
	}
	if c.lose {
		late := c.rng.IntN(2) == 0
		c.mu.Unlock()
		c.done.Add(1)
		if late {
			pause(ctx, waitsFor)
			return answer, nil
		}
		return "", errLost
	}
	return c.swap(ctx, answer), nil
}

// swap returns another's answer, if one comes. The caller holds mu, and has left it
// afterwards.
func (c *crossing) swap(ctx context.Context, answer string) string {
	if other := c.waiting; other != nil {
		c.waiting = nil
		c.mu.Unlock()
		c.done.Add(2)
		other <- answer
		return <-other
	}
	mine := make(chan string)
	c.waiting = mine
	c.mu.Unlock()
	t := time.NewTimer(waitsFor)
	defer t.Stop()
	select {
	case other := <-mine:
		mine <- answer
		return other
	case <-ctx.Done():
	case <-t.C:
	}
	c.mu.Lock()
	alone := c.waiting == mine
	if alone {
		c.waiting = nil
	}
	c.mu.Unlock()
	if alone {
		return answer
	}
	other := <-mine // it has come at the last moment
	mine <- answer
	return other
}
