package event

import (
	"context"
	"math/bits"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/camera"
)

// sighting is what the camera said that it saw, and when that was heard.
type sighting struct {
	what latchkey.Sighting
	at   time.Time
}

// sightings is when each thing was last seen. It is all that is remembered, however much
// a camera says.
type sightings [8]time.Time

func (s *sightings) note(n sighting) {
	for what := n.what; what != 0; what &= what - 1 {
		s[bits.TrailingZeros8(uint8(what))] = n.at
	}
}

// since returns what was seen at that time or later.
func (s *sightings) since(t time.Time) (all latchkey.Sighting) {
	for i, at := range s {
		if !at.IsZero() && !at.Before(t) {
			all |= 1 << i
		}
	}
	return all
}

// sees takes what the camera itself said that it saw. What is said when nothing moves
// counts for an event that begins soon.
func (m *machine) sees(s sighting) {
	m.seen.note(s)
	if m.open != nil {
		m.open.Saw |= s.what
	}
}

// listen tells what the camera itself says that it sees, until ctx ends. That it cannot
// is told to the log alone: nothing of the recording depends on it.
func (w *watcher) listen(ctx context.Context) {
	defer w.rescue(func(error) {}) // the others go on
	if w.config.Listen == nil {
		return
	}
	delays := w.config.Delays
	if delays == nil {
		delays = []time.Duration{10 * time.Second, time.Minute, 10 * time.Minute, time.Hour}
	}
	for failures := 0; ; failures++ {
		began := time.Now()
		err := w.config.Listen(ctx, func(s latchkey.Sighting) {
			select {
			case w.sightings <- sighting{s, time.Now()}:
			case <-ctx.Done():
			}
		})
		if ctx.Err() != nil {
			return
		}
		w.config.Log.Info("a camera is not listened to: its events do not say what it sees", "camera", w.config.Camera.String(), "error", err)
		if camera.StateOf(err) == camera.WrongPassword {
			return // it would lock the account
		}
		if time.Since(began) > time.Minute {
			failures = 0
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(delays[min(failures, len(delays)-1)]):
		}
	}
}
