// Package relay passes the streams of cameras on: one sealed stream comes in, and goes
// out to all who watch it. It has no keys and opens nothing; it compares, of everything
// that comes in and again of everything that goes out, whose it is (docs/live.md, "A
// carrier").
//
// Nothing here has a connection. Whoever has an agent's takes an [Inlet] for each stream
// that it brings and hands in what comes:
//
//	in, err := relay.Inlet(stream)
//	err = in.Take(fragment)
//
// and whoever has a viewer's hands out what [Viewer.Next] gives, in that order:
//
//	v, err := relay.Watch(ctx, who, stream)
//	defer v.Close()
//	knock, err := v.Knock(message)     // to be checked, and sent to its agent
//	err = relay.Grant(home, agent, b)  // the agent's answer finds its way to v
//	message, err := v.Next()
//
// Watch enters the viewer before anything is decided. So whoever decides that they may
// watch decides it after Watch, and from then on [Relay.Cut] finds them: nobody slips in
// between two looks. Nothing is given to a viewer before a grant was.
//
// Fragments are kept once for a stream, whoever watches: the newest group, for who comes
// next, and before it a short tail, for who is a moment behind. A viewer is a place in
// it. One that is slow costs nothing but that, and when its place is no longer kept it
// goes on with the newest group; nobody waits for it.
//
// A stream is wanted from its first viewer on, and until a while after its last one has
// left. What nobody wants is refused.
package relay

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// What a caller branches on.
var (
	// ErrBusy says that a limit is reached, and which.
	ErrBusy = errors.New("too much at once")
	// ErrUnwanted says that nobody watches the stream: nothing more of it is to be sent.
	ErrUnwanted = errors.New("nobody watches it")
	// ErrReplaced says that the stream comes in by a newer inlet.
	ErrReplaced = errors.New("it comes in by a newer connection")
	// ErrMisrouted says that something is of another stream than what it came or would
	// have gone out for. Nothing of it was passed on.
	ErrMisrouted = errors.New("it belongs elsewhere")
	// ErrGone says that whoever knocked is not there any more, or has knocked again.
	ErrGone = errors.New("whoever asked for it has gone")
	// ErrAway says that the stream has ceased to come in. It is said once, and the viewer
	// goes on: the agent may come back.
	ErrAway = errors.New("the stream does not come in any more")
	// ErrCut says that the viewer may not watch any more.
	ErrCut = errors.New("the right to watch has ended")
	// ErrClosed says that the viewer or the relay was closed.
	ErrClosed = errors.New("it was closed")
)

// Who is somebody who watches, as whoever let them in knows them. The relay compares
// nothing with it; it is there to be asked about in [Relay.Cut].
type Who struct {
	Person  latchkey.PersonID
	Device  latchkey.DeviceID
	Session latchkey.SessionID
}

// Misroute is something that reached a place for which it was not. It was not passed on.
type Misroute struct {
	Where string        // one of the constants below
	Asked sealed.Stream // what the place is for; of a grant, only the home counts
	Found sealed.Stream // what the message says that it is of
}

// Where something was found that belongs elsewhere.
const (
	AtInlet = "inlet" // an agent brought it
	AtBus   = "bus"   // it came from another relay
	AtKnock = "knock" // a viewer knocks at another stream
	AtGrant = "grant" // an agent answers in another's name, or for another stream
	AtExit  = "exit"  // this relay was about to hand it out
)

// Bus brings what comes in at other relays.
type Bus interface {
	// Subscribe begins to hand to in what comes in of a stream by the agent's own
	// connection at any other relay: what [Relay.Feed] gives there. When that ends it
	// calls [Inlet.Away]. After stop nothing more is handed in. It may be called before
	// the stream comes in anywhere, and does not wait until it does.
	Subscribe(of sealed.Stream, in *Inlet) (stop func())
}

