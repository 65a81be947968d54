package server

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/relay"
	"github.com/latchkey-cam/latchkey/sealed"
)

// How servers ask each other for live streams.
const (
	wantEvery = time.Second     // a server says again what is watched at it
	wantLife  = 3 * time.Second // and is believed for so long

	// grantWithin is how long a grant from another server is waited for before the viewer
	// is told that the agent is away.
	grantWithin = 1500 * time.Millisecond

	maxWants = 1 << 16 // streams that are wanted at other servers
)

// trunk joins the relays of the servers of one archive by the bus. A server that has
// viewers of a stream calls for it; one that has the agent, or is brought the stream,
// feeds it to the bus, once for all who have called. Knocks and grants go the same way,
// sealed. What comes is compared with what it came under, and once more, by its own bytes,
// where it is used.
type trunk struct {
	server *Server
	bus    bus.Streams
	of     bus.ArchiveID
	self   bus.SenderID

	mu     sync.Mutex // protects what follows; it is taken before the relay's and the hub's
	over   bool
	asked  map[sealed.Stream]bool    // that are watched here
	wanted map[sealed.Stream]*wanted // that are watched elsewhere
	done   sync.WaitGroup            // of what is fed
}

// wanted is what other servers want of a stream.
type wanted struct {
	until time.Time
	feed  *relay.Viewer // nil: it does not come in here, as far as is known
}

func newTrunk(s *Server, b bus.Streams, of bus.ArchiveID) *trunk {
	t := &trunk{server: s, bus: b, of: of, asked: map[sealed.Stream]bool{}, wanted: map[sealed.Stream]*wanted{}}
	rand.Read(t.self[:]) // never fails: it ends the process instead
	return t
}

// run answers calls, and repeats its own, until ctx ends.
func (t *trunk) run(ctx context.Context) {
	defer t.close()
	defer t.bus.Listen(t.comparing(func(m bus.Live) { t.called(ctx, m) }))()
	tick := time.NewTicker(wantEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			t.lapse(time.Now())
			for _, of := range t.watchedHere() {
				t.send(ctx, of, bus.Wanted, nil)
			}
		}
	}
}

func (t *trunk) close() {
	t.mu.Lock()
	t.over = true
	for _, w := range t.wanted {
		w.end()
	}
	t.mu.Unlock()
	t.done.Wait()
}

func (w *wanted) end() {
	if w.feed != nil {
		w.feed.Close()
	}
}

func (t *trunk) watchedHere() (all []sealed.Stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for of := range t.asked {
		all = append(all, of)
	}
	return all
}

// lapse forgets what nobody has called for lately.
func (t *trunk) lapse(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for of, w := range t.wanted {
		if now.After(w.until) {
			w.end()
			delete(t.wanted, of)
		}
	}
}

func (t *trunk) comparing(hear func(m bus.Live)) bus.Hear {
	return bus.Comparing(t.of, t.self, hear, t.crossed)
}

// crossed tells of what came by the bus and belongs to another stream, or archive.
func (t *trunk) crossed(under, found sealed.Stream) {
	t.server.alarm.misroute("live-"+relay.AtBus, true, "asked", under.String(), "found", found.String())
}

// send sends to whoever listens. What is lost is asked for again.
func (t *trunk) send(ctx context.Context, of sealed.Stream, kind bus.LiveKind, b []byte) {
	m := bus.Live{Archive: t.of, From: t.self, Stream: of, Kind: kind, Bytes: b}
	if err := t.bus.Send(ctx, of, m); err != nil && ctx.Err() == nil {
		t.server.log.Warn("the bus does not carry a live stream", "stream", of.String(), "error", err)
	}
}

// Subscribe is [relay.Bus]'s.
func (t *trunk) Subscribe(of sealed.Stream, in *relay.Inlet) (stop func()) {
	untune := t.bus.Tune(of, t.comparing(func(m bus.Live) { t.takes(in, m) }))
	t.mu.Lock()
	t.asked[of] = true
	t.mu.Unlock()
	t.send(t.server.ctx, of, bus.Wanted, nil)
	return func() {
		t.mu.Lock()
		delete(t.asked, of)
		t.mu.Unlock()
		untune()
	}
}

