package latchkey_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// The rules of the house that a machine can check. Each is a test with a sentence for
// its failure. Exceptions are in the lists below, each with its reason.

// longFiles may have more than 500 lines.
var longFiles = map[string]string{}

// longFunctions may have more than 60 lines.
var longFunctions = map[string]string{}

// wideInterfaces may have more than five methods.
var wideInterfaces = map[string]string{}

const module = "github.com/latchkey-cam/latchkey"

// house is the parsed source of the project.
type house struct {
	fset  *token.FileSet
	files map[string]*ast.File // by slash-separated path
	lines map[string]int
}

// build parses every Go file of tree but those below web/node_modules.
func build(t *testing.T, tree fs.FS) *house {
	t.Helper()
	h := &house{token.NewFileSet(), map[string]*ast.File{}, map[string]int{}}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if d.IsDir() && (base == "node_modules" || base == "testdata" || strings.HasPrefix(base, ".") && base != ".") {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(name) != ".go" {
			return nil
		}
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(h.fset, name, src, parser.ParseComments)
		if err != nil {
			return err
		}
		h.files[name], h.lines[name] = f, strings.Count(string(src), "\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// imports gives for each package, by its path below the module ("." for the root), what
// its files import; tests are left out. Packages of ours are named the same way, others
// by their import path.
func (h *house) imports() map[string][]string {
	graph := map[string][]string{}
	for name, f := range h.files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		pkg := path.Dir(name)
		graph[pkg] = slices.Clip(graph[pkg])
		for _, spec := range f.Imports {
			graph[pkg] = append(graph[pkg], ours(strings.Trim(spec.Path.Value, `"`)))
		}
	}
	return graph
}

func ours(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

// carriers carry what they must not be able to open.
var carriers = []string{"account", "attic", "porch", "notify", "server", "relay", "gate", "archive", "bound", "blob", "bus", "ledger", "api", "deed", "sealed", "tombstone"}

// openers are what can open, or what opening is made of.
var openers = []string{"seal", "open", "key", "settings", "letter", "live", "internal/parcel", "internal/cobblestone", "vault", "crypto/hpke", "crypto/mlkem"}

// breaches returns a sentence for each carrier that can reach an opener, and for the
// agent if it can reach package open.
func breaches(graph map[string][]string) []string {
	var found []string
	for pkg := range graph {
		top, _, _ := strings.Cut(pkg, "/")
		switch {
		case slices.Contains(carriers, top):
			for _, o := range openers {
				if way := reach(graph, pkg, o, nil); way != nil {
					found = append(found, fmt.Sprintf("%s reaches %s (%s): it must not be able to open what it carries", pkg, o, strings.Join(way, " -> ")))
				}
			}
		case top == "agent":
			if way := reach(graph, pkg, "open", nil); way != nil {
				found = append(found, fmt.Sprintf("%s reaches open (%s): the agent seals and must not be able to open what it has sealed", pkg, strings.Join(way, " -> ")))
			}
		}
	}
	slices.Sort(found)
	return found
}

// reach returns a way through the graph from one package to another, or nil.
func reach(graph map[string][]string, from, to string, seen map[string]bool) []string {
	if seen == nil {
		seen = map[string]bool{}
	}
	if seen[from] {
		return nil
	}
	seen[from] = true
	for _, next := range graph[from] {
		if next == to {
			return []string{from, to}
		}
		if way := reach(graph, next, to, seen); way != nil {
			return append([]string{from}, way...)
		}
	}
	return nil
}

func TestCarriersCannotOpen(t *testing.T) {
	for _, sentence := range breaches(build(t, os.DirFS(".")).imports()) {
		t.Error(sentence)
	}
}

// TestCarriersCannotOpenNotices breaks the rule in a copy of the house and wants the
// sentence: directly, through a package that nobody forbade, and for the agent.
func TestCarriersCannotOpenNotices(t *testing.T) {
	for _, c := range []struct{ file, source, want string }{
		{"server/peek.go", `package server; import _ "` + module + `/open"`, "server reaches open (server -> open)"},
		{"internal/handy/handy.go", `package handy; import _ "crypto/hpke"`, "server reaches crypto/hpke (server -> internal/handy -> crypto/hpke)"},
		{"agent/peek.go", `package agent; import _ "` + module + `/open"`, "agent reaches open (agent -> open)"},
	} {
		tree := fstest.MapFS{
			"server/server.go": {Data: []byte(`package server; import _ "` + module + `/internal/handy"`)},
			"agent/agent.go":   {Data: []byte(`package agent`)},
			c.file:             {Data: []byte(c.source)},
		}
		got := breaches(build(t, tree).imports())
		if len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
			t.Errorf("with %s the rule says %q, want one sentence that begins %q", c.file, got, c.want)
		}
	}
}

// TestImportsRunDownhill holds the imports against the table in docs/design.md.
func TestImportsRunDownhill(t *testing.T) {
	table := importTable(t)
	for pkg, imports := range build(t, os.DirFS(".")).imports() {
		allowed, ok := table[pkg]
		if !ok {
			t.Errorf("package %s is not in the import table of docs/design.md: give it a row, at the level where it belongs", pkg)
			continue
		}
		for _, other := range imports {
			if _, isOurs := table[other]; isOurs && !slices.Contains(allowed, other) && !slices.Contains(allowed, "anything") {
				t.Errorf("%s imports %s, which its row in the import table of docs/design.md does not allow", pkg, other)
			}
		}
	}
}

// importTable reads the rows "| level | `package` | `a`, `b` |" below "## Who imports whom".
func importTable(t *testing.T) map[string][]string {
	t.Helper()
	page, err := os.ReadFile("docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n## Who imports whom")
	section, _, _ := strings.Cut(rest, "\n## ")
	code := regexp.MustCompile("`([^`]+)`")
	table := map[string][]string{}
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 {
			continue
		}
		for _, pkg := range code.FindAllStringSubmatch(cells[2], -1) {
			table[pkg[1]] = []string{}
			for _, m := range code.FindAllStringSubmatch(cells[3], -1) {
				table[pkg[1]] = append(table[pkg[1]], m[1])
			}
			if strings.Contains(cells[3], "anything") {
				table[pkg[1]] = append(table[pkg[1]], "anything")
			}
		}
	}
	if len(table) < 10 {
		t.Fatalf("the import table of docs/design.md has %d packages: is its heading still \"## Who imports whom\"?", len(table))
	}
	return table
}

func TestPackagesAreIntroduced(t *testing.T) {
	comments := map[string]int{}
	for name, f := range build(t, os.DirFS(".")).files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		pkg := path.Dir(name)
		comments[pkg] += 0
		if f.Doc != nil {
			comments[pkg]++
		}
		if slices.Contains([]string{"util", "utils", "common", "helpers", "models", "core", "shared", "misc"}, f.Name.Name) {
			t.Errorf("package %s: the name says nothing; name it by its one idea", pkg)
		}
	}
	for pkg, n := range comments {
		if n != 1 {
			t.Errorf("package %s has %d package comments, want one, atop the file that bears its name", pkg, n)
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	h := build(t, os.DirFS("."))
	for name, f := range h.files {
		if strings.HasSuffix(name, "_test.go") || f.Name.Name == "main" {
			continue
		}
		for _, decl := range f.Decls {
			for _, missing := range undocumented(decl) {
				t.Errorf("%s: %s is exported and has no comment", h.fset.Position(decl.Pos()), missing)
			}
		}
	}
}

// undocumented returns the exported names that decl introduces without a comment.
func undocumented(decl ast.Decl) (names []string) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

func TestSizes(t *testing.T) {
	h := build(t, os.DirFS("."))
	for name, f := range h.files {
		if n := h.lines[name]; n > 500 && longFiles[name] == "" {
			t.Errorf("%s has %d lines: above 500 there is a second idea in it", name, n)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.FuncDecl:
				lines := h.fset.Position(x.End()).Line - h.fset.Position(x.Pos()).Line + 1
				where := name + ":" + x.Name.Name
				if lines > 60 && !strings.HasSuffix(name, "_test.go") && longFunctions[where] == "" {
					t.Errorf("%s has %d lines, want at most 60", where, lines)
				}
				if x.Name.Name == "init" && x.Recv == nil {
					t.Errorf("%s: no init(): say it where it is used", where)
				}
			case *ast.TypeSpec:
				if i, ok := x.Type.(*ast.InterfaceType); ok && i.Methods.NumFields() > 5 && wideInterfaces[name+":"+x.Name.Name] == "" {
					t.Errorf("%s: interface %s has %d methods, want at most 5", name, x.Name.Name, i.Methods.NumFields())
				}
			}
			return true
		})
	}
}

