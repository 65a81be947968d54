package archive_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestShelf: what lies somewhere is listed by event, the newest first, page by page, of its
// own home and of no other. What has gone since it was gathered is on no page, and takes
// nothing with it; and nothing is put there.
func TestShelf(t *testing.T) {
	owner, other := keytest.NewOwner(), keytest.NewOwner()
	owner.Found()
	other.Found()
	agent := owner.PlaceAgent()
	camera := owner.PlaceCamera(agent)
	var all []sealed.Header
	rows := map[latchkey.Name]archive.Row{}
	var size uint64
	for i := range 5 {
		thumbnail := agent.Bind(owner.Title(), camera, latchkey.Thumbnail)
		description := agent.Bind(owner.Title(), camera, latchkey.Description)
		description.Event, description.Time = thumbnail.Event, thumbnail.Time+1
		if i%2 == 0 {
			description.Time = thumbnail.Time - 1
		}
		for _, b := range []sealed.Binding{thumbnail, description} {
			h := agent.Seal(owner.Title(), b, []byte{byte(i)}).File.Header
			all, size = append(all, h), size+h.BodyLength
			rows[h.Name()] = archive.Row{Name: h.Name(), Event: b.Event}
		}
	}
	broken := errors.New("broken")
	var fails error
	s := archive.Shelf{Home: owner.Home(), Lying: func() archive.Happenings { return archive.Gather(all) }, Row: func(name latchkey.Name) (archive.Row, error) {
		row, there := rows[name]
		if fails != nil {
			return row, fails
		} else if !there {
			return row, archive.ErrNotFound
		}
		return row, nil
	}}
	ctx := t.Context()
	page := func(before archive.Cursor, limit int) archive.Page {
		t.Helper()
		p, err := s.Events(ctx, owner.Home(), before, limit)
		if err != nil || len(p.Events) > limit {
			t.Fatalf("%d events on a page of %d: %v", len(p.Events), limit, err)
		}
		return p
	}
	listed := func(limit int) (events []archive.Event) {
		t.Helper()
		var before archive.Cursor
		for {
			p := page(before, limit)
			events = append(events, p.Events...)
			if p.Next == nil {
				return events
			} else if len(p.Events) != limit {
				t.Fatalf("a page of %d, not %d, is not the last", len(p.Events), limit)
			}
			before = *p.Next
		}
	}
	for limit := 1; limit < 7; limit++ {
		events := listed(limit)
		if len(events) != 5 {
			t.Fatalf("%d events by pages of %d", len(events), limit)
		}
		for i, e := range events {
			of := all[2*(4-i) : 2*(4-i)+2]
			first := min(of[0].Binding.Time, of[1].Binding.Time)
			if e.Home != owner.Home() || e.Place != (archive.Cursor{Time: first, Event: of[0].Binding.Event}) || len(e.Objects) != 2 ||
				e.Objects[0].Name != of[1].Name() || e.Objects[1].Name != of[0].Name() {
				t.Errorf("event %d by pages of %d: %+v", i, limit, e)
			}
		}
	}
	if p, err := s.Events(ctx, other.Home(), archive.Cursor{}, 2); len(p.Events) != 0 || err != nil {
		t.Errorf("of another home: %+v, %v", p, err)
	}
	if u, err := s.Usage(ctx, owner.Home()); u != (archive.Usage{Home: owner.Home(), Objects: 10, Bytes: size}) || err != nil {
		t.Errorf("usage: %+v, %v", u, err)
	}
	if _, err := s.Usage(ctx, other.Home()); !errors.Is(err, archive.ErrNotFound) {
		t.Errorf("usage of another home: %v", err)
	}
	if err := s.Index(ctx, archive.Entry{}); err == nil {
		t.Error("something is put there")
	}

	one, gone := all[2].Name(), all[6:8]
	delete(rows, one)
	for _, h := range gone {
		delete(rows, h.Name())
	}
	events := listed(2)
	if len(events) != 4 || slices.ContainsFunc(events, func(e archive.Event) bool { return e.Place.Event == gone[0].Binding.Event }) {
		t.Errorf("an event that is gone is listed: %+v", events)
	}
	if e := events[2]; len(e.Objects) != 1 || e.Objects[0].Name != all[3].Name() {
		t.Errorf("an event of which one object is gone: %+v", e)
	}
	if _, err := s.Object(ctx, one); !errors.Is(err, archive.ErrNotFound) {
		t.Errorf("what is gone: %v", err)
	}
	if row, err := s.Object(ctx, all[0].Name()); err != nil || row.Name != all[0].Name() {
		t.Errorf("what is there: %+v %v", row, err)
	}
	before := archive.Cursor{Time: gone[0].Binding.Time, Event: gone[0].Binding.Event}
	all = slices.Delete(all, 6, 8)
	if p := page(before, 1); len(p.Events) != 1 || p.Events[0].Place.Event != all[4].Binding.Event {
		t.Errorf("behind an event that is gone: %+v", p)
	}
	fails = broken
	if p, err := s.Events(ctx, owner.Home(), archive.Cursor{}, 2); !errors.Is(err, broken) || len(p.Events) != 0 {
		t.Errorf("what cannot be read: %+v %v", p, err)
	}
}
