package main

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/latchkey-cam/latchkey/drill/crossed"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// crossedCase is a drill of the program, or of one that lacks some of its checks.
type crossedCase struct {
	name  string
	cuts  []sabotage.Cut
	flags []string
	exit  int
	says  func(r crossed.Result) bool
}

// The comparisons that stand between a crossed answer and a page, one behind the other.
var (
	cutScope = sabotage.Cut{File: "bound/value.go", Old: "if string(r.scope) != q.Scope {", New: "if false {"}

	// What is kept of an object has one header, which is compared before; past the cache
	// the door is alone.
	cutKept = sabotage.Cut{File: "server/door.go", Old: "if d.kept == nil || q.Name.Kind == latchkey.Clip {", New: "if true {"}
	cutDoor = sabotage.Cut{File: "server/door.go", Old: "fault := compare(q.Name, x.row, object.Header)", New: "fault := archive.Delivered"}

	cutRequest = sabotage.Cut{File: "api/client.go", Old: "got != id && a.StatusCode < 500 {", New: "got != id && false {"}
	cutMAC     = sabotage.Cut{File: "api/client.go", Old: "if q.key != nil && !q.answered(a, b) {", New: "if false {"}
	cutHome    = sabotage.Cut{File: "api/client.go", Old: "	if asked != answered {", New: "	if false {"}

	cutBus   = sabotage.Cut{File: "bus/live.go", Old: "case m.Archive != own || m.Stream != of:", New: "case m.Archive != own:"}
	cutInlet = sabotage.Cut{File: "relay/inlet.go", Old: "if err := f.Stream.Answers(in.stream.of); err != nil {", New: "if err := f.Stream.Answers(in.stream.of); false && err != nil {"}

	cutSession = sabotage.Cut{File: "server/session.go", Old: "if in.session.Home != home || in.session.Secret != secret {", New: "if false {"}
	cutProof   = sabotage.Cut{File: "server/mac.go", Old: "		if check(k) {", New: "		if check(k) || true {"}
	cutDeeds   = sabotage.Cut{File: "server/titles.go", Old: "if d.Home != home || d.Seq != from+uint64(i) {", New: "if i < 0 {"}
	cutFold    = sabotage.Cut{File: "deed/fold.go", Old: "case Hash(deeds[0]) != home:", New: "case false:"}
)

func safe(r crossed.Result) bool {
	return r.Arms[3].ShownForeign == 0 && r.Arms[3].Shown > 0 && r.Arms[3].Crossed == 0
}
func crossing(r crossed.Result) bool { return r.Arms[3].Crossed > 0 }

var crossedCases = []crossedCase{
	{"genuine", nil, nil, 0, safe},
	{"no faults", nil, []string{"--faults", "none"}, 1, func(r crossed.Result) bool { return len(r.Reasons) == 3 }},
	{"scope not compared", []sabotage.Cut{cutScope}, nil, 1, func(r crossed.Result) bool { return r.Flood.Foreign > 0 }},
}

// What one check lets through the next one stops: only without all that stand in a row is
// a page given what is another's, and even then it does not open. Without any comparison
// of answers an owner may believe a removal that was never done, and whoever was to go is
// shown the home still.
var crossedLong = []crossedCase{
	{"objects not compared", []sabotage.Cut{cutKept, cutDoor}, nil, 1, crossing},
	{"answers not compared", []sabotage.Cut{cutRequest, cutMAC, cutHome}, nil, 1, crossing},
	{"MAC not compared", []sabotage.Cut{cutMAC}, nil, 0, safe},
	{"answers not compared but for the MAC", []sabotage.Cut{cutRequest, cutHome}, nil, 0, safe},
	{"sessions not compared", []sabotage.Cut{cutSession, cutProof}, nil, 0, safe},
	{"live fragments not compared", []sabotage.Cut{cutBus, cutInlet}, nil, 1, safe}, // is not noticed: a viewer is given what is of their run
	{"deeds not compared", []sabotage.Cut{cutDeeds, cutFold}, nil, 1, safe},         // does not heal
}

// TestDrillCrossedWires drills with the program as it is, which passes; without a fault,
// which proves nothing and fails; with a cache that does not compare whose value it is,
// which must fail; and in the long form without other checks.
func TestDrillCrossedWires(t *testing.T) {
	t.Parallel()
	cases := crossedCases
	if os.Getenv("LATCHKEY_LONG") != "" {
		cases = slices.Concat(crossedCases, crossedLong)
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // much of a drill is waiting
			var r crossed.Result
			out, exit := drilled(t, programWithout(t, tt.cuts...), &r, append([]string{"crossed-wires", "--homes", "64", "--reads", "100000", "--json"}, tt.flags...)...)
			if lacks := lacking(t, out); len(lacks) > 0 {
				t.Errorf("the figures lack %q", lacks)
			}
			t.Logf("%s: %q, %+v, in process %+v", r.Verdict, r.Reasons, r.Arms[3].Figures, r.Flood)
			if exit != tt.exit || r.Passed() != (tt.exit == 0) || !tt.says(r) {
				t.Errorf("exit code %d, verdict %s: %q", exit, r.Verdict, r.Reasons)
			}
		})
	}
}

// lacking are the members that are promised of the figures, and are not there.
func lacking(t *testing.T, text []byte) (names []string) {
	t.Helper()
	var all members
	var arms []members
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(all["arms"], &arms); err != nil {
		t.Fatal(err)
	}
	names = all.lack("homes", "reads", "faults", "seed", "arms", "verdict")
	for _, a := range arms {
		names = append(names, a.lack("name", "shown", "shown_foreign", "people_affected", "tapped", "noticed_ms", "healed_ms", "misses", "origin_reads")...)
	}
	return names
}

type members map[string]json.RawMessage

func (m members) lack(names ...string) []string {
	return slices.DeleteFunc(names, func(n string) bool {
		_, has := m[n]
		return has
	})
}
