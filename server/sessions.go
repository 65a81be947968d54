package server

import (
	"context"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
)

// owns says whether a person is an owner of a home.
func owns(t *deed.Title, person latchkey.PersonID) bool {
	p, ok := t.Person(person)
	return ok && p.Role == deed.Owner
}

// sessions lists who is signed in.
func (s *Server) sessions(a *asking) error {
	all, err := s.visible(a)
	if err != nil {
		return err
	}
	out := api.Sessions{Home: a.home, Sessions: []api.SessionRow{}}
	for _, n := range all {
		out.Sessions = append(out.Sessions, api.SessionRow{
			Session: n.ID, Person: n.Person, Device: n.Device, Browser: n.Browser, Started: n.Started, Seen: n.Seen, Expires: n.Expires,
		})
	}
	a.answer(out)
	return nil
}

// sessionsAt returns the sessions of a home, and refuses another's among them.
func (s *Server) sessionsAt(ctx context.Context, home latchkey.HomeID) ([]archive.Session, error) {
	all, err := s.config.Archive.Sessions.SessionsOf(ctx, home)
	for _, n := range all {
		if n.Home != home {
			s.alarm.misroute("sessions", true, "asked", home.String(), "found", n.Home.String())
			return nil, misroute()
		}
	}
	return all, err
}

// visible returns the sessions of the home that the asker may know of and end: those of
// the own person, and everybody's for an owner.
func (s *Server) visible(a *asking) (some []archive.Session, err error) {
	all, err := s.sessionsAt(a.r.Context(), a.home)
	if err != nil {
		return nil, err
	}
	owner := owns(a.title, a.session.Person)
	for _, n := range all {
		if s.holding(n, a.title) && (owner || n.Person == a.session.Person) {
			some = append(some, n)
		}
	}
	return some, nil
}

// signOut ends the asker's session.
func (s *Server) signOut(a *asking) error { return s.endSession(a, a.session.ID) }

// endListed ends a session that the asker may see in the list.
func (s *Server) endListed(a *asking) error {
	all, err := s.visible(a)
	if err != nil {
		return err
	}
	for _, n := range all {
		if n.ID == a.ends {
			return s.endSession(a, n.ID)
		}
	}
	return notFound()
}

func (s *Server) endSession(a *asking, session latchkey.SessionID) error {
	if err := s.config.Archive.Sessions.EndSession(a.r.Context(), a.home, session); err != nil {
		return err
	}
	s.cuts.ended(a.home, session, a)
	s.news.soon()
	if session == a.session.ID {
		s.setCookie(a, a.home, "", -1)
	}
	a.answer(api.HomeOK{Home: a.home, OK: true})
	return nil
}
