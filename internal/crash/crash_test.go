package crash_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const program = `package main

import (
	"fmt"

	"github.com/latchkey-cam/latchkey/internal/crash"
)

func main() {
	for i := range 3 {
		crash.Point("other")
		fmt.Println("reached", i)
		crash.Point("here")
	}
}
`

// TestPoint builds a program with and without the tag and looks how far it comes.
func TestPoint(t *testing.T) {
	dir, err := os.MkdirTemp(".", "testdata-") // inside the module, so that it may import internal/crash
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		tags, crash string
		lines       int
		killed      bool
	}{
		{"", "here", 3, false},
		{"crashpoints", "", 3, false},
		{"crashpoints", "elsewhere", 3, false},
		{"crashpoints", "here", 1, true},
		{"crashpoints", "here:3", 3, true},
		{"crashpoints", "here:4", 3, false},
	} {
		binary := filepath.Join(t.TempDir(), "program")
		build := exec.Command("go", "build", "-tags", tt.tags, "-o", binary, "./"+dir)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		run := exec.Command(binary)
		run.Env = append(os.Environ(), "LATCHKEY_CRASH="+tt.crash)
		out, err := run.Output()
		if got := strings.Count(string(out), "\n"); got != tt.lines || (err != nil) != tt.killed {
			t.Errorf("tags %q, LATCHKEY_CRASH=%s: %d lines and %v, want %d and killed %t", tt.tags, tt.crash, got, err, tt.lines, tt.killed)
		}
		if tt.killed && !strings.Contains(err.Error(), "killed") {
			t.Errorf("LATCHKEY_CRASH=%s: ended by %v, want SIGKILL", tt.crash, err)
		}
	}
}
