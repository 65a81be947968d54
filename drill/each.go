package drill

import (
	"context"
	"sync"
	"sync/atomic"
)

// Each does something for each number below n, on so many goroutines, until one fails, and
// tells how many are done.
func Each(ctx context.Context, n, workers int, tell func(done int), do func(ctx context.Context, i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next, done atomic.Int64
	var work sync.WaitGroup
	for range min(workers, n) {
		work.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(ctx, i); err != nil {
					stop(err)
					return
				}
				tell(int(done.Add(1)))
			}
		})
	}
	work.Wait()
	return context.Cause(ctx)
}
