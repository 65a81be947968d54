package live

import (
	"errors"
	"fmt"
	"sync"

	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/parcel"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Porter takes the knocks at an agent, each once, and counts its grants. It may be used
// by several at once.
type Porter struct {
	keys        *key.AgentKeys
	incarnation uint64
	seen        parcel.Once[[32]byte] // knocks, by their hash

	mu     sync.Mutex // protects number, and what its visitors were told
	number uint64     // of the newest grant
}

// NewPorter returns the porter of one incarnation of an agent.
func NewPorter(keys *key.AgentKeys, incarnation uint64) *Porter {
	return &Porter{keys: keys, incarnation: incarnation}
}

// Visitor is a viewer who has knocked, as the agent has them.
type Visitor struct {
	porter   *Porter
	knock    sealed.Knock
	asker    deed.Key // to which the grant is sealed
	answered bool     // protected by the porter's mutex
}

// Open checks a knock and opens it: that a device of the home signed it for this agent,
// that it did not come before, and, if the clock can be believed, that it is not too old.
// Whether the visitor may watch is not asked yet: who may not is answered too.
func (p *Porter) Open(b []byte, t *deed.Title, now Now) (*Visitor, error) {
	k, err := sealed.ParseKnock(b)
	if err != nil {
		return nil, err
	}
	if err := sealed.VerifyKnock(k, t); err != nil {
		return nil, err
	}
	if k.Agent != p.keys.Agent {
		return nil, sealed.Refuse(sealed.WrongAgent, "a knock at agent %s", k.Agent)
	}
	if now.Sure {
		if err := parcel.Timely("knock", k.Expires, now.Clock); err != nil {
			return nil, err
		}
	}
	plain, err := parcel.Open(&k, p.keys.Find)
	if err != nil {
		return nil, err
	}
	if len(plain) != askerSize {
		return nil, sealed.Refuse(sealed.BadContent, "no key to seal the grant to")
	}
	if !p.seen.First(k.Hash()) {
		return nil, sealed.Refuse(sealed.Replayed, "the %s came before", k)
	}
	return &Visitor{porter: p, knock: k, asker: deed.XWingKey(plain)}, nil
}

// Knock is the knock as anybody sees it.
func (v *Visitor) Knock() sealed.Knock { return v.knock }

// May says whether the visitor may watch by the deeds as they are now: nil, or why not.
// It is asked before a run is granted, and again while it goes on.
func (v *Visitor) May(t *deed.Title, now Now) error { return v.knock.May(t, now.Clock, now.Sure) }

// Grant lets the visitor watch a run from its newest group on. It is an error if the
// visitor may not, if the run is over or of another stream, or if the visitor was
// answered before.
func (v *Visitor) Grant(r *Run, t *deed.Title, now Now) ([]byte, error) {
	if err := v.May(t, now); err != nil {
		return nil, err
	}
	if err := r.stream.Answers(v.knock.Stream); err != nil {
		return nil, fmt.Errorf("grant run: %w", err)
	}
	if r.Over(now.Monotonic) {
		return nil, fmt.Errorf("grant run: %w", ErrOver)
	}
	g := sealed.Grant{Run: r.id, From: r.from(), Time: r.time(now.Monotonic)}
	return v.answer(g, t, granted{r.key[:], r.init}.encode())
}

// Refuse tells the visitor, in a word for programs, that there is nothing to watch:
// "frozen", "not-allowed", "no-stream", "off", "busy".
func (v *Visitor) Refuse(reason string, t *deed.Title, now Now) ([]byte, error) {
	if err := checkText(reason, maxReason); err != nil {
		return nil, fmt.Errorf("refuse: %w", err)
	}
	return v.answer(sealed.Grant{Time: now.Clock}, t, []byte(reason))
}

// answer seals and signs a grant. Its number is used up only if it is made: a hole in the
// numbers is a grant that somebody has kept back.
func (v *Visitor) answer(g sealed.Grant, t *deed.Title, plain []byte) ([]byte, error) {
	p := v.porter
	p.mu.Lock()
	defer p.mu.Unlock()
	if v.answered {
		return nil, errors.New("seal grant: the knock was answered before")
	}
	g.Stream, g.Agent, g.Knock = v.knock.Stream, p.keys.Agent, v.knock.Hash()
	g.Incarnation, g.Number = p.incarnation, p.number+1
	to := sealed.Recipient{Recipient: sealed.ToAsker, Key: v.asker, Epoch: t.Epoch()}
	if err := parcel.Write(&g, p.keys.Signing, t, []sealed.Recipient{to}, plain); err != nil {
		return nil, fmt.Errorf("seal grant: %w", err)
	}
	if err := sealed.VerifyGrant(g, t); err != nil { // what nobody would take
		return nil, fmt.Errorf("seal grant: %w", err)
	}
	v.answered, p.number = true, g.Number
	return g.Bytes(), nil
}
