package explore_test

import (
	"context"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/internal/explore"
)

// walk takes three steps that change something.
func walk(w *explore.World, what string) func(ctx context.Context) {
	return func(ctx context.Context) {
		for range 3 {
			w.Step(ctx, "walks", explore.Writes(what))
		}
	}
}

// TestEveryOrder counts: three steps beside three, and what begins them.
func TestEveryOrder(t *testing.T) {
	n, err := explore.All(t, func(ctx context.Context, w *explore.World) func() {
		w.Go(ctx, "a", walk(w, "road"))
		w.Go(ctx, "b", walk(w, "road"))
		return func() {}
	})
	if want := 70; n != want || err != nil { // 8 over 4
		t.Errorf("%d orders, %v; want %d", n, err, want)
	}
}

// TestApart leaves out what comes to the same.
func TestApart(t *testing.T) {
	n, err := explore.All(t, func(ctx context.Context, w *explore.World) func() {
		w.Go(ctx, "a", walk(w, "here"))
		w.Go(ctx, "b", walk(w, "there"))
		w.Go(ctx, "c", walk(w, "elsewhere"))
		return func() {}
	})
	if want := 240; n != want || err != nil { // what matters is when each begins; in all there are 34,650
		t.Errorf("%d orders of steps that have nothing to do with each other, %v; want %d", n, err, want)
	}
}

// TestBackground orders the steps of somebody whom an actor has started and does not wait for.
func TestBackground(t *testing.T) {
	n, err := explore.All(t, func(ctx context.Context, w *explore.World) func() {
		w.Go(ctx, "a", func(ctx context.Context) {
			go walk(w, "road")(context.WithoutCancel(t.Context()))
			walk(w, "road")(ctx)
		})
		return func() {}
	})
	if want := 20; n != want || err != nil { // 6 over 3
		t.Errorf("%d orders, %v; want %d", n, err, want)
	}
}

// TestLostUpdate finds the order in which one of two increments is lost, and names it.
func TestLostUpdate(t *testing.T) {
	world := func(lock bool) (int, error) {
		return explore.All(t, func(ctx context.Context, w *explore.World) func() {
			var value int
			turn := make(chan bool, 1)
			add := func(ctx context.Context) {
				if lock {
					w.Step(ctx, "locks", explore.Writes("lock"))
					turn <- true
					defer func() { <-turn }()
				}
				w.Step(ctx, "reads", explore.Reads("value"))
				was := value
				w.Step(ctx, "writes", explore.Writes("value"))
				value = was + 1
			}
			w.Go(ctx, "a", add)
			w.Go(ctx, "b", add)
			return func() {
				if value != 2 {
					w.Fail("two have added one, and it is %d", value)
				}
			}
		})
	}
	if _, err := world(false); err == nil || !strings.HasSuffix(err.Error(), "b: reads\n\ta: writes\n\tb: writes") {
		t.Errorf("the order that loses an update is not found: %v", err)
	}
	if n, err := world(true); err != nil {
		t.Errorf("after %d orders: %v", n, err)
	}
}

// TestStuck tells of those who wait for each other.
func TestStuck(t *testing.T) {
	_, err := explore.All(t, func(ctx context.Context, w *explore.World) func() {
		left, right := make(chan bool, 1), make(chan bool, 1)
		open := make(chan bool)
		both := func(first, second chan bool) func(context.Context) {
			return func(ctx context.Context) {
				w.Step(ctx, "takes one")
				select {
				case first <- true:
				case <-open:
				}
				w.Step(ctx, "takes the other")
				select {
				case second <- true:
				case <-open:
				}
			}
		}
		w.Go(ctx, "a", both(left, right))
		w.Go(ctx, "b", both(right, left))
		return func() { close(open) }
	})
	if err == nil || !strings.Contains(err.Error(), "waits for something that never comes") {
		t.Errorf("two who wait for each other: %v", err)
	}
}
