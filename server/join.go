package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// The server carries announcement and answer and can make neither: it has seen no
// link's secret. It looks at them only so far that nobody can leave something else
// there.

func (s *Server) openJoin(a *asking) error {
	var in api.OpenJoin
	if err := a.read(&in); err != nil {
		return err
	}
	if err := a.aboutHome(in.Home); err != nil {
		return err
	}
	if in.For != "" && in.For != api.ForPerson {
		return malformed("A slot is for a person, or for an agent.")
	}
	said, err := announced(in)
	life := api.JoinLife
	if in.For == api.ForPerson {
		life = api.InviteLife
	}
	switch {
	case err != nil, said.expires != in.Expires:
		return malformed("The announcement does not parse, or expires at another time than the message says.")
	case said.home != a.home:
		return refuse(http.StatusBadRequest, api.WrongHome, "The announcement is of another home.")
	case !a.title.OnChain(said.head):
		return unknownHead()
	case said.expires < timeOf(s.now()), said.expires > timeOf(s.now().Add(life+api.JoinLife)): // clocks differ
		return refuse(http.StatusBadRequest, api.Expired, "The announcement is dated too far from now. Set the clocks.")
	}
	j := archive.Join{Home: a.home, Slot: in.Slot, Person: in.For == api.ForPerson, Announcement: in.Announcement, Expires: said.expires}
	switch err := s.config.Archive.Joins.OpenJoin(a.r.Context(), j, timeOf(s.now())); {
	case errors.Is(err, archive.ErrUsed):
		return refuse(http.StatusConflict, api.Conflict, "This link has been used for another announcement. Make a new one.")
	case errors.Is(err, archive.ErrTooMany):
		return refuse(http.StatusTooManyRequests, api.TooMany, "Too many agents and people are being waited for at once. Withdraw an invitation; a link for an agent ends by itself after half an hour.").after(api.JoinLife / 4)
	case err != nil:
		return err
	}
	a.answer(api.HomeOK{Home: a.home, OK: true})
	return nil
}

// announcement is what the two kinds of them have in common.
type announcement struct {
	home    latchkey.HomeID
	head    latchkey.Head
	expires latchkey.Time
}

func announced(in api.OpenJoin) (announcement, error) {
	if in.For == api.ForPerson {
		i, err := api.ParseInvitation(in.Announcement)
		return announcement{i.Home, i.Head, i.Expires}, err
	}
	said, err := api.ParseAnnouncement(in.Announcement)
	return announcement{said.Home, said.Head, said.Expires}, err
}

// joinOf returns a slot, run out or not, and refuses another.
func (s *Server) joinOf(ctx context.Context, slot api.Slot) (archive.Join, error) {
	j, err := s.config.Archive.Joins.Join(ctx, slot)
	if err == nil && j.Slot != slot {
		s.alarm.misroute("join", true, "asked", slot.String(), "found", j.Slot.String())
		return archive.Join{}, misroute()
	}
	return j, err
}

// slot returns a slot that is open now.
func (s *Server) slot(a *asking) (archive.Join, error) {
	j, err := s.joinOf(a.r.Context(), a.slot)
	if err != nil {
		return j, err
	}
	if j.Expires < timeOf(s.now()) {
		return archive.Join{}, notFound()
	}
	return j, nil
}

// strangersSlot is slot for whoever knows no more than the slot: whose home it is of, and
// so whether that is held, is known only now.
func (s *Server) strangersSlot(a *asking) (archive.Join, error) {
	j, err := s.slot(a)
	if err != nil {
		return j, err
	}
	return j, s.holds.stops(a.route, j.Home)
}

func (s *Server) join(a *asking) error {
	j, err := s.slot(a)
	if err != nil {
		return err
	}
	if j.Home != a.home {
		return notFound()
	}
	a.answer(api.Join{Home: a.home, Slot: j.Slot, Answer: some(j.Answer)})
	return nil
}

func (s *Server) joinSlot(a *asking) error {
	j, err := s.strangersSlot(a)
	if err != nil {
		return err
	}
	a.answer(api.JoinSlot{Slot: j.Slot, Announcement: j.Announcement, Reveal: some(j.Reveal)})
	return nil
}

func (s *Server) answerJoin(a *asking) error {
	var in api.JoinAnswer
	if err := a.read(&in); err != nil {
		return err
	}
	if in.Slot != a.slot {
		return malformed("The message is about another slot than its address.")
	}
	j, err := s.strangersSlot(a)
	if err != nil {
		return err
	}
	if err := parses(j, in.Answer); err != nil {
		return malformed("The answer does not parse.")
	}
	err = s.config.Archive.Joins.AnswerJoin(a.r.Context(), a.slot, in.Answer, timeOf(s.now()))
	if errors.Is(err, archive.ErrUsed) {
		return refuse(http.StatusConflict, api.Expired, "This link has been answered already. If that was not you, tell the home's owner, who makes a new link.")
	} else if err != nil {
		return err
	}
	s.hub.changed(j.Home, api.JoinsChanged)
	a.answer(api.OK{OK: true})
	return nil
}

