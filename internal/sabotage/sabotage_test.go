package sabotage_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

func TestOverlayRemovesACheck(t *testing.T) {
	root := t.TempDir()
	write(t, root, "go.mod", "module house\n\ngo 1.26\n")
	write(t, root, "main.go", "package main\n\nfunc main() {\n\tif allowed := false; !allowed {\n\t\tprintln(\"refused\")\n\t\treturn\n\t}\n\tprintln(\"shown\")\n}\n")
	overlay, err := sabotage.Overlay(root, t.TempDir(), sabotage.Cut{File: "main.go", Old: "!allowed {", New: "allowed {"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want  string
		flags []string
	}{{"refused", nil}, {"shown", []string{"-overlay", overlay}}} {
		run := exec.Command("go", append(append([]string{"run"}, c.flags...), ".")...)
		run.Dir = root
		if out, err := run.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != c.want {
			t.Errorf("go run %v says %q, %v; want %q", c.flags, out, err, c.want)
		}
	}
}

func TestOverlayRefusesSourceThatMovedOn(t *testing.T) {
	root := t.TempDir()
	write(t, root, "main.go", "package main // twice twice\n")
	for _, old := range []string{"gone", "twice"} {
		if _, err := sabotage.Overlay(root, t.TempDir(), sabotage.Cut{File: "main.go", Old: old, New: "x"}); err == nil {
			t.Errorf("a control that replaces %q would be none, and is accepted", old)
		}
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
