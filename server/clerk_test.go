package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// pen writes when it is told to, and as it is told.
type pen struct {
	begun   chan int   // gets the size of each sheet
	written chan error // gives how that ends
}

func (p pen) write(_ context.Context, all []archive.Receipt) error {
	p.begun <- len(all)
	return <-p.written
}

// waiting waits until so many receipts wait for the pen.
func (c *clerk) waiting(n int) {
	for {
		c.mu.Lock()
		have := 0
		if c.next != nil {
			have = len(c.next.receipts)
		}
		c.mu.Unlock()
		if have == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// TestReceiptsTogether: those that come while the pen is busy are on one sheet, and each
// asker hears how their own sheet ended and nothing sooner.
func TestReceiptsTogether(t *testing.T) {
	p := pen{begun: make(chan int), written: make(chan error)}
	c := newClerk(p.write)
	dried := errors.New("the pen has dried")
	for _, second := range []error{nil, dried} {
		var all sync.WaitGroup
		ended := make(chan error, 21)
		put := func() {
			all.Go(func() { ended <- c.put(t.Context(), archive.Receipt{}) })
		}
		put()
		if n := <-p.begun; n != 1 {
			t.Fatalf("a receipt that comes alone is on a sheet of %d", n)
		}
		for range 20 {
			put()
		}
		c.waiting(20)
		if len(ended) > 0 {
			t.Fatal("a receipt is said to be written and is not")
		}
		p.written <- nil
		if n := <-p.begun; n != 20 {
			t.Errorf("20 that waited are on a sheet of %d", n)
		}
		if err := <-ended; err != nil || len(ended) > 0 {
			t.Errorf("of the first sheet %v, and %d of the next ended with it", err, len(ended))
		}
		p.written <- second
		all.Wait()
		for range 20 {
			if err := <-ended; !errors.Is(err, second) {
				t.Errorf("a receipt of the second sheet: %v, want %v", err, second)
			}
		}
	}
}

// TestReceiptsAreBounded: more than may wait are refused, and those that wait are not.
func TestReceiptsAreBounded(t *testing.T) {
	p := pen{begun: make(chan int), written: make(chan error)}
	c := newClerk(p.write)
	var all sync.WaitGroup
	put := func() {
		all.Go(func() {
			if err := c.put(t.Context(), archive.Receipt{}); err != nil {
				t.Error(err)
			}
		})
	}
	put()
	<-p.begun
	for range maxWaiting {
		put()
	}
	c.waiting(maxWaiting)
	if err := c.put(t.Context(), archive.Receipt{}); err == nil || asRefusal(err).body.Error.Reason != api.Busy {
		t.Errorf("one too many: %v", err)
	}
	p.written <- nil
	<-p.begun
	p.written <- nil
	all.Wait()
}

// TestClerkCloses: close writes what waits and takes no more.
func TestClerkCloses(t *testing.T) {
	p := pen{begun: make(chan int), written: make(chan error)}
	c := newClerk(p.write)
	ended := make(chan error, 2)
	go func() { ended <- c.put(t.Context(), archive.Receipt{}) }()
	<-p.begun
	gone, leave := context.WithCancel(t.Context())
	go func() { ended <- c.put(gone, archive.Receipt{}) }()
	c.waiting(1)
	closed := make(chan bool)
	go func() { c.close(); close(closed) }()
	p.written <- nil
	<-p.begun
	leave() // somebody who is first on a sheet goes away: others wait for it
	select {
	case <-closed:
		t.Error("closed before all is written")
	case <-time.After(10 * time.Millisecond):
	}
	p.written <- nil
	<-closed
	for range 2 {
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if err := c.put(t.Context(), archive.Receipt{}); err == nil {
		t.Error("written after the end")
	}
}

// TestClerkPanics: a sheet whose writing ends in a panic is not written.
func TestClerkPanics(t *testing.T) {
	c := newClerk(func(context.Context, []archive.Receipt) error { panic("internal error") })
	func() {
		defer func() { _ = recover() }()
		t.Error(fmt.Errorf("written: %w", c.put(t.Context(), archive.Receipt{})))
	}()
	s := &sheet{done: make(chan struct{}), err: errUnwritten}
	c.sheets.Add(1)
	func() {
		defer func() { _ = recover() }()
		c.fill(t.Context(), s)
	}()
	if <-s.done; !errors.Is(s.err, errUnwritten) {
		t.Errorf("others on the sheet hear %v", s.err)
	}
}
