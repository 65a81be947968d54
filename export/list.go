package export

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/sealed"
)

// item is an object of the list: its header, and the person's envelope, which the object
// comes without.
type item struct {
	sealed.Header
	envelope []byte
}

// happening is an event and those of its objects that are listed, in which a header has
// been verified.
type happening struct {
	event   latchkey.EventID
	camera  latchkey.CameraID
	time    latchkey.Time // the earliest of its objects
	objects []item
}

// spot tells events apart: an ID means nothing without its camera.
type spot struct {
	camera latchkey.CameraID
	event  latchkey.EventID
}

// list returns everything that the person may see and was not recorded before since,
// oldest first: what is removed first is fetched first. What a server lists and an agent
// of the home did not sign is refused here and names nothing.
func (x *exporter) list(ctx context.Context, since latchkey.Time) ([]*happening, error) {
	found := map[spot]*happening{}
	for before := ""; ; {
		var page api.Events
		err := x.patiently(ctx, func() (err error) {
			page, err = x.visit.session.Events(ctx, before, 0)
			return err
		})
		if err != nil {
			return nil, err
		}
		if latchkey.Head(page.Head).Seq > x.visit.title.Head().Seq {
			if err := x.visit.refresh(ctx); err != nil {
				return nil, err
			}
		}
		newest := x.take(found, page)
		if page.Next == "" || page.Next == before || newest != 0 && newest < since {
			break
		}
		before = page.Next
	}
	var all []*happening
	for _, h := range found {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b *happening) int {
		return cmp.Or(cmp.Compare(a.time, b.time), slices.Compare(a.event[:], b.event[:]), slices.Compare(a.camera[:], b.camera[:]))
	})
	return all, nil
}

// take takes a page of the list in, and returns the newest time in it.
func (x *exporter) take(found map[spot]*happening, page api.Events) (newest latchkey.Time) {
	for _, e := range page.Events {
		for _, row := range e.Objects {
			h, err := x.verified(e.Event, row)
			if err != nil {
				x.refuse(item{}, row.Name, err)
				continue
			}
			b := h.Binding
			newest = max(newest, b.Time)
			at := spot{b.Camera, b.Event}
			if found[at] == nil {
				found[at] = &happening{event: b.Event, camera: b.Camera, time: b.Time}
			}
			f := found[at]
			f.time = min(f.time, b.Time)
			if !slices.ContainsFunc(f.objects, func(o item) bool { return o.Name() == h.Name() }) {
				f.objects = append(f.objects, h)
			}
		}
	}
	return newest
}

// verified checks a row of the list.
func (x *exporter) verified(event latchkey.EventID, row api.ObjectRow) (item, error) {
	if row.Problem != "" {
		return item{}, &api.Error{Refusal: api.Refusal{Error: api.Problem{Reason: api.Reason(row.Problem), Message: "it found this one crossed or damaged itself"}}}
	}
	h, err := sealed.ParseHeader(row.Header)
	if err != nil {
		return item{}, err
	}
	if err := sealed.Verify(h, latchkey.Name{}, x.visit.title); err != nil {
		return item{}, err
	}
	if h.Binding.Event != event {
		return item{}, sealed.Refuse(sealed.WrongObject, "an object of event %s is listed as one of %s", h.Binding.Event, event)
	}
	return item{h, row.Envelope}, nil
}

// kinds orders the objects of an event: the description first, because it says what the
// event is called, then what is small.
var kinds = []latchkey.Kind{latchkey.Description, latchkey.Thumbnail, latchkey.Clip}

func (h *happening) sort() {
	slices.SortFunc(h.objects, func(a, b item) int {
		return cmp.Or(
			cmp.Compare(slices.Index(kinds, a.Binding.Kind), slices.Index(kinds, b.Binding.Kind)),
			cmp.Compare(a.Binding.Time, b.Binding.Time), slices.Compare(a.Binding.Object[:], b.Binding.Object[:]))
	})
}

// The spellings of a moment on the command line, in the home's zone but for the last.
var moments = []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339}

// CheckMoment says what is wrong with a moment on a command line.
func CheckMoment(text string) error {
	_, err := moment(text, time.UTC, false)
	return err
}

// moment reads one; a day is its beginning, or its end.
func moment(text string, zone *time.Location, end bool) (latchkey.Time, error) {
	for _, form := range moments {
		t, err := time.ParseInLocation(form, text, zone)
		if err != nil {
			continue
		}
		if form == time.DateOnly && end {
			t = t.AddDate(0, 0, 1)
		}
		return latchkey.TimeOf(t), nil
	}
	return 0, fmt.Errorf("%.40q is no day and no moment: write 2006-01-02, 2006-01-02T15:04 in the home's zone, or 2006-01-02T15:04:05+01:00", text)
}

// pick leaves what was asked for.
func (x *exporter) pick(all []*happening, since, until latchkey.Time) ([]*happening, error) {
	var wanted map[latchkey.CameraID]bool
	for _, text := range x.config.Cameras {
		ids := x.called(text)
		if len(ids) == 0 {
			var names []string
			for _, c := range x.visit.title.AllCameras() {
				names = append(names, cmp.Or(x.names[c.ID], c.ID.String()))
			}
			return nil, fmt.Errorf("the home has no camera %.80q; there are: %s", text, strings.Join(names, ", "))
		}
		if wanted == nil {
			wanted = map[latchkey.CameraID]bool{}
		}
		for _, id := range ids {
			wanted[id] = true
		}
	}
	return slices.DeleteFunc(all, func(h *happening) bool {
		return h.time < since || until != 0 && h.time >= until || wanted != nil && !wanted[h.camera]
	}), nil
}

// called finds the cameras of that ID or name.
func (x *exporter) called(text string) (found []latchkey.CameraID) {
	for _, c := range x.visit.title.AllCameras() {
		if text == c.ID.String() || text != "" && strings.EqualFold(text, x.names[c.ID]) {
			found = append(found, c.ID)
		}
	}
	return found
}
