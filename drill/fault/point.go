package fault

import (
	"math/rand/v2"
	"slices"
	"sync"
)

// point is a place into which faults are put.
type point[F any] struct {
	mu sync.Mutex // protects on
	on []placed[F]
}

// placed is a fault in its place.
type placed[F any] struct {
	in   *Injection
	what F
}

func (p *point[F]) put(s Schedule, rng *rand.Rand, what F) *Injection {
	in := newInjection(s, rng)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on = append(slices.Clone(p.on), placed[F]{in, what}) // others hold the old one
	return in
}

// active are the faults that are not over, in the order in which they were put in.
func (p *point[F]) active() []placed[F] {
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.ContainsFunc(p.on, over) {
		p.on = slices.DeleteFunc(slices.Clone(p.on), over)
	}
	return p.on
}

func over[F any](p placed[F]) bool { return p.in.over() }
