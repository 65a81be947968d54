package deed

import (
	"slices"

	"github.com/latchkey-cam/latchkey"
)

// The rules of the statements about people, each in the order of docs/deed.md. A rule
// that refuses may have changed the title by then: it is thrown away.

// welcome takes a new person into the home.
func (t *Title) welcome(p Person, s Standing, seq uint64) error {
	if err := t.enter(p.ID, "person"); err != nil {
		return err
	}
	if len(t.persons) >= MaxPersons {
		return refuse(TooMany, "the home has %d people", len(t.persons))
	}
	p.Role, p.Rights, p.Since = s.Role, s.Rights, seq
	i, _ := t.personAt(p.ID)
	t.persons = slices.Insert(t.persons, i, p)
	t.roles[p.ID] = []era{{seq, s.Role}}
	return t.give(p, seq)
}

// give takes the keys and the one device into the chain that a statement brings for a
// person.
func (t *Title) give(p Person, seq uint64) error {
	d := p.Devices[0]
	if err := t.enter(d.ID, "device"); err != nil {
		return err
	}
	for _, h := range []holder{
		{key: p.Signing[0], use: personSigns},
		{key: p.KEM, use: personSealedTo},
		{key: d.Signing[0], use: deviceSigns, device: d.ID},
	} {
		h.person, h.since = p.ID, seq
		if err := t.introduce(h); err != nil {
			return err
		}
	}
	return nil
}

// strip takes all keys and devices of a person back.
func (t *Title) strip(p Person, seq uint64) {
	t.takeBack(seq, p.Signing...)
	t.takeBack(seq, p.KEM)
	for _, d := range p.Devices {
		t.takeBack(seq, d.Signing...)
	}
}

// leave takes a person out of the home.
func (t *Title) leave(p Person, seq uint64) {
	t.strip(p, seq)
	i, _ := t.personAt(p.ID)
	t.persons = slices.Delete(t.persons, i, i+1)
	t.setRole(p.ID, 0, seq)
}

func (t *Title) setRole(id latchkey.PersonID, role Role, seq uint64) {
	t.roles[id] = append(slices.Clip(t.roles[id]), era{seq, role})
}

// member returns a person who stands in the home and is no link, and where.
func (t *Title) member(id latchkey.PersonID) (int, Person, error) {
	i, ok := t.personAt(id)
	if !ok || t.persons[i].Role == Link {
		return 0, Person{}, refuse(UnknownPerson, "no such person in this home")
	}
	return i, t.persons[i], nil
}

// rights checks those that are given: to cameras that stand in the home, with an end
// that is yet to come. Whoever sees all has none.
func (t *Title) rights(s Standing, at latchkey.Time) error {
	if s.Rights.Ended(at) {
		return refuse(Expired, "the rights have ended")
	}
	for _, c := range s.Rights.Cameras {
		if _, ok := t.Camera(c); !ok {
			return refuse(UnknownCamera, "rights to a camera that does not stand in the home")
		}
	}
	return nil
}

// limited refuses more guests and links than a home may have.
func (t *Title) limited() error {
	n := 0
	for _, p := range t.persons {
		if p.Role.limited() {
			n++
		}
	}
	if n > MaxLimited {
		return refuse(TooMany, "%d guests and links, at most %d", n, MaxLimited)
	}
	return nil
}

// offer is a past with what its rule asks of the title as it was before the statement.
type offer struct {
	Past
	last  latchkey.Epoch
	whole bool // the signer has every epoch of it
}

func (t *Title) offer(p Past, signer Person) offer {
	last := t.Epoch()
	return offer{p, last, p.From <= last && t.has(signer.KEM.ID(), p.From, last)}
}

