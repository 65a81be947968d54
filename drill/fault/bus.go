package fault

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/bus"
)

// Bus puts faults into what buses carry.
type Bus struct {
	faults point[misdeed]
	homes  others[latchkey.HomeID, struct{}]
}

// Cross delivers news where that of another home goes, and not where it belongs.
func (b *Bus) Cross(s Schedule, rng *rand.Rand) *Injection {
	return b.faults.put(s, rng, crossed)
}

// Disorder has news be lost, come twice, come behind what was published later, or name
// another home than the one under which it comes.
func (b *Bus) Disorder(s Schedule, rng *rand.Rand) *Injection {
	return b.faults.put(s, rng, disordered)
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
	other, ok := c.b.homes.than(home)
	for _, f := range c.b.faults.active() {
		switch {
		case !ok || !f.in.strikes():
			continue
		case f.what == crossed:
			return c.Bus.Publish(ctx, other.key, n)
		}
		return c.disorder(ctx, f.in, home, other.key, n)
	}
	return c.Bus.Publish(ctx, home, n)
}

func (c crossedBus) disorder(ctx context.Context, in *Injection, home, other latchkey.HomeID, n bus.News) error {
	switch in.draw(4) {
	case 0:
		return nil
	case 1:
		return errors.Join(c.Bus.Publish(ctx, home, n), c.Bus.Publish(ctx, home, n))
	case 2:
		time.AfterFunc(late, func() { _ = c.Bus.Publish(context.WithoutCancel(ctx), home, n) }) // nobody waits for it
		return nil
	}
	n.Home = other
	return c.Bus.Publish(ctx, home, n)
}
