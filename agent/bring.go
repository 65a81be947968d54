package agent

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/media"
	"github.com/latchkey-cam/latchkey/sealed"
)

// stream is one stream of a camera, as it is brought to the server while somebody watches.
type stream struct {
	view *liveView
	of   sealed.Stream
	wake chan struct{}        // has one place: there is something to do
	feed atomic.Pointer[feed] // what it is made of; nil while the camera does not run

	queue queue

	mu      sync.Mutex // protects waiting
	waiting []waiting

	stop context.CancelFunc // protected by the view's lock with done; nil while it is not wanted
	done chan struct{}      // closed when nothing is brought any more; nil if nothing ever was
}

func (s *stream) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// push is called by the feed, under its lock.
func (s *stream) push(u shot) {
	if s.of.Kind == sealed.SoundStream && len(u.Sounds) == 0 {
		return
	}
	s.queue.push(u)
	s.wakeUp()
}

// What a line to the server has time for.
const (
	inletAgain = 500 * time.Millisecond // between two attempts
	inletWrite = 10 * time.Second       // for one fragment; a line that is slower carries nothing live
)

// bring brings the stream by one connection after the other, until ctx ends.
func (s *stream) bring(ctx context.Context) {
	a := s.view.agent
	for ctx.Err() == nil {
		in, err := s.view.uplink.Inlet(ctx, s.of)
		if err == nil {
			b := &bringing{stream: s, inlet: in}
			err = b.run(ctx)
			_ = in.Close() // the server sees that it has ended, or has ended it
		}
		if ctx.Err() != nil {
			return
		}
		a.log.Info("a stream that is wanted is not brought", "stream", s.of.String(), "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(inletAgain):
		}
	}
}

// bringing is one connection to the server, and the runs that go by it. It is one
// goroutine: whether those who were granted a run still may watch is asked before
// anything more is sealed under it.
type bringing struct {
	*stream
	inlet   *api.Inlet
	made    *feed        // that the runs are made of
	runs    []*broadcast // those that are ending, and the one that is not, if there is one
	broken  bool         // one of them has ended without a word
	changed <-chan struct{}
	asked   time.Time
}

// broadcast is a run with what makes its fragments.
type broadcast struct {
	run     *live.Run
	began   uint64 // monotonic
	ending  bool
	muxer   *media.Live // of pictures
	sound   *media.LiveSound
	under   *media.Parameters
	granted map[latchkey.KeyID]*live.Visitor // by the key of their device
}

// run goes on until the connection or ctx ends.
func (b *bringing) run(ctx context.Context) error {
	defer b.stopAll()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := b.step(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-b.inlet.Ended():
			return errOver
		case <-b.wake:
		case <-b.changed:
		case <-tick.C:
		}
	}
}

// step does what there is to do: first what ends, then what is shown, then who comes.
func (b *bringing) step(ctx context.Context) error {
	b.ask()
	if now := b.feed.Load(); now != b.made {
		b.stopAll()
		b.made = now
	}
	if f := b.made; f != nil {
		shots, dead := b.pop(f)
		if dead {
			b.stopAll()
		}
		for _, u := range shots {
			if err := b.show(ctx, b.runs, u); err != nil {
				return err
			}
		}
		b.tidy()
		if err := b.admit(ctx, f); err != nil {
			return err
		}
	}
	if b.broken {
		return errOver
	}
	return nil
}

// stopAll ends all runs at once.
func (b *bringing) stopAll() {
	for _, r := range b.runs {
		b.stop(r)
	}
	b.tidy()
}

// stop ends a run at once. No fragment of it says so, and the connection ends with it:
// whoever watches is told by that.
func (b *bringing) stop(r *broadcast) {
	r.run.Stop()
	b.broken = true
}

// pop takes what waits in the queue.
func (b *bringing) pop(f *feed) (shots []shot, dead bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return b.queue.pop(), f.dead
}

// soonOver is how long before its hour is over a run is ended, so that those who watch
// have the next one in time.
const soonOver = 10 * 1_000_000

// ask asks the deeds whether all who were granted a run still may watch: when the deeds
// have changed, and when a second has passed. If somebody may not the run ends, and
// whoever stays is granted another. If the home is frozen it ends at once.
func (b *bringing) ask() {
	a := b.view.agent
	select {
	case <-b.changed:
	default:
		if b.changed != nil && time.Since(b.asked) < time.Second {
			return
		}
	}
	b.changed, b.asked = a.chain.Changed(), time.Now()
	title, now := a.chain.Title(), a.liveNow()
	if title.Frozen() {
		b.stopAll()
	}
	for _, r := range b.runs {
		for _, v := range r.granted {
			if v.May(title, now) != nil {
				r.end(now)
			}
		}
		if now.Monotonic+soonOver > r.began+live.MaxRun {
			r.end(now)
		}
	}
}

func (r *broadcast) end(now live.Now) {
	if !r.ending {
		r.ending = true
		r.run.End(now.Monotonic)
	}
}

