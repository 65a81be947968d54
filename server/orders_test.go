package server_test

import (
	"context"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/internal/explore"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// player is somebody in a play, and what they do.
type player struct {
	name string
	does func(ctx context.Context, s *stage, b *http.Client)
}

// play is what is done, in every order in which its steps can happen.
type play struct {
	name string
	long bool // it is played in the long form only
	// cold is that the server does not know the players yet, and keeps nothing. There is
	// more then that it reads, and there are more orders.
	cold    bool
	begin   func(ctx context.Context, s *stage)
	players []player
}

// orders runs a play in every order; with [explore.Each] in those as well that are spared.
// Ends are what the players were answered, in one of the orders at least.
func (s *scene) orders(t *testing.T, p play, all func(*testing.T, explore.Play) (explore.Tally, error)) (n explore.Tally, ends map[string]bool) {
	t.Helper()
	began := time.Now()
	ends = map[string]bool{}
	n, err := all(t, func(ctx context.Context, w *explore.World) func() {
		st := s.open(ctx, t, w, !p.cold)
		st.play(ctx, p)
		return func() {
			if w.Whole() {
				st.outcome(ctx)
				ends[st.answers()] = true
			}
			st.end()
		}
	})
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d orders played, %d broken off, %d spared, in %v", n.Played, n.Broken, n.Spared, time.Since(began).Round(time.Millisecond))
	return n, ends
}

// play has the players begin.
func (s *stage) play(ctx context.Context, p play) {
	browsers := make([]*http.Client, len(p.players))
	for i, who := range p.players {
		browsers[i] = s.browser(who.name)
		if _, ok := s.passes[who.name]; ok && !p.cold {
			s.look(ctx, browsers[i], who.name)
			browsers[i].CloseIdleConnections() // the next is the player's own
		}
	}
	if p.begin != nil {
		p.begin(ctx, s)
	}
	for i, who := range p.players {
		s.world.Go(ctx, who.name, func(ctx context.Context) { who.does(ctx, s, browsers[i]) })
	}
}

// outcome looks when everything is done: who was removed sees nothing, who was not does.
func (s *stage) outcome(ctx context.Context) {
	if status := s.look(ctx, s.browser(leaver), leaver); status == http.StatusOK {
		s.world.Fail("whoever was removed still sees the picture in the end")
	}
	if status := s.look(ctx, s.browser(stayer), stayer); status != http.StatusOK {
		s.world.Fail("whoever was not removed gets %d in the end", status)
	}
}

// looks is somebody who looks at the picture so many times.
func looks(name string, times int) player {
	return player{name, func(ctx context.Context, s *stage, b *http.Client) {
		for range times {
			s.look(ctx, b, name)
		}
	}}
}

// long says whether the long form is asked for.
func long() bool { return os.Getenv("LATCHKEY_LONG") != "" }

// removals are a removal beside reads, and beside what they leave in memory and in the
// cache.
func removals() []play {
	removes := player{remover, func(ctx context.Context, s *stage, b *http.Client) { s.remove(ctx, b) }}
	return []play{
		{name: "once", players: []player{removes, looks(leaver, 1)}},
		{name: "twice", long: true, players: []player{removes, looks(leaver, 2)}},
		{name: "beside", long: true, players: []player{removes, looks(leaver, 1), looks(stayer, 1)}},
		{name: "cold", long: true, cold: true, players: []player{removes, looks(leaver, 1)}},
	}
}

// TestOrdersOfARemoval: in no order does a byte of a picture go out to whoever was removed
// after the owner was told that it is done.
func TestOrdersOfARemoval(t *testing.T) {
	s := setScene(t)
	for _, p := range removals() {
		if p.long && !long() {
			continue
		}
		if !t.Run(p.name, func(t *testing.T) { s.orders(t, p, explore.All) }) {
			return // one is enough for a control
		}
	}
}

// restores are plays with a backup that does not know of a removal. The owner gives it
// back, before or in the play; then somebody who knows the chain confirms that nothing is
// missing.
func restores() []play {
	closed := func(_ context.Context, s *stage) { s.told, s.later = true, 2*time.Minute } // an owner's word counts after a while
	givesBack := func(ctx context.Context, s *stage, b *http.Client) {
		s.ask(ctx, b, remover, "POST", s.path("/deeds"), s.words)
	}
	given := func(ctx context.Context, s *stage) {
		closed(ctx, s)
		givesBack(ctx, s, s.browser(remover))
	}
	agent := player{giver, func(ctx context.Context, s *stage, b *http.Client) { s.arrive(ctx, b) }}
	confirms := player{remover, func(ctx context.Context, s *stage, b *http.Client) { s.confirm(ctx, b) }}
	owner := player{remover, func(ctx context.Context, s *stage, b *http.Client) {
		givesBack(ctx, s, b)
		s.confirm(ctx, b)
	}}
	return []play{
		{name: "confirm", begin: given, players: []player{confirms, looks(leaver, 1)}},
		{name: "agent", long: true, begin: given, players: []player{agent, looks(leaver, 1)}},
		{name: "both", long: true, begin: given, players: []player{agent, confirms}},
		{name: "stayer", long: true, begin: given, players: []player{confirms, looks(stayer, 1)}},
		{name: "owner", long: true, begin: closed, players: []player{owner, looks(leaver, 1)}},
	}
}

// TestOrdersOfARestore: in no order is whoever was removed shown anything, and in each the
// home is open again in the end.
func TestOrdersOfARestore(t *testing.T) {
	s := setScene(t).restored(t)
	for _, p := range restores() {
		if p.long && !long() {
			continue
		}
		if !t.Run(p.name, func(t *testing.T) { s.orders(t, p, explore.All) }) {
			return // one is enough for a control
		}
	}
}

// TestOrdersSpared plays the orders as well that are spared: there are as many of them as
// were counted, and the players are answered nothing else.
func TestOrdersSpared(t *testing.T) {
	s := setScene(t).restored(t)
	for _, p := range restores() {
		if p.name != "stayer" && (p.name != "agent" || !long()) {
			continue
		}
		few, ends := s.orders(t, p, explore.All)
		each, all := s.orders(t, p, explore.Each)
		if few.Played+few.Spared != each.Played || !maps.Equal(ends, all) || p.name == "stayer" && len(ends) < 2 {
			t.Errorf("%s: %+v come to %v; %d orders to %v", p.name, few, ends, each.Played, all)
		}
	}
}

// TestOrdersControl: without one of the checks there is an order in which something is
// shown.
func TestOrdersControl(t *testing.T) {
	cuts := []sabotage.Cut{{File: "server/home.go", Old: "s.cuts.moved(next, by)", New: ""}}
	if long() {
		cuts = append(cuts, sabotage.Cut{File: "server/heads.go", Old: "defer f.heads.forget(g.Home)", New: ""})
	}
	all := make([]sabotage.Control, len(cuts))
	for i, cut := range cuts {
		all[i] = controls.Without(t, cut)
	}
	t.Parallel()
	for i, cut := range cuts {
		out := sees(t, all[i], "TestOrdersOfARemoval", "in order")
		t.Logf("without %s: %s", cut.Old, out[max(0, strings.Index(out, "a picture goes out")):])
	}
}
