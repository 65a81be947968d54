package bound

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a cache is made of.
type Config struct {
	// Keys are what values are sealed under.
	Keys *Keys
	// Tiers are where values are kept, the nearest first. With none, questions that
	// are asked at the same time still share one read of the origin.
	Tiers []Tier
	// Life is for how long a value answers, from when the origin was asked; the
	// reader measures it. 0: a minute.
	Life time.Duration
	// MaxValue is the most bytes an answer may have to be kept; a longer one is
	// handed out and not stored. 0: 1 MiB.
	MaxValue int
	// MaxFlights is how many questions the origin is asked at the same time. 0: 1024.
	MaxFlights int
	// OriginTimeout is how long a read of the origin may take; it goes on when the
	// caller who began it has gone. 0: 5 s.
	OriginTimeout time.Duration
	// BudgetRate is how many reads a second the origin is asked for at most while a
	// tier is being replaced or in quarantine, and BudgetBurst how many at once. What
	// is above it is [ErrBusy]. 0: 200 and 400.
	BudgetRate, BudgetBurst int
	// Alarm is told of each incident, from one goroutine. Incidents that come faster
	// than it takes them are counted and lost ([Stats.LostAlarms]). nil: nobody is.
	Alarm func(Incident)
	// Now is the clock. nil: [time.Now].
	Now func() time.Time
}

func (c *Config) fill() {
	set := func(n *int, value int) {
		if *n == 0 {
			*n = value
		}
	}
	if c.Life == 0 {
		c.Life = time.Minute
	}
	if c.OriginTimeout == 0 {
		c.OriginTimeout = 5 * time.Second
	}
	set(&c.MaxValue, 1<<20)
	set(&c.MaxFlights, 1024)
	set(&c.BudgetRate, 200)
	set(&c.BudgetBurst, 2*c.BudgetRate)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Alarm == nil {
		c.Alarm = func(Incident) {}
	}
}

// Cache answers questions from its tiers, and asks the origin for what they do not know.
// Everything may be used by several goroutines.
type Cache struct {
	config Config
	tiers  []*tier
	budget *budget
	tally  reads
	alarms chan Incident
	cost   atomic.Int64 // of a read of the origin: a moving average, nanoseconds

	seed  maphash.Seed
	turns [256]turn // of names by their hash

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	done sync.WaitGroup

	mu       sync.Mutex // protects what follows
	closed   bool
	flights  map[flightKey]*flight
	watchers map[*func(Incident)]bool
}

// turn is moved on by Forget: what was read before is not stored after.
type turn struct {
	sync.RWMutex // held for writing while something is forgotten, for reading while something is stored
	now          atomic.Uint64
	landed       atomic.Uint64 // reads of the origin that have ended
}

// incidents is how many wait to be told.
const incidents = 256

// New makes a cache. A tier that cannot be reached does not stop it.
func New(c Config) (*Cache, error) {
	if c.Keys == nil {
		return nil, errors.New("make a cache: it has no keys")
	}
	c.fill()
	cache := &Cache{
		config: c, budget: newBudget(c.BudgetRate, c.BudgetBurst, c.Now()),
		alarms: make(chan Incident, incidents), seed: maphash.MakeSeed(), flights: map[flightKey]*flight{},
		watchers: map[*func(Incident)]bool{&c.Alarm: true},
	}
	cache.ctx, cache.stop = context.WithCancel(context.Background())
	for _, made := range c.Tiers {
		t := &tier{name: made.name, keys: c.Keys, life: c.Life, now: c.Now, alarm: cache.alarm}
		if made.own {
			t.keys = &Keys{current: newOwnKey()}
		}
		t.ward.calm.Store(true)
		var err error
		if t.store, err = made.open(setting{c.Life, c.MaxValue + overhead + maxScope + maxKey, t.outOfStep}); err != nil {
			return nil, errors.Join(fmt.Errorf("make a cache: %w", err), cache.Close())
		}
		cache.tiers = append(cache.tiers, t)
		t.store.begin()
	}
	cache.done.Go(cache.tell)
	return cache, nil
}

// Close stops what is under way. It waits for reads of the origin, and tells what
// incidents there are still to tell.
func (c *Cache) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.done.Wait()
	for _, t := range c.tiers {
		t.store.close()
	}
	return nil
}

// alarm passes an incident on, without waiting for anybody.
func (c *Cache) alarm(i Incident) {
	select {
	case c.alarms <- i:
	default:
		c.tally.lostAlarms.Add(1)
	}
}

