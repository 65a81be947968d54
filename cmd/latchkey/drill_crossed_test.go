package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/latchkey-cam/latchkey/drill/crossed"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// TestDrillCrossedWires drills with the program as it is, which passes; without a fault,
// which proves nothing and fails; and with a cache that does not compare whose value it
// is, which must fail.
func TestDrillCrossedWires(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		cuts  []sabotage.Cut
		flags []string
		exit  int
		says  func(r crossed.Result) bool
	}{
		{"genuine", nil, nil, 0, func(r crossed.Result) bool { return r.Arms[3].ShownForeign == 0 && r.Arms[3].Shown > 0 }},
		{"no faults", nil, []string{"--faults", "none"}, 1, func(r crossed.Result) bool { return len(r.Reasons) == 3 }},
		{"scope not compared", []sabotage.Cut{{
			File: "bound/value.go", Old: "if string(r.scope) != q.Scope {", New: "if false {",
		}}, nil, 1, func(r crossed.Result) bool { return r.Flood.Foreign > 0 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // much of a drill is waiting
			args := []string{"build", "-o", filepath.Join(t.TempDir(), "latchkey")}
			if tt.cuts != nil {
				overlay, err := sabotage.Overlay("../..", t.TempDir(), tt.cuts...)
				if err != nil {
					t.Fatal(err)
				}
				args = append(args, "-overlay", overlay)
			}
			if out, err := exec.Command("go", append(args, ".")...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			run := exec.Command(args[2], append([]string{"drill", "crossed-wires", "--homes", "64", "--reads", "100000", "--json"}, tt.flags...)...)
			run.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
			var told bytes.Buffer
			run.Stderr = &told
			out, err := run.Output()
			if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
				t.Fatal(err)
			}
			var r crossed.Result
			if err := json.Unmarshal(out, &r); err != nil {
				t.Fatalf("%v: %q\n%s", err, out, &told)
			}
			t.Logf("%s: %q, %+v, in process %+v", r.Verdict, r.Reasons, r.Arms[3].Figures, r.Flood)
			if exit := run.ProcessState.ExitCode(); exit != tt.exit || r.Passed() != (tt.exit == 0) || !tt.says(r) {
				t.Errorf("exit code %d, verdict %s: %q", exit, r.Verdict, r.Reasons)
			}
		})
	}
}
