package bound

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Tier is a place that keeps values: [Memory] or [Valkey]. What it holds comes out
// through a [Cache] alone, which compares it.
type Tier struct {
	name string
	own  bool // nobody but this process reads and writes it
	open func(setting) (store, error)
}

// setting is what a tier is told by the cache that it is part of.
type setting struct {
	life     time.Duration
	maxValue int
	// outOfStep is called when a source has been sent what nobody asked for.
	outOfStep func(from source, err error)
}

// store is a tier's way to what it keeps. Everything may be used by several goroutines.
type store interface {
	// begin is called once, when the tier is ready to hear of what goes wrong.
	begin()
	// current is what is to be asked now; nil while it is being replaced.
	current() source
	// await is current, but waits for a replacement that is about to be there.
	await(ctx context.Context) source
	// replace throws a source away, with all its connections, and begins to make
	// another. It says whether the source was still the current one.
	replace(from source) bool
	close()
}

// source is one client of a store, from its making until it is thrown away. It believes
// and compares nothing; what get returns is used nowhere but in [tier.look].
type source interface {
	// get returns nil if there is nothing under that name. The bytes are not to be changed.
	get(ctx context.Context, n name) ([]byte, error)
	set(ctx context.Context, n name, v sealedValue) error
	remove(ctx context.Context, n name) error
}

// What a source reports beside what its client does.
var (
	errPanicked  = errors.New("the client has panicked")
	errOutOfStep = errors.New("the other side sent what nobody asked for")
)

// tier is a tier in use.
type tier struct {
	name  string
	store store
	keys  *Keys
	life  time.Duration
	now   func() time.Time
	alarm func(Incident)
	ward  ward
	tally tally
}

// troubled says whether what t should have kept is asked of the origin at present.
func (t *tier) troubled() bool { return !t.ward.calm.Load() || t.store.current() == nil }

// look asks the tier, as of now.
func (t *tier) look(ctx context.Context, q Question, now time.Time) (Answer, verdict) {
	asked, probe := t.ward.admit(now)
	if !asked {
		t.tally.count(unasked)
		return Answer{}, unasked
	}
	from := t.store.await(ctx)
	if from == nil {
		t.tally.count(unasked)
		t.ward.settle(probe, false)
		return Answer{}, unasked
	}
	value, err := from.get(ctx, q.name())
	var r record
	v, err := t.weigh(ctx, q, now, value, err, &r)
	if v >= misrouted {
		if kind, ok := alarming[v]; ok {
			t.report(Incident{Kind: kind, Asked: q, Found: r.question(), Err: err})
		}
		t.strike(from, err)
	}
	if v == fresh && t.store.current() != from {
		v = unasked // it was thrown away meanwhile; whatever it says comes too late
	}
	t.tally.count(v)
	t.ward.settle(probe, v == fresh || v == absent)
	if v != fresh {
		return Answer{}, v
	}
	return r.answer(q), fresh
}

// alarming is what is reported.
var alarming = map[verdict]Kind{misrouted: Misrouted, damaged: Damaged, panicked: Panicked}

// weigh says what a tier's reply is to somebody who asked q, and takes it apart.
func (t *tier) weigh(ctx context.Context, q Question, now time.Time, value []byte, err error, r *record) (verdict, error) {
	if err != nil {
		return weighError(ctx, err), err
	}
	if value == nil {
		return absent, nil
	}
	if err := parse(value, t.keys.current.size(), r); err != nil {
		if errors.Is(err, errVersion) {
			return unknown, nil
		}
		return damaged, err
	}
	return t.keys.judge(q, r, now, t.life), nil
}

func weighError(ctx context.Context, err error) verdict {
	switch {
	case errors.Is(err, errPanicked):
		return panicked
	case errors.Is(err, errMalformed):
		return damaged
	case ctx.Err() != nil:
		return unasked // the caller has gone; that is not the tier's fault
	}
	return failed
}

// strike throws away what has failed. However many reads fail by the same client, it is
// one failure.
func (t *tier) strike(from source, err error) {
	if !t.store.replace(from) {
		return
	}
	t.tally.replaced.Add(1)
	if t.ward.strike(t.now()) {
		t.tally.quarantines.Add(1)
		t.report(Incident{Kind: Quarantined, Err: err})
	}
}

