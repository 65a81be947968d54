package fault

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Bus puts faults into what buses carry.
type Bus struct {
	faults point[misdeed]
	homes  others[latchkey.HomeID, struct{}]

	live    point[mixUp]
	streams others[sealed.Stream, []byte]
}

// mixUp is what becomes of a live fragment, beside which another stream's newest is known.
type mixUp func(of, other sealed.Stream, theirs []byte, m *bus.Live) (under sealed.Stream)

// CrossLive delivers live fragments where those of another stream go, and not where they
// belong.
func (b *Bus) CrossLive(s Schedule, rng *rand.Rand) *Injection {
	return b.live.put(s, rng, func(_, other sealed.Stream, _ []byte, _ *bus.Live) sealed.Stream { return other })
}

// ExchangeLive delivers, under a stream and in its name, a fragment of another one.
func (b *Bus) ExchangeLive(s Schedule, rng *rand.Rand) *Injection {
	return b.live.put(s, rng, func(of, _ sealed.Stream, theirs []byte, m *bus.Live) sealed.Stream {
		m.Bytes = theirs
		return of
	})
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

// Send is [bus.Streams]'.
func (c crossedBus) Send(ctx context.Context, of sealed.Stream, m bus.Live) error {
	if m.Kind != bus.Fragment {
		return c.Bus.Send(ctx, of, m)
	}
	c.b.streams.note(of, m.Bytes)
	if other, ok := c.b.streams.than(of); ok {
		for _, f := range c.b.live.active() {
			if f.in.strikes() {
				of = f.what(of, other.key, other.value, &m)
				break
			}
		}
	}
	return c.Bus.Send(ctx, of, m)
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
