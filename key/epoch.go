package key

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
	"github.com/latchkey-cam/latchkey/sealed"
)

// NewEpoch makes the key of the epoch that is to follow in t and wraps it for
// everybody who sees the whole home. The statement is to be signed and appended.
func NewEpoch(t *deed.Title) (deed.EpochBody, *Private, error) {
	b, k, err := Turn(t, t.WholeHome())
	if err != nil {
		return deed.EpochBody{}, nil, err
	}
	return *b, k, nil
}

// Turn makes the key of the epoch that is to follow in t and wraps it for those people:
// they are those who see the whole home after the statement that the turn is for.
func Turn(t *deed.Title, people []deed.Person) (*deed.EpochBody, *Private, error) {
	k, err := NewPrivate()
	if err != nil {
		return nil, nil, err
	}
	b := deed.EpochBody{Number: t.Epoch() + 1, Key: k.Public()}
	people = slices.SortedFunc(slices.Values(people), func(p, q deed.Person) int { return bytes.Compare(p.ID[:], q.ID[:]) })
	for _, p := range people {
		wrap, err := Seal(p.KEM, wrapInfo(t.Home(), b.Number, b.Key, p.KEM.ID()), k.Seed())
		if err != nil {
			return nil, nil, fmt.Errorf("wrap epoch for %s: %w", p.ID, err)
		}
		b.Wraps = append(b.Wraps, deed.Wrap{Person: p.ID, Key: p.KEM.ID(), Sealed: wrap})
	}
	return &b, k, nil
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

// Ring is the private keys with which somebody opens what is recorded in a home: those
// of its epochs, and the person's own, to which a guest's envelopes are sealed.
type Ring struct {
	epochs map[latchkey.Epoch]*Private
	own    []*Private
}

// Add returns the ring with one more epoch.
func (r Ring) Add(e latchkey.Epoch, k *Private) Ring {
	next := Ring{map[latchkey.Epoch]*Private{e: k}, r.own}
	for e, k := range r.epochs {
		if _, ok := next.epochs[e]; !ok {
			next.epochs[e] = k
		}
	}
	return next
}

// AddOwn returns the ring with one more KEM key of the person's own, or of a link's:
// the present one, or one from before a rekey.
func (r Ring) AddOwn(k *Private) Ring {
	return Ring{r.epochs, append(slices.Clip(r.own), k)}
}

// Epoch returns the private key of an epoch.
func (r Ring) Epoch(e latchkey.Epoch) (*Private, bool) {
	k, ok := r.epochs[e]
	return k, ok
}

// Epochs returns the numbers of the epochs whose keys are in the ring, ascending.
func (r Ring) Epochs() []latchkey.Epoch { return slices.Sorted(maps.Keys(r.epochs)) }

// Find returns the private key to which an envelope, or the key of a settings
// document, is sealed, by the key's ID, whatever epoch it gives.
func (r Ring) Find(kind sealed.RecipientKind, id latchkey.KeyID) (*Private, bool) {
	switch kind {
	case sealed.ToEpoch:
		for _, k := range r.epochs {
			if k.ID() == id {
				return k, true
			}
		}
	case sealed.ToPerson, sealed.ToLink:
		for _, k := range r.own {
			if k.ID() == id {
				return k, true
			}
		}
	}
	return nil, false
}

// Format hides the secrets from every verb of fmt.
func (Ring) Format(f fmt.State, _ rune) { fmt.Fprint(f, secret) }

// LogValue hides it from structured logs.
func (Ring) LogValue() slog.Value { return slog.StringValue(secret) }

// OpenEpochs opens every epoch that was wrapped for this person's KEM key, and every
// past that was given to it; the key itself is in the ring too. What does not open, or
// whose key is not the one that the deed gives, is an error that names the epoch:
// somebody who may start epochs made a bad one, and the person must be told.
func OpenEpochs(t *deed.Title, k *PersonKeys) (Ring, error) {
	ring := Ring{}.AddOwn(k.KEM)
	for e := latchkey.Epoch(1); e <= t.Epoch(); e++ {
		i := slices.IndexFunc(t.Wraps(e), func(w deed.Wrap) bool { return w.Key == k.KEM.ID() })
		if i < 0 {
			continue // from a time when this person did not see the whole home
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
	for _, p := range t.PastsOf(k.KEM.ID()) {
		var err error
		if ring, err = openPast(t, k, p, ring); err != nil {
			return Ring{}, err
		}
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
	if public, _ := t.EpochKey(e); public.ID() != k.ID() {
		return nil, fmt.Errorf("open epoch %d: its private key is not that of the public key in the deed", e)
	}
	return k, nil
}
