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
	t := &Title{
		keys: map[latchkey.KeyID]holder{}, stood: map[any]bool{}, placed: map[latchkey.CameraID]int{},
		roles: map[latchkey.PersonID][]era{}, pasts: map[latchkey.KeyID][]GivenPast{}, kems: map[latchkey.PersonID]latchkey.KeyID{},
	}
	if err := t.extend(deeds); err != nil {
		return nil, err
	}
	return t, nil
}

// Append checks more deeds and returns the title that they lead to; t stays what it
// is. If one is refused none is taken, and the error is an [*Error].
func (t *Title) Append(deeds ...[]byte) (*Title, error) {
	next := *t
	// What only grows is shared; what a deed changes in place is copied. What lies
	// deeper, such as a person's devices, a deed replaces and never changes.
	next.deeds, next.hashes, next.epochs = slices.Clip(t.deeds), slices.Clip(t.hashes), slices.Clip(t.epochs)
	next.persons, next.invites = slices.Clone(t.persons), slices.Clone(t.invites)
	next.agents, next.cameras = slices.Clone(t.agents), slices.Clone(t.cameras)
	next.keys, next.stood, next.placed = maps.Clone(t.keys), maps.Clone(t.stood), maps.Clone(t.placed)
	next.roles, next.pasts, next.kems = maps.Clone(t.roles), maps.Clone(t.pasts), maps.Clone(t.kems)
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
	signer, err := t.signed(d)
	if err != nil {
		return err
	}
	if len(t.deeds) >= MaxChain {
		return refuse(TooMany, "the chain has %d deeds", len(t.deeds))
	}
	if err := t.state(d, signer); err != nil {
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

// signed checks that whoever signed is known, signed it, still signs, and may. It
// returns who that is; for "found" that is nobody yet.
func (t *Title) signed(d *Deed) (Person, error) {
	if found, ok := d.Body.(FoundBody); ok {
		k := found.Person.Signing[0]
		if k.ID() != d.Signer {
			return Person{}, refuse(UnknownSigner, "a home is founded by the person who signs it")
		}
		return Person{}, verify(k, d)
	}
	who, ok := t.keys[d.Signer]
	if !ok || !who.use.signs() {
		return Person{}, refuse(UnknownSigner, "no such key in this home")
	}
	if err := verify(who.key, d); err != nil {
		return Person{}, err
	}
	if who.use != personSigns {
		return Person{}, refuse(NotAllowed, "no key of a person signed %q", d.Body.Type())
	}
	signer, _ := t.Person(who.person)
	if who.until != 0 {
		return Person{}, refuse(FormerSigner, "the key was taken back by deed %d", who.until)
	}
	if !slices.Contains(signers[d.Body.Type()], signer.Role) {
		return Person{}, refuse(NotAllowed, "no %s signs %q", signer.Role, d.Body.Type())
	}
	return signer, nil
}

func verify(k Key, d *Deed) error {
	if !k.Verify(d.message(), d.Signatures[0]) {
		return refuse(BadSignature, "the signature does not verify")
	}
	return nil
}

// signers is the column "signed by" of docs/deed.md for what others than owners sign;
// whose matter it may be is among the statement's own rules.
var signers = map[Type][]Role{
	NewEpoch: {Owner}, PlaceAgent: {Owner}, PlaceCamera: {Owner}, NewInvite: {Owner}, Withdraw: {Owner}, Admit: {Owner},
	Change: {Owner}, Dismiss: {Owner, Guest}, NewDevice: {Owner, Resident, Guest}, Strike: {Owner, Resident, Guest},
	Rekey: {Owner, Resident, Guest}, ReplaceAgent: {Owner}, ReleaseAgent: {Owner}, ReleaseCamera: {Owner},
	HandHomeOver: {Owner}, Lend: {Owner}, Freeze: {Owner, Resident}, Thaw: {Owner}, Retain: {Owner},
}

// state checks the statement's own rules and does what it says.
func (t *Title) state(d *Deed, signer Person) error {
	switch b := d.Body.(type) {
	case FoundBody:
		return t.found(b)
	case EpochBody:
		return t.startEpoch(b, d.Seq)
	case InviteBody:
		return t.invite(b, d)
	case WithdrawBody:
		return t.withdraw(b)
	case AdmitBody:
		return t.admit(b, d, signer)
	case ChangeBody:
		return t.change(b, d, signer)
	case DismissBody:
		return t.dismiss(b, d, signer)
	case DeviceBody:
		return t.addDevice(b, d, signer)
	case StrikeBody:
		return t.strike(b, d, signer)
	case RekeyBody:
		return t.rekey(b, d, signer)
	case HandOverBody:
		return t.handOver(b, d)
	case LendBody:
		return t.lend(b, d)
	default:
		return t.statePlace(d)
	}
}

// statePlace is [Title.state] for what is not about people.
func (t *Title) statePlace(d *Deed) error {
	switch b := d.Body.(type) {
	case AgentBody:
		return t.placeAgent(b, d.Seq)
	case CameraBody:
		return t.placeCamera(b, d.Seq)
	case ReplaceAgentBody:
		return t.replaceAgent(b, d.Seq)
	case ReleaseAgentBody:
		return t.releaseAgent(b, d.Seq)
	case ReleaseCameraBody:
		return t.releaseCamera(b, d.Seq)
	case FreezeBody:
		return t.freeze(true)
	case ThawBody:
		return t.freeze(false)
	case RetainBody:
		t.retention = b
		return nil
	}
	panic("deed: internal error: a statement without rules")
}

func (t *Title) found(b FoundBody) error {
	t.minVersion = b.MinVersion
	return t.welcome(b.Person, Standing{Role: Owner}, 0)
}

func (t *Title) startEpoch(b EpochBody, seq uint64) error {
	if b.Number != t.Epoch()+1 {
		return refuse(WrongEpoch, "number %d, want %d", b.Number, t.Epoch()+1)
	}
	people := t.WholeHome()
	if !slices.EqualFunc(b.Wraps, people, func(w Wrap, p Person) bool {
		return w.Person == p.ID && w.Key == p.KEM.ID()
	}) {
		return refuse(WrongWraps, "want one wrap for each of %d people, by ID, under their keys", len(people))
	}
	if err := t.introduce(holder{key: b.Key, use: sealedTo, since: seq}); err != nil {
		return err
	}
	t.epochs = append(t.epochs, epoch{b.Key, b.Key.ID(), b.Wraps, seq})
	return nil
}

// turn starts the epoch that a statement brings, if one is due.
func (t *Title) turn(b *EpochBody, due bool, seq uint64) error {
	switch {
	case due && b == nil:
		return refuse(WrongEpoch, "who sees the whole home changes, and no new epoch is there")
	case !due && b != nil:
		return refuse(WrongEpoch, "who sees the whole home stays, and a new epoch is there")
	case !due:
		return nil
	}
	return t.startEpoch(*b, seq)
}

// introduce takes a key into the chain, in which each stands once.
func (t *Title) introduce(h holder) error {
	id := h.key.ID()
	if _, ok := t.keys[id]; ok {
		return refuse(ReusedKey, "the key stood in the chain before")
	}
	t.keys[id] = h
	if h.use == personSealedTo {
		t.kems[h.person] = id
	}
	return nil
}

// takeBack ends what keys are in force for.
func (t *Title) takeBack(seq uint64, keys ...Key) {
	for _, k := range keys {
		id := k.ID()
		h := t.keys[id]
		h.until = seq
		t.keys[id] = h
	}
}

// enter takes an ID into the chain, in which each of its kind stands once.
func (t *Title) enter(id any, what string) error {
	if t.stood[id] {
		return refuse(AlreadyPlaced, "the %s stood in the chain before", what)
	}
	t.stood[id] = true
	return nil
}
