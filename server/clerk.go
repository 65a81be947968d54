package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/archive"
)

// clerk writes receipts. Each is on the disk before a byte of what it is about leaves;
// those of all deliveries that wait for that are written together, because a disk takes
// as long for one as for a hundred.
type clerk struct {
	write func(ctx context.Context, all []archive.Receipt) error

	pen chan struct{} // has one place: whoever is in it writes

	mu     sync.Mutex // protects what follows
	next   *sheet     // that is written next; nil: nobody waits
	last   int        // how many receipts the last sheet has
	closed bool

	sheets sync.WaitGroup // that are not written yet
}

// sheet is the receipts that are written at once.
type sheet struct {
	receipts []archive.Receipt // protected by the clerk, until it is being written
	done     chan struct{}
	err      error // when done
}

// maxWaiting is how many receipts wait for the pen. Whoever comes then is told to come
// again: deliveries that are not under way need no memory.
const maxWaiting = 1024

// sheetWithin is how long the archive may take for a sheet, before the deliveries that
// wait for it are refused.
const sheetWithin = 20 * time.Second

// errUnwritten is a sheet's error until it is written.
var errUnwritten = errors.New("the receipt was not written")

func newClerk(write func(ctx context.Context, all []archive.Receipt) error) *clerk {
	return &clerk{write: write, pen: make(chan struct{}, 1)}
}

// put returns nil when the receipt is on the disk, and then alone. The first who comes
// writes; who comes while it waits for the pen is on the same sheet.
func (c *clerk) put(ctx context.Context, r archive.Receipt) error {
	s, first, err := c.enter(r)
	if err != nil {
		return err
	}
	if first {
		c.fill(context.WithoutCancel(ctx), s) // others wait for it, whoever goes away
	}
	select {
	case <-s.done:
	case <-ctx.Done():
		return fmt.Errorf("write receipt: %w", ctx.Err())
	}
	if s.err != nil {
		return fmt.Errorf("write receipt: %w", s.err)
	}
	return nil
}

// enter puts a receipt on the next sheet.
func (c *clerk) enter(r archive.Receipt) (s *sheet, first bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, false, errUnwritten
	}
	if first = c.next == nil; first {
		c.sheets.Add(1)
		c.next = &sheet{receipts: make([]archive.Receipt, 0, c.last+1), done: make(chan struct{}), err: errUnwritten}
	}
	s = c.next
	if len(s.receipts) >= maxWaiting {
		return nil, false, busy(time.Second)
	}
	s.receipts = append(s.receipts, r)
	return s, first, nil
}

// gather is how long a sheet waits for more while they come by the handful: to write one
// takes the processors a fifth as long, whatever stands on it. One that comes alone waits
// for nothing.
const (
	gather  = time.Millisecond
	handful = 4
)

// fill writes a sheet when the one before is written; whoever comes meanwhile is on it.
func (c *clerk) fill(ctx context.Context, s *sheet) {
	defer c.sheets.Done()
	defer close(s.done)
	c.pen <- struct{}{}
	defer func() { <-c.pen }()
	c.mu.Lock()
	many := c.last > handful
	c.mu.Unlock()
	if many {
		time.Sleep(gather)
	}
	c.mu.Lock()
	c.next, c.last = nil, len(s.receipts)
	c.mu.Unlock()
	ctx, stop := context.WithTimeout(ctx, sheetWithin)
	defer stop()
	s.err = c.write(ctx, s.receipts)
}

// close takes no more receipts, and returns when those that wait are written.
func (c *clerk) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.sheets.Wait()
}
