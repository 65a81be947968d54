package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/bus"
)

// How news travels. A change is effective when the archive has committed it; the server
// that made it has cut its own connections by then. The rest is for others, and for a
// server that died in between.
const (
	// Into the outbox, if nothing wakes it: the operator's command, a process of its own,
	// wakes nobody and is to be obeyed within a second.
	lookEvery  = 500 * time.Millisecond
	lookWithin = 2 * time.Second
	beatEvery  = 2 * time.Second
	foldWithin = 500 * time.Millisecond // of a home that has moved, before all of it is cut
	maxMoves   = 256                    // rows read at a time
)

// news is how this server learns that a right may have ended: from the archive's outbox
// and from the bus.
type news struct {
	server *Server
	outbox archive.Outbox
	bus    bus.Bus
	of     bus.ArchiveID
	wake   chan struct{} // has one place: there is something in the outbox

	mu    sync.Mutex // protects known, and makes the news be heard one by one
	known uint64     // every row up to this number was heeded
}

func newNews(ctx context.Context, s *Server, outbox archive.Outbox, b bus.Bus) (*news, error) {
	began := time.Now()
	last, err := outbox.LastMove(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.holds.begin(ctx); err != nil { // after the outbox, so that none falls between
		return nil, err
	}
	s.lease.renew(began)
	return &news{server: s, outbox: outbox, bus: b, of: s.archiveID(), wake: make(chan struct{}, 1), known: last}, nil
}

// archiveID names the archive on the bus.
func (s *Server) archiveID() bus.ArchiveID { return bus.ArchiveID(s.derive("latchkey bus v1")[:16]) }

// run looks into the outbox and listens to the bus until ctx ends.
func (n *news) run(ctx context.Context) {
	defer n.bus.Subscribe(bus.Listener{
		News: func(_ latchkey.HomeID, m bus.News) { n.heard(ctx, m) },
		Beat: n.beat,
	}.Comparing(n.of, n.crossed))()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var beaten time.Time
	silent := false
	for {
		looked, err := n.look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !silent:
			n.server.log.Warn("the archive does not say who may see what", "error", err)
		case err == nil && looked.Sub(beaten) >= beatEvery:
			beaten = looked
			n.publish(n.bus.Beat(ctx, bus.Beat{Archive: n.of, Number: n.upTo(), Time: timeOf(looked)}))
		}
		silent = err != nil
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		case <-tick.C:
		}
	}
}

// look heeds and publishes what is new in the outbox. Afterwards everything is known
// that was committed before the time that it returns.
func (n *news) look(ctx context.Context) (began time.Time, err error) {
	ctx, stop := context.WithTimeout(ctx, lookWithin)
	defer stop()
	for {
		began = time.Now()
		above := n.upTo()
		end := n.server.strains.archive.Begin()
		moves, err := n.outbox.Moves(ctx, above, maxMoves)
		end()
		if err != nil {
			return began, err
		}
		last := above
		for _, m := range moves {
			if m.Number <= last {
				n.server.alarm.misroute("outbox", true, "found", m.Home.String())
				return began, errors.New("the outbox answers from another place")
			}
			last = m.Number
			if n.heed(ctx, m) {
				end := n.server.strains.bus.Begin()
				n.publish(n.bus.Publish(ctx, m.Home, bus.News{Archive: n.of, Number: m.Number, Home: m.Home, Head: m.Head, Session: m.Ended, Hold: m.Hold}))
				end()
			}
		}
		if len(moves) < maxMoves {
			if err := n.knowHolds(ctx); err != nil {
				return began, err
			}
			n.server.lease.renew(began)
			return began, nil
		}
	}
}

// knowHolds reads the holds again if they could not be read.
func (n *news) knowHolds(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.server.holds.unknown() {
		return nil
	}
	err := n.server.holds.read(ctx)
	n.server.cuts.held(n.server.holds)
	return err
}

// publish takes the bus's error: the others look into the outbox themselves.
func (n *news) publish(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		n.server.log.Warn("the bus takes no news", "error", err)
	}
}

// soon has the outbox looked into at once: a change was committed here.
func (n *news) soon() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n *news) upTo() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.known
}

// heard takes news from the bus. If some before it was lost, the outbox has it.
func (n *news) heard(ctx context.Context, m bus.News) {
	n.heed(ctx, archive.Move{Number: m.Number, Home: m.Home, Head: m.Head, Ended: m.Session, Hold: m.Hold})
}

// crossed tells of what the bus brought and is another home's, or another archive's.
func (n *news) crossed(under, found latchkey.HomeID) {
	n.server.alarm.misroute("bus", true, "asked", under.String(), "found", found.String())
}

// beat takes another server's word that it has just looked into the outbox. If it has
// seen more than this server, something was lost, and the outbox has it.
func (n *news) beat(b bus.Beat) {
	if b.Number > n.upTo() {
		n.soon()
		return
	}
	now := time.Now()
	if age := now.Sub(b.Time.Time()); age > 0 { // or the clocks differ
		now = now.Add(-age)
	}
	n.server.lease.renew(now)
}

// heed does what a row of the outbox asks for, and says whether it was new.
func (n *news) heed(ctx context.Context, m archive.Move) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if m.Number <= n.known {
		return false
	}
	if m.Number == n.known+1 {
		n.known = m.Number
	} else {
		n.soon()
	}
	s := n.server
	if m.Hold != 0 {
		s.heedHold(ctx, m.Hold)
		return true
	}
	s.heads.forget(m.Home)
	if m.Ended != (latchkey.SessionID{}) {
		s.cuts.ended(m.Home, m.Ended, nil)
		return true
	}
	ctx, stop := context.WithTimeout(ctx, foldWithin)
	defer stop()
	title, at, err := s.titles.look(ctx, m.Home)
	switch {
	case err != nil || !title.OnChain(m.Head):
		s.log.Error("a home has moved and cannot be read", "home", m.Home, "head", m.Head, "error", err)
		s.cuts.unsure(m.Home)
	case at.Ended:
		s.cuts.gone(m.Home, nil)
	default:
		s.cuts.moved(title, nil)
	}
	s.hub.changed(m.Home, api.DeedsChanged)
	return true
}
