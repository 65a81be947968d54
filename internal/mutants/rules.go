package mutants

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Mutant is one change to the source.
type Mutant struct {
	ID     int // that switches it on
	File   string
	Line   int
	Func   string // in which it stands
	Text   string // what is changed, as it stands there
	Change string
	Nth    int // of the same text and change in the function, from 1

	room *Room
}

// Key names the mutant without the number of its line, so that a list of them stays
// right when lines move.
func (m Mutant) Key() string {
	key := fmt.Sprintf("%s %s: %s: %s", m.File, m.Func, m.Text, m.Change)
	if m.Nth > 1 {
		key += fmt.Sprintf(" #%d", m.Nth)
	}
	return key
}

// The changes.
const (
	isTrue  = "is true"
	isFalse = "is false"
	dropped = "is left out"
	zero    = "is zero"
	noError = "finds nothing wrong"
)

// writes are the methods that put a field into a message: those of wire.Writer, and
// those of a hash.
var writes = []string{"U8", "U16", "U32", "U64", "Raw", "Label", "LP16", "LP32", "Head", "Write", "WriteString"}

// words are calls that make an error and check nothing.
var words = []string{"Errorf", "New", "Join", "Refuse", "refuse"}

// checks are the functions whose error says that something is not what it should be. In a
// room that is [Room.Plumbed] the other errors are a disk's or a network's.
var checks = regexp.MustCompile(`(?i)verify|check|compare|same|fit|whole|parse|sole|stray|prove|entitled|admit|aboutHome|stops|known|seen|extend|append|fold( |$)|wrapped|introduce|welcomed|farewell|giveBack|learn|readSheet`)

// file collects the changes to one file.
type file struct {
	name      string
	fset      *token.FileSet
	src       []byte
	next      *int // ID of the next mutant
	functions []string
	literals  []string
	plumbed   bool
	about     string // what is called right before a condition
	inserts   []insert
	mutants   []Mutant
	done      map[ast.Node]bool // taken care of by what holds it
	in        string            // the function
}

// insert is text to put in at a place. Of those at one place, what ends there comes
// before what begins there, and the inner ends before the outer.
type insert struct {
	at    int
	rank  int
	order int
	text  string
}

// mutate returns the file with every mutant in it, each switched on by its number.
func mutate(name string, src []byte, functions []string, room *Room, next *int) ([]byte, []Mutant, error) {
	f := &file{name: name, fset: token.NewFileSet(), src: src, next: next, functions: functions, literals: room.Literals, plumbed: room.Plumbed, done: map[ast.Node]bool{}}
	tree, err := parser.ParseFile(f.fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, fmt.Errorf("mutate %s: %w", name, err)
	}
	found := map[string]bool{}
	for _, d := range tree.Decls {
		f.in = nameOf(d)
		if len(functions) > 0 && !slices.Contains(functions, f.in) || f.in == "" {
			continue
		}
		found[f.in] = true
		f.walk(d)
	}
	for _, want := range functions {
		if !found[want] {
			return nil, nil, fmt.Errorf("mutate %s: there is no %s in it any more", name, want)
		}
	}
	return f.altered(), f.mutants, nil
}

// nameOf is the name of a function, of a method with its type, of variables; that of
// anything else is empty.
func nameOf(d ast.Decl) string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return d.Name.Name
		}
		t := d.Recv.List[0].Type
		if star, ok := t.(*ast.StarExpr); ok {
			t = star.X
		}
		if generic, ok := t.(*ast.IndexExpr); ok {
			t = generic.X
		}
		return t.(*ast.Ident).Name + "." + d.Name.Name
	case *ast.GenDecl:
		if d.Tok == token.VAR {
			return "var " + d.Specs[0].(*ast.ValueSpec).Names[0].Name
		}
	}
	return ""
}

func (f *file) walk(root ast.Node) {
	var results []*ast.FieldList
	ast.PreorderStack(root, nil, func(n ast.Node, stack []ast.Node) bool {
		results = results[:0]
		for _, above := range stack {
			switch fn := above.(type) {
			case *ast.FuncDecl:
				results = append(results, fn.Type.Results)
			case *ast.FuncLit:
				results = append(results, fn.Type.Results)
			}
		}
		var within *ast.FieldList
		if len(results) > 0 {
			within = results[len(results)-1]
		}
		f.about = f.before(n, stack)
		f.visit(n, within)
		return true
	})
}

// before names what is called right before the condition of n: in n itself, or in the
// statement in front of it.
func (f *file) before(n ast.Node, stack []ast.Node) string {
	var init ast.Stmt
	switch n := n.(type) {
	case *ast.IfStmt:
		init = n.Init
	case *ast.SwitchStmt:
		init = n.Init
	default:
		return ""
	}
	if init == nil && len(stack) > 0 {
		var around []ast.Stmt
		switch above := stack[len(stack)-1].(type) {
		case *ast.BlockStmt:
			around = above.List
		case *ast.CaseClause:
			around = above.Body
		case *ast.CommClause:
			around = above.Body
		}
		if i := slices.IndexFunc(around, func(s ast.Stmt) bool { return s == n }); i > 0 {
			init = around[i-1]
		}
	}
	var names []string
	if init != nil {
		ast.Inspect(init, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				names = append(names, called(call))
			}
			return true
		})
	}
	return strings.Join(names, " ")
}

