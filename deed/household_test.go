package deed_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

// household is a home in which anything that is allowed may happen. It remembers who
// went, and when.
type household struct {
	owner   *keytest.Owner
	people  []*keytest.Person // in the home besides the owner, links too
	gone    []gone
	agents  []*keytest.Agent
	cameras []latchkey.CameraID
}

// gone are keys of somebody that were taken back by a deed.
type gone struct {
	keys *key.PersonKeys
	seq  uint64
	then *deed.Title // the last title in which they stood
}

func settle(t *rapid.T) *household {
	h := &household{owner: keytest.NewOwner()}
	h.owner.Found()
	for range rapid.IntRange(0, 12).Draw(t, "steps") {
		h.step(t)
	}
	return h
}

func (h *household) step(t *rapid.T) {
	o, before := h.owner, h.owner.Title()
	away := func(keys ...*key.PersonKeys) {
		for _, k := range keys {
			h.gone = append(h.gone, gone{k, o.Title().Head().Seq, before})
		}
	}
	from := latchkey.Epoch(rapid.Uint64Range(0, uint64(before.Epoch())).Draw(t, "past"))
	if !before.Has(o.Keys.Person, max(from, 1)) {
		from = 0
	}
	steps := []func(){
		func() { o.StartEpoch() },
		func() { h.agents = append(h.agents, o.PlaceAgent()) },
		func() { h.people = append(h.people, o.Join(keytest.NewPerson(), h.standing(t))) },
		func() {
			p := keytest.NewPerson()
			o.Admit(o.Invite(keytest.AsResident), p, from)
			h.people = append(h.people, p)
		},
		func() { o.Strike(o.AddDevice().Device) },
		func() { h.people = append(h.people, o.Lend(keytest.Rights(o.Now()+3_600_000_000))) },
		func() { k := o.Keys; o.Rekey(); away(k) },
		func() {
			if len(h.agents) > 0 {
				h.cameras = append(h.cameras, o.PlaceCamera(rapid.SampledFrom(h.agents).Draw(t, "agent")))
			}
		},
		func() {
			if i := len(h.agents) - 1; i >= 0 {
				h.agents[i] = o.ReplaceAgent(h.agents[i])
			}
		},
		func() {
			if i := len(h.agents) - 1; i >= 0 {
				o.ReleaseAgent(h.agents[i])
				h.agents = h.agents[:i]
			}
		},
		func() {
			all := []*key.PersonKeys{o.Keys}
			for _, p := range h.people {
				all = append(all, p.Keys)
			}
			next := o.HandOver(keytest.NewPerson())
			away(all...)
			h.owner, h.people = next, nil
		},
	}
	if len(h.people) > 0 {
		i := rapid.IntRange(0, len(h.people)-1).Draw(t, "who")
		p := h.people[i]
		was, _ := before.Person(p.ID())
		dismiss := func() { o.Dismiss(p); away(p.Keys); h.people = slices.Delete(h.people, i, i+1) }
		steps = append(steps, dismiss, dismiss)
		if was.Role != deed.Link {
			steps = append(steps,
				func() {
					s := h.standing(t)
					if was.Role.SeesAll() || !s.Role.SeesAll() {
						from = 0
					}
					o.Change(p, s, from)
					if was.Role.SeesAll() && !s.Role.SeesAll() {
						away(p.Keys)
					}
				},
				func() {
					if !was.Role.SeesAll() {
						from = 0
					}
					h.people[i] = o.Recover(p, from)
					away(p.Keys)
				})
		}
	}
	rapid.SampledFrom(steps).Draw(t, "step")()
}

func (h *household) standing(t *rapid.T) deed.Standing {
	standings := []deed.Standing{keytest.AsOwner, keytest.AsResident, keytest.AsGuest()}
	for _, c := range h.owner.Title().Cameras() {
		standings = append(standings, keytest.AsGuest(c.ID))
	}
	return rapid.SampledFrom(standings).Draw(t, "standing")
}

// summary is all that a title says.
func summary(t *deed.Title) string {
	var b bytes.Buffer
	days, most := t.Retention()
	fmt.Fprint(&b, t.Home(), t.Head(), t.MinVersion(), t.LastTime(), t.Frozen(), days, most, t.HandedOver(), t.Persons(), t.Invites(), t.AllAgents(), t.AllCameras())
	for e := latchkey.Epoch(1); e <= t.Epoch(); e++ {
		k, _ := t.EpochKey(e)
		fmt.Fprint(&b, k, t.Wraps(e))
	}
	for _, p := range t.Persons() {
		fmt.Fprint(&b, t.PastsOf(p.KEM.ID()))
	}
	for seq := range t.Head().Seq + 1 {
		hash, _ := t.HashAt(seq)
		fmt.Fprint(&b, hash, t.EpochAt(seq), t.AgentsAt(seq))
		for _, p := range t.Persons() {
			s, ok := t.SignerAt(p.Signing[0].ID(), seq)
			fmt.Fprint(&b, s, ok)
		}
	}
	return b.String()
}

