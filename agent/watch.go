package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/event"
)

// poll is how often the folder is looked at for new cameras.
const poll = time.Second

// watched is a camera that is described in the folder, and what runs for it.
type watched struct {
	camera Camera
	state  CameraState
	since  time.Time
	detail string
	stop   context.CancelFunc // nil while nothing runs
	done   chan struct{}      // closed when nothing runs any more
}

// CameraState says how far a camera has come.
type CameraState string

// The states of a camera.
const (
	CameraWaiting  CameraState = "waiting"   // the home's deeds are not known yet
	CameraAsking   CameraState = "asking"    // the owner has not placed it yet
	CameraElse     CameraState = "elsewhere" // it is placed with another agent
	CameraStarting CameraState = "starting"
	CameraStopped  CameraState = "stopped" // it ended with an error and will be started again

	// Every other state is the main stream's, a [camera.State].
	CameraReceiving = CameraState(camera.Receiving)
)

// watchCameras keeps one watcher for each camera that is described and placed.
func (a *Agent) watchCameras(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		changed := a.chain.Changed()
		a.considerCameras(ctx)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-tick.C:
		}
	}
	for _, w := range a.watchers() {
		a.halt(w)
	}
	return nil
}

// considerCameras compares what is described with what runs.
func (a *Agent) considerCameras(ctx context.Context) {
	described, err := a.state.ReadCameras()
	if err != nil {
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
	a.mu.Lock()
	w := a.cameras[c.ID]
	a.mu.Unlock()
	if w != nil && w.camera != c {
		a.halt(w)
		w = nil
	}
	if w == nil {
		w = &watched{camera: c, since: time.Now()}
		a.mu.Lock()
		a.cameras[c.ID] = w
		a.mu.Unlock()
		fresh = true
	}
	switch state := a.placement(c.ID); {
	case state != CameraStarting:
		a.say(w, state, "")
	case w.stop == nil:
		a.launch(ctx, w)
	}
	return fresh
}

// placement is CameraStarting for a camera that may record.
func (a *Agent) placement(id latchkey.CameraID) CameraState {
	title := a.chain.Title()
	if title == nil {
		return CameraWaiting
	}
	placed, ok := title.Camera(id)
	switch {
	case !ok:
		return CameraAsking
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

// launch runs a camera until it is halted. Whatever goes wrong in it, a panic too, is
// this camera's trouble alone; it is started again.
func (a *Agent) launch(ctx context.Context, w *watched) {
	ctx, stop := context.WithCancel(ctx)
	a.mu.Lock()
	w.stop, w.done = stop, make(chan struct{})
	a.mu.Unlock()
	log := a.log.With("camera", w.camera.ID.String())
	go func() {
		defer close(w.done)
		wait := poll
		for ctx.Err() == nil {
			a.say(w, CameraStarting, "")
			began := time.Now()
			err := a.watchOnce(ctx, w, log)
			if ctx.Err() != nil {
				return
			}
			log.Error("a camera's watcher ended; it is started again", "error", err)
			a.say(w, CameraStopped, err.Error())
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
	err = a.config.Watch(ctx, event.Config{
		Camera: w.camera.ID, Main: w.camera.Main, Sub: w.camera.Sub, Credentials: w.camera.Credentials,
		Sink: a.recorder, Clock: a.clock.At, Log: log,
		Status: func(s event.Status) { a.say(w, CameraState(s.Main.State), s.Says()) },
	})
	if err == nil {
		err = errors.New("it ended")
	}
	return err
}

// halt stops what runs for a camera and waits for its end.
func (a *Agent) halt(w *watched) {
	a.mu.Lock()
	stop, done := w.stop, w.done
	a.mu.Unlock()
	if stop != nil {
		stop()
		<-done
	}
}

func (a *Agent) forget(w *watched) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.cameras, w.camera.ID)
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
	if w.state != state {
		w.since = time.Now()
	}
	w.state, w.detail = state, detail
}
