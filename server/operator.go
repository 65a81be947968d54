package server

import (
	"cmp"
	_ "embed"
	"html/template"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/latchkey-cam/latchkey/gate"
)

//go:embed operator.html
var operatorHTML string

var operatorPage = template.Must(template.New("operator").Parse(operatorHTML))

// operatorView is what whoever runs the server sees of it: numbers, and what they have
// stopped themselves.
type operatorView struct {
	Why                  []string
	Now                  string
	Misroutes, Connected []operatorRow
	Pace                 int
	Ranks                []operatorRank
	Strains              []operatorStrain
	Spared               []gate.Feature
	Holds                []operatorHold
}

type operatorRow struct {
	Name  string
	Value int
}

type operatorRank struct {
	Name string
	gate.RankStatus
}

type operatorStrain struct {
	Name  string
	Level float64
	Bad   bool
}

type operatorHold struct {
	Number           uint64
	Scope, Of, Since string
	Who, Why         string
}

// operator answers with a page for whoever runs the server.
func (s *Server) operator(w http.ResponseWriter, _ *http.Request) {
	status := s.gate.Status()
	v := operatorView{
		Why: s.Ready(), Now: s.now().UTC().Format("2 January 2006, 15:04:05 UTC"),
		Misroutes: s.counted("latchkey_misroutes_total"), Pace: int(math.Round(status.Pace)), Spared: status.Spared,
	}
	for name, called := range map[string]string{"latchkey_agents": "agents", "latchkey_watchers": "pages", "latchkey_live_viewers": "viewers of live streams"} {
		for _, r := range s.counted(name) {
			v.Connected = append(v.Connected, operatorRow{called, r.Value})
		}
	}
	slices.SortFunc(v.Connected, func(a, b operatorRow) int { return cmp.Compare(a.Name, b.Name) })
	for _, rank := range slices.Sorted(maps.Keys(status.Ranks)) {
		v.Ranks = append(v.Ranks, operatorRank{rank.String(), status.Ranks[rank]})
	}
	for _, name := range slices.Sorted(maps.Keys(status.Strains)) {
		v.Strains = append(v.Strains, operatorStrain{name, status.Strains[name], status.Strains[name] >= 1})
	}
	for _, x := range s.Holds() {
		v.Holds = append(v.Holds, operatorHold{x.Number, string(x.Scope), holdOf(x), x.Since.Time().UTC().Format("2 January, 15:04 UTC"), x.Who, x.Why})
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "private, no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	_ = operatorPage.Execute(w, v) // or nobody is there any more
}

// counted are the values of a metric that are not zero, by their labels; one without labels
// in any case.
func (s *Server) counted(name string) (rows []operatorRow) {
	families, _ := s.counters.registry.Gather() // what could not be gathered is not shown
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue()
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+" "+l.GetValue())
			}
			if value != 0 || len(labels) == 0 {
				rows = append(rows, operatorRow{strings.Join(labels, ", "), int(value)})
			}
		}
	}
	return rows
}