func parses(j archive.Join, answer []byte) error {
	if j.Person {
		_, err := api.ParseAcceptance(answer)
		return err
	}
	_, err := api.ParseAnswer(answer)
	return err
}

// revealJoin keeps what an owner reveals, for the person who has answered.
func (s *Server) revealJoin(a *asking) error {
	var in api.RevealJoin
	if err := a.read(&in); err != nil {
		return err
	}
	if err := a.aboutHome(in.Home); err != nil {
		return err
	}
	if in.Slot != a.slot || len(in.Reveal) != api.RevealSize {
		return malformed("The message is about another slot than its address, or what it reveals is not 32 bytes.")
	}
	err := s.config.Archive.Joins.RevealJoin(a.r.Context(), a.home, a.slot, in.Reveal)
	if errors.Is(err, archive.ErrUsed) {
		return refuse(http.StatusConflict, api.Conflict, "Nobody has answered yet, or something else was revealed. Withdraw the invitation and make a new one.")
	} else if err != nil {
		return err
	}
	a.answer(api.HomeOK{Home: a.home, OK: true})
	return nil
}

func (s *Server) closeJoin(a *asking) error {
	if err := s.config.Archive.Joins.CloseJoin(a.r.Context(), a.home, a.slot); err != nil {
		return err
	}
	a.answer(api.HomeOK{Home: a.home, OK: true})
	return nil
}

// foundAgain gives an agent a set-up secret: with it whoever has the agent's machine in
// hand founds a new home. Nothing of the home that it leaves is touched.
func (s *Server) foundAgain(a *asking) error {
	if !s.reports.allow(hashOf("found again "+a.agent.ID.String()), s.now()) {
		return busy(time.Minute)
	}
	setup, err := s.MintSetup(a.r.Context())
	if err != nil {
		return err
	}
	s.log.Info("an agent leaves for a new home", "home", a.home, "agent", a.agent.ID)
	a.answer(api.FoundAgain{Home: a.home, Setup: setup})
	return nil
}

func (s *Server) asks(a *asking) error {
	all, err := s.config.Archive.Asks.Asks(a.r.Context(), a.home)
	if err != nil {
		return err
	}
	out := api.Asks{Home: a.home, Asks: [][]byte{}}
	for _, kept := range all {
		ask, err := api.ParseAsk(kept.Ask)
		if err != nil {
			s.counters.corrupt.Inc()
			continue
		}
		if kept.Home != a.home || !asked(kept, ask) {
			s.alarm.misroute("ask", true, "asked", a.home.String(), "found", ask.Home.String())
			continue
		}
		if _, placed := a.title.Camera(ask.Camera); !placed {
			out.Asks = append(out.Asks, kept.Ask)
		}
	}
	a.answer(out)
	return nil
}

// asked says whether an ask is that of its row.
func asked(kept archive.Ask, ask api.Ask) bool {
	return ask.Home == kept.Home && ask.Camera == kept.Camera && ask.Agent == kept.Agent
}

func (s *Server) refuseAsk(a *asking) error {
	if err := s.config.Archive.Asks.DropAsk(a.r.Context(), a.home, a.camera); err != nil {
		return err
	}
	s.hub.changed(a.home, api.AsksChanged)
	a.answer(api.HomeOK{Home: a.home, OK: true})
	return nil
}

// takeAsk keeps an agent's ask. An ask for a camera that stands with this agent already
// is done.
func (s *Server) takeAsk(ctx context.Context, home latchkey.HomeID, agent latchkey.AgentID, b []byte) error {
	title, err := s.titles.of(ctx, home)
	if err != nil {
		return err
	}
	ask, err := api.ParseAsk(b)
	switch {
	case errors.Is(err, api.ErrVersion):
		return refuse(http.StatusBadRequest, api.FutureVersion, "The ask is of a newer version than this server.")
	case err != nil:
		return malformed("The ask does not parse.")
	case ask.Agent != agent, ask.Home != home:
		return refuse(http.StatusForbidden, api.WrongAgent, "The ask is another agent's.")
	}
	if c, placed := title.Camera(ask.Camera); placed && c.Agent == agent {
		return nil
	}
	switch err := ask.Verify(title); {
	case errors.Is(err, api.ErrUnknownHead):
		return unknownHead()
	case err != nil:
		return refuse(http.StatusForbidden, api.WrongAgent, "The home's deeds do not allow this ask, or its signature does not verify.")
	}
	err = s.config.Archive.Asks.PutAsk(ctx, archive.Ask{Home: home, Camera: ask.Camera, Agent: agent, Ask: b})
	if errors.Is(err, archive.ErrTooMany) {
		return refuse(http.StatusTooManyRequests, api.TooMany, "The home has as many asks as it may have. Answer some.")
	} else if err != nil {
		return err
	}
	s.hub.changed(home, api.AsksChanged)
	return nil
}
