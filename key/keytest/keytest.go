// Package keytest is an owner and agents for tests: they found a home, start its
// epochs, place agents and cameras, and seal objects, as a browser and an agent
// would. What it makes is genuine in every byte.
//
//	owner := keytest.NewOwner()
//	owner.Found()                             // found, epoch 1
//	agent := owner.PlaceAgent()               // place agent
//	camera := owner.PlaceCamera(agent)        // place camera
//	title, ring := owner.Title(), owner.Ring()
//	o := agent.Object(title, camera, latchkey.Thumbnail, jpeg)
//
// Other people come and go:
//
//	anna := owner.Join(keytest.NewPerson(), keytest.AsResident)
//	bob := owner.Join(keytest.NewPerson(), keytest.AsGuest(camera))
//	owner.Dismiss(anna)
//
// It panics where a test could not go on anyway.
package keytest

import (
	"crypto/ed25519"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/settings"
)

// Owner is the founder of a home at a browser.
type Owner struct {
	Keys   *key.PersonKeys
	title  *deed.Title
	epochs map[latchkey.Epoch]*key.Private
	now    latchkey.Time
}

// NewOwner makes the keys of an owner, who has no home yet. The owner's clock is a
// plain one: it begins at the same moment every time and goes on a second for each deed.
func NewOwner() *Owner {
	keys, err := key.NewPersonKeys()
	must(err)
	return &Owner{
		Keys: keys, epochs: map[latchkey.Epoch]*key.Private{},
		now: latchkey.TimeOf(time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)),
	}
}

func must(err error) {
	if err != nil {
		panic("keytest: " + err.Error())
	}
}

// Found founds the home, starts its first epoch, and returns both deeds.
func (o *Owner) Found() [][]byte { return o.FoundWith(1) }

// FoundWith founds a home that takes no object below that version.
func (o *Owner) FoundWith(minVersion uint8) [][]byte {
	b := o.Keys.Found()
	b.MinVersion = minVersion
	found, err := deed.Sign(o.Keys.Signing, nil, o.now, b)
	must(err)
	o.title, err = deed.Start(found)
	must(err)
	return [][]byte{found, o.StartEpoch()}
}

// Sign signs a statement as the chain's next deed and appends it.
func (o *Owner) Sign(b deed.Body) []byte {
	o.now += 1_000_000
	d, err := deed.Sign(o.Keys.Signing, o.title, o.now, b)
	must(err)
	o.title, err = o.title.Append(d)
	must(err)
	return d
}

// StartEpoch starts the next epoch and returns its deed.
func (o *Owner) StartEpoch() []byte {
	b, k, err := key.NewEpoch(o.title)
	must(err)
	o.epochs[b.Number] = k
	return o.Sign(b)
}

// PlaceAgent makes an agent, places it, and returns it.
func (o *Owner) PlaceAgent() *Agent {
	keys, err := key.NewAgentKeys()
	must(err)
	o.Sign(keys.Body())
	return NewAgent(keys)
}

// PlaceCamera places a new camera with an agent and returns its ID.
func (o *Owner) PlaceCamera(a *Agent) latchkey.CameraID {
	c := latchkey.NewCameraID()
	o.Sign(deed.CameraBody{Camera: c, Agent: a.Keys.Agent})
	return c
}

// Settings makes the settings document that follows prev (nil for none).
func (o *Owner) Settings(prev *sealed.Settings, c settings.Content) []byte {
	o.now += 1_000_000
	b, err := settings.Seal(o.Keys.Signing, o.title, prev, o.now, c)
	must(err)
	return b
}

// Adopt makes the owner go on from a title that somebody else appended to, as a
// browser does that has fetched the newer deeds.
func (o *Owner) Adopt(t *deed.Title) { o.title = t }

// Title is the home's.
func (o *Owner) Title() *deed.Title { return o.title }

// Home is the home's ID.
func (o *Owner) Home() latchkey.HomeID { return o.title.Home() }

// Deeds is the whole chain.
func (o *Owner) Deeds() [][]byte { return o.title.Deeds(0) }

// Ring is the private keys of all epochs that this owner started, and of those that
// [Owner.As] opened.
func (o *Owner) Ring() key.Ring {
	var ring key.Ring
	for e, k := range o.epochs {
		ring = ring.Add(e, k)
	}
	return ring
}

// Device is the signing key of the owner's device, with which requests are signed.
func (o *Owner) Device() (latchkey.DeviceID, ed25519.PrivateKey) {
	return o.Keys.Device, o.Keys.DeviceSigning
}

// Now is the owner's clock.
func (o *Owner) Now() latchkey.Time { return o.now }
