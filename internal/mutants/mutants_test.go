package mutants_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/internal/mutants"
)

// A house with a door. Its test knows that the wrong key and the wrong home are refused,
// and forgets that a key may have expired.
const door = `package door

import "errors"

type Writer struct{ b []byte }

func (w *Writer) Raw(p string) { w.b = append(w.b, p...) }

type Question struct{ Home, Camera string }

func Info(home, camera string) string {
	q := Question{Home: home, Camera: camera}
	var w Writer
	w.Raw(q.Home)
	w.Raw(q.Camera)
	return string(w.b)
}

func Opens(key, home string, day int) error {
	if day < 0 || key != "brass" {
		return errors.New("no")
	}
	if day > 30 {
		return errors.New("expired")
	}
	return lives(home)
}

func lives(home string) error {
	if home == "ours" {
		return nil
	}
	return errors.New("not here")
}

func Unlisted(a, b int) bool { return a == b }
`

const doorTest = `package door

import "testing"

func TestDoor(t *testing.T) {
	if Opens("brass", "ours", 1) != nil || Opens("tin", "ours", 1) == nil || Opens("brass", "theirs", 1) == nil || Opens("brass", "ours", -1) == nil {
		t.Error("the door is wrong")
	}
}

func TestInfo(t *testing.T) {
	if Info("a", "b") != "ab" {
		t.Error("the binding is wrong")
	}
}
`

func TestWhatNoTestNotices(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module house\n\ngo 1.26\n", "door/door.go": door, "door/door_test.go": doorTest} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var list strings.Builder
	c := mutants.Config{Root: root, Parallel: 2, Out: &list, Rooms: []mutants.Room{{
		Files: []string{"door/door.go Info Opens lives"}, Tests: []string{"door"}, Literals: []string{"Question"},
	}}}
	results, err := mutants.Run(t.Context(), c)
	if !errors.Is(err, mutants.ErrSurvived) {
		t.Fatalf("a test that forgets something: %v\n%s", err, &list)
	}
	fates := map[string]bool{}
	for _, r := range results {
		fates[r.Text+" "+r.Change] = r.Killer != ""
	}
	want := map[string]bool{
		"w.Raw(q.Home) is left out": true, "w.Raw(q.Camera) is left out": true,
		"Home: home is zero": true, "Camera: camera is zero": true,
		"day < 0 is false": true, `key != "brass" is false`: true,
		"day > 30 is true": true, "day > 30 is false": false,
		"lives(home) finds nothing wrong": true,
		`home == "ours" is true`:          true, `home == "ours" is false`: true,
	}
	for name, killed := range want {
		if got, made := fates[name]; !made || got != killed {
			t.Errorf("%s: made %t, killed %t, want %t", name, made, got, killed)
		}
	}
	if len(fates) != len(want) {
		t.Errorf("%d mutants, want %d:\n%s", len(fates), len(want), &list)
	}
	if !strings.Contains(list.String(), "day > 30: is false: SURVIVED") {
		t.Errorf("the list does not say who survived:\n%s", &list)
	}
	testEquivalents(t, c)
}

// testEquivalents: what is listed as changing nothing is no failure, unless a test
// notices it after all, or it is not there any more.
func testEquivalents(t *testing.T, c mutants.Config) {
	same := mutants.Equivalent{Key: "door/door.go Opens: day > 30: is false", Why: "nobody's key expires"}
	for _, c2 := range []struct {
		listed []mutants.Equivalent
		well   bool
	}{
		{[]mutants.Equivalent{same}, true},
		{[]mutants.Equivalent{same, {Key: "door/door.go Opens: day < 0: is false", Why: "wrong"}}, false},
		{[]mutants.Equivalent{same, {Key: "door/door.go Opens: gone: is false", Why: "stale"}}, false},
	} {
		c.Equivalents = c2.listed
		if _, err := mutants.Run(t.Context(), c); (err == nil) != c2.well {
			t.Errorf("with %v listed: %v", c2.listed, err)
		}
	}
}

func TestPlacesThatMoved(t *testing.T) {
	c := mutants.Config{Root: t.TempDir(), Out: &strings.Builder{}}
	if err := os.WriteFile(filepath.Join(c.Root, "door.go"), []byte(door), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"gone.go", "door.go Gone"} {
		c.Rooms = []mutants.Room{{Files: []string{file}}}
		if _, err := mutants.Run(t.Context(), c); err == nil {
			t.Errorf("%q is listed and not there, and nothing says so", file)
		}
	}
}
