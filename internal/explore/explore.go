// Package explore runs every order in which the steps of a few goroutines can happen.
//
// A test starts actors, and what they call announces each of its steps: a read of the
// archive, a commit, a write to a socket. Between two steps an actor runs alone. All
// runs the test again and again, each time in another order, until there is none left,
// so that what it checks holds in all of them and not in those that a machine happened
// to choose. The code under the steps is the one that runs in production.
//
// Two steps are apart if neither writes what the other reads or writes. Orders that differ
// only in neighbours that are apart come to the same, and one of them is run (source sets
// and sleep sets: P. Abdulla and others, Optimal Dynamic Partial Order Reduction, POPL
// 2014, algorithm 1). How many are spared by that is counted, and [Each] runs them as
// well: it is the control of what the steps say that they touch. A step that says nothing
// touches everything.
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
	might  bool // it is seen only then whether it does: [World.Touched] says so
}

// Reads is the touch of a step that leaves what as it is.
func Reads(what string) Touch { return Touch{What: what} }

// Writes is the touch of a step that changes what.
func Writes(what string) Touch { return Touch{What: what, Writes: true} }

// MightWrite is the touch of a step of which it is seen only then whether it changes what.
func MightWrite(what string) Touch { return Touch{What: what, Writes: true, might: true} }

// everything is what a step touches that does not say what.
var everything = Writes("everything")

// World is one run, in one order.
type World struct {
	order []event // the steps so far
	whole bool

	mu      sync.Mutex // protects what follows
	last    *step
	actors  []*actor
	watched bool // the steps are ordered; before that and afterwards they are just taken
	failed  error
}

// actor is one of those whose steps are ordered. It is one goroutine, or several of
// which one waits for the other.
type actor struct {
	id    string // the same in all orders that begin alike
	name  string
	next  *step // announced, and not begun
	ended bool
}

type step struct {
	does    string
	touches []Touch // what it might included
	did     []Touch // of these, as far as it is seen
	after   int     // so many steps had been taken when the last of them led to it
	begin   chan struct{}
}

// event is a step that was taken.
type event struct {
	*step
	by *actor
}

type actorKey struct{}

// Go starts an actor, whose steps wait for their turn; what it does before its first must
// touch nothing. The context that do gets carries it to what announces steps. Before the
// first actor nobody waits, and after All has seen the end of an order.
func (w *World) Go(ctx context.Context, name string, do func(ctx context.Context)) {
	if !w.isWatched() {
		synctest.Wait() // until what was furnished has come to rest
		w.watch(true)
	}
	a := w.enter(name, "")
	go func() {
		do(context.WithValue(ctx, actorKey{}, a))
		w.mu.Lock()
		defer w.mu.Unlock()
		a.ended = true
	}()
}

// Step announces a step of the actor that ctx carries and waits until it is its turn.
// Without one, or while the actor waits for its turn elsewhere, it is a step of somebody
// in the background, of whom no end is expected. What is announced between two steps by
// several of those must differ in what it does.
func (w *World) Step(ctx context.Context, does string, touches ...Touch) {
	if !w.isWatched() {
		return
	}
	a, ok := ctx.Value(actorKey{}).(*actor)
	if ok = ok && !w.waits(a); !ok {
		a = w.enter("background", does)
	}
	w.wait(a, does, touches)
	if !ok {
		w.mu.Lock()
		defer w.mu.Unlock()
		a.ended = true
	}
}

