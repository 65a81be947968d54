package relay_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/relay"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestHistories: whatever agents send, in whatever order, by whichever connection, and
// however viewers come, knock, read and go: each is given what came in of their own stream
// and of the run that they were granted, as it came in, in order, once, from a key
// fragment on, and without a hole that does not end with another. Who reads at once is
// given all of that.
func TestHistories(t *testing.T) {
	sum := map[string]int{}
	rapid.Check(t, func(r *rapid.T) {
		h := newHistory(t, r, sum)
		defer func() { h.must(h.Close()) }()
		for range rapid.IntRange(100, 400).Draw(r, "steps") {
			h.step()
		}
		if got := len(h.raised()); got != h.misroutes {
			r.Errorf("%d alarms, want %d", got, h.misroutes)
		}
	})
	for what, least := range map[string]int{"given": 1000, "skips": 50, "runs": 50, "groups": 50, "misroutes": 50, "cuts": 20} {
		if sum[what] < least {
			t.Errorf("%d %s, want at least %d: that proves little", sum[what], what, least)
		}
	}
}

// history is a relay, the agents' ends of four streams, and those who watch them.
type history struct {
	*trial
	r         *rapid.T
	sum       map[string]int
	feeds     []*source
	watchers  []*watcher
	misroutes int
	nonce     uint64
	number    byte // of the newest run
}

// source is the agent's end of a stream.
type source struct {
	of   sealed.Stream
	in   *relay.Inlet
	runs []*sent // two at most: the newest last
}

// sent is what an agent has sealed of a run, and what a relay makes of that.
type sent struct {
	id     latchkey.RunID
	sealed uint32 // of the newest fragment
	came   uint32 // the highest number that came
	whole  bool
	group  uint32            // where the newest group that came begins
	passed map[string]uint32 // what goes on, by its bytes
	keys   map[uint32]bool
}

// watcher is one who watches, and what they have been given.
type watcher struct {
	*source
	v       *relay.Viewer
	who     relay.Who
	eager   bool // reads at once
	watched *granted
	next    *granted
}

// granted is a run that somebody was granted.
type granted struct {
	*sent
	from uint32
	last uint32 // given, 0 for none
	due  uint32 // where it begins for who reads at once, 0 if that is not known yet
}

func newHistory(t *testing.T, r *rapid.T, sum map[string]int) *history {
	h := &history{trial: open(t, relay.Config{}), r: r, sum: sum}
	for _, of := range []sealed.Stream{hall, streamOf(1, 1, sealed.SubStream), streamOf(1, 2, sealed.MainStream), streamOf(2, 1, sealed.MainStream)} {
		h.watch(of) // one who never reads
		f := &source{of: of, in: h.inlet(of)}
		h.feeds = append(h.feeds, f)
		h.begin(f)
	}
	return h
}

func (h *history) begin(f *source) {
	h.number++
	s := &sent{id: latchkey.RunID{h.number, 1}, passed: map[string]uint32{}, keys: map[uint32]bool{}}
	if f.runs = append(f.runs, s); len(f.runs) > 2 {
		f.runs = f.runs[1:]
	}
	h.bring(f, s, 1)
	h.sum["runs"]++
}

// one draws one of several, by its number.
func one[T any](h *history, of []T, what string) T {
	return of[rapid.IntRange(0, len(of)-1).Draw(h.r, what)]
}

func (h *history) step() {
	f := one(h, h.feeds, "stream")
	s := one(h, f.runs, "run")
	switch rapid.IntRange(0, 11).Draw(h.r, "what") {
	case 0:
		h.come(f)
	case 1:
		h.knock()
	case 2:
		h.leave()
	case 3:
		h.misroute(f)
	case 4: // it comes once more, or late
		h.bring(f, s, uint32(rapid.IntRange(1, int(s.sealed)).Draw(h.r, "number")))
	case 5: // some do not come
		s.sealed += uint32(rapid.IntRange(1, 3).Draw(h.r, "lost"))
	case 6:
		if rapid.IntRange(0, 3).Draw(h.r, "begins") == 0 {
			h.begin(f)
		}
	case 7: // one reads a little
		if len(h.watchers) > 0 {
			h.read(one(h, h.watchers, "reader"), rapid.IntRange(1, 5).Draw(h.r, "so many"))
		}
	default:
		for range rapid.IntRange(1, 40).Draw(h.r, "fragments") {
			h.bring(f, s, s.sealed+1)
		}
	}
}

// bring hands in a fragment of a run, and has those read who read at once.
func (h *history) bring(f *source, s *sent, number uint32) {
	isKey := number == 1 || (number*7+uint32(s.id[0]))%5 == 0
	b := fragment(f.of, s.id, number, isKey, 17)
	if number > s.came {
		if s.whole = isKey || s.whole && number == s.came+1; s.whole {
			s.passed[string(b)], s.keys[number] = number, isKey
		}
		if s.came = number; isKey {
			s.group = number
		}
	}
	s.sealed = max(s.sealed, number)
	h.must(f.in.Take(b))
	clear(b) // the relay has a copy
	for _, w := range h.watchers {
		if w.source == f && w.eager {
			h.read(w, 1000)
		}
	}
}

