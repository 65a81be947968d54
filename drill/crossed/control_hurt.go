package crossed

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
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
	if k.live = f.Where == fault.InLive; k.live {
		return k.crossRows(ctx, plainOrder{Cross: &s.Rate, Seed: rng.Uint64(), Live: true})
	}
	switch f.Name {
	case "rows crossed":
		return k.crossRows(ctx, plainOrder{Cross: &s.Rate, Seed: rng.Uint64()})
	case "rows in disorder":
		return k.crossRows(ctx, plainOrder{Cross: &s.Rate, Seed: rng.Uint64(), Lose: true})
	case "rows rewritten":
		return k.rewriteRows(ctx, s, rng)
	}
	if change := changes[f.Name]; change != nil {
		return k.changeFiles(s, rng, change)
	}
	return nil, nil
}

// changes are what faults of a store make of a file, beside which another's lies.
var changes = map[string]func(rng *rand.Rand, mine, other []byte) []byte{
	"other object": func(_ *rand.Rand, _, other []byte) []byte { return other },
	"buffer used again": func(_ *rand.Rand, mine, other []byte) []byte {
		b := bytes.Clone(mine)
		copy(b, other)
		return b
	},
	"bit rot": func(rng *rand.Rand, mine, _ []byte) []byte {
		b, bit := bytes.Clone(mine), rng.IntN(8*len(mine))
		b[bit/8] ^= 1 << (bit % 8)
		return b
	},
	"bodies in disorder": func(rng *rand.Rand, mine, other []byte) []byte {
		at := 1 + rng.IntN(len(mine)-1)
		switch rng.IntN(3) {
		case 0:
			return mine[:at]
		case 1:
			return slices.Concat(mine, mine)
		}
		return slices.Concat(mine[:at], other)
	},
}

// share is how many of the homes a schedule strikes.
func (k *control) share(s fault.Schedule) int { return max(2, int(s.Rate*float64(len(k.homes)))) &^ 1 }

// crossRows has answers of the database, or live pictures, change places, or be lost. A
// server that has crashed does so no more.
func (k *control) crossRows(ctx context.Context, o plainOrder) (*harm, error) {
	var none float64
	err := k.keeper.order(o)
	return &harm{
		injected: func() int64 {
			r, _, _ := k.keeper.total(ctx)
			return r.Crossed
		},
		end: func() { _ = k.keeper.order(plainOrder{Cross: &none, Live: o.Live}) }, // or it is down
	}, err
}

// pairs draws so many homes, two by two.
func (k *control) pairs(s fault.Schedule, rng *rand.Rand) []int {
	return rng.Perm(len(k.homes))[:k.share(s)]
}

// changeFiles lays something else under the names of pictures.
func (k *control) changeFiles(s fault.Schedule, rng *rand.Rand, change func(rng *rand.Rand, mine, other []byte) []byte) (*harm, error) {
	drawn := k.pairs(s, rng)
	for i, home := range drawn {
		if err := os.WriteFile(k.file(home), change(rng, k.picture(home), k.picture(drawn[i^1])), 0o600); err != nil {
			return nil, fmt.Errorf("change pictures: %w", err)
		}
	}
	return swapped(len(drawn), func() {
		for _, home := range drawn {
			_ = os.Remove(k.file(home)) // or its people do not see it again
		}
	}), nil
}

// swapped is a harm that is done as a whole, and undone as one.
func swapped(n int, undo func()) *harm {
	var done atomic.Int64
	done.Store(int64(n))
	return &harm{injected: done.Load, end: undo}
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
