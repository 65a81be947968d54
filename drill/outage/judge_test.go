package outage_test

import (
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/drill/outage"
)

// good is a drill that passes.
func good() outage.Result {
	at := func(s float64) *float64 { return &s }
	r := outage.Result{Agents: 1000, Capacity: 100, OverloadS: 10, Arm: outage.Arm{
		Name: outage.ArmOurs, Back: 1000, T50: at(6), T95: at(11), T99: at(11.5), T100: at(12), Efficiency: 0.86, Attempts: 1.5,
		Foreground: outage.Quantile{Before: 60, During: 110, After: 60},
	}}
	r.Arms = []outage.Arm{{Name: outage.ArmFixed, Back: 400, Attempts: 9, Foreground: outage.Quantile{During: 4000}, Failed: outage.Quantile{During: 3}}, r.Arm}
	return r
}

// TestVerdict: each promise that is not kept turns the verdict, and is named; what the arms
// without a gate do turns it only if somebody was given what is another's.
func TestVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *outage.Result)
		says   string // empty: it passes
	}{
		"all is well":                     {func(*outage.Result) {}, ""},
		"not played":                      {func(r *outage.Result) { r.Arm = outage.Arm{} }, "was not played"},
		"one is away":                     {func(r *outage.Result) { r.Arm.Back-- }, "1 of 1000 agents are not back"},
		"slow":                            {func(r *outage.Result) { r.Arm.Efficiency = 0.79 }, "the efficiency is 0.79"},
		"never":                           {func(r *outage.Result) { r.Arm.T95, r.Arm.Efficiency = nil, 0 }, "the efficiency is 0.00"},
		"few, and not quick":              {func(r *outage.Result) { r.OverloadS, r.Arm.Efficiency = 3, 0.6 }, ""},
		"few, and slow":                   {func(r *outage.Result) { r.OverloadS, r.Arm.Efficiency = 3, 0.4 }, "the efficiency is 0.40"},
		"again and again":                 {func(r *outage.Result) { r.Arm.Attempts = 2.6 }, "an agent tries 2.6 times"},
		"people wait":                     {func(r *outage.Result) { r.Arm.Foreground.During = 121 }, "people wait for 121 ms"},
		"people wait a moment":            {func(r *outage.Result) { r.Arm.Foreground = outage.Quantile{Before: 5, During: 99} }, ""},
		"somebody did not see their home": {func(r *outage.Result) { r.Arm.Failed.After = 1 }, "1 times somebody could not open"},
		"lost":                            {func(r *outage.Result) { r.Arm.Lost = 1 }, "1 events are lost"},
		"there twice":                     {func(r *outage.Result) { r.Arm.Twice = 1 }, "1 events are there twice"},
		"crossed":                         {func(r *outage.Result) { r.Arms[1].Foreign = 1 }, "latchkey: something of another home"},
		"crossed where there is no gate":  {func(r *outage.Result) { r.Arms[0].Foreign = 1 }, "fixed: something of another home"},
	} {
		t.Run(name, func(t *testing.T) {
			r := good()
			c.change(&r)
			r.Judge()
			if c.says == "" {
				if !r.Passed() || len(r.Says) > 0 {
					t.Errorf("it fails: %v", r.Says)
				}
				return
			}
			if r.Passed() || len(r.Says) != 1 || !strings.Contains(r.Says[0], c.says) {
				t.Errorf("passed: %t, it says %q, want %q", r.Passed(), r.Says, c.says)
			}
		})
	}
}
