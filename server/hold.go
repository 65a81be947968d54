package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

// An operator's hold stops what goes out to people. The door asks before each recording,
// the wall for every other route, and outlets under way are cut when a hold begins. Deeds,
// signing in and out and whatever agents bring go on: docs/guide/server.md has the table.

// holds are the operator's stops, as far as this server has read them.
type holds struct {
	server  latchkey.ServerID
	archive archive.Holds
	gauge   prometheus.Gauge
	log     *slog.Logger

	known atomic.Pointer[[]archive.Hold] // that stand and concern this server; nil: nobody can say which
}

// read reads which holds stand. If that fails everything is stopped that a hold can stop,
// until it has been read again.
func (h *holds) read(ctx context.Context) error {
	all, err := h.archive.Standing(ctx)
	if err != nil {
		h.known.Store(nil)
		return err
	}
	all = slices.DeleteFunc(all, func(x archive.Hold) bool {
		// A server without an ID does not know that it is not meant.
		return x.Scope == api.HoldServer && x.Server != h.server && h.server != (latchkey.ServerID{})
	})
	h.known.Store(&all)
	h.gauge.Set(float64(len(all)))
	return nil
}

// begin reads and logs what stands when the server starts.
func (h *holds) begin(ctx context.Context) error {
	if err := h.read(ctx); err != nil {
		return err
	}
	for _, x := range *h.known.Load() {
		h.tell(x)
	}
	return nil
}

func (h *holds) unknown() bool { return h.known.Load() == nil }

// stops is the one function that decides what a hold stops: it returns why nothing of a
// home goes out by a route now, nil if it may. Home is zero for what is no home's.
func (h *holds) stops(route api.Route, home latchkey.HomeID) error {
	known := h.known.Load()
	if known == nil {
		if route.Held {
			return nil
		}
		return stale()
	}
	var said *api.HoldSaid
	for _, x := range *known {
		if !stopped(x, route, home) {
			continue
		}
		if said == nil {
			said = &api.HoldSaid{Scope: x.Scope, Since: x.Since}
		}
		if x.Says != "" {
			said.Says = x.Says // the newest words for people, beside the oldest hold
		}
	}
	if said == nil {
		return nil
	}
	return held(*said)
}

// stopped says whether a hold stops a route for a home.
func stopped(x archive.Hold, route api.Route, home latchkey.HomeID) bool {
	switch x.Scope {
	case api.HoldRoute:
		return x.Route == route.ID || x.Route == route.Lists
	case api.HoldHome:
		return x.Home == home && !route.Held
	}
	return !route.Held // everything, this server, and what a newer latchkey may call its scope
}

// heldAgain is when to come back to what is held.
const heldAgain = 10 * time.Second

func held(said api.HoldSaid) *refusal {
	message := "Whoever runs this server has stopped this, since " + said.Since.Time().UTC().Format("2 January 2006, 15:04 UTC") +
		". Nothing is lost: recording goes on, and everything is here again when it is released."
	if said.Says != "" {
		message += " They say: " + said.Says
	}
	r := refuse(http.StatusServiceUnavailable, api.Held, message).after(heldAgain)
	r.body.Hold = &said
	return r
}

// Holds returns the holds that stand and concern this server.
func (s *Server) Holds() []archive.Hold {
	if known := s.holds.known.Load(); known != nil {
		return *known
	}
	return nil
}

// heedHold does what a row of the outbox says of a hold that has begun or ended.
func (s *Server) heedHold(ctx context.Context, number uint64) {
	ctx, stop := context.WithTimeout(ctx, foldWithin)
	defer stop()
	err := s.holds.read(ctx)
	s.cuts.held(s.holds) // before anything is said
	if err != nil {
		s.log.Error("a hold has begun or ended and cannot be read: nothing is shown until it is", "hold", number, "error", err)
		s.news.soon()
		return
	}
	x, err := s.config.Archive.Holds.Hold(ctx, number)
	known := err == nil && x.Number == number
	if known {
		s.holds.tell(x)
	} else {
		s.log.Warn("read hold", "hold", number, "error", err)
	}
	if !known || x.Scope == api.HoldRoute {
		s.hub.lists() // the websockets of pages go on
	}
}

// tell logs a hold or its release.
func (h *holds) tell(x archive.Hold) {
	args := []any{"hold", x.Number, "scope", x.Scope, "of", holdOf(x), "since", x.Since.Time().UTC().Format(time.RFC3339)}
	if r := x.Released; r != nil {
		h.log.Warn("released", append(args, "who", r.Who, "why", r.Why, "held_by", x.Who)...)
		return
	}
	h.log.Warn("held", append(args, "who", x.Who, "why", x.Why, "says", x.Says)...)
}

// holdOf is what a hold is of, as text: empty for everything.
func holdOf(x archive.Hold) string {
	switch x.Scope {
	case api.HoldHome:
		return x.Home.String()
	case api.HoldServer:
		return x.Server.String()
	}
	return x.Route
}

// serverFile holds the server's ID in the data folder. A backup takes it along, so that
// what is restored is held as the server was.
const serverFile = "server-id"

// ServerID returns the ID of the server of a data folder, and gives it one if it has
// none.
func ServerID(data durable.FS) (id latchkey.ServerID, err error) {
	b, err := durable.ReadBytes(data, serverFile, 100)
	if errors.Is(err, fs.ErrNotExist) {
		id = latchkey.NewServerID()
		return id, durable.WriteBytes(data, serverFile, []byte(id.String()+"\n"))
	} else if err != nil {
		return id, err
	}
	if id, err = latchkey.ParseServerID(strings.TrimSpace(string(b))); err != nil {
		return id, fmt.Errorf("read %s: %w", serverFile, err)
	}
	return id, nil
}
