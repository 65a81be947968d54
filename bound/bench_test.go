package bound_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/latchkey-cam/latchkey/bound"
)

// BenchmarkMemory is a verified read within the process.
func BenchmarkMemory(b *testing.B) {
	for _, size := range []int{256, 8 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c := open(b, bound.Config{Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{})}, Life: time.Hour})
			o := sized(size)
			if _, err := c.Get(b.Context(), thumbnails, o); err != nil {
				b.Fatal(err)
			}
			until(b, "the value is stored", func() bool {
				_, err := c.Get(b.Context(), thumbnails, o)
				return err == nil && c.Stats().Tiers[0].Hits > 0
			})
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Get(b.Context(), thumbnails, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// sized is an origin whose answers have so many bytes.
func sized(n int) bound.Origin {
	return func(_ context.Context, q bound.Question) (bound.Answer, error) {
		return bound.Answer{Scope: q.Scope, Key: q.Key, Codec: q.Codec, Bytes: make([]byte, n)}, nil
	}
}

// How the verified read through Redis is measured: slices of time in turn with the raw
// client, so that whatever else the machine does hurts both.
const (
	rounds = 40
	slice  = 100 * time.Millisecond
	width  = 300
	spread = 1000
)

// BenchmarkValkey is a verified read through a real server, beside the raw client, by as
// many as ask at the same time.
func BenchmarkValkey(b *testing.B) {
	for _, readers := range []int{128, 16, 2} {
		b.Run(fmt.Sprint(readers), func(b *testing.B) { benchmarkValkey(b, readers) })
	}
}

func benchmarkValkey(b *testing.B, readers int) {
	address := redis(b)
	c := open(b, bound.Config{Life: time.Hour, Tiers: []bound.Tier{bound.Valkey(bound.ValkeyConfig{URL: "redis://" + address, Patience: 5 * time.Second})}})
	ctx, raw, single := b.Context(), client(b, address, 0), client(b, address, -1)
	questions, keys := make([]bound.Question, spread), make([]string, spread)
	for i := range spread {
		questions[i], keys[i] = home(i), fmt.Sprintf("plain:1:%d:home/%d:thumbnails", len(home(i).Scope), i) // as long as ours
		if _, err := c.Get(ctx, questions[i], sized(width)); err != nil {
			b.Fatal(err)
		}
		if err := raw.Do(ctx, raw.B().Set().Key(keys[i]).Value(valkey.BinaryString(make([]byte, width))).Build()).Error(); err != nil {
			b.Fatal(err)
		}
	}
	until(b, "everything is stored", func() bool { return stored(b, address, "bound") == spread })
	missing := func(context.Context, bound.Question) (bound.Answer, error) {
		b.Error("a read went to the origin")
		return bound.Answer{}, context.Canceled
	}
	verified := func(i int) error {
		_, err := c.Get(ctx, questions[i], missing)
		return err
	}
	plain := func(c valkey.Client) func(i int) error {
		return func(i int) error {
			_, err := c.Do(ctx, c.B().Get().Key(keys[i]).Build()).AsBytes()
			return err
		}
	}
	for b.Loop() {
		var ours, theirs, singles, ofRaw, ofSingle []float64
		for range rounds {
			x, y, z := rate(b, readers, verified), rate(b, readers, plain(raw)), rate(b, readers, plain(single))
			ours, theirs, singles = append(ours, x), append(theirs, y), append(singles, z)
			ofRaw, ofSingle = append(ofRaw, x/y), append(ofSingle, x/z)
		}
		b.ReportMetric(median(ours), "reads/s")
		b.ReportMetric(median(theirs), "raw-reads/s")
		b.ReportMetric(median(ofRaw), "of-raw")
		b.ReportMetric(median(singles), "single-reads/s")
		b.ReportMetric(median(ofSingle), "of-single")
	}
}

// client is the raw client as it comes, or with one connection, like ours.
func client(b *testing.B, address string, multiplex int) valkey.Client {
	c, err := valkey.NewClient(valkey.ClientOption{InitAddress: []string{address}, DisableCache: true, ForceSingleClient: true, PipelineMultiplex: multiplex})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return c
}

// rate is how often a second the readers together can do something.
func rate(b *testing.B, readers int, read func(i int) error) float64 {
	var done atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for reader := range readers {
		all.Go(func() {
			n := 0
			for ; time.Since(began) < slice; n++ {
				if err := read((n*7 + reader*31) % spread); err != nil {
					b.Error(err)
					return
				}
			}
			done.Add(int64(n))
		})
	}
	all.Wait()
	return float64(done.Load()) / time.Since(began).Seconds()
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}
