// Package bus carries news between the servers of one archive: that somebody's right to
// a home may have ended, and that nothing was missed. It is never what makes a change:
// that is the archive's transaction. Without the bus the others learn of a change a
// second later, by looking. It also carries live streams from the server to which an
// agent brings one to those at which it is watched ([Streams]).
//
// [Local] is the bus within one process. A bus between machines has to keep this, and
// pass package bustest:
//
//   - News goes to every subscriber, the sender's own among them, under the home that it
//     was published for; its bytes name that home again, and the archive that it is of,
//     and the subscriber compares ([Listener.Comparing]).
//   - News of one sender comes in the order in which it was published, or not at all.
//     Losing is allowed: numbers rise by one, so that a subscriber sees the hole.
//   - Nothing is kept for those who come later, and publishing never waits for a
//     subscriber. What could not be delivered at once is dropped, because a heartbeat
//     that comes late would vouch for a present that it has not seen. A beat names the
//     moment that it is true of for the same reason.
package bus

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// ArchiveID says which archive a message is about: two whose servers were given one bus
// count their rows alike.
type ArchiveID [16]byte

// News says that who may see what of a home has changed, or of all of them.
type News struct {
	Archive ArchiveID
	Number  uint64 // of the row in the archive's outbox, rising by one
	Home    latchkey.HomeID
	Head    latchkey.Head      // that the home had then
	Session latchkey.SessionID // that was ended; zero: the head moved
	Hold    uint64             // of an operator, that began or was released; then the rest is zero
}

// Beat says that at a time the highest number in the archive's outbox was this one. Only
// who has just looked there sends one.
type Beat struct {
	Archive ArchiveID
	Number  uint64
	Time    latchkey.Time
}

// Listener is what a subscriber does with what comes. Its functions are called one at a
// time.
type Listener struct {
	News func(home latchkey.HomeID, n News)
	Beat func(b Beat)
}

// Comparing returns a listener that hands on to l what is of that archive and came under
// the home that it names. Of anything else it tells crossed under which home it came and
// which it names; a beat has none.
func (l Listener) Comparing(own ArchiveID, crossed func(under, found latchkey.HomeID)) Listener {
	return Listener{
		News: func(home latchkey.HomeID, n News) {
			if n.Archive != own || n.Home != home {
				crossed(home, n.Home)
				return
			}
			l.News(home, n)
		},
		Beat: func(b Beat) {
			if b.Archive != own {
				crossed(latchkey.HomeID{}, latchkey.HomeID{})
				return
			}
			l.Beat(b)
		},
	}
}

// Bus carries news, beats and live streams. Everything may be used by several goroutines.
type Bus interface {
	Streams

	// Publish sends news about a home to whoever listens now.
	Publish(ctx context.Context, home latchkey.HomeID, n News) error
	// Beat sends a heartbeat to whoever listens now.
	Beat(ctx context.Context, b Beat) error
	// Subscribe begins to call l; after stop it is called no more.
	Subscribe(l Listener) (stop func())
}

// What waits for one subscriber of a [Local] bus, at most.
const (
	queued      = 1024
	queuedBytes = 16 << 20 // a group of fragments as long as can be
)

// Local is a bus within one process.
type Local struct {
	mu     sync.Mutex // protects what follows
	ends   map[subject]map[*end]bool
	silent bool
}

// subject is what is listened to: news and beats, calls, or a stream.
type subject struct {
	calls bool
	of    sealed.Stream
}

// end is a subscriber's.
type end struct {
	listener Listener
	hear     Hear
	calls    chan func()
	waiting  atomic.Int64 // bytes
}

// NewLocal returns a bus to which nobody listens yet.
func NewLocal() *Local { return &Local{ends: map[subject]map[*end]bool{}} }

// Silence makes the bus lose everything, or carry again. A drill uses it.
func (b *Local) Silence(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silent = on
}

// Publish is [Bus]'s.
func (b *Local) Publish(_ context.Context, home latchkey.HomeID, n News) error {
	b.send(subject{}, 0, func(e *end) { e.listener.News(home, n) })
	return nil
}

// Beat is [Bus]'s.
func (b *Local) Beat(_ context.Context, beat Beat) error {
	b.send(subject{}, 0, func(e *end) { e.listener.Beat(beat) })
	return nil
}

// Send is [Streams]'.
func (b *Local) Send(_ context.Context, of sealed.Stream, m Live) error {
	to := subject{of: of}
	if m.Kind.Calls() {
		to = subject{calls: true}
	}
	b.send(to, int64(len(m.Bytes)), func(e *end) { e.hear(of, m) })
	return nil
}

// send has something of that size be given to whoever listens. Who has no room for it
// sees the hole: in the numbers of news, and of fragments.
func (b *Local) send(to subject, size int64, give func(e *end)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.silent {
		return
	}
	for e := range b.ends[to] {
		if e.waiting.Load()+size > queuedBytes {
			continue
		}
		select {
		case e.calls <- func() { give(e); e.waiting.Add(-size) }:
			e.waiting.Add(size)
		default:
		}
	}
}

// Subscribe is [Bus]'s.
func (b *Local) Subscribe(l Listener) (stop func()) { return b.begin(subject{}, &end{listener: l}) }

// Listen is [Streams]'.
func (b *Local) Listen(hear Hear) (stop func()) {
	return b.begin(subject{calls: true}, &end{hear: hear})
}

// Tune is [Streams]'.
func (b *Local) Tune(of sealed.Stream, hear Hear) (stop func()) {
	return b.begin(subject{of: of}, &end{hear: hear})
}

func (b *Local) begin(at subject, e *end) (stop func()) {
	e.calls = make(chan func(), queued)
	stopped := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() { e.run(stopped) })
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ends[at] == nil {
		b.ends[at] = map[*end]bool{}
	}
	b.ends[at][e] = true
	return sync.OnceFunc(func() {
		b.mu.Lock()
		delete(b.ends[at], e)
		if len(b.ends[at]) == 0 {
			delete(b.ends, at)
		}
		b.mu.Unlock()
		close(stopped)
		done.Wait()
	})
}

func (e *end) run(stopped <-chan struct{}) {
	for {
		select {
		case <-stopped:
			return
		case call := <-e.calls:
			call()
		}
	}
}
