package server_test

import (
	"context"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/internal/explore"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// orders runs a play in every order in which its steps can happen.
func (s *scene) orders(t *testing.T, cached bool, play func(ctx context.Context, st *stage) (after func())) error {
	t.Helper()
	began := time.Now()
	n, err := explore.All(t, func(ctx context.Context, w *explore.World) func() {
		st := s.open(ctx, t, w, cached)
		after := play(ctx, st)
		return func() {
			after()
			st.end()
		}
	})
	t.Logf("%d orders played, %d broken off, %d spared, in %v", n.Played, n.Broken, n.Spared, time.Since(began).Round(time.Millisecond))
	return err
}

// player is somebody in a play, and what they do.
type player struct {
	name string
	does func(ctx context.Context, s *stage, b *http.Client)
}

// play lets the players do what they do, in every order. The server knows them already if
// it is warm: then there is less that it reads, and fewer orders.
func (s *scene) play(t *testing.T, warm bool, begin func(s *stage), players ...player) error {
	t.Helper()
	return s.orders(t, warm, func(ctx context.Context, st *stage) func() {
		browsers := make([]*http.Client, len(players))
		for i, p := range players {
			browsers[i] = st.browser(p.name)
			if _, ok := s.passes[p.name]; ok && warm {
				st.ask(ctx, browsers[i], p.name, "GET", st.path("/deeds"), nil)
				st.look(ctx, browsers[i], p.name)
				browsers[i].CloseIdleConnections() // the next is the player's own
			}
		}
		begin(st)
		for i, p := range players {
			st.world.Go(ctx, p.name, func(ctx context.Context) { p.does(ctx, st, browsers[i]) })
		}
		return func() { st.outcome(ctx) }
	})
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

// TestOrdersOfARemoval: in no order of reads, of what they leave in memory and in the
// cache, and of a removal does a byte of a picture go out to whoever was removed after
// the owner was told that it is done.
func TestOrdersOfARemoval(t *testing.T) {
	s := setScene(t)
	removes := player{remover, func(ctx context.Context, s *stage, b *http.Client) { s.remove(ctx, b) }}
	plays := []struct {
		name    string
		long    bool
		warm    bool
		players []player
	}{
		{"once", false, true, []player{removes, looks(leaver, 1)}},
		{"twice", true, true, []player{removes, looks(leaver, 2)}},
		{"beside", true, true, []player{removes, looks(leaver, 1), looks(stayer, 1)}},
		{"cold", true, false, []player{removes, looks(leaver, 1)}},
	}
	for _, p := range plays {
		if p.long && os.Getenv("LATCHKEY_LONG") == "" {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			if err := s.play(t, p.warm, func(*stage) {}, p.players...); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOrdersOfARestore: a backup was put back that does not know of a removal. Whoever
// does gives it back and confirms that nothing is missing. In no order is whoever was
// removed shown anything, and in each the home is open again in the end.
func TestOrdersOfARestore(t *testing.T) {
	s := setScene(t).restored(t)
	begin := func(s *stage) { s.told, s.later = true, 2*time.Minute } // an owner's word counts after a while
	givesBack := func(ctx context.Context, s *stage, b *http.Client) {
		s.ask(ctx, b, remover, "POST", s.path("/deeds"), s.words) // unless the agent has
	}
	given := func(s *stage) {
		begin(s)
		givesBack(t.Context(), s, s.browser(remover))
	}
	agent := player{giver, func(ctx context.Context, s *stage, b *http.Client) { s.arrive(ctx, b) }}
	confirms := player{remover, func(ctx context.Context, s *stage, b *http.Client) { s.confirm(ctx, b) }}
	owner := player{remover, func(ctx context.Context, s *stage, b *http.Client) {
		givesBack(ctx, s, b)
		s.confirm(ctx, b)
	}}
	plays := []struct {
		name    string
		long    bool
		begin   func(s *stage)
		players []player
	}{
		{"confirm", false, given, []player{confirms, looks(leaver, 1)}},
		{"owner", true, begin, []player{owner, looks(leaver, 1)}},
		{"agent", true, begin, []player{agent, looks(leaver, 1)}},
		{"agent and confirm", true, begin, []player{agent, confirms}},
		{"agent and owner", true, begin, []player{agent, owner}},
	}
	for _, p := range plays {
		if p.long && os.Getenv("LATCHKEY_LONG") == "" {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			if err := s.play(t, true, p.begin, p.players...); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOrdersControl: without one of the checks there is an order in which something is
// shown.
func TestOrdersControl(t *testing.T) {
	t.Parallel()
	cuts := []sabotage.Cut{{File: "server/home.go", Old: "s.cuts.moved(next, by)", New: ""}}
	if os.Getenv("LATCHKEY_LONG") != "" {
		cuts = append(cuts,
			sabotage.Cut{File: "server/cut.go", Old: "s.cuts.rounds.Load() != round", New: "false"},
			sabotage.Cut{File: "server/heads.go", Old: "defer f.heads.forget(g.Home)", New: ""})
	}
	for _, cut := range cuts {
		control(t, "TestOrdersOfARemoval", "in this order", cut)
	}
}
