package event

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/media"
	"github.com/latchkey-cam/latchkey/motion"
)

// Config is what [Watch] must know of one camera.
type Config struct {
	Camera latchkey.CameraID

	// Main is the address of the stream that is recorded, rtsp://HOST[:PORT]/PATH
	// without user or password. Sub is a smaller stream of the same picture in which
	// motion is looked for, and of which clips are made. If it is empty, motion is looked for in the main stream:
	// in every picture up to 1920x1088, in the key frames of larger ones, which finds
	// what stays for some seconds.
	Main, Sub string

	// Credentials are given to the camera and to nobody else.
	Credentials camera.Credentials

	// Certificate and Admit say which device the camera is; see [camera.Source].
	Certificate string
	Admit       func(context.Context) error

	// Listen, if there is one, tells what the camera itself says that it sees, when it
	// says so, until ctx ends or the camera cannot be listened to any more. It is called
	// again then, after longer and longer waits, but not if the camera has refused the
	// password. An event has what is seen with it; without any of it all else is the same.
	Listen func(ctx context.Context, saw func(latchkey.Sighting)) error

	Sink Sink

	// Clock says what the agent's clocks showed at a time of this process. The default
	// is the machine's.
	Clock func(time.Time) clock.Moment

	// Status, if there is one, is told of every change of the camera's state. It is
	// called from the camera's goroutines, one call at a time, and must not block.
	Status func(Status)

	// Motion says where motion counts and how much of it. It is asked for each picture
	// that is looked at, so that new settings apply at once, and must not block. The
	// zero [motion.Config] if nil.
	Motion func() motion.Config

	// OnMain and OnSub, if there are such, are given every unit of their stream as it
	// comes, and OnMotion what was made of each picture that was looked at. They are
	// called from the camera's goroutines, must not block, and must not change what they
	// are given: others read it too.
	OnMain, OnSub func(media.Unit)
	OnMotion      func(motion.Activity)

	// Handle, if there is one, is by what others ask the camera while it is watched.
	Handle *Handle

	// PreRoll and PostRoll are how much is kept from before and after motion. The
	// first is rounded up to a whole group of pictures. 5 s each if zero.
	PreRoll, PostRoll time.Duration

	// Together is how close two motions are that make one event; [motion.Together] if
	// zero, which is what [Handle.WouldHaveFired] counts by.
	Together time.Duration

	// Longest is the length at which an event is ended and another one goes on from
	// it. 5 min if zero. One of many bytes is ended earlier.
	Longest time.Duration

	// FFmpeg is the program that decodes; "ffmpeg" if empty.
	FFmpeg string

	// Patience and Delays are for tests; see [camera.Source].
	Patience time.Duration
	Delays   []time.Duration

	// Log is where the camera's troubles are written; none if nil.
	Log *slog.Logger
}

// keysAbove is the size in pixels of a main stream that is too dear to decode whole.
const keysAbove = 1920 * 1088

// watcher is one camera's tree of goroutines. They share the queues, the activities
// and the status.
type watcher struct {
	config    Config
	main, sub camera.Source
	recorded  *queue // units of the main stream
	small     *queue // units of the sub-stream
	decoded   *queue // units of the stream that motion is looked for in
	activity  chan motion.Activity
	sightings chan sighting
	asks      chan chan<- []media.Unit // for the newest group of the main stream
	teller    *teller

	mu     sync.Mutex // protects status, and lets Config.Status be called once at a time
	status Status
}

// Watch records one camera until ctx ends and hands its events to the sink. It
// connects again for ever when the camera goes away; it returns an error at once
// only for a Config that cannot work, and otherwise nil when ctx has ended and the
// sink has been told of what was under way.
func Watch(ctx context.Context, c Config) error {
	w, err := newWatcher(c)
	if err != nil {
		return fmt.Errorf("watch camera: %w", err)
	}
	w.config.Handle.watched(w)
	defer w.config.Handle.watched(nil)
	for {
		err := w.run(ctx)
		if ctx.Err() != nil {
			return nil
		}
		// A bug of ours, in this camera's goroutines: the others do not know of it.
		w.config.Log.Error("the watching of a camera broke off and begins anew", "camera", c.Camera.String(), "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(5 * time.Second):
		}
	}
}

