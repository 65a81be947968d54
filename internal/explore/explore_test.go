package explore_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
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

// TestEveryOrder counts: three steps beside three.
func TestEveryOrder(t *testing.T) {
	n, err := explore.All(t, func(ctx context.Context, w *explore.World) func() {
		w.Go(ctx, "a", walk(w, "road"))
		w.Go(ctx, "b", walk(w, "road"))
		return func() {}
	})
	if want := (explore.Tally{Played: 20}); n != want || err != nil { // 6 over 3
		t.Errorf("%+v, %v; want %+v", n, err, want)
	}
}

// TestApart spares what comes to the same.
func TestApart(t *testing.T) {
	n, err := explore.All(t, func(ctx context.Context, w *explore.World) func() {
		w.Go(ctx, "a", walk(w, "here"))
		w.Go(ctx, "b", walk(w, "there"))
		w.Go(ctx, "c", walk(w, "elsewhere"))
		return func() {}
	})
	if want := (explore.Tally{Played: 1, Spared: 1679}); n != want || err != nil { // in all 9! / 3!³
		t.Errorf("%+v of steps that have nothing to do with each other, %v; want %+v", n, err, want)
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
	if want := (explore.Tally{Played: 20}); n != want || err != nil { // 6 over 3
		t.Errorf("%+v, %v; want %+v", n, err, want)
	}
}

// act is one step of a made-up program: what it leaves in one place depends on what is in
// another, and if that is odd it goes on to change a third.
type act struct{ reads, writes, more int }

// program is the acts of three actors. What has come of it, in all its orders, is put
// into ends; one who lies does not say what they read.
func program(acts [3][]act, lie bool, ends map[string]bool) explore.Play {
	return func(ctx context.Context, w *explore.World) func() {
		places := [3]int{1, 2, 3}
		for i, mine := range acts {
			w.Go(ctx, string(rune('a'+i)), func(ctx context.Context) {
				for n, a := range mine {
					touches := []explore.Touch{explore.Writes(place(a.writes)), explore.MightWrite(place(a.more))}
					if !lie {
						touches = append(touches, explore.Reads(place(a.reads)))
					}
					w.Step(ctx, "acts", touches...)
					places[a.writes] = 7*places[a.reads] + 3*i + n
					if places[a.reads]%2 == 1 {
						w.Touched(place(a.more))
						places[a.more] = 5*places[a.more] + i
					}
				}
			})
		}
		return func() { ends[fmt.Sprint(places)] = true }
	}
}

func place(n int) string { return string(rune('x' + n)) }

// TestSpared plays made-up programs in every order: All comes to the same ends as Each,
// and the orders that it spares are those that it does not play. With a lie about what
// steps touch, that shows.
func TestSpared(t *testing.T) {
	spared, foundOut := 0, 0
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		var acts [3][]act
		for i := range acts {
			for range 2 {
				acts[i] = append(acts[i], act{r.IntN(3), r.IntN(3), r.IntN(3)})
			}
		}
		for _, lie := range []bool{false, true} {
			few, all := map[string]bool{}, map[string]bool{}
			n, err := explore.All(t, program(acts, lie, few))
			each, err2 := explore.Each(t, program(acts, lie, all))
			same := err == nil && err2 == nil && maps.Equal(few, all) && n.Played+n.Spared == each.Played
			switch {
			case lie && !same:
				foundOut++
			case !lie && !same:
				t.Errorf("seed %d: %+v come to %d ends, %v; %d orders to %d, %v", seed, n, len(few), err, each.Played, len(all), err2)
			case !lie:
				spared += n.Spared
			}
		}
	}
	if spared == 0 || foundOut == 0 {
		t.Errorf("%d orders were spared, and %d lies found out", spared, foundOut)
	}
}

// TestLostUpdate finds the order in which one of two increments is lost, and names it.
func TestLostUpdate(t *testing.T) {
	world := func(lock bool) (explore.Tally, error) {
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
	if _, err := world(false); err == nil || !strings.HasSuffix(err.Error(), "a: reads\n\tb: reads\n\ta: writes\n\tb: writes") {
		t.Errorf("the order that loses an update is not found: %v", err)
	}
	if n, err := world(true); err != nil {
		t.Errorf("after %+v: %v", n, err)
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
