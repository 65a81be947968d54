package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/latchkey-cam/latchkey/drill/outage"
)

// Outage writes the page of a drill of an outage.
func Outage(w io.Writer, r outage.Result, run Run) error {
	return write(w, "outage.html", outagePage{Result: r, Run: run, Chart: curves(r)})
}

// outagePage is what the template shows.
type outagePage struct {
	outage.Result
	Run   Run
	Chart curveChart
}

// Least is how long 95 of 100 would take one after the other.
func (p outagePage) Least() float64 { return 0.95 * p.OverloadS }

// curveChart is how many were back over time, in all arms.
type curveChart struct {
	Lines []curve
	Ideal curve
	Ticks []tick // of time
	Grid  []tick // of agents
	Says  string // for who does not see it
}

// curve is one arm's.
type curve struct {
	Name   string // of the arm
	Points string // of a polyline
	X, Y   float64
}

// curves draws as much time as the slowest arm took, but no more than four times what the
// quickest did: what comes later is a line that stays where it is.
func curves(r outage.Result) curveChart {
	last, quickest := 0., math.Inf(1)
	for _, a := range r.Arms {
		if n := len(a.Curve); n > 0 {
			last = max(last, a.Curve[n-1].Seconds)
		}
		if a.T95 != nil {
			quickest = min(quickest, *a.T95)
		}
	}
	last = max(1, min(last, 4*max(quickest, r.OverloadS)))
	plot, high := chartWidth-left-right, chartHeight-top-bottom
	at := func(seconds float64, back int) (x, y float64) {
		return round(left + min(seconds/last, 1)*plot), round(chartHeight - bottom - float64(back)/float64(max(r.Agents, 1))*high)
	}
	line := func(name string, points []outage.Point) curve {
		c := curve{Name: name}
		var b strings.Builder
		for _, p := range points {
			if p.Seconds > last {
				break
			}
			c.X, c.Y = at(p.Seconds, p.Back)
			fmt.Fprintf(&b, "%g,%g ", c.X, c.Y)
		}
		c.Points = strings.TrimSpace(b.String())
		return c
	}
	c := curveChart{Ideal: line("ideal", []outage.Point{{Seconds: 0, Back: 0}, {Seconds: r.OverloadS, Back: r.Agents}})}
	for _, a := range r.Arms {
		c.Lines = append(c.Lines, line(a.Name, a.Curve))
	}
	step := float64(niceAbove(int64(math.Ceil(last/5*10)))) / 10
	for s := 0.; s <= last; s += step {
		x, _ := at(s, 0)
		c.Ticks = append(c.Ticks, tick{x, chartHeight - bottom, trim(s) + " s"})
	}
	for _, share := range []float64{0, 0.5, 1} {
		n := int(share * float64(r.Agents))
		_, y := at(0, n)
		c.Grid = append(c.Grid, tick{left, y, count(n)})
	}
	c.Says = fmt.Sprintf("How many of %s agents were back, over %s seconds.", count(r.Agents), trim(last))
	return c
}

// seconds is a time in words.
func seconds(s *float64) string {
	if s == nil {
		return "never"
	}
	return fmt.Sprintf("%.1f s", *s)
}
