// Package gate lets those in who come to a server, as many a second as it can bear and
// people before machines.
//
// After an outage everybody comes back at once. A server that takes them all answers
// nobody in time, they give up and come again, and its work is for those who have gone.
// So whoever does not fit is told at once, before anything dear is done, when it will be
// their turn, and gets a [Place] that says so; with it they are let in then, also before
// those who come later. How many a second are let in is measured: more while everything
// answers, fewer as soon as something is under strain ([Gate.Strain]). While a strain goes
// on, what is least missed is left out ([Gate.Spares]); a check never is.
//
// Everything is bounded: who waits at the gate waits no longer than [Config].Patience,
// which is less than they would, and those who come back later cost nothing meanwhile but
// a bit each.
package gate

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"
)

// Rank says who goes first when not all can.
type Rank int

// The ranks.
const (
	Person Rank = iota // whoever has opened a page, watches, or looks at what an alarm has shown
	Agent              // an agent that connects
	ranks
)

// String is the rank's name in metrics.
func (r Rank) String() string {
	switch r {
	case Person:
		return "person"
	case Agent:
		return "agent"
	}
	return fmt.Sprintf("Rank(%d)", int(r))
}

// Config is what a gate is made of. The zero one is ready.
type Config struct {
	// First is how many a second are let in before anything is known. 0: 100.
	First float64
	// Least is how many a second are let in under whatever strain, so that it is seen when
	// that is over, and because not every strain is the work of those who come. 0: 1.
	Least float64
	// Patience is the longest that somebody waits at the gate, and must be less than
	// they would wait for an answer. 0: 2 s.
	Patience time.Duration
	// Farthest is the latest time at which somebody is told to come back; who would
	// have to wait longer is told again then. 0: 10 min.
	Farthest time.Duration
	// Now is the clock. nil: [time.Now].
	Now func() time.Time
}

// Later is why somebody was not let in: it is not their turn.
type Later struct {
	// After is how long it is until their turn.
	After time.Duration
	// Place lets them in then. It is empty if there are too many to remember.
	Place Place
}

// Error says it in words.
func (l *Later) Error() string {
	return fmt.Sprintf("many come at the same time; it is your turn in %v", l.After.Round(100*time.Millisecond))
}

// Gate is a gate of one server. Everything may be used by several goroutines.
type Gate struct {
	config Config
	key    [32]byte

	mu    sync.Mutex // protects what follows
	queue queue
	timer *time.Timer
	done  bool
}

// New makes a gate. Places that another has given mean nothing to it.
func New(c Config) *Gate {
	c.First, c.Least = cmp.Or(c.First, 100), cmp.Or(c.Least, 1)
	c.Patience, c.Farthest = cmp.Or(c.Patience, 2*time.Second), cmp.Or(c.Farthest, 10*time.Minute)
	if c.Now == nil {
		c.Now = time.Now
	}
	g := &Gate{config: c, queue: newQueue(c, c.Now())}
	rand.Read(g.key[:])
	g.timer = time.AfterFunc(time.Hour, g.move)
	return g
}

// Close lets in whoever waits, and all who come.
func (g *Gate) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.done = true
	g.timer.Stop()
	for i := range g.queue.lines {
		for _, w := range g.queue.lines[i].waiting {
			close(w.enter)
		}
		g.queue.lines[i].waiting = nil
	}
	return nil
}

// Enter returns nil when whoever has come may go in, which they do at once or after a
// short wait; or a [*Later]; or ctx's error if they have gone. place is what an earlier
// [Later] gave them, or empty; what is no place of this gate counts as none.
func (g *Gate) Enter(ctx context.Context, rank Rank, place Place) error {
	number, ok := place.open(&g.key, rank)
	w := &waiter{rank: rank, number: number, enter: make(chan struct{})}
	g.mu.Lock()
	if g.done {
		g.mu.Unlock()
		return nil
	}
	now := g.config.Now()
	after, kept := g.queue.arrive(now, w, ok)
	g.letIn(now)
	g.mu.Unlock()
	later := func(after time.Duration) error {
		l := &Later{After: after}
		if kept {
			l.Place = seal(&g.key, rank, w.number)
		}
		return l
	}
	if after > 0 {
		return later(after)
	}
	select {
	case <-w.enter:
		if w.later > 0 {
			return later(w.later)
		}
		return nil
	case <-ctx.Done():
		g.mu.Lock()
		defer g.mu.Unlock()
		g.queue.leave(w)
		return ctx.Err()
	}
}

// move lets in whose turn it is.
func (g *Gate) move() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.done {
		g.letIn(g.config.Now())
	}
}

// letIn does it, and looks again when there is somebody else to let in. Its caller holds
// mu.
func (g *Gate) letIn(now time.Time) {
	for _, w := range g.queue.advance(now) {
		close(w.enter)
	}
	if after, ok := g.queue.next(); ok {
		g.timer.Reset(after)
	}
}

// Strain says how much something is under strain that everybody here needs: the
// processors, a database, a disk, the bus, the memory, the descriptors. 1 is as much as it
// bears without delaying those who are in. What nothing was said of for a second is under
// none. Names are few, and constants.
func (g *Gate) Strain(name string, level float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.config.Now()
	g.queue.strain(now, name, level)
	g.letIn(now)
}

// Spread is the time within which so many agents are to come back, each at a moment of its
// own choice, when they find that the server is gone. They are told while it is there.
func (g *Gate) Spread(agents int) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Duration(float64(agents) / (near * g.queue.pace.usual) * float64(time.Second))
}

// Usual is how many a second are let in on an ordinary day, for the gate that comes after
// this one.
func (g *Gate) Usual() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.queue.pace.usual
}

// Feature is what can be done without for a while.
type Feature int

// The features, in the order in which they are left out.
const (
	Filmstrips  Feature = iota // of what was recorded at home
	Backfill                   // by agents, of what happened long ago
	Clips                      // of events, whose thumbnails go on
	LiveQuality                // the large picture, where there is a small one
	Features                   // how many there are
)

// String is the feature's name in metrics and messages.
func (f Feature) String() string {
	switch f {
	case Filmstrips:
		return "filmstrips"
	case Backfill:
		return "backfill"
	case Clips:
		return "clips"
	case LiveQuality:
		return "live-quality"
	}
	return fmt.Sprintf("Feature(%d)", int(f))
}

// Spares says whether a feature is left out at present.
func (g *Gate) Spares(f Feature) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return int(f) < g.queue.spared
}

// Status is how a gate is doing.
type Status struct {
	Pace    float64            // how many a second are let in while more come
	Strains map[string]float64 // how much each is under strain, by name
	Spared  []Feature          // what is left out because of it
	Ranks   map[Rank]RankStatus
}

// RankStatus is how those of a rank do.
type RankStatus struct {
	Waiting int    // at the gate
	Coming  uint64 // back: their turn is still to come
	Entered uint64 // since the gate was made
	Sent    uint64 // away, to come back
}

// Status says how the gate is doing.
func (g *Gate) Status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	q, now := &g.queue, g.config.Now()
	s := Status{Pace: q.pace.rate, Strains: q.strains.now(now), Ranks: map[Rank]RankStatus{}}
	for f := range Feature(q.spared) {
		s.Spared = append(s.Spared, f)
	}
	for i := range q.lines {
		l := &q.lines[i]
		s.Ranks[Rank(i)] = RankStatus{
			Waiting: len(l.waiting), Coming: l.last - min(uint64(l.turn), l.last), Entered: l.entered, Sent: l.sent,
		}
	}
	return s
}
