package deed

import (
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

	persons []Person // who stand in the home, ascending by ID
	invites []Invite // open, in the order in which they were made
	agents  []agent  // all that ever were placed, in that order
	cameras []Camera // all that ever were placed, in that order
	epochs  []epoch  // epochs[i] is number i+1

	frozen     bool
	retention  RetainBody
	handedOver uint64

	keys   map[latchkey.KeyID]holder            // all that ever stood in the chain
	stood  map[any]bool                         // every ID of anything that ever stood in the chain, by its type
	placed map[latchkey.CameraID]int            // where in cameras
	roles  map[latchkey.PersonID][]era          // of everybody who ever stood in the home
	pasts  map[latchkey.KeyID][]GivenPast       // by the KEM key that they were given to
	kems   map[latchkey.PersonID]latchkey.KeyID // the last KEM key of everybody who ever stood in the home
}

// holder says whose key it is, and for how long.
type holder struct {
	key    Key
	use    use
	person latchkey.PersonID // whose own key, or whose device's, it is
	device latchkey.DeviceID
	agent  int    // where in agents
	tenure int    // where in the agent's tenures
	since  uint64 // the deed that brought it
	until  uint64 // the deed that took it back, 0 if none has
}

// inForce says whether the key was there, and not taken back, at that deed.
func (h holder) inForce(seq uint64) bool {
	return h.since <= seq && (h.until == 0 || seq < h.until)
}

// use says what a key is for.
type use uint8

const (
	personSigns use = iota + 1
	deviceSigns
	agentSigns
	inviteSigns
	sealedTo
	personSealedTo
)

func (u use) signs() bool { return u < sealedTo }

// era is the role that somebody has from a deed on, 0 for none.
type era struct {
	since uint64
	role  Role
}

type epoch struct {
	key   Key
	id    latchkey.KeyID // the key's
	wraps []Wrap
	since uint64
}

// Home is the home whose title this is.
func (t *Title) Home() latchkey.HomeID { return t.home }

// Head is the last deed of the chain.
func (t *Title) Head() latchkey.Head {
	n := len(t.hashes) - 1
	return latchkey.Head{Seq: uint64(n), Hash: t.hashes[n]}
}

// LastTime is the time of the newest deed.
func (t *Title) LastTime() latchkey.Time { return t.last }

// MinVersion is the lowest version of objects that readers of this home take.
func (t *Title) MinVersion() uint8 { return t.minVersion }

// Frozen says whether the home hands out no media.
func (t *Title) Frozen() bool { return t.frozen }

// Retention says for how many days, and up to how many bytes, the home's recordings
// are kept, 0 for no bound.
func (t *Title) Retention() (days uint32, bytes uint64) { return t.retention.Days, t.retention.Bytes }

// HandedOver is the number of the deed that last handed the home over, 0 if none did.
// What was made at heads before it is not taken any more.
func (t *Title) HandedOver() uint64 { return t.handedOver }

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

// EpochKeyID names the public key of an epoch.
func (t *Title) EpochKeyID(e latchkey.Epoch) (latchkey.KeyID, bool) {
	if e < 1 || e > t.Epoch() {
		return latchkey.KeyID{}, false
	}
	return t.epochs[e-1].id, true
}

// Wraps returns the private key of an epoch as it was wrapped for each person.
func (t *Title) Wraps(e latchkey.Epoch) []Wrap {
	if e < 1 || e > t.Epoch() {
		return nil
	}
	return t.epochs[e-1].wraps
}

// SigningKey returns the key of that ID if it signs, or once signed, anything in this
// home, whoever's.
func (t *Title) SigningKey(id latchkey.KeyID) (Key, bool) {
	h, ok := t.keys[id]
	return h.key, ok && h.use.signs()
}

// InForce says whether the key of that ID stood in the chain, and had not been taken
// back, when the deed with that number was the last.
func (t *Title) InForce(id latchkey.KeyID, seq uint64) bool {
	h, ok := t.keys[id]
	return ok && h.inForce(seq)
}

func find[T any](all []T, is func(T) bool) (T, bool) {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i], true
	}
	var none T
	return none, false
}
