package crossed

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"

	"github.com/latchkey-cam/latchkey/drill/fault"
)

// hurt puts a fault in where this architecture has a place for it.
func (k *control) hurt(ctx context.Context, f fault.Fault, s fault.Schedule, rng *rand.Rand) (*harm, error) {
	parts := fault.Parts{Cache: k.wire, Pages: k.edge, Patience: cacheTimeout}
	if in := f.Inject(parts, s, rng); in != nil {
		return &harm{injected: func() int64 { return int64(in.Injected()) }, end: in.End}, nil
	}
	if k.config.KeyedOnly {
		return nil, nil
	}
	switch {
	case f.ID == "F10":
		return k.crossRows(ctx, s, rng)
	case f.ID == "F13":
		return k.swapFiles(s, rng)
	case f.ID == "F16":
		return k.rewriteRows(ctx, s, rng)
	}
	return nil, nil
}

// share is how many of the homes a schedule strikes.
func (k *control) share(s fault.Schedule) int { return max(2, int(s.Rate*float64(len(k.homes)))) &^ 1 }

// crossRows has answers of the database change places. A server that has crashed does so
// no more.
func (k *control) crossRows(ctx context.Context, s fault.Schedule, rng *rand.Rand) (*harm, error) {
	var none float64
	err := k.keeper.order(plainOrder{Cross: &s.Rate, Seed: rng.Uint64()})
	return &harm{
		injected: func() int64 {
			r, _, _ := k.keeper.total(ctx)
			return r.Crossed
		},
		end: func() { _ = k.keeper.order(plainOrder{Cross: &none}) }, // or it is down
	}, err
}

// pairs draws so many homes, two by two.
func (k *control) pairs(s fault.Schedule, rng *rand.Rand) []int {
	return rng.Perm(len(k.homes))[:k.share(s)]
}

// swapFiles has pictures lie under each other's names.
func (k *control) swapFiles(s fault.Schedule, rng *rand.Rand) (*harm, error) {
	drawn := k.pairs(s, rng)
	if err := k.swapAll(drawn); err != nil {
		return nil, err
	}
	return swapped(len(drawn), func() { _ = k.swapAll(drawn) }), nil // each twice is as it was
}

// swapped is a harm that is done as a whole, and undone as one.
func swapped(n int, undo func()) *harm {
	var done atomic.Int64
	done.Store(int64(n))
	return &harm{injected: done.Load, end: undo}
}

func (k *control) swapAll(drawn []int) error {
	for i := 0; i < len(drawn); i += 2 {
		a, b := k.file(drawn[i]), k.file(drawn[i+1])
		aside := a + ".aside"
		for _, move := range [][2]string{{a, aside}, {b, a}, {aside, b}} {
			if err := os.Rename(move[0], move[1]); err != nil {
				return fmt.Errorf("swap pictures: %w", err)
			}
		}
	}
	return nil
}

// rewriteRows files events under each other's accounts, and says so of the devices.
func (k *control) rewriteRows(ctx context.Context, s fault.Schedule, rng *rand.Rand) (*harm, error) {
	drawn := k.pairs(s, rng)
	remap := func(theirs bool) error {
		for i := range drawn {
			user, device := userName(drawn[i]), deviceName(drawn[i])
			if theirs {
				user = userName(drawn[i^1])
			}
			for _, table := range []string{"devices", "events"} {
				if _, err := k.db.ExecContext(ctx, `UPDATE `+table+` SET user = ? WHERE device = ?`, user, device); err != nil {
					return fmt.Errorf("rewrite rows: %w", err)
				}
			}
		}
		return nil
	}
	return swapped(len(drawn), func() { _ = remap(false) }), remap(true) // the next scene begins anew
}
