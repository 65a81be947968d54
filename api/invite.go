package api

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// The limits of what lies in the slot of an invitation.
const (
	// InviteLife is how long an invitation may be open at most.
	InviteLife = 7 * 24 * time.Hour
	// RevealSize is the size of what the owner reveals.
	RevealSize = 32
	// ForPerson says in [OpenJoin] that a slot is a person's.
	ForPerson = "person"
	// PhraseWords is how many words two people compare.
	PhraseWords = 4

	maxGreeting     = 8 << 10 // 256 cameras are 7 KiB
	maxInvitation   = 32 + 40 + 8 + 16 + 32 + 2 + maxGreeting + sha256.Size
	maxInviteAnswer = 8 << 10
)

// InviteSecret is what an invitation's link carries in its fragment. Who has it can
// answer, or announce in the home's name; a server never sees it.
type InviteSecret [16]byte

// NewInviteSecret makes a secret.
func NewInviteSecret() (s InviteSecret) {
	rand.Read(s[:])
	return s
}

// String hides the secret, so that no log or error shows it; [InviteSecret.Text] does not.
func (InviteSecret) String() string { return "(invite secret)" }

// GoString is [InviteSecret.String].
func (InviteSecret) GoString() string { return "(invite secret)" }

// Text is the secret as it stands in a link.
func (s InviteSecret) Text() string { return text16(s) }

func (s InviteSecret) derive(what string) []byte {
	m := hmac.New(sha256.New, s[:])
	m.Write([]byte("latchkey invite " + what + " v1"))
	return m.Sum(nil)
}

// Slot is the slot of the secret's link.
func (s InviteSecret) Slot() Slot { return Slot(s.derive("slot")[:16]) }

// Proof is the key that stands in the deed "invite", and with which whoever has the link
// signs for their own keys.
func (s InviteSecret) Proof() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(s.derive("proof")) }

// Invitation is what a home's owner says in a slot.
type Invitation struct {
	Home       latchkey.HomeID
	Head       latchkey.Head
	Expires    latchkey.Time
	Invite     latchkey.InviteID
	Commitment [32]byte // to what will be revealed: [Commit]
	Greeting   []byte   // names, under a key of the secret; ciphertext here
}

func (i Invitation) bytes() []byte {
	var w wire.Writer
	w.Raw(i.Home[:])
	w.Head(i.Head)
	w.U64(uint64(i.Expires))
	w.Raw(i.Invite[:])
	w.Raw(i.Commitment[:])
	w.LP16(i.Greeting)
	return w.Bytes()
}

// Announce proves an invitation with the link's secret.
func (s InviteSecret) Announce(i Invitation) []byte {
	b := i.bytes()
	return append(b, s.mac(b)...)
}

func (s InviteSecret) mac(b []byte) []byte {
	m := hmac.New(sha256.New, s.derive("owner"))
	m.Write(b)
	return m.Sum(nil)
}

// ParseInvitation reads an invitation without its proof, as a server does.
func ParseInvitation(b []byte) (Invitation, error) {
	var i Invitation
	if len(b) > maxInvitation {
		return i, fmt.Errorf("%w: invitation of %d bytes", ErrMalformed, len(b))
	}
	r := wire.NewReader(b)
	r.Into(i.Home[:])
	i.Head = r.Head()
	i.Expires = latchkey.Time(r.U64())
	r.Into(i.Invite[:])
	r.Into(i.Commitment[:])
	i.Greeting = r.LP16(maxGreeting)
	r.Raw(sha256.Size)
	if err := r.Done(); err != nil {
		return Invitation{}, fmt.Errorf("%w: invitation: %w", ErrMalformed, err)
	}
	return i, nil
}

// CheckInvitation reads an invitation and checks that whoever has the link's secret made
// it, and that it has not ended.
func (s InviteSecret) CheckInvitation(b []byte, now time.Time) (Invitation, error) {
	i, err := ParseInvitation(b)
	if err != nil {
		return i, err
	}
	body, proof := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if !hmac.Equal(proof, s.mac(body)) {
		return Invitation{}, fmt.Errorf("invitation: %w", ErrProof)
	}
	if i.Expires < latchkey.TimeOf(now) {
		return Invitation{}, fmt.Errorf("invitation: %w", ErrExpired)
	}
	return i, nil
}

// Accept is the answer to an invitation: a person's keys, with the signature that proves
// the link's secret, and the epoch that they make if the home is handed over to them.
func (s InviteSecret) Accept(i Invitation, p deed.Person, turn *deed.EpochBody) []byte {
	proof := ed25519.Sign(s.Proof(), deed.ProofMessage(i.Home, i.Invite, p))
	return deed.Answer{Person: p, Signature: proof, Turn: turn}.Bytes()
}

// ParseAcceptance reads the answer to an invitation. Whether its signature verifies is for
// whoever folds the deed that it goes into.
func ParseAcceptance(b []byte) (deed.Answer, error) {
	if len(b) > maxInviteAnswer {
		return deed.Answer{}, fmt.Errorf("%w: answer of %d bytes", ErrMalformed, len(b))
	}
	a, err := deed.ParseAnswer(b)
	if err != nil {
		return deed.Answer{}, fmt.Errorf("%w: answer: %w", ErrMalformed, err)
	}
	return a, nil
}

// Commit is what is announced of a reveal before anybody has answered.
func Commit(reveal [RevealSize]byte) [32]byte {
	var w wire.Writer
	w.Label("latchkey invite commitment v1")
	w.Raw(reveal[:])
	return sha256.Sum256(w.Bytes())
}

// Phrase is what owner and guest compare: it is the same on both sides if both have seen
// the same answer.
func Phrase(reveal [RevealSize]byte, answer []byte) []string {
	seen := sha256.Sum256(answer)
	var w wire.Writer
	w.Label("latchkey invite phrase v1")
	w.Raw(reveal[:])
	w.Raw(seen[:])
	sum := sha256.Sum256(w.Bytes())
	return latchkey.Words(sum[:PhraseWords])
}
