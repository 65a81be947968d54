package agent

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/media"
	"github.com/latchkey-cam/latchkey/sealed"
)

// What the server can make an agent hold: knocks that have not been opened, and visitors
// of one stream who wait until it has begun.
const (
	maxKnocks   = 64
	maxVisitors = 64
)

// The words with which an agent lets nobody watch.
const (
	liveFrozen     = "frozen"
	liveNotAllowed = "not-allowed"
	liveNoStream   = "no-stream"
	liveOff        = "off"
	liveBusy       = "busy"
)

// liveView is the agent's end of live view (docs/live.md): it takes knocks, and brings the
// streams that are wanted and of which it has granted a run. Nothing that a camera sends
// leaves by it otherwise.
type liveView struct {
	agent  *Agent
	uplink *uplink.Uplink // to the server that it brings streams to
	porter *live.Porter
	knocks chan uplink.Knock
	done   sync.WaitGroup

	mu      sync.Mutex // protects what follows; the agent's lock is taken before it, a feed's after it
	feeds   map[feedKey]*feed
	streams map[sealed.Stream]*stream
	wanted  map[sealed.Stream]bool
	ctx     context.Context // of what is brought; nil while it does not run
}

// feedKey names a feed: of a camera that sends, main or sub.
type feedKey struct {
	camera latchkey.CameraID
	kind   sealed.StreamKind
}

func newLiveView(a *Agent) *liveView {
	return &liveView{
		agent: a, porter: live.NewPorter(a.keys, a.start.Incarnation()), knocks: make(chan uplink.Knock, maxKnocks),
		feeds: map[feedKey]*feed{}, streams: map[sealed.Stream]*stream{}, wanted: map[sealed.Stream]bool{},
	}
}

// views are the live views of an agent, one for each server.
type views []*liveView

// feeds are what comes of a camera by one connection to it, for each view.
type feeds []*feed

// open is [liveView.open] of each.
func (v views) open(camera latchkey.CameraID, kind sealed.StreamKind) (all feeds) {
	for _, l := range v {
		all = append(all, l.open(camera, kind))
	}
	return all
}

// dark is [liveView.dark] of each.
func (v views) dark(camera latchkey.CameraID) {
	for _, l := range v {
		l.dark(camera)
	}
}

func (f feeds) take(u media.Unit) {
	for _, one := range f {
		one.take(u)
	}
}

func (f feeds) close() {
	for _, one := range f {
		one.close()
	}
}

// run takes knocks until ctx ends.
func (l *liveView) run(ctx context.Context) error {
	l.begins(ctx)
	defer l.done.Wait()
	defer l.begins(nil)
	var early []knockAhead // knocks by people who know newer deeds
	for {
		changed := l.agent.chain.Changed()
		early = slices.DeleteFunc(early, func(e knockAhead) bool { return time.Since(e.since) > aheadLife || l.answer(e.knock) })
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case k := <-l.knocks:
			if !l.answer(k) && len(early) < maxKnocks {
				early = append(early, knockAhead{k, time.Now()})
			}
		}
	}
}

// knockAhead is a knock at a head that the agent has not heard of yet.
type knockAhead struct {
	knock uplink.Knock
	since time.Time
}

// aheadLife is how long it waits for the deeds, which come by the same way.
const aheadLife = 5 * time.Second

// begins brings what is wanted, from now on under that context; nil: nothing any more.
func (l *liveView) begins(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ctx = ctx
	for of := range l.wanted {
		l.begin(of)
	}
}

// knock is called by the uplink. What is too much is not answered: its viewer asks again.
func (l *liveView) knock(k uplink.Knock) {
	select {
	case l.knocks <- k:
	default:
	}
}

// want is called by the uplink when somebody begins or ceases to watch a stream.
func (l *liveView) want(of sealed.Stream, wanted bool) {
	known := l.agent.watched(of.Camera) != nil
	l.mu.Lock()
	defer l.mu.Unlock()
	if !wanted {
		delete(l.wanted, of)
		if s := l.streams[of]; s != nil && s.stop != nil {
			s.stop()
			s.stop = nil
		}
		return
	}
	if !known || l.wanted[of] {
		return
	}
	l.wanted[of] = true
	l.begin(of)
}

// begin brings a stream that is wanted. The caller holds the lock.
func (l *liveView) begin(of sealed.Stream) {
	if l.ctx == nil || l.ctx.Err() != nil {
		return
	}
	s := l.stream(of)
	ctx, stop := context.WithCancel(l.ctx)
	s.stop = stop
	before := s.done
	s.done = make(chan struct{})
	done := s.done
	l.done.Go(func() {
		defer close(done)
		if before != nil {
			<-before
		}
		s.bring(ctx)
	})
}

// stream is the stream of that name, which is entered with the feed that it is made of.
// The caller holds the lock.
func (l *liveView) stream(of sealed.Stream) *stream {
	s := l.streams[of]
	if s == nil {
		s = &stream{view: l, of: of, wake: make(chan struct{}, 1)}
		l.streams[of] = s
		l.enter(s)
	}
	return s
}

// enter connects a stream with its camera's feed as it is now.
func (l *liveView) enter(s *stream) {
	f := l.feeds[keyOf(s.of)]
	s.feed.Store(f)
	if f != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.outs[s.of.Kind] = s
	}
	s.wakeUp()
}

