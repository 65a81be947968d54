// Package letter writes and opens letters: commands of a member to an agent, the
// agent's replies, and the condition that an agent tells its home. They are signed by
// whoever writes them and sealed to whoever reads them; docs/letter.md has every byte.
// What a carrier may see of one, and the checks that need no secret, are
// [sealed.Letter].
//
//	sent, err := letter.SealCommand(device, title, agent, incarnation, now, letter.Discover{})
//	received, err := inbox.Open(sent.Bytes(), title, now)      // the agent
//	b, err := received.Reply(keys, title, now, letter.Devices{…})
//	reply, err := sent.Open(b, title)                          // the member
package letter

import (
	"crypto"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/parcel"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/sealed"
)

// commandLife is how long a command is to be obeyed: long enough for a slow line, and
// too short to be kept for later.
const commandLife = sealed.MaxCommandLife

// write seals plain to the recipient and signs the letter. Its kind, who and when are
// set by the caller.
func write(l sealed.Letter, signer crypto.Signer, t *deed.Title, to sealed.Recipient, plain []byte) (sealed.Letter, error) {
	l.Home, l.ID = t.Home(), latchkey.NewLetterID()
	if err := parcel.Write(&l, signer, t, []sealed.Recipient{to}, plain); err != nil {
		return l, err
	}
	if _, err := sealed.ParseLetter(l.Bytes()); err != nil { // too long, or a time that no letter has
		return l, err
	}
	return l, sealed.VerifyLetter(l, t)
}

// parse reads a letter that must be of that kind.
func parse(b []byte, kind sealed.LetterKind) (sealed.Letter, error) {
	l, err := sealed.ParseLetter(b)
	if err == nil && l.Kind != kind {
		err = sealed.Refuse(sealed.WrongKind, "a %s where a %s belongs", l.Kind, kind)
	}
	return l, err
}

// Sent is a command that was sealed. It opens the replies.
type Sent struct {
	letter  sealed.Letter
	command Command
	asker   *key.Private // replies are sealed to it, and it is thrown away with the Sent
	last    uint64       // number of the newest reply that was opened
}

// SealCommand seals a command to an agent, signed by a member's device, or by the
// member if it is a [ConfirmHead]. The incarnation is the one that the agent's condition
// gives.
func SealCommand(device crypto.Signer, t *deed.Title, agent latchkey.AgentID, incarnation uint64, at latchkey.Time, c Command) (*Sent, error) {
	to, ok := t.Agent(agent)
	if !ok {
		return nil, fmt.Errorf("seal command: no agent %s in home %s", agent, t.Home())
	}
	asker, err := key.NewPrivate()
	if err != nil {
		return nil, fmt.Errorf("seal command: %w", err)
	}
	plain, err := encodeCommand(c, asker.Public())
	if err != nil {
		return nil, fmt.Errorf("seal command: %w", err)
	}
	l := sealed.Letter{Kind: sealed.CommandLetter, Agent: agent, Incarnation: incarnation, Time: at, Expires: at + commandLife}
	l, err = write(l, device, t, sealed.Recipient{Recipient: sealed.ToAgent, Key: to.KEM, Epoch: t.Epoch()}, plain)
	if err == nil {
		err = byDevice(l, c, t)
	}
	if err != nil {
		return nil, fmt.Errorf("seal command: %w", err)
	}
	return &Sent{letter: l, command: c, asker: asker}, nil
}

// Bytes is the command as it is sent.
func (s *Sent) Bytes() []byte { return s.letter.Bytes() }

// Letter is the command as anybody sees it.
func (s *Sent) Letter() sealed.Letter { return s.letter }

// Open opens a reply. A letter that answers another command is refused in a word of a
// misroute, and nothing of it is given.
func (s *Sent) Open(b []byte, t *deed.Title) (Reply, error) {
	l, err := parse(b, sealed.ReplyLetter)
	if err != nil {
		return nil, err
	}
	switch {
	case l.Home != s.letter.Home:
		return nil, sealed.Refuse(sealed.WrongHome, "a reply of home %s", l.Home)
	case l.Re != s.letter.Hash():
		return nil, sealed.Refuse(sealed.WrongCommand, "a reply to another command")
	case l.Agent != s.letter.Agent:
		return nil, sealed.Refuse(sealed.WrongAgent, "a reply of agent %s", l.Agent)
	}
	if err := sealed.VerifyLetter(l, t); err != nil {
		return nil, err
	}
	if l.Incarnation != s.letter.Incarnation {
		return nil, sealed.Refuse(sealed.Stale, "a reply of incarnation %d to a command for %d", l.Incarnation, s.letter.Incarnation)
	}
	if l.Number <= s.last {
		return nil, sealed.Refuse(sealed.Replayed, "reply %d after %d", l.Number, s.last)
	}
	plain, err := parcel.Open(&l, func(_ sealed.RecipientKind, id latchkey.KeyID) (*key.Private, bool) {
		return s.asker, id == s.asker.ID()
	})
	if err != nil {
		return nil, err
	}
	r, err := parseReply(plain, s.command)
	if err != nil {
		return nil, sealed.Refuse(sealed.BadContent, "%v", err)
	}
	s.last = l.Number
	return r, nil
}
