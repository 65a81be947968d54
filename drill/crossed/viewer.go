package crossed

import (
	"encoding/binary"
	"hash/fnv"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/drill/fault"
)

// Of the 13,000 people who were shown a stranger's picture in February 2024 so many
// tapped on it.
const (
	tappers  = 1504
	tappedOf = 13_000
)

const nobodys = -1

// meter counts at the viewer. It alone compares whose a picture is with who looks at it.
type meter struct {
	seed  uint64
	edge  bool                     // answers are crossed behind the server: what it gave and what came differ
	known map[latchkey.HomeID]bool // every home; another name is a damaged one

	mu      sync.Mutex // protects what follows
	figures Figures
	people  map[latchkey.HomeID]bool // who were shown a stranger's picture, by their home
	exposed map[latchkey.HomeID]bool
	over    timeline
	bad     map[int]bool // homes whose last visit was not as it should be
}

func newMeter(seed uint64, f fault.Fault, known map[latchkey.HomeID]bool) *meter {
	return &meter{seed: seed, edge: f.Where == fault.OnPages, known: known, people: map[latchkey.HomeID]bool{}, exposed: map[latchkey.HomeID]bool{}, bad: map[int]bool{}}
}

// visit is what somebody's look at their page comes to.
type visit struct {
	home    int // nobodys: of somebody who has none, any more
	id      latchkey.HomeID
	shown   [][]byte // pictures
	refused int      // that did not come
	crossed int      // answers that another server took for its own meanwhile
	told    int      // lists of another home that were believed
	given   int      // sealed pictures of another home that came instead
}

// count counts a visit. A picture that is so damaged that nobody can say whose it is has
// been shown, and is nobody's.
func (m *meter) count(v visit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, moment := &m.figures, m.over.now()
	f.Refused += int64(v.refused)
	f.ShownForeign += int64(v.crossed)
	f.Crossed += int64(v.told)
	if !m.edge {
		f.Crossed += int64(v.given)
	}
	moment.ShownForeign += int64(v.crossed)
	bad := v.refused > 0
	for _, p := range v.shown {
		f.Shown++
		moment.Shown++
		if home, ok := whose(p); ok && home != v.id && m.known[home] {
			bad = true
			f.ShownForeign++
			moment.ShownForeign++
			m.people[v.id], m.exposed[home] = true, true
			if m.taps(v.id, f.ShownForeign) {
				f.Tapped++
			}
		}
	}
	switch {
	case v.home == nobodys:
	case bad:
		m.bad[v.home] = true
	default:
		delete(m.bad, v.home)
	}
	f.PeopleAffected, f.HomesExposed = len(m.people), len(m.exposed)
}

// taps says whether somebody taps on a picture that they should not see.
func (m *meter) taps(who latchkey.HomeID, nth int64) bool {
	h := fnv.New64a()
	b := binary.BigEndian.AppendUint64(who[:], m.seed)
	h.Write(binary.BigEndian.AppendUint64(b, uint64(nth)))
	return h.Sum64()%tappedOf < tappers
}

// dirty returns the homes whose last visit was not as it should be.
func (m *meter) dirty() []int {
	m.mu.Lock()
	defer m.mu.Unlock()
	var homes []int
	for h := range m.bad {
		homes = append(homes, h)
	}
	return homes
}

func since(from, t time.Time) *float64 {
	if t.IsZero() {
		return nil
	}
	// The first fault is noted within a millisecond, and may be noticed sooner.
	return new(max(0, float64(t.Sub(from).Microseconds())/1000))
}
