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

// TestSwitched: programs that are built as one lack each what is cut out of it, and no more;
// where nothing is said, nothing is missing.
func TestSwitched(t *testing.T) {
	root := t.TempDir()
	write(t, root, "go.mod", "module house\n\ngo 1.26\n")
	write(t, root, "main.go", `package main

import "errors"

type door struct{ open bool }

// may has results with names, a label, and something that it defers.
func (d *door) may(people ...string) (who string, err error) {
	defer func() {
		if who != "" {
			who += "."
		}
	}()
search:
	for _, p := range people {
		for d.open {
			who = p
			break search
		}
		if p == "owner" {
			return p, nil
		}
	}
	if who == "" { // nobody
		return "", errors.New("refused")
	}
	return who, nil
}

func (d *door) knock(people ...string) {
	if len(people) > 1 {
		println("one at a time")
		return
	}
	who, err := d.may(people...)
	println(who, err != nil)
}

func main() {
	d := &door{}
	d.knock("guest", "owner")
	who, err := d.may("guest")
	println(who, err != nil)
}
`)
	overlay, err := sabotage.Switched(root, t.TempDir(), map[string][]sabotage.Cut{
		"anybody": {{File: "main.go", Old: "for d.open {", New: "for d.open || true {"}},
		"crowd":   {{File: "main.go", Old: "len(people) > 1", New: "false"}, {File: "main.go", Old: `p == "owner"`, New: `p != "owner"`}},
		"silence": {{File: "main.go", Old: `		println("one at a time")`, New: ""}},
	})
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "house")
	build := exec.Command("go", "build", "-overlay", overlay, "-o", program, ".")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, want := range map[string]string{
		"": "one at a time\n true", "nothing": "one at a time\n true", "silence": "true",
		"anybody": "one at a time\nguest. false", "crowd": "guest. false\nguest. false",
	} {
		run := exec.Command(program)
		run.Env = append(os.Environ(), sabotage.Switch+"="+name)
		if out, err := run.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("without %q it says %q, %v; want %q", name, out, err, want)
		}
	}
}

func TestSwitchedRefusesWhatItCannotSwitch(t *testing.T) {
	root := t.TempDir()
	write(t, root, "main.go", "package main // twice twice\n\nvar limit = 3\n\nfunc main() { println(limit) }\n")
	for _, old := range []string{"gone", "twice", "limit = 3", "main() { println"} {
		cut := sabotage.Cut{File: "main.go", Old: old, New: "x"}
		if _, err := sabotage.Switched(root, t.TempDir(), map[string][]sabotage.Cut{"x": {cut}}); err == nil {
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