func (t *tier) report(i Incident) {
	i.Tier, i.Time = t.name, t.now()
	t.alarm(i)
}

// outOfStep is called by a source that was sent what nobody had asked for.
func (t *tier) outOfStep(from source, err error) {
	t.tally.outOfStep.Add(1)
	t.report(Incident{Kind: OutOfStep, Err: err})
	t.strike(from, err)
}

// set seals and stores an answer, if the tier may be asked.
func (t *tier) set(ctx context.Context, n name, a Answer) {
	from := t.store.current()
	if from == nil || !t.ward.calm.Load() {
		return
	}
	if err := from.set(ctx, n, sealedValue{t.keys.seal(a), a.Epoch, a.Stored}); err != nil {
		t.writeFailed(ctx, from, err)
	}
}

// remove forgets what is stored under n. A tier that is being replaced or in quarantine
// is asked, too: what it keeps would come back.
func (t *tier) remove(ctx context.Context, n name) error {
	from := t.store.await(ctx)
	if from == nil {
		return errReplacing
	}
	err := from.remove(ctx, n)
	if err != nil {
		t.writeFailed(ctx, from, err)
	}
	return err
}

var errReplacing = errors.New("the tier is being replaced")

// writeFailed counts it. A reply that is no reply to a write is as bad as a wrong value.
func (t *tier) writeFailed(ctx context.Context, from source, err error) {
	t.tally.writes.Add(1)
	v := weighError(ctx, err)
	if kind, ok := alarming[v]; ok {
		t.tally.count(v)
		t.report(Incident{Kind: kind, Err: err})
	}
	if v >= misrouted && !errors.Is(err, errRefused) {
		t.strike(from, err)
	}
}

// errRefused is a reply that says no: the other side is there and in step.
var errRefused = errors.New("the cache refuses")

// How a ward deals with a tier.
const (
	wardStrikes = 5                // so many replacements ...
	wardWindow  = 10 * time.Second // ... within this time are too many
	wardFirst   = time.Second      // the first quarantine; each that follows is twice as long
	wardLongest = time.Minute      // and no longer than that
	wardProbes  = 8                // reads, one at a time, that must be good before the tier is used again
)

// State is how a tier does.
type State string

// The states of a tier.
const (
	Healthy   State = "healthy"
	Replacing State = "replacing"  // its client is being made anew
	Isolated  State = "quarantine" // it is not asked
	Probing   State = "probing"    // it is asked one thing at a time
)

// ward decides whether a tier is asked.
type ward struct {
	calm atomic.Bool // it is healthy

	mu      sync.Mutex // protects what follows
	strikes []time.Time
	until   time.Time     // the end of the quarantine
	span    time.Duration // of the last quarantine
	probing bool          // a probe is under way
	good    int           // probes that went well
}

// admit says whether the tier may be asked, and whether that is a probe. Whoever has
// been admitted calls settle.
func (w *ward) admit(now time.Time) (ok, probe bool) {
	if w.calm.Load() {
		return true, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Before(w.until) || w.probing {
		return false, false
	}
	w.probing = true
	return true, true
}

// settle ends what admit began.
func (w *ward) settle(probe, good bool) {
	if !probe {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.probing = false
	if !good {
		return
	}
	if w.good++; w.good >= wardProbes {
		w.strikes = nil
		w.calm.Store(true)
	}
}

// strike notes a replacement and says whether a quarantine begins with it.
func (w *ward) strike(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calm.Load() {
		w.strikes = append(w.strikes, now)
		for now.Sub(w.strikes[0]) > wardWindow {
			w.strikes = w.strikes[1:]
		}
		if len(w.strikes) < wardStrikes {
			return false
		}
	} else if now.Before(w.until) {
		return false
	}
	w.span = min(2*w.span, wardLongest)
	if now.Sub(w.until) > wardLongest { // or it is the first
		w.span = wardFirst
	}
	w.until = now.Add(w.span)
	w.good = 0
	w.calm.Store(false)
	return true
}

func (w *ward) state(now time.Time) State {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.calm.Load():
		return Healthy
	case now.Before(w.until):
		return Isolated
	}
	return Probing
}