// Config is what a relay needs. Limits that are 0 are those that the comments name.
type Config struct {
	// Wanted is told when a stream begins and ceases to be wanted: once for each change,
	// one at a time, in order. It must not wait.
	Wanted func(of sealed.Stream, wanted bool)
	// Alarm is told of everything that belongs elsewhere. It must neither wait nor call
	// the relay.
	Alarm func(m Misroute)
	// Bus brings what comes in at other relays; nil if there are none.
	Bus Bus
	// Hold is for how long a stream is wanted after its last viewer has left, so that who
	// loads a page again does not stop and start a camera. 5 s.
	Hold time.Duration

	Streams     int   // of a home at once: 96, which is 32 cameras
	Viewers     int   // of a stream: 256
	HomeViewers int   // of a home: 512
	AllViewers  int   // altogether: 10,000, as many websockets as a server has
	HomeBytes   int64 // of fragments kept for a home: 256 MiB, which is 16 groups as long as can be
	Bytes       int64 // of fragments kept altogether: 1 GiB
}

// Relay passes streams on. It may be used by several goroutines.
type Relay struct {
	config Config
	budget budget // of all bytes

	changed chan struct{} // has one place: somebody is to be told
	closing chan struct{}
	done    sync.WaitGroup

	mu      sync.Mutex // protects what follows, and all sets of viewers; it is taken before a stream's
	closed  bool
	viewers int
	homes   map[latchkey.HomeID]*home
	knocks  map[[32]byte]*Viewer // by the hash of the knock that is not answered yet
	news    []*stream            // whose demand has changed, in order
}

// home is what is watched of a home.
type home struct {
	viewers int
	streams map[sealed.Stream]*stream
	budget  budget
}

// New returns a relay by which nothing goes yet.
func New(c Config) (*Relay, error) {
	if c.Wanted == nil || c.Alarm == nil {
		return nil, errors.New("make relay: Wanted and Alarm have to be there")
	}
	c.Hold = cmp.Or(c.Hold, 5*time.Second)
	c.Streams = cmp.Or(c.Streams, 96)
	c.Viewers = cmp.Or(c.Viewers, 256)
	c.HomeViewers = cmp.Or(c.HomeViewers, 512)
	c.AllViewers = cmp.Or(c.AllViewers, 10_000)
	c.HomeBytes = cmp.Or(c.HomeBytes, 256<<20)
	c.Bytes = cmp.Or(c.Bytes, 1<<30)
	r := &Relay{
		config: c, changed: make(chan struct{}, 1), closing: make(chan struct{}),
		homes: map[latchkey.HomeID]*home{}, knocks: map[[32]byte]*Viewer{},
	}
	r.budget.limit = c.Bytes
	r.done.Go(r.tell)
	return r, nil
}

// Close ends all viewers and refuses new ones. Nobody is told that nothing is wanted any
// more: whoever brings a stream is told so when they bring it.
func (r *Relay) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	close(r.closing)
	var all []*stream
	for id, h := range r.homes {
		for _, s := range h.streams {
			all = append(all, s)
		}
		delete(r.homes, id)
	}
	r.mu.Unlock()
	for _, s := range all {
		for v := range s.viewers { // nobody enters or leaves a stream that is in no home
			v.end(ErrClosed)
		}
		s.end()
	}
	r.done.Wait()
	for _, s := range all {
		s.unsubscribe()
	}
	return nil
}

