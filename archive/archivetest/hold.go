package archivetest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// holds wants every hold and release kept, each with a row of the outbox, and the holds
// that stand to stand after a restore too.
func holds(t *testing.T, s Subject) {
	ctx := t.Context()
	put := func(h archive.Hold) archive.Hold {
		t.Helper()
		n, err := s.Holds.PutHold(ctx, h)
		must(t, err)
		h.Number = n
		return h
	}
	everything := put(archive.Hold{Scope: api.HoldEverything, Who: "anna", Why: "pictures are crossed", Says: "We are looking into it.", Since: Now})
	one := put(archive.Hold{Scope: api.HoldHome, Home: home(1), Who: "anna", Why: "asked for", Since: Now + 1})
	server := put(archive.Hold{Scope: api.HoldServer, Server: latchkey.ServerID{1}, Who: "bob", Why: "its cache", Since: Now + 2})
	route := put(archive.Hold{Scope: api.HoldRoute, Route: "events", Who: "bob", Why: "the list", Since: Now + 3})
	if everything.Number < 1 || one.Number <= everything.Number || server.Number <= one.Number || route.Number <= server.Number {
		t.Errorf("numbers %d, %d, %d, %d do not rise", everything.Number, one.Number, server.Number, route.Number)
	}
	standing := func(what string, want ...archive.Hold) {
		t.Helper()
		got, err := s.Holds.Standing(ctx)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
		}
	}
	standing("at first", everything, one, server, route)
	end := archive.Release{Who: "carla", Why: "repaired", At: Now + 9}
	must(t, s.Holds.Release(ctx, one.Number, end))
	want(t, "a release of what was released", s.Holds.Release(ctx, one.Number, end), archive.ErrUsed)
	want(t, "a release of nothing", s.Holds.Release(ctx, route.Number+1, end), archive.ErrNotFound)
	_, err := s.Holds.Hold(ctx, route.Number+1)
	want(t, "a hold that is none", err, archive.ErrNotFound)
	one.Released = &end
	if got, err := s.Holds.Hold(ctx, one.Number); err != nil || cmp.Diff(one, got) != "" {
		t.Errorf("a hold that was released: %+v, %v", got, err)
	}
	standing("after a release", everything, server, route)
	must(t, s.Restores.Restored(ctx, Now))
	standing("after a restore", everything, server, route)
	got, err := s.Holds.EveryHold(ctx)
	if diff := cmp.Diff([]archive.Hold{everything, one, server, route}, got); diff != "" || err != nil {
		t.Errorf("all: %v (-want +got):\n%s", err, diff)
	}
	moves, err := s.Outbox.Moves(ctx, 0, 100)
	if diff := cmp.Diff([]archive.Move{
		{Number: 1, Hold: everything.Number}, {Number: 2, Hold: one.Number}, {Number: 3, Hold: server.Number}, {Number: 4, Hold: route.Number}, {Number: 5, Hold: one.Number},
	}, moves); diff != "" || err != nil {
		t.Errorf("the outbox: %v (-want +got):\n%s", err, diff)
	}
	refusesHolds(t, s)
}

// refusesHolds wants holds refused that say two things, or too much.
func refusesHolds(t *testing.T, s Subject) {
	for what, h := range map[string]archive.Hold{
		"everything and a home": {Scope: api.HoldEverything, Home: home(1)},
		"a home without one":    {Scope: api.HoldHome},
		"a server without one":  {Scope: api.HoldServer},
		"a route without one":   {Scope: api.HoldRoute},
		"a text without end":    {Scope: api.HoldEverything, Why: strings.Repeat("w", archive.MaxHoldText+1)},
	} {
		if _, err := s.Holds.PutHold(t.Context(), h); err == nil {
			t.Errorf("%s is held", what)
		}
	}
	all, err := s.Holds.Standing(t.Context())
	must(t, err)
	for range archive.MaxStanding - len(all) {
		_, err := s.Holds.PutHold(t.Context(), archive.Hold{Scope: api.HoldEverything})
		must(t, err)
	}
	_, err = s.Holds.PutHold(t.Context(), archive.Hold{Scope: api.HoldEverything})
	want(t, "one more than may stand", err, archive.ErrTooMany)
}
