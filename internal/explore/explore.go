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
	actors []*Actor
	order  []string // the steps so far
	last   *step
	failed error
}

// Actor is one of those whose steps are ordered. It is one goroutine, or several of
// which one waits for the other.
type Actor struct {
	name  string
	next  *step // announced, and not begun
	ended bool
	world *World
}

type step struct {
	does    string
	touches []Touch
	begin   chan struct{}
}

type actorKey struct{}

// Go starts an actor. The context that do gets carries it to what announces steps.
func (w *World) Go(ctx context.Context, name string, do func(ctx context.Context)) {
	a := &Actor{name: name, world: w}
	w.actors = append(w.actors, a)
	go func() {
		a.step("begins", []Touch{Writes(name)})
		do(context.WithValue(ctx, actorKey{}, a))
		a.ended = true
	}()
}

// Step announces a step of the actor that ctx carries and waits until it is its turn.
// Without an actor it does nothing, so that a world can be furnished.
func Step(ctx context.Context, does string, touches ...Touch) {
	if a, ok := ctx.Value(actorKey{}).(*Actor); ok {
		a.step(does, touches)
	}
}

func (a *Actor) step(does string, touches []Touch) {
	s := &step{does: does, touches: touches, begin: make(chan struct{})}
	a.next = s
	<-s.begin
}

// Fail says that something has happened which must not. The order is then printed.
func (w *World) Fail(format string, args ...any) {
	if w.failed == nil {
		w.failed = fmt.Errorf(format, args...)
	}
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
			w.drain() // what it has let go on
		})
		if whole {
			orders++
			if w.failed != nil {
				return orders, fmt.Errorf("%w, in this order:\n\t%s", w.failed, strings.Join(w.order, "\n\t"))
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
	defer w.drain()
	for depth := 0; ; depth++ {
		ready := w.ready()
		if len(ready) == 0 {
			for _, a := range w.actors {
				if !a.ended {
					w.Fail("%s waits for something that never comes", a.name)
				}
			}
			return path, true
		}
		if depth == len(path) {
			n := &node{ready: ready}
			if depth > 0 {
				n.asleep = w.stillAsleep(path[depth-1].asleep)
			}
			n.chosen = -1
			if !n.next() {
				return path, false
			}
			path = append(path, n)
		}
		n := path[depth]
		if !slices.Equal(n.ready, ready) {
			panic(fmt.Sprintf("internal error: one order of steps has come to %v, and now comes to %v", n.ready, ready))
		}
		w.take(n.ready[n.chosen])
		if w.failed != nil {
			return path, true
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

func (w *World) actor(name string) *Actor {
	i := slices.IndexFunc(w.actors, func(a *Actor) bool { return a.name == name })
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

// drain lets the actors run to their end.
func (w *World) drain() {
	for len(w.ready()) > 0 {
		for _, a := range w.actors {
			if s := a.next; s != nil {
				a.next = nil
				close(s.begin)
			}
		}
	}
}
