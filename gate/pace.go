package gate

import (
	"math"
	"time"
)

// pace is how many a second are let in. While all of them come and nothing is under strain
// it grows, quickly up to about where a strain last began, beyond that slowly at first; under
// a strain it falls.
type pace struct {
	rate   float64
	least  float64
	knee   float64   // about where strains begin; 0 before one did
	fallen time.Time // when it last fell
	usual  float64   // what it has been for a while
}

const (
	fastest = 1e5  // a second, which no server of ours bears
	fall    = 0.7  // of the pace is left
	grow    = 2    // times as much a second
	near    = 0.9  // of the knee: up to there it grows quickly
	creep   = 0.03 // of the pace a second, from there on; and
	haste   = 2    // seconds without a strain after which it creeps twice as fast

	settle = 500 * time.Millisecond // until what was let in has had its effect
	memory = 10 * time.Second       // of what is usual
)

// step moves the pace on by dt. It is used if more would come in if they could.
func (p *pace) step(now time.Time, dt time.Duration, used, strained bool) {
	calm := now.Sub(p.fallen)
	switch {
	case strained && calm < settle:
	case strained:
		p.knee = p.rate
		p.rate = max(p.rate*fall, p.least)
		p.fallen = now
	case !used:
	case p.knee == 0 || p.rate < near*p.knee:
		p.rate *= math.Pow(grow, dt.Seconds())
	default:
		p.rate *= 1 + min(creep*math.Exp2(calm.Seconds()/haste), grow-1)*dt.Seconds()
	}
	p.rate = min(p.rate, fastest)
	if used {
		p.usual += (p.rate - p.usual) * min(dt.Seconds()/memory.Seconds(), 1)
	}
	p.usual = max(p.usual, fall*p.rate)
}
