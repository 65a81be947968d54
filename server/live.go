package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/relay"
	"github.com/latchkey-cam/latchkey/sealed"
)

// pauseBetweenKnocks is what a viewer waits between two of them.
const pauseBetweenKnocks = 200 * time.Millisecond

// openLive makes the relay by which live streams go. If there are other servers, what is
// brought to one is watched at all.
func (s *Server) openLive(alone bool) (err error) {
	var others relay.Bus
	if !alone {
		s.trunk = newTrunk(s, s.config.Bus, s.archiveID())
		others = s.trunk
	}
	s.live, err = relay.New(relay.Config{
		Bus:    others,
		Wanted: func(of sealed.Stream, _ bool) { s.hub.wanted(of.Home) },
		Alarm: func(m relay.Misroute) {
			s.alarm.misroute("live-"+m.Where, true, "asked", m.Asked.String(), "found", m.Found.String())
		},
	})
	if err != nil {
		return err
	}
	s.cuts.live = s.live
	s.cuts.watching = api.Routes[slices.IndexFunc(api.Routes, func(r api.Route) bool { return r.ID == "live" })]
	for name, gauge := range map[string]struct {
		help string
		read func(relay.Load) float64
	}{
		"live_viewers": {"Viewers of live streams, and other servers that are fed some.", func(l relay.Load) float64 { return float64(l.Viewers) }},
		"live_streams": {"Live streams that are wanted.", func(l relay.Load) float64 { return float64(l.Streams) }},
		"live_bytes":   {"Bytes of live fragments that are kept for viewers.", func(l relay.Load) float64 { return float64(l.Bytes) }},
	} {
		s.counters.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "latchkey_" + name, Help: gauge.help},
			func() float64 { return gauge.read(s.live.Load()) }))
	}
	return nil
}

// watching is a viewer's websocket.
type watching struct {
	server *Server
	asking *asking
	viewer *relay.Viewer
	conn   *websocket.Conn
	writes atomic.Uint64 // begun and ended ones: odd while one is under way

	grant archive.Receipt // the newest that went out; without a time, none did
	bytes uint64          // of fragments that went out since
}

