package key

import (
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// SealPast makes the past from an epoch of the title to its newest for somebody: the
// keys of those epochs, which must be in the ring, sealed to the person's KEM key. It
// goes into the deed that follows in t.
func SealPast(t *deed.Title, ring Ring, from latchkey.Epoch, to deed.Person) (deed.Past, error) {
	last := t.Epoch()
	if last-from >= deed.MaxPast { // also from an epoch to come: the difference wraps round
		return deed.Past{}, fmt.Errorf("seal past: from epoch %d; the home has %d", from, last)
	}
	var seeds []byte
	for e := from; e <= last; e++ {
		k, ok := ring.Epoch(e)
		if !ok {
			return deed.Past{}, fmt.Errorf("seal past: the key of epoch %d is not at hand", e)
		}
		seeds = append(seeds, k.Seed()...)
	}
	sealed, err := Seal(to.KEM, pastInfo(t.Home(), from, last, to.KEM.ID()), seeds)
	if err != nil {
		return deed.Past{}, fmt.Errorf("seal past for %s: %w", to.ID, err)
	}
	return deed.Past{From: from, Sealed: sealed}, nil
}

// pastInfo is what a past is bound to (docs/deed.md, "Past").
func pastInfo(home latchkey.HomeID, from, last latchkey.Epoch, person latchkey.KeyID) []byte {
	var w wire.Writer
	w.Label("latchkey past v1")
	w.Raw(home[:])
	w.U64(uint64(from))
	w.U64(uint64(last))
	w.Raw(person[:])
	return w.Bytes()
}

// openPast returns the ring with the epochs of a past that was given to this person.
func openPast(t *deed.Title, k *PersonKeys, p deed.GivenPast, ring Ring) (Ring, error) {
	seeds, err := k.KEM.Open(pastInfo(t.Home(), p.From, p.Last, k.KEM.ID()), p.Sealed)
	if err != nil {
		return ring, fmt.Errorf("open the past of epochs %d to %d: %w", p.From, p.Last, err)
	}
	for e := p.From; e <= p.Last; e++ { // the fold took it only with a key for each
		opened, err := EpochFromSeed(t, e, seeds[:SeedSize])
		if err != nil {
			return ring, err
		}
		ring, seeds = ring.Add(e, opened), seeds[SeedSize:]
	}
	return ring, nil
}