func (c *Cache) tell() {
	for {
		select {
		case i := <-c.alarms:
			c.tellOf(i)
		case <-c.ctx.Done():
			for len(c.alarms) > 0 {
				c.tellOf(<-c.alarms)
			}
			return
		}
	}
}

func (c *Cache) tellOf(i Incident) {
	c.mu.Lock()
	watchers := slices.Collect(maps.Keys(c.watchers))
	c.mu.Unlock()
	for _, w := range watchers {
		(*w)(i)
	}
}

// Watch has somebody else told of each incident as [Config]'s Alarm is, until stop is
// called.
func (c *Cache) Watch(alarm func(Incident)) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers[&alarm] = true
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watchers, &alarm)
	}
}

// Get answers q: from the nearest tier that knows, or from the origin. The answer is
// never one to another question nor of an epoch below q.Floor. It returns
// when ctx ends; a read of the origin goes on for those who wait for it, too.
func (c *Cache) Get(ctx context.Context, q Question, origin Origin) (Answer, error) {
	if err := q.check(); err != nil {
		return Answer{}, err
	}
	turn := c.turn(q.name())
	k := flightKey{q, turn.now.Load()}
	suspect := false
	for once := true; ; once = false {
		// Whoever lands between the look and the boarding has stored what is looked for.
		landed := turn.landed.Load()
		now := c.config.Now()
		a, seen := c.look(ctx, k, now)
		if seen == fresh {
			if c.early(now.Sub(a.Stored)) {
				c.refresh(k, origin)
			}
			return a, nil
		}
		suspect = suspect || seen == misrouted || seen == damaged
		a, err := c.fetch(ctx, k, origin, func() bool { return once && turn.landed.Load() != landed })
		if errors.Is(err, errLanded) {
			continue
		}
		if err != nil && suspect {
			// Nothing was put over the wrong value. It would cost the next reader its client.
			for _, t := range c.tiers {
				_ = t.remove(ctx, q.name())
			}
		}
		return a, err
	}
}

// look asks the tiers, the nearest first, and gives what it finds to those that are
// nearer. Otherwise it says what was found instead, the worst of it.
func (c *Cache) look(ctx context.Context, k flightKey, now time.Time) (Answer, verdict) {
	worst := absent
	for i, t := range c.tiers {
		a, v := t.look(ctx, k.q, now)
		if v != fresh {
			if v == misrouted || v == damaged {
				worst = v
			}
			continue
		}
		for _, nearer := range c.tiers[:i] {
			c.keep(ctx, nearer, k, a)
		}
		return a, fresh
	}
	return Answer{}, worst
}

// Forget makes q be asked anew, whatever its floor: what the tiers keep of it is
// removed, and what is being read at present is stored nowhere. An error says that a
// tier could not be reached and may answer as before until the value's life ends; a
// floor is what stops that.
func (c *Cache) Forget(ctx context.Context, q Question) error {
	if err := q.check(); err != nil {
		return err
	}
	n := q.name()
	turn := c.turn(n)
	turn.Lock()
	defer turn.Unlock()
	turn.now.Add(1)
	var errs []error
	for _, t := range c.tiers {
		if err := t.remove(ctx, n); err != nil {
			errs = append(errs, fmt.Errorf("forget %s of %s in %s: %w", q.Key, q.Scope, t.name, err))
		}
	}
	return errors.Join(errs...)
}

func (c *Cache) turn(n name) *turn {
	return &c.turns[maphash.Comparable(c.seed, n)%uint64(len(c.turns))]
}

// keep stores a value that was read in k's turn, if nothing was forgotten since.
func (c *Cache) keep(ctx context.Context, t *tier, k flightKey, a Answer) {
	turn := c.turn(k.q.name())
	turn.RLock()
	defer turn.RUnlock()
	if turn.now.Load() == k.turn {
		t.set(ctx, k.q.name(), a)
	}
}

// early says whether an answer is asked for anew before it expires, so that not
// everybody finds it expired at the same moment: the likelier the nearer its end is, in
// units of what a read costs (Vattani and others, VLDB 2015).
func (c *Cache) early(age time.Duration) bool {
	left := c.config.Life - age
	cost := time.Duration(c.cost.Load())
	if left > 40*cost { // -ln of the least random number
		return false
	}
	return -math.Log(1-rand.Float64())*float64(cost) >= float64(left)
}

// troubled says whether a tier is out of order, so that the origin is asked more than it
// is used to.
func (c *Cache) troubled() bool {
	for _, t := range c.tiers {
		if t.troubled() {
			return true
		}
	}
	return false
}
