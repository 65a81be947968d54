package server

import (
	"context"
	"encoding/base64"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/internal/wire"
	"github.com/latchkey-cam/latchkey/sealed"
)

// encodeCursor writes a place in the list as text. It is not secret and need not be
// genuine: whatever it says, only the asker's home is listed.
func encodeCursor(c archive.Cursor) string {
	var w wire.Writer
	w.U64(uint64(c.Time))
	w.Raw(c.Event[:])
	return base64.RawURLEncoding.EncodeToString(w.Bytes())
}

func parseCursor(text string) (c archive.Cursor, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || base64.RawURLEncoding.EncodeToString(b) != text {
		return c, malformed("The parameter before is not what a page gave as next.")
	}
	r := wire.NewReader(b)
	c.Time = latchkey.Time(r.U64())
	r.Into(c.Event[:])
	if r.Done() != nil || c == (archive.Cursor{}) {
		return c, malformed("The parameter before is not what a page gave as next.")
	}
	return c, nil
}

func (s *Server) events(a *asking) error {
	q, err := a.query()
	if err != nil {
		return err
	}
	limit, err := number(q, "limit", 1, api.MaxEvents, api.MaxEvents)
	if err != nil {
		return err
	}
	want, err := parseChoice(q)
	if err != nil {
		return err
	}
	before, err := want.begin(q.Get("before"))
	if err != nil {
		return err
	}
	if a.title.Frozen() {
		return frozen()
	}
	out := api.Events{Home: a.home, Head: api.Head(a.title.Head()), Events: []api.Event{}, Porch: a.server.config.Porch != nil}
	var places []archive.Cursor
	for looked := 0; ; {
		page, err := s.page(a, before, int(limit)-len(out.Events))
		if err != nil {
			return err
		}
		for _, e := range page.Events {
			if e.Place.Time < want.from {
				return s.reviewed(a, out, places)
			}
			rows, err := s.rows(a, e, want)
			if err != nil {
				return err
			}
			if len(rows) > 0 {
				out.Events = append(out.Events, api.Event{Event: e.Place.Event, Objects: rows})
				places = append(places, e.Place)
			}
		}
		looked += len(page.Events)
		switch {
		case page.Next == nil:
			return s.reviewed(a, out, places)
		case len(out.Events) >= int(limit), looked >= maxLooked:
			out.Next = encodeCursor(*page.Next)
			return s.reviewed(a, out, places)
		}
		before = *page.Next
	}
}

// maxLooked bounds how many events one request looks through for somebody who may see, or
// wants, few of them; the page is then short, and says where it goes on.
const maxLooked = 1000

// page returns events of the asker's home that follow a place in the list. Whatever is
// of another home, or of another place, is the answer to another question.
func (s *Server) page(a *asking, before archive.Cursor, limit int) (archive.Page, error) {
	part := span{before, limit, a.place.Objects}
	page, err := ask(a.r.Context(), s.kept, a.place, pageForm(part), part.key(), func(ctx context.Context) (archive.Page, error) {
		return s.config.Archive.Objects.Events(ctx, a.home, before, limit)
	})
	if err != nil {
		return page, err
	}
	if found, stray := part.stray(a.home, page); stray {
		s.alarm.misroute("list", true, "asked", a.home.String(), "found", found.String())
		return archive.Page{}, misroute()
	}
	return page, nil
}

// rows are the objects of an event that the asker may see and wants: a row that was found crossed
// is named and not shown, one that is kept as another home's is not even named, and what
// was not made for the asker is not there.
func (s *Server) rows(a *asking, e archive.Event, want choice) (rows []api.ObjectRow, err error) {
	for _, row := range e.Objects {
		mine := row.Name.Home == a.home && want.has(row.Name.Camera) && sees(a.title, a.session, row.Name.Camera, row.Name.Kind, timeOf(s.now()))
		switch {
		case row.Problem != "":
			if err := s.crossed(a, row); err != nil {
				return nil, err
			}
			if mine {
				rows = append(rows, api.ObjectRow{Name: row.Name.String(), Problem: row.Problem})
			}
		case row.Name.Home != a.home, row.Event != e.Place.Event:
			row.Found = row.Name
			if err := s.crossed(a, row); err != nil {
				return nil, err
			}
		case mine:
			if envelope, ok := s.envelope(a.title, a.session.Person, row); ok {
				rows = append(rows, api.ObjectRow{Header: row.Header, Envelope: envelope.Bytes()})
			}
		}
	}
	return rows, nil
}

// crossed counts a row that the archive found not to fit, and writes a receipt, so
// that the page's report of it can be confirmed.
func (s *Server) crossed(a *asking, row archive.Row) error {
	if row.Problem == sealed.Corrupt {
		s.counters.corrupt.Inc()
		s.log.Error("corrupt", "where", "row", "name", row.Name, "request", a.id)
		return nil
	}
	s.alarm.misroute("row", true, "asked", row.Name.String(), "found", row.Found.String(), "request", a.id)
	return s.clerk.put(a.r.Context(), archive.Receipt{
		Home: a.home, Session: a.session.Secret, Request: a.id, Device: a.session.Device,
		Asked: row.Name.String(), Sent: row.Found.String(), Outcome: archive.Misrouted, Time: timeOf(s.now()),
	})
}
