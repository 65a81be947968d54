package deed

import (
	"bytes"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Person is somebody in a home with the keys that are theirs. A statement that brings
// one gives exactly one device and neither role, rights nor Since: those come of the
// statement.
type Person struct {
	ID      latchkey.PersonID
	Signing []Key // deeds and settings
	KEM     Key   // epochs are wrapped for it
	Devices []Device
	Role    Role
	Rights  Rights // of a guest or link
	Since   uint64 // the deed from which they stand in the home
}

// Device is a browser or phone of a person. Its keys sign requests, never deeds.
type Device struct {
	ID      latchkey.DeviceID
	Person  latchkey.PersonID
	Signing []Key
}

func (p Person) appendTo(w *wire.Writer) {
	w.Raw(p.ID[:])
	appendKeys(w, p.Signing)
	p.KEM.appendTo(w)
	for _, d := range p.Devices {
		d.appendTo(w)
	}
}

func readPerson(r *wire.Reader) Person {
	var p Person
	r.Into(p.ID[:])
	p.Signing = readSigningKeys(r)
	p.KEM = readKey(r, XWing)
	d := readDevice(r)
	d.Person = p.ID
	p.Devices = []Device{d}
	return p
}

func (d Device) appendTo(w *wire.Writer) {
	w.Raw(d.ID[:])
	appendKeys(w, d.Signing)
}

func readDevice(r *wire.Reader) Device {
	var d Device
	r.Into(d.ID[:])
	d.Signing = readSigningKeys(r)
	return d
}

// Answer is what somebody answers an invitation with: who they are, the signature that
// proves the link's secret ([ProofMessage]), and the epoch that they make if a home is
// handed over to them.
type Answer struct {
	Person    Person
	Signature []byte
	Turn      *EpochBody
}

// Bytes returns the answer as it lies in a slot (docs/wire.md).
func (a Answer) Bytes() []byte {
	var w wire.Writer
	a.Person.appendTo(&w)
	w.LP16(a.Signature)
	if a.Turn != nil {
		a.Turn.appendTo(&w)
	}
	return w.Bytes()
}

// ParseAnswer is the inverse of [Answer.Bytes]. Whether the signature verifies is for
// whoever folds the deed that it goes into.
func ParseAnswer(b []byte) (Answer, error) {
	r := wire.NewReader(bytes.Clone(b))
	a := Answer{Person: readPerson(r), Signature: r.LP16(signatureOf)}
	if len(a.Signature) != signatureOf {
		r.Fail(fmt.Errorf("%w: signature of %d bytes, want %d", wire.ErrMalformed, len(a.Signature), signatureOf))
	}
	if len(r.Rest()) > 0 {
		turn := readEpoch(r)
		a.Turn = &turn
	}
	return a, layout(r.Done())
}