// plumbing says whether a condition asks nothing but whether there is an error, or which,
// and the error is of no check.
func (f *file) plumbing(e ast.Expr) bool {
	if !f.plumbed || checks.MatchString(f.about) {
		return false
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		x, isErr := e.X.(*ast.Ident)
		y, isNil := e.Y.(*ast.Ident)
		return isErr && isNil && x.Name == "err" && y.Name == "nil"
	case *ast.CallExpr:
		text := string(f.text(e))
		return strings.HasPrefix(text, "errors.Is(") || strings.HasPrefix(text, "errors.As")
	}
	return false
}

// visit makes the mutants of one node; results are those of the function around it.
func (f *file) visit(n ast.Node, results *ast.FieldList) {
	switch n := n.(type) {
	case *ast.IfStmt:
		f.condition(n.Cond)
	case *ast.ForStmt: // how often, not whether: a loop without end tells nothing
		if n.Cond != nil {
			ast.Inspect(n.Cond, func(inner ast.Node) bool { f.done[inner] = true; return true })
		}
	case *ast.SwitchStmt:
		if n.Tag == nil {
			for _, c := range n.Body.List {
				for _, e := range c.(*ast.CaseClause).List {
					f.condition(e)
				}
			}
		}
	case *ast.ReturnStmt:
		f.returns(n, results)
	case *ast.BinaryExpr:
		if compares(n) && !f.done[n] {
			f.condition(n)
		}
	case *ast.ExprStmt:
		if call, ok := n.X.(*ast.CallExpr); ok && writing(call) {
			id := f.mutant(n, dropped)
			f.wrap(n, fmt.Sprintf("if !mutantIs(%d) { ", id), " }")
			f.done[call] = true
		}
	case *ast.CallExpr:
		f.appended(n)
	case *ast.CompositeLit:
		f.literal(n)
	}
}

func compares(e *ast.BinaryExpr) bool {
	switch e.Op {
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ, token.LAND, token.LOR:
		return true
	}
	return false
}

// condition makes the mutants of a condition: of a chain of && and ||, those without
// one operand; of anything else, those that are always true and always false.
func (f *file) condition(e ast.Expr) {
	inner := f.bare(e)
	if b, ok := inner.(*ast.BinaryExpr); ok && (b.Op == token.LAND || b.Op == token.LOR) {
		f.operand(b.X, b.Op)
		f.operand(b.Y, b.Op)
		return
	}
	if id, ok := inner.(*ast.Ident); ok && (id.Name == "true" || id.Name == "false") || f.plumbing(inner) {
		return
	}
	yes, no := f.mutant(inner, isTrue), f.mutant(inner, isFalse)
	f.wrap(inner, fmt.Sprintf("(mutantIs(%d) || !mutantIs(%d) && (", yes, no), "))")
}

func (f *file) operand(e ast.Expr, op token.Token) {
	if chain(e) {
		f.condition(e)
		return
	}
	if f.plumbing(f.bare(e)) {
		return
	}
	if op == token.LAND {
		f.wrap(e, fmt.Sprintf("(mutantIs(%d) || (", f.mutant(e, isTrue)), "))")
	} else {
		f.wrap(e, fmt.Sprintf("(!mutantIs(%d) && (", f.mutant(e, isFalse)), "))")
	}
}

// bare takes the brackets and the negation from around a condition, and from now on
// leaves it to whoever asked.
func (f *file) bare(e ast.Expr) ast.Expr {
	f.done[e] = true
	switch outer := e.(type) {
	case *ast.ParenExpr:
		return f.bare(outer.X)
	case *ast.UnaryExpr:
		if outer.Op == token.NOT {
			return f.bare(outer.X)
		}
	}
	return e
}

// chain says whether e is made of several conditions.
func chain(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return chain(e.X)
	case *ast.UnaryExpr:
		return e.Op == token.NOT && chain(e.X)
	case *ast.BinaryExpr:
		return e.Op == token.LAND || e.Op == token.LOR
	}
	return false
}

// returns makes a mutant of the result of a function that decides, and of a check whose
// error is handed on.
func (f *file) returns(n *ast.ReturnStmt, results *ast.FieldList) {
	if results == nil || len(n.Results) == 0 || len(n.Results) != results.NumFields() {
		return
	}
	last := n.Results[len(n.Results)-1]
	kind, ok := results.List[len(results.List)-1].Type.(*ast.Ident)
	if !ok {
		return
	}
	if kind.Name == "bool" {
		f.condition(last)
	}
	if call, ok := last.(*ast.CallExpr); ok && kind.Name == "error" && !tells(call) && (!f.plumbed || checks.MatchString(called(call))) {
		id := f.mutant(call, noError)
		f.wrap(call, fmt.Sprintf("mutantNoError(%d, ", id), ")")
	}
}

