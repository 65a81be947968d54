package key

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
	"github.com/latchkey-cam/latchkey/sealed"
)

// NewEpoch makes the key of the epoch that is to follow in t and wraps it for
// everybody who sees the whole home. The statement is to be signed and appended.
func NewEpoch(t *deed.Title) (deed.EpochBody, *Private, error) {
	k, err := NewPrivate()
	if err != nil {
		return deed.EpochBody{}, nil, err
	}
	b := deed.EpochBody{Number: t.Epoch() + 1, Key: k.Public()}
	for _, p := range t.Persons() {
		wrap, err := Seal(p.KEM, wrapInfo(t.Home(), b.Number, b.Key, p.KEM.ID()), k.Seed())
		if err != nil {
			return deed.EpochBody{}, nil, fmt.Errorf("wrap epoch for %s: %w", p.ID, err)
		}
		b.Wraps = append(b.Wraps, deed.Wrap{Person: p.ID, Key: p.KEM.ID(), Sealed: wrap})
	}
	return b, k, nil
}

// wrapInfo is what a wrapped epoch is bound to (docs/deed.md, "epoch").
func wrapInfo(home latchkey.HomeID, number latchkey.Epoch, epoch deed.Key, person latchkey.KeyID) []byte {
	id := epoch.ID()
	var w wire.Writer
	w.Label("latchkey epoch v1")
	w.Raw(home[:])
	w.U64(uint64(number))
	w.Raw(id[:])
	w.Raw(person[:])
	return w.Bytes()
}

// Ring is the private keys of a home's epochs that somebody holds.
type Ring struct{ epochs map[latchkey.Epoch]*Private }

// Add returns the ring with one more epoch.
func (r Ring) Add(e latchkey.Epoch, k *Private) Ring {
	next := Ring{map[latchkey.Epoch]*Private{e: k}}
	for e, k := range r.epochs {
		if _, ok := next.epochs[e]; !ok {
			next.epochs[e] = k
		}
	}
	return next
}

// Epoch returns the private key of an epoch.
func (r Ring) Epoch(e latchkey.Epoch) (*Private, bool) {
	k, ok := r.epochs[e]
	return k, ok
}

// Epochs returns the numbers of the epochs whose keys are in the ring, ascending.
func (r Ring) Epochs() []latchkey.Epoch {
	var all []latchkey.Epoch
	for e := range r.epochs {
		all = append(all, e)
	}
	slices.Sort(all)
	return all
}

// Find returns the private key to which an envelope, or the key of a settings
// document, is sealed: one for an epoch, by the key's ID, whatever number it gives.
func (r Ring) Find(kind sealed.RecipientKind, id latchkey.KeyID) (*Private, bool) {
	if kind != sealed.ToEpoch {
		return nil, false
	}
	for _, k := range r.epochs {
		if k.ID() == id {
			return k, true
		}
	}
	return nil, false
}

// Format hides the secrets from every verb of fmt.
func (Ring) Format(f fmt.State, _ rune) { fmt.Fprint(f, secret) }

// LogValue hides it from structured logs.
func (Ring) LogValue() slog.Value { return slog.StringValue(secret) }

// OpenEpochs opens every epoch that was wrapped for this person. A wrap that does not
// open, or whose key is not the one that the deed gives, is an error that names the
// epoch: somebody who may start epochs made a bad one, and the person must be told.
func OpenEpochs(t *deed.Title, k *PersonKeys) (Ring, error) {
	var ring Ring
	for e := latchkey.Epoch(1); e <= t.Epoch(); e++ {
		i := slices.IndexFunc(t.Wraps(e), func(w deed.Wrap) bool { return w.Person == k.Person && w.Key == k.KEM.ID() })
		if i < 0 {
			continue // from before this person saw the whole home
		}
		public, _ := t.EpochKey(e)
		seed, err := k.KEM.Open(wrapInfo(t.Home(), e, public, k.KEM.ID()), t.Wraps(e)[i].Sealed)
		if err != nil {
			return Ring{}, fmt.Errorf("open epoch %d: %w", e, err)
		}
		opened, err := EpochFromSeed(t, e, seed)
		if err != nil {
			return Ring{}, err
		}
		ring = ring.Add(e, opened)
	}
	return ring, nil
}

// EpochFromSeed returns the private key of an epoch and checks that it is the one
// whose public key the deed gives.
func EpochFromSeed(t *deed.Title, e latchkey.Epoch, seed []byte) (*Private, error) {
	k, err := PrivateFromSeed(seed)
	if err != nil {
		return nil, fmt.Errorf("open epoch %d: %w", e, err)
	}
	if public, ok := t.EpochKey(e); !ok || public.ID() != k.ID() {
		return nil, fmt.Errorf("open epoch %d: its private key is not that of the public key in the deed", e)
	}
	return k, nil
}