// past gives a person the past that is offered to them, if they may be given one.
func (t *Title) past(o offer, to Person, may bool) error {
	epochs := uint64(o.last-o.From) + 1
	switch {
	case o.From == 0:
		return nil
	case !may:
		return refuse(WrongPast, "a past for somebody who is given none")
	case !o.whole || uint64(len(o.Sealed)) != pastOverhead+epochs*seedSize:
		return refuse(WrongPast, "a past from epoch %d of %d bytes; the last epoch is %d", o.From, len(o.Sealed), o.last)
	}
	id := to.KEM.ID()
	t.pasts[id] = append(slices.Clip(t.pasts[id]), GivenPast{o.From, o.last, o.Sealed})
	return nil
}

func (t *Title) invite(b InviteBody, d *Deed) error {
	if b.Expires <= d.Time {
		return refuse(Expired, "the invitation has ended")
	}
	if err := t.enter(b.Invite, "invitation"); err != nil {
		return err
	}
	open := 0
	for _, i := range t.invites {
		if i.Expires > d.Time {
			open++
		}
	}
	if open >= MaxInvites {
		return refuse(TooMany, "%d invitations are open", open)
	}
	switch b.Purpose {
	case Join:
		if err := t.rights(b.Standing, d.Time); err != nil {
			return err
		}
	case Recover:
		if _, _, err := t.member(b.Person); err != nil {
			return err
		}
	}
	if err := t.introduce(holder{key: b.Signing[0], use: inviteSigns, since: d.Seq}); err != nil {
		return err
	}
	t.invites = append(t.invites, Invite{b.Invite, b.Signing, b.Expires, b.Purpose, b.Standing, b.Person, d.Seq})
	return nil
}

func (t *Title) withdraw(b WithdrawBody) error {
	if _, ok := t.Invite(b.Invite); !ok {
		return refuse(UnknownInvite, "no such invitation is open")
	}
	t.close(b.Invite)
	return nil
}

func (t *Title) close(id latchkey.InviteID) {
	t.invites = slices.DeleteFunc(t.invites, func(i Invite) bool { return i.ID == id })
}

// proven checks the proof that a person answers an invitation, which is then used up.
// Who is to be recovered counts for that purpose alone.
func (t *Title) proven(p Proof, person Person, purpose Purpose, d *Deed) (Invite, error) {
	i, _ := t.Invite(p.Invite)
	switch {
	case i.Purpose != purpose || purpose == Recover && i.Person != person.ID:
		return i, refuse(UnknownInvite, "no such invitation to %s is open", purpose)
	case i.Expires <= d.Time:
		return i, refuse(Expired, "the invitation has ended")
	case !i.Signing[0].Verify(ProofMessage(t.home, i.ID, person), p.Signature):
		return i, refuse(BadProof, "the keys are not those of whoever holds the invitation")
	}
	t.close(i.ID)
	return i, nil
}

func (t *Title) admit(b AdmitBody, d *Deed, signer Person) error {
	past := t.offer(b.Past, signer)
	i, err := t.proven(b.Proof, b.Person, Join, d)
	if err != nil {
		return err
	}
	if err := t.welcome(b.Person, i.Standing, d.Seq); err != nil {
		return err
	}
	if err := t.rights(i.Standing, d.Time); err != nil {
		return err
	}
	if err := t.limited(); err != nil {
		return err
	}
	sees := i.Standing.Role.SeesAll()
	if err := t.turn(b.Turn, sees, d.Seq); err != nil {
		return err
	}
	return t.past(past, b.Person, sees)
}

func (t *Title) change(b ChangeBody, d *Deed, signer Person) error {
	past := t.offer(b.Past, signer)
	i, p, err := t.member(b.Person)
	if err != nil {
		return err
	}
	saw, sees := p.Role.SeesAll(), b.Standing.Role.SeesAll()
	if p.ID == signer.ID && !sees {
		return refuse(NotAllowed, "nobody makes a guest of themselves")
	}
	another := func(q Person) bool { return q.Role == Owner && q.ID != p.ID } // or the signer is one
	if b.Standing.Role != Owner && !slices.ContainsFunc(t.persons, another) {
		return refuse(LastOwner, "the home would be without an owner")
	}
	if err := t.rights(b.Standing, d.Time); err != nil {
		return err
	}
	t.persons[i].Role, t.persons[i].Rights = b.Standing.Role, b.Standing.Rights
	t.setRole(p.ID, b.Standing.Role, d.Seq)
	if err := t.limited(); err != nil {
		return err
	}
	if err := t.turn(b.Turn, saw != sees, d.Seq); err != nil {
		return err
	}
	return t.past(past, p, sees && !saw)
}

