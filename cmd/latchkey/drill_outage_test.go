package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/drill/outage"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// TestDrillOutage has a fleet come back to the program as it is, which loses and crosses
// nothing, and to one that acknowledges what it has not kept, which must fail. How long it
// takes is for the drill to say, on a machine that does nothing else.
func TestDrillOutage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cuts []sabotage.Cut
		says func(r outage.Result) bool
	}{
		"genuine": {nil, func(r outage.Result) bool {
			return r.Back == r.Agents && r.Lost+r.Twice+r.Foreign+r.Misroutes == 0 && r.Arm.Name == outage.ArmOurs && r.Attempts >= 0.5 && r.Handshakes >= r.Agents/2 && len(r.Curve) > 1
		}},
		"acknowledged and not kept": {[]sabotage.Cut{{File: "server/upload.go", Old: "if err := s.index(a, file); err != nil {", New: "if err := error(nil); err != nil {"}}, func(r outage.Result) bool {
			return !r.Passed() && r.Lost > 0 && strings.Contains(strings.Join(r.Says, " "), "events are lost")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r outage.Result
			var all members
			var figures []byte
			var exit int
			program := programWithout(t, c.cuts...)
			for range 3 { // beside all other tests it may not come to its end
				var said string
				figures, exit, said = tried(t, program, "outage", "--agents", "120", "--outage", "2s", "--arm", "latchkey", "--json")
				if len(figures) > 0 {
					break
				}
				t.Logf("it could not be carried out:\n%s", said)
			}
			if err := errors.Join(json.Unmarshal(figures, &all), json.Unmarshal(figures, &r)); err != nil {
				t.Fatal(err)
			}
			want := []string{"agents", "capacity_per_s", "t50_s", "t95_s", "t99_s", "t100_s", "efficiency", "attempts_per_agent", "foreground_p99_ms", "lost_events", "shown_foreign", "arms", "verdict"}
			if lacks := all.lack(want...); len(lacks) > 0 {
				t.Errorf("the figures lack %q", lacks)
			}
			if !c.says(r) || (exit == 0) != r.Passed() {
				t.Errorf("exit code %d, verdict %s: %q; back %d of %d, lost %d, attempts %.2f, handshakes %d", exit, r.Verdict, r.Says, r.Back, r.Agents, r.Lost, r.Attempts, r.Handshakes)
			}
		})
	}
}