// misroute brings a fragment by another stream's inlet.
func (h *history) misroute(f *source) {
	other := one(h, h.feeds, "other")
	if other == f {
		return
	}
	s := f.runs[len(f.runs)-1]
	if err := other.in.Take(fragment(f.of, s.id, s.sealed+1, true, 17)); !errors.Is(err, relay.ErrMisrouted) {
		h.r.Fatalf("a fragment of %s comes in as %s with %v", f.of, other.of, err)
	}
	h.misroutes++
	h.sum["misroutes"]++
}

func (h *history) come(f *source) {
	if len(h.watchers) > 8 {
		return
	}
	w := &watcher{source: f, who: relay.Who{Person: latchkey.PersonID{byte(rapid.IntRange(1, 3).Draw(h.r, "person"))}}, eager: rapid.Bool().Draw(h.r, "eager")}
	var err error
	w.v, err = h.Watch(h.t.Context(), w.who, f.of)
	h.must(err)
	h.watchers = append(h.watchers, w)
}

// knock has one be granted a run of their stream; they read their grant at once.
func (h *history) knock() {
	if len(h.watchers) == 0 {
		return
	}
	w := one(h, h.watchers, "who")
	s := one(h, w.runs, "which")
	for _, g := range []*granted{w.watched, w.next} {
		if g != nil && g.id[0] >= s.id[0] {
			return // no agent goes back to an older run; the same one is tested elsewhere
		}
	}
	from := s.group
	if rapid.IntRange(0, 3).Draw(h.r, "later") == 0 {
		from += 2
	}
	h.nonce++
	k := knock(w.of, agent, h.nonce)
	_, err := w.v.Knock(k)
	h.must(err)
	g := grant(w.of, agent, k, s.id, from)
	h.must(h.Grant(w.of.Home, agent, g))
	if p, err := w.v.Next(); err != nil || !bytes.Equal(p, g) {
		h.r.Fatalf("not the grant: %v", err)
	}
	w.next = &granted{sent: s, from: from}
	if s == w.runs[len(w.runs)-1] && s.group >= from && s.whole {
		w.next.due = s.group // the group that is kept
		h.sum["groups"]++
	}
	if w.eager {
		h.read(w, 1000)
	}
}

// leave has somebody leave, or a person be cut off.
func (h *history) leave() {
	if len(h.watchers) < 4 {
		return
	}
	first := h.watchers[0]
	if rapid.Bool().Draw(h.r, "leaves") {
		first.v.Close()
		h.watchers = h.watchers[1:]
		return
	}
	gone := func(_ sealed.Stream, who relay.Who) bool { return who == first.who }
	h.Cut(first.of.Home, gone)
	var stay []*watcher
	for _, w := range h.watchers {
		if w.of.Home != first.of.Home || w.who != first.who {
			stay = append(stay, w)
			continue
		}
		w.in.Away() // so that nobody waits who was not
		if p, err := w.v.Next(); p != nil || !errors.Is(err, relay.ErrCut) {
			h.r.Fatalf("one who was cut is given %d bytes, %v", len(p), err)
		}
		w.v.Close()
		h.sum["cuts"]++
	}
	h.watchers = stay
}

// read has a viewer read so much, if there is so much, and compares.
func (h *history) read(w *watcher, most int) {
	w.in.Away() // so that nobody waits
	for range most {
		p, err := w.v.Next()
		if errors.Is(err, relay.ErrAway) {
			break
		}
		h.must(err)
		h.compare(w, p)
	}
	if g := w.watched; w.eager && g != nil && g.whole && g.last != g.came && w.next == nil {
		h.r.Fatalf("one who reads at once has %d of the %d that came", g.last, g.came)
	}
}

func (h *history) compare(w *watcher, p []byte) {
	if w.next != nil && w.next.passed[string(p)] != 0 {
		if n := w.next.passed[string(p)]; w.eager && w.next.due != 0 && n != w.next.due {
			h.r.Fatalf("begins with %d, and %d is kept", n, w.next.due)
		}
		w.watched, w.next = w.next, nil
	}
	g := w.watched
	if g == nil {
		h.r.Fatal("given something that was not granted")
	}
	n := g.passed[string(p)]
	switch {
	case n == 0:
		h.r.Fatal("given something that did not come in, or of another run or stream")
	case n < g.from || n <= g.last:
		h.r.Fatalf("given %d after %d, and granted from %d", n, g.last, g.from)
	case n != g.last+1 && !g.keys[n]:
		h.r.Fatalf("given %d after %d, which is no key fragment", n, g.last)
	case g.last != 0 && n != g.last+1:
		h.sum["skips"]++
	}
	g.last = n
	h.sum["given"]++
}
