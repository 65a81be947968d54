package event

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/media"
)

const (
	// waitingBytes is how much may wait for a slow sink: two of the largest events.
	waitingBytes = 2 * eventBytes

	// lastWords is how long the sink has for what is left when the watching ends.
	lastWords = 10 * time.Second
)

// errSlow is what a clip's function returns when there was no room to keep the clip.
var errSlow = errors.New("the clip was dropped because the sink is too slow")

// teller hands events to the sink, one at a time and in order, and makes their
// thumbnails. What waits for the sink is bounded: a clip for which there is no room is
// dropped, which its event says, and an event for whose beginning there is none is
// dropped whole. Both are counted and reported.
type teller struct {
	config *Config
	moment func(time.Time) clock.Moment
	report func(func(*Status))

	mu      sync.Mutex // protects what follows
	jobs    []job
	bytes   int
	dropped Event // the event whose beginning was dropped

	ready chan struct{} // holds one token when there may be a job

	still clock.Moment // when the thumbnail of the event under way had been made; run's own
}

// job is the beginning of an event, or the end of one if clip is not nil.
type job struct {
	event Event
	still []media.Unit
	clip  *media.Clip
	err   error // why there is no clip
	end   bool
	bytes int
}

func (t *teller) begin(e Event, still []media.Unit) {
	j := job{event: e, still: still}
	for _, u := range still {
		j.bytes += u.Size()
	}
	t.mu.Lock()
	full := t.bytes+j.bytes > waitingBytes
	if full {
		t.dropped = e
	}
	t.mu.Unlock()
	if full {
		t.report(func(s *Status) { s.Dropped++; s.SinkErr = errSlow })
		return
	}
	t.add(j)
}

func (t *teller) end(e Event, groups []media.Group) {
	t.mu.Lock()
	dropped := t.dropped.ID == e.ID
	room := waitingBytes - t.bytes
	t.mu.Unlock()
	if dropped {
		return
	}
	j := job{event: e, end: true}
	clip, err := t.clip(groups)
	switch {
	case err != nil:
		j.err = err
	case int(clip.Size()) > room:
		j.err = errSlow
		t.report(func(s *Status) { s.Dropped++ })
	default:
		j.clip, j.bytes = clip, int(clip.Size())
		w, h := clip.Dimensions()
		j.event.Clip = Clip{Sub: e.Clip.Sub, Start: t.moment(clip.Start()), Duration: clip.Duration(), Type: clip.Type(),
			Width: w, Height: h, Bytes: clip.Size()}
	}
	t.add(j)
}

// clip makes a clip that says when it began.
func (t *teller) clip(groups []media.Group) (*media.Clip, error) {
	var created time.Time
	if len(groups) > 0 {
		created = t.moment(groups[0].Start()).Wall.Time()
	}
	return media.NewClip(groups, created)
}

func (t *teller) add(j job) {
	t.mu.Lock()
	t.jobs = append(t.jobs, j)
	t.bytes += j.bytes
	t.mu.Unlock()
	select {
	case t.ready <- struct{}{}:
	default:
	}
}

// run hands jobs over until ctx ends, and then what is left. What the sink is doing
// when ctx ends is not cut off at once.
func (t *teller) run(ctx context.Context) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastWords, cancel) })()
	for {
		t.drain(work)
		select {
		case <-ctx.Done():
			t.drain(work)
			return
		case <-t.ready:
		}
	}
}

func (t *teller) drain(ctx context.Context) {
	for {
		t.mu.Lock()
		if len(t.jobs) == 0 {
			t.mu.Unlock()
			return
		}
		j := t.jobs[0]
		t.jobs[0] = job{}
		t.jobs = t.jobs[1:]
		t.mu.Unlock()
		err := t.tell(ctx, j)
		t.mu.Lock()
		t.bytes -= j.bytes
		t.mu.Unlock()
		t.report(func(s *Status) {
			if s.SinkErr = err; err == nil && j.end {
				s.Events++
			}
		})
	}
}

func (t *teller) tell(ctx context.Context, j job) error {
	if !j.end {
		picture, err := camera.Still(ctx, t.config.FFmpeg, j.still)
		if err != nil {
			t.config.Log.Warn("an event has no thumbnail", "camera", j.event.Camera.String(), "error", err)
		}
		j.event.Stages.Still = t.moment(time.Now())
		t.still = j.event.Stages.Still
		if err := t.config.Sink.Begin(ctx, j.event, picture); err != nil {
			return fmt.Errorf("begin event %s: %w", j.event.ID, err)
		}
		return nil
	}
	j.event.Stages.Still = t.still
	clip := func(w io.Writer) error { return j.err }
	if j.clip != nil {
		clip = func(w io.Writer) error {
			_, err := j.clip.WriteTo(w)
			return err
		}
	}
	if err := t.config.Sink.End(ctx, j.event, clip); err != nil {
		return fmt.Errorf("end event %s: %w", j.event.ID, err)
	}
	return nil
}
