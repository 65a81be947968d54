package event

import (
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/media"
	"github.com/latchkey-cam/latchkey/motion"
)

const (
	// stillAfter is how long after the first moving picture came in the best one so
	// far is chosen for the thumbnail. With the time that the still takes, it is made
	// within about a second.
	stillAfter = 600 * time.Millisecond

	// lateness is how long a post-roll waits for a stream that has stopped.
	lateness = 3 * time.Second

	ringBytes  = 64 << 20 // of pictures, kept for one camera
	smallBytes = 16 << 20 // of pictures of its sub-stream
	eventBytes = 40 << 20 // of pictures in one event: from here on it is cut at the next key unit

	// deciding is how long after the first picture in which something moves that may
	// be known at the latest.
	deciding = time.Second
)

// machine joins units and activities to events. It belongs to one goroutine, knows no
// clock but the times that it is given, and never waits: what is to be told goes to
// begin and end.
type machine struct {
	camera                     latchkey.CameraID
	preRoll, postRoll, longest time.Duration
	together                   time.Duration // motions closer than that are one event
	moment                     func(time.Time) clock.Moment

	begin func(Event, []media.Unit)  // with the units of the still, from a key unit on
	end   func(Event, []media.Group) // with the groups of the clip

	ring      media.Ring
	small     media.Ring // of the sub-stream, empty without one
	newest    media.Unit
	recent    []motion.Activity // the last few, for the best one before the decision
	seen      sightings
	open      *opened          // nil while nothing moves
	continues latchkey.EventID // of the next event, if it is a continuation, and
	moved     time.Time        // when something moved last in that event
}

// opened is an event that is under way.
type opened struct {
	Event
	told bool
	best motion.Activity // the picture that the thumbnail shows

	from   time.Time // where the clip begins
	moving time.Time // when something moved last
	began  time.Time // when the first moving picture came in
}

// unit takes the next unit of the recorded stream.
func (m *machine) unit(u media.Unit, now time.Time) {
	changed := !m.newest.Taken.IsZero() && !u.Parameters.Equal(m.newest.Parameters)
	if m.open != nil && (u.Break || changed) {
		goesOn := changed && !u.Break
		m.close(m.ring.Since(m.open.from), goesOn)
	}
	m.ring.Add(u)
	m.newest = u
	if m.open != nil && u.Key {
		m.cut(u, now)
	}
	m.tick(now)
}

// cut ends an event that has become too long, in time or bytes, at the key unit that
// has just come in, and lets another one go on from it if something still moves. A
// clip that only waits for what may come is left to it while there is room.
func (m *machine) cut(u media.Unit, now time.Time) {
	o := m.open
	groups := m.ring.Since(o.from)
	size := 0
	for _, g := range groups {
		size += g.Size()
	}
	still := u.Taken.Sub(o.moving) < time.Second
	long := still && u.Taken.Sub(groups[0].Start()) >= m.longest
	if len(groups) < 2 || !long && size <= eventBytes {
		return
	}
	m.close(groups[:len(groups)-1], true)
	if still {
		m.start(motion.Activity{At: u.Taken, Since: u.Taken, Began: u.Received}, u.Taken, now)
	}
}

// activity takes what a grey picture says. A motion that begins soon after the last
// one belongs to the same event.
func (m *machine) activity(a motion.Activity, now time.Time) {
	m.recent = append(m.recent, a)
	m.recent = m.recent[max(0, len(m.recent)-6):]
	if m.open != nil && a.Moving && a.Since.Sub(m.open.moving) > m.together {
		m.close(m.ring.Since(m.open.from), false)
	}
	switch {
	case m.open == nil && a.Moving && m.ring.Bytes() > 0:
		// It may have moved before there was a stream, or have been seen in the one before.
		if first := m.ring.Since(time.Time{})[0].Units[0]; a.At.Before(first.Taken) {
			a.At, a.Since, a.Began = first.Taken, first.Taken, first.Received
		} else if a.Since.Before(first.Taken) {
			a.Since, a.Began = a.At, a.Received
		}
		if a.Since.Sub(m.moved) > m.together {
			m.continues = latchkey.EventID{}
		}
		m.start(a, a.Since.Add(-m.preRoll), now)
		for _, r := range m.recent {
			if !r.At.Before(a.Since) && r.Quality > m.open.best.Quality {
				m.open.best = r
			}
		}
	case m.open != nil && !m.open.told && a.Quality > m.open.best.Quality:
		m.open.best = a
	}
	if m.open != nil {
		m.open.Score = max(m.open.Score, a.Score, m.open.best.Score)
		if a.Moving && a.Score > 0 {
			m.open.moving = a.At
		}
	}
	m.tick(now)
}

