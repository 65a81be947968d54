package deed_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
)

// The steps of a drawing that are about people:
//
//	invite anna guest{camera door; thumbnails} -> admit anna -> change anna resident with past 1
//	device phone@anna -> strike phone@anna -> rekey anna -> dismiss anna
//	invite anna to recover -> recover anna        invite eve to hand over -> hand over eve
//	lend link -> freeze -> thaw -> retain 30 1000
//
// Without braces a guest sees every camera, all kinds, without an end, and a link for an
// hour. An invitation stands for an hour. A person's first device is called browser.

// someone is a person of a drawing, who may or may not be in the home.
type someone struct {
	keys, former *key.PersonKeys
	role         deed.Role // 0 outside the home
	devices      map[string]latchkey.DeviceID
}

type invitation struct {
	body deed.InviteBody
	link ed25519.PrivateKey
}

func (h *history) some(name string) *someone {
	if h.people[name] == nil {
		k := h.person()
		h.people[name] = &someone{keys: k, devices: map[string]latchkey.DeviceID{"browser": k.Device}}
	}
	return h.people[name]
}

// invited is the invitation of that name, or one that no deed has made.
func (h *history) invited(name string) *invitation {
	if i := h.invites[name]; i != nil {
		return i
	}
	return &invitation{body: deed.InviteBody{Invite: latchkey.NewInviteID()}, link: h.other.Signing}
}

// peopleBody makes a statement about people, and says who signs it.
func (h *history) peopleBody(verb string, args []string) (deed.Body, ed25519.PrivateKey) {
	by := h.owner.Signing
	switch verb {
	case "invite":
		return h.invite(args[0], args[1:]), by
	case "withdraw":
		return deed.WithdrawBody{Invite: h.invited(args[0]).body.Invite}, by
	case "admit":
		return h.admit(args[0], h.pastOf(args)), by
	case "change":
		return h.change(h.some(args[0]), standing(args[1]), h.pastOf(args)), by
	case "dismiss":
		p := h.some(args[0])
		saw := p.role.SeesAll()
		p.role = 0
		return deed.DismissBody{Person: p.keys.Person, Turn: h.turnIf(saw)}, by
	case "device":
		device, name, _ := strings.Cut(args[0], "@")
		p := h.some(name)
		k := p.keys.NewDevice()
		p.devices[device] = k.Device
		return k.DeviceBody(), p.keys.Signing
	case "strike":
		device, name, _ := strings.Cut(args[0], "@")
		return deed.StrikeBody{Device: h.some(name).devices[device]}, by
	case "rekey":
		by = h.some(args[0]).keys.Signing
		return h.rekey(h.some(args[0]), h.pastOf(args)), by
	case "recover":
		b := h.rekey(h.some(args[0]), h.pastOf(args))
		b.Proof = &deed.Proof{Invite: h.invited(args[0]).body.Invite}
		return b, by
	case "hand":
		for _, p := range h.people {
			p.role = 0
		}
		p := h.some(args[1])
		p.role = deed.Owner
		return deed.HandOverBody{Proof: deed.Proof{Invite: h.invited(args[1]).body.Invite}, Person: p.keys.Public(), Turn: h.turn()}, by
	case "lend":
		p := h.some(args[0])
		p.role = deed.Link
		s := standing("guest")
		s.Rights.Until = h.now + 60*minute
		return deed.LendBody{Person: p.keys.Public(), Rights: s.Rights}, by
	}
	h.t.Fatalf("no such step in a drawing: %q", verb)
	return nil, nil
}

func standing(role string) deed.Standing {
	s := deed.Standing{Role: map[string]deed.Role{"owner": deed.Owner, "resident": deed.Resident, "guest": deed.Guest, "link": deed.Link}[role]}
	if s.Role == deed.Guest || s.Role == deed.Link {
		s.Rights = deed.Rights{Kinds: 31, Every: true}
	}
	return s
}

func (h *history) invite(name string, what []string) deed.InviteBody {
	link := key.Signing()
	b := deed.InviteBody{
		Invite: latchkey.NewInviteID(), Signing: []deed.Key{deed.Ed25519Key(link.Public().(ed25519.PublicKey))},
		Expires: h.now + 60*minute,
	}
	switch strings.Join(what, " ") {
	case "to recover":
		b.Purpose, b.Person = deed.Recover, h.some(name).keys.Person
	case "to hand over":
		b.Purpose = deed.HandOver
	default:
		b.Purpose, b.Standing = deed.Join, standing(what[0])
	}
	h.invites[name] = &invitation{b, link}
	return b
}

func (h *history) admit(name string, past deed.Past) deed.AdmitBody {
	p, i := h.some(name), h.invited(name).body
	p.role = i.Standing.Role
	return deed.AdmitBody{
		Proof: deed.Proof{Invite: i.Invite}, Person: p.keys.Public(), Past: past, Turn: h.turnIf(p.role.SeesAll()),
	}
}

