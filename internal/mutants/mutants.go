// Package mutants asks whether the tests would notice. It takes away, one at a time,
// each field of what is signed, sealed or asked, each comparison, and each check of a
// signature in the places of a list ([Rooms]), and runs the tests that stand there: one
// of them must fail. A mutant that no test notices survives, and that is a failure,
// unless it is in the list of those that change nothing ([Equivalents]), which say why.
//
// The mutants are made by rules from the syntax of the source, not by hand. All of them
// are compiled in at once, in an overlay, each behind a switch, so that the real source
// holds none; which tests come by a mutant is found out first, and only those are run.
package mutants

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// Room is a place whose tests must notice.
type Room struct {
	// Files are names below the module's root. Behind a space, the functions that are
	// meant, separated by spaces; without any, all of them.
	Files []string
	// Tests are the packages whose tests must notice, the nearest first, as directories
	// below the root. Behind a space, a regular expression for the names of those tests
	// that are meant; without one, all of them.
	Tests []string
	// Literals are the types of the questions that are written down in the files, as
	// they are spelled there; "append" means that bytes are appended to messages.
	Literals []string
	// Plumbed says that there is much reading and writing in the files: of the conditions
	// that ask for an error alone only those behind a check are meant.
	Plumbed bool
}

// Equivalent is a mutant that does what the original does.
type Equivalent struct {
	Key string // as the list prints it, without the line
	Why string
}

// Config says what to run.
type Config struct {
	Root        string // of the module
	Rooms       []Room
	Equivalents []Equivalent
	Slow        *regexp.Regexp // tests that are left out, because they build altered programs of their own
	Only        *regexp.Regexp // if it is given, only mutants with such a key are tried
	Parallel    int            // how many tests run at a time
	Out         io.Writer      // the list
}

// Result is what became of a mutant.
type Result struct {
	Mutant
	Killer  string // the test that noticed; empty if none did
	Reached int    // how many tests came by
}

// run is one run.
type run struct {
	Config
	dir     string // for everything that is made
	mutants []Mutant
	tests   map[string][]test   // by the entry of the room
	flags   map[string][]string // by directory, what its tests are told besides
	unwell  atomic.Int64        // how many tests fail as they are
	mu      sync.Mutex          // for what follows, and Out
	killers map[string][]string // by file and function, which tests have noticed there
}

// ErrSurvived says that mutants survived, that the list of equivalents is wrong, or that
// a test fails as it is.
var ErrSurvived = errors.New("the tests would not notice")

// Run makes and tries all mutants, and prints the list of them.
func Run(ctx context.Context, c Config) ([]Result, error) {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r := &run{Config: c, dir: dir, tests: map[string][]test{}, flags: map[string][]string{}, killers: map[string][]string{}}
	overlay, err := r.overlay()
	if err != nil {
		return nil, err
	}
	if err := r.build(ctx, overlay); err != nil {
		return nil, err
	}
	start := time.Now()
	if err := r.reach(ctx); err != nil {
		return nil, err
	}
	r.say("tests as they are: %s", time.Since(start).Round(time.Second))
	results, err := r.try(ctx)
	if err != nil {
		return nil, err
	}
	return results, r.judge(results)
}

// overlay writes the source with the mutants in it.
func (r *run) overlay() (string, error) {
	altered := map[string][]byte{}
	packages := map[string]string{}
	next := 0
	for i := range r.Rooms {
		room := &r.Rooms[i]
		for _, entry := range room.Files {
			names := strings.Fields(entry)
			src, ok := altered[names[0]]
			if ok {
				return "", fmt.Errorf("mutants: %s is listed twice", names[0])
			}
			src, err := os.ReadFile(filepath.Join(r.Root, filepath.FromSlash(names[0])))
			if err != nil {
				return "", err
			}
			out, made, err := mutate(names[0], src, names[1:], room, &next)
			if err != nil {
				return "", err
			}
			for _, m := range made {
				m.room = room
				r.mutants = append(r.mutants, m)
			}
			altered[names[0]] = out
			packages[path.Dir(names[0])] = packageClause.FindString(string(src))
		}
	}
	for dir, clause := range packages {
		name, src := switchboard(dir, strings.TrimPrefix(clause, "package "), next)
		altered[name] = src
	}
	return sabotage.Replace(r.Root, r.dir, altered)
}

var packageClause = regexp.MustCompile(`(?m)^package \w+`)

// build compiles the tests of every package that must notice.
func (r *run) build(ctx context.Context, overlay string) error {
	built := map[string]bool{}
	for _, room := range r.Rooms {
		for _, entry := range room.Tests {
			r.tests[entry] = nil
			dir, _, _ := strings.Cut(entry, " ")
			if built[dir] {
				continue
			}
			built[dir] = true
			build := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", overlay, "-vet=off", "-o", r.binary(dir), "./"+dir)
			build.Dir = r.Root
			if out, err := build.CombinedOutput(); err != nil {
				return fmt.Errorf("build the tests of %s with mutants: %w\n%s", dir, err, out)
			}
		}
	}
	return nil
}

func (r *run) binary(dir string) string {
	return filepath.Join(r.dir, strings.ReplaceAll(dir, "/", "_")+".test")
}

// judge prints the list and says whether all is well.
func (r *run) judge(results []Result) error {
	why := map[string]string{}
	for _, e := range r.Equivalents {
		why[e.Key] = e.Why
	}
	killed, same, survived := 0, 0, int(r.unwell.Load())
	for _, m := range results {
		reason, listed := why[m.Key()]
		delete(why, m.Key())
		fate := "killed by " + m.Killer
		switch {
		case m.Killer != "" && listed:
			fate = "KILLED BY " + m.Killer + ", and is listed as one that changes nothing"
			survived++
		case m.Killer != "":
			killed++
		case listed:
			fate = "changes nothing: " + reason
			same++
		default:
			fate = fmt.Sprintf("SURVIVED %d tests", m.Reached)
			survived++
		}
		r.say("%s:%d %s: %s: %s: %s", m.File, m.Line, m.Func, m.Text, m.Change, fate)
	}
	if r.Only == nil {
		for _, key := range slices.Sorted(maps.Keys(why)) {
			r.say("LISTED as one that changes nothing, and does not exist: %s", key)
			survived++
		}
	}
	r.say("%d mutants: %d killed, %d change nothing, %d wrong", len(results), killed, same, survived)
	if survived > 0 {
		return ErrSurvived
	}
	return nil
}
