package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/sealed"
)

// takeCondition keeps what an agent says of itself, for its home's people.
func (t *conversation) takeCondition(ctx context.Context, b []byte) error {
	s := t.server
	l, err := sealed.ParseLetter(b)
	if err != nil {
		return letterRefusal(err)
	}
	if l.Kind != sealed.ConditionLetter || l.Home != t.home || l.Agent != t.agent.ID {
		return refuse(http.StatusForbidden, api.WrongAgent, "The condition is another agent's, or none.")
	}
	if l.Incarnation != t.incarnation {
		return refuse(http.StatusConflict, api.Stale, "The condition is of another start of the agent than the one that is connected.")
	}
	title, err := s.titles.of(ctx, t.home)
	if err != nil {
		return err
	}
	if err := sealed.VerifyLetter(l, title); err != nil {
		return letterRefusal(err)
	}
	if l.Recipients[0].Epoch != title.Epoch() {
		return refuse(http.StatusConflict, api.OldEpoch, "The home has started a new epoch. Seal the condition for it and come back.").with(title, l.Head.Seq+1)
	}
	err = s.config.Archive.Conditions.PutCondition(ctx, archive.Condition{
		Home: t.home, Agent: t.agent.ID, Incarnation: l.Incarnation, Number: l.Number, Letter: b, Received: timeOf(s.now()),
	})
	if errors.Is(err, archive.ErrConflict) {
		return refuse(http.StatusConflict, api.Replayed, "A later condition of this agent is kept.")
	} else if err != nil {
		return err
	}
	s.hub.changed(t.home, api.ConditionsChanged)
	return nil
}

// conditions gives a home the conditions of its agents.
func (s *Server) conditions(a *asking) error {
	all, err := s.config.Archive.Conditions.Conditions(a.r.Context(), a.home)
	if err != nil {
		return err
	}
	kept := map[latchkey.AgentID]archive.Condition{}
	for _, c := range all {
		l, err := sealed.ParseLetter(c.Letter)
		if err != nil {
			s.counters.corrupt.Inc()
			s.log.Error("corrupt", "where", "condition", "home", a.home, "agent", c.Agent, "request", a.id)
			continue
		}
		if !fits(a.home, c, l) {
			s.alarm.misroute("condition", true, "asked", a.home.String(), "agent", c.Agent.String(),
				"found", l.Home.String(), "from", l.Agent.String(), "request", a.id)
			continue
		}
		kept[c.Agent] = c
	}
	copies, err := s.copies(a.r.Context(), a.home)
	if err != nil {
		return err
	}
	out := api.Conditions{Home: a.home, Conditions: []api.AgentCondition{}}
	for _, agent := range a.title.Agents() {
		c := kept[agent.ID]
		out.Conditions = append(out.Conditions, api.AgentCondition{
			Agent: agent.ID, Letter: some(c.Letter), Received: c.Received, Connected: s.hub.agent(a.home, agent.ID) != nil, Cloned: copies[agent.ID],
		})
	}
	a.answer(out)
	return nil
}

// copies says when a copy of each agent of a home was last refused.
func (s *Server) copies(ctx context.Context, home latchkey.HomeID) (map[latchkey.AgentID]latchkey.Time, error) {
	all, err := s.config.Archive.Agents.Copies(ctx, home)
	if err != nil {
		return nil, err
	}
	copies := map[latchkey.AgentID]latchkey.Time{}
	for _, c := range all {
		if c.Home != home {
			s.alarm.misroute("copy", true, "asked", home.String(), "found", c.Home.String())
			return nil, misroute()
		}
		copies[c.Agent] = c.Time
	}
	return copies, nil
}

// fits says whether a condition that the archive gave is the one that it is kept as,
// and of the home that was asked for.
func fits(home latchkey.HomeID, c archive.Condition, l sealed.Letter) bool {
	return c.Home == home && l.Home == home && l.Agent == c.Agent && l.Kind == sealed.ConditionLetter &&
		l.Incarnation == c.Incarnation && l.Number == c.Number
}
