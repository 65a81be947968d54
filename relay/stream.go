package relay

import (
	"fmt"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// stream is one stream while it is wanted. When it is not any more another takes its
// place.
type stream struct {
	relay *Relay
	home  *home
	of    sealed.Stream

	viewers map[*Viewer]bool // with the next four protected by the relay's lock
	people  int              // of the viewers, without feeds
	visits  uint64           // how many have come
	idle    *time.Timer      // ends it when nobody watches; nil if all the time somebody did
	listed  bool             // somebody is to be told

	told bool   // that it is wanted; with stop the telling goroutine's
	stop func() // ends what the bus brings; nil if it brings nothing

	mu         sync.Mutex // protects what follows, and the places of its viewers
	over       bool       // nobody wants it any more
	inlet      *Inlet     // the newest of the agent's own
	endings    uint64     // how often it has ceased to come in
	ownEndings uint64     // and by the agent's own inlet
	runs       []*run     // the newest, and before it the one that may be ending
	more       chan struct{}
}

func newStream(r *Relay, h *home, of sealed.Stream) *stream {
	return &stream{relay: r, home: h, of: of, viewers: map[*Viewer]bool{}, more: make(chan struct{})}
}

// wake has all who wait look again. The caller holds the lock.
func (s *stream) wake() {
	close(s.more)
	s.more = make(chan struct{})
}

// end gives back what is kept, and refuses what comes.
func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.dropAll()
	s.runs = nil
	s.wake()
}

// run is the run of that ID, nil if it is none of those that are kept.
func (s *stream) run(id latchkey.RunID) *run {
	for _, r := range s.runs {
		if r.id == id {
			return r
		}
	}
	return nil
}

// at returns what is to be given next to who is there; nil: nothing yet.
func (s *stream) at(w *place) *piece {
	if w == nil {
		return nil
	}
	if r := s.run(w.run); r != nil {
		return r.at(*w)
	}
	return nil
}

// take keeps a piece that came by an inlet, for all who watch.
func (s *stream) take(p *piece, by *Inlet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over:
		return ErrUnwanted
	case p.own && s.inlet != by:
		return ErrReplaced
	}
	r := s.enter(p)
	if !r.admits(p) {
		return nil // it came before, or its group cannot be begun
	}
	if !s.afford(int64(len(p.bytes))) {
		r.whole = false
		return fmt.Errorf("%w: no room for fragments of the home", ErrBusy)
	}
	s.release(r.keep(p))
	s.hush(r, p)
	s.wake()
	return nil
}

// enter returns the run that a piece is of. One that was not known is the newest.
func (s *stream) enter(p *piece) *run {
	r := s.run(p.run)
	if r != nil {
		return r
	}
	r = &run{id: p.run, group: -1}
	s.runs = append(s.runs, r)
	if len(s.runs) > 2 {
		s.release(s.runs[0].drop(len(s.runs[0].pieces)))
		s.runs = s.runs[1:]
	}
	return r
}

// hush lets go what is kept of the run before, when that has said nothing for a group of
// the newest.
func (s *stream) hush(r *run, p *piece) {
	r.quiet = false
	if before := s.runs[0]; before != r && p.key {
		if before.quiet {
			s.release(before.drop(len(before.pieces)))
		}
		before.quiet = true
	}
}

// afford takes n bytes out of the budgets. If they are exhausted all that is kept of this
// stream goes first: who comes then waits for the next key frame.
func (s *stream) afford(n int64) bool {
	if s.spend(n) {
		return true
	}
	s.dropAll()
	return s.spend(n)
}

func (s *stream) spend(n int64) bool {
	if !s.home.budget.take(n) {
		return false
	}
	if !s.relay.budget.take(n) {
		s.home.budget.used.Add(-n)
		return false
	}
	return true
}

func (s *stream) release(n int64) {
	s.home.budget.used.Add(-n)
	s.relay.budget.used.Add(-n)
}

func (s *stream) dropAll() {
	for _, r := range s.runs {
		s.release(r.drop(len(r.pieces)))
	}
}
