package keytest

import (
	"bytes"
	"crypto/sha256"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Agent is the program in a home, with the numbers that it counts.
type Agent struct {
	Keys      *key.AgentKeys
	boot      latchkey.BootID
	sequences map[latchkey.CameraID]uint64
	now       latchkey.Time
}

// NewAgent returns the agent of those keys, in its first incarnation. Its clock begins
// at the same moment every time and goes on ten seconds for each binding.
func NewAgent(keys *key.AgentKeys) *Agent {
	return &Agent{
		Keys: keys, boot: latchkey.NewBootID(), sequences: map[latchkey.CameraID]uint64{},
		now: latchkey.TimeOf(time.Date(2025, 3, 1, 18, 0, 0, 0, time.UTC)),
	}
}

// Object is a sealed object as its agent has it before and after the upload.
type Object struct {
	File sealed.File
	Body []byte
	Key  seal.ObjectKey
}

// Bytes is the object file.
func (o Object) Bytes() []byte { return append(o.File.Bytes(), o.Body...) }

// Name is what the object is asked for by.
func (o Object) Name() latchkey.Name { return o.File.Header.Name() }

// Bind makes the binding of a new object of a camera, sealed at the title's head.
func (a *Agent) Bind(t *deed.Title, camera latchkey.CameraID, kind latchkey.Kind) sealed.Binding {
	a.sequences[camera]++
	a.now += 10_000_000
	return sealed.Binding{
		Kind: kind, Quality: sealed.TimeSynchronised, Home: t.Home(), Camera: camera,
		Event: latchkey.NewEventID(), Object: latchkey.NewObjectID(), AgentKey: a.Keys.KeyID(),
		Incarnation: 1, Sequence: a.sequences[camera], Time: a.now, Boot: a.boot,
		Monotonic: uint64(a.now) % (24 * 3600 * 1_000_000), Head: t.Head(),
	}
}

// Seal makes the object of a binding, with an envelope for the title's newest epoch.
func (a *Agent) Seal(t *deed.Title, b sealed.Binding, content []byte) Object {
	var body bytes.Buffer
	w, err := seal.NewWriter(&body, b)
	must(err)
	_, err = w.Write(content)
	must(err)
	r, err := w.Close()
	must(err)
	o := Object{Body: body.Bytes(), Key: r.Key}
	e, err := seal.WrapForEpoch(r.Key, b, t)
	must(err)
	o.File = sealed.File{Header: a.Sign(b, o.Body), Envelopes: []sealed.Envelope{e}}
	return o
}

// Sign makes the header of a body that is at hand.
func (a *Agent) Sign(b sealed.Binding, body []byte) sealed.Header {
	h, err := seal.Sign(b, uint64(len(body)), sha256.Sum256(body), a.Keys.Signing)
	must(err)
	return h
}

// Object is [Agent.Bind] and [Agent.Seal]: a new object of a camera.
func (a *Agent) Object(t *deed.Title, camera latchkey.CameraID, kind latchkey.Kind, content []byte) Object {
	return a.Seal(t, a.Bind(t, camera, kind), content)
}
