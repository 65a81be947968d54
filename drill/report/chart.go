package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/latchkey-cam/latchkey/drill/crossed"
)

// The drawing of a chart, in its own units.
const (
	chartWidth, chartHeight = 420., 190.
	left, right             = 44., 8.
	top, bottom             = 14., 30.
	outageShare             = 0.12 // of the time axis is before everybody comes back
	mostBins                = 120
)

// chart is what viewers of one arm were shown over time.
type chart struct {
	Arm     string
	Control bool
	Total   int64
	Bars    []bar
	Outage  bar     // while nothing answered
	Zero    float64 // where everybody comes back, and y of the axis
	Ticks   []tick  // of time
	Grid    []tick  // of pictures
	Says    string  // for who does not see it
}

type bar struct{ X, Y, W, H float64 }

type tick struct {
	X, Y float64
	Text string
}

// charts draws all arms on one scale: a small leak shall look small beside a large one.
func charts(arms []crossed.Arm) []chart {
	var last, most int64
	for _, a := range arms {
		for _, m := range a.OverTime {
			if m.ShownForeign > 0 {
				last = max(last, m.MS)
			}
		}
	}
	last = max(last+crossed.MomentMS, 1000)
	width := int64(math.Ceil(float64(last)/mostBins/crossed.MomentMS)) * crossed.MomentMS // of a bin
	bins := make([][]int64, len(arms))
	for i, a := range arms {
		bins[i] = make([]int64, (last+width-1)/width)
		for _, m := range a.OverTime {
			if m.MS < last {
				bins[i][m.MS/width] += m.ShownForeign
				most = max(most, bins[i][m.MS/width])
			}
		}
	}
	var all []chart
	for i, a := range arms {
		all = append(all, draw(a, bins[i], width, niceAbove(most)))
	}
	return all
}

func draw(a crossed.Arm, bins []int64, width, most int64) chart {
	plot, high := chartWidth-left-right, chartHeight-top-bottom
	c := chart{Arm: called(a.Name), Control: a.Control, Total: a.ShownForeign, Zero: left + outageShare*plot}
	each := (1 - outageShare) * plot / float64(len(bins))
	c.Outage = bar{left, top, outageShare * plot, high}
	for i, n := range bins {
		if n > 0 {
			h := max(1.5, high*float64(n)/float64(most)) // one picture is seen
			c.Bars = append(c.Bars, bar{round(c.Zero + float64(i)*each), round(chartHeight - bottom - h), round(max(1, each-0.6)), round(h)})
		}
	}
	seconds := float64(width) * float64(len(bins)) / 1000
	step := float64(niceAbove(int64(math.Ceil(seconds/5*10)))) / 10
	for s := 0.; s <= seconds; s += step {
		c.Ticks = append(c.Ticks, tick{round(c.Zero + s/seconds*(1-outageShare)*plot), chartHeight - bottom, trim(s) + " s"})
	}
	for _, share := range []float64{0, 0.5, 1} {
		c.Grid = append(c.Grid, tick{left, round(chartHeight - bottom - share*high), trim(share * float64(most))})
	}
	c.Says = fmt.Sprintf("%s: %s strangers' pictures shown in all, in the %s seconds after everybody came back.", c.Arm, count(a.ShownForeign), trim(seconds))
	return c
}

// niceAbove is the next number of one figure, or of one and a half, that people like to
// read on an axis.
func niceAbove(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, m := range []int64{1, 2, 4, 6, 8} {
			if m*unit >= n {
				return m * unit
			}
		}
	}
}

func round(x float64) float64 { return math.Round(x*10) / 10 }

func trim(x float64) string {
	text := strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0")
	if x >= 1000 {
		return count(int64(x))
	}
	return text
}
