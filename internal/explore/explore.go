// Package explore runs every order in which the steps of a few goroutines can happen.
//
// A test starts actors, and what they call announces each of its steps: a read of the
// archive, a commit, a write to a socket. Between two steps an actor runs alone. All
// runs the test again and again, each time in another order, until there is none left,
// so that what it checks holds in all of them and not in those that a machine happened
// to choose. The code under the steps is the one that runs in production.
//
// Orders that differ only in neighbouring steps which do not touch the same thing come
// to the same, and one of them is run (sleep sets: P. Godefroid, Partial-Order Methods
// for the Verification of Concurrent Systems, 1996, chapter 5). A step that does not say
// what it touches touches everything.
package explore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// Touch is what a step reads or writes.
type Touch struct {
	What   string
	Writes bool
}

// Reads is the touch of a step that leaves what as it is.
func Reads(what string) Touch { return Touch{what, false} }

// Writes is the touch of a step that changes what.
func Writes(what string) Touch { return Touch{what, true} }

// World is one run, in one order.
type World struct {
	order []string // the steps so far
	last  *step

	mu      sync.Mutex // protects what follows
	actors  []*actor
	watched bool // the steps are ordered; before that and afterwards they are just taken
	failed  error
}

// actor is one of those whose steps are ordered. It is one goroutine, or several of
// which one waits for the other.
type actor struct {
	name  string
	next  *step // announced, and not begun
	ended bool
}

type step struct {
	does    string
	touches []Touch
	begin   chan struct{}
}

type actorKey struct{}

// Go starts an actor, whose steps wait for their turn. The context that do gets carries it
// to what announces steps. Before the first actor nobody waits, and after All has seen
// the end of an order.
func (w *World) Go(ctx context.Context, name string, do func(ctx context.Context)) {
	if !w.isWatched() {
		synctest.Wait() // until what was furnished has come to rest
		w.watch(true)
	}
	a := w.enter(name)
	go func() {
		w.wait(a, "begins", nil)
		do(context.WithValue(ctx, actorKey{}, a))
		w.mu.Lock()
		defer w.mu.Unlock()
		a.ended = true
	}()
}

// Step announces a step of the actor that ctx carries and waits until it is its turn.
// Without one, or while the actor waits for its turn elsewhere, it is a step of somebody
// in the background, of whom no end is expected.
func (w *World) Step(ctx context.Context, does string, touches ...Touch) {
	if !w.isWatched() {
		return
	}
	a, ok := ctx.Value(actorKey{}).(*actor)
	if ok = ok && !w.waits(a); !ok {
		a = w.enter("")
	}
	w.wait(a, does, touches)
	if !ok {
		w.mu.Lock()
		defer w.mu.Unlock()
		a.ended = true
	}
}

func (w *World) waits(a *actor) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return a.next != nil
}

func (w *World) isWatched() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.watched
}

func (w *World) enter(name string) *actor {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name == "" {
		name = fmt.Sprintf("background %d", len(w.actors))
	}
	a := &actor{name: name}
	w.actors = append(w.actors, a)
	return a
}

func (w *World) wait(a *actor, does string, touches []Touch) {
	s := &step{does: does, touches: touches, begin: make(chan struct{})}
	w.mu.Lock()
	watched := w.watched
	if watched {
		a.next = s
	}
	w.mu.Unlock()
	if watched {
		<-s.begin
	}
}

// Fail says that something has happened which must not. The order is then printed.
func (w *World) Fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed == nil {
		w.failed = fmt.Errorf(format, args...)
	}
}

func (w *World) fault() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

func (w *World) watch(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched = on
}

// node is a point at which one of several steps could come next.
type node struct {
	ready  []string // the actors, in the order in which they were started
	chosen int      // of ready
	asleep []string // whose next step was explored at this point already, or need not be
}

