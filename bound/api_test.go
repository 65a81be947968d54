package bound_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

// exported is all that can be called, and all that has a function in it. No more than
// [Cache.Get] gives out what a tier has kept, and it compares. A line more is a way more
// for a value to come out: say here why it gives out none.
var exported = []string{
	"func (BusyError) Error() string",        // says when to come back
	"func (BusyError) Is(target error) bool", // a comparison
	"func (Cache) Close() error",             // an error
	"func (Cache) Forget(ctx context.Context, q Question) error",
	"func (Cache) Get(ctx context.Context, q Question, origin Origin) (Answer, error)", // compared by Keys.judge, or by Answer.answers
	"func (Cache) Stats() Stats",                                                       // numbers and names
	"func (Cache) Watch(alarm func(Incident)) (stop func())",                           // told what Config's Alarm is
	"func (Keys) Format(f fmt.State, _ rune)",                                          // "(keys)"
	"func Memory(c MemoryConfig) Tier",                                                 // a Tier has no exported field or method
	"func New(c Config) (*Cache, error)",
	"func NewKeys() *Keys", // Keys have no exported field
	"func ParseKeys(text []byte) (*Keys, error)",
	"func ReadKeys(path string) (*Keys, error)",
	"func Valkey(c ValkeyConfig) Tier",
	"type Config has func(Incident)", // an incident says which question a value answers, and not its bytes
	"type Config has func() time.Time",
	"type Origin has func(ctx context.Context, q Question) (Answer, error)", // the caller's own
	"type ValkeyConfig has func(ctx context.Context, network, address string) (net.Conn, error)",
}

// TestNothingGivesOutWhatWasNotCompared reads the source of the package.
func TestNothingGivesOutWhatWasNotCompared(t *testing.T) {
	surface := read(t, os.DirFS("."))
	for _, line := range surface {
		if !slices.Contains(exported, line) {
			t.Errorf("%s is exported and not in the list of this test", line)
		}
	}
	for _, line := range exported {
		if !slices.Contains(surface, line) {
			t.Errorf("%s is in the list of this test and not exported", line)
		}
	}
	for _, c := range []struct{ leak, want string }{
		{"func (c *Cache) Peek(q Question) []byte { return nil }", "func (Cache) Peek(q Question) []byte"},
		{"func (t Tier) Get(key string) []byte { return nil }", "func (Tier) Get(key string) []byte"},
		{"type Hook interface { Saw(value []byte) }", "type Hook has Saw(value []byte)"},
		{"var Raw = func(t Tier) []byte { return nil }", "var Raw"},
	} {
		if found := surfaceOf(t, "package bound\n"+c.leak); !slices.Contains(found, c.want) {
			t.Errorf("%s: the rule sees %q, want %q", c.leak, found, c.want)
		}
	}
	for _, name := range []string{"Incident", "Stats", "TierStats", "Tier", "Keys", "Cache"} {
		for _, field := range fields(t, name) {
			if strings.Contains(field, "byte") || strings.Contains(field, "any") || strings.Contains(field, "Answer") {
				t.Errorf("%s shows %s", name, field)
			}
		}
	}
}

// read returns what the package's source exports that can be called.
func read(t *testing.T, dir fs.FS) (all []string) {
	t.Helper()
	for _, text := range sources(t, dir) {
		all = append(all, surfaceOf(t, text)...)
	}
	slices.Sort(all)
	return all
}

func sources(t *testing.T, dir fs.FS) (all []string) {
	t.Helper()
	files, err := fs.Glob(dir, "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := fs.ReadFile(dir, file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	if len(all) < 5 {
		t.Fatalf("the package has %d files?", len(all))
	}
	return all
}

func surfaceOf(t *testing.T, text string) (all []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			on := ""
			if d.Recv != nil {
				on = "(" + strings.TrimPrefix(spell(d.Recv.List[0].Type), "*") + ") "
			}
			if d.Name.IsExported() && (on == "" || ast.IsExported(on[1:])) {
				all = append(all, "func "+on+d.Name.Name+strings.TrimPrefix(spell(d.Type), "func"))
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				all = append(all, surfaceOfSpec(d.Tok, spec)...)
			}
		}
	}
	return all
}

// surfaceOfSpec is what a type, or a variable that is no error, lets somebody call.
func surfaceOfSpec(tok token.Token, spec ast.Spec) (all []string) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if !s.Name.IsExported() {
			return nil
		}
		ast.Inspect(s.Type, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.Field:
				if len(x.Names) == 1 && !x.Names[0].IsExported() {
					return false
				}
				if f, ok := x.Type.(*ast.FuncType); ok && len(x.Names) == 1 && isMethod(s, x) {
					all = append(all, "type "+s.Name.Name+" has "+x.Names[0].Name+strings.TrimPrefix(spell(f), "func"))
					return false
				}
			case *ast.FuncType:
				all = append(all, "type "+s.Name.Name+" has "+spell(x))
				return false
			}
			return true
		})
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if tok == token.VAR && name.IsExported() && !strings.HasPrefix(name.Name, "Err") {
				all = append(all, "var "+name.Name)
			}
		}
	}
	return all
}

// isMethod says whether a field is an interface's method.
func isMethod(s *ast.TypeSpec, field *ast.Field) bool {
	i, ok := s.Type.(*ast.InterfaceType)
	return ok && slices.Contains(i.Methods.List, field)
}

// fields are the exported fields of a struct.
func fields(t *testing.T, name string) (all []string) {
	t.Helper()
	for _, text := range sources(t, os.DirFS(".")) {
		f, err := parser.ParseFile(token.NewFileSet(), "", text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || spec.Name.Name != name {
				return true
			}
			for _, field := range spec.Type.(*ast.StructType).Fields.List {
				for _, n := range field.Names {
					if n.IsExported() {
						all = append(all, n.Name+" "+spell(field.Type))
					}
				}
			}
			return false
		})
	}
	return all
}

func spell(n ast.Node) string {
	var b bytes.Buffer
	_ = printer.Fprint(&b, token.NewFileSet(), n)
	return b.String()
}