// current is the run that is granted to who comes, nil if there is none.
func (b *bringing) current() *broadcast {
	if n := len(b.runs); n > 0 && !b.runs[n-1].ending {
		return b.runs[n-1]
	}
	return nil
}

// admit grants the current run to those who wait. If there is none one is begun with the
// newest group.
func (b *bringing) admit(ctx context.Context, f *feed) error {
	waiting := b.take()
	if len(waiting) == 0 {
		return nil
	}
	former, r := b.runs, b.current()
	var group, rest []shot
	if r == nil {
		if r, group, rest = b.begin(f); r == nil {
			b.waitMore(waiting)
			return nil
		}
	}
	for _, w := range waiting {
		b.grant(r, w.visit)
	}
	for _, u := range rest {
		if err := b.show(ctx, former, u); err != nil {
			return err
		}
	}
	for _, u := range group {
		if err := b.send(ctx, r, u); err != nil {
			return err
		}
	}
	return nil
}

// grant lets a visitor watch a run, or says why not.
func (b *bringing) grant(r *broadcast, v visit) {
	a := b.view.agent
	now := a.liveNow()
	if word := b.view.refuses(v.visitor, now); word != "" {
		b.view.refuse(v, word)
		return
	}
	g, err := v.visitor.Grant(r.run, a.chain.Title(), now)
	if err == nil {
		r.granted[v.visitor.Knock().Signer] = v.visitor
		err = v.from.Answer(g)
	}
	if err != nil {
		a.log.Info("a visitor is not let in", "stream", b.of.String(), "error", err)
	}
}

// begin begins a run with the newest group, nil if there is none yet. What waits in the
// queue is in that group, and is the rest for the runs before.
func (b *bringing) begin(f *feed) (r *broadcast, group, rest []shot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.group) == 0 || f.dead {
		return nil, nil, nil
	}
	group = f.group[:len(f.group):len(f.group)]
	r = &broadcast{granted: map[latchkey.KeyID]*live.Visitor{}}
	var init live.Init
	if b.of.Kind == sealed.SoundStream {
		if f.coding == nil {
			return nil, nil, nil
		}
		group = group[len(group)-1:]
		r.sound = media.NewLiveSound(f.coding)
		init = live.Init{Type: r.sound.Type(), Segment: r.sound.Init()}
	} else {
		units := make([]media.Unit, 0, len(group))
		for _, u := range group {
			units = append(units, u.Unit)
		}
		r.muxer, r.under = media.NewLive(units), group[0].Parameters
		init = live.Init{Type: r.muxer.Type(), Segment: r.muxer.Init()}
	}
	a := b.view.agent
	moment := a.clock.At(group[0].Taken) // before now, or the pictures would look newer than they are
	var err error
	if r.run, err = live.Start(a.keys, b.of, init, live.Now{Clock: moment.Wall, Monotonic: moment.Monotonic}); err != nil {
		a.log.Error("a stream cannot be shown", "stream", b.of.String(), "error", err)
		return nil, nil, nil
	}
	r.began = moment.Monotonic
	a.log.Info("live view begins", "stream", b.of.String(), "run", r.run.ID().String())
	b.runs = append(b.runs[:len(b.runs):len(b.runs)], r)
	return r, group, b.queue.pop()
}

// show sends a unit by several runs.
func (b *bringing) show(ctx context.Context, runs []*broadcast, u shot) error {
	for _, r := range runs {
		if err := b.send(ctx, r, u); err != nil {
			return err
		}
	}
	return nil
}

// tidy forgets the runs that are over.
func (b *bringing) tidy() {
	now := b.view.agent.clock.Now().Monotonic
	b.runs = slices.DeleteFunc(slices.Clone(b.runs), func(r *broadcast) bool {
		over := r.run.Over(now)
		if over {
			b.view.agent.log.Info("live view ends", "stream", b.of.String(), "run", r.run.ID().String())
		}
		return over
	})
}

// send seals a unit under a run and sends it. A run that ends seals nothing more.
func (b *bringing) send(ctx context.Context, r *broadcast, u shot) error {
	a := b.view.agent
	b.ask() // the one before may have taken long
	var fragment []byte
	first, key := u.Unit, true
	if r.sound != nil {
		if len(u.Sounds) > 0 && u.Sounds[len(u.Sounds)-1].Coding != r.sound.Coding() {
			b.stop(r)
			return nil
		}
		fragment = r.sound.Add(u.Sounds, u.offset)
	} else {
		if !u.Parameters.Equal(r.under) {
			b.stop(r)
			return nil
		}
		fragment, first = r.muxer.Add(u.Unit, u.offset)
		key = first.Key
	}
	if fragment == nil || r.run.Over(a.clock.Now().Monotonic) {
		return nil
	}
	sealed, err := r.run.Seal(fragment, key, a.clock.At(first.Taken).Monotonic)
	if err != nil { // it is too large
		b.stop(r)
		a.log.Warn("a run is ended", "stream", b.of.String(), "error", err)
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, inletWrite)
	defer stop()
	return b.inlet.Send(ctx, sealed)
}