func newWatcher(c Config) (*watcher, error) {
	if c.Sink == nil {
		return nil, errors.New("no sink")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = clock.New(clock.Config{}).At
	}
	if c.Motion == nil {
		c.Motion = func() motion.Config { return motion.Config{} }
	}
	if c.Handle == nil {
		c.Handle = new(Handle)
	}
	for _, tap := range []*func(media.Unit){&c.OnMain, &c.OnSub} {
		if *tap == nil {
			*tap = func(media.Unit) {}
		}
	}
	if c.OnMotion == nil {
		c.OnMotion = func(motion.Activity) {}
	}
	for d, or := range map[*time.Duration]time.Duration{&c.PreRoll: 5 * time.Second, &c.PostRoll: 5 * time.Second,
		&c.Together: motion.Together, &c.Longest: 5 * time.Minute} {
		if *d == 0 {
			*d = or
		}
	}
	if err := c.Credentials.Check(); err != nil {
		return nil, err
	}
	w := &watcher{config: c, status: Status{Camera: c.Camera}, asks: make(chan chan<- []media.Unit)}
	address, err := camera.ParseAddress(c.Main)
	if err != nil {
		return nil, err
	}
	w.main = camera.Source{Address: address, Credentials: c.Credentials, Certificate: c.Certificate, Admit: c.Admit,
		Patience: c.Patience, Delays: c.Delays, FFmpeg: c.FFmpeg}
	if c.Sub != "" {
		if address, err = camera.ParseAddress(c.Sub); err != nil {
			return nil, err
		}
		w.sub = w.main
		w.sub.Address = address
	}
	w.main.Sound = true
	return w, nil
}

