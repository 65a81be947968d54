package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/find"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/motion"
	"github.com/latchkey-cam/latchkey/sealed"
)

// poll is how often the folder is looked at for new cameras, and the clock for hours in
// which a camera is off.
const poll = time.Second

// watched is a camera that is described in the folder, and what runs for it.
type watched struct {
	camera Camera
	handle *event.Handle                 // outlives what runs, and remembers a day's motion
	motion atomic.Pointer[motion.Config] // of the settings; nil for those of a new camera
	said   atomic.Pointer[event.Status]  // what the watcher said last; nil before

	// Of the agent, under its lock.
	state  CameraState
	since  time.Time
	detail string
	until  time.Time          // of state off: when it ends; zero if nobody knows
	stop   context.CancelFunc // nil while nothing is to run
	done   <-chan struct{}    // closed when nothing runs any more; nil if nothing ever did
}

// CameraState says how far a camera has come.
type CameraState string

// The states of a camera.
const (
	CameraWaiting  CameraState = "waiting"     // the home's deeds are not known yet
	CameraAsking   CameraState = "asking"      // the owner has not placed it yet
	CameraElse     CameraState = "other-agent" // it is placed with another agent
	CameraReleased CameraState = "released"    // the home has released it
	CameraOff      CameraState = "off"         // the home has switched it off
	CameraStarting CameraState = "starting"
	CameraStopped  CameraState = "stopped" // it ended with an error and will be started again

	// Every other state is the main stream's, a [camera.State].
	CameraReceiving = CameraState(camera.Receiving)
)

// watchCameras keeps one watcher for each camera that is described, placed and on.
func (a *Agent) watchCameras(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		changed := a.chain.Changed()
		a.recorder.notice(a.chain.Title())
		a.considerCameras(ctx)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-a.kick:
		case <-tick.C:
		}
	}
	for _, w := range a.watchers() {
		if done := a.halt(w); done != nil {
			<-done
		}
	}
	return nil
}

// reconsider has the cameras looked at now.
func (a *Agent) reconsider() {
	select {
	case a.kick <- struct{}{}:
	default: // they will be, after this change
	}
}

// considerCameras compares what is described, and what the home wants, with what runs.
// It never waits for a camera: one whose end takes long is no other's trouble.
func (a *Agent) considerCameras(ctx context.Context) {
	described, err := a.state.ReadCameras()
	if err != nil && !errors.Is(err, spool.ErrAway) { // of which the status tells
		a.log.Error("read the cameras' descriptions", "error", err)
	}
	known := map[latchkey.CameraID]bool{}
	fresh := false
	for _, c := range described {
		known[c.ID] = true
		fresh = a.consider(ctx, c) || fresh
	}
	if err == nil {
		for _, w := range a.watchers() {
			if !known[w.camera.ID] {
				a.halt(w)
				a.archive.drop(w.camera.ID)
				a.forget(w)
			}
		}
	}
	if fresh {
		a.uplink.Nudge()
	}
}

// consider starts a camera that may record, stops one that may not or was described
// anew, and says whether there is news to ask the owner about.
func (a *Agent) consider(ctx context.Context, c Camera) (fresh bool) {
	w := a.watched(c.ID)
	if w != nil && w.camera != c {
		done := a.halt(w)
		w = a.keep(&watched{camera: c, handle: w.handle, since: time.Now(), done: done})
		fresh = true
	}
	if w == nil {
		w = a.keep(&watched{camera: c, handle: &event.Handle{}, since: time.Now()})
		fresh = true
	}
	wish := a.wish(c.ID)
	w.motion.Store(&wish.motion)
	state := a.placement(c.ID)
	if state != CameraStarting && state != CameraWaiting {
		a.archive.drop(c.ID)
	}
	switch {
	case state == CameraReleased:
		a.halt(w)
		a.say(w, state, "The home has released it. There is no connection to it, and nothing is recorded. Its address and password stay here until it is forgotten.")
	case state != CameraStarting:
		a.halt(w)
		a.say(w, state, "")
	case wish.off:
		a.halt(w)
		a.sayOff(w, wish)
		a.archive.tapesOf(c.ID).stop(c, footage.Off)
	default:
		a.launch(ctx, w)
	}
	return fresh
}

// watched is the camera of that ID, nil if it is not described.
func (a *Agent) watched(id latchkey.CameraID) *watched {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cameras[id]
}

func (a *Agent) keep(w *watched) *watched {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cameras[w.camera.ID] = w
	return w
}

