package camera

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

// delays is what most recorders have arrived at: quick after a hiccup, patient with a
// camera that is off.
var delays = []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second,
	15 * time.Second, 30 * time.Second, 60 * time.Second}

const (
	// healthy is for how long a session must have given pictures for the delays to
	// begin anew.
	healthy = 60 * time.Second

	// maxRefused is the longest that a camera is left alone which refuses the password
	// again and again. Cameras lock an account for half an hour after five or seven
	// wrong ones; asked once a minute, such a camera would stay locked, for its owner
	// too.
	maxRefused = 30 * time.Minute

	// telling is how often the status is told while nothing but its numbers changes.
	telling = 5 * time.Second

	// Above this a camera floods: 300 pictures or 32 MB a second, ten times what a
	// good one sends. It is judged by what comes in while the status is not told, so
	// that what had piled up in a short outage is no flood.
	maxUnits  = 300 * int(telling/time.Second)
	maxWeight = 32 << 20 * int(telling/time.Second)
)

// Follow receives the stream until ctx ends: it opens a session, and when that
// breaks, after a delay, another one. A refused password waits for the longest delay
// at once and then for twice as long each time, up to half an hour. Handle is called
// as [Receive] does; status, which may be nil, on every change. It returns ctx's error.
//
// Health is the last good picture: a session without one is none, and a picture that
// never changes is said to be [Frozen].
func Follow(ctx context.Context, s Source, handle func(media.Unit), status func(Status)) error {
	f := &follower{source: s, handle: handle, tell: status, receive: receive}
	return f.run(ctx)
}

// follower is one call of Follow. What is not atomic belongs to the goroutine that
// runs the session or, while there is a session, to the one that it calls handle from.
type follower struct {
	source  Source
	handle  func(media.Unit)
	tell    func(Status)
	receive func(context.Context, Source, *atomic.Uint64, func(media.Unit)) error

	status   Status
	damaged  atomic.Uint64
	failures int // sessions in a row that were not healthy
	refusals int // refused passwords in a row
	frozen   frozen
	thawing  time.Time // when a frozen camera was last connected to anew
}

func (f *follower) run(ctx context.Context) error {
	if f.source.Delays == nil {
		f.source.Delays = delays
	}
	if f.source.Unchanged == 0 {
		f.source.Unchanged = defaultUnchanged
	}
	if f.tell == nil {
		f.tell = func(Status) {}
	}
	f.source.mute = new(atomic.Bool)
	info := f.source.Info
	f.source.Info = func(i Info) {
		f.status.Audio = i.Audio
		if info != nil {
			info(i)
		}
	}
	f.status = Status{State: Connecting, Since: time.Now()}
	f.tell(f.status)
	for ctx.Err() == nil {
		err := f.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait := f.failed(err)
		var left *stale
		if e := (*Error)(nil); errors.As(err, &e) {
			left = e.stale
		}
		closed := left.teardown(ctx)
		f.sleep(ctx, wait)
		if !closed && !left.teardown(ctx) && ctx.Err() == nil { // the first may have come while it was still busy with the old connection
			if held := left.held(); held > 0 {
				f.status.Retry = time.Now().Add(held)
				f.tell(f.status)
				f.sleep(ctx, held)
			}
		}
	}
	return ctx.Err()
}

