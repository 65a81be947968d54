package deed

import (
	"bytes"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Type says which statement a deed makes.
type Type uint8

// The statements. Numbers are never used again for something else.
const (
	Found       Type = 1 // founds a home and makes its signer the first owner
	NewEpoch    Type = 2 // gives the key of those who see the whole home
	PlaceAgent  Type = 3 // takes an agent into the home
	PlaceCamera Type = 4 // takes a camera into the home, with its agent
)

// String returns the statement's name in docs/deed.md.
func (t Type) String() string {
	switch t {
	case Found:
		return "found"
	case NewEpoch:
		return "epoch"
	case PlaceAgent:
		return "place agent"
	case PlaceCamera:
		return "place camera"
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// Body is what a deed states: a [FoundBody], [EpochBody], [AgentBody] or [CameraBody].
type Body interface {
	// Type is the statement's.
	Type() Type
	appendTo(w *wire.Writer)
}

// Person is somebody in a home with the keys that are theirs.
type Person struct {
	ID      latchkey.PersonID
	Signing []Key // deeds and settings
	KEM     Key   // epochs are wrapped for it
	Devices []Device
}

// Device is a browser or phone of a person. Its keys sign requests, never deeds.
type Device struct {
	ID      latchkey.DeviceID
	Person  latchkey.PersonID
	Signing []Key
}

// FoundBody founds a home.
type FoundBody struct {
	Salt       [32]byte // makes the home's ID unguessable from its founder's keys
	MinVersion uint8    // the lowest version of objects that readers of this home take; 1
	Person     Person   // the founder, with exactly one device
}

// EpochBody gives the key of an epoch.
type EpochBody struct {
	Number latchkey.Epoch
	Key    Key
	Wraps  []Wrap // ascending by person
}

// Wrap is an epoch's private key, sealed to one person.
type Wrap struct {
	Person latchkey.PersonID
	Key    latchkey.KeyID // of the person's KEM key
	Sealed []byte
}

// AgentBody places an agent.
type AgentBody struct {
	Agent   latchkey.AgentID
	Signing []Key // objects and requests
	KEM     Key   // what is for the agent is sealed to it
}

// CameraBody places a camera with its agent.
type CameraBody struct {
	Camera latchkey.CameraID
	Agent  latchkey.AgentID
}

// Type is [Found].
func (FoundBody) Type() Type { return Found }

// Type is [NewEpoch].
func (EpochBody) Type() Type { return NewEpoch }

// Type is [PlaceAgent].
func (AgentBody) Type() Type { return PlaceAgent }

// Type is [PlaceCamera].
func (CameraBody) Type() Type { return PlaceCamera }

func (b FoundBody) appendTo(w *wire.Writer) {
	w.Raw(b.Salt[:])
	w.U8(b.MinVersion)
	w.Raw(b.Person.ID[:])
	appendKeys(w, b.Person.Signing)
	b.Person.KEM.appendTo(w)
	for _, d := range b.Person.Devices {
		w.Raw(d.ID[:])
		appendKeys(w, d.Signing)
	}
}

func readFound(r *wire.Reader) FoundBody {
	var b FoundBody
	r.Into(b.Salt[:])
	b.MinVersion = r.U8()
	if r.Err() == nil && b.MinVersion == 0 {
		r.Fail(fmt.Errorf("%w: lowest version 0", wire.ErrMalformed))
	}
	r.Into(b.Person.ID[:])
	b.Person.Signing = readSigningKeys(r)
	b.Person.KEM = readKey(r, XWing)
	d := Device{Person: b.Person.ID}
	r.Into(d.ID[:])
	d.Signing = readSigningKeys(r)
	b.Person.Devices = []Device{d}
	return b
}

func (b EpochBody) appendTo(w *wire.Writer) {
	w.U64(uint64(b.Number))
	b.Key.appendTo(w)
	w.U16(uint16(len(b.Wraps)))
	for _, p := range b.Wraps {
		w.Raw(p.Person[:])
		w.Raw(p.Key[:])
		w.LP16(p.Sealed)
	}
}

func readEpoch(r *wire.Reader) EpochBody {
	b := EpochBody{Number: latchkey.Epoch(r.U64()), Key: readKey(r, XWing)}
	n := int(r.U16())
	if r.Err() == nil && n > MaxWraps {
		r.Fail(refuse(TooMany, "%d wraps, at most %d", n, MaxWraps))
	}
	for i := 0; i < n && r.Err() == nil; i++ {
		var p Wrap
		r.Into(p.Person[:])
		r.Into(p.Key[:])
		p.Sealed = r.LP16(MaxDeed)
		if r.Err() == nil && len(p.Sealed) != wrapSize {
			r.Fail(fmt.Errorf("%w: wrap of %d bytes, want %d", wire.ErrMalformed, len(p.Sealed), wrapSize))
		}
		b.Wraps = append(b.Wraps, p)
	}
	return b
}

func (b AgentBody) appendTo(w *wire.Writer) {
	w.Raw(b.Agent[:])
	appendKeys(w, b.Signing)
	b.KEM.appendTo(w)
}

func readAgent(r *wire.Reader) AgentBody {
	var b AgentBody
	r.Into(b.Agent[:])
	b.Signing = readSigningKeys(r)
	b.KEM = readKey(r, XWing)
	return b
}

func (b CameraBody) appendTo(w *wire.Writer) {
	w.Raw(b.Camera[:])
	w.Raw(b.Agent[:])
}

func readCamera(r *wire.Reader) CameraBody {
	var b CameraBody
	r.Into(b.Camera[:])
	r.Into(b.Agent[:])
	return b
}

// AgentBytes returns an agent's ID and keys as a "place agent" has them, which is
// also what an agent answers in a join link's slot (docs/wire.md).
func (b AgentBody) AgentBytes() []byte {
	var w wire.Writer
	b.appendTo(&w)
	return w.Bytes()
}

// ParseAgent is the inverse of [AgentBody.AgentBytes].
func ParseAgent(p []byte) (AgentBody, error) {
	r := wire.NewReader(bytes.Clone(p))
	b := readAgent(r)
	return b, layout(r.Done())
}
