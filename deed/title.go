package deed

import (
	"iter"
	"slices"

	"github.com/latchkey-cam/latchkey"
)

// Title is what a chain of deeds comes to: the home, its people, agents and cameras,
// and the key of each epoch. It never changes; [Title.Append] makes another. Only
// deeds that hold are ever in one. What its methods return must not be written to.
type Title struct {
	home       latchkey.HomeID
	minVersion uint8
	last       latchkey.Time
	deeds      [][]byte
	hashes     [][32]byte
	persons    []Person // ascending by ID; in version 1 all are owners
	agents     []Agent  // in the order in which they were placed
	cameras    []Camera // in the order in which they were placed
	epochs     []epoch  // epochs[i] is number i+1
	keys       map[latchkey.KeyID]holder
}

// holder says whose key it is. Every key that ever stood in the chain has one.
type holder struct {
	key    Key
	person latchkey.PersonID
	agent  latchkey.AgentID
	role   role
}

type role uint8

const (
	personSigns role = iota + 1
	deviceSigns
	agentSigns
	sealedTo
)

type epoch struct {
	key   Key
	wraps []Wrap
	since uint64
}

// Agent is an agent of the home, placed at the deed numbered Since.
type Agent struct {
	ID      latchkey.AgentID
	Signing []Key
	KEM     Key
	Since   uint64
}

// Camera is a camera of the home, placed with its agent at the deed numbered Since.
// Only what that agent signed is taken for it.
type Camera struct {
	ID    latchkey.CameraID
	Agent latchkey.AgentID
	Since uint64
}

// Home is the home whose title this is.
func (t *Title) Home() latchkey.HomeID { return t.home }

// Head is the last deed of the chain.
func (t *Title) Head() latchkey.Head {
	n := len(t.hashes) - 1
	return latchkey.Head{Seq: uint64(n), Hash: t.hashes[n]}
}

// MinVersion is the lowest version of objects that readers of this home take.
func (t *Title) MinVersion() uint8 { return t.minVersion }

// HashAt returns the hash of the deed with that number.
func (t *Title) HashAt(seq uint64) ([32]byte, bool) {
	if seq >= uint64(len(t.hashes)) {
		return [32]byte{}, false
	}
	return t.hashes[seq], true
}

// OnChain says whether h is a deed of this chain. A head beyond the end is not, yet:
// whoever meets one fetches the newer deeds and asks again.
func (t *Title) OnChain(h latchkey.Head) bool {
	hash, ok := t.HashAt(h.Seq)
	return ok && hash == h.Hash
}

// Deeds returns the deeds from that number on, in order.
func (t *Title) Deeds(from uint64) [][]byte {
	return slices.Clone(t.deeds[min(from, uint64(len(t.deeds))):])
}

// Epoch is the newest epoch, 0 if none was started yet.
func (t *Title) Epoch() latchkey.Epoch { return latchkey.Epoch(len(t.epochs)) }

// EpochAt is the epoch that held when the deed with that number was the last, 0 if
// none had been started. Beyond the chain's end it is the newest.
func (t *Title) EpochAt(seq uint64) latchkey.Epoch {
	for i := len(t.epochs) - 1; i >= 0; i-- {
		if t.epochs[i].since <= seq {
			return latchkey.Epoch(i + 1)
		}
	}
	return 0
}

// EpochKey returns the public key of an epoch.
func (t *Title) EpochKey(e latchkey.Epoch) (Key, bool) {
	if e < 1 || e > t.Epoch() {
		return Key{}, false
	}
	return t.epochs[e-1].key, true
}

// Wraps returns the private key of an epoch as it was wrapped for each person.
func (t *Title) Wraps(e latchkey.Epoch) []Wrap {
	if e < 1 || e > t.Epoch() {
		return nil
	}
	return t.epochs[e-1].wraps
}

// Persons returns the people of the home, ascending by ID. In version 1 all are owners.
func (t *Title) Persons() []Person { return t.persons }

// Person returns the person of that ID.
func (t *Title) Person(id latchkey.PersonID) (Person, bool) {
	return find(t.persons, func(p Person) bool { return p.ID == id })
}

// PersonBySigningKey returns the person whose signing key that is. A device's key is
// not its person's.
func (t *Title) PersonBySigningKey(id latchkey.KeyID) (Person, bool) {
	h, ok := t.keys[id]
	if !ok || h.role != personSigns {
		return Person{}, false
	}
	return t.Person(h.person)
}

// SigningKey returns the key of that ID if it signs anything in this home, whoever's.
func (t *Title) SigningKey(id latchkey.KeyID) (Key, bool) {
	h, ok := t.keys[id]
	return h.key, ok && h.role != sealedTo
}

// Device returns the device of that ID.
func (t *Title) Device(id latchkey.DeviceID) (Device, bool) {
	return find(slices.Collect(t.devices()), func(d Device) bool { return d.ID == id })
}

// DeviceBySigningKey returns the device whose signing key that is.
func (t *Title) DeviceBySigningKey(id latchkey.KeyID) (Device, bool) {
	h, ok := t.keys[id]
	if !ok || h.role != deviceSigns {
		return Device{}, false
	}
	return find(slices.Collect(t.devices()), func(d Device) bool {
		return slices.ContainsFunc(d.Signing, func(k Key) bool { return k.ID() == id })
	})
}

func (t *Title) devices() iter.Seq[Device] {
	return func(yield func(Device) bool) {
		for _, p := range t.persons {
			for _, d := range p.Devices {
				if !yield(d) {
					return
				}
			}
		}
	}
}

// Agents returns the agents in the order in which they were placed.
func (t *Title) Agents() []Agent { return t.agents }

// Agent returns the agent of that ID.
func (t *Title) Agent(id latchkey.AgentID) (Agent, bool) {
	return find(t.agents, func(a Agent) bool { return a.ID == id })
}

// AgentByKey returns the agent whose signing key that is.
func (t *Title) AgentByKey(id latchkey.KeyID) (Agent, bool) {
	h, ok := t.keys[id]
	if !ok || h.role != agentSigns {
		return Agent{}, false
	}
	return t.Agent(h.agent)
}

// Cameras returns the cameras in the order in which they were placed.
func (t *Title) Cameras() []Camera { return t.cameras }

// Camera returns the camera of that ID.
func (t *Title) Camera(id latchkey.CameraID) (Camera, bool) {
	return find(t.cameras, func(c Camera) bool { return c.ID == id })
}

func find[T any](all []T, is func(T) bool) (T, bool) {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i], true
	}
	var none T
	return none, false
}