func (h *history) change(p *someone, s deed.Standing, past deed.Past) deed.ChangeBody {
	saw := p.role.SeesAll()
	p.role = s.Role
	return deed.ChangeBody{Person: p.keys.Person, Standing: s, Past: past, Turn: h.turnIf(saw != s.Role.SeesAll())}
}

func (h *history) rekey(p *someone, past deed.Past) deed.RekeyBody {
	next, err := p.keys.Rekey()
	h.must(err)
	p.former, p.keys = p.keys, next
	if p == h.people["owner"] {
		h.owner = next
	}
	p.devices = map[string]latchkey.DeviceID{"browser": next.Device}
	return deed.RekeyBody{Person: next.Public(), Past: past, Turn: h.turnIf(p.role.SeesAll())}
}

func (h *history) turnIf(due bool) *deed.EpochBody {
	if !due {
		return nil
	}
	return h.turn()
}

// pastOf is the past that a step ends with ("with past 2"): as long as it must be, for
// the fold cannot see into it.
func (h *history) pastOf(step []string) deed.Past {
	n := len(step)
	if n < 3 || step[n-2] != "past" {
		return deed.Past{}
	}
	return h.past(step[n-1])
}

func (h *history) past(from string) deed.Past {
	var p deed.Past
	_, err := fmt.Sscan(from, &p.From)
	h.must(err)
	if p.From <= h.epochs {
		p.Sealed = pastOver(h.epochs - p.From + 1)
	} else {
		p.Sealed = pastOver(1)
	}
	return p
}

func pastOver(epochs latchkey.Epoch) []byte {
	return bytes.Repeat([]byte("past"), (1120+16+32*int(epochs))/4)
}

// last is "door 2.7": of the camera door, incarnation 2, sequence 7.
func (h *history) last(s string) deed.Last {
	camera, number, _ := strings.Cut(s, " ")
	l := deed.Last{Camera: h.camera(camera)}
	_, err := fmt.Sscanf(number, "%d.%d", &l.Incarnation, &l.Sequence)
	h.must(err)
	return l
}

// peopleBut makes an exception in a statement about people.
func (h *history) peopleBut(but string, d *deed.Deed) {
	switch b := d.Body.(type) {
	case deed.InviteBody:
		h.inviteBut(but, &b, d.Time)
		d.Body = b
	case deed.AdmitBody:
		h.personBut(but, &b.Person)
		h.pastBut(but, &b.Past)
		h.turnBut(but, &b.Turn)
		h.proofBut(but, &b.Proof)
		d.Body = b
	case deed.ChangeBody:
		h.rightsBut(but, &b.Standing.Rights, d.Time)
		h.pastBut(but, &b.Past)
		h.turnBut(but, &b.Turn)
		d.Body = b
	case deed.DismissBody:
		h.turnBut(but, &b.Turn)
		d.Body = b
	case deed.DeviceBody:
		h.deviceBut(but, &b)
		d.Body = b
	case deed.RekeyBody:
		h.personBut(but, &b.Person)
		h.pastBut(but, &b.Past)
		h.turnBut(but, &b.Turn)
		h.rekeyBut(but, &b)
		if b.Proof != nil {
			h.proofBut(but, b.Proof)
		}
		d.Body = b
	case deed.HandOverBody:
		h.personBut(but, &b.Person)
		h.turnBut(but, &b.Turn)
		h.proofBut(but, &b.Proof)
		d.Body = b
	case deed.LendBody:
		h.personBut(but, &b.Person)
		h.rightsBut(but, &b.Rights, d.Time)
		d.Body = b
	}
}

func (h *history) inviteBut(but string, b *deed.InviteBody, now latchkey.Time) {
	switch what, name, _ := strings.Cut(but, " of "); what {
	case "with the ID":
		b.Invite = h.invited(name).body.Invite
	case "with the key":
		b.Signing = h.invited(name).body.Signing
	case "with the signing key":
		b.Signing = h.some(name).keys.Public().Signing
	}
	switch but {
	case "ended":
		b.Expires = now
	case "for nothing":
		b.Purpose = 4
	}
	h.rightsBut(but, &b.Standing.Rights, now)
}

