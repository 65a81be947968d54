package sabotage

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Switch is the variable of the environment that says which of the programs described by
// [Switched] a process is to be.
const Switch = "LATCHKEY_SABOTAGE"

// Switched is [Overlay] for several programs that lack one thing each and are built as one:
// a function that they cut has a further body for each of them, which runs instead of its own
// in a process whose [Switch] is that program's name. All else, and all of it in any other
// process, is as the source says. A cut must be inside of a function's body.
func Switched(root, dir string, programs map[string][]Cut) (string, error) {
	files := map[string]map[string][]Cut{} // by file, then by program
	for name, cuts := range programs {
		for _, cut := range cuts {
			if files[cut.File] == nil {
				files[cut.File] = map[string][]Cut{}
			}
			files[cut.File][name] = append(files[cut.File][name], cut)
		}
	}
	altered := map[string][]byte{}
	for file, programs := range files {
		src, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			return "", fmt.Errorf("overlay %s: %w", file, err)
		}
		if altered[file], err = switched(src, programs); err != nil {
			return "", fmt.Errorf("overlay %s: %w", file, err)
		}
	}
	return Replace(root, dir, altered)
}

// switched gives the functions of one file their further bodies.
func switched(src []byte, programs map[string][]Cut) ([]byte, error) {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, "", src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	at := func(p token.Pos) int { return fset.Position(p).Offset }
	insert := map[int]string{at(parsed.Name.End()): "; import sabotageOS \"os\""}
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		bodies := map[*ast.FuncDecl][]byte{}
		for _, cut := range programs[name] {
			if n := bytes.Count(src, []byte(cut.Old)); n != 1 {
				return nil, fmt.Errorf("%q stands in it %d times, want once", cut.Old, n)
			}
			begin := bytes.Index(src, []byte(cut.Old))
			i := slices.IndexFunc(parsed.Decls, func(d ast.Decl) bool {
				f, ok := d.(*ast.FuncDecl)
				return ok && f.Body != nil && at(f.Body.Lbrace) < begin && begin+len(cut.Old) <= at(f.Body.Rbrace)
			})
			if i < 0 {
				return nil, fmt.Errorf("%q is not inside of a function's body", cut.Old)
			}
			f := parsed.Decls[i].(*ast.FuncDecl)
			if bodies[f] == nil {
				bodies[f] = src[at(f.Body.Lbrace)+1 : at(f.Body.Rbrace)]
			}
			bodies[f] = bytes.Replace(bodies[f], []byte(cut.Old), []byte(cut.New), 1)
		}
		for f, body := range bodies {
			results, call, after := "", "return func()", ""
			if r := f.Type.Results; r != nil {
				results = string(src[at(r.Pos()):at(r.End())])
			} else {
				call, after = "func()", "; return"
			}
			insert[at(f.Body.Lbrace)+1] += fmt.Sprintf(" if sabotageOS.Getenv(%q) == %q { %s %s {%s}()%s }; ", Switch, name, call, results, body, after)
		}
	}
	var all []byte
	from := 0
	for _, offset := range slices.Sorted(maps.Keys(insert)) {
		all = append(append(all, src[from:offset]...), insert[offset]...)
		from = offset
	}
	return append(all, src[from:]...), nil
}
