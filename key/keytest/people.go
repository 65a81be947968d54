package keytest

import (
	"crypto/ed25519"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
)

// Person is somebody at a browser who may come into a home.
type Person struct{ Keys *key.PersonKeys }

// NewPerson makes the keys of somebody new.
func NewPerson() *Person {
	keys, err := key.NewPersonKeys()
	must(err)
	return &Person{keys}
}

// ID is the person's.
func (p *Person) ID() latchkey.PersonID { return p.Keys.Person }

// Ring is what the person opens of a home with that title.
func (p *Person) Ring(t *deed.Title) key.Ring {
	ring, err := key.OpenEpochs(t, p.Keys)
	must(err)
	return ring
}

// Rekeyed is the same person with new keys at a new device.
func (p *Person) Rekeyed() *Person {
	keys, err := p.Keys.Rekey()
	must(err)
	return &Person{keys}
}

// Standings in a few letters.
var (
	AsOwner    = deed.Standing{Role: deed.Owner}
	AsResident = deed.Standing{Role: deed.Resident}
)

// AsGuest is a guest who sees thumbnails, clips and descriptions of those cameras, or
// of every one, without an end.
func AsGuest(cameras ...latchkey.CameraID) deed.Standing {
	return deed.Standing{Role: deed.Guest, Rights: Rights(0, cameras...)}
}

// Rights are those to thumbnails, clips and descriptions of those cameras, or of every
// one, until then.
func Rights(until latchkey.Time, cameras ...latchkey.CameraID) deed.Rights {
	cameras = slices.SortedFunc(slices.Values(cameras), func(a, b latchkey.CameraID) int { return slices.Compare(a[:], b[:]) })
	return deed.Rights{
		Kinds: deed.SeesThumbnails | deed.SeesClips | deed.SeesDescriptions, Until: until,
		Every: len(cameras) == 0, Cameras: cameras,
	}
}

// Invitation is one with the secret of its link.
type Invitation struct {
	Body deed.InviteBody
	Link ed25519.PrivateKey
}

// Proof is that of a person who answers the invitation.
func (i *Invitation) Proof(p *Person, home latchkey.HomeID) deed.Proof {
	return p.Keys.Prove(i.Link, home, i.Body.Invite)
}

// invite signs an invitation, which ends an hour from now.
func (o *Owner) invite(b deed.InviteBody) *Invitation {
	i := &Invitation{b, key.Signing()}
	i.Body.Invite, i.Body.Expires = latchkey.NewInviteID(), o.now+3_600_000_000
	i.Body.Signing = []deed.Key{deed.Ed25519Key(i.Link.Public().(ed25519.PublicKey))}
	o.Sign(i.Body)
	return i
}

// Invite invites somebody to join with that standing.
func (o *Owner) Invite(s deed.Standing) *Invitation {
	return o.invite(deed.InviteBody{Purpose: deed.Join, Standing: s})
}

// Withdraw ends an invitation.
func (o *Owner) Withdraw(i *Invitation) []byte {
	return o.Sign(deed.WithdrawBody{Invite: i.Body.Invite})
}

// Admit admits a person who answers an invitation to join. Whoever comes to see the
// whole home is given the past from that epoch on, 0 for none.
func (o *Owner) Admit(i *Invitation, p *Person, from latchkey.Epoch) []byte {
	b := deed.AdmitBody{Proof: i.Proof(p, o.Home()), Person: p.Keys.Public(), Past: o.past(from, p.Keys.Public())}
	if i.Body.Standing.Role.SeesAll() {
		b.Turn = o.Turn(append(o.title.WholeHome(), b.Person))
	}
	return o.Sign(b)
}

// Join is [Owner.Invite] and [Owner.Admit], without a past.
func (o *Owner) Join(p *Person, s deed.Standing) *Person {
	o.Admit(o.Invite(s), p, 0)
	return p
}

// Change gives a person another standing, and the past from that epoch on, 0 for none.
func (o *Owner) Change(p *Person, s deed.Standing, from latchkey.Epoch) []byte {
	was, _ := o.title.Person(p.ID())
	b := deed.ChangeBody{Person: p.ID(), Standing: s, Past: o.past(from, was)}
	switch saw, sees := was.Role.SeesAll(), s.Role.SeesAll(); {
	case sees && !saw:
		b.Turn = o.Turn(append(o.title.WholeHome(), was))
	case saw && !sees:
		b.Turn = o.Turn(without(o.title.WholeHome(), p.ID()))
	}
	return o.Sign(b)
}

// Dismiss takes a person out of the home.
func (o *Owner) Dismiss(p *Person) []byte {
	b := deed.DismissBody{Person: p.ID()}
	if was, _ := o.title.Person(p.ID()); was.Role.SeesAll() {
		b.Turn = o.Turn(without(o.title.WholeHome(), p.ID()))
	}
	return o.Sign(b)
}

