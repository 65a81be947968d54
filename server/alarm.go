package server

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/bound"
)

// alarm tells of misroutes: something genuine was about to reach, or has reached,
// somebody it is not for.
type alarm struct {
	log       *slog.Logger
	misroutes *prometheus.CounterVec
}

// misroute counts one and logs the line that an operator is woken by. The arguments
// are pairs of a key and an ID; nothing else belongs into that line.
func (a *alarm) misroute(where string, confirmed bool, ids ...string) {
	a.misroutes.WithLabelValues(where, strconv.FormatBool(confirmed)).Inc()
	args := []any{"where", where, "confirmed", confirmed}
	for _, id := range ids {
		args = append(args, id)
	}
	a.log.Error("misroute", args...)
}

// incident tells of what went wrong in the cache. Nobody was shown any of it. What is
// genuine and the answer to another question is a misroute; so is whatever shows that a
// connection is out of step.
func (a *alarm) incident(i bound.Incident) {
	where := "cache"
	switch i.Kind {
	case bound.Crossed:
		where = "origin"
	case bound.Misrouted, bound.OutOfStep:
	default:
		a.log.Error("cache", "what", i.Kind, "tier", i.Tier, "asked", subject(i.Asked), "error", i.Err)
		return
	}
	a.misroute(where, true, "what", string(i.Kind), "tier", i.Tier, "asked", subject(i.Asked), "found", subject(i.Found))
}

// subject is what a question is about, for a log: of a session no more than that it is
// one.
func subject(q bound.Question) string {
	key := q.Key
	if before, _, session := strings.Cut(key, sessionKeys); session {
		key = before + sessionKeys
	}
	return q.Scope + " " + key
}

func misroute() *refusal {
	return refuse(http.StatusBadGateway, api.Misroute,
		"What the server keeps here is not what was asked for, so it sends nothing of it. Its operator has been told.")
}

func corrupt() *refusal {
	return refuse(http.StatusBadGateway, api.Corrupt, "What the server keeps here is damaged. Its operator has been told.")
}

// counters are what an operator watches.
type counters struct {
	registry   *prometheus.Registry
	misroutes  *prometheus.CounterVec // where, confirmed
	reports    *prometheus.CounterVec // word, confirmed
	requests   *prometheus.CounterVec // route, status
	uploads    *prometheus.CounterVec // outcome: a reason, or stored
	deliveries *prometheus.CounterVec // outcome
	corrupt    prometheus.Counter
	different  prometheus.Counter
	givenBack  prometheus.Counter     // deeds
	expired    prometheus.Counter     // objects
	bytes      prometheus.Counter     // of uploads
	commands   *prometheus.CounterVec // outcome: a reason, or answered
	cuts       *prometheus.CounterVec // why
	agents     prometheus.Gauge
	watchers   prometheus.Gauge
	holds      prometheus.Gauge
}

func newCounters() *counters {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "latchkey_" + name, Help: help}, labels)
	}
	one := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "latchkey_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "latchkey_" + name, Help: help})
	}
	c := &counters{
		registry:   prometheus.NewRegistry(),
		misroutes:  vec("misroutes_total", "Genuine objects or values that were not what was asked for.", "where", "confirmed"),
		reports:    vec("reports_total", "Reports of members about what they received.", "word", "confirmed"),
		requests:   vec("requests_total", "Requests by route and status.", "route", "status"),
		uploads:    vec("uploads_total", "Uploads by outcome.", "outcome"),
		deliveries: vec("deliveries_total", "Objects handed out, or refused at the last moment.", "outcome"),
		corrupt:    one("corrupt_total", "Stored values that are damaged."),
		different:  one("different_total", "Uploads of other bytes under a name that is taken."),
		expired:    one("objects_expired_total", "Objects that were removed because their home wants them kept no longer."),
		givenBack:  one("deeds_given_back_total", "Deeds that this server had lost and agents have given back."),
		bytes:      one("upload_bytes_total", "Bytes of bodies received."),
		commands:   vec("commands_total", "Commands to agents by outcome.", "outcome"),
		cuts:       vec("cuts_total", "Connections that were reset because their right to go on had ended.", "why"),
		agents:     gauge("agents", "Agents that are connected."),
		watchers:   gauge("watchers", "Pages that are connected."),
		holds:      gauge("holds", "Operators' holds that stand and concern this server."),
	}
	c.registry.MustRegister(c.misroutes, c.reports, c.requests, c.uploads, c.deliveries, c.corrupt, c.different, c.givenBack, c.expired, c.bytes, c.commands, c.cuts, c.agents, c.watchers, c.holds)
	return c
}

// cacheCounters shows what a cache counts itself.
type cacheCounters struct{ cache *bound.Cache }

var (
	cacheReads = prometheus.NewDesc("latchkey_cache_reads_total", "Reads of the cache, by tier and what became of them.", []string{"tier", "outcome"}, nil)
	cacheFalls = prometheus.NewDesc("latchkey_cache_clients_total", "Clients of the cache that were replaced, and tiers that were left alone.", []string{"tier", "what"}, nil)
	origins    = prometheus.NewDesc("latchkey_cache_origin_total", "Reads of archive and blobs through the cache, by what became of them.", []string{"outcome"}, nil)
)

// Describe is [prometheus.Collector]'s.
func (c cacheCounters) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{cacheReads, cacheFalls, origins} {
		to <- d
	}
}

// Collect is [prometheus.Collector]'s.
func (c cacheCounters) Collect(to chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	s := c.cache.Stats()
	for _, t := range s.Tiers {
		for outcome, n := range map[string]uint64{
			"hit": t.Hits, "miss": t.Misses, "misrouted": t.Misrouted, "damaged": t.Damaged, "unknown-key": t.UnknownKey,
			"old": t.Old, "expired": t.Expired, "failed": t.Failed, "unasked": t.Unasked,
		} {
			count(cacheReads, n, t.Name, outcome)
		}
		for what, n := range map[string]uint64{"replaced": t.Replaced, "quarantined": t.Quarantines, "panicked": t.Panics, "out-of-step": t.OutOfStep} {
			count(cacheFalls, n, t.Name, what)
		}
	}
	for outcome, n := range map[string]uint64{"read": s.Origin, "failed": s.Failed, "crossed": s.Crossed, "stale": s.Stale, "refused": s.Refused, "joined": s.Joined} {
		count(origins, n, outcome)
	}
}

func (c *counters) request(route string, status int) {
	if status == 0 {
		status = http.StatusSwitchingProtocols // a websocket, or nobody was there any more
	}
	c.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
}
