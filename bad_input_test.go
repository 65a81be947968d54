package latchkey_test

import (
	"fmt"
	"go/ast"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// promises is how many kinds of bad input docs/bad-input.md has a row for.
const promises = 32

// unproved returns a sentence for each row of the page that is missing, says nothing,
// or names no test or one that is not there.
func unproved(page string, tests map[string]bool) (found []string) {
	var rows []int
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+|Fuzz[A-Za-z0-9]+)`")
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.ReplaceAll(line, `\|`, ""), "|")
		if len(cells) != 6 {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(cells[1]))
		if err != nil {
			continue
		}
		rows = append(rows, n)
		if strings.TrimSpace(cells[2]) == "" || strings.TrimSpace(cells[3]) == "" {
			found = append(found, fmt.Sprintf("row %d does not say what comes or what Latchkey does", n))
		}
		names := named.FindAllStringSubmatch(cells[4], -1)
		if len(names) == 0 {
			found = append(found, fmt.Sprintf("row %d names no test", n))
		}
		for _, m := range names {
			if !tests[m[1]] {
				found = append(found, fmt.Sprintf("row %d names %s, which is not there", n, m[1]))
			}
		}
	}
	for n := 1; n <= promises; n++ {
		if !slices.Contains(rows, n) {
			found = append(found, fmt.Sprintf("row %d is missing", n))
		}
	}
	if len(rows) != promises || !slices.IsSorted(rows) {
		found = append(found, fmt.Sprintf("the rows are %v, want 1 to %d", rows, promises))
	}
	return found
}

// TestBadInputIsProved holds docs/bad-input.md against the tests that it names.
func TestBadInputIsProved(t *testing.T) {
	page, err := os.ReadFile("docs/bad-input.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for name, f := range build(t, os.DirFS(".")).files {
		if strings.HasSuffix(name, "_test.go") {
			for _, decl := range f.Decls {
				if d, ok := decl.(*ast.FuncDecl); ok && d.Recv == nil {
					tests[d.Name.Name] = true
				}
			}
		}
	}
	for _, sentence := range unproved(string(page), tests) {
		t.Errorf("docs/bad-input.md: %s", sentence)
	}
}

// TestBadInputIsProvedNotices breaks the page and wants the sentence.
func TestBadInputIsProvedNotices(t *testing.T) {
	var page strings.Builder
	for n := 1; n <= promises; n++ {
		fmt.Fprintf(&page, "| %d | it comes | it is met | `TestIt` |\n", n)
	}
	whole, tests := page.String(), map[string]bool{"TestIt": true}
	if found := unproved(whole, tests); len(found) != 0 {
		t.Fatalf("a whole page: %q", found)
	}
	for name, broken := range map[string]string{
		"a row less":        strings.Replace(whole, "| 7 | it comes | it is met | `TestIt` |\n", "", 1),
		"a row twice":       whole + "| 7 | it comes | it is met | `TestIt` |\n",
		"no test":           strings.Replace(whole, "`TestIt`", "", 1),
		"a test of no name": strings.Replace(whole, "`TestIt`", "`TestThat`", 1),
		"nothing done":      strings.Replace(whole, "it is met", "", 1),
	} {
		if found := unproved(broken, tests); len(found) == 0 {
			t.Errorf("%s is not noticed", name)
		}
	}
}
