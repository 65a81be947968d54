package server

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
)

// The bounds of listening connections.
const (
	maxListeners   = 64      // of one home
	maxConnections = 200_000 // websockets in all; memory and descriptors are a gate's strain before
	queuedFrames   = 16      // messages that wait for one agent
)

// hub tells websockets what has changed in their home. What waits for a listener is a
// set of words, so that its queue is seven words long however slow it is; the words are
// hints, and a listener that missed ten of one kind fetches once.
type hub struct {
	counters *counters

	mu     sync.Mutex // protects what follows
	all    int
	most   float64   // agents on an ordinary day,
	since  time.Time // as of then
	homes  map[latchkey.HomeID]map[*listener]bool
	agents map[agentKey]*listener // the newest connection of each agent
}

type agentKey struct {
	home  latchkey.HomeID
	agent latchkey.AgentID
}

// listener is one websocket. Its end is closed when the hub wants it gone.
type listener struct {
	home    latchkey.HomeID
	session archive.Session   // of a page
	agent   *latchkey.AgentID // of an agent

	wake   chan struct{} // has one place: something is pending
	end    chan struct{}
	gone   chan struct{}  // closed when nobody is told any more
	frames chan api.Frame // for an agent: messages of which none may be left out
	live   chan struct{}  // for an agent, has one place: other streams are wanted than before

	mu      sync.Mutex // protects what follows
	pending []api.Change
	ended   bool
	moved   bool // it is to go to another server; does not change once end is closed
}

func newHub(c *counters, agents int) *hub {
	return &hub{counters: c, most: float64(max(agents, 0)), since: time.Now(), homes: map[latchkey.HomeID]map[*listener]bool{}, agents: map[agentKey]*listener{}}
}

func newListener(home latchkey.HomeID) *listener {
	return &listener{
		home: home, wake: make(chan struct{}, 1), end: make(chan struct{}), gone: make(chan struct{}), frames: make(chan api.Frame, queuedFrames), live: make(chan struct{}, 1),
	}
}

// add begins to tell l; it is false if there are too many. An agent's newest connection
// takes the place of an older one.
func (h *hub) add(l *listener) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.agent != nil {
		key := agentKey{l.home, *l.agent}
		if older := h.agents[key]; older != nil {
			older.close()
			h.drop(older)
		}
	}
	if h.all >= maxConnections || len(h.homes[l.home]) >= maxListeners {
		return false
	}
	if h.homes[l.home] == nil {
		h.homes[l.home] = map[*listener]bool{}
	}
	h.homes[l.home][l] = true
	h.all++
	if l.agent != nil {
		h.agents[agentKey{l.home, *l.agent}] = l
		h.counters.agents.Inc()
	} else {
		h.counters.watchers.Inc()
	}
	return true
}

// remove stops telling l.
func (h *hub) remove(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(l)
}

// drop is remove for who holds the lock; the second time it does nothing.
func (h *hub) drop(l *listener) {
	if !h.homes[l.home][l] {
		return
	}
	close(l.gone)
	delete(h.homes[l.home], l)
	if len(h.homes[l.home]) == 0 {
		delete(h.homes, l.home)
	}
	h.all--
	if l.agent == nil {
		h.counters.watchers.Dec()
		return
	}
	h.counters.agents.Dec()
	if key := (agentKey{l.home, *l.agent}); h.agents[key] == l {
		delete(h.agents, key)
	}
}

// forgetting is how long it takes until no more agents are usual than are connected.
const forgetting = 24 * time.Hour

// usual is how many agents are connected on an ordinary day: as many as there were lately,
// also while they are away.
func (h *hub) usual() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	h.most -= h.most * now.Sub(h.since).Seconds() / forgetting.Seconds()
	h.most, h.since = max(h.most, float64(len(h.agents))), now
	return int(math.Ceil(h.most))
}

// agent returns the connection of an agent, nil if it is away.
func (h *hub) agent(home latchkey.HomeID, agent latchkey.AgentID) *listener {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.agents[agentKey{home, agent}]
}

// hosts says whether an agent of a home is connected.
func (h *hub) hosts(home latchkey.HomeID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.homes[home] {
		if l.agent != nil {
			return true
		}
	}
	return false
}

// changed tells every listener of a home. Whether a page hears it is asked when it is
// said ([hears]).
func (h *hub) changed(home latchkey.HomeID, what api.Change) {
	h.tell(home, what, func(*listener) bool { return true })
}

// happened tells the pages of a home that an object of a camera has come, if their
// person may see it: when a camera has something to tell is not for everybody.
func (h *hub) happened(t *deed.Title, camera latchkey.CameraID, kind latchkey.Kind, now latchkey.Time) {
	h.tell(t.Home(), api.EventsChanged, func(l *listener) bool {
		return l.agent == nil && sees(t, l.session, camera, kind, now)
	})
}

// lists tells every page to ask for its list again: whether that is stopped has changed,
// or what lies somewhere else.
func (h *hub) lists() { h.pages(func(l *listener) { l.tell(api.EventsChanged) }) }

// part has every page connect anew.
func (h *hub) part() { h.pages((*listener).close) }

func (h *hub) pages(do func(l *listener)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, home := range h.homes {
		for l := range home {
			if l.agent == nil {
				do(l)
			}
		}
	}
}

// everybody is all listeners.
func (h *hub) everybody() (all []*listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, home := range h.homes {
		for l := range home {
			all = append(all, l)
		}
	}
	return all
}

// wanted tells the agents of a home that other streams of it are wanted than before.
func (h *hub) wanted(home latchkey.HomeID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.homes[home] {
		l.wanted()
	}
}

func (l *listener) wanted() {
	select {
	case l.live <- struct{}{}:
	default:
	}
}

func (h *hub) tell(home latchkey.HomeID, what api.Change, whom func(l *listener) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.homes[home] {
		if whom(l) {
			l.tell(what)
		}
	}
}

func (l *listener) tell(what api.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(l.pending, what) {
		return
	}
	l.pending = append(l.pending, what)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take returns what is pending.
func (l *listener) take() []api.Change {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.pending
	l.pending = nil
	return p
}

func (l *listener) close() { l.finish(false) }

// move is close for a listener that is to go to another server.
func (l *listener) move() { l.finish(true) }

func (l *listener) finish(moved bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.ended, l.moved = true, moved
		close(l.end)
	}
}