// rightsBut gives a guest or link other rights: "camera door", "thumbnails", "for 30 minutes".
func (h *history) rightsBut(but string, r *deed.Rights, now latchkey.Time) {
	kinds := map[string]deed.Kinds{
		"thumbnails": deed.SeesThumbnails, "clips": deed.SeesClips, "descriptions": deed.SeesDescriptions,
		"live": deed.SeesLive, "footage": deed.SeesFootage, "nothing": 0, "a kind that is not": 32,
	}
	what, name, _ := strings.Cut(but, " ")
	switch k, ok := kinds[but]; {
	case ok && r.Kinds == 31:
		r.Kinds = k
	case ok:
		r.Kinds |= k
	case what == "camera":
		r.Every = false
		r.Cameras = append(r.Cameras, h.camera(name))
		slices.SortFunc(r.Cameras, func(a, b latchkey.CameraID) int { return slices.Compare(a[:], b[:]) })
	case but == "for 30 minutes":
		r.Until = now + 30*minute
	case but == "until now":
		r.Until = now
	case but == "without an end":
		r.Until = 0
	case but == "descending":
		slices.Reverse(r.Cameras)
	case but == "no camera":
		r.Every = false
	case but == "every camera too":
		r.Every = true
	case but == "257 cameras":
		r.Every, r.Cameras = false, make([]latchkey.CameraID, 257)
	}
}

func (h *history) personBut(but string, p *deed.Person) {
	what, name, _ := strings.Cut(but, " of ")
	switch what {
	case "with the ID":
		p.ID = h.some(name).keys.Person
	case "with the device":
		p.Devices[0].ID = h.some(name).devices["browser"]
	case "with the signing key":
		p.Signing = h.some(name).keys.Public().Signing
	case "with the KEM key":
		p.KEM = h.some(name).keys.KEM.Public()
	case "with the device key":
		p.Devices[0].Signing = h.some(name).keys.Public().Devices[0].Signing
	case "with the former KEM key":
		p.KEM = h.some(name).former.KEM.Public()
	}
}

func (h *history) deviceBut(but string, b *deed.DeviceBody) {
	switch what, name, _ := strings.Cut(but, " of "); what {
	case "with the ID":
		b.Device = h.some(name).devices["browser"]
	case "with the key":
		b.Signing = h.some(name).keys.DeviceBody().Signing
	}
}

func (h *history) pastBut(but string, p *deed.Past) {
	if from, ok := strings.CutPrefix(but, "a past from "); ok {
		*p = h.past(from)
	}
	switch but {
	case "one epoch short":
		p.Sealed = p.Sealed[32:]
	case "one epoch too long":
		p.Sealed = append(p.Sealed, make([]byte, 32)...)
	case "a byte short":
		p.Sealed = p.Sealed[1:]
	case "of no epoch":
		p.Sealed = pastOver(0)
	case "of 1025 epochs":
		p.Sealed = pastOver(1025)
	case "from no epoch":
		p.From = 0
	}
}

func (h *history) turnBut(but string, turn **deed.EpochBody) {
	switch {
	case but == "without a turn":
		*turn = nil
	case but == "with a turn":
		*turn = h.turn()
	case *turn != nil:
		b := h.epochBody(but, **turn)
		*turn = &b
	}
}

func (h *history) proofBut(but string, p *deed.Proof) {
	if name, ok := strings.CutPrefix(but, "answering "); ok {
		p.Invite = h.invited(name).body.Invite
	}
}

func (h *history) rekeyBut(but string, b *deed.RekeyBody) {
	if name, ok := strings.CutPrefix(but, "with the proof of "); ok {
		b.Proof = &deed.Proof{Invite: h.invited(name).body.Invite}
	}
	if but == "without a proof" {
		b.Proof = nil
	}
}

// prove signs the proof of what the statement has become, with its exceptions.
func (h *history) prove(d *deed.Deed, but []string) {
	switch b := d.Body.(type) {
	case deed.AdmitBody:
		b.Proof = h.proof(b.Proof, b.Person, but)
		d.Body = b
	case deed.HandOverBody:
		b.Proof = h.proof(b.Proof, b.Person, but)
		d.Body = b
	case deed.RekeyBody:
		if b.Proof != nil {
			p := h.proof(*b.Proof, b.Person, but)
			b.Proof = &p
		}
		d.Body = b
	}
}

func (h *history) proof(p deed.Proof, person deed.Person, but []string) deed.Proof {
	home, link := deed.Hash(h.deeds[0]), h.other.Signing
	for _, i := range h.invites {
		if i.body.Invite == p.Invite {
			link = i.link
		}
	}
	in := p.Invite
	for _, b := range but {
		if name, ok := strings.CutPrefix(b, "proven for "); ok {
			in = h.invited(name).body.Invite
		}
		switch b {
		case "proven by a stranger":
			link = h.other.Signing
		case "proven for other keys":
			person.KEM = h.other.KEM.Public()
		case "proven in another home":
			home = latchkey.HomeID{1}
		}
	}
	p.Signature = ed25519.Sign(link, deed.ProofMessage(home, in, person))
	switch {
	case slices.Contains(but, "proof altered"):
		p.Signature[5] ^= 1
	case slices.Contains(but, "short proof"):
		p.Signature = p.Signature[1:]
	}
	return p
}
