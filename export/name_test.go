package export

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestPart(t *testing.T) {
	for name, want := range map[string]string{
		"Front door":                    "front-door",
		"  Front -- door!  ":            "front-door",
		"Haustür":                       "haustür",
		"Haustu\u0308r":                 "haustür",
		"../../etc/passwd":              "etc-passwd",
		`..\..\Windows`:                 "windows",
		"/":                             "camera",
		".":                             "camera",
		"..":                            "camera",
		"":                              "camera",
		"CON":                           "con-camera",
		"com1":                          "com1-camera",
		"COM\u00b9":                     "com1-camera",
		"lpt9.txt":                      "lpt9-txt",
		"nul":                           "nul-camera",
		"C:":                            "c",
		"a\x00b":                        "a-b",
		"a\u202eb\u200b":                "ab",
		"玄関":                            "玄関",
		"🚪":                             "camera",
		"\u0301":                        "camera",
		"\xff\xfe":                      "camera",
		"index.html":                    "index-html",
		strings.Repeat("a", 100):        strings.Repeat("a", 48),
		strings.Repeat("ü", 100):        strings.Repeat("ü", 24),
		strings.Repeat("a", 47) + " bc": strings.Repeat("a", 47),
	} {
		if got := part(name, "camera"); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

func TestFree(t *testing.T) {
	taken := map[string]bool{}
	for _, c := range []struct{ s, want string }{
		{"door", "door"}, {"door", "door 2"}, {"Door", "Door 3"}, {"straße", "straße"}, {"yard", "yard"}, {"ſ", "ſ"}, {"s", "s 2"},
	} {
		got := free(c.s, taken)
		if got != c.want {
			t.Errorf("%q is %q, want %q", c.s, got, c.want)
		}
		taken[same(got)] = true
	}
}

// FuzzPart: whatever a camera is called, it is one folder in the folder where it should
// be, on any system.
func FuzzPart(f *testing.F) {
	for _, s := range []string{"Front door", "../..", "CON", "a/b", `a\b`, "a:b", ".", "", "\xff", "ﬁ", "K", "ẞ", "com¹", strings.Repeat("é", 90), "a\u0301\u202e", "a\u200b\u0301", "İ"} {
		f.Add(s)
	}
	root := f.TempDir()
	f.Fuzz(func(t *testing.T, name string) {
		s := part(name, "camera")
		if s == "" || len(s) > maxPart+len("-camera") || !utf8.ValidString(s) || !filepath.IsLocal(s) || strings.Trim(s, " .-") != s || reserved(s) {
			t.Fatalf("%q is %q", name, s)
		}
		for _, r := range s {
			if r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
				t.Fatalf("%q is %q, with %q", name, s, r)
			}
		}
		if norm.NFC.String(s) != s {
			t.Fatalf("%q is %q, which another system spells another way", name, s)
		}
		folder := filepath.Join(root, s)
		if filepath.Dir(folder) != root {
			t.Fatalf("%q leads to %s", name, folder)
		}
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(folder); err != nil {
			t.Fatal(err)
		}
	})
}
