package deed

import (
	"bytes"
	"errors"
	"maps"
	"slices"

	"github.com/latchkey-cam/latchkey"
)

// Fold checks the whole chain of a home from its first deed and returns its title.
// A chain that begins with another deed than the one whose hash is home is refused
// (wrong-home). The error is an [*Error] that says which deed was refused.
func Fold(home latchkey.HomeID, deeds [][]byte) (*Title, error) {
	if len(deeds) == 0 {
		return nil, refuse(NotFound, "no deeds")
	}
	first, err := Parse(deeds[0])
	switch {
	case err != nil:
		return nil, err
	case first.Body.Type() != Found:
		return nil, notFound(first)
	case Hash(deeds[0]) != home:
		return nil, refuse(WrongHome, "the first deed is not the one that gave the home its name")
	}
	return Start(deeds...)
}

// Start checks a chain like [Fold] for whoever does not know yet which home it is:
// the home is the one that the first deed founds.
func Start(deeds ...[]byte) (*Title, error) {
	if len(deeds) == 0 {
		return nil, refuse(NotFound, "no deeds")
	}
	t := &Title{keys: map[latchkey.KeyID]holder{}}
	if err := t.extend(deeds); err != nil {
		return nil, err
	}
	return t, nil
}

// Append checks more deeds and returns the title that they lead to; t stays what it
// is. If one is refused none is taken, and the error is an [*Error].
func (t *Title) Append(deeds ...[]byte) (*Title, error) {
	next := *t
	next.deeds = slices.Clip(t.deeds)
	next.hashes = slices.Clip(t.hashes)
	next.agents = slices.Clip(t.agents)
	next.cameras = slices.Clip(t.cameras)
	next.epochs = slices.Clip(t.epochs)
	next.keys = maps.Clone(t.keys)
	if err := next.extend(deeds); err != nil {
		return nil, err
	}
	return &next, nil
}

func (t *Title) extend(deeds [][]byte) error {
	for i, b := range deeds {
		if err := t.take(b); err != nil {
			if e, ok := errors.AsType[*Error](err); ok {
				e.At = i
			}
			return err
		}
	}
	return nil
}

// take checks one deed in the order that docs/deed.md gives and takes it in.
func (t *Title) take(b []byte) error {
	d, err := Parse(b)
	if err != nil {
		return err
	}
	if err := t.follows(d); err != nil {
		return err
	}
	if err := t.signed(d); err != nil {
		return err
	}
	if len(t.deeds) >= MaxChain {
		return refuse(TooMany, "the chain has %d deeds", len(t.deeds))
	}
	if err := t.state(d); err != nil {
		return err
	}
	hash := Hash(b)
	if d.Seq == 0 {
		t.home = hash
	}
	t.last = d.Time
	t.deeds = append(t.deeds, bytes.Clone(b))
	t.hashes = append(t.hashes, hash)
	return nil
}

// follows checks that d is the next deed of this chain.
func (t *Title) follows(d *Deed) error {
	first := len(t.deeds) == 0
	switch {
	case first && d.Body.Type() != Found:
		return notFound(d)
	case !first && d.Body.Type() == Found:
		return refuse(Replayed, "a home is founded once")
	case d.Home != t.home: // both are zero at the first deed
		return refuse(WrongHome, "it names another home")
	}
	var want uint64
	var prev [32]byte
	if !first {
		head := t.Head()
		want, prev = head.Seq+1, head.Hash
	}
	switch {
	case d.Seq < want:
		return refuse(Replayed, "number %d, want %d", d.Seq, want)
	case d.Seq > want:
		return refuse(Gap, "number %d, want %d", d.Seq, want)
	case d.Prev != prev:
		return refuse(Fork, "it follows another deed %d", want)
	case d.Time+MaxBackdate < t.last:
		return refuse(Backdated, "%s before the deed it follows", t.last.Time().Sub(d.Time.Time()))
	}
	return nil
}

func notFound(d *Deed) error {
	return refuse(NotFound, "the first deed is %q", d.Body.Type())
}

