package archive

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Shelf is an index of objects of one home that lie somewhere else than in an archive, to
// which nothing is added.
type Shelf struct {
	Home latchkey.HomeID
	// Lying says what lies there.
	Lying func() Happenings
	// Row reads the row of an object there. Error: ErrNotFound.
	Row func(name latchkey.Name) (Row, error)
}

// Happenings are events, by the names of their objects.
type Happenings struct {
	events         []happening // the newest first
	objects, bytes uint64
}

// happening is the objects of one event, the description first.
type happening struct {
	place Cursor
	names []latchkey.Name
}

// Gather puts objects together to events. Of each it needs the name, the event, the time
// and the length.
func Gather(objects []sealed.Header) (all Happenings) {
	found := map[latchkey.EventID]int{}
	for _, h := range objects {
		b := h.Binding
		i, known := found[b.Event]
		if !known {
			i = len(all.events)
			found[b.Event] = i
			all.events = append(all.events, happening{place: Cursor{Time: b.Time, Event: b.Event}})
		}
		e := &all.events[i]
		e.place.Time = min(e.place.Time, b.Time)
		e.names = append(e.names, b.Name())
		all.objects++
		all.bytes += h.BodyLength
	}
	for _, e := range all.events {
		slices.SortFunc(e.names, func(x, y latchkey.Name) int {
			return cmp.Or(-cmp.Compare(x.Kind, y.Kind), strings.Compare(x.String(), y.String()))
		})
	}
	slices.SortFunc(all.events, func(x, y happening) int { return newestFirst(x, y.place) })
	return all
}

func newestFirst(h happening, c Cursor) int {
	switch {
	case c.Before(h.place):
		return -1
	case h.place.Before(c):
		return 1
	}
	return 0
}

// errShown says that nothing is put onto a shelf.
var errShown = errors.New("internal error: what is only shown is not changed")

// Index is [Objects]'.
func (s Shelf) Index(context.Context, Entry) error { return errShown }

// Object is [Objects]'.
func (s Shelf) Object(_ context.Context, name latchkey.Name) (Row, error) { return s.Row(name) }

// Events is [Objects]'. What has gone since it was listed is left out.
func (s Shelf) Events(_ context.Context, home latchkey.HomeID, before Cursor, limit int) (p Page, err error) {
	if home != s.Home {
		return p, nil
	}
	all := s.Lying().events
	if before != (Cursor{}) {
		begin, there := slices.BinarySearchFunc(all, before, newestFirst)
		if there {
			begin++
		}
		all = all[begin:]
	}
	for _, h := range all {
		if len(p.Events) == limit {
			p.Next = &p.Events[limit-1].Place
			break
		}
		e := Event{Home: home, Place: h.place}
		for _, name := range h.names {
			row, err := s.Row(name)
			if errors.Is(err, ErrNotFound) {
				continue
			} else if err != nil {
				return Page{}, err
			}
			e.Objects = append(e.Objects, row)
		}
		if len(e.Objects) > 0 {
			p.Events = append(p.Events, e)
		}
	}
	return p, nil
}

// Usage is [Objects]'.
func (s Shelf) Usage(_ context.Context, home latchkey.HomeID) (Usage, error) {
	if home != s.Home {
		return Usage{}, ErrNotFound
	}
	all := s.Lying()
	return Usage{Home: home, Objects: all.objects, Bytes: all.bytes}, nil
}
