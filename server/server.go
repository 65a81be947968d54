// Package server is the untrusted half: it takes sealed objects from agents, keeps them
// and hands them to the members of their home, and it can open none of it.
//
// A route exists only through the table in package api, and the right that the table
// gives is checked in one place (wall.go) before a handler runs. There the home in an
// address becomes a [latchkey.HomeID] that the asker may see; nothing else makes one.
// All media bytes leave through one function, [door.deliver]. Whoever is who is not
// stored as a fact but folded from the home's deeds, which are cached as bytes.
package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/bound"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/gate"
	"github.com/latchkey-cam/latchkey/notify"
	"github.com/latchkey-cam/latchkey/relay"
	"github.com/latchkey-cam/latchkey/strain"
)

// Config is what a server is made of.
type Config struct {
	// Archive and Blobs are the index and the sealed bytes. They stay the caller's to
	// close, after the server.
	Archive archive.Archive
	Blobs   blob.Store
	// Cache keeps what was read of homes, so that it need not be read again. It stays the
	// caller's to close, after the server. Nil: nothing is kept.
	Cache *bound.Cache
	// Origin is how browsers reach this server, "https://example.org" without a path.
	// Requests that change something must come from a page of this origin.
	Origin string
	// App answers everything that is not under /v1/. Nil: a sentence that says there
	// is no app.
	App http.Handler
	// ID names this server, for holds of it alone. Zero: it obeys those of any server.
	ID latchkey.ServerID
	// Bus carries news to other servers of the same archive, and theirs to this one.
	// Nil: there are none, and nobody else changes what the archive says of homes. This
	// server then remembers where their chains end, and need not ask for it.
	Bus bus.Bus
	// Log gets one line for what somebody should know; its alarms are ERROR lines
	// with the message "misroute". Nil: slog.Default.
	Log *slog.Logger
	// Trust is the fingerprint of the root of the server's own certificate, for join
	// links. Empty if it has a public one, or none.
	Trust string
	// MaxHomeBytes bounds what a home may store. 0: no bound.
	MaxHomeBytes uint64
	// Patience is how long somebody who sends or fetches may take for 64 KiB of
	// an object, and for a small message. 0: 30 s, with which 2 KB a second are enough.
	Patience time.Duration
	// Copy says that the archive is a copy of a home, made to be looked at: only such routes
	// work as that takes. A browser becomes a device of the copy, by deeds that are of the
	// copy alone.
	Copy bool
	// Porch makes this a server in the home, beside an agent, for when the home's own
	// cannot be reached: only such routes work as it can answer alone, for those who see
	// the whole home, and only while Porch says that its deeds are the newest. Nil: this is no such server.
	Porch func() bool
	// CommandLife is how long the replies to a command are waited for. 0:
	// [api.CommandLife].
	CommandLife time.Duration
	// Mail sends codes and notices to people's addresses. Nil: the server sends none,
	// and no address is ever proven.
	Mail notify.Mailer
	// Usual is what a server before this one has seen. Zero: nothing is known.
	Usual Usual
	// Strains are what is measured of the machine, for the gate; none if nil. Of what the
	// server itself needs it measures how long it takes.
	Strains []strain.Measure
	// Ungated lets everybody in at once and leaves nothing out, whatever is under strain. It
	// is for drills: those that are about something else, and one that shows what the gate
	// is for.
	Ungated bool
	// Now is the clock, nil for the machine's.
	Now func() time.Time
}

