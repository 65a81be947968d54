package fault

import (
	"context"
	"math/rand/v2"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/bus"
)

// Bus puts faults into what buses carry.
type Bus struct {
	faults point[struct{}]
	homes  others[latchkey.HomeID, struct{}]
}

// Cross delivers news where that of another home goes, and not where it belongs.
func (b *Bus) Cross(s Schedule, rng *rand.Rand) *Injection {
	return b.faults.put(s, rng, struct{}{})
}

// Wrap returns a bus whose news passes here.
func (b *Bus) Wrap(inner bus.Bus) bus.Bus { return crossedBus{inner, b} }

type crossedBus struct {
	bus.Bus
	b *Bus
}

// Publish is [bus.Bus]'s.
func (c crossedBus) Publish(ctx context.Context, home latchkey.HomeID, n bus.News) error {
	c.b.homes.note(home, struct{}{})
	if other, ok := c.b.homes.than(home); ok {
		for _, f := range c.b.faults.active() {
			if f.in.strikes() {
				return c.Bus.Publish(ctx, other.key, n)
			}
		}
	}
	return c.Bus.Publish(ctx, home, n)
}
