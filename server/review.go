package server

import (
	"errors"
	"net/http"
	"slices"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// review marks events as looked at by whoever asks. It is no matter whether they may see
// them: a mark is told to nobody else, and shows nothing.
func (s *Server) review(a *asking) error {
	var in api.Review
	if err := a.read(&in); err != nil {
		return err
	}
	if err := a.aboutHome(in.Home); err != nil {
		return err
	}
	if len(in.Events) > api.MaxReview {
		return malformed("At most 500 events are marked at once.")
	}
	err := s.config.Archive.Reviews.Review(a.r.Context(), a.home, a.session.Person, in.Events, in.Through)
	if errors.Is(err, archive.ErrTooMany) {
		return refuse(http.StatusConflict, api.TooMany, "So many events are marked one by one that no more can be. Mark all of them at once.")
	} else if err != nil {
		return err
	}
	a.answer(api.HomeOK{Home: a.home, OK: true})
	return nil
}

// reviewed answers with a list, and says of each event whether the asker has looked at it.
func (s *Server) reviewed(a *asking, out api.Events, places []archive.Cursor) error {
	if len(places) > 0 {
		marks, err := s.config.Archive.Reviews.Reviewed(a.r.Context(), a.home, a.session.Person, places[len(places)-1].Time)
		if err != nil {
			return err
		}
		for _, m := range marks {
			if m.Home != a.home || m.Person != a.session.Person {
				s.alarm.misroute("mark", true, "asked", a.home.String(), "found", m.Home.String(), "request", a.id)
				return misroute()
			}
		}
		for i := range out.Events {
			out.Events[i].Reviewed = slices.ContainsFunc(marks, func(m archive.Reviewed) bool { return m.Covers(places[i]) })
		}
	}
	a.answer(out)
	return nil
}
