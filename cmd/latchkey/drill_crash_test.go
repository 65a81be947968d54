package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
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
	{"genuine", nil, 100, 0, unharmed},
	{"commits that are not synced", []sabotage.Cut{{File: "archive/sqlite.go", Old: `"synchronous(full)"`, New: `"synchronous(normal)"`}}, 40, 1, harmed},
	{"files that are not synced", []sabotage.Cut{{File: "internal/durable/durable.go", Old: "if err := f.Sync(); err != nil {", New: "if err := error(nil); err != nil {"}}, 40, 1, harmed},
	{"restores that close nothing", []sabotage.Cut{{File: "archive/restore.go", Old: "UPDATE homes SET closed = 1", New: "UPDATE homes SET closed = 0"}}, 60, 1, harmed},
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
			run := exec.Command(programWithout(t, tt.cuts...), "drill", "crash", "--trials", strconv.Itoa(tt.trials), "--json")
			run.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
			var told bytes.Buffer
			run.Stderr = &told
			out, err := run.Output()
			if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
				t.Fatal(err)
			}
			var r crash.Result
			var all members
			if err := errors.Join(json.Unmarshal(out, &r), json.Unmarshal(out, &all)); err != nil {
				t.Fatalf("%v: %q\n%s", err, out, &told)
			}
			if lacks := all.lack("trials", "acked_lost", "duplicates", "disagreements", "revocations_back", "verdict"); len(lacks) > 0 {
				t.Errorf("the figures lack %q", lacks)
			}
			t.Logf("%+v", r)
			if exit := run.ProcessState.ExitCode(); exit != tt.exit || r.Passed() != (tt.exit == 0) || !tt.says(r) {
				t.Errorf("exit code %d, verdict %s: %q", exit, r.Verdict, r.Says)
			}
		})
	}
}