// signed checks that whoever signed is known, signed it, and may.
func (t *Title) signed(d *Deed) error {
	var who holder
	if found, ok := d.Body.(FoundBody); ok {
		who = holder{key: found.Person.Signing[0], role: personSigns}
		if who.key.ID() != d.Signer {
			return refuse(UnknownSigner, "a home is founded by the person who signs it")
		}
	} else if who, ok = t.keys[d.Signer]; !ok || who.role == sealedTo {
		return refuse(UnknownSigner, "no such key in this home")
	}
	if !who.key.Verify(d.message(), d.Signatures[0]) {
		return refuse(BadSignature, "the signature does not verify")
	}
	if who.role != personSigns {
		return refuse(NotAllowed, "only an owner signs %q", d.Body.Type())
	}
	return nil
}

// state checks the statement's own rules and does what it says.
func (t *Title) state(d *Deed) error {
	switch b := d.Body.(type) {
	case FoundBody:
		return t.found(b)
	case EpochBody:
		return t.startEpoch(b, d.Seq)
	case AgentBody:
		return t.placeAgent(b, d.Seq)
	case CameraBody:
		return t.placeCamera(b, d.Seq)
	}
	panic("deed: internal error: a statement without rules")
}

func (t *Title) found(b FoundBody) error {
	p := b.Person
	for _, h := range []holder{
		{key: p.Signing[0], person: p.ID, role: personSigns},
		{key: p.KEM, person: p.ID, role: sealedTo},
		{key: p.Devices[0].Signing[0], person: p.ID, role: deviceSigns},
	} {
		if err := t.introduce(h); err != nil {
			return err
		}
	}
	t.minVersion = b.MinVersion
	t.persons = []Person{p}
	return nil
}

func (t *Title) startEpoch(b EpochBody, seq uint64) error {
	if b.Number != t.Epoch()+1 {
		return refuse(WrongEpoch, "number %d, want %d", b.Number, t.Epoch()+1)
	}
	if !slices.EqualFunc(b.Wraps, t.persons, func(w Wrap, p Person) bool {
		return w.Person == p.ID && w.Key == p.KEM.ID()
	}) {
		return refuse(WrongWraps, "want one wrap for each of %d people, by ID, under their keys", len(t.persons))
	}
	if err := t.introduce(holder{key: b.Key, role: sealedTo}); err != nil {
		return err
	}
	t.epochs = append(t.epochs, epoch{b.Key, b.Wraps, seq})
	return nil
}

func (t *Title) placeAgent(b AgentBody, seq uint64) error {
	if _, ok := t.Agent(b.Agent); ok {
		return refuse(AlreadyPlaced, "the agent stands in the chain")
	}
	if len(t.agents) >= MaxAgents {
		return refuse(TooMany, "the home has %d agents", len(t.agents))
	}
	for _, h := range []holder{
		{key: b.Signing[0], agent: b.Agent, role: agentSigns},
		{key: b.KEM, agent: b.Agent, role: sealedTo},
	} {
		if err := t.introduce(h); err != nil {
			return err
		}
	}
	t.agents = append(t.agents, Agent{b.Agent, b.Signing, b.KEM, seq})
	return nil
}

func (t *Title) placeCamera(b CameraBody, seq uint64) error {
	if _, ok := t.Agent(b.Agent); !ok {
		return refuse(UnknownAgent, "no such agent in this home")
	}
	if _, ok := t.Camera(b.Camera); ok {
		return refuse(AlreadyPlaced, "the camera stands in the chain")
	}
	if len(t.cameras) >= MaxCameras {
		return refuse(TooMany, "the home has %d cameras", len(t.cameras))
	}
	t.cameras = append(t.cameras, Camera{b.Camera, b.Agent, seq})
	return nil
}

// introduce takes a key into the chain, in which each stands once.
func (t *Title) introduce(h holder) error {
	id := h.key.ID()
	if _, ok := t.keys[id]; ok {
		return refuse(ReusedKey, "the key stood in the chain before")
	}
	t.keys[id] = h
	return nil
}