func (f *follower) sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// session runs one session and returns why it ended.
func (f *follower) session(ctx context.Context) error {
	if err := admit(ctx, f.source); err != nil {
		return err
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	f.status.Sessions++
	c := &course{}
	err := f.receive(ctx, f.source, &f.damaged, func(u media.Unit) {
		f.handle(u)
		if err := f.take(c, u); err != nil {
			end(err)
		}
	})
	if c.last.Sub(c.first) >= healthy {
		f.failures = 0
	}
	if ours := (*Error)(nil); errors.As(context.Cause(ctx), &ours) {
		return ours
	}
	return err
}

// course is how one session goes.
type course struct {
	first, last time.Time // pictures
	parameters  *media.Parameters
	told        time.Time

	// Of the time since counted.
	counted       time.Time
	units, weight int
}

// take notes a unit. Its error ends the session.
func (f *follower) take(c *course, u media.Unit) error {
	now := time.Now()
	if c.first.IsZero() {
		c.first, c.told, c.counted = now, now, now
		f.refusals = 0
	}
	c.last = now
	c.units++
	c.weight += u.Size()
	if c.units > maxUnits || c.weight > maxWeight {
		return f.source.Credentials.failure(Flood, "receive stream: %d pictures of %d bytes within %v", c.units, c.weight, telling)
	}
	if f.frozen.look(u, now) {
		f.status.Last = now
	}
	state := Receiving
	if f.frozen.is(now, f.source.Unchanged) {
		state = Frozen
		if now.Sub(f.thawing) >= thawEvery*f.source.Unchanged {
			f.thawing = now
			return f.source.Credentials.failure(Frozen, "receive stream: the same picture for %v", now.Sub(f.frozen.since).Round(time.Second))
		}
	}
	news := u.Parameters != c.parameters || state != f.status.State
	c.parameters = u.Parameters
	if spent := now.Sub(c.counted); spent >= telling {
		f.status.Rate = float64(int(10*float64(c.units)/spent.Seconds()+0.5)) / 10
		c.counted, c.units, c.weight = now, 0, 0
	}
	if news || now.Sub(c.told) >= telling {
		c.told = now
		f.become(state)
		f.status.Err, f.status.Retry, f.status.Damaged = nil, time.Time{}, f.damaged.Load()
		f.status.of(u.Parameters)
		f.tell(f.status)
	}
	return nil
}

// become changes the state. A frozen camera has been that since its picture stopped.
func (f *follower) become(state State) {
	f.status.become(state)
	if state == Frozen {
		f.status.Since, f.status.Last = f.frozen.since, f.frozen.since
	}
}

// failed says what has become of the session and returns how long to wait before the
// next one.
func (f *follower) failed(err error) time.Duration {
	state := StateOf(err)
	longest := f.source.Delays[len(f.source.Delays)-1]
	wait := f.source.Delays[min(f.failures, len(f.source.Delays)-1)]
	f.failures++
	switch state {
	case WrongPassword:
		wait = min(longest<<min(f.refusals, 10), max(longest, maxRefused))
		f.refusals++
	case AnotherDevice:
		wait = longest
	case Frozen:
		wait = f.source.Delays[0]
	}
	wait = time.Duration(float64(wait) * (0.8 + 0.4*rand.Float64()))
	f.become(state)
	f.status.Err, f.status.Retry, f.status.Damaged = err, time.Now().Add(wait), f.damaged.Load()
	f.status.Width, f.status.Height, f.status.Codec, f.status.Rate, f.status.Audio = 0, 0, "", 0, ""
	f.tell(f.status)
	return wait
}

// admit asks whether a session may be begun.
func admit(ctx context.Context, s Source) error {
	if s.Admit == nil {
		return nil
	}
	err := s.Admit(ctx)
	if ours := (*Error)(nil); err == nil || errors.As(err, &ours) || ctx.Err() != nil {
		return err
	}
	return s.Credentials.failure(AnotherDevice, "identify camera: %v", err)
}

// Probe opens one session, waits for the first picture and closes it. It returns the
// stream's status, or an [*Error] whose state says what to tell the person.
func Probe(ctx context.Context, s Source) (Status, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := admit(ctx, s); err != nil {
		return Status{}, fmt.Errorf("probe camera: %w", err)
	}
	var st Status
	var seen atomic.Bool
	err := Receive(ctx, s, func(u media.Unit) {
		if !seen.Swap(true) {
			st.become(Receiving)
			st.Last = time.Now()
			st.of(u.Parameters)
			cancel()
		}
	})
	if seen.Load() {
		return st, nil
	}
	return Status{}, fmt.Errorf("probe camera: %w", err)
}
