// Package report writes what came of a drill as one page for people: a file of HTML that
// holds everything it shows, reaches for nothing and runs nothing, in light, in dark and on
// paper.
package report

import (
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/latchkey-cam/latchkey/drill/crossed"
)

//go:embed page.html outage.html style.css
var files embed.FS

// Run is what a result does not say of how it came about.
type Run struct {
	Command string // that repeats it
	Made    time.Time
	Version string // of the program
}

// HTML writes the page of a drill of crossed wires.
func HTML(w io.Writer, r crossed.Result, run Run) error {
	return write(w, "page.html", view(r, run))
}

func write(w io.Writer, name string, view any) error {
	t, err := template.New(name).Funcs(template.FuncMap{"count": count, "took": took, "called": called, "seconds": seconds}).ParseFS(files, name, "style.css")
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := t.Execute(w, view); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// page is what the template shows.
type page struct {
	crossed.Result
	Run      Run
	Ours     *crossed.Arm // nil if the drill had no arm of Latchkey's
	Strayed  int64        // strangers' pictures in the control arms
	Affected int          // people in the control arms
	Bound    string       // on the chance that a picture is a stranger's, empty if one was
	Charts   []chart
	Kinds    []kind
	Largest  int64 // number in the kinds
}

func view(r crossed.Result, run Run) page {
	p := page{Result: r, Run: run, Charts: charts(r.Arms), Kinds: kinds(r.Arms)}
	for i, a := range r.Arms {
		if a.Control {
			p.Strayed += a.ShownForeign
			p.Affected += a.PeopleAffected
			continue
		}
		p.Ours = &r.Arms[i]
		if a.Shown > 0 && a.ShownForeign == 0 {
			p.Bound = oneIn(float64(a.Shown) / 3)
		}
	}
	for _, k := range p.Kinds {
		for _, c := range k.Cells {
			p.Largest = max(p.Largest, c.Foreign)
		}
	}
	for _, k := range p.Kinds {
		for i := range k.Cells {
			k.Cells[i].Width = width(k.Cells[i].Foreign, p.Largest)
		}
	}
	return p
}

// kind is one fault in all arms.
type kind struct {
	ID, Name, Says string
	Homes          int // that came back, in each arm
	Injected       int64
	Cells          []cell // one for each arm, in their order
}

// cell is what came of a fault in an arm.
type cell struct {
	Arm     string
	Control bool
	Played  bool // the arm has a place for it, and it was put in there
	Foreign int64
	Crashes int64
	Width   float64 // of the bar, per cent
}

// kinds are the scenes of all arms side by side, in the order in which they were played.
// An arm that has several clients has a scene for each: they are added up.
func kinds(arms []crossed.Arm) []kind {
	var all []kind
	for i, a := range arms {
		for _, s := range a.Scenes {
			at := slices.IndexFunc(all, func(k kind) bool { return k.ID == s.Fault && k.Says == s.Says })
			if at < 0 {
				at = len(all)
				all = append(all, kind{ID: s.Fault, Name: s.Name, Says: s.Says, Homes: s.Homes, Cells: make([]cell, len(arms))})
				for j, other := range arms {
					all[at].Cells[j].Arm, all[at].Cells[j].Control = other.Name, other.Control
				}
			}
			c := &all[at].Cells[i]
			c.Played = c.Played || s.Injected > 0
			c.Foreign, c.Crashes = c.Foreign+s.ShownForeign, c.Crashes+s.Crashes
			all[at].Injected += s.Injected
		}
	}
	slices.SortStableFunc(all, func(a, b kind) int { return cmp.Compare(order(a.ID), order(b.ID)) })
	return all
}

// order is the number in a fault's ID, 0 for the outage alone.
func order(id string) int {
	n, err := strconv.Atoi(id[min(1, len(id)):])
	if err != nil {
		return 0
	}
	return n
}

// width makes a bar of a number: on a logarithmic scale, because one picture must be
// seen beside ten thousand.
func width(n, most int64) float64 {
	if n <= 0 || most <= 0 {
		return 0
	}
	return math.Round(1000*math.Log1p(float64(n))/math.Log1p(float64(most))) / 10
}

func count(n any) string {
	switch n := n.(type) {
	case int:
		return humanize.Comma(int64(n))
	case int64:
		return humanize.Comma(n)
	}
	return fmt.Sprint(n)
}

// called is what people read instead of an arm's name.
func called(arm string) string {
	switch arm {
	case crossed.Arm2024:
		return "A cloud of 2024"
	case crossed.ArmStamp:
		return "The same, stamped"
	case crossed.ArmClients:
		return "Cache clients alone"
	case crossed.ArmOurs:
		return "Latchkey"
	}
	return arm
}

// took is a time in words.
func took(ms *float64) string {
	switch {
	case ms == nil:
		return "never"
	case *ms < 10:
		return fmt.Sprintf("%.1f ms", *ms)
	case *ms < 1000:
		return fmt.Sprintf("%.0f ms", *ms)
	}
	return fmt.Sprintf("%.1f s", *ms/1000)
}

// oneIn is a number with two figures that mean something.
func oneIn(n float64) string {
	if n < 10 {
		return fmt.Sprintf("%.1f", n)
	}
	unit := math.Pow(10, math.Floor(math.Log10(n))-1)
	return humanize.Comma(int64(math.Floor(n/unit) * unit))
}