// TestAnyHistoryFolds: whatever people do in whatever order, everybody folds the same
// title from it, in one go, piece by piece or deed by deed; no bit of it can be turned,
// and no two deeds can change places.
func TestAnyHistoryFolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		owner := settle(t).owner
		deeds := owner.Deeds()
		at := rapid.IntRange(1, len(deeds)).Draw(t, "cut")
		whole, err := deed.Fold(owner.Home(), deeds)
		if err != nil {
			t.Fatal(err)
		}
		half, err := deed.Fold(owner.Home(), deeds[:at])
		if err != nil {
			t.Fatal(err)
		}
		if half, err = half.Append(deeds[at:]...); err != nil {
			t.Fatal(err)
		}
		// The owner's own title was appended to deed by deed.
		if summary(half) != summary(whole) || summary(whole) != summary(owner.Title()) {
			t.Fatal("the same deeds came to different titles")
		}
		i, j := rapid.IntRange(0, len(deeds)-1).Draw(t, "deed"), rapid.IntRange(0, len(deeds)-1).Draw(t, "other deed")
		if swapped := slices.Clone(deeds); i != j {
			swapped[i], swapped[j] = deeds[j], deeds[i]
			if _, err := deed.Start(swapped...); err == nil {
				t.Fatalf("deeds %d and %d changed places, and the chain folds", i, j)
			}
		}
		bit := rapid.IntRange(0, 8*len(deeds[i])-1).Draw(t, "bit")
		deeds[i] = bytes.Clone(deeds[i])
		deeds[i][bit/8] ^= 1 << (bit % 8)
		if _, err := deed.Fold(owner.Home(), deeds); err == nil {
			t.Fatalf("bit %d of deed %d turned, and the chain folds", bit, i)
		}
	})
}

// TestRefusedChangesNothing: a deed that is refused leaves the title as it was, and so
// does one that another title takes.
func TestRefusedChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := settle(t)
		title := h.owner.Title()
		before := summary(title)
		for _, g := range h.gone {
			d, err := deed.Sign(g.keys.Signing, title, h.owner.Now(), deed.FreezeBody{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := title.Append(d); err == nil && !g.cameBack(title) {
				t.Fatal("somebody who is gone freezes the home")
			}
		}
		for _, d := range title.Deeds(0) {
			if _, err := title.Append(d); err == nil {
				t.Fatal("a deed is taken twice")
			}
		}
		h.step(t)
		if summary(title) != before {
			t.Fatal("a title changed")
		}
	})
}

// TestEpochsAreForThoseWhoSeeTheHome: at every deed of every history the newest epoch is
// wrapped for exactly those who see the whole home, there is an owner, and whoever is
// gone opens, with their real keys, nothing from the deed on that took their keys back.
func TestEpochsAreForThoseWhoSeeTheHome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := settle(t)
		last := h.owner.Title()
		for n := 2; n <= int(last.Head().Seq)+1; n++ {
			title, err := deed.Start(last.Deeds(0)[:n]...)
			if err != nil {
				t.Fatal(err)
			}
			var have, want []latchkey.KeyID
			for _, w := range title.Wraps(title.Epoch()) {
				have = append(have, w.Key)
			}
			for _, p := range title.WholeHome() {
				want = append(want, p.KEM.ID())
			}
			if !slices.Equal(have, want) {
				t.Fatalf("at deed %d the epoch is wrapped for %v, and %v see the whole home", n-1, have, want)
			}
			if !slices.ContainsFunc(title.Persons(), func(p deed.Person) bool { return p.Role == deed.Owner }) {
				t.Fatalf("at deed %d there is no owner", n-1)
			}
		}
		for _, g := range h.gone {
			if g.cameBack(last) {
				continue
			}
			for _, title := range []*deed.Title{g.then, last} {
				ring, err := key.OpenEpochs(title, g.keys)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range ring.Epochs() {
					if last.EpochAt(g.seq) <= e {
						t.Fatalf("keys that deed %d took back open epoch %d", g.seq, e)
					}
				}
			}
		}
	})
}

// cameBack says whether somebody who had become a guest saw the whole home again later,
// with the same keys.
func (g gone) cameBack(t *deed.Title) bool {
	for seq := g.seq; seq <= t.Head().Seq; seq++ {
		if s, ok := t.SignerAt(g.keys.Public().Signing[0].ID(), seq); ok && s.Role.SeesAll() {
			return true
		}
	}
	return false
}
