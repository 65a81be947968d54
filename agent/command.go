package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/sealed"
)

const (
	// atOnce is how many commands go on at once, and waitingAtMost how many wait; what
	// comes beyond that is refused.
	atOnce, waitingAtMost = 4, 12

	// commandLife ends a command that takes longer: the server waits no longer either.
	commandLife = 110 * time.Second
)

// handler carries out one command. What it returns is the last reply; an error becomes
// one in words for people, which hold no secret.
type handler func(ctx context.Context, c letter.Command, progress func(letter.Progress)) (letter.Reply, error)

// failed is why a command was not carried out, for people.
type failed struct{ reason, message string }

func (f *failed) Error() string { return f.reason }

func failure(reason, message string) error { return &failed{reason, message} }

// commands is what members have an agent do: whatever they are, they go on beside the
// recording and beside each other.
type commands struct {
	agent   *Agent
	inbox   *letter.Inbox
	orders  map[string]order
	waiting chan *obeyed
}

// obeyed is a command that was taken.
type obeyed struct {
	*letter.Received
	order
	from *uplink.Command
}

func newCommands(a *Agent) *commands {
	return &commands{
		agent: a, inbox: letter.NewInbox(a.keys, a.start.Incarnation()), orders: a.orders(),
		waiting: make(chan *obeyed, waitingAtMost),
	}
}

// take opens a command that the server brought and puts it in the queue, or says why
// it is not answered. It is called by the uplink and does not wait.
func (c *commands) take(from *uplink.Command) {
	a := c.agent
	received, err := c.inbox.Open(from.Letter, a.chain.Title(), a.believed())
	if err != nil {
		a.log.Warn("a command is not taken", "reason", string(sealed.ReasonOf(err)), "error", err)
		refuse(a, from, api.Reason(sealed.ReasonOf(err)))
		return
	}
	o := &obeyed{received, c.orders[received.Command.Do()], from}
	if o.handle == nil {
		o.handle = func(context.Context, letter.Command, func(letter.Progress)) (letter.Reply, error) {
			return nil, failure("unknown-command", "This agent cannot do that yet. Update it.")
		}
	}
	select {
	case c.waiting <- o:
	default:
		refuse(a, from, api.Busy)
	}
}

func refuse(a *Agent, from *uplink.Command, reason api.Reason) {
	if err := from.Refuse(reason); err != nil {
		a.log.Info("nobody hears that a command is refused", "error", err)
	}
}

// believed is the time by which a command's age is judged, 0 while it is a guess.
func (a *Agent) believed() latchkey.Time {
	now := a.clock.Now()
	if now.Quality == sealed.TimeUnknown {
		return 0
	}
	return now.Wall
}

// surely is the time by which it is judged whether rights have ended, and whether it can
// be: not while the clock is a guess, nor while it is behind the newest deed.
func (a *Agent) surely(t *deed.Title) (at latchkey.Time, sure bool) {
	at = a.believed()
	return at, at != 0 && at >= t.LastTime()
}

// run carries commands out until ctx ends.
func (c *commands) run(ctx context.Context) error {
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case o := <-c.waiting:
					c.obey(ctx, o)
				}
			}
		})
	}
	all.Wait()
	return nil
}

// obey carries out one command, as long as somebody waits for its replies.
func (c *commands) obey(ctx context.Context, o *obeyed) {
	a, do := c.agent, o.Command.Do()
	if o.from.Context().Err() != nil {
		return
	}
	ctx, stop := context.WithTimeout(ctx, commandLife)
	defer stop()
	defer context.AfterFunc(o.from.Context(), stop)()
	began := time.Now()
	reply, err := c.carryOut(ctx, o)
	outcome := "done"
	if err != nil {
		if o.from.Context().Err() != nil {
			a.log.Info("command", "do", do, "outcome", "given up", "took", time.Since(began).Round(time.Millisecond))
			return
		}
		f := c.explain(do, err)
		outcome, reply = f.reason, letter.Failure{Reason: f.reason, Message: f.message}
	}
	a.log.Info("command", "do", do, "outcome", outcome, "took", time.Since(began).Round(time.Millisecond))
	c.answer(o, reply)
}

// carryOut does what is asked, if the deeds allow it, and if they still do when it is
// done: whoever was removed meanwhile hears nothing of it.
func (c *commands) carryOut(ctx context.Context, o *obeyed) (letter.Reply, error) {
	if err := c.allowed(o); err != nil {
		return nil, err
	}
	reply, err := c.handle(ctx, o)
	return reply, cmp.Or(c.allowed(o), err)
}

// handle runs the handler. A panic of it is the command's trouble alone.
func (c *commands) handle(ctx context.Context, o *obeyed) (reply letter.Reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.agent.log.Error("a command panicked", "do", o.Command.Do(), "stack", string(debug.Stack())) // p could quote the command
			err = errors.New("a panic")
		}
	}()
	return o.handle(ctx, o.Command, func(p letter.Progress) {
		if ctx.Err() == nil && c.allowed(o) == nil {
			c.answer(o, p)
		}
	})
}

// answer seals a reply and sends it.
func (c *commands) answer(o *obeyed, reply letter.Reply) {
	a := c.agent
	b, err := o.Reply(a.keys, a.chain.Title(), a.clock.Now().Wall, reply)
	if err != nil {
		a.log.Error("a command is not answered", "do", o.Command.Do(), "error", err)
		refuse(a, o.from, api.Internal)
		return
	}
	if err := o.from.Reply(b, reply.Last()); err != nil {
		a.log.Info("nobody hears the answer to a command", "do", o.Command.Do(), "error", err)
	}
}

// explain puts an error into words for people. What has none of its own is told to the
// log alone.
func (c *commands) explain(do string, err error) *failed {
	if f, ok := errors.AsType[*failed](err); ok {
		return f
	}
	switch {
	case errors.Is(err, errNoCamera):
		return &failed{"unknown-camera", "This agent has no such camera. It may have been removed; look at the list again."}
	case errors.Is(err, errNameTaken):
		return &failed{"name-taken", "Another camera of this agent has this name. Choose another one."}
	case errors.Is(err, errTooManyCameras):
		return &failed{"too-many", "This agent has as many cameras as it can have. Remove one first."}
	case errors.Is(err, context.DeadlineExceeded):
		return &failed{"timeout", "This took too long and was given up. Try again."}
	}
	c.agent.log.Error("a command failed", "do", do, "error", fmt.Sprint(err))
	return &failed{"internal", "The agent could not do this. Its log says more."}
}
