package server

import (
	"context"
	"errors"
	"strconv"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/bound"
	"github.com/latchkey-cam/latchkey/internal/wire"
	"github.com/latchkey-cam/latchkey/strain"
)

// What is kept of a home in the cache is what somebody has signed, sealed or written
// down: deeds, rows of the index, small objects, sessions. It is never a verdict: who may
// see what is folded from the deeds for each request, whoever has brought them.
//
// Each question begins with the home, and has a floor that follows from the home's head:
// nothing that was read before the chain grew answers it, and no session that was read
// before somebody signed in or was signed out. It has the restore since which the archive
// is what it is as well, since a backup's numbers begin again where it was made.

// kept asks the cache, and through it the archive and the blobs. Nil asks them itself.
type kept struct {
	cache      *bound.Cache
	generation string // of the archive, before every key
	alarm      *alarm
}

func newKept(cache *bound.Cache, generation latchkey.Time, a *alarm) *kept {
	if cache == nil {
		return nil
	}
	return &kept{cache, strconv.FormatUint(uint64(generation), 10) + "/", a}
}

// watch begins to tell of what goes wrong in the cache, and to count what it does.
func (k *kept) watch(c *counters) (stop func()) {
	if k == nil {
		return func() {}
	}
	c.registry.MustRegister(cacheCounters{k.cache})
	return k.cache.Watch(k.alarm.incident)
}

// form is one kind of what is kept: how it is written, and how what was read says itself
// which question it answers.
type form[T any] struct {
	codec uint16 // another format gets another number
	says  func(v T) (home latchkey.HomeID, what string)
	floor func(h archive.HomeHead) uint64 // what must be counted in what answers
	fit   func(v T) bool                  // to be kept
	write func(w *wire.Writer, v T)
	read  func(r *wire.Reader) T
}

// errUnfit says that what was read is not to be kept. Whoever asks reads it for
// themselves, and judges.
var errUnfit = errors.New("not fit to be kept")

// ask answers what is asked of a home whose chain ends at head: from the cache, or by
// read, which then begins after the head was known.
func ask[T any](ctx context.Context, k *kept, head archive.HomeHead, f form[T], what string, read func(ctx context.Context) (T, error)) (T, error) {
	if k == nil {
		return read(ctx)
	}
	floor := f.floor(head)
	q := k.question(head.Home, f.codec, what, floor)
	a, err := k.cache.Get(ctx, q, func(ctx context.Context, _ bound.Question) (bound.Answer, error) {
		v, err := read(ctx)
		if err != nil {
			return bound.Answer{}, err
		}
		if !f.fit(v) {
			return bound.Answer{}, errUnfit
		}
		home, what := f.says(v)
		is := k.question(home, f.codec, what, floor)
		var w wire.Writer
		f.write(&w, v)
		return bound.Answer{Scope: is.Scope, Key: is.Key, Codec: is.Codec, Epoch: is.Floor, Bytes: w.Bytes()}, nil
	})
	if errors.Is(err, bound.ErrCrossed) || errors.Is(err, errUnfit) {
		return read(ctx)
	} else if err != nil {
		var none T
		return none, err
	}
	r := wire.NewReader(a.Bytes)
	v := f.read(r)
	if err := r.Done(); err != nil {
		k.alarm.log.Error("corrupt", "where", "cache", "key", q.Key, "error", err)
		k.forget(ctx, head.Home, f.codec, what)
		return read(ctx)
	}
	return v, nil
}

func (k *kept) question(home latchkey.HomeID, codec uint16, what string, floor uint64) bound.Question {
	return bound.Question{Scope: "home/" + home.String(), Key: k.generation + what, Codec: codec, Floor: floor}
}

// forget has the archive asked the next time. If that fails, what is kept runs out.
func (k *kept) forget(ctx context.Context, home latchkey.HomeID, codec uint16, what string) {
	if k == nil {
		return
	}
	if err := k.cache.Forget(ctx, k.question(home, codec, what, 0)); err != nil && ctx.Err() == nil {
		k.alarm.log.Warn("the cache does not forget", "error", err)
	}
}

// strain is whether archive and blobs are asked more than their budget allows, because the
// cache answers too little.
func (k *kept) strain() strain.Measure {
	var before uint64
	return strain.Measure{Name: "cache", Level: func() float64 {
		if k == nil {
			return 0
		}
		refused := k.cache.Stats().Refused
		defer func() { before = refused }()
		return float64(min(refused-before, 1))
	}}
}
