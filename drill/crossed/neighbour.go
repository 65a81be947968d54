package crossed

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey/bound"
)

// neighbour is another server of the same cloud. It reads from the same cache, so that
// there are two connections to be crossed, and two who could get what is the other's.
type neighbour struct {
	cache   *bound.Cache
	stop    context.CancelFunc
	done    sync.WaitGroup
	foreign atomic.Int64 // answers to another question that it was given
}

func newNeighbour(c *bound.Cache) *neighbour {
	n := &neighbour{cache: c}
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	for i := range 4 {
		n.done.Go(func() { n.read(ctx, i) })
	}
	return n
}

func (n *neighbour) close() error {
	n.stop()
	n.done.Wait()
	return n.cache.Close()
}

func (n *neighbour) read(ctx context.Context, i int) {
	for ctx.Err() == nil {
		q := floodQuestion(i)
		if a, err := n.cache.Get(ctx, q, floodOrigin); err == nil && string(a.Bytes) != floodAnswer(q) {
			n.foreign.Add(1)
		}
		pause(ctx, 5*time.Millisecond)
	}
}
