package bound

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// MemoryConfig is how much a [Memory] tier keeps.
type MemoryConfig struct {
	// Bytes is how much the values may take, their questions included. 0: 64 MiB.
	Bytes uint64
}

// entryOverhead is about what an entry costs beside its bytes.
const entryOverhead = 128

// Memory is a tier within the process. What it keeps is sealed and compared like
// anything else: a wrong pointer or a bit that has flipped is found out.
func Memory(c MemoryConfig) Tier {
	if c.Bytes == 0 {
		c.Bytes = 64 << 20
	}
	return Tier{name: "memory", own: true, open: func(s setting) (store, error) {
		m := &memory{bytes: c.Bytes, life: s.life}
		return m, m.renew(nil)
	}}
}

// memory is the store of a [Memory] tier.
type memory struct {
	bytes uint64
	life  time.Duration
	now   atomic.Pointer[shelf]
}

// shelf is what a memory keeps until it is replaced.
type shelf struct {
	life    time.Duration
	entries *otter.Cache[name, sealedValue]
}

// sealedValue is a value and, beside it, what decides which of two stays.
type sealedValue struct {
	bytes  []byte
	epoch  uint64
	stored time.Time
}

// renew puts an empty shelf in place of that one.
func (m *memory) renew(was *shelf) error {
	entries, err := otter.New(&otter.Options[name, sealedValue]{
		MaximumWeight: m.bytes,
		Weigher: func(n name, v sealedValue) uint32 {
			return uint32(len(n.scope) + len(n.key) + len(v.bytes) + entryOverhead)
		},
	})
	if err != nil {
		return fmt.Errorf("make a cache in memory: %w", err)
	}
	m.now.CompareAndSwap(was, &shelf{m.life, entries})
	return nil
}

func (m *memory) begin() {}

func (m *memory) current() source {
	if s := m.now.Load(); s != nil {
		return s
	}
	return nil
}

func (m *memory) await(context.Context) source { return m.current() }

func (m *memory) replace(from source) bool {
	was, ok := from.(*shelf)
	return ok && m.now.Load() == was && m.renew(was) == nil
}

func (m *memory) close() { m.now.Store(nil) }

func (s *shelf) get(_ context.Context, n name) ([]byte, error) {
	v, _ := s.entries.GetIfPresent(n)
	return v.bytes, nil
}

// set keeps v, unless what is there is of a later epoch: a slow refill does not put an
// old answer over a new one. What has expired is in nobody's way: after a restore epochs
// can be lower than they were.
func (s *shelf) set(_ context.Context, n name, v sealedValue) error {
	s.entries.Compute(n, func(is sealedValue, found bool) (sealedValue, otter.ComputeOp) {
		if found && is.epoch > v.epoch && v.stored.Sub(is.stored) < s.life {
			return is, otter.CancelOp
		}
		return v, otter.WriteOp
	})
	return nil
}

func (s *shelf) remove(_ context.Context, n name) error {
	s.entries.Invalidate(n)
	return nil
}