// takes takes what comes of a stream that is watched here.
func (t *trunk) takes(in *relay.Inlet, m bus.Live) {
	var err error
	switch m.Kind {
	case bus.Away:
		in.Away()
	case bus.Fragment:
		err = in.Take(m.Bytes)
	case bus.Grant:
		err = t.granted(m)
	}
	if err != nil && !errors.Is(err, relay.ErrBusy) && !errors.Is(err, relay.ErrUnwanted) && !errors.Is(err, relay.ErrGone) {
		t.server.log.Warn("the bus brings what is not taken", "stream", m.Stream.String(), "error", err)
	}
}

// granted takes an agent's answer from the server to which it is connected.
func (t *trunk) granted(m bus.Live) error {
	g, err := sealed.ParseGrant(m.Bytes)
	if err == nil {
		if err = g.Stream.Answers(m.Stream); err != nil {
			t.crossed(m.Stream, g.Stream)
		}
	}
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(t.server.ctx, foldWithin)
	defer stop()
	return t.server.granted(ctx, g.Stream.Home, g.Agent, m.Bytes)
}

// called answers a call.
func (t *trunk) called(ctx context.Context, m bus.Live) {
	switch m.Kind {
	case bus.Wanted:
		t.want(ctx, m.Stream)
	case bus.Knock:
		t.knock(m)
	}
}

// want has a stream be fed to the bus if it comes in here, or would.
func (t *trunk) want(ctx context.Context, of sealed.Stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.wanted[of]
	if w == nil {
		if len(t.wanted) >= maxWants {
			return
		}
		w = &wanted{}
		t.wanted[of] = w
	}
	w.until = time.Now().Add(wantLife)
	if t.server.hub.hosts(of.Home) || t.server.live.Wants(of) {
		t.feed(ctx, of, w)
	}
}

// brought is for a stream that is about to be brought here: whoever called for it is fed.
func (t *trunk) brought(of sealed.Stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w := t.wanted[of]; w != nil {
		t.feed(t.server.ctx, of, w)
	}
}

// feed begins to feed a stream to the bus, if it is not fed already. The caller holds the
// lock.
func (t *trunk) feed(ctx context.Context, of sealed.Stream, w *wanted) {
	if w.feed != nil || t.over {
		return
	}
	v, err := t.server.live.Feed(ctx, of)
	if err != nil {
		return // a limit is reached; they call again
	}
	w.feed = v
	t.done.Go(func() {
		t.pass(ctx, of, v)
		v.Close()
		t.mu.Lock()
		defer t.mu.Unlock()
		w.feed = nil // the next call begins another
	})
}

func (t *trunk) pass(ctx context.Context, of sealed.Stream, v *relay.Viewer) {
	for {
		b, err := v.Next()
		switch {
		case errors.Is(err, relay.ErrAway):
			t.send(ctx, of, bus.Away, nil)
		case err != nil:
			return
		default:
			t.send(ctx, of, bus.Fragment, b)
		}
	}
}

// knock takes a knock from the viewer's server to its agent, if that is here.
func (t *trunk) knock(m bus.Live) {
	k, err := sealed.ParseKnock(m.Bytes)
	if err != nil {
		t.server.log.Warn("the bus brings what is no knock", "stream", m.Stream.String(), "error", err)
		return
	}
	if k.Stream != m.Stream {
		t.crossed(m.Stream, k.Stream)
		return
	}
	if l := t.server.hub.agent(k.Stream.Home, k.Agent); l != nil {
		_ = l.knock(k, m.Bytes) // whoever knocked does so again
	}
}

// knock hands a knock to an agent; it is false if too much waits for it already.
func (l *listener) knock(k sealed.Knock, b []byte) bool {
	select {
	case l.frames <- api.KnockFrame{Home: k.Stream.Home, Knock: b}:
		return true
	default:
		return false
	}
}
