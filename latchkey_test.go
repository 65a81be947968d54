package latchkey_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/latchkey-cam/latchkey"
	"pgregory.net/rapid"
)

func TestIdentifiersHaveOneSpelling(t *testing.T) {
	id := latchkey.NewCameraID()
	text := id.String()
	back, err := latchkey.ParseCameraID(text)
	if err != nil || back != id {
		t.Fatalf("ParseCameraID(%q) = %v, %v; want %v", text, back, err, id)
	}
	spare := text[:len(text)-1] + "b" // 16 bytes leave two bits of the last letter unused
	for _, other := range []string{"", strings.ToUpper(text), text + "=", text + "a", text[1:], spare, "../" + text[3:], text[:25] + "\x00"} {
		if _, err := latchkey.ParseCameraID(other); err == nil {
			t.Errorf("ParseCameraID(%q) is taken, though %q is the only spelling", other, text)
		}
	}
}

func TestIdentifiersInJSON(t *testing.T) {
	type row struct {
		Home latchkey.HomeID `json:"home"`
	}
	want := row{latchkey.HomeID{1, 2, 3}}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got row
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := json.Unmarshal([]byte(`{"home":"aa"}`), &got); err == nil {
		t.Error("a home's ID of two letters is taken")
	}
}

func drawName(t *rapid.T) latchkey.Name {
	n := latchkey.Name{
		Day:  latchkey.Time(rapid.Uint64Range(0, latchkey.MaxInt).Draw(t, "time")).Day(),
		Kind: latchkey.Kind(rapid.IntRange(1, 3).Draw(t, "kind")),
	}
	copy(n.Home[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "home"))
	copy(n.Camera[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "camera"))
	copy(n.Object[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "object"))
	return n
}

func TestNamesAreReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawName(t)
		got, err := latchkey.ParseName(want.String())
		if err != nil || got != want {
			t.Fatalf("ParseName(%q) = %v, %v", want, got, err)
		}
	})
}

func FuzzParseName(f *testing.F) {
	n := latchkey.Name{Home: latchkey.HomeID{7}, Day: "2026-02-28", Kind: latchkey.Clip}
	for _, seed := range []string{n.String(), "", "v1/", "v2" + n.String()[2:], n.String() + "/", strings.ReplaceAll(n.String(), "2026-02-28", "2026-02-30"), strings.ReplaceAll(n.String(), "/", "//"), "v1/../../../../.."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := latchkey.ParseName(s); err == nil && n.String() != s {
			t.Errorf("%q is taken for %q", s, n)
		}
	})
}

func TestTime(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want latchkey.Time
		day  latchkey.Day
	}{
		{time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC), 0, "1970-01-01"},
		{time.Date(2024, 2, 29, 23, 59, 59, 999999000, time.UTC), 1709251199999999, "2024-02-29"},
		{time.Date(2024, 3, 1, 0, 30, 0, 0, time.FixedZone("", 3600)), 1709249400000000, "2024-02-29"},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), latchkey.MaxInt, "2255-06-05"},
	} {
		if got := latchkey.TimeOf(c.at); got != c.want || got.Day() != c.day {
			t.Errorf("TimeOf(%v) = %d on %s, want %d on %s", c.at, got, got.Day(), c.want, c.day)
		}
	}
}

// TestWordsExist holds the last column of docs/words.md against the code.
func TestWordsExist(t *testing.T) {
	page, err := os.ReadFile("docs/words.md")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, m := range regexp.MustCompile("`([a-z]+)\\.([A-Z][A-Za-z]+)` \\|\n").FindAllStringSubmatch(string(page), -1) {
		count++
		if !declares(t, m[1], m[2]) {
			t.Errorf("docs/words.md speaks of %s.%s, which is not there", m[1], m[2])
		}
	}
	if count < 15 {
		t.Errorf("docs/words.md names %d Go types: has its table changed its form?", count)
	}
}

func declares(t *testing.T, pkg, name string) bool {
	decl := regexp.MustCompile(`(?m)^(type |\t)` + name + ` `)
	for _, pattern := range []string{pkg + "/*.go", "agent/" + pkg + "/*.go", pkg + ".go", "identifiers.go", "sighting.go"} {
		for _, file := range glob(t, pattern) {
			if src, err := os.ReadFile(filepath.FromSlash(file)); err == nil && decl.Match(src) {
				return true
			}
		}
	}
	return false
}