// enter makes v one of its stream's viewers, and the stream wanted, if the limits allow.
func (r *Relay) enter(v *Viewer, of sealed.Stream) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	h := r.homes[of.Home]
	if h == nil {
		h = &home{streams: map[sealed.Stream]*stream{}, budget: budget{limit: r.config.HomeBytes}}
	}
	s, c := h.streams[of], r.config
	switch {
	case r.viewers >= c.AllViewers:
		return fmt.Errorf("%w: this server has %d viewers", ErrBusy, r.viewers)
	case h.viewers >= c.HomeViewers:
		return fmt.Errorf("%w: the home has %d viewers", ErrBusy, h.viewers)
	case s != nil && len(s.viewers) >= c.Viewers:
		return fmt.Errorf("%w: the stream has %d viewers", ErrBusy, len(s.viewers))
	case s == nil && len(h.streams) >= c.Streams:
		return fmt.Errorf("%w: %d streams of the home are watched", ErrBusy, len(h.streams))
	}
	if s == nil {
		s = newStream(r, h, of)
		h.streams[of] = s
		r.homes[of.Home] = h
	}
	if s.idle != nil {
		s.idle.Stop()
	}
	s.visits++
	s.viewers[v] = true
	if !v.feed {
		s.people++
	}
	h.viewers++
	r.viewers++
	v.stream = s
	r.tellOf(s)
	return nil
}

// leave takes v out; the second time it does nothing.
func (r *Relay) leave(v *Viewer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := v.stream
	if !s.viewers[v] || r.closed {
		return
	}
	delete(s.viewers, v)
	r.forget(v)
	if !v.feed {
		s.people--
	}
	s.home.viewers--
	r.viewers--
	if len(s.viewers) == 0 {
		visit := s.visits
		s.idle = time.AfterFunc(r.config.Hold, func() { r.lapse(s, visit) })
	}
	r.tellOf(s)
}

// lapse has a stream be wanted no more, if nobody has come since that visit.
func (r *Relay) lapse(s *stream, visit uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.visits != visit || r.closed {
		return
	}
	delete(s.home.streams, s.of)
	if len(s.home.streams) == 0 {
		delete(r.homes, s.of.Home)
	}
	s.end()
	r.tellOf(s)
}

// of is the stream of that name, nil if it is not wanted.
func (r *Relay) of(name sealed.Stream) *stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.homes[name.Home]; h != nil {
		return h.streams[name]
	}
	return nil
}

// Wanted returns the streams of a home that are wanted now.
func (r *Relay) Wanted(of latchkey.HomeID) []sealed.Stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.homes[of]; h != nil {
		return slices.Collect(maps.Keys(h.streams))
	}
	return nil
}

// Wants says whether a stream is wanted now.
func (r *Relay) Wants(of sealed.Stream) bool { return r.of(of) != nil }

// Cut ends those viewers of a home whom gone picks, and returns how many. When it has
// returned [Viewer.Next] gives them nothing more. Feeds of other relays stay: those cut
// their own viewers.
func (r *Relay) Cut(of latchkey.HomeID, gone func(stream sealed.Stream, who Who) bool) int {
	r.mu.Lock()
	all := r.people(r.homes[of], nil)
	r.mu.Unlock()
	return cut(all, gone)
}

// CutAll is [Relay.Cut] for all homes.
func (r *Relay) CutAll(gone func(stream sealed.Stream, who Who) bool) int {
	r.mu.Lock()
	var all []*Viewer
	for _, h := range r.homes {
		all = r.people(h, all)
	}
	r.mu.Unlock()
	return cut(all, gone)
}

// people appends the viewers of a home to all. The caller holds the lock.
func (r *Relay) people(h *home, all []*Viewer) []*Viewer {
	if h == nil {
		return all
	}
	for _, s := range h.streams {
		for v := range s.viewers {
			if !v.feed {
				all = append(all, v)
			}
		}
	}
	return all
}

func cut(among []*Viewer, gone func(sealed.Stream, Who) bool) (n int) {
	for _, v := range among {
		if gone(v.stream.of, v.who) {
			v.end(ErrCut)
			n++
		}
	}
	return n
}

// Load is how much a relay carries.
type Load struct {
	Streams int   // that are wanted
	Viewers int   // feeds among them
	Bytes   int64 // of fragments that are kept
}

// Load says how much the relay carries now.
func (r *Relay) Load() Load {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := Load{Viewers: r.viewers, Bytes: r.budget.used.Load()}
	for _, h := range r.homes {
		l.Streams += len(h.streams)
	}
	return l
}
