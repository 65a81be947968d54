package crossed

import (
	"cmp"
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey/drill"
	"github.com/latchkey-cam/latchkey/drill/fault"
)

// outage is the scene in which nothing is worse than an outage is: that replies of the
// cache come later than anybody waits for them.
var outage = fault.Fault{
	ID: "outage", Name: "the outage alone", Does: "Everybody reconnects, the caches are cold, and some replies come later than anybody waits.", Where: fault.OnCache,
	Inject: func(p fault.Parts, s fault.Schedule, rng *rand.Rand) *fault.Injection {
		return p.Cache.Hold(s, rng, p.Patience+p.Patience/2)
	},
}

// catalogue is every scene, in the order in which they are played.
func catalogue() []fault.Fault { return append([]fault.Fault{outage}, fault.Catalogue...) }

// cloud is an arm as a scene sees it.
type cloud interface {
	// begin puts everything back to how it was, with cold caches and no connections.
	begin(ctx context.Context) error
	// hurt begins to put a fault in. Nil: this cloud has no place for it.
	hurt(ctx context.Context, f fault.Fault, s fault.Schedule, rng *rand.Rand) (*harm, error)
	// visit has the person of a home open their page.
	visit(ctx context.Context, home int) visit
	// record has the camera of a home record something. If the home changes a camera is
	// sold, or somebody comes and goes; what they saw comes back.
	record(ctx context.Context, home int, changes bool) []visit
	// counts are since begin.
	counts(ctx context.Context) counts
}

// harm is a fault under way.
type harm struct {
	injected func() int64 // so far
	end      func()       // no more of it
}

// counts is what a cloud counts of itself.
type counts struct {
	misses, originReads, crashes int64
	alarm                        time.Time // the first of its own checks that spoke up; zero: none
}

// How a scene goes.
const (
	people      = 64                     // who look at the same time
	looks       = 2                      // of each of them, while everybody comes back
	recordEvery = 4                      // of so many cameras one records meanwhile
	changeEvery = 8                      // of so many that record, one's home changes
	strikes     = 12                     // about so often a fault strikes
	healsWithin = 3 * time.Second        // or not at all; and for each of the crowd
	healsOne    = 2 * time.Millisecond   // as much longer, because all of them may have to look again
	healsLive   = 10                     // times that, and two [watches], where they look at cameras
	looksAfter  = 100 * time.Millisecond // and again after twice as long, until it has healed, and at the end
	sample      = 32                     // people who look then, beside those who had missed something
	fewest      = 100                    // homes that come back in a scene, if there are so many
)

// schedule says how often a fault strikes in a scene of so many people: a dozen times at
// least. One on the cache's wire breaks what comes after it as well, and need not strike
// more often in a larger crowd. News is rare.
func schedule(f fault.Fault, crowd int) fault.Schedule {
	s, least := f.Usual, min(1, strikes/float64(crowd))
	switch {
	case f.Where == fault.OnBus:
		s.Rate = 1
	case f.Where == fault.OnCache && s.Rate < strikes/300.:
		s = fault.Schedule{After: uint64(crowd / 10), Rate: least}
	default:
		s.Rate = max(s.Rate, least)
	}
	return s
}

// crowd is who comes back in the n-th scene: everybody in the first, and then another
// tenth, or a few hundred.
func crowd(homes, n int, seed uint64) []int {
	all := rand.New(rand.NewPCG(seed, 1)).Perm(homes)
	if n == 0 {
		return all
	}
	size := min(homes, max(fewest, homes/10))
	var some []int
	for i := range size {
		some = append(some, all[((n-1)*size+i)%homes])
	}
	return some
}

// play plays one scene in a cloud, and leaves what was seen with m. Nil: it has no place
// there.
func play(ctx context.Context, c cloud, m *meter, crowd []int, f fault.Fault, seed uint64) (*Scene, error) {
	rng := rand.New(rand.NewPCG(seed, uint64(crowd[0])))
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	h, err := c.hurt(ctx, f, schedule(f, len(crowd)), rng)
	if h == nil || err != nil {
		return nil, err
	}
	began := time.Now()
	m.over.began = began
	first, stop := h.first(ctx)
	storm(ctx, c, m, rng, crowd)
	h.end()
	ended := time.Now()
	stop()
	from := time.UnixMicro(cmp.Or(first.Load(), began.UnixMicro()))
	healed := heal(ctx, c, m, rng, crowd, patience(len(crowd), f.Where == fault.InLive))
	n := c.counts(ctx)
	figures := m.figures
	figures.Injected, figures.Misses, figures.OriginReads, figures.Crashes = h.injected(), n.misses, n.originReads, n.crashes
	figures.NoticedMS, figures.HealedMS = since(from, n.alarm), since(ended, healed)
	return &Scene{Homes: len(crowd), Fault: f.ID, Name: f.Name, Says: f.Does, live: f.Where == fault.InLive, Figures: figures}, ctx.Err()
}

// first notes when the first fault was put in, until stop is called.
func (h *harm) first(ctx context.Context) (at *atomic.Int64, stop func()) {
	at = new(atomic.Int64)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil && at.Load() == 0 {
			if h.injected() > 0 {
				at.Store(time.Now().UnixMicro())
			}
			pause(ctx, time.Millisecond)
		}
	}()
	return at, func() { cancel(); <-done }
}

// storm is how everybody comes back at the same time: people open their pages, and
// cameras bring what they have recorded meanwhile.
func storm(ctx context.Context, c cloud, m *meter, rng *rand.Rand, crowd []int) {
	looking := looks * len(crowd)
	order := rng.Perm(looking + len(crowd)/recordEvery)
	_ = drill.Each(ctx, len(order), people, func(int) {}, func(ctx context.Context, i int) error {
		n := order[i]
		if n < looking {
			m.count(c.visit(ctx, crowd[n%len(crowd)]))
			return nil
		}
		for _, v := range c.record(ctx, crowd[n-looking], (n-looking)%changeEvery == 0) {
			m.count(v)
		}
		return nil
	}) // nothing of it fails
}

// patience is how long a crowd may take until all of it has seen its own again.
func patience(crowd int, live bool) time.Duration {
	all := time.Duration(crowd) * healsOne
	if live {
		return healsWithin + 2*watches + healsLive*all
	}
	return healsWithin + all
}

// heal waits until everybody has seen their own again, and says when; zero: not within
// that time.
func heal(ctx context.Context, c cloud, m *meter, rng *rand.Rand, crowd []int, within time.Duration) time.Time {
	end := time.Now().Add(within)
	for wait := looksAfter; ctx.Err() == nil; wait *= 2 {
		look := m.dirty()
		for _, i := range rng.Perm(len(crowd))[:min(sample, len(crowd))] {
			look = append(look, crowd[i])
		}
		_ = drill.Each(ctx, len(look), people, func(int) {}, func(ctx context.Context, i int) error {
			m.count(c.visit(ctx, look[i]))
			return nil
		}) // nothing of it fails
		if len(m.dirty()) == 0 {
			return time.Now()
		}
		left := time.Until(end)
		if left <= 0 {
			break
		}
		pause(ctx, min(wait, left))
	}
	return time.Time{}
}