// All runs build in every order. Build furnishes a world and starts its actors; what it
// returns is called when all of them have ended, looks at what has come of it, and clears
// up. All returns how many orders there were, and the first that failed, step by step.
func All(t *testing.T, build func(ctx context.Context, w *World) (after func())) (orders int, err error) {
	t.Helper()
	var path []*node
	for {
		w := &World{}
		var whole bool
		synctest.Test(t, func(t *testing.T) {
			after := build(t.Context(), w)
			path, whole = w.run(path)
			after()
		})
		if whole {
			orders++
			if err := w.fault(); err != nil {
				return orders, fmt.Errorf("%w, in this order:\n\t%s", err, strings.Join(w.order, "\n\t"))
			}
		}
		if path = advance(path); path == nil {
			return orders, nil
		}
	}
}

// advance turns a path to the next that was not taken, nil if there is none.
func advance(path []*node) []*node {
	for len(path) > 0 {
		last := path[len(path)-1]
		last.asleep = append(last.asleep, last.ready[last.chosen])
		if last.next() {
			return path
		}
		path = path[:len(path)-1]
	}
	return nil
}

// run follows the path, and goes on from its end. It is not whole if all that could come
// next was explored elsewhere; the actors then run to their end unobserved.
func (w *World) run(path []*node) (taken []*node, whole bool) {
	defer w.release()
	for depth := 0; ; depth++ {
		ready := w.ready()
		if len(ready) == 0 {
			w.stuck()
			return path, true
		}
		if depth == len(path) {
			n := &node{ready: ready, chosen: -1}
			if depth > 0 {
				n.asleep = w.stillAsleep(path[depth-1].asleep)
			}
			if !n.next() {
				return path, false
			}
			path = append(path, n)
		}
		n := path[depth]
		if !slices.Equal(n.ready, ready) {
			panic(fmt.Sprintf("internal error: what is tested is left to chance: one order of steps came to %v, and now comes to %v after\n\t%s",
				n.ready, ready, strings.Join(w.order, "\n\t")))
		}
		w.take(n.ready[n.chosen])
		if w.fault() != nil {
			return path, true
		}
	}
}

// stuck fails if somebody has not ended.
func (w *World) stuck() {
	for _, a := range w.actors {
		if !a.ended {
			w.Fail("%s waits for something that never comes", a.name)
		}
	}
}

// next chooses the next that is not asleep.
func (n *node) next() bool {
	for n.chosen++; n.chosen < len(n.ready); n.chosen++ {
		if !slices.Contains(n.asleep, n.ready[n.chosen]) {
			return true
		}
	}
	return false
}

// ready waits until nobody moves, and names those who have announced a step.
func (w *World) ready() (names []string) {
	synctest.Wait()
	for _, a := range w.actors {
		if a.next != nil {
			names = append(names, a.name)
		}
	}
	return names
}

// actor returns an actor while nobody moves.
func (w *World) actor(name string) *actor {
	i := slices.IndexFunc(w.actors, func(a *actor) bool { return a.name == name })
	return w.actors[i]
}

// take has an actor take its step.
func (w *World) take(name string) {
	a := w.actor(name)
	w.last, a.next = a.next, nil
	w.order = append(w.order, name+": "+w.last.does)
	close(w.last.begin)
}

// stillAsleep leaves out of those who were asleep before the last step whoever's own
// touches the same as it: after it their step may come to something else.
func (w *World) stillAsleep(before []string) (now []string) {
	for _, name := range before {
		if next := w.actor(name).next; next != nil && apart(next, w.last) {
			now = append(now, name)
		}
	}
	return now
}

// apart says whether two steps come to the same in either order.
func apart(a, b *step) bool {
	if len(a.touches) == 0 || len(b.touches) == 0 {
		return false
	}
	for _, x := range a.touches {
		for _, y := range b.touches {
			if x.What == y.What && (x.Writes || y.Writes) {
				return false
			}
		}
	}
	return true
}

// release lets everybody go on without taking turns.
func (w *World) release() {
	w.watch(false)
	for _, a := range w.actors {
		if s := a.next; s != nil {
			a.next = nil
			close(s.begin)
		}
	}
	synctest.Wait()
}

// As returns ctx, carrying the actor that of carries: for what an actor has others do.
func As(ctx, of context.Context) context.Context {
	return context.WithValue(ctx, actorKey{}, of.Value(actorKey{}))
}
