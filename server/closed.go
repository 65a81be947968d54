package server

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
)

// A restore puts the deeds back to an earlier day, and with them the rights of whoever
// was removed since. So a restored home is closed ([titles.of]) until somebody who
// remembers its chain has given back what is missing and confirmed the head: one of its
// agents by its hello, or else an owner.

// How long an owner's word has to wait.
const (
	// agentsFirst is what the agents of a home have after the server's start: they are
	// there without anybody, and know of deeds that an owner may have missed.
	agentsFirst = time.Minute
	// claimHolds is how long it counts that somebody knows of deeds which are not here.
	// An agent whose deeds were not taken is back within a minute and says so again.
	claimHolds = 2 * time.Minute
)

// claims remembers who has lately named a deed that this server does not have. Only
// those whose signature verified are heard.
type claims struct {
	start time.Time

	mu   sync.Mutex // protects last
	last map[latchkey.HomeID]time.Time
}

func newClaims(now time.Time) *claims {
	return &claims{start: now, last: map[latchkey.HomeID]time.Time{}}
}

// note keeps a claim.
func (c *claims) note(home latchkey.HomeID, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for h, at := range c.last {
		if now.Sub(at) > claimHolds {
			delete(c.last, h)
		}
	}
	c.last[home] = now
}

// wait is how long an owner's word must still wait, 0 if it counts now.
func (c *claims) wait(t *deed.Title, now time.Time) (d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(t.Agents()) > 0 {
		d = c.start.Add(agentsFirst).Sub(now)
	}
	if at, ok := c.last[t.Home()]; ok {
		d = max(d, at.Add(claimHolds).Sub(now))
	}
	return max(d, 0)
}

// claimed hears of a head that somebody of the home has signed: who is a word and an ID.
// Beyond the end of the chain it says that this server has lost deeds, which may be
// given back. Anywhere else than on the chain it says that somebody was shown another
// one, and is refused.
func (s *Server) claimed(t *deed.Title, head latchkey.Head, who, id string) error {
	if t.OnChain(head) {
		return nil
	}
	s.claims.note(t.Home(), s.now())
	if head.Seq <= t.Head().Seq {
		s.log.Error("unknown-head", "home", t.Home(), who, id, "head", head.String(), "have", t.Head().String())
		return unknownHead()
	}
	s.log.Warn("deeds are missing", "home", t.Home(), who, id, "head", head.String(), "have", t.Head().String())
	return nil
}

// reopen opens a home whose head was confirmed.
func (s *Server) reopen(ctx context.Context, home latchkey.HomeID, confirmed latchkey.Head, who, id string) error {
	err := s.config.Archive.Homes.Reopen(ctx, home, confirmed)
	if errors.Is(err, archive.ErrConflict) {
		return homeClosed().after(time.Second) // more was given back at this moment
	} else if err != nil {
		return err
	}
	s.log.Info("home opened after a restore", "home", home, "head", confirmed.String(), who, id)
	return nil
}

// confirm takes an owner's word that nothing newer is missing.
func (s *Server) confirm(a *asking) error {
	var in api.HomeHead
	if err := a.read(&in); err != nil {
		return err
	}
	if err := a.aboutHome(in.Home); err != nil {
		return err
	}
	title, at, err := s.titles.look(a.r.Context(), a.home)
	if err != nil {
		return err
	}
	head := latchkey.Head(in.Head)
	switch {
	case head == title.Head():
	case title.OnChain(head):
		return refuse(http.StatusConflict, api.Conflict, "The home has changed since you looked. Look again, and then confirm.").with(title, head.Seq+1)
	default:
		return unknownHead()
	}
	if at.Closed {
		if wait := s.claims.wait(title, s.now()); wait > 0 {
			r := homeClosed().after(wait)
			r.body.Error.Message = "The agents of this home are asked first, because they may know something newer. Confirm again when the time is up."
			return r
		}
		if err := s.reopen(a.r.Context(), a.home, head, "person", a.session.Person.String()); err != nil {
			return err
		}
	}
	a.answer(api.HomeHead{Home: a.home, Head: in.Head})
	return nil
}

// giveBackWithin is how long an agent may take to give back what is missing. Another
// connection goes on where this one ended.
const giveBackWithin = 2 * time.Minute

// meet compares an agent's head with the home's, has the agent give back what this
// server has lost, and lets it in. The home is open afterwards.
func (t *conversation) meet(ctx context.Context, hello api.Hello) error {
	title, at, err := t.server.titles.look(ctx, t.home)
	if err != nil {
		return err
	}
	head, err := hello.KnownHead()
	if err != nil {
		return err
	}
	gave := false
	if head != nil && !title.OnChain(*head) {
		if title, err = t.takeBack(ctx, hello, *head, title); err != nil {
			return err
		}
		gave = true
	}
	if err := t.takeTombstones(ctx, hello, title); err != nil {
		return err
	}
	if _, at, err = t.server.titles.look(ctx, t.home); err != nil {
		return err
	}
	if at.Ended {
		return t.end(ctx, hello, title)
	}
	if !at.Closed {
		return t.arrive(ctx, hello, nil)
	}
	// One that knows less than the backup was away when it was made, and cannot say what
	// has come since.
	if head == nil || !gave && *head != title.Head() {
		return homeClosed().after(time.Minute)
	}
	confirmed := title.Head()
	return t.arrive(ctx, hello, &confirmed)
}

// takeBack asks the agent for what follows the home's head, until its own head is
// reached.
func (t *conversation) takeBack(ctx context.Context, hello api.Hello, head latchkey.Head, title *deed.Title) (*deed.Title, error) {
	s := t.server
	ctx, stop := context.WithTimeout(ctx, giveBackWithin)
	defer stop()
	t.conn.SetReadLimit(maxFrame)
	lost := title.Head()
	for !title.OnChain(head) {
		if err := s.claimed(title, head, "agent", t.agent.ID.String()); err != nil {
			return nil, err
		}
		if err := t.send(ctx, api.Behind{ID: hello.ID, Home: t.home, Head: api.Head(title.Head())}); err != nil {
			return nil, err
		}
		f, err := t.receive(ctx)
		if err != nil {
			return nil, err
		}
		g, ok := f.(api.GiveBack)
		if !ok || g.ID != hello.ID || g.Home != t.home || latchkey.Head(g.Onto) != title.Head() {
			return nil, malformed("Want the deeds that follow the head that was named.")
		}
		if title, err = s.grow(ctx, nil, title, latchkey.Head(g.Onto), g.Deeds); err != nil {
			return nil, err
		}
	}
	now, ok := title.Agent(t.agent.ID)
	if !ok || now.KEM.ID() != t.agent.KEM.ID() {
		return nil, unknownAgent()
	}
	s.counters.givenBack.Add(float64(title.Head().Seq - lost.Seq))
	s.log.Warn("deeds were given back", "home", t.home, "agent", t.agent.ID, "lost_from", lost.Seq+1, "head", title.Head().String())
	return title, nil
}
