package server

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/relay"
	"github.com/latchkey-cam/latchkey/sealed"
)

// A right that ends, ends what is under way. Every connection by which something of a
// home goes out is entered here as an outlet while it does; when the home's head moves, a
// session ends or a right runs out, those that may not go on are reset: not drained,
// because a slow reader's buffers last for minutes.

// asker is somebody to whom a connection hands something out: a member's device in its
// session, or an agent with the key to which letters for it are sealed.
type asker struct {
	session archive.Session
	route   api.Route // by which they were let in
	agent   latchkey.AgentID
	key     latchkey.KeyID
}

// stillMay says whether somebody may be handed something of a home, by its deeds as they
// are now, and until when: zero if nothing ends it. What is an object's name, the camera
// alone for what it shows live, or nothing for what concerns the home at large.
func stillMay(t *deed.Title, who asker, what latchkey.Name) (until latchkey.Time, ok bool) {
	if who.agent != (latchkey.AgentID{}) {
		agent, placed := t.Agent(who.agent)
		camera, _ := t.Camera(what.Camera)
		return 0, placed && agent.KEM.ID() == who.key && (what == latchkey.Name{} || camera.Agent == agent.ID)
	}
	p, ok := t.Person(who.session.Person)
	if device, stands := t.Device(who.session.Device); !ok || !arriving(who.session) && (!stands || device.Person != p.ID) {
		return 0, false
	}
	switch {
	case !permits(p, who.route.Right):
		return 0, false
	case what != (latchkey.Name{}) && (t.Frozen() || !seesNamed(t, who.session, what, 0)):
		return 0, false
	case who.route.Right != api.Known && p.Rights.Until != 0:
		return min(p.Rights.Until, who.session.Expires), true
	}
	return who.session.Expires, true
}

// outlet is a connection while something of a home goes out by it to somebody.
type outlet struct {
	cuts *cuts
	line *line
	home latchkey.HomeID
	who  asker
	what latchkey.Name
	over bool // protected by the line: the handler is done, the kernel may not be

	end *time.Timer // protected by the cuts: cuts it when the right runs out; nil: never
}

// The reasons of a cut, in the counter.
const (
	cutRemoved = "removed" // the deeds say so
	cutEnded   = "ended"   // the session was ended
	cutExpired = "expired" // the right has run out
	cutStale   = "stale"   // nobody can say whether it still holds
	cutHeld    = "held"    // the operator has stopped it
)

// cuts are the outlets, by their homes.
type cuts struct {
	counters *counters
	now      func() time.Time
	rounds   atomic.Uint64 // of looking for whom to cut
	live     *relay.Relay  // whose viewers are cut after their connections: a websocket that ends by itself is drained
	watching api.Route     // by which those came

	mu    sync.Mutex // protects homes
	homes map[latchkey.HomeID]map[*outlet]bool
}

func newCuts(c *counters, now func() time.Time) *cuts {
	return &cuts{counters: c, now: now, homes: map[latchkey.HomeID]map[*outlet]bool{}}
}

// outlet enters a connection. The asker was looked up with title t, after that round of
// cuts; if there was another round since, it is looked up again, now that none can miss
// it.
func (s *Server) outlet(r *http.Request, home latchkey.HomeID, who asker, what latchkey.Name, t *deed.Title, round uint64) (*outlet, error) {
	o := &outlet{cuts: s.cuts, line: lineOf(r), home: home, who: who, what: what}
	if o.line == nil {
		panic("internal error: a connection that cannot be cut: serve with HTTPServer")
	}
	s.cuts.add(o)
	o.line.take(o)
	if err := s.mayBegin(r.Context(), o, t, round); err != nil {
		o.drop()
		return nil, err
	}
	return o, nil
}

func (s *Server) mayBegin(ctx context.Context, o *outlet, t *deed.Title, round uint64) (err error) {
	if !s.lease.fresh() {
		return stale()
	}
	if s.cuts.rounds.Load() != round {
		if o.who.agent != (latchkey.AgentID{}) {
			t, _, err = s.titles.look(ctx, o.home)
		} else {
			var in entry
			in, err = s.session(ctx, o.home, o.who.session.Secret)
			t = in.title
		}
		if err != nil {
			return err
		}
	}
	until, ok := stillMay(t, o.who, o.what)
	switch {
	case !ok && t.Frozen() && seesNamed(t, o.who.session, o.what, timeOf(s.now())):
		return frozen()
	case !ok:
		return notFound()
	}
	s.cuts.endAt(o, until)
	return nil
}

func (c *cuts) add(o *outlet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.homes[o.home] == nil {
		c.homes[o.home] = map[*outlet]bool{}
	}
	c.homes[o.home][o] = true
}