// watch shows a camera live. The wall has entered the connection as an outlet before it
// looked whether the asker may; from Watch on a cut finds them here as well.
func (s *Server) watch(a *asking) error {
	if err := a.upgrades(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	v, err := s.live.Watch(ctx, relay.Who{Person: a.session.Person, Device: a.session.Device, Session: a.session.ID}, a.stream())
	if err != nil {
		return busy(busyWait) // a limit is reached, or the server is being closed
	}
	defer v.Close()
	c, _, leave, err := s.accept(a, sealed.MaxKnock)
	if err != nil {
		return err
	}
	defer leave()
	w := &watching{server: s, asking: a, viewer: v, conn: c}
	s.done.Go(func() { defer v.Close(); w.listen(v.Context()) })
	s.done.Go(func() { defer v.Close(); w.keepAlive(v.Context()) })
	defer w.ended()
	return w.pass()
}

// pass sends what there is to send until the viewer goes, or is cut.
func (w *watching) pass() error {
	for {
		b, err := w.viewer.Next()
		switch {
		case errors.Is(err, relay.ErrAway):
			err = w.hint(api.LiveAway)
		case err != nil:
			_ = w.conn.Close(websocket.StatusGoingAway, "") // whoever was cut has no connection any more
			return nil
		default:
			err = w.send(b)
		}
		if err != nil {
			return nil
		}
	}
}

// send sends a grant or a fragment. No receipt, no grant.
func (w *watching) send(b []byte) error {
	if kind, _ := sealed.LiveKindOf(b); kind == sealed.GrantMessage {
		g, err := sealed.ParseGrant(b)
		if err != nil {
			return err
		}
		w.ended()
		if err := w.begun(g, b); err != nil {
			return err
		}
	} else {
		w.bytes += uint64(len(b))
	}
	return w.write(websocket.MessageBinary, b)
}

// begun writes down that a grant is about to go out.
func (w *watching) begun(g sealed.Grant, b []byte) error {
	a := w.asking
	r := archive.Receipt{
		Home: a.home, Session: a.session.Secret, Request: a.id, Device: a.session.Device,
		Asked: liveName(a.stream(), g.Run), Sent: liveName(g.Stream, g.Run),
		Header: sha256.Sum256(b), Bytes: uint64(len(b)), Outcome: archive.Delivered, Time: timeOf(w.server.now()),
	}
	if err := w.server.clerk.put(w.viewer.Context(), r); err != nil {
		return err
	}
	if !g.Refuses() {
		w.grant = r
	}
	return nil
}

// ended writes down how much went out under the newest grant, when another has come or
// nothing more goes out.
func (w *watching) ended() {
	r := w.grant
	if r.Time == 0 {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(w.viewer.Context()), foldWithin)
	defer stop()
	r.Asked, r.Sent = "end/"+r.Asked, "end/"+r.Sent
	r.Bytes, r.Time = w.bytes, timeOf(w.server.now())
	w.grant, w.bytes = archive.Receipt{}, 0
	if err := w.server.clerk.put(ctx, r); err != nil {
		w.server.log.Error("the end of a live view is not on record", "home", r.Home, "error", err)
	}
}

// liveName names a run of a stream, in receipts.
func liveName(of sealed.Stream, run latchkey.RunID) string {
	return "live/" + of.Home.String() + "/" + of.Camera.String() + "/" + of.Kind.String() + "/" + run.String()
}

// listen takes the viewer's knocks until they go.
func (w *watching) listen(ctx context.Context) {
	for {
		kind, b, err := w.conn.Read(ctx)
		if err != nil || kind != websocket.MessageBinary {
			return
		}
		word, err := w.knock(ctx, b)
		if word != "" {
			err = errors.Join(err, w.hint(word))
		}
		if err != nil || !sleep(ctx, pauseBetweenKnocks) {
			return
		}
	}
}

// knock passes a knock on to its agent, or says in a word why not.
func (w *watching) knock(ctx context.Context, b []byte) (word string, err error) {
	s, a := w.server, w.asking
	k, err := sealed.ParseKnock(b)
	if err != nil {
		return string(sealed.ReasonOf(err)), err
	}
	if k.Stream == a.stream() { // or the relay says what it is
		if err := w.mayKnock(ctx, k); err != nil {
			return string(asRefusal(objectRefusal(err)).body.Error.Reason), nil
		}
	}
	if _, err := w.viewer.Knock(b); err != nil {
		return string(sealed.ReasonOf(err)), err
	}
	switch l := s.hub.agent(k.Stream.Home, k.Agent); {
	case l == nil && s.trunk == nil:
		return api.LiveAway, nil
	case l == nil:
		w.knockElsewhere(ctx, k, b)
	case !l.knock(k, b):
		return api.LiveBusy, nil
	}
	return "", nil
}

// knockElsewhere passes a knock on to the other servers: its agent may be there.
func (w *watching) knockElsewhere(ctx context.Context, k sealed.Knock, b []byte) {
	w.server.trunk.send(ctx, k.Stream, bus.Knock, b)
	time.AfterFunc(grantWithin, func() {
		if w.viewer.Waits(k) {
			_ = w.hint(api.LiveAway) // or they have gone
		}
	})
}

// mayKnock makes the checks of a knock that a carrier can make.
func (w *watching) mayKnock(ctx context.Context, k sealed.Knock) error {
	title, err := w.server.titles.of(ctx, w.asking.home)
	if err != nil {
		return err
	}
	if err := sealed.VerifyKnock(k, title); err != nil {
		return err
	}
	if by, _ := title.DeviceBySigningKey(k.Signer); by.ID != w.asking.session.Device {
		return sealed.Refuse(sealed.NotAllowed, "signed by another device than the one that is signed in")
	}
	return k.May(title, timeOf(w.server.now()), true)
}

// hint sends a word.
func (w *watching) hint(word string) error {
	of := w.asking.stream()
	b, err := json.Marshal(api.LiveHint{Home: of.Home, Camera: of.Camera, Stream: of.Kind.String(), Word: word})
	if err != nil {
		return err
	}
	return w.write(websocket.MessageText, b)
}

// write sends a message, for which there is as much time as for an object of that size.
func (w *watching) write(kind websocket.MessageType, b []byte) error {
	ctx, stop := context.WithTimeout(w.viewer.Context(), w.server.config.Patience*time.Duration(1+len(b)/piece))
	defer stop()
	w.writes.Add(1)
	defer w.writes.Add(1)
	return w.conn.Write(ctx, kind, b)
}

// keepAlive looks now and then whether the session still stands, and whether anybody is
// there if nothing has been sent.
func (w *watching) keepAlive(ctx context.Context) {
	var before uint64
	for sleep(ctx, pingEvery) {
		in, err := w.server.session(ctx, w.asking.home, w.asking.session.Secret)
		if err != nil || in.session.ID != w.asking.session.ID {
			w.server.cuts.reset(w.asking.outlet, cutEnded)
			return
		}
		w.server.see(ctx, in.session)
		n := w.writes.Load()
		if n == before && n%2 == 0 && pong(ctx, w.conn) != nil {
			return
		}
		before = n
	}
}

// inlet takes the fragments of a stream that its agent brings.
func (s *Server) inlet(a *asking) error {
	if camera, _ := a.title.Camera(a.camera); camera.Agent != a.agent.ID {
		return refuse(http.StatusForbidden, api.WrongAgent, "The camera is not placed with this agent.")
	}
	who := asker{agent: a.agent.ID, key: a.agent.KEM.ID(), route: a.route}
	var err error
	if a.outlet, err = s.outlet(a.r, a.home, who, a.name, a.title, a.round); err != nil {
		return err
	}
	if s.trunk != nil {
		s.trunk.brought(a.stream())
	}
	in, err := s.live.Inlet(a.stream())
	if err != nil {
		return refuse(http.StatusConflict, api.Unwanted, "Nobody watches this stream.")
	}
	defer in.Close()
	c, ctx, leave, err := s.accept(a, api.MaxLive)
	if err != nil {
		return err
	}
	defer leave()
	s.done.Go(func() {
		for sleep(ctx, pingEvery) && pong(ctx, c) == nil {
		}
		_ = c.CloseNow() // whoever reads sees it
	})
	for {
		kind, b, err := c.Read(ctx)
		if err == nil && kind != websocket.MessageBinary {
			err = malformed("Want binary messages.")
		}
		if err == nil {
			err = in.Take(b)
		}
		if err != nil && !errors.Is(err, relay.ErrBusy) { // then this one is left out
			_ = c.Close(websocket.StatusPolicyViolation, "")
			return nil
		}
	}
}

// grant takes an agent's answer to a knock. If nobody here waits for it, somebody at
// another server may.
func (t *conversation) grant(ctx context.Context, m api.GrantFrame) {
	s := t.server
	err := s.granted(ctx, t.home, t.agent.ID, m.Grant)
	if errors.Is(err, relay.ErrGone) {
		if g, err := sealed.ParseGrant(m.Grant); err == nil && s.trunk != nil {
			s.trunk.send(ctx, g.Stream, bus.Grant, m.Grant)
		}
		return
	}
	if err != nil {
		s.log.Warn("grant", "home", t.home, "agent", t.agent.ID, "reason", asRefusal(err).body.Error.Reason, "error", err)
	}
}

// granted passes an answer of an agent of a home on to the viewer whose knock it answers.
func (s *Server) granted(ctx context.Context, home latchkey.HomeID, agent latchkey.AgentID, b []byte) error {
	title, err := s.titles.of(ctx, home)
	if err != nil {
		return err
	}
	var g sealed.Grant
	if g, err = sealed.ParseGrant(b); err == nil && g.Stream.Home == home {
		err = sealed.VerifyGrant(g, title)
	}
	if err != nil {
		return err
	}
	return s.live.Grant(home, agent, b)
}

// tellWanted says which of the agent's streams are wanted now and were not before, or
// are no more.
func (t *conversation) tellWanted(ctx context.Context) error {
	title, err := t.server.titles.of(ctx, t.home)
	if err != nil {
		return err
	}
	now := map[sealed.Stream]bool{}
	for _, of := range t.server.live.Wanted(t.home) {
		if camera, _ := title.Camera(of.Camera); camera.Agent == t.agent.ID {
			now[of] = true
		}
	}
	for of := range t.wanted {
		if !now[of] {
			err = errors.Join(err, t.sendWanted(ctx, of, false))
		}
	}
	for of := range now {
		if !t.wanted[of] {
			err = errors.Join(err, t.sendWanted(ctx, of, true))
		}
	}
	t.wanted = now
	return err
}

func (t *conversation) sendWanted(ctx context.Context, of sealed.Stream, wanted bool) error {
	return t.send(ctx, api.WantedFrame{Home: of.Home, Camera: of.Camera, Stream: of.Kind.String(), Wanted: wanted})
}
