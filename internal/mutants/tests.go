package mutants

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// test is one test of a package.
type test struct {
	dir     string
	name    string
	took    time.Duration
	reaches map[int]bool // which mutants it comes by
}

func (t test) String() string { return t.dir + " " + t.name }

// reach runs every test once as it is and takes down which mutants it comes by.
func (r *run) reach(ctx context.Context) error {
	var all []*test
	known := map[string]*test{}
	entries := map[string][]*test{}
	for entry := range r.tests {
		dir, names, _ := strings.Cut(entry, " ")
		if quiet := "-rapid.nofailfile"; r.command(ctx, dir, quiet, "-test.list", "^$").Run() == nil {
			r.flags[dir] = []string{quiet} // it would write into the source what a mutant made it find
		}
		out, err := r.command(ctx, dir, "-test.list", cmp.Or(names, ".")).Output()
		if err != nil {
			return fmt.Errorf("list the tests of %s: %w", dir, err)
		}
		for _, name := range strings.Fields(string(out)) {
			t := &test{dir: dir, name: name}
			if strings.HasPrefix(name, "Benchmark") || r.Slow != nil && r.Slow.MatchString(t.String()) {
				continue
			}
			if same := known[t.String()]; same != nil {
				t = same
			} else {
				known[t.String()] = t
				all = append(all, t)
			}
			entries[entry] = append(entries[entry], t)
		}
	}
	err := each(r.Parallel, all, func(t *test) error { return r.comesBy(ctx, t) })
	for entry, tests := range entries {
		for _, t := range tests {
			if t.reaches != nil {
				r.tests[entry] = append(r.tests[entry], *t)
			}
		}
	}
	return err
}

// comesBy runs one test as it is. One that fails three times is left out, and said so:
// it could not notice anything.
func (r *run) comesBy(ctx context.Context, t *test) error {
	notes := filepath.Join(r.dir, strings.ReplaceAll(t.String(), "/", "_")+".reached")
	for left := 2; ; left-- {
		begin := time.Now()
		out, err := r.runTests(ctx, t.dir, []string{t.name}, 10*time.Minute, "LATCHKEY_MUTANTS_REACHED="+notes)
		if t.took = time.Since(begin); err == nil {
			break
		}
		if left == 0 {
			r.unwell.Add(1)
			r.say("%s FAILS as it is: %v\n%s", t, err, out)
			return ctx.Err()
		}
	}
	text, err := os.ReadFile(notes)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	t.reaches = map[int]bool{}
	for line := range strings.Lines(string(text)) {
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			return fmt.Errorf("what %s comes by: %w", t, err)
		}
		t.reaches[n] = true
	}
	return nil
}

// each calls do for each of them, so many at a time, and returns the first error.
func each[T any](parallel int, all []T, do func(T) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, max(parallel, 1))
	for i := range errs {
		wg.Go(func() {
			for errs[i] == nil {
				n := int(next.Add(1)) - 1
				if n >= len(all) {
					return
				}
				errs[i] = do(all[n])
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// say prints a line.
func (r *run) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.Out, format+"\n", args...)
}

func (r *run) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, r.binary(dir), args...)
	c.Dir = filepath.Join(r.Root, filepath.FromSlash(dir))
	return c
}

// runTests runs some tests of one package in one process.
func (r *run) runTests(ctx context.Context, dir string, names []string, limit time.Duration, env ...string) ([]byte, error) {
	scratch, err := os.MkdirTemp(r.dir, "tmp")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	ctx, cancel := context.WithTimeout(ctx, limit+10*time.Second)
	defer cancel()
	args := append([]string{"-test.failfast", "-test.timeout", limit.String(), "-test.run", "^(" + strings.Join(names, "|") + ")$"}, r.flags[dir]...)
	c := r.command(ctx, dir, args...)
	c.Env = append(append(os.Environ(), "TMPDIR="+scratch), env...)
	c.WaitDelay = time.Second
	return c.CombinedOutput()
}

// try runs, for each mutant, the tests that come by it until one fails.
func (r *run) try(ctx context.Context) ([]Result, error) {
	mutants := r.mutants
	if r.Only != nil {
		mutants = slices.DeleteFunc(slices.Clone(mutants), func(m Mutant) bool { return !r.Only.MatchString(m.Key()) })
	}
	results := make([]Result, len(mutants))
	numbers := make([]int, len(mutants))
	for i := range numbers {
		numbers[i] = i
	}
	var done atomic.Int64
	err := each(r.Parallel, numbers, func(i int) error {
		killer, reached, err := r.kill(ctx, mutants[i])
		results[i] = Result{mutants[i], killer, reached}
		n := done.Add(1)
		if err == nil && killer == "" {
			r.say("so far nobody has noticed: %s", mutants[i].Key())
		}
		if n%100 == 0 {
			r.say("%d of %d mutants tried", n, len(mutants))
		}
		return err
	})
	return results, err
}

// kill runs the tests that come by one mutant: first what has noticed others of the same
// function, then what is quick; a few, then more at a time.
func (r *run) kill(ctx context.Context, m Mutant) (killer string, reached int, err error) {
	place := m.File + " " + m.Func
	for _, entry := range m.room.Tests {
		tests := slices.DeleteFunc(slices.Clone(r.tests[entry]), func(t test) bool { return !t.reaches[m.ID] })
		reached += len(tests)
		r.mu.Lock()
		before := slices.Clone(r.killers[place])
		r.mu.Unlock()
		slices.SortFunc(tests, func(a, b test) int {
			return cmp.Or(slices.Index(before, b.String())-slices.Index(before, a.String()), cmp.Compare(a.took, b.took))
		})
		for size := 1; len(tests) > 0; size *= 2 {
			some := tests[:min(size, len(tests))]
			tests = tests[len(some):]
			killer, said, err := r.fails(ctx, m, some, 1)
			if killer != "" && (!said || r.listed(m)) { // once may be chance: the machine has other things to do
				killer, _, err = r.fails(ctx, m, some, 4)
			}
			if err != nil {
				return "", reached, err
			}
			if killer != "" {
				r.mu.Lock()
				if !slices.Contains(r.killers[place], killer) {
					r.killers[place] = append(r.killers[place], killer)
				}
				r.mu.Unlock()
				return killer, reached, nil
			}
		}
	}
	return "", reached, nil
}

// listed says whether a mutant is said to change nothing.
func (r *run) listed(m Mutant) bool {
	return slices.ContainsFunc(r.Equivalents, func(e Equivalent) bool { return e.Key == m.Key() })
}

var failed = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)

// fails runs some tests of one package against a mutant, with so much patience, and says
// which one fails; said is false if none has said so itself, but the run did not end or broke off.
func (r *run) fails(ctx context.Context, m Mutant, some []test, patience time.Duration) (killer string, said bool, err error) {
	var names []string
	limit := 10 * time.Second
	for _, t := range some {
		names = append(names, t.name)
		limit += 3 * t.took
	}
	out, err := r.runTests(ctx, some[0].dir, names, patience*limit, "LATCHKEY_MUTANT="+strconv.Itoa(m.ID))
	switch {
	case ctx.Err() != nil:
		return "", false, ctx.Err()
	case err == nil:
		return "", false, nil
	}
	if name := failed.FindSubmatch(out); name != nil {
		return some[0].dir + " " + string(name[1]), true, nil
	}
	killer = some[0].dir + " " + strings.Join(names, " or ")
	if bytes.Contains(out, []byte("panic: test timed out")) {
		killer += ", which did not end"
	}
	return killer, false, nil
}