func keyOf(of sealed.Stream) feedKey {
	if of.Kind == sealed.SubStream {
		return feedKey{of.Camera, sealed.SubStream}
	}
	return feedKey{of.Camera, sealed.MainStream} // the sound comes with it
}

// open begins a feed, in place of the one before. What it returns takes its units, until
// it is closed.
func (l *liveView) open(camera latchkey.CameraID, kind sealed.StreamKind) *feed {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := feedKey{camera, kind}
	if before := l.feeds[key]; before != nil {
		before.close()
	}
	f := &feed{clock: l.agent.clock, outs: map[sealed.StreamKind]*stream{}}
	l.feeds[key] = f
	for _, s := range l.streams {
		if keyOf(s.of) == key {
			l.enter(s)
		}
	}
	return f
}

// dark ends what is brought of a camera, at once.
func (l *liveView) dark(camera latchkey.CameraID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, kind := range []sealed.StreamKind{sealed.MainStream, sealed.SubStream} {
		if f := l.feeds[feedKey{camera, kind}]; f != nil {
			f.close()
			delete(l.feeds, feedKey{camera, kind})
		}
	}
	for of, s := range l.streams {
		if of.Camera == camera {
			l.enter(s)
		}
	}
}

// now is this moment, as runs and grants have it.
func (a *Agent) liveNow() live.Now {
	m := a.clock.Now()
	_, sure := a.surely(a.chain.Title())
	return live.Now{Clock: m.Wall, Sure: sure, Monotonic: m.Monotonic}
}

// answer opens a knock, and refuses it or has it be answered by the stream's next step. It
// is false if newer deeds are needed to read it.
func (l *liveView) answer(k uplink.Knock) bool {
	a := l.agent
	title, now := a.chain.Title(), a.liveNow()
	v, err := l.porter.Open(k.Bytes, title, now)
	if sealed.ReasonOf(err) == sealed.UnknownHead {
		return false
	} else if err != nil {
		a.log.Warn("a knock is not taken", "reason", string(sealed.ReasonOf(err)), "error", err)
		return true
	}
	word := l.refuses(v, now)
	if word == "" {
		l.mu.Lock()
		s := l.stream(v.Knock().Stream)
		l.mu.Unlock()
		if s.wait(visit{v, k}) {
			return true
		}
		word = liveBusy
	}
	l.refuse(visit{v, k}, word)
	return true
}

// refuses says in a word why a visitor may not watch, or cannot; empty if they may.
func (l *liveView) refuses(v *live.Visitor, now live.Now) string {
	of := v.Knock().Stream
	switch err := v.May(l.agent.chain.Title(), now); {
	case sealed.ReasonOf(err) == sealed.Frozen:
		return liveFrozen
	case err != nil:
		return liveNotAllowed
	case l.agent.cameraIs(of.Camera, CameraOff):
		return liveOff
	case !l.has(of):
		return liveNoStream
	}
	return ""
}

// has says whether there is such a stream, as far as that is known yet.
func (l *liveView) has(of sealed.Stream) bool {
	w := l.agent.watched(of.Camera)
	switch {
	case w == nil:
		return false
	case of.Kind == sealed.SubStream:
		return w.camera.Sub != ""
	case of.Kind != sealed.SoundStream:
		return of.Kind == sealed.MainStream
	}
	l.mu.Lock()
	f := l.feeds[keyOf(of)]
	l.mu.Unlock()
	return f == nil || f.mayHaveSound()
}

// mayHaveSound is false for a camera that has sent two seconds of pictures without any.
func (f *feed) mayHaveSound() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.coding != nil || len(f.group) == 0 || f.end-f.group[0].PTS-f.group[0].offset < 2*media.Rate
}

func (l *liveView) refuse(v visit, word string) {
	a := l.agent
	b, err := v.visitor.Refuse(word, a.chain.Title(), a.liveNow())
	if err == nil {
		err = v.from.Answer(b)
	}
	if err != nil {
		a.log.Info("nobody hears that they may not watch", "why", word, "error", err)
	}
}

// cameraIs says whether a camera is in that state.
func (a *Agent) cameraIs(id latchkey.CameraID, state CameraState) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.cameras[id]
	return w != nil && w.state == state
}

// visit is a visitor who waits for a run, and by whom their knock came.
type visit struct {
	visitor *live.Visitor
	from    uplink.Knock
}

// wait has a visitor wait for the stream's next step; false if too many do.
func (s *stream) wait(v visit) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.waiting = slices.DeleteFunc(s.waiting, func(w waiting) bool { return now.Sub(w.since) > knockLife })
	if len(s.waiting) >= maxVisitors {
		return false
	}
	s.waiting = append(s.waiting, waiting{v, now})
	s.wakeUp()
	return true
}

// waitMore has visitors wait until the next unit has come.
func (s *stream) waitMore(all []waiting) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(all, s.waiting...)
}

// knockLife is how long a knock waits: its viewer takes no grant after that.
const knockLife = sealed.MaxKnockLife * time.Microsecond

type waiting struct {
	visit
	since time.Time
}

func (s *stream) take() []waiting {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.waiting
	s.waiting = nil
	return all
}

var errOver = errors.New("nothing more is brought by this connection")
