// Package comeback says when an agent looks for its server again after a connection has
// ended or did not come about, and when it tries again what went wrong.
//
// After an outage every agent comes back, and they must not come back at the same moment.
// A server that answers gives each a turn, which is kept to the moment. One that is gone
// has said, while it was there, within how long all are to come back; each draws its own
// moment. Nothing here has a clock, so that a simulation runs what runs in production.
package comeback

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/latchkey-cam/latchkey/api"
)

// MostWait is the longest wait that a server's word is taken for.
const MostWait = 10 * time.Minute

// Pause is how long to wait before something is tried again: from Least, doubled up to
// Most, each drawn from its upper half.
type Pause struct {
	Least, Most time.Duration

	spread   time.Duration // within which so many come back that each draws from all of it; 0 if nobody said
	failures int
}

// few is the longest wait of an agent whose server has said that not many come back.
const few = 10 * time.Second

// Next returns the next wait. It is never shorter than atLeast, which is what the
// server asked for; beyond that at most a quarter is added, so that those who were
// told the same time do not return together.
func (p *Pause) Next(atLeast time.Duration) time.Duration {
	most := p.Most
	if p.spread > 0 {
		most = min(most, max(few, p.Least))
	}
	d := most
	if p.failures < 30 {
		d = min(p.Least<<p.failures, most)
	}
	p.failures++
	d = d/2 + rand.N(d/2+1)
	if p.spread > d {
		d = rand.N(p.spread)
	}
	if d < atLeast {
		d = atLeast + rand.N(atLeast/4+1)
	}
	return d
}

// Reset is for after a success.
func (p *Pause) Reset() { p.failures = 0 }

// Comeback is the attempts of one agent to be connected.
type Comeback struct {
	Pause

	told  time.Duration // by the server, while it was there: within how long all are to come back
	place string
}

// Place is what the agent shows at the server's gate; empty if it was given none.
func (c *Comeback) Place() string { return c.place }

// Welcomed is for after an attempt that has led in. spread is what the server has said.
func (c *Comeback) Welcomed(spread time.Duration) {
	c.Reset()
	c.place = ""
	c.Told(spread)
}

// Told is for what the server says later of it.
func (c *Comeback) Told(spread time.Duration) { c.told = min(max(spread, 0), MostWait) }

// Failed returns the wait after an attempt that has not, or after a connection's end. A
// server that gives a turn is taken at its word, and so is one that says that another one
// is there.
func (c *Comeback) Failed(err error) time.Duration {
	c.place = ""
	if errors.Is(err, api.ErrMoved) {
		return rand.N(c.Least)
	}
	e, refused := errors.AsType[*api.Error](err)
	if refused && e.Refusal.Error.Reason == api.Turn {
		c.place = e.Place
		return max(RetryAfter(err), c.Least/10)
	}
	if c.spread = c.told; refused {
		c.spread = 0 // it is there
	}
	return c.Next(RetryAfter(err))
}

// RetryAfter is when the server wants to be asked again, 0 if it did not say. It is
// bounded, so that no answer can send an agent away for good.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*api.Error](err); ok {
		return min(e.RetryAfter(), MostWait)
	}
	return 0
}
