package main

import (
	"fmt"
	"runtime/debug"
)

type versionCommand struct{}

// Run prints the version that the Go toolchain recorded in the binary.
func (versionCommand) Run(t *terminal) error {
	version := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	_, err := fmt.Fprintf(t.Out, "latchkey %s\n", version)
	return err
}
