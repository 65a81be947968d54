package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/gate"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/strain"
)

// How people and agents come in. Whoever comes anew enters through the gate, before
// anything is looked up: a person with the first request of a session, an agent before
// its websocket is opened. Whoever is inside goes on without waiting again.

const (
	// leastPace is how many a second are let in under whatever strain. To let one in takes
	// the slowest machine ten milliseconds.
	leastPace = 20
	// mostPace is at which pace a server begins, whatever it has been told is usual.
	mostPace = 5000
	// firstPace is it if it has been told nothing.
	firstPace = 100
)

func newGate(c Config) *gate.Gate {
	g := gate.New(gate.Config{First: min(max(cmp.Or(c.Usual.Pace, firstPace), leastPace), mostPace), Least: leastPace})
	if c.Ungated {
		_ = g.Close() // lets all in, and fails never
	}
	return g
}

// turn returns nil when it is the asker's turn, or when to come back.
func (a *asking) turn(rank gate.Rank) error {
	err := a.server.gate.Enter(a.r.Context(), rank, gate.Place(a.r.Header.Get(api.HeaderPlace)))
	later, ok := err.(*gate.Later)
	if !ok {
		return err
	}
	if later.Place != "" {
		a.w.Header().Set(api.HeaderPlace, string(later.Place))
	}
	return refuse(http.StatusServiceUnavailable, api.Turn, "Many come at the same time, and each in their turn. Yours is soon; wait as long as the answer says.").after(later.After)
}

// anew is [asking.turn] for a person whose session is not inside yet.
func (a *asking) anew(session archive.Secret) error {
	if a.server.inside.has(session, a.server.now()) {
		return nil
	}
	return a.turn(gate.Person)
}

// inside is who has come in, until they have been silent for a while.
type inside struct {
	mu          sync.Mutex // protects what follows
	since       time.Time  // when now began
	now, before map[archive.Secret]bool
}

const (
	insideFor = 5 * time.Minute // at least, and twice that at most
	maxInside = 1 << 16         // sessions that are used in that time; those beyond wait again
)

func (i *inside) has(who archive.Secret, now time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.turn(now)
	if i.before[who] && !i.now[who] {
		i.now[who] = true
	}
	return i.now[who]
}

// add is for a session that was proven.
func (i *inside) add(who archive.Secret, now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.turn(now)
	i.now[who] = true
}

// turn forgets those who have been silent. Its caller holds mu.
func (i *inside) turn(now time.Time) {
	age := now.Sub(i.since)
	if age >= 2*insideFor {
		i.now = nil
	}
	if i.now == nil || age >= insideFor || len(i.now) >= maxInside {
		i.before, i.now, i.since = i.now, map[archive.Secret]bool{}, now
	}
}

// Usual is what an ordinary day at a server is like.
type Usual struct {
	Pace   float64 `json:"pace"`   // of those who can come in, a second
	Agents int     `json:"agents"` // that are connected
}

// Usual is what this server has seen, for the one that comes after it.
func (s *Server) Usual() Usual {
	return Usual{Pace: s.gate.Usual(), Agents: s.hub.usual()}
}

// strains are what this server measures of what it needs.
type strains struct {
	archive, blobs, bus *strain.Times
}

// How long one in ten may take before fewer are let in, if it does not always take as long:
// so long people wait behind those who come.
const (
	archiveWithin = 40 * time.Millisecond  // for what is committed
	blobsWithin   = 150 * time.Millisecond // for an object's last sync
	busWithin     = 250 * time.Millisecond // for a piece of news
)

func newStrains() strains {
	return strains{
		archive: strain.NewTimes("archive", archiveWithin),
		blobs:   strain.NewTimes("blobs", blobsWithin),
		bus:     strain.NewTimes("bus", busWithin),
	}
}

// strainEvery is how often the gate is told.
const strainEvery = 100 * time.Millisecond

// tellGate tells the gate what is under strain until the server is closed.
func (s *Server) tellGate() {
	strain.Watch(s.ctx, strainEvery, s.gate.Strain, append([]strain.Measure{
		s.strains.archive.Measure(), s.strains.blobs.Measure(), s.strains.bus.Measure(), s.kept.strain(),
	}, s.config.Strains...)...)
}

