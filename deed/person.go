package deed

import (
	"bytes"

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

// PersonBytes returns a person and their keys as statements have them, which is also
// what somebody answers an invitation with.
func (p Person) PersonBytes() []byte {
	var w wire.Writer
	p.appendTo(&w)
	return w.Bytes()
}

// ParsePerson is the inverse of [Person.PersonBytes].
func ParsePerson(b []byte) (Person, error) {
	r := wire.NewReader(bytes.Clone(b))
	p := readPerson(r)
	return p, layout(r.Done())
}
