package main

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/latchkey-cam/latchkey/drill/crash"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// crashCase is a drill of the program, or of one that does not care for its disk in a way.
type crashCase struct {
	name   string
	cuts   []sabotage.Cut
	trials int
	exit   int
	says   func(r crash.Result) bool
}

func unharmed(r crash.Result) bool {
	return r.AckedLost+r.Duplicates+r.Disagreements+r.RevocationsBack+r.Broken == 0 && r.Acked > 0 && r.Restored > 0
}
func harmed(r crash.Result) bool { return !unharmed(r) }

var crashCases = []crashCase{
	{"genuine", nil, 60, 0, unharmed},
	{"commits that are not synced", []sabotage.Cut{{File: "archive/sqlite.go", Old: `"synchronous(full)"`, New: `"synchronous(normal)"`}}, 40, 1, harmed},
	{"files that are not synced", []sabotage.Cut{{File: "internal/durable/durable.go", Old: "if err := f.Sync(); err != nil {", New: "if err := error(nil); err != nil {"}}, 40, 1, harmed},
	{"restores that close nothing", []sabotage.Cut{{File: "archive/restore.go", Old: "UPDATE homes SET closed = 1", New: "UPDATE homes SET closed = 0"}}, 40, 1, harmed},
}

// In the long form as many trials as are promised, and what few trials would not show.
var crashLong = []crashCase{
	{"genuine, long", nil, 10_000, 0, unharmed},
	{"a log that is not written anew", []sabotage.Cut{{File: "archive/sqlite.go", Old: `err = anew(ctx, db, folder, path.Base(filepath.ToSlash(file))+"-wal")`, New: `err, _, _ = nil, path.Base, filepath.ToSlash`}}, 1000, 1, harmed},
	{"an upload that is synced once more", []sabotage.Cut{{File: "blob/staging.go", Old: "err = errors.Join(err, s.restart(sealed.File{Header: s.header}.Bytes()))", New: ""}}, 1000, 1, harmed},
}

// TestDrillCrash drills with the program as it is, which passes, and with programs that
// lack a step on the way to the disk, which must fail.
func TestDrillCrash(t *testing.T) {
	t.Parallel()
	cases := crashCases
	if os.Getenv("LATCHKEY_LONG") != "" {
		cases = append(cases, crashLong...)
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var r crash.Result
			figures, exit := drilled(t, programWithout(t, tt.cuts...), &r, "crash", "--trials", strconv.Itoa(tt.trials), "--json")
			var all members
			if err := json.Unmarshal(figures, &all); err != nil {
				t.Fatal(err)
			}
			if lacks := all.lack("trials", "acked_lost", "duplicates", "disagreements", "revocations_back", "verdict"); len(lacks) > 0 {
				t.Errorf("the figures lack %q", lacks)
			}
			t.Logf("%+v", r)
			if exit != tt.exit || r.Passed() != (tt.exit == 0) || !tt.says(r) {
				t.Errorf("exit code %d, verdict %s: %q", exit, r.Verdict, r.Says)
			}
		})
	}
}
