package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/sealed"
)

const (
	// maxCommands are under way in one home at once, and maxAskings of them from one page:
	// somebody who drags a finger over a day, or plays what was recorded, asks again and
	// again, and must not be in another's way.
	maxCommands, maxAskings = 16, 4

	// queuedReplies and queuedBytes are of one command, for an asker who reads slowly.
	queuedReplies, queuedBytes = 16, 2 * sealed.MaxLetter
)

// errands carries commands to agents, and the replies back to whoever sent the command
// and to nobody else. It can open neither.
type errands struct {
	hub *hub

	mu      sync.Mutex // protects waiting
	waiting map[string]*errand
}

// errand is a command whose replies are waited for.
type errand struct {
	id      string // that the agent's messages name
	home    latchkey.HomeID
	agent   latchkey.AgentID
	command [32]byte  // hash of its letter
	over    *listener // the connection over which it went
	session archive.Session
	request string // of the asker

	outcomes chan outcome
	queued   atomic.Int64  // bytes
	overrun  chan struct{} // closed when the asker has read too slowly
	once     sync.Once
}

// outcome is a reply, or why there is none.
type outcome struct {
	letter []byte
	last   bool
	err    error
}

// send hands a command to its agent.
func (r *errands) send(e *errand, letter []byte) error {
	if e.over = r.hub.agent(e.home, e.agent); e.over == nil {
		return agentAway()
	}
	r.mu.Lock()
	r.waiting[e.id] = e
	r.mu.Unlock()
	select {
	case e.over.frames <- api.CommandFrame{ID: e.id, Home: e.home, Letter: letter}:
		return nil
	default:
		return busyAgent()
	}
}

// end forgets an errand. If it is not over the agent is told to stop.
func (r *errands) end(e *errand, over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, e.id)
	if over || e.over == nil {
		return
	}
	select {
	case e.over.frames <- api.StopFrame{ID: e.id, Home: e.home}:
	default: // the agent will see that its replies reach nobody
	}
}

// errand returns the errand of that ID, nil if nobody waits for it any more.
func (r *errands) errand(id string) *errand {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting[id]
}

// give hands an outcome to the asker, and never waits for that.
func (e *errand) give(o outcome) {
	if e.queued.Add(int64(len(o.letter))) <= queuedBytes {
		select {
		case e.outcomes <- o:
			return
		default:
		}
	}
	e.once.Do(func() { close(e.overrun) })
}

// answeredBy says whether a letter is a reply to this very command, over the connection
// to which the command went. On this comparison it depends that an agent, or a server
// that mixes up two commands, never shows a home what is another's.
func (e *errand) answeredBy(from *listener, l sealed.Letter) bool {
	return from == e.over && l.Kind == sealed.ReplyLetter && l.Home == e.home && l.Agent == e.agent && l.Re == e.command
}

// reply takes an agent's reply to an errand.
func (t *conversation) reply(ctx context.Context, m api.ReplyFrame) {
	e := t.server.errands.errand(m.ID)
	if e == nil {
		return // whoever asked has gone
	}
	if err := t.answer(ctx, e, m); err != nil {
		t.server.log.Warn("reply", "home", t.home, "agent", t.agent.ID, "reason", asRefusal(err).body.Error.Reason, "error", err)
		e.give(outcome{err: refuse(http.StatusBadGateway, api.AgentRefused, "What the agent answers cannot be passed on. Are agent and server of a like version?")})
	}
}

// answer passes a reply on if it belongs to the command that its message names. If not
// it is dropped, and the errand still waits for its own.
func (t *conversation) answer(ctx context.Context, e *errand, m api.ReplyFrame) error {
	s := t.server
	l, err := sealed.ParseLetter(m.Letter)
	if err != nil {
		return err
	}
	if !e.answeredBy(t.listener, l) {
		s.alarm.misroute("reply", true, "asked", e.home.String(), "agent", e.agent.String(),
			"found", l.Home.String(), "from", l.Agent.String(), "request", e.request)
		return t.receipt(ctx, e, l, archive.Misrouted)
	}
	title, err := s.titles.of(ctx, t.home)
	if err != nil {
		return err
	}
	if err := sealed.VerifyLetter(l, title); err != nil {
		return err
	}
	if err := t.receipt(ctx, e, l, archive.Delivered); err != nil {
		return err // no receipt, no letter
	}
	e.give(outcome{letter: m.Letter, last: m.Last})
	return nil
}

// receipt writes down that a letter is about to be passed on as a reply, or is not.
func (t *conversation) receipt(ctx context.Context, e *errand, l sealed.Letter, o archive.Outcome) error {
	s := t.server
	b := l.Bytes()
	return s.clerk.put(ctx, archive.Receipt{
		Home: e.home, Session: e.session.Secret, Request: e.request, Device: e.session.Device,
		Asked: replyName(e.home, e.agent, e.command), Sent: replyName(l.Home, l.Agent, l.Re),
		Header: sha256.Sum256(b), Bytes: uint64(len(b)), Outcome: o, Time: timeOf(s.now()),
	})
}

// replyName names the replies to a command, in receipts.
func replyName(home latchkey.HomeID, agent latchkey.AgentID, command [32]byte) string {
	return fmt.Sprintf("reply/%s/%s/%x", home, agent, command)
}

// refused takes an agent's word that it does not answer a command. What it says for
// people is not passed on.
func (t *conversation) refused(m api.Refused) {
	e := t.server.errands.errand(m.ID)
	if e == nil || e.over != t.listener {
		return
	}
	switch m.Reason {
	case api.Busy:
		e.give(outcome{err: busyAgent()})
	case api.Stale:
		e.give(outcome{err: refuse(http.StatusConflict, api.Stale, "The agent has been started anew meanwhile. Try again.")})
	case api.Expired:
		e.give(outcome{err: refuse(http.StatusConflict, api.Expired,
			"The agent takes the command for one from another time. Compare this device's clock with the agent's.")})
	case api.Replayed, api.UnknownHead:
		e.give(outcome{err: refuse(http.StatusConflict, m.Reason, "The agent does not take this command. Try again in a moment.")})
	default:
		e.give(outcome{err: refuse(http.StatusBadGateway, api.AgentRefused, "The agent cannot read this command. Are agent and page of a like version?")})
	}
}

func agentAway() *refusal {
	return refuse(http.StatusServiceUnavailable, api.AgentAway,
		"The agent in the home is not connected. See that its machine is on and has a network, and try again.").after(busyWait)
}

func busyAgent() *refusal {
	r := busy(busyWait)
	r.body.Error.Message = "The agent has its hands full. Try again in a moment."
	return r
}

// errandID names an errand on the agent's websocket. Nobody can guess another's.
func errandID() string { return rand.Text() }
