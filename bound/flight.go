package bound

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// flightKey is what callers have in common who share one read of the origin: the whole
// question, and that nothing was forgotten between them.
type flightKey struct {
	q    Question
	turn uint64
}

// flight is a read of the origin under way.
type flight struct {
	landed chan struct{} // closed when what follows is set
	answer Answer
	err    error
}

// errLanded says that somebody's read has ended since one has looked.
var errLanded = errors.New("the tiers may know by now")

// fetch asks the origin, or waits for somebody who does. If there is nobody to wait for
// and a read has landed meanwhile it is errLanded.
func (c *Cache) fetch(ctx context.Context, k flightKey, origin Origin, landed func() bool) (Answer, error) {
	if err := ctx.Err(); err != nil {
		return Answer{}, fmt.Errorf("read %s of %s: %w", k.q.Key, k.q.Scope, err)
	}
	c.mu.Lock()
	if c.flights[k] == nil && landed() {
		c.mu.Unlock()
		return Answer{}, errLanded
	}
	f, err := c.board(k, origin, true)
	c.mu.Unlock()
	if err != nil {
		return Answer{}, fmt.Errorf("read %s of %s: %w", k.q.Key, k.q.Scope, err)
	}
	select {
	case <-f.landed:
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("read %s of %s: %w", k.q.Key, k.q.Scope, ctx.Err())
	}
	if f.err != nil {
		return Answer{}, fmt.Errorf("read %s of %s: %w", k.q.Key, k.q.Scope, f.err)
	}
	a := f.answer
	a.Bytes = bytes.Clone(a.Bytes)
	return a, nil
}

// refresh asks the origin for what is known still, and waits for nothing.
func (c *Cache) refresh(k flightKey, origin Origin) {
	if c.troubled() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.board(k, origin, false) // if it cannot be now, it will be when it has expired
}

// board returns the flight under that key, and begins it if there is none. Whoever waits
// for it is in need; a refresh is not. The caller
// holds mu.
func (c *Cache) board(k flightKey, origin Origin, needed bool) (*flight, error) {
	if c.closed {
		return nil, ErrClosed
	}
	if f := c.flights[k]; f != nil {
		if needed {
			c.tally.joined.Add(1)
		}
		return f, nil
	}
	if len(c.flights) >= c.config.MaxFlights {
		c.tally.refused.Add(1)
		return nil, &BusyError{After: time.Second}
	}
	if c.troubled() {
		if after, ok := c.budget.take(c.config.Now()); !ok {
			c.tally.refused.Add(1)
			return nil, &BusyError{After: after}
		}
	}
	if !needed {
		c.tally.refreshed.Add(1)
	}
	f := &flight{landed: make(chan struct{})}
	c.flights[k] = f
	c.done.Go(func() { c.fly(k, f, origin) })
	return f, nil
}

// fly reads the origin, hands what it said to those who wait, and stores it.
func (c *Cache) fly(k flightKey, f *flight, origin Origin) {
	ctx, cancel := context.WithTimeout(c.ctx, c.config.OriginTimeout)
	defer cancel()
	began := c.config.Now()
	f.answer, f.err = c.ask(ctx, k.q, origin)
	f.answer.Stored = began
	close(f.landed)
	if f.err == nil {
		c.measure(c.config.Now().Sub(began))
		c.store(k, f.answer)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, k)
	c.turn(k.q.name()).landed.Add(1)
}

// store puts what the origin said into all tiers.
func (c *Cache) store(k flightKey, a Answer) {
	if len(a.Bytes) > c.config.MaxValue {
		c.tally.oversize.Add(1)
		return
	}
	for _, t := range c.tiers {
		c.keep(c.ctx, t, k, a)
	}
}

// ask reads the origin and compares what it says with what it was asked.
func (c *Cache) ask(ctx context.Context, q Question, origin Origin) (a Answer, err error) {
	c.tally.origin.Add(1)
	defer func() {
		if p := recover(); p != nil {
			c.tally.panics.Add(1)
			a, err = Answer{}, fmt.Errorf("internal error: the origin has panicked: %v", p)
			c.alarm(Incident{Kind: Panicked, Tier: "origin", Time: c.config.Now(), Asked: q, Err: err})
		}
	}()
	a, err = origin(ctx, q)
	if err != nil {
		c.tally.failed.Add(1)
		return Answer{}, err
	}
	if !a.answers(q) {
		c.tally.crossed.Add(1)
		c.alarm(Incident{Kind: Crossed, Tier: "origin", Time: c.config.Now(), Asked: q, Found: a.question()})
		return Answer{}, ErrCrossed
	}
	if a.Epoch < q.Floor {
		c.tally.stale.Add(1)
		return Answer{}, ErrOld
	}
	return a, nil
}

// measure takes note of what a read of the origin has cost.
func (c *Cache) measure(took time.Duration) {
	if was := c.cost.Load(); was != 0 {
		took = time.Duration(was) + (took-time.Duration(was))/8
	}
	c.cost.Store(int64(took))
}