// Touched says that the step that was taken last has changed what it might.
func (w *World) Touched(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.watched || w.last == nil {
		return
	}
	might := slices.ContainsFunc(w.last.touches, func(t Touch) bool { return t == everything || t.What == what && t.Writes })
	if !might && w.failed == nil {
		w.failed = fmt.Errorf("%q has changed %s, and did not say that it might", w.last.does, what)
	}
	w.last.did = append(w.last.did, Writes(what))
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

func (w *World) enter(name, does string) *actor {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.actors {
		if s := a.next; does != "" && s != nil && a.name == name && s.does == does && s.after == len(w.order) && w.failed == nil {
			w.failed = fmt.Errorf("two announce at the same time that one %s: name them differently", does)
		}
	}
	a := &actor{id: name + does, name: name}
	for n := 2; w.find(a.id) != nil; n++ {
		a.id = fmt.Sprintf("%s%s %d", name, does, n)
	}
	w.actors = append(w.actors, a)
	return a
}

func (w *World) wait(a *actor, does string, touches []Touch) {
	if len(touches) == 0 {
		touches = []Touch{everything}
	}
	s := &step{does: does, touches: touches, begin: make(chan struct{})}
	for _, t := range touches {
		if !t.might {
			s.did = append(s.did, t)
		}
	}
	w.mu.Lock()
	watched := w.watched
	if watched {
		s.after = len(w.order)
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

// Whole says, when a play is over, whether each of its steps was taken in its turn. The
// end of one that was broken off is left to chance.
func (w *World) Whole() bool { return w.whole }

func (w *World) watch(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched = on
}

// node is a point at which one of several steps could come next.
type node struct {
	ready  []string // the actors, by their IDs
	due    []string // of them, whose step is to be explored at this point
	chosen string   // of them
	did    []Touch  // by the step that was chosen
	asleep []sleeper
}

// sleeper is an actor whose next step was explored at a point already, or need not be.
type sleeper struct {
	id  string
	did []Touch // by that step
}

// Tally is how many orders there are.
type Tally struct {
	Played int
	Spared int // that come to the same as one that was played
	Broken int // that were begun, and came to nothing else
}

// Play furnishes a world and starts its actors. What it returns is called when all of
// them have ended, looks at what has come of it, and clears up.
type Play func(ctx context.Context, w *World) (after func())

// All runs a play in every order, but for those that come to the same as another. The
// error is of the first that failed, and says it step by step.
func All(t *testing.T, p Play) (Tally, error) {
	t.Helper()
	return play(t, p, true)
}

// Each is All, and runs those as well.
func Each(t *testing.T, p Play) (Tally, error) {
	t.Helper()
	return play(t, p, false)
}

func play(t *testing.T, p Play, sparing bool) (n Tally, err error) {
	t.Helper()
	var path []*node
	for {
		w := &World{}
		synctest.Test(t, func(t *testing.T) {
			after := p(t.Context(), w)
			path, w.whole = w.run(path, sparing)
			after()
		})
		if !w.whole {
			n.Broken++
		} else if n.Played++; w.fault() != nil {
			return n, fmt.Errorf("%w, in order %d:\n\t%s", w.fault(), n.Played, strings.Join(w.said(), "\n\t"))
		}
		if sparing {
			reverse(path, w.order)
			if w.whole {
				n.Spared += alike(leads(w.order, func(s *step) []Touch { return s.did })) - 1
			}
		}
		if path = advance(path); path == nil {
			return n, nil
		}
	}
}

// said is the steps so far, in words.
func (w *World) said() (lines []string) {
	for _, e := range w.order {
		lines = append(lines, e.by.name+": "+e.does)
	}
	return lines
}

// advance turns a path to the next that is due and was not taken, nil if there is none.
func advance(path []*node) []*node {
	for len(path) > 0 {
		last := path[len(path)-1]
		last.asleep = append(last.asleep, sleeper{last.chosen, last.did})
		if last.next(last.due) {
			return path
		}
		path = path[:len(path)-1]
	}
	return nil
}

// run follows the path, and goes on from its end. It is not whole if all that could come
// next was explored elsewhere; the actors then run to their end unobserved.
func (w *World) run(path []*node, sparing bool) (taken []*node, whole bool) {
	defer w.release()
	for depth := 0; ; depth++ {
		ready := w.ready()
		if depth > 0 {
			path[depth-1].did = w.last.did
		}
		if w.fault() != nil {
			return path, true
		}
		if len(ready) == 0 {
			w.stuck()
			return path, true
		}
		if depth == len(path) {
			n := &node{ready: ready}
			if !sparing {
				n.due = ready
			} else if depth > 0 {
				n.asleep = stillAsleep(path[depth-1])
			}
			if !n.next(ready) {
				return path, false
			}
			if sparing {
				n.due = []string{n.chosen} // others follow, if there is a reason
			}
			path = append(path, n)
		}
		n := path[depth]
		if !slices.Equal(n.ready, ready) {
			panic(fmt.Sprintf("internal error: what is tested is left to chance: one order of steps came to %v, and now comes to %v after\n\t%s",
				n.ready, ready, strings.Join(w.said(), "\n\t")))
		}
		w.take(n.chosen)
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

// next chooses the first that is not asleep.
func (n *node) next(among []string) bool {
	for _, id := range among {
		if !slices.ContainsFunc(n.asleep, func(s sleeper) bool { return s.id == id }) {
			n.chosen = id
			return true
		}
	}
	return false
}

// ready waits until nobody moves, and names those who have announced a step.
func (w *World) ready() (ids []string) {
	synctest.Wait()
	for _, a := range w.actors {
		if a.next != nil {
			ids = append(ids, a.id)
		}
	}
	slices.Sort(ids) // whoever moved at the same time has announced in any order
	return ids
}

func (w *World) find(id string) *actor {
	for _, a := range w.actors {
		if a.id == id {
			return a
		}
	}
	return nil
}

// take has an actor take its step.
func (w *World) take(id string) {
	a := w.find(id)
	w.mu.Lock()
	w.last, a.next = a.next, nil
	w.order = append(w.order, event{w.last, a})
	w.mu.Unlock()
	close(w.last.begin)
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
