package main

import (
	"context"
	"sync"
	"time"
)

// crowd is what goes on at the same time.
type crowd struct {
	done sync.WaitGroup

	mu  sync.Mutex // protects err
	err error      // the first
}

// goes begins something.
func (c *crowd) goes(f func() error) {
	c.done.Go(func() {
		if err := f(); err != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.err == nil {
				c.err = err
			}
		}
	})
}

func (c *crowd) wait() { c.done.Wait() }

func (c *crowd) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// join lets so many viewers in, a few at a time.
func (c *crowd) join(ctx context.Context, a audience, t *tally, n int) error {
	in, errs := make(chan struct{}, 16), make(chan error, n)
	for range n {
		in <- struct{}{}
		c.goes(func() error {
			joined := sync.OnceFunc(func() { <-in; errs <- nil })
			defer joined()
			return a.join(ctx, t, joined)
		})
	}
	for range n {
		<-errs
	}
	return c.failed()
}

// tally is what viewers have got.
type tally struct {
	mu       sync.Mutex // protects what follows
	counting bool
	got      got
}

type got struct {
	bytes     int64
	fragments int64
	missing   int64
	delays    []time.Duration
}

// add counts a fragment, before which some are missing; delay is 0 if it is not known.
func (t *tally) add(bytes int, missing int64, delay time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.counting {
		return
	}
	t.got.bytes += int64(bytes)
	t.got.fragments++
	t.got.missing += missing
	if delay > 0 {
		t.got.delays = append(t.got.delays, delay)
	}
}

func (t *tally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counting, t.got = true, got{}
}

func (t *tally) end() got {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counting = false
	return t.got
}
