package deed

import (
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Purpose says what an invitation is for.
type Purpose uint8

// The purposes of invitations. Numbers are never used again for something else.
const (
	Join     Purpose = 1 // to come into the home
	Recover  Purpose = 2 // to come back with new keys
	HandOver Purpose = 3 // to take the home over
)

// String returns the purpose's name in docs/deed.md.
func (p Purpose) String() string {
	switch p {
	case Join:
		return "join"
	case Recover:
		return "recover"
	case HandOver:
		return "hand over"
	}
	return fmt.Sprintf("purpose %d", uint8(p))
}

// Past is the keys of earlier epochs, sealed to one person who is to see what was
// before. Its zero value is none.
type Past struct {
	From   latchkey.Epoch // the first; the last is the newest before the deed
	Sealed []byte
}

// Proof says that the keys which a statement brings are those of whoever holds an
// invitation's link. What is signed is [ProofMessage].
type Proof struct {
	Invite    latchkey.InviteID
	Signature []byte // by the invitation's key
}

// ProofMessage is what the key of an invitation signs for the person who answers it.
func ProofMessage(home latchkey.HomeID, invite latchkey.InviteID, person Person) []byte {
	var w wire.Writer
	w.Label("latchkey invite proof v1")
	w.Raw(home[:])
	w.Raw(invite[:])
	person.appendTo(&w)
	return w.Bytes()
}

// InviteBody makes an invitation.
type InviteBody struct {
	Invite   latchkey.InviteID
	Signing  []Key // made from the secret in the invitation's link
	Expires  latchkey.Time
	Purpose  Purpose
	Standing Standing          // to join: of whoever answers it
	Person   latchkey.PersonID // to recover: who that is
}

// WithdrawBody ends an invitation.
type WithdrawBody struct{ Invite latchkey.InviteID }

// AdmitBody takes a person into the home who answered an invitation to join.
type AdmitBody struct {
	Proof  Proof
	Person Person
	Past   Past
	Turn   *EpochBody // exactly if they see the whole home
}

// ChangeBody gives a person another role or other rights.
type ChangeBody struct {
	Person   latchkey.PersonID
	Standing Standing
	Past     Past
	Turn     *EpochBody // exactly if they come to see the whole home or cease to
}

// DismissBody takes a person out of the home.
type DismissBody struct {
	Person latchkey.PersonID
	Turn   *EpochBody // exactly if they saw the whole home
}

// DeviceBody gives the signer a further device.
type DeviceBody struct {
	Device  latchkey.DeviceID
	Signing []Key
}

// StrikeBody ends a device.
type StrikeBody struct{ Device latchkey.DeviceID }

// RekeyBody gives a person new keys and one device, in place of all that they had.
type RekeyBody struct {
	Person Person
	Proof  *Proof // exactly if another than the person signs: to recover them
	Past   Past
	Turn   *EpochBody // exactly if they see the whole home
}

// HandOverBody dismisses everybody for one new owner, who makes the turn.
type HandOverBody struct {
	Proof  Proof
	Person Person
	Turn   *EpochBody
}

// LendBody makes a link: a guest whose keys come from the secret in a link.
type LendBody struct {
	Person Person
	Rights Rights // with an end
}

// Type is [NewInvite].
func (InviteBody) Type() Type { return NewInvite }

// Type is [Withdraw].
func (WithdrawBody) Type() Type { return Withdraw }

// Type is [Admit].
func (AdmitBody) Type() Type { return Admit }

// Type is [Change].
func (ChangeBody) Type() Type { return Change }

// Type is [Dismiss].
func (DismissBody) Type() Type { return Dismiss }

// Type is [NewDevice].
func (DeviceBody) Type() Type { return NewDevice }

// Type is [Strike].
func (StrikeBody) Type() Type { return Strike }

// Type is [Rekey].
func (RekeyBody) Type() Type { return Rekey }

// Type is [HandHomeOver].
func (HandOverBody) Type() Type { return HandHomeOver }

// Type is [Lend].
func (LendBody) Type() Type { return Lend }

func (p Past) appendTo(w *wire.Writer) {
	w.U64(uint64(p.From))
	w.LP32(p.Sealed)
}

func readPast(r *wire.Reader) Past {
	p := Past{From: latchkey.Epoch(r.U64())}
	n := r.U32()
	if p.From == 0 && n == 0 {
		return p
	}
	epochs, rest := (int64(n)-pastOverhead)/seedSize, (int64(n)-pastOverhead)%seedSize
	switch {
	case p.From == 0 || epochs < 1 || rest != 0:
		r.Fail(fmt.Errorf("%w: a past from epoch %d of %d bytes", wire.ErrMalformed, p.From, n))
	case epochs > MaxPast:
		r.Fail(refuse(TooMany, "a past of %d epochs, at most %d", epochs, MaxPast))
	}
	p.Sealed = r.Raw(int(n))
	return p
}

func (p Proof) appendTo(w *wire.Writer) {
	w.Raw(p.Invite[:])
	w.LP16(p.Signature)
}

func readProof(r *wire.Reader) Proof {
	var p Proof
	r.Into(p.Invite[:])
	p.Signature = r.LP16(MaxDeed)
	if len(p.Signature) != signatureOf {
		r.Fail(fmt.Errorf("%w: proof of %d bytes, want %d", wire.ErrMalformed, len(p.Signature), signatureOf))
	}
	return p
}

func (b InviteBody) appendTo(w *wire.Writer) {
	w.Raw(b.Invite[:])
	appendKeys(w, b.Signing)
	w.U64(uint64(b.Expires))
	w.U8(uint8(b.Purpose))
	switch b.Purpose {
	case Join:
		b.Standing.appendTo(w)
	case Recover:
		w.Raw(b.Person[:])
	}
}

func readInvite(r *wire.Reader) InviteBody {
	var b InviteBody
	r.Into(b.Invite[:])
	b.Signing = readSigningKeys(r)
	b.Expires = latchkey.Time(r.U64())
	switch b.Purpose = Purpose(r.U8()); b.Purpose {
	case Join:
		b.Standing = readStanding(r)
	case Recover:
		r.Into(b.Person[:])
	case HandOver:
	default:
		r.Fail(fmt.Errorf("%w: an invitation for %s", wire.ErrMalformed, b.Purpose))
	}
	return b
}

func (b WithdrawBody) appendTo(w *wire.Writer) { w.Raw(b.Invite[:]) }

func readWithdraw(r *wire.Reader) (b WithdrawBody) {
	r.Into(b.Invite[:])
	return b
}

func (b AdmitBody) appendTo(w *wire.Writer) {
	b.Proof.appendTo(w)
	b.Person.appendTo(w)
	b.Past.appendTo(w)
	appendTurn(w, b.Turn)
}

func readAdmit(r *wire.Reader) AdmitBody {
	return AdmitBody{Proof: readProof(r), Person: readPerson(r), Past: readPast(r), Turn: readTurn(r)}
}

func (b ChangeBody) appendTo(w *wire.Writer) {
	w.Raw(b.Person[:])
	b.Standing.appendTo(w)
	b.Past.appendTo(w)
	appendTurn(w, b.Turn)
}

func readChange(r *wire.Reader) (b ChangeBody) {
	r.Into(b.Person[:])
	b.Standing, b.Past, b.Turn = readStanding(r), readPast(r), readTurn(r)
	return b
}

func (b DismissBody) appendTo(w *wire.Writer) {
	w.Raw(b.Person[:])
	appendTurn(w, b.Turn)
}

func readDismiss(r *wire.Reader) (b DismissBody) {
	r.Into(b.Person[:])
	b.Turn = readTurn(r)
	return b
}

func (b DeviceBody) appendTo(w *wire.Writer) {
	Device{ID: b.Device, Signing: b.Signing}.appendTo(w)
}

func readDeviceBody(r *wire.Reader) DeviceBody {
	d := readDevice(r)
	return DeviceBody{d.ID, d.Signing}
}

func (b StrikeBody) appendTo(w *wire.Writer) { w.Raw(b.Device[:]) }

func readStrike(r *wire.Reader) (b StrikeBody) {
	r.Into(b.Device[:])
	return b
}

func (b RekeyBody) appendTo(w *wire.Writer) {
	b.Person.appendTo(w)
	w.U8(flag(b.Proof != nil))
	if b.Proof != nil {
		b.Proof.appendTo(w)
	}
	b.Past.appendTo(w)
	appendTurn(w, b.Turn)
}

func readRekey(r *wire.Reader) RekeyBody {
	b := RekeyBody{Person: readPerson(r)}
	if readFlag(r) {
		p := readProof(r)
		b.Proof = &p
	}
	b.Past, b.Turn = readPast(r), readTurn(r)
	return b
}

func (b HandOverBody) appendTo(w *wire.Writer) {
	b.Proof.appendTo(w)
	b.Person.appendTo(w)
	appendTurn(w, b.Turn)
}

func readHandOver(r *wire.Reader) HandOverBody {
	return HandOverBody{Proof: readProof(r), Person: readPerson(r), Turn: readTurn(r)}
}

func (b LendBody) appendTo(w *wire.Writer) {
	b.Person.appendTo(w)
	b.Rights.appendTo(w)
}

func readLend(r *wire.Reader) LendBody {
	b := LendBody{Person: readPerson(r), Rights: readRights(r)}
	if b.Rights.Until == 0 {
		r.Fail(fmt.Errorf("%w: a link without an end", wire.ErrMalformed))
	}
	return b
}
