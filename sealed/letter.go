package sealed

import (
	"crypto/sha256"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// The limits of a letter (docs/letter.md).
const (
	LetterVersion = 1
	MaxLetter     = 1 << 20  // bytes
	MaxCommand    = 64 << 10 // bytes of a letter that is a command

	// MaxCommandLife is how long after it was written a command may be obeyed at most,
	// in microseconds.
	MaxCommandLife = 2 * 60 * 1_000_000
)

// LetterKind says who writes a letter to whom.
type LetterKind uint8

// The kinds of letters. Numbers are never used again for something else.
const (
	CommandLetter   LetterKind = 1 // from a member's device to an agent
	ReplyLetter     LetterKind = 2 // from the agent to whoever sent the command
	ConditionLetter LetterKind = 3 // from an agent to those who see the whole home
)

// String returns the kind's name.
func (k LetterKind) String() string {
	switch k {
	case CommandLetter:
		return "command"
	case ReplyLetter:
		return "reply"
	case ConditionLetter:
		return "condition"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Letter is a short message between a member's device and an agent as anybody sees it:
// whose it is, what it answers, who signed it, and for whom the key of its body was
// wrapped. Package letter writes and opens one.
type Letter struct {
	Kind        LetterKind
	Home        latchkey.HomeID
	Agent       latchkey.AgentID // who is commanded, or who writes
	ID          latchkey.LetterID
	Incarnation uint64        // of the agent, from 1
	Number      uint64        // replies to one command and conditions of one incarnation count from 1
	Re          [32]byte      // the hash of the command that a reply answers
	Time        latchkey.Time // by the clock of whoever wrote it
	Expires     latchkey.Time // after that a command is not obeyed
	Parcel
}

// ParseLetter reads a letter. What parses is written back the same by [Letter.Bytes].
func ParseLetter(p []byte) (Letter, error) {
	r, err := begin("letter", p, MaxLetter, LetterVersion)
	if err != nil {
		return Letter{}, err
	}
	var l Letter
	switch l.Kind = LetterKind(r.U8()); {
	case r.Err() != nil:
		return Letter{}, layout("letter", r.Err())
	case l.Kind < CommandLetter || l.Kind > ConditionLetter:
		return Letter{}, Refuse(Malformed, "letter of %s", l.Kind)
	case l.Kind == CommandLetter && len(p) > MaxCommand:
		return Letter{}, Refuse(Oversize, "command of %d bytes, at most %d", len(p), MaxCommand)
	}
	if err := l.read(r); err != nil {
		return Letter{}, layout("letter", err)
	}
	return l, nil
}

// read reads what follows the kind.
func (l *Letter) read(r *wire.Reader) error {
	r.Into(l.Home[:])
	r.Into(l.Agent[:])
	r.Into(l.ID[:])
	l.Incarnation, l.Number = r.U64(), r.U64()
	r.Into(l.Re[:])
	l.Time, l.Expires = latchkey.Time(r.U64()), latchkey.Time(r.U64())
	l.Head = r.Head()
	r.Into(l.Signer[:])
	if r.Err() != nil {
		return r.Err()
	}
	if err := l.check(); err != nil {
		return err
	}
	n := int(r.U8())
	if r.Err() == nil && n != 1 {
		return Refuse(Malformed, "%d recipients, want 1", n)
	}
	return l.readSealed(r, n, ToEpoch, ToAgent, ToAsker)
}

// check refuses what no field may hold in a letter of that kind.
func (l Letter) check() error {
	answers, counted := l.Re != [32]byte{}, l.Number > 0
	command, reply := l.Kind == CommandLetter, l.Kind == ReplyLetter
	switch {
	case l.Incarnation == 0:
		return Refuse(Malformed, "incarnation 0")
	case counted == command:
		return Refuse(Malformed, "%s of number %d", l.Kind, l.Number)
	case answers != reply:
		return Refuse(Malformed, "only a reply, and every reply, answers a letter")
	case command && (l.Expires <= l.Time || l.Expires-l.Time > MaxCommandLife):
		return Refuse(Malformed, "command of %d that ends at %d", l.Time, l.Expires)
	case !command && l.Expires != 0:
		return Refuse(Malformed, "%s that ends", l.Kind)
	}
	return nil
}

// Context is the part of the letter that its body and its key are bound to.
func (l Letter) Context() []byte {
	var w wire.Writer
	w.U8(LetterVersion)
	w.U8(uint8(l.Kind))
	w.Raw(l.Home[:])
	w.Raw(l.Agent[:])
	w.Raw(l.ID[:])
	w.U64(l.Incarnation)
	w.U64(l.Number)
	w.Raw(l.Re[:])
	w.U64(uint64(l.Time))
	w.U64(uint64(l.Expires))
	w.Head(l.Head)
	w.Raw(l.Signer[:])
	return w.Bytes()
}

func (l Letter) start() []byte { return append(l.Context(), uint8(len(l.Recipients))) }

// SignedMessage is what the writer of the letter signs.
func (l Letter) SignedMessage() []byte { return l.signedMessage("latchkey letter v1", l.start()) }

// Bytes returns the letter as it is sent.
func (l Letter) Bytes() []byte { return l.bytes(l.start()) }

// Hash is the SHA-256 of the letter, which a reply to it names.
func (l Letter) Hash() [32]byte { return sha256.Sum256(l.Bytes()) }

// KeyInfo is what the sealed key of the letter is bound to.
func (l Letter) KeyInfo(kind RecipientKind, key latchkey.KeyID, epoch latchkey.Epoch) []byte {
	return keyInfo("latchkey letter key v1", l.Context(), kind, key, epoch)
}

// VerifyLetter checks that the letter was written on this chain by somebody who may
// write one of its kind, for exactly the one whom it is for, in the order of
// docs/letter.md. Whether it is fresh, and answers what was asked, is for its reader.
func VerifyLetter(l Letter, t *deed.Title) error {
	if err := l.checkSignature(l.Home, l.SignedMessage(), t); err != nil {
		return err
	}
	agent, ok := t.AgentAt(l.Agent, l.Head.Seq)
	if !ok {
		return Refuse(WrongAgent, "agent %s did not stand in the home", l.Agent)
	}
	if err := l.checkSigner(t); err != nil {
		return err
	}
	return l.checkRecipient(t, agent)
}

// checkSigner wants a member or a member's device behind a command, as the title knows
// them now, and the letter's own agent behind everything else, with a key that it had
// at the letter's head.
func (l Letter) checkSigner(t *deed.Title) error {
	if l.Kind == CommandLetter {
		switch {
		case !t.Personal(l.Signer):
			return Refuse(NotAllowed, "only a member commands")
		case !t.InForce(l.Signer, t.Head().Seq):
			return Refuse(FormerSigner, "key %s has been taken back", l.Signer)
		}
		return nil
	}
	switch agent, ok := t.AgentByKey(l.Signer); {
	case !ok:
		return Refuse(NotAllowed, "only an agent writes a %s", l.Kind)
	case agent.ID != l.Agent:
		return Refuse(WrongAgent, "signed by agent %s in the name of %s", agent.ID, l.Agent)
	case !t.InForce(l.Signer, l.Head.Seq):
		return Refuse(FormerSigner, "key %s was not the agent's at head %s", l.Signer, l.Head)
	}
	return nil
}

// checkRecipient wants exactly the one whom a letter of that kind is for, with the
// number of the epoch at the letter's head.
func (l Letter) checkRecipient(t *deed.Title, agent deed.Agent) error {
	epoch := t.EpochAt(l.Head.Seq)
	switch l.Kind {
	case CommandLetter:
		return l.checkRecipients(Recipient{ToAgent, agent.KEM, epoch})
	case ConditionLetter:
		k, ok := t.EpochKey(epoch)
		if !ok {
			return Refuse(WrongRecipients, "there was no epoch at head %s", l.Head)
		}
		return l.checkRecipients(Recipient{ToEpoch, k, epoch})
	}
	return l.checkRecipients(Recipient{ToAsker, deed.Key{}, epoch})
}

// Since checks a condition against the newest that the reader has seen of its agent: an
// older one is refused as replayed, and another one of the same number as a fork.
func (l Letter) Since(seen Letter) error {
	switch {
	case l.Incarnation < seen.Incarnation, l.Incarnation == seen.Incarnation && l.Number < seen.Number:
		return Refuse(Replayed, "number %d of incarnation %d after %d of %d", l.Number, l.Incarnation, seen.Number, seen.Incarnation)
	case l.Incarnation == seen.Incarnation && l.Number == seen.Number && l.Hash() != seen.Hash():
		return Refuse(Fork, "two letters of number %d", l.Number)
	}
	return nil
}

// String says which letter it is.
func (l Letter) String() string {
	return fmt.Sprintf("%s %s of agent %s of home %s", l.Kind, l.ID, l.Agent, l.Home)
}
