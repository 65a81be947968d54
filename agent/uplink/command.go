package uplink

import (
	"context"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/api"
)

const (
	// sayEvery is how often the condition is said although nothing has changed.
	sayEvery = time.Minute

	// maxErrands is how many commands of one connection go on; a server that keeps to
	// the protocol sends fewer.
	maxErrands = 16
)

// errands are the commands of one connection whose last reply has not been sent.
type errands struct {
	mu      sync.Mutex // protects running
	running map[string]context.CancelFunc
}

// begin notes a command; it is false if there are too many, or it is there already.
func (e *errands) begin(id string, stop context.CancelFunc) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running == nil {
		e.running = map[string]context.CancelFunc{}
	}
	if _, there := e.running[id]; there || len(e.running) >= maxErrands {
		return false
	}
	e.running[id] = stop
	return true
}

// stop ends a command if it goes on still.
func (e *errands) stop(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if stop := e.running[id]; stop != nil {
		stop()
		delete(e.running, id)
	}
}

// Command is a command that came over the connection that stands. The replies to it go
// the same way back, or nowhere.
type Command struct {
	// Letter is the command, as the server brought it.
	Letter []byte

	ctx          context.Context // ends with the connection, with a stop, and behind the last reply
	conversation context.Context
	c            *conversation
	id           string
}

// Context ends when nobody waits for a reply any more.
func (k *Command) Context() context.Context { return k.ctx }

// Reply sends a reply; behind the last there is no other.
func (k *Command) Reply(letter []byte, last bool) error {
	return k.send(api.ReplyFrame{ID: k.id, Home: k.c.u.config.Home, Letter: letter, Last: last}, last)
}

// Refuse says that the command is not answered, and why, in a word for programs.
func (k *Command) Refuse(reason api.Reason) error {
	return k.send(api.Refused{ID: k.id, Home: k.c.u.config.Home.String(), Reason: reason}, true)
}

// send sends under the connection's context: ended in the middle of a message, as the
// command's may be, it would take the connection along.
func (k *Command) send(f api.Frame, last bool) error {
	if err := k.ctx.Err(); err != nil {
		return err
	}
	if last {
		defer k.c.stop(k.id)
	}
	return send(k.conversation, k.c.conn, f)
}

// command hands a command on.
func (c *conversation) command(ctx context.Context, m api.CommandFrame) error {
	k := &Command{Letter: m.Letter, conversation: ctx, c: c, id: m.ID}
	var stop context.CancelFunc
	k.ctx, stop = context.WithCancel(ctx)
	if c.u.config.Command == nil || !c.begin(m.ID, stop) {
		stop()
		return send(ctx, c.conn, api.Refused{ID: m.ID, Home: c.u.config.Home.String(), Reason: api.Busy})
	}
	c.u.config.Command(k)
	return nil
}

// tell says how the agent is.
func (c *conversation) tell(ctx context.Context) error {
	u := c.u
	title := u.config.Chain.Title()
	if u.config.Condition == nil || title.Epoch() == 0 {
		return nil
	}
	letter, err := u.config.Condition(title)
	if err != nil {
		u.log.Error("say how this agent is", "error", err)
		return nil
	}
	m := api.ConditionFrame{ID: api.NewRequestID(), Home: u.config.Home, Letter: letter}
	c.said = title.Epoch()
	c.sent[m.ID] = func(r *api.Refused) {
		if r != nil && r.Reason != api.OldEpoch { // the deeds are on their way
			u.log.Warn("the server does not keep what this agent says of itself", "reason", string(r.Reason), "message", r.Message)
		}
	}
	return send(ctx, c.conn, m)
}
