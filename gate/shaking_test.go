package gate

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestShaking: as many are worked on as there are processors; then people come before
// machines, who have a tenth at least; and nobody waits for longer than a client does.
func TestShaking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Handshakes
		for range runtime.GOMAXPROCS(0) {
			if err := h.begin(t.Context(), Agent); err != nil {
				t.Fatal(err)
			}
		}
		var mu sync.Mutex
		var order []Rank
		var all sync.WaitGroup
		for range 30 {
			for _, rank := range []Rank{Agent, Person} {
				all.Go(func() {
					if h.begin(context.Background(), rank) == nil {
						mu.Lock()
						order = append(order, rank)
						mu.Unlock()
					}
				})
			}
		}
		synctest.Wait()
		for range 20 {
			h.end()
			synctest.Wait()
		}
		agents := 0
		for _, r := range order {
			if r == Agent {
				agents++
			}
		}
		if len(order) != 20 || agents != 2 {
			t.Errorf("let in: %v", order)
		}
		time.Sleep(shakeWithin)
		all.Wait() // the others have given up
		if len(order) != 20 || len(h.lines[Agent])+len(h.lines[Person]) > 0 {
			t.Errorf("%d were let in; %d and %d wait", len(order), len(h.lines[Agent]), len(h.lines[Person]))
		}
		for range runtime.GOMAXPROCS(0) {
			h.end()
		}
		if h.busy != 0 || !slices.Equal(h.lines[Agent], nil) {
			t.Errorf("%d are busy", h.busy)
		}
	})
}
