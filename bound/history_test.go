package bound_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/latchkey-cam/latchkey/bound"
)

// house is what a drawn history happens to: an origin whose epochs rise, a server that
// forgets, restores, swaps and rots, and caches that come and go with their keys.
type house struct {
	t       testing.TB
	server  *server
	now     time.Time
	epochs  map[string]uint64 // of each scope, at the origin
	caches  []*bound.Cache
	secrets []string
	saved   map[string][]byte // a snapshot of the server
}

var (
	scopes = []string{"home/1", "home/11", "home/1t"}
	kinds  = []string{"thumbnails", "humbnails", "deeds"}
)

func (h *house) start() {
	c, err := bound.New(bound.Config{
		Keys: keysFile(h.t, h.secrets...), Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{Bytes: 4 << 10}), h.server.tier()},
		Now: func() time.Time { return h.now }, Life: time.Minute,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.caches = append(h.caches, c)
}

// cache draws one, by its number: printed whole it fills pages.
func (h *house) cache(r *rapid.T) *bound.Cache {
	return h.caches[rapid.IntRange(0, len(h.caches)-1).Draw(r, "cache")]
}

func (h *house) close() {
	for _, c := range h.caches {
		_ = c.Close()
	}
}

func (h *house) read(_ context.Context, q bound.Question) (bound.Answer, error) {
	return truth(q, h.epochs[q.Scope]), nil
}

// get asks, and holds the answer against the promise: it is one to the question, of an
// epoch from the floor on that has been, and not older than its life.
func (h *house) get(r *rapid.T) {
	q := bound.Question{Scope: rapid.SampledFrom(scopes).Draw(r, "scope"), Key: rapid.SampledFrom(kinds).Draw(r, "key"), Codec: rapid.Uint16Range(1, 2).Draw(r, "codec")}
	q.Floor = rapid.Uint64Range(0, h.epochs[q.Scope]+1).Draw(r, "floor")
	cache := h.cache(r)
	a, err := cache.Get(h.t.Context(), q, h.read)
	// A read that began before the clock was put on may be under way still, and is shared.
	for end := time.Now().Add(time.Second); err == nil && h.now.Sub(a.Stored) >= time.Minute && time.Now().Before(end); {
		a, err = cache.Get(h.t.Context(), q, h.read)
	}
	if q.Floor > h.epochs[q.Scope] {
		if !errors.Is(err, bound.ErrOld) {
			r.Fatalf("%v is above the origin's epoch %d, and answered: %v, %v", q, h.epochs[q.Scope], a, err)
		}
		return
	}
	if errors.Is(err, bound.ErrBusy) {
		return
	}
	if err != nil {
		r.Fatalf("%v: %v", q, err)
	}
	if string(a.Bytes) != string(truth(q, a.Epoch).Bytes) || a.Scope != q.Scope || a.Key != q.Key || a.Codec != q.Codec {
		r.Fatalf("%v is answered by %+v: %s", q, a, a.Bytes)
	}
	if a.Epoch < q.Floor || a.Epoch > h.epochs[q.Scope] || h.now.Sub(a.Stored) >= time.Minute {
		r.Fatalf("%v is answered by epoch %d, stored %v ago", q, a.Epoch, h.now.Sub(a.Stored))
	}
}

// names are those under which the server has something.
func (h *house) names() []string { return slices.Sorted(maps.Keys(h.server.values)) }

// mishap is what a server must not do.
func (h *house) mishap(r *rapid.T) {
	h.server.mu.Lock()
	defer h.server.mu.Unlock()
	names := h.names()
	switch what := rapid.SampledFrom([]string{"swap", "rot", "save", "restore", "flush"}).Draw(r, "mishap"); {
	case what == "save":
		h.saved = maps.Clone(h.server.values)
	case what == "restore" && h.saved != nil:
		h.server.values = maps.Clone(h.saved)
	case what == "flush":
		clear(h.server.values)
	case len(names) == 0:
	case what == "swap":
		a, b := rapid.SampledFrom(names).Draw(r, "one"), rapid.SampledFrom(names).Draw(r, "other")
		h.server.values[a], h.server.values[b] = h.server.values[b], h.server.values[a]
	case what == "rot":
		n := rapid.SampledFrom(names).Draw(r, "rotten")
		value := slices.Clone(h.server.values[n])
		bit := rapid.IntRange(0, 8*len(value)-1).Draw(r, "bit")
		value[bit/8] ^= 1 << (bit % 8)
		h.server.values[n] = value
	}
}

// TestHistories draws what happens to an origin, a server and two or more caches.
func TestHistories(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := &house{t: t, server: newServer(), now: then, epochs: map[string]uint64{}, secrets: []string{secretA}}
		defer h.close()
		h.start()
		h.start()
		made := 0
		r.Repeat(map[string]func(*rapid.T){
			"get":    h.get,
			"again":  h.get,
			"mishap": h.mishap,
			"rise":   func(r *rapid.T) { h.epochs[rapid.SampledFrom(scopes).Draw(r, "scope")]++ },
			"wait": func(r *rapid.T) {
				h.now = h.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(r, "seconds")) * time.Second)
			},
			"rotate": func(r *rapid.T) {
				if made++; made > 3 {
					r.Skip("enough keys")
				}
				h.secrets = []string{fmt.Sprintf("%064x", made), h.secrets[0]}
				h.start()
			},
			"forget": func(r *rapid.T) {
				q := bound.Question{Scope: rapid.SampledFrom(scopes).Draw(r, "scope"), Key: rapid.SampledFrom(kinds).Draw(r, "key"), Codec: 1}
				// An error says that the tier is being replaced.
				_ = h.cache(r).Forget(h.t.Context(), q)
			},
		})
	})
}