// start opens an event whose clip begins with the group that holds from.
func (m *machine) start(a motion.Activity, from, now time.Time) {
	m.open = &opened{
		Event: Event{
			ID: latchkey.NewEventID(), Camera: m.camera, Continues: m.continues, Cause: "motion",
			Start: m.moment(a.Since), Score: a.Score, Saw: m.seen.since(a.Since.Add(-m.preRoll)),
			Stages: Stages{Received: m.moment(a.Began), Decided: m.moment(now)},
		},
		best: a, from: from, moving: a.At, began: a.Began,
	}
	m.continues = latchkey.EventID{}
}

// tick does what time alone brings about.
func (m *machine) tick(now time.Time) {
	o := m.open
	if o == nil {
		m.ring.Trim(now.Add(-m.preRoll))
		m.small.Trim(now.Add(-m.preRoll))
		return
	}
	m.ring.Trim(o.from)
	m.small.Trim(o.from)
	if !o.told && now.Sub(o.began) >= stillAfter {
		m.tell(m.ring.Since(o.from))
	}
	until := o.moving.Add(max(m.postRoll, m.together+deciding))
	if !m.newest.Taken.Before(until) || now.After(until.Add(lateness)) {
		m.close(m.ring.Since(o.from), false)
	}
}

// stop closes the event that is under way, if there is one.
func (m *machine) stop() {
	if m.open != nil {
		m.close(m.ring.Since(m.open.from), false)
	}
}

// tell chooses the thumbnail's picture and hands the event's beginning over.
func (m *machine) tell(groups []media.Group) {
	o := m.open
	o.told = true
	var still []media.Unit
	for _, g := range groups {
		if still != nil && g.Start().After(o.best.At) {
			break
		}
		still = g.Units
	}
	for len(still) > 1 && still[len(still)-1].Taken.After(o.best.At) {
		still = still[:len(still)-1]
	}
	if len(still) > 0 {
		o.Picture = m.moment(still[len(still)-1].Taken)
	}
	o.End = m.moment(o.moving)
	m.begin(o.Event, still)
}

// close ends the event with a clip of the groups, as far as its post-roll goes. If it
// goes on, the next event continues it, provided that something moves again soon.
func (m *machine) close(groups []media.Group, goesOn bool) {
	o := m.open
	if !o.told {
		m.tell(groups)
	}
	o.End = m.moment(o.moving)
	groups = until(groups, o.moving.Add(m.postRoll))
	if small := smaller(m.small.Since(o.from), groups, o.from); small != nil {
		groups, o.Clip.Sub = small, true
	}
	m.end(o.Event, groups)
	m.open, m.continues, m.moved = nil, latchkey.EventID{}, o.moving
	if goesOn {
		m.continues = o.ID
	}
}

// until returns the groups without the pictures that were taken after t, but never
// without all of them.
func until(groups []media.Group, t time.Time) []media.Group {
	for len(groups) > 1 && groups[len(groups)-1].Start().After(t) {
		groups = groups[:len(groups)-1]
	}
	if len(groups) == 0 {
		return nil
	}
	last := groups[len(groups)-1]
	n := len(last.Units)
	for n > 1 && last.Units[n-1].Taken.After(t) {
		n--
	}
	if n < len(last.Units) {
		groups = append([]media.Group(nil), groups...)
		groups[len(groups)-1] = media.Group{Units: last.Units[:n]}
	}
	return groups
}