// drop forgets an outlet; the second time it does nothing.
func (o *outlet) drop() {
	c := o.cuts
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.homes[o.home], o)
	if len(c.homes[o.home]) == 0 {
		delete(c.homes, o.home)
	}
	if o.end != nil {
		o.end.Stop()
	}
}

// release is for the end of the handler. A websocket has ended with it; what else was
// answered may lie in the kernel for a while, so that the outlet goes on until the
// connection's next, or its end.
func (o *outlet) release(websocket bool) {
	if o == nil {
		return
	}
	if websocket {
		o.drop()
		return
	}
	o.line.mu.Lock()
	defer o.line.mu.Unlock()
	o.over = true
}

// endAt sets when the outlet ends by itself.
func (c *cuts) endAt(o *outlet, until latchkey.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.end != nil {
		o.end.Stop()
	}
	if until != 0 && c.homes[o.home][o] {
		o.end = time.AfterFunc(until.Time().Sub(c.now()), func() {
			c.reset(o, cutExpired)
			c.live.Cut(o.home, bySession(o.who.session.ID))
		})
	}
}

func (c *cuts) reset(o *outlet, why string) {
	if o.line.reset() {
		c.counters.cuts.WithLabelValues(why).Inc()
	}
}

// moved cuts those who may not go on by the title to which a home has come. The request
// that brought it there, if it is one of this server's, is the last word of its own
// connection.
func (c *cuts) moved(t *deed.Title, by *asking) {
	c.cut(c.of(t.Home()), cutRemoved, by, func(o *outlet) bool {
		until, ok := stillMay(t, o.who, o.what)
		if !ok {
			return true
		}
		c.endAt(o, until)
		return false
	})
	c.live.Cut(t.Home(), func(of sealed.Stream, who relay.Who) bool {
		s := archive.Session{ID: who.Session, Person: who.Person, Device: who.Device}
		_, ok := stillMay(t, asker{session: s, route: c.watching}, latchkey.Name{Camera: of.Camera})
		return !ok
	})
}

// ended cuts the connections of a session.
func (c *cuts) ended(home latchkey.HomeID, session latchkey.SessionID, by *asking) {
	c.cut(c.of(home), cutEnded, by, func(o *outlet) bool { return o.who.session.ID == session })
	c.live.Cut(home, bySession(session))
}

// gone cuts all connections of a home that was deleted.
func (c *cuts) gone(home latchkey.HomeID, by *asking) {
	c.cut(c.of(home), cutRemoved, by, func(*outlet) bool { return true })
	c.live.Cut(home, anybody)
}

// unsure cuts all connections of a home about which nothing is known for certain.
func (c *cuts) unsure(home latchkey.HomeID) {
	c.cut(c.of(home), cutStale, nil, func(*outlet) bool { return true })
	c.live.Cut(home, anybody)
}

// all cuts every outlet.
func (c *cuts) all() {
	c.cut(c.everywhere(), cutStale, nil, func(*outlet) bool { return true })
	c.live.CutAll(anybody)
}

// held cuts what a hold stops. Who enters from here on finds it standing.
func (c *cuts) held(h *holds) {
	why := cutHeld
	if h.unknown() {
		why = cutStale
	}
	c.cut(c.everywhere(), why, nil, func(o *outlet) bool { return h.stops(o.who.route, o.home) != nil })
	c.live.CutAll(func(of sealed.Stream, _ relay.Who) bool { return h.stops(c.watching, of.Home) != nil })
}

func anybody(sealed.Stream, relay.Who) bool { return true }

func bySession(session latchkey.SessionID) func(sealed.Stream, relay.Who) bool {
	return func(_ sealed.Stream, who relay.Who) bool { return who.Session == session }
}

func (c *cuts) everywhere() (all []*outlet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range c.homes {
		all = slices.AppendSeq(all, maps.Keys(of))
	}
	return all
}

func (c *cuts) of(home latchkey.HomeID) []*outlet {
	c.rounds.Add(1) // first, so that who enters from here on looks for themselves
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Keys(c.homes[home]))
}

// lastWord is how long a connection lives on by which somebody took their own right
// away, so that they get the answer.
const lastWord = 200 * time.Millisecond

// cut resets the outlets that gone picks, and returns when that is done.
func (c *cuts) cut(among []*outlet, why string, by *asking, gone func(o *outlet) bool) {
	var done sync.WaitGroup
	for _, o := range among {
		if !gone(o) {
			continue
		}
		if by != nil && o.line == lineOf(by.r) && o.line.leaving.CompareAndSwap(false, true) {
			by.w.Header().Set("Connection", "close")
			time.AfterFunc(lastWord, func() { c.reset(o, why) })
		}
		if o.line.leaving.Load() {
			continue
		}
		done.Go(func() { c.reset(o, why) }) // none waits for another's writer or disk
	}
	done.Wait()
}
