package fault

import (
	"math/rand/v2"
	"sync"
)

// Schedule says at which of its chances a fault strikes. A chance is a moment at which
// it could: a reply that passes, a row that is read. It is counted and not timed,
// because a count comes out the same in the next run.
type Schedule struct {
	// At strikes once, at the first chance from the At-th on that the fault can use.
	// Zero: by Rate.
	At uint64
	// After lets so many chances pass first.
	After uint64
	// Until ends it after so many chances; zero never does.
	Until uint64
	// Rate is which share of the chances in between is struck; 1 is all.
	Rate float64
}

// Injection is a fault under way.
type Injection struct {
	schedule Schedule

	mu      sync.Mutex // protects what follows
	rng     *rand.Rand
	chances uint64
	struck  uint64
	ended   bool
}

// newInjection takes a source of its own from rng, so that what one fault draws does not
// depend on how often another one drew.
func newInjection(s Schedule, rng *rand.Rand) *Injection {
	return &Injection{schedule: s, rng: rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64()))}
}

// Injected is how often the fault was really put in. A drill with a fault that never
// was proves nothing about it.
func (i *Injection) Injected() uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.struck
}

// Chances is how often it could have been.
func (i *Injection) Chances() uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.chances
}

// End lets everything pass from now on. What a fault has broken stays broken: a shifted
// connection stays shifted.
func (i *Injection) End() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
}

func (i *Injection) over() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.ended
}

// strikes counts a chance and says whether it is taken.
func (i *Injection) strikes() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ended {
		return false
	}
	i.chances++
	s, strike := i.schedule, false
	switch {
	case s.At > 0:
		strike = i.struck == 0 && i.chances >= s.At
	case i.chances > s.After && (s.Until == 0 || i.chances <= s.Until):
		strike = i.rng.Float64() < s.Rate
	}
	if strike {
		i.struck++
	}
	return strike
}

// missed takes a strike back that came to nothing.
func (i *Injection) missed() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.struck--
}

// draw returns a number below n.
func (i *Injection) draw(n int) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.rng.IntN(n)
}
