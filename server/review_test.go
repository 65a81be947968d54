package server_test

import (
	"slices"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
)

// TestReviewed: each person has marks of their own, which say nothing but whether they
// have looked, and give nobody anything to see.
func TestReviewed(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	var events []latchkey.EventID
	for range 4 {
		events = append(events, m.shared(m.camera, latchkey.Thumbnail).File.Header.Binding.Event)
	}
	reviewed := func(who string) (seen []bool) {
		list := must(m.pages[who].Events(t.Context(), "", 0)).Events
		for _, id := range events {
			i := slices.IndexFunc(list, func(e api.Event) bool { return e.Event == id })
			seen = append(seen, i >= 0 && list[i].Reviewed)
		}
		return seen
	}
	want := func(what, who string, want ...bool) {
		t.Helper()
		if got := reviewed(who); !slices.Equal(got, want) {
			t.Errorf("%s, %s has reviewed %v, want %v", what, who, got, want)
		}
	}
	var none latchkey.EventID
	must(0, m.pages[resident].Review(t.Context(), none, events[0], events[2]))
	want("two by hand", resident, true, false, true, false)
	want("two by hand", owner, false, false, false, false)
	want("two by hand", guest, false, false, false, false)

	newest := must(m.pages[guest].Events(t.Context(), "", 1)).Events[0].Event
	must(0, m.pages[guest].Review(t.Context(), newest))
	want("all", guest, true, true, true, true)
	want("all of another", resident, true, false, true, false)

	// Who sees another camera alone sees no more for having marked.
	before := len(must(m.pages[elsewhere].Events(t.Context(), "", 0)).Events)
	must(0, m.pages[elsewhere].Review(t.Context(), none, events...))
	if after := len(must(m.pages[elsewhere].Events(t.Context(), "", 0)).Events); before != 0 || after != 0 {
		t.Errorf("who may see nothing here sees %d events, and %d when they are marked", before, after)
	}
	wantReason(t, "too many", m.pages[owner].Review(t.Context(), none, make([]latchkey.EventID, api.MaxReview+1)...), api.Malformed)
}