func (c *Config) fill() {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Bus == nil {
		c.Bus = bus.NewLocal()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Patience = cmp.Or(c.Patience, 30*time.Second)
	c.CommandLife = cmp.Or(c.CommandLife, api.CommandLife)
}

// Server answers requests. Make one with [New].
type Server struct {
	config    Config
	now       func() time.Time
	log       *slog.Logger
	handler   http.Handler
	heads     *heads
	kept      *kept // nil if there is no cache
	titles    *titles
	claims    *claims
	nonces    *nonces
	alarm     *alarm
	counters  *counters
	door      *door
	clerk     *clerk
	hub       *hub
	live      *relay.Relay
	trunk     *trunk // nil if there are no other servers
	cuts      *cuts
	holds     *holds
	lease     *lease
	gate      *gate.Gate
	inside    inside
	strains   strains
	spared    *places[gate.Feature]
	news      *news
	reports   *pace
	crossings *pace
	sightings *pace
	errands   *errands
	uploads   *places[latchkey.HomeID]
	deletions *deletions
	commands  *places[latchkey.HomeID]
	askings   *places[archive.Secret] // of sessions
	accounts  *accounts
	secure    bool // cookies only over https

	generation latchkey.Time // of the last restore, 0 if there was none

	greetings atomic.Int64 // agents that have not said who they are
	moving    atomic.Bool  // everybody goes to another server
	probing   atomic.Bool  // it is being looked whether the server goes on

	unwatch func()          // the cache
	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	done    sync.WaitGroup // of websockets and the sweeper
}

// receiptsLife is how long deliveries are on record.
const receiptsLife = 400 * 24 * time.Hour

// stagingLife is how long an upload that was broken off is kept.
const stagingLife = 7 * 24 * time.Hour

// New returns a server. ctx is for the start alone; Close ends the server.
func New(ctx context.Context, c Config) (*Server, error) {
	origin, err := url.Parse(c.Origin)
	if err != nil || origin.Host == "" || (origin.Scheme != "http" && origin.Scheme != "https") || origin.Scheme+"://"+origin.Host != c.Origin {
		return nil, fmt.Errorf("make server: %.100q is no origin: want https://HOST[:PORT], without a path", c.Origin)
	}
	alone := c.Bus == nil
	c.fill()
	s := &Server{
		config: c, now: c.Now, log: c.Log, secure: origin.Scheme == "https",
		nonces: newNonces(), counters: newCounters(),
		reports: newPace(120, time.Minute), crossings: newPace(60, time.Minute),
		sightings: newPace(1, time.Minute), uploads: newPlaces[latchkey.HomeID](maxUploads),
		commands: newPlaces[latchkey.HomeID](maxCommands), askings: newPlaces[archive.Secret](maxAskings),
		gate: newGate(c), strains: newStrains(), spared: newPlaces[gate.Feature](1),
	}
	s.alarm = &alarm{log: s.log, misroutes: s.counters.misroutes}
	s.claims = newClaims(s.now())
	s.deletions = &deletions{server: s, wake: make(chan struct{}, 1)}
	if s.generation, err = c.Archive.Restores.Generation(ctx); err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	s.hub = newHub(s.counters, c.Usual.Agents)
	s.cuts = newCuts(s.counters, s.now)
	s.lease = newLease(s.lapse)
	s.holds = &holds{server: c.ID, archive: c.Archive.Holds, gauge: s.counters.holds, log: s.log}
	s.heads = newHeads(c.Archive.Homes, s.alarm, alone, s.lease.fresh)
	c.Archive = forgetful(c.Archive, s.heads)
	s.config.Archive = c.Archive
	s.kept = newKept(c.Cache, s.generation, s.alarm)
	s.titles = newTitles(c.Archive.Homes, s.heads, s.kept, s.alarm)
	s.errands = &errands{hub: s.hub, waiting: map[string]*errand{}}
	s.clerk = newClerk(s.strains.timing(c.Archive.Receipts.PutReceipts))
	s.door = &door{
		titles: s.titles, kept: s.kept, objects: c.Archive.Objects, clerk: s.clerk, blobs: c.Blobs, holds: s.holds,
		alarm: s.alarm, deliveries: s.counters.deliveries, corrupt: s.counters.corrupt, patience: c.Patience, now: s.now,
	}
	if s.accounts, err = newAccounts(ctx, s, origin); err != nil {
		return nil, err
	}
	if err := s.openLive(alone); err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	if s.handler, err = s.routes(); err != nil {
		return nil, err
	}
	s.ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.sweep(ctx); err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	if s.news, err = newNews(ctx, s, c.Archive.Outbox, c.Bus); err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	s.counters.registry.MustRegister(gateCounters{s.gate})
	s.work()
	s.unwatch = s.kept.watch(s.counters)
	return s, nil
}

// work begins what goes on by itself until Close.
func (s *Server) work() {
	s.done.Go(func() { s.news.run(s.ctx) })
	if s.trunk != nil {
		s.done.Go(func() { s.trunk.run(s.ctx) })
	}
	s.done.Go(func() { s.lease.watch(s.ctx) })
	if !s.config.Ungated {
		s.done.Go(s.tellGate)
	}
	s.done.Go(s.tellSpared)
	s.done.Go(s.sweepOften)
	s.done.Go(func() { s.deletions.run(s.ctx) })
}

// lapse ends what goes on when nobody says any more that it may.
func (s *Server) lapse() {
	s.log.Error("nobody says who may see what: everything under way is ended", "for", leaseLife)
	s.cuts.all()
}

// Handler answers everything under /v1/, and hands the rest to the app. Serve it with
// [HTTPServer].
func (s *Server) Handler() http.Handler { return s.handler }

// Metrics are the server's counters. They name homes nowhere.
func (s *Server) Metrics() prometheus.Gatherer { return s.counters.registry }

// Close ends the websockets and waits for them. Requests under way are the HTTP
// server's to end first.
func (s *Server) Close() error {
	s.stop()
	s.unwatch()
	err := errors.Join(s.gate.Close(), s.live.Close())
	s.done.Wait()
	s.clerk.close()
	return err
}

// sweep removes what ran out.
func (s *Server) sweep(ctx context.Context) error {
	now := s.now()
	return errors.Join(
		s.config.Archive.Receipts.Sweep(ctx, timeOf(now), timeOf(now.Add(-receiptsLife))),
		s.config.Blobs.Sweep(ctx, now.Add(-stagingLife)),
	)
}

func (s *Server) sweepOften() {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-t.C:
			if err := s.sweep(s.ctx); err != nil && s.ctx.Err() == nil {
				s.log.Warn("sweep", "error", err)
			}
		}
	}
}

// MintSetup makes a secret with which a home can be founded, once, within
// [api.SetupLife].
func (s *Server) MintSetup(ctx context.Context) (string, error) {
	return MintSetup(ctx, s.config.Archive.Setups, s.now())
}

// MintSetup is [Server.MintSetup] for a program that has only the archive.
func MintSetup(ctx context.Context, setups archive.Setups, now time.Time) (string, error) {
	secret := rand.Text()
	if err := setups.MintSetup(ctx, hashOf(secret), timeOf(now.Add(api.SetupLife))); err != nil {
		return "", err
	}
	return secret, nil
}

// SetupLink is the link that carries a set-up secret to a browser. The secret stands
// behind the #, so that it is never sent in an address.
func SetupLink(origin, secret string) string { return origin + "/#setup=" + secret }
