package key

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log/slog"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
)

// Signing makes an Ed25519 signing key.
func Signing() ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed) // never fails: it ends the process instead
	return ed25519.NewKeyFromSeed(seed)
}

func signingID(k ed25519.PrivateKey) deed.Key { return deed.Ed25519Key(k.Public().(ed25519.PublicKey)) }

// PersonKeys are the secrets of a person at one device.
type PersonKeys struct {
	Person        latchkey.PersonID
	Signing       ed25519.PrivateKey // deeds and settings
	KEM           *Private           // epochs are wrapped for it
	Device        latchkey.DeviceID
	DeviceSigning ed25519.PrivateKey // requests
}

// NewPersonKeys makes the keys of a new person at a new device.
func NewPersonKeys() (*PersonKeys, error) {
	kem, err := NewPrivate()
	if err != nil {
		return nil, err
	}
	return &PersonKeys{
		Person: latchkey.NewPersonID(), Signing: Signing(), KEM: kem,
		Device: latchkey.NewDeviceID(), DeviceSigning: Signing(),
	}, nil
}

// NewDevice returns the keys of the same person at another device.
func (k *PersonKeys) NewDevice() *PersonKeys {
	next := *k
	next.Device, next.DeviceSigning = latchkey.NewDeviceID(), Signing()
	return &next
}

// Rekey makes new keys for the same person, at a new device.
func (k *PersonKeys) Rekey() (*PersonKeys, error) {
	next, err := NewPersonKeys()
	if err != nil {
		return nil, err
	}
	next.Person = k.Person
	return next, nil
}

// Format hides the secrets from every verb of fmt.
func (PersonKeys) Format(f fmt.State, _ rune) { fmt.Fprint(f, secret) }

// LogValue hides it from structured logs.
func (PersonKeys) LogValue() slog.Value { return slog.StringValue(secret) }

// Public is the person as deeds show them.
func (k *PersonKeys) Public() deed.Person {
	return deed.Person{
		ID: k.Person, Signing: []deed.Key{signingID(k.Signing)}, KEM: k.KEM.Public(),
		Devices: []deed.Device{{ID: k.Device, Person: k.Person, Signing: []deed.Key{signingID(k.DeviceSigning)}}},
	}
}

// DeviceBody is the statement that gives the person this device.
func (k *PersonKeys) DeviceBody() deed.DeviceBody {
	return deed.DeviceBody{Device: k.Device, Signing: []deed.Key{signingID(k.DeviceSigning)}}
}

// Prove answers an invitation of a home with the key that its link's secret makes: the
// proof that these keys are those of whoever holds the link.
func (k *PersonKeys) Prove(link ed25519.PrivateKey, home latchkey.HomeID, invite latchkey.InviteID) deed.Proof {
	return deed.Proof{Invite: invite, Signature: ed25519.Sign(link, deed.ProofMessage(home, invite, k.Public()))}
}

// Found makes the statement that founds a home of this person, with fresh salt.
func (k *PersonKeys) Found() deed.FoundBody {
	b := deed.FoundBody{MinVersion: 1, Person: k.Public()}
	rand.Read(b.Salt[:])
	return b
}