// tells says whether a call makes an error, or makes another of one.
func tells(call *ast.CallExpr) bool {
	name := called(call)
	return slices.Contains(words, name[strings.LastIndex(name, ".")+1:]) || slices.ContainsFunc(call.Args, func(arg ast.Expr) bool {
		id, ok := arg.(*ast.Ident)
		return ok && id.Name == "err"
	})
}

func called(call *ast.CallExpr) string {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		return "." + fun.Sel.Name
	}
	return ""
}

// writing says whether a call puts something into a message.
func writing(call *ast.CallExpr) bool {
	name := called(call)
	method, ok := strings.CutPrefix(name, ".")
	return ok && slices.Contains(writes, method) || strings.HasPrefix(method, "append") && method != "append" || strings.HasPrefix(method, "write")
}

// appended makes a mutant without what is appended to bytes.
func (f *file) appended(call *ast.CallExpr) {
	name := strings.ToLower(strings.TrimPrefix(called(call), "."))
	if !strings.HasPrefix(name, "append") || len(call.Args) < 2 || !slices.Contains(f.literals, "append") || f.done[call] {
		return
	}
	id := f.mutant(call, dropped)
	first := string(f.text(call.Args[0]))
	f.wrap(call, fmt.Sprintf("mutantPick(%d, ", id), fmt.Sprintf(", %s)", first))
}

// literal makes the mutants of a question that is written down: each lacks one field.
func (f *file) literal(lit *ast.CompositeLit) {
	if lit.Type == nil || !slices.Contains(f.literals, string(f.text(lit.Type))) {
		return
	}
	var cases bytes.Buffer
	for _, e := range lit.Elts {
		field, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		name := string(f.text(field.Key))
		fmt.Fprintf(&cases, "if mutantIs(%d) { v.%s = zero.%s }; ", f.mutant(field, zero), name, name)
	}
	t := f.text(lit.Type)
	f.wrap(lit, fmt.Sprintf("func(v %s) %s { var zero %s; _ = zero; %sreturn v }(", t, t, t, cases.Bytes()), ")")
}

func (f *file) mutant(n ast.Node, change string) int {
	*f.next++
	m := Mutant{ID: *f.next, File: f.name, Line: f.fset.Position(n.Pos()).Line, Func: f.in, Text: oneLine(f.text(n)), Change: change, Nth: 1}
	for _, other := range f.mutants {
		if other.Func == m.Func && other.Text == m.Text && other.Change == m.Change {
			m.Nth++
		}
	}
	f.mutants = append(f.mutants, m)
	return m.ID
}

// oneLine is the beginning of some source, in one line.
func oneLine(src []byte) string {
	s := strings.Join(strings.Fields(string(src)), " ")
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return s
}

func (f *file) text(n ast.Node) []byte {
	return f.src[f.fset.Position(n.Pos()).Offset:f.fset.Position(n.End()).Offset]
}

func (f *file) wrap(n ast.Node, before, after string) {
	start, end := f.fset.Position(n.Pos()).Offset, f.fset.Position(n.End()).Offset
	around, order := len(f.src)-(end-start), len(f.inserts)
	f.inserts = append(f.inserts, insert{start, around, order, before}, insert{end, -around, -order, after})
}

// altered puts everything in.
func (f *file) altered() []byte {
	slices.SortFunc(f.inserts, func(a, b insert) int {
		return cmp.Or(a.at-b.at, a.rank-b.rank, a.order-b.order)
	})
	var out bytes.Buffer
	from := 0
	for _, i := range f.inserts {
		out.Write(f.src[from:i.at])
		out.WriteString(i.text)
		from = i.at
	}
	out.Write(f.src[from:])
	return out.Bytes()
}

// switchboard is what each package with mutants needs beside them.
func switchboard(dir, packageName string, count int) (string, []byte) {
	return path.Join(dir, "mutants_switchboard.go"), fmt.Appendf(nil, board, packageName, count+1)
}

const board = `package %s

import (
	"os"
	"strconv"
	"sync/atomic"
)

var (
	mutantOn, _   = strconv.Atoi(os.Getenv("LATCHKEY_MUTANT"))
	mutantNotes   = os.Getenv("LATCHKEY_MUTANTS_REACHED")
	mutantReached [%d]atomic.Bool
)

func mutantIs(n int) bool {
	if mutantNotes != "" && !mutantReached[n].Swap(true) {
		f, err := os.OpenFile(mutantNotes, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		f.WriteString(strconv.Itoa(n) + "\n")
		f.Close()
	}
	return n == mutantOn
}

func mutantNoError(n int, err error) error {
	if mutantIs(n) {
		return nil
	}
	return err
}

func mutantPick[T any](n int, whole, without T) T {
	if mutantIs(n) {
		return without
	}
	return whole
}
`
