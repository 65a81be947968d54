package crossed

import (
	"math/rand/v2"
	"time"

	"github.com/latchkey-cam/latchkey/drill/fault"
)

// The kinds of what is done.
const (
	late kind = iota
	lost
	doubled
	overtaken
	cancelled
	glued
)

// catalogue is every scene, in the order in which they are played.
var catalogue = []scene{
	outage,
	{"F1", lost, "A reply of the cache is lost."},
	{"F1", doubled, "A reply of the cache comes twice."},
	{"F2", overtaken, "Replies of the cache overtake each other."},
	{"F3", cancelled, "A reply of the cache comes when its asker has given up."},
	{"F4", glued, "Two connections to the cache are crossed."},
}

// strikes is about how often a fault strikes in a scene.
const strikes = 12

// some strikes about so often while everybody comes back, once some have.
func some(homes int) fault.Schedule {
	return fault.Schedule{After: uint64(homes / 10), Rate: float64(strikes) / float64(homes)}
}

// onWire puts in a fault of the wire to the cache; nil if it is no such.
func onWire(p *fault.Proxy, k kind, now fault.Schedule, rng *rand.Rand) *fault.Injection {
	switch k {
	case late:
		return p.Hold(now, rng, cacheTimeout+100*time.Millisecond)
	case lost:
		return p.Drop(now, rng)
	case doubled:
		return p.Duplicate(now, rng)
	case overtaken:
		return p.Swap(now, rng)
	case cancelled:
		return p.Hold(now, rng, 3*cacheTimeout)
	case glued:
		return p.Glue(now, rng)
	}
	return nil
}

// of makes one fault's harm.
func of(in *fault.Injection) *harm {
	return &harm{injected: func() int64 { return int64(in.Injected()) }, end: in.End}
}