// TestNothingIsSkipped: what a test needs is installed by scripts/setup.
func TestNothingIsSkipped(t *testing.T) {
	h := build(t, os.DirFS("."))
	for name, f := range h.files {
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, s.Sel.Name) {
				if x, ok := s.X.(*ast.Ident); ok && slices.Contains([]string{"t", "b", "f", "tb"}, x.Name) {
					t.Errorf("%s: a skipped test proves nothing; install what it needs in scripts/setup", h.fset.Position(s.Pos()))
				}
			}
			return true
		})
		for _, group := range f.Comments {
			if text := group.Text(); strings.Contains(text, "TODO") && !strings.Contains(name, "tidy_test") {
				t.Errorf("%s: TODO: do it, or write down why not where the reader needs it", h.fset.Position(group.Pos()))
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestDocumentLinksResolve(t *testing.T) {
	pages := append(glob(t, "*.md"), append(glob(t, "docs/*.md"), glob(t, "docs/*/*.md")...)...)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			body, err := os.ReadFile(file)
			if _, statErr := os.Stat(file); statErr != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			} else if err == nil && anchor != "" && filepath.Ext(file) == ".md" && !hasHeading(string(body), anchor) {
				t.Errorf("%s links to %s, which has no such heading", page, m[1])
			}
		}
	}
}

var notInAnchor = regexp.MustCompile(`[^a-z0-9 _-]`)

func hasHeading(page, anchor string) bool {
	for line := range strings.Lines(page) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			slug := notInAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			if strings.ReplaceAll(slug, " ", "-") == anchor {
				return true
			}
		}
	}
	return false
}

// TestVectorsAreThere: a fuzz target or vector test that reads an empty folder passes
// and proves nothing.
func TestVectorsAreThere(t *testing.T) {
	for folder, want := range map[string]int{
		"sealed/testdata/vectors/go": 30, "sealed/testdata/vectors/ts": 30,
		"deed/testdata/vectors/go": 110, "deed/testdata/vectors/ts": 110,
		"tombstone/testdata/vectors/go": 25,
		"live/testdata/vectors/go":      150, "live/testdata/vectors/ts": 60,
		"account/testdata/vectors/go": 60, "account/testdata/vectors/ts": 20,
	} {
		if have := len(glob(t, folder+"/*.json")); have < want {
			t.Errorf("%s holds %d vectors, want at least %d", folder, have, want)
		}
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return names
}
