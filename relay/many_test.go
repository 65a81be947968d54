package relay_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey/relay"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestManyAtOnce: two cameras whose runs bear the same ID film for five minutes, and
// forty viewers come, read at their own pace, and go, all at the same time. Each is given
// rising numbers of their own stream, from a key fragment on, and after a hole a key
// fragment; who is quicker than the camera has no hole.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, relay.Config{})
		streams := []sealed.Stream{hall, streamOf(2, 1, sealed.MainStream)}
		var all sync.WaitGroup
		ctx, stop := context.WithCancel(context.Background())
		for n := range uint64(40) {
			all.Go(func() { (&visitor{trial: b, of: streams[n%2], nonce: n, slow: n%4 > 1}).stay(ctx, int(n)) })
		}
		synctest.Wait()
		for _, of := range streams {
			in := b.inlet(of)
			all.Go(func() {
				for n := uint32(1); ctx.Err() == nil; n++ {
					if err := in.Take(fragment(of, runOf(1), n, n%30 == 1, 1000)); err != nil {
						t.Error(err)
					}
					time.Sleep(time.Second / 15)
				}
			})
		}
		time.Sleep(5 * time.Minute)
		stop()
		all.Wait()
		if a := b.raised(); len(a) != 0 {
			t.Errorf("alarms %v", a)
		}
		time.Sleep(time.Minute)
		if l := b.Load(); l != (relay.Load{}) {
			t.Errorf("%+v is left", l)
		}
	})
}

// visitor watches a stream again and again.
type visitor struct {
	*trial
	of    sealed.Stream
	nonce uint64
	slow  bool
	given int
}

func (v *visitor) stay(ctx context.Context, seed int) {
	draw := rand.New(rand.NewPCG(uint64(seed), 0))
	holes := 0
	for ctx.Err() == nil {
		until, end := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(1+draw.IntN(60))*time.Second)
		holes += v.visit(until, draw)
		end()
	}
	if v.given < 100 || v.slow != (holes > 0) {
		v.t.Errorf("%d is given %d fragments with %d holes; slow: %v", seed, v.given, holes, v.slow)
	}
}

// visit watches until ctx ends, and returns how many holes there were.
func (v *visitor) visit(ctx context.Context, draw *rand.Rand) (holes int) {
	out, err := v.Watch(ctx, relay.Who{}, v.of)
	if err != nil {
		v.t.Error(err)
		return 0
	}
	defer out.Close()
	v.nonce += 1000
	v.letIn(out, v.of, v.nonce, runOf(1), 1)
	for last := uint32(0); ; v.given++ {
		p, err := out.Next()
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return holes
		}
		f, err := sealed.ParseFragment(p)
		switch {
		case err != nil || f.Stream != v.of:
			v.t.Fatalf("given %s, %v", f, err)
		case f.Sequence <= last || f.Sequence != last+1 && !f.Key:
			v.t.Fatalf("given %d after %d, key: %v", f.Sequence, last, f.Key)
		case last != 0 && f.Sequence != last+1:
			holes++
		}
		last = f.Sequence
		if v.slow {
			time.Sleep(time.Duration(draw.IntN(400)) * time.Millisecond)
		}
	}
}
