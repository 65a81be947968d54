package sealed_test

import (
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Home D, in which people and agents came and went. What its deeds are is in the README
// beside homes.json.
const (
	hallBefore = 0 // the first agent with its first keys
	hall       = 1 // the same agent with those that replaced them
	garden     = 2 // the second agent, which was released
	door       = 0
	gate       = 1
	pond       = 2
)

// inD is an object of home D that an agent made after so many deeds, with that
// incarnation and sequence.
func inD(agent, camera, deeds int, incarnation, sequence uint64) func(m maker) made {
	return func(m maker) made { return ofD(m.inD(agent, camera, deeds, incarnation, sequence)) }
}

func (m maker) inD(agent, camera, deeds int, incarnation, sequence uint64) keytest.Object {
	d := m.home("D")
	b := d.Agent(agent).Bind(d.Until(deeds), d.Camera(camera), latchkey.Thumbnail)
	b.Incarnation, b.Sequence = incarnation, sequence
	return d.Agent(agent).Seal(d.Title(), b, picture)
}

func ofD(o keytest.Object) made { m := of(o); m.home = "D"; return m }

// wrappedFor is an object of home D with an envelope for somebody alone.
func wrappedFor(kind sealed.RecipientKind, name string, deeds int, epoch latchkey.Epoch) func(m maker) made {
	return func(m maker) made {
		o := m.inD(hallBefore, door, deeds, 1, 1)
		return ofD(with(o, m.wrap(o, kind, m.personKEM(name), epoch)))
	}
}

func (m maker) personKEM(name string) deed.Key { return m.home("D").PersonKeys(name).KEM.Public() }

// replaced are objects of agents and cameras that were replaced or released.
func replaced() []drawing {
	return []drawing{
		{"replaced-agent-before", "an agent's former key, at the last head before the deed that took it back, the last sequence that it names", "opened", inD(hallBefore, door, 12, 1, 2)},
		{"replaced-agent-at-the-deed", "an agent's former key at the deed that took it back", "former-signer", inD(hallBefore, door, 13, 1, 2)},
		{"replaced-agent-beyond", "a sequence beyond the last that the deed names: a copied agent", "former-signer", inD(hallBefore, door, 12, 1, 3)},
		{"replaced-agent-incarnation", "an incarnation beyond the last that the deed names", "former-signer", inD(hallBefore, door, 12, 2, 1)},
		{"replaced-agent-unnamed", "a camera that the deed does not name", "opened", inD(hallBefore, gate, 12, 9, 9)},
		{"replaced-agent-now", "the key that replaced it", "opened", inD(hall, door, 17, 1, 3)},
		{"replaced-agent-early-head", "the key that replaced it, at a head before it was placed", "opened", inD(hall, door, 12, 1, 3)},
		{"released-agent-before", "an agent at the last head before it was released", "opened", inD(garden, pond, 13, 1, 1)},
		{"released-agent-after", "an agent at the deed that released it", "former-signer", inD(garden, pond, 14, 1, 1)},
		{"released-camera-before", "a camera at the last head before it was released", "opened", inD(hall, gate, 14, 1, 1)},
		{"released-camera-after", "a camera at the deed that released it", "former-signer", inD(hall, gate, 15, 1, 1)},
		{"released-agents-neighbour", "the released agent signs for another agent's camera: that is said first", "wrong-agent", inD(garden, door, 17, 1, 1)},
		{"former-signer-bad-signature", "a former key, and the signature is altered: the key is said first", "former-signer", func(m maker) made {
			o := m.inD(garden, pond, 17, 1, 1)
			o.File.Header.Signatures[0][3] ^= 1
			return ofD(o)
		}},
	}
}

// alone are envelopes for guests and links.
func alone() []drawing {
	return []drawing{
		{"envelope-for-guest", "a guest's own envelope", "opened", wrappedFor(sealed.ToPerson, "gus", 12, 3)},
		{"envelope-for-link", "a link's own envelope", "opened", wrappedFor(sealed.ToLink, "link", 12, 2)},
		{"envelope-for-former-resident", "an envelope that an owner gave somebody who is gone", "opened", wrappedFor(sealed.ToPerson, "anna", 12, 2)},
		{"guest-as-link", "a guest's key in a link's envelope", "unknown-epoch", wrappedFor(sealed.ToLink, "gus", 12, 2)},
		{"link-as-person", "a link's key in a person's envelope", "unknown-epoch", wrappedFor(sealed.ToPerson, "link", 12, 2)},
		{"guest-old-epoch", "a guest's envelope of an epoch before the object's", "old-epoch", wrappedFor(sealed.ToPerson, "gus", 12, 1)},
		{"guest-epoch-to-come", "a guest's envelope of an epoch that the chain has not got", "unknown-epoch", wrappedFor(sealed.ToPerson, "gus", 12, 4)},
		{"guest-as-epoch", "a guest's key said to be the epoch's", "no-envelope", wrappedFor(sealed.ToEpoch, "gus", 12, 2)},
		{"guest-envelope-renumbered", "a guest's envelope said to be of a later epoch", "envelope", func(m maker) made {
			o := m.inD(hallBefore, door, 12, 1, 1)
			e := m.wrap(o, sealed.ToPerson, m.personKEM("gus"), 2)
			e.Epoch = 3
			return ofD(with(o, e))
		}},
		{"two-guests", "somebody else's envelope first", "opened", func(m maker) made {
			o := m.inD(hallBefore, door, 12, 1, 1)
			return ofD(with(o, m.wrap(o, sealed.ToPerson, m.home("A").OwnerKeys().KEM.Public(), 2), m.wrap(o, sealed.ToPerson, m.personKEM("gus"), 2)))
		}},
	}
}
