// Run takes away, one at a time, each field, comparison and check of a signature in the
// rooms of package mutants, prints what became of each, and fails if the tests did not
// notice one.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"

	"github.com/latchkey-cam/latchkey/internal/mutants"
)

func main() {
	in := flag.String("in", "", "only files that match this `regexp`")
	only := flag.String("only", "", "only mutants that match this `regexp`, as the list prints them")
	parallel := flag.Int("parallel", 2, "how many tests run at a `time`")
	flag.Parse()
	c := mutants.Config{Root: ".", Rooms: mutants.Rooms, Equivalents: mutants.Equivalents, Slow: mutants.Slow, Parallel: *parallel, Out: os.Stdout}
	if *only != "" {
		c.Only = regexp.MustCompile(*only)
	}
	if *in != "" {
		files := regexp.MustCompile(*in)
		c.Rooms = within(c.Rooms, files)
		c.Equivalents = slices.DeleteFunc(slices.Clone(c.Equivalents), func(e mutants.Equivalent) bool {
			file, _, _ := strings.Cut(e.Key, " ")
			return !files.MatchString(file)
		})
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if _, err := mutants.Run(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// within leaves the files that match, and the rooms that have some.
func within(rooms []mutants.Room, files *regexp.Regexp) (left []mutants.Room) {
	for _, room := range rooms {
		room.Files = slices.DeleteFunc(slices.Clone(room.Files), func(name string) bool { return !files.MatchString(name) })
		if len(room.Files) > 0 {
			left = append(left, room)
		}
	}
	return left
}
