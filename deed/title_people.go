package deed

import (
	"bytes"
	"slices"

	"github.com/latchkey-cam/latchkey"
)

// Invite is an invitation that stands open: neither used nor withdrawn. It may have
// ended.
type Invite struct {
	ID       latchkey.InviteID
	Signing  []Key
	Expires  latchkey.Time
	Purpose  Purpose
	Standing Standing          // to join: of whoever answers it
	Person   latchkey.PersonID // to recover: who that is
	Since    uint64            // the deed that made it
}

// GivenPast is a past that somebody was given: the keys of the epochs From to Last,
// in order.
type GivenPast struct {
	From, Last latchkey.Epoch
	Sealed     []byte
}

// Signer is who a person's signing key belonged to at a deed, and as what.
type Signer struct {
	ID   latchkey.PersonID
	Role Role
}

// Persons returns the people who stand in the home, ascending by ID.
func (t *Title) Persons() []Person { return t.persons }

// WholeHome returns those of them who see the whole home, ascending by ID: for them
// every epoch is wrapped.
func (t *Title) WholeHome() []Person {
	return slices.DeleteFunc(slices.Clone(t.persons), func(p Person) bool { return !p.Role.SeesAll() })
}

// Person returns the person of that ID who stands in the home.
func (t *Title) Person(id latchkey.PersonID) (Person, bool) {
	if i, ok := t.personAt(id); ok {
		return t.persons[i], true
	}
	return Person{}, false
}

// personAt says where in persons somebody is, or would be.
func (t *Title) personAt(id latchkey.PersonID) (int, bool) {
	return slices.BinarySearchFunc(t.persons, id, func(p Person, id latchkey.PersonID) int {
		return bytes.Compare(p.ID[:], id[:])
	})
}

// PersonBySigningKey returns the person who stands in the home and whose signing key
// that is. A device's key is not its person's.
func (t *Title) PersonBySigningKey(id latchkey.KeyID) (Person, bool) {
	h := t.keys[id]
	if h.use != personSigns || h.until != 0 {
		return Person{}, false
	}
	return t.Person(h.person)
}

// SignerAt returns whose signing key that was, and as what, when the deed with that
// number was the last. It knows nobody whose key was not in force then.
func (t *Title) SignerAt(id latchkey.KeyID, seq uint64) (Signer, bool) {
	h := t.keys[id]
	if h.use != personSigns || !h.inForce(seq) {
		return Signer{}, false
	}
	s := Signer{ID: h.person}
	for _, e := range t.roles[h.person] {
		if e.since <= seq {
			s.Role = e.role
		}
	}
	return s, true
}

// Personal says whether that key signs, or once signed, for a person or for a device
// of one.
func (t *Title) Personal(id latchkey.KeyID) bool {
	h := t.keys[id]
	return h.use == personSigns || h.use == deviceSigns
}

// PersonKEM says whether a person, standing or former, was ever sealed to under that
// key, and what they are or last were: a [Link], or one of the roles of people.
func (t *Title) PersonKEM(id latchkey.KeyID) (Role, bool) {
	h := t.keys[id]
	if h.use != personSealedTo {
		return 0, false
	}
	var last Role
	for _, e := range t.roles[h.person] {
		if e.role != 0 {
			last = e.role
		}
	}
	return last, true
}

// Device returns the device of that ID that stands in the home.
func (t *Title) Device(id latchkey.DeviceID) (Device, bool) {
	for _, p := range t.persons {
		for _, d := range p.Devices {
			if d.ID == id {
				return d, true
			}
		}
	}
	return Device{}, false
}

// DeviceBySigningKey returns the device that stands in the home and whose signing key
// that is.
func (t *Title) DeviceBySigningKey(id latchkey.KeyID) (Device, bool) {
	h := t.keys[id]
	if h.use != deviceSigns {
		return Device{}, false
	}
	return t.Device(h.device) // which is gone with its key
}

// Invites returns the invitations that stand open, in the order in which they were made.
func (t *Title) Invites() []Invite { return t.invites }

// Invite returns the invitation of that ID that stands open.
func (t *Title) Invite(id latchkey.InviteID) (Invite, bool) {
	return find(t.invites, func(i Invite) bool { return i.ID == id })
}

// Has says whether the key of an epoch was wrapped for the present KEM key of a person
// who stands in the home, or was in a past given to it.
func (t *Title) Has(person latchkey.PersonID, e latchkey.Epoch) bool {
	_, stands := t.personAt(person)
	return stands && t.has(t.kems[person], e, e)
}

// has says whether all those epochs, which may be more than there are, were wrapped for
// a KEM key or given to it.
func (t *Title) has(kem latchkey.KeyID, from, last latchkey.Epoch) bool {
	for e := from; e <= last; e++ {
		wrapped := slices.ContainsFunc(t.Wraps(e), func(w Wrap) bool { return w.Key == kem })
		if !wrapped && !slices.ContainsFunc(t.pasts[kem], func(p GivenPast) bool { return p.From <= e && e <= p.Last }) {
			return false
		}
	}
	return true
}

// PastsOf returns the pasts that were given to a person's KEM key.
func (t *Title) PastsOf(kem latchkey.KeyID) []GivenPast { return t.pasts[kem] }
