package tombstone

import (
	"cmp"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Set is the tombstones of a home, in which one is found by what it covers. Its zero
// value is empty. It is used by one goroutine at a time.
type Set struct {
	known  map[[32]byte]bool
	events map[latchkey.EventID]bool
	spans  map[latchkey.CameraID][]Tombstone
	ended  bool
	bytes  int
}

// Len is how many there are, Bytes how long they are together.
func (s *Set) Len() int { return len(s.known) }

// Bytes is how long all of them are together.
func (s *Set) Bytes() int { return s.bytes }

// Has says whether that very tombstone is in the set.
func (s *Set) Has(hash [32]byte) bool { return s.known[hash] }

// Add adds a tombstone of the home, which its caller has verified. It says whether it is new.
func (s *Set) Add(t Tombstone) bool {
	b := t.Bytes()
	hash := Hash(b)
	if s.known[hash] {
		return false
	}
	if s.known == nil {
		s.known, s.events, s.spans = map[[32]byte]bool{}, map[latchkey.EventID]bool{}, map[latchkey.CameraID][]Tombstone{}
	}
	s.known[hash] = true
	s.bytes += len(b)
	switch t.Scope {
	case Events:
		for _, e := range t.Events {
			s.events[e] = true
		}
	case Span:
		s.spans[t.Camera] = append(s.spans[t.Camera], t)
	case Home:
		s.ended = true
	}
	return true
}

// Stretch is a span of time, from From to before To.
type Stretch struct{ From, To latchkey.Time }

// Footage are the stretches of a camera's footage that they delete, in order and apart.
func (s *Set) Footage(camera latchkey.CameraID) []Stretch {
	if s.ended {
		return []Stretch{{0, latchkey.MaxInt}}
	}
	spans := slices.SortedFunc(slices.Values(s.spans[camera]), func(a, b Tombstone) int { return cmp.Compare(a.From, b.From) })
	var all []Stretch
	for _, t := range spans {
		if n := len(all); n > 0 && t.From <= all[n-1].To {
			all[n-1].To = max(all[n-1].To, t.To)
		} else {
			all = append(all, Stretch{t.From, t.To})
		}
	}
	return all
}

// Covers says whether one of them deletes an object of their home.
func (s *Set) Covers(b sealed.Binding) bool {
	if s.ended || s.events[b.Event] {
		return true
	}
	for _, t := range s.spans[b.Camera] {
		if t.Covers(b) {
			return true
		}
	}
	return false
}

// Ended says whether the home itself was deleted.
func (s *Set) Ended() bool { return s.ended }
