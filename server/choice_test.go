package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestListByCameraAndTime: a list that is asked for by camera and time lacks what was not
// asked for, has nothing that its asker may not see, and goes on where it says.
func TestListByCameraAndTime(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	var all []sealed.Binding // the newest first
	for i := range 8 {
		camera := m.camera
		if i%3 == 0 {
			camera = m.garden
		}
		all = append([]sealed.Binding{m.shared(camera, latchkey.Thumbnail).File.Header.Binding}, all...)
	}
	// list pages through what somebody is given, so many at a time.
	list := func(who *api.Home, limit int, query string) (events []latchkey.EventID) {
		t.Helper()
		mac := who.MACKey()
		for next := ""; ; {
			path := fmt.Sprintf("%s?limit=%d%s", m.path("/events"), limit, query)
			if next != "" {
				path += "&before=" + next
			}
			answer, text := h.do(t, raw{method: "GET", path: path, mac: &mac, header: http.Header{"Cookie": {who.Cookie()}, "Origin": {h.origin}}})
			var page api.Events
			if answer.StatusCode != 200 || json.Unmarshal([]byte(text), &page) != nil || len(page.Events) > limit {
				t.Fatalf("%s: %s: %d events: %s", path, answer.Status, len(page.Events), text)
			}
			for _, e := range page.Events {
				for _, o := range e.Objects {
					if h := must(sealed.ParseHeader(o.Header)); h.Binding.Event != e.Event {
						t.Errorf("an object of event %s in event %s", h.Binding.Event, e.Event)
					}
				}
				events = append(events, e.Event)
			}
			if next = page.Next; next == "" {
				return events
			}
		}
	}
	of := func(want func(sealed.Binding) bool) (events []latchkey.EventID) {
		for _, b := range all {
			if want(b) {
				events = append(events, b.Event)
			}
		}
		return events
	}
	from, until := all[6].Time, all[2].Time
	between := func(b sealed.Binding) bool { return b.Time >= from && b.Time < until }
	garden := func(b sealed.Binding) bool { return b.Camera == m.garden }
	everything := func(sealed.Binding) bool { return true }
	nothing := func(sealed.Binding) bool { return false }
	span := fmt.Sprintf("&from=%d&until=%d", from, until)
	for _, tt := range []struct {
		who, query string
		want       func(sealed.Binding) bool
	}{
		{owner, "", everything},
		{owner, "&camera=" + m.garden.String(), garden},
		{owner, span, between},
		{owner, span + "&camera=" + m.garden.String(), func(b sealed.Binding) bool { return between(b) && garden(b) }},
		{owner, fmt.Sprintf("&from=%d", from), func(b sealed.Binding) bool { return b.Time >= from }},
		{owner, fmt.Sprintf("&until=%d", until), func(b sealed.Binding) bool { return b.Time < until }},
		{owner, fmt.Sprintf("&until=%d", all[len(all)-1].Time), nothing},
		{owner, fmt.Sprintf("&from=%d", all[0].Time+1), nothing},
		{owner, "&camera=" + latchkey.NewCameraID().String(), nothing},
		{guest, "", func(b sealed.Binding) bool { return !garden(b) }},
		{guest, "&camera=" + m.garden.String(), nothing},
		{elsewhere, "&camera=" + m.garden.String(), garden},
		{elsewhere, span + "&camera=" + m.camera.String(), nothing},
		{owner, "", everything}, // whatever was kept of the list meanwhile
	} {
		for _, limit := range []int{1, 2, 100} {
			if got, want := list(m.pages[tt.who], limit, tt.query), of(tt.want); !slices.Equal(got, want) {
				t.Errorf("%s, %d at a time of %q: %d events, want %d", tt.who, limit, tt.query, len(got), len(want))
			}
		}
	}
	// What a page gave as next is a place in all of the list: it leads to nothing newer than was asked for.
	newest := must(m.pages[owner].Events(t.Context(), "", 1)).Next
	if got := list(m.pages[owner], 100, span+"&before="+newest); !slices.Equal(got, of(between)) {
		t.Errorf("from the newest on: %d events, want %d", len(got), len(of(between)))
	}
}