// run runs the whole tree until ctx ends or one of its goroutines fails.
func (w *watcher) run(ctx context.Context) error {
	w.recorded, w.small, w.decoded = newQueue(1024, 32<<20), newQueue(1024, 8<<20), newQueue(128, 16<<20)
	w.activity, w.sightings = make(chan motion.Activity, 8), make(chan sighting)
	w.teller = &teller{config: &w.config, moment: w.config.Clock, report: w.report, ready: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var tree sync.WaitGroup
	grow := func(branch func(context.Context) error) {
		tree.Go(func() {
			defer w.rescue(cancel)
			if err := branch(ctx); err != nil && ctx.Err() == nil {
				cancel(err)
			}
		})
	}
	alone := w.config.Sub == ""
	grow(func(ctx context.Context) error {
		return camera.Follow(ctx, w.main, func(u media.Unit) {
			w.recorded.push(u)
			w.config.OnMain(u)
			if alone {
				w.decoded.push(u)
			}
		}, func(s camera.Status) { w.connected(s, func(all *Status) *camera.Status { return &all.Main }) })
	})
	if !alone {
		grow(func(ctx context.Context) error {
			return camera.Follow(ctx, w.sub, func(u media.Unit) {
				w.decoded.push(u)
				w.small.push(u)
				w.config.OnSub(u)
			}, func(s camera.Status) {
				w.connected(s, func(all *Status) *camera.Status { return &all.Sub })
			})
		})
	}
	grow(w.look)
	tree.Go(func() { w.listen(ctx) })
	told, finish := context.WithCancel(context.WithoutCancel(ctx))
	defer finish()
	var telling sync.WaitGroup
	telling.Go(func() {
		defer w.rescue(cancel)
		w.teller.run(told)
	})
	grow(w.join)
	tree.Wait()
	finish()
	telling.Wait()
	return context.Cause(ctx)
}

// rescue ends the tree when one of its goroutines panics: it is to be deferred there.
func (w *watcher) rescue(cancel context.CancelCauseFunc) {
	if v := recover(); v != nil {
		w.config.Log.Error("internal error", "camera", w.config.Camera.String(), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		cancel(fmt.Errorf("internal error: %v", v))
	}
}

// join feeds the machine until ctx ends, and then lets it end the event under way.
func (w *watcher) join(ctx context.Context) error {
	m := &machine{
		camera: w.config.Camera, preRoll: w.config.PreRoll, postRoll: w.config.PostRoll, longest: w.config.Longest, together: w.config.Together,
		moment: w.config.Clock, begin: w.begin, end: w.teller.end,
		ring: media.Ring{Limit: ringBytes}, small: media.Ring{Limit: smallBytes},
	}
	tick := time.NewTicker(250 * time.Millisecond) // for when no pictures come; each of them ticks as well
	defer tick.Stop()
	var counted time.Time
	for {
		select {
		case <-ctx.Done():
			m.stop()
			return nil
		case a := <-w.activity:
			m.activity(a, time.Now())
		case s := <-w.sightings:
			m.sees(s)
		case <-w.recorded.ready:
			for u, ok := w.recorded.pop(); ok; u, ok = w.recorded.pop() {
				m.unit(u, time.Now())
			}
		case <-w.small.ready:
			for u, ok := w.small.pop(); ok; u, ok = w.small.pop() {
				m.small.Add(u)
			}
		case answer := <-w.asks:
			answer <- m.view()
		case now := <-tick.C:
			m.tick(now)
			if now.Sub(counted) > time.Minute {
				counted = now
				w.report(func(s *Status) { s.Day = w.config.Handle.day(now) })
			}
			if lost := m.ring.Lost + w.recorded.lost(); lost != w.lost() {
				w.report(func(s *Status) { s.Lost = lost })
			}
		}
	}
}

// begin counts an event, but none that goes on from another one, and tells of it.
func (w *watcher) begin(e Event, still []media.Unit) {
	if e.Continues == (latchkey.EventID{}) {
		now := time.Now()
		w.config.Handle.began(now)
		w.report(func(s *Status) { s.Day = w.config.Handle.day(now) })
	}
	w.teller.begin(e, still)
}

// look decodes and looks for motion until ctx ends. Without it recording goes on, and
// the status says so.
func (w *watcher) look(ctx context.Context) error {
	var detector motion.Detector
	d := camera.Decoder{FFmpeg: w.config.FFmpeg, KeysAbove: keysAbove}
	delays := w.config.Delays
	if delays == nil {
		delays = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second}
	}
	for failures := 0; ; failures++ {
		began := time.Now()
		err := d.Run(ctx, w.decoded.next, func(g camera.Grey) {
			a := detector.Look(g, w.config.Motion(), &w.config.Handle.log)
			w.config.OnMotion(a)
			select {
			case w.activity <- a:
			default: // the next one says it again
			}
			if s := w.snapshot(); !s.Looking || s.Motion != nil {
				w.report(func(s *Status) { s.Looking, s.Motion = true, nil })
			}
		})
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) > time.Minute {
			failures = 0
		}
		w.config.Log.Warn("motion is not looked for; the decoder is started again", "camera", w.config.Camera.String(), "error", err)
		w.report(func(s *Status) { s.Looking, s.Motion = false, err })
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(delays[min(failures, len(delays)-1)]):
		}
	}
}

// connected takes the new state of one of the streams.
func (w *watcher) connected(s camera.Status, which func(*Status) *camera.Status) {
	if s.Err != nil {
		w.config.Log.Warn("a camera's stream broke off", "camera", w.config.Camera.String(), "state", string(s.State), "error", s.Err)
	}
	w.report(func(all *Status) {
		*which(all) = s
		all.Recording, all.Last = all.Main.State == camera.Receiving, all.Main.Last
		if s.State != camera.Receiving && (which(all) == &all.Sub || w.config.Sub == "") {
			all.Looking = false
		}
	})
}

func (w *watcher) report(change func(*Status)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.status
	change(&w.status)
	if w.config.Status != nil && w.status != before {
		w.config.Status(w.status)
	}
}

func (w *watcher) snapshot() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

func (w *watcher) lost() uint64 { return w.snapshot().Lost }
