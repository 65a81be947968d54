package fault

import (
	"math/rand/v2"
	"time"
)

// answers puts in a fault that does the same to each reply that it strikes. The replies
// are those about keys, and not those by which a connection is set up.
func (p *Proxy) answers(s Schedule, rng *rand.Rand, delay time.Duration, what action) *Injection {
	return p.faults.put(s, rng, rule{delay: delay, act: func(in *Injection, f *frame) action {
		if !f.reply || f.aside || len(f.call.keys) == 0 || !in.strikes() {
			return pass
		}
		return what
	}})
}

// Drop loses replies: whatever comes behind one on its connection answers the question
// before.
func (p *Proxy) Drop(s Schedule, rng *rand.Rand) *Injection { return p.answers(s, rng, 0, drop) }

// Duplicate sends replies twice: whatever comes behind one on its connection answers the
// question after.
func (p *Proxy) Duplicate(s Schedule, rng *rand.Rand) *Injection { return p.answers(s, rng, 0, twice) }

// Swap lets replies be overtaken by the next one on their connection. Where no other
// follows at once there are no neighbours, and nothing is injected.
func (p *Proxy) Swap(s Schedule, rng *rand.Rand) *Injection { return p.answers(s, rng, 0, swap) }

// Hold keeps replies back for that long, and all that is behind them.
func (p *Proxy) Hold(s Schedule, rng *rand.Rand, delay time.Duration) *Injection {
	return p.answers(s, rng, delay, hold)
}

// Glue crosses two connections at replies: what the one's server says goes to the
// other's client from then on, and the other way about, in both directions. What is on
// its way at that moment reaches the wrong one.
func (p *Proxy) Glue(s Schedule, rng *rand.Rand) *Injection { return p.answers(s, rng, 0, glue) }
