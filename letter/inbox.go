package letter

import (
	"fmt"
	"sync"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/parcel"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Inbox takes an agent's commands, each once.
type Inbox struct {
	keys        *key.AgentKeys
	incarnation uint64
	seen        parcel.Once[latchkey.LetterID]
}

// NewInbox returns the inbox of one incarnation of an agent.
func NewInbox(keys *key.AgentKeys, incarnation uint64) *Inbox {
	return &Inbox{keys: keys, incarnation: incarnation}
}

// Received is a command that was opened and is to be obeyed.
type Received struct {
	Command Command
	letter  sealed.Letter
	asker   deed.Key

	mu     sync.Mutex // protects number
	number uint64     // of the last reply
}

// Open checks a command and opens it: that a member's device wrote it (or the member, if
// it is a [ConfirmHead]) for this incarnation of this agent, that it was not opened before, and, if now is not 0, that
// it is not too old. The caller gives 0 while its clock cannot be believed.
func (i *Inbox) Open(b []byte, t *deed.Title, now latchkey.Time) (*Received, error) {
	l, err := parse(b, sealed.CommandLetter)
	if err != nil {
		return nil, err
	}
	if err := sealed.VerifyLetter(l, t); err != nil {
		return nil, err
	}
	if err := i.fresh(l, now); err != nil {
		return nil, err
	}
	plain, err := parcel.Open(&l, i.keys.Find)
	if err != nil {
		return nil, err
	}
	if !i.seen.First(l.ID) {
		return nil, sealed.Refuse(sealed.Replayed, "command %s came before", l.ID)
	}
	c, asker, err := parseCommand(plain)
	if err != nil {
		return nil, sealed.Refuse(sealed.BadContent, "%v", err)
	}
	if err := byDevice(l, c, t); err != nil {
		return nil, err
	}
	return &Received{Command: c, letter: l, asker: asker}, nil
}

// byDevice refuses what a person's own key commands. A device that has no memory stands
// in no title yet: for it its person asks which head is the newest.
func byDevice(l sealed.Letter, c Command, t *deed.Title) error {
	_, isDevice := t.DeviceBySigningKey(l.Signer)
	if _, asks := c.(ConfirmHead); !isDevice && !asks {
		return sealed.Refuse(sealed.NotAllowed, "only a member's device commands")
	}
	return nil
}

func (i *Inbox) fresh(l sealed.Letter, now latchkey.Time) error {
	switch {
	case l.Agent != i.keys.Agent:
		return sealed.Refuse(sealed.WrongAgent, "a command for agent %s", l.Agent)
	case l.Incarnation != i.incarnation:
		return sealed.Refuse(sealed.Stale, "a command for incarnation %d of %d", l.Incarnation, i.incarnation)
	case now != 0: // there is a clock
		return parcel.Timely("command", l.Expires, now)
	}
	return nil
}

// Letter is the command as anybody sees it.
func (r *Received) Letter() sealed.Letter { return r.letter }

// Reply seals the next reply to the command. It may be called by several at once.
func (r *Received) Reply(keys *key.AgentKeys, t *deed.Title, at latchkey.Time, reply Reply) ([]byte, error) {
	plain, err := encodeReply(reply)
	if err == nil {
		_, err = parseReply(plain, r.Command) // what nobody would show
	}
	if err != nil {
		return nil, fmt.Errorf("seal reply: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := sealed.Letter{
		Kind: sealed.ReplyLetter, Agent: keys.Agent, Incarnation: r.letter.Incarnation,
		Number: r.number + 1, Re: r.letter.Hash(), Time: at,
	}
	l, err = write(l, keys.Signing, t, sealed.Recipient{Recipient: sealed.ToAsker, Key: r.asker, Epoch: t.Epoch()}, plain)
	if err != nil {
		return nil, fmt.Errorf("seal reply: %w", err)
	}
	r.number++
	return l.Bytes(), nil
}
