package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/latchkey-cam/latchkey/drill"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// programWithout is the program without some of its checks; with all of them it is the
// one that the scripts run.
func programWithout(t *testing.T, cuts ...sabotage.Cut) string {
	t.Helper()
	if len(cuts) == 0 {
		return "latchkey"
	}
	overlay, err := sabotage.Overlay("../..", t.TempDir(), cuts...)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "latchkey")
	if out, err := exec.Command("go", "build", "-overlay", overlay, "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// drilled runs a drill of a program, reads its figures into r, and returns them as they are
// printed too, and the exit code.
func drilled(t *testing.T, program string, r any, args ...string) (figures []byte, exit int) {
	t.Helper()
	figures, exit, said := tried(t, program, args...)
	if err := json.Unmarshal(figures, r); err != nil {
		t.Fatalf("%v: %q\n%s", err, figures, said)
	}
	return figures, exit
}

// tried runs a drill, and returns what it prints, its exit code and what it says beside.
func tried(t *testing.T, program string, args ...string) (figures []byte, exit int, said string) {
	t.Helper()
	run := exec.Command(program, append([]string{"drill"}, args...)...)
	run.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	var told bytes.Buffer
	run.Stderr = &told
	figures, err := run.Output()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return figures, run.ProcessState.ExitCode(), told.String()
}

// TestDrillRevoke drills with the program as it is, which passes, and with one that does
// not cut, which must fail, by its verdict and its exit code.
func TestDrillRevoke(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		cuts    []sabotage.Cut
		exit    int
		verdict string
		tries   int // a machine that does much else at the same time stands still now and then
	}{
		{"genuine", nil, 0, "pass", 4},
		{"sabotaged", []sabotage.Cut{{File: "server/cut.go", Old: "if !gone(o) {", New: "if true {"}}, 1, "fail", 1},
	} {
		program := programWithout(t, tt.cuts...)
		var r drill.Revocation
		exit, again := -1, 3
		for tries := tt.tries; tries > 0; tries-- {
			var figures []byte
			var said string
			r = drill.Revocation{}
			figures, exit, said = tried(t, program, "revoke", "--revocations", "20", "--goal", "1s", "--json")
			if err := json.Unmarshal(figures, &r); err != nil && again > 0 { // it could not be carried out
				t.Logf("%s: %v, %s", tt.name, err, said)
				again--
				tries++
				continue
			}
			if exit == tt.exit {
				break
			}
		}
		if exit != tt.exit || r.Verdict != tt.verdict || r.Revocations != 20 || (tt.verdict == "fail") != (r.BytesAfterBound > 0) {
			t.Errorf("%s: exit code %d, %+v", tt.name, exit, r)
		}
	}
}