func (t *Title) dismiss(b DismissBody, d *Deed, signer Person) error {
	p, ok := t.Person(b.Person)
	if !ok {
		return refuse(UnknownPerson, "no such person in this home")
	}
	if self := p.ID == signer.ID; self == (signer.Role == Owner) {
		return refuse(NotAllowed, "an owner dismisses others, a guest nobody else")
	}
	t.leave(p, d.Seq)
	return t.turn(b.Turn, p.Role.SeesAll(), d.Seq)
}

func (t *Title) addDevice(b DeviceBody, d *Deed, signer Person) error {
	if err := t.enter(b.Device, "device"); err != nil {
		return err
	}
	if len(signer.Devices) >= MaxDevices {
		return refuse(TooMany, "the person has %d devices", len(signer.Devices))
	}
	device := Device{b.Device, signer.ID, b.Signing}
	err := t.introduce(holder{key: b.Signing[0], use: deviceSigns, person: signer.ID, device: b.Device, since: d.Seq})
	if err != nil {
		return err
	}
	i, _ := t.personAt(signer.ID)
	t.persons[i].Devices = append(slices.Clip(signer.Devices), device)
	return nil
}

func (t *Title) strike(b StrikeBody, d *Deed, signer Person) error {
	device, ok := t.Device(b.Device)
	if !ok {
		return refuse(UnknownDevice, "no such device in this home")
	}
	if device.Person != signer.ID && signer.Role != Owner {
		return refuse(NotAllowed, "only an owner strikes the device of another")
	}
	t.takeBack(d.Seq, device.Signing...)
	i, _ := t.personAt(device.Person)
	t.persons[i].Devices = slices.DeleteFunc(slices.Clone(t.persons[i].Devices), func(d Device) bool { return d.ID == b.Device })
	return nil
}

func (t *Title) rekey(b RekeyBody, d *Deed, signer Person) error {
	past := t.offer(b.Past, signer)
	i, p, err := t.member(b.Person.ID)
	if err != nil {
		return err
	}
	self := p.ID == signer.ID
	if self != (b.Proof == nil) || !self && signer.Role != Owner {
		return refuse(NotAllowed, "a person signs for themselves, or an owner with the proof of an invitation")
	}
	if b.Proof != nil {
		if _, err := t.proven(*b.Proof, b.Person, Recover, d); err != nil {
			return err
		}
	}
	t.strip(p, d.Seq)
	next := b.Person
	next.Role, next.Rights, next.Since = p.Role, p.Rights, p.Since
	t.persons[i] = next
	if err := t.give(next, d.Seq); err != nil {
		return err
	}
	sees := p.Role.SeesAll()
	if err := t.turn(b.Turn, sees, d.Seq); err != nil {
		return err
	}
	return t.past(past, next, sees)
}

func (t *Title) handOver(b HandOverBody, d *Deed) error {
	if _, err := t.proven(b.Proof, b.Person, HandOver, d); err != nil {
		return err
	}
	for _, p := range slices.Clone(t.persons) {
		t.leave(p, d.Seq)
	}
	t.invites, t.frozen, t.handedOver = nil, false, d.Seq
	if err := t.welcome(b.Person, Standing{Role: Owner}, d.Seq); err != nil {
		return err
	}
	return t.turn(b.Turn, true, d.Seq)
}

func (t *Title) lend(b LendBody, d *Deed) error {
	s := Standing{Link, b.Rights}
	if err := t.welcome(b.Person, s, d.Seq); err != nil {
		return err
	}
	if err := t.rights(s, d.Time); err != nil {
		return err
	}
	return t.limited()
}