// placement is CameraStarting for a camera that may record.
func (a *Agent) placement(id latchkey.CameraID) CameraState {
	title := a.chain.Title()
	if title == nil {
		return CameraWaiting
	}
	placed, ok := title.AnyCamera(id)
	switch {
	case !ok:
		return CameraAsking
	case placed.Until != 0:
		return CameraReleased
	case placed.Agent != a.keys.Agent:
		return CameraElse
	}
	return CameraStarting
}

// wishes are the cameras that the owner is to be asked about.
func (a *Agent) wishes() []uplink.Wish {
	var all []uplink.Wish
	for _, w := range a.watchers() {
		if a.placement(w.camera.ID) == CameraAsking {
			all = append(all, uplink.Wish{Camera: w.camera.ID, Name: w.camera.Name})
		}
	}
	return all
}

// launch runs a camera until it is halted, unless it runs. Whatever goes wrong in it, a
// panic too, is this camera's trouble alone; it is started again.
func (a *Agent) launch(ctx context.Context, w *watched) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w.stop != nil {
		return
	}
	ctx, w.stop = context.WithCancel(ctx)
	before, done := w.done, make(chan struct{})
	w.done = done
	log := a.log.With("camera", w.camera.ID.String())
	go func() {
		defer close(done)
		if before != nil {
			<-before // two at once would share the camera, and its handle
		}
		wait := poll
		for ctx.Err() == nil {
			a.sayRunning(ctx, w, CameraStarting, "")
			began := time.Now()
			err := a.watchOnce(ctx, w, log)
			if ctx.Err() != nil {
				return
			}
			log.Error("a camera's watcher ended; it is started again", "error", err)
			a.sayRunning(ctx, w, CameraStopped, err.Error())
			if wait = min(2*wait, time.Minute); time.Since(began) > time.Minute {
				wait = poll
			}
			select {
			case <-ctx.Done():
			case <-time.After(wait):
			}
		}
	}()
}

func (a *Agent) watchOnce(ctx context.Context, w *watched, log *slog.Logger) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("a camera's watcher panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = errors.New("an internal error ended it")
		}
	}()
	main, sub := a.views.open(w.camera.ID, sealed.MainStream), a.views.open(w.camera.ID, sealed.SubStream)
	defer main.close()
	defer sub.close()
	guard := &find.Guard{Address: w.camera.Main, Credentials: w.camera.Credentials, Pin: w.camera.Pin}
	tapes := a.archive.tapesOf(w.camera.ID)
	c := event.Config{
		Camera: w.camera.ID, Main: w.camera.Main, Sub: w.camera.Sub, Credentials: w.camera.Credentials,
		Certificate: w.camera.Pin.Certificate, Admit: guard.Admit,
		Sink: a.recorder, Clock: a.clock.At, Log: log, Handle: w.handle, OnMain: main.take, OnSub: sub.take,
		Motion: func() motion.Config { return *w.motion.Load() },
		Status: func(s event.Status) {
			w.said.Store(&s)
			tapes.heard(s)
			a.sayRunning(ctx, w, CameraState(s.Main.State), s.Says())
		},
	}
	if guard.CanListen() {
		c.Listen = guard.Listen
	}
	tapes.connect(&c)
	err = a.config.Watch(ctx, c)
	tapes.stop(w.camera, footage.Offline)
	if err == nil {
		err = errors.New("it ended")
	}
	return err
}

// halt has what runs for a camera end, and does not wait. The channel is closed when
// nothing runs any more; it is nil if nothing ever did.
func (a *Agent) halt(w *watched) (done <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w.stop != nil {
		w.stop()
		w.stop = nil
		a.views.dark(w.camera.ID)
	}
	return w.done
}

func (a *Agent) forget(w *watched) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cameras[w.camera.ID] == w {
		delete(a.cameras, w.camera.ID)
	}
}

func (a *Agent) watchers() []*watched {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []*watched
	for _, w := range a.cameras {
		all = append(all, w)
	}
	return all
}

// say notes a camera's state; the time is that of the last change.
func (a *Agent) say(w *watched, state CameraState, detail string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.become(state, detail)
}

// sayRunning is say for what runs under ctx. What was halted has nothing to say.
func (a *Agent) sayRunning(ctx context.Context, w *watched, state CameraState, detail string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if ctx.Err() == nil {
		w.become(state, detail)
	}
}

// become is say for who holds the lock.
func (w *watched) become(state CameraState, detail string) {
	if w.state != state {
		w.since = time.Now()
	}
	w.state, w.detail, w.until = state, detail, time.Time{}
}
