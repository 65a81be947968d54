package crossed

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// scene is the outage with one kind of fault in it.
type scene struct {
	id   string
	kind kind
	says string
}

// kind is what is done in a scene.
type kind int

// outage is the scene without a fault beside what an outage is.
var outage = scene{"outage", late, "Everything reconnects, the caches are cold, and their replies come later than anybody waits."}

// cloud is an arm as a scene sees it.
type cloud interface {
	// begin puts everything back to how it was, with cold caches and no connections.
	begin(ctx context.Context) error
	// hurt begins to put a fault in. Nil: this cloud has no place for it.
	hurt(ctx context.Context, s scene, rng *rand.Rand) (*harm, error)
	// visit has the person of a home open their page.
	visit(ctx context.Context, home int) visit
	// record has the camera of a home record something.
	record(ctx context.Context, home int) error
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
	recordEvery = 4                      // of so many cameras one records while everybody comes back
	healsWithin = 5 * time.Second        // or not at all
	looksAfter  = 100 * time.Millisecond // and again after twice as long, until it has healed
	sample      = 200                    // people who look then, beside those who had missed something
)

// play plays one scene in a cloud. Nil: it has no place there.
func play(ctx context.Context, c cloud, homes int, s scene, seed uint64) (*Scene, error) {
	rng := rand.New(rand.NewPCG(seed, uint64(s.kind)))
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	h, err := c.hurt(ctx, s, rng)
	if h == nil || err != nil {
		return nil, err
	}
	m := newMeter(seed)
	began := time.Now()
	first, stop := h.first(ctx)
	storm(ctx, c, m, rng, homes)
	h.end()
	stop()
	from := began
	if at := first.Load(); at != 0 {
		from = time.UnixMicro(at)
	}
	healed := heal(ctx, c, m, rng, homes)
	n := c.counts(ctx)
	f := m.figures
	f.Injected, f.Misses, f.OriginReads, f.Crashes = h.injected(), n.misses, n.originReads, n.crashes
	f.NoticedMS, f.HealedMS = since(from, n.alarm), since(from, healed)
	return &Scene{Fault: s.id, Says: s.says, Figures: f}, ctx.Err()
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
func storm(ctx context.Context, c cloud, m *meter, rng *rand.Rand, homes int) {
	order := rng.Perm(homes + homes/recordEvery)
	_ = each(ctx, len(order), people, func(int) {}, func(ctx context.Context, i int) error {
		if n := order[i]; n < homes {
			m.count(c.visit(ctx, n))
		} else {
			_ = c.record(ctx, (n-homes)*recordEvery) // the camera keeps what nobody took
		}
		return nil
	}) // nothing of it fails
}

// heal waits until everybody sees their own again, and says since when; zero: they do not.
func heal(ctx context.Context, c cloud, m *meter, rng *rand.Rand, homes int) time.Time {
	wait := looksAfter
	for end := time.Now().Add(healsWithin); time.Now().Before(end) && ctx.Err() == nil; wait *= 2 {
		began := time.Now()
		look := append(m.dirty(), rng.Perm(homes)[:min(sample, homes)]...)
		_ = each(ctx, len(look), people, func(int) {}, func(ctx context.Context, i int) error {
			m.count(c.visit(ctx, look[i]))
			return nil
		}) // nothing of it fails
		if len(m.dirty()) == 0 {
			return began
		}
		pause(ctx, wait)
	}
	return time.Time{}
}
