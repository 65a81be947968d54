// Package role is how the measuring programs begin: each measures, and starts itself
// once more for every part that is measured, so that a part's cost is a process's.
package role

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
)

// Main runs measure, or the part that the first argument names, until it ends or is
// interrupted. It does not return if that fails. Name is the program's.
func Main(name string, parts map[string]func(ctx context.Context, args []string) error, measure func(ctx context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := measure
	if len(os.Args) > 1 {
		part, ok := parts[os.Args[1]]
		if !ok {
			fmt.Fprintf(os.Stderr, "%s: no role %s\n", name, os.Args[1])
			os.Exit(2)
		}
		run = func(ctx context.Context) error { return part(ctx, os.Args[2:]) }
	}
	if err := run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Number reads a number of something, at least 1, from the environment. If the variable
// is not set it is otherwise.
func Number(variable, something string, otherwise int) (int, error) {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s: want a number of %s", variable, something)
	}
	return n, nil
}