// Lend makes a link.
func (o *Owner) Lend(r deed.Rights) *Person {
	p := NewPerson()
	o.Sign(deed.LendBody{Person: p.Keys.Public(), Rights: r})
	return p
}

// AddDevice gives the owner a further device and returns its keys.
func (o *Owner) AddDevice() *key.PersonKeys {
	k := o.Keys.NewDevice()
	o.Sign(k.DeviceBody())
	return k
}

// Strike ends a device.
func (o *Owner) Strike(d latchkey.DeviceID) []byte { return o.Sign(deed.StrikeBody{Device: d}) }

// Rekey gives the owner new keys at a new device, and the whole past that they had.
func (o *Owner) Rekey() []byte {
	p := (&Person{o.Keys}).Rekeyed()
	b := deed.RekeyBody{Person: p.Keys.Public(), Past: o.past(first(o.Ring()), p.Keys.Public())}
	b.Turn = o.Turn(append(without(o.title.WholeHome(), p.ID()), b.Person))
	d := o.Sign(b)
	o.Keys = p.Keys
	return d
}

// Recover gives another person new keys, who lost the ones that they had, and the past
// from that epoch on, 0 for none. It returns that person.
func (o *Owner) Recover(p *Person, from latchkey.Epoch) *Person {
	i := o.invite(deed.InviteBody{Purpose: deed.Recover, Person: p.ID()})
	was, _ := o.title.Person(p.ID())
	p = p.Rekeyed()
	proof := i.Proof(p, o.Home())
	b := deed.RekeyBody{Person: p.Keys.Public(), Proof: &proof, Past: o.past(from, p.Keys.Public())}
	if was.Role.SeesAll() {
		b.Turn = o.Turn(append(without(o.title.WholeHome(), p.ID()), b.Person))
	}
	o.Sign(b)
	return p
}

// HandOver hands the home over to somebody, who makes the turn, and returns them as its
// owner.
func (o *Owner) HandOver(p *Person) *Owner {
	i := o.invite(deed.InviteBody{Purpose: deed.HandOver})
	turn, k, err := key.Turn(o.title, []deed.Person{p.Keys.Public()})
	must(err)
	o.Sign(deed.HandOverBody{Proof: i.Proof(p, o.Home()), Person: p.Keys.Public(), Turn: turn})
	return &Owner{p.Keys, o.title, map[latchkey.Epoch]*key.Private{turn.Number: k}, o.now}
}

// As is the same home at the browser of another person, who signs what follows there.
func (o *Owner) As(p *Person) *Owner {
	other := &Owner{p.Keys, o.title, map[latchkey.Epoch]*key.Private{}, o.now}
	ring := p.Ring(o.title)
	for _, e := range ring.Epochs() {
		other.epochs[e], _ = ring.Epoch(e)
	}
	return other
}

// Turn makes the next epoch for those people, and keeps its key.
func (o *Owner) Turn(people []deed.Person) *deed.EpochBody {
	b, k, err := key.Turn(o.title, people)
	must(err)
	o.epochs[b.Number] = k
	return b
}

func (o *Owner) past(from latchkey.Epoch, to deed.Person) deed.Past {
	if from == 0 {
		return deed.Past{}
	}
	p, err := key.SealPast(o.title, o.Ring(), from, to)
	must(err)
	return p
}

// first is the first epoch from which on the ring has every one.
func first(ring key.Ring) latchkey.Epoch {
	epochs := ring.Epochs()
	from := epochs[len(epochs)-1]
	for _, ok := ring.Epoch(from - 1); ok; _, ok = ring.Epoch(from - 1) {
		from--
	}
	return from
}

func without(people []deed.Person, id latchkey.PersonID) []deed.Person {
	return slices.DeleteFunc(people, func(p deed.Person) bool { return p.ID == id })
}

// ReplaceAgent gives an agent new keys, after those last objects of the old ones, and
// returns the agent with them.
func (o *Owner) ReplaceAgent(a *Agent, lasts ...deed.Last) *Agent {
	keys, err := key.NewAgentKeys()
	must(err)
	keys.Agent = a.Keys.Agent
	o.Sign(deed.ReplaceAgentBody{AgentBody: keys.Body(), Lasts: lasts})
	return NewAgent(keys)
}

// ReleaseAgent lets an agent and its cameras leave.
func (o *Owner) ReleaseAgent(a *Agent, lasts ...deed.Last) []byte {
	return o.Sign(deed.ReleaseAgentBody{Agent: a.Keys.Agent, Lasts: lasts})
}

// ReleaseCamera lets a camera leave.
func (o *Owner) ReleaseCamera(c latchkey.CameraID) []byte {
	return o.Sign(deed.ReleaseCameraBody{Camera: c})
}