// timing measures how long it takes to write receipts.
func (m strains) timing(write func(ctx context.Context, all []archive.Receipt) error) func(ctx context.Context, all []archive.Receipt) error {
	return func(ctx context.Context, all []archive.Receipt) error {
		defer m.archive.Begin()()
		return write(ctx, all)
	}
}

// another says whether a spread is worth telling of that was told otherwise.
func another(was, is time.Duration) bool {
	return (is >= 2*was || 2*is <= was) && max(is, was) >= time.Second
}

// spread is within how long the agents are to come back when this server is gone.
func (s *Server) spread() time.Duration { return s.gate.Spread(s.hub.usual()) }

const (
	// sparedWait is when to come back with what is left out.
	sparedWait = 10 * time.Second
	// backfillAge is how old something is that can wait longer still.
	backfillAge = 10 * time.Minute
)

// spare refuses an object that can wait while the server has a lot to do. One of a kind
// goes on at a time: under a strain that has another cause, all would wait for ever.
func (s *Server) spare(h sealed.Header) (leave func(), err error) {
	b := h.Binding
	var f gate.Feature
	switch {
	case b.Time < timeOf(s.now().Add(-backfillAge)):
		f = gate.Backfill
	case b.Kind == latchkey.Clip:
		f = gate.Clips
	default:
		return func() {}, nil
	}
	if !s.gate.Spares(f) {
		return func() {}, nil
	}
	if leave, ok := s.spared.enter(f); ok {
		return leave, nil
	}
	return nil, refuse(http.StatusServiceUnavailable, api.Spared, "The server has a lot to do, and takes what is newer and smaller first. This waits where it is.").after(sparedWait)
}

// gateCounters shows how the gate is doing.
type gateCounters struct{ gate *gate.Gate }

var (
	gatePace    = prometheus.NewDesc("latchkey_gate_pace", "People and agents that are let in a second while more come.", nil, nil)
	gateWaiting = prometheus.NewDesc("latchkey_gate_waiting", "Those who wait at the gate, by rank.", []string{"rank"}, nil)
	gateComing  = prometheus.NewDesc("latchkey_gate_coming", "Those who were told to come back and whose turn is still to come, by rank.", []string{"rank"}, nil)
	gateEntered = prometheus.NewDesc("latchkey_gate_entered_total", "Those who were let in, by rank.", []string{"rank"}, nil)
	gateSent    = prometheus.NewDesc("latchkey_gate_sent_total", "Those who were told to come back later, by rank.", []string{"rank"}, nil)
	gateStrain  = prometheus.NewDesc("latchkey_gate_strain", "How much of what it bears something is under: 1 slows the gate.", []string{"what"}, nil)
	gateSpared  = prometheus.NewDesc("latchkey_gate_spared", "What is left out because of a strain: 1.", []string{"feature"}, nil)
)

// Describe is [prometheus.Collector]'s.
func (g gateCounters) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{gatePace, gateWaiting, gateComing, gateEntered, gateSent, gateStrain, gateSpared} {
		to <- d
	}
}

// Collect is [prometheus.Collector]'s.
func (g gateCounters) Collect(to chan<- prometheus.Metric) {
	show := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	s := g.gate.Status()
	show(gatePace, prometheus.GaugeValue, s.Pace)
	for rank, r := range s.Ranks {
		show(gateWaiting, prometheus.GaugeValue, float64(r.Waiting), rank.String())
		show(gateComing, prometheus.GaugeValue, float64(r.Coming), rank.String())
		show(gateEntered, prometheus.CounterValue, float64(r.Entered), rank.String())
		show(gateSent, prometheus.CounterValue, float64(r.Sent), rank.String())
	}
	for what, level := range s.Strains {
		show(gateStrain, prometheus.GaugeValue, level, what)
	}
	for f := range gate.Features {
		spared := 0.0
		if slices.Contains(s.Spared, f) {
			spared = 1
		}
		show(gateSpared, prometheus.GaugeValue, spared, f.String())
	}
}

// sparedNow is what is left out at present.
func (s *Server) sparedNow() (all []string) {
	for _, f := range s.gate.Status().Spared {
		all = append(all, f.String())
	}
	return all
}

// tellSpared tells the pages when that changes.
func (s *Server) tellSpared() {
	before := 0
	for sleep(s.ctx, time.Second) {
		if now := len(s.sparedNow()); now != before {
			before = now
			s.hub.pages(func(l *listener) { l.tell(api.SparedChanged) })
		}
	}
}
