package main

import (
	"fmt"
	"runtime/debug"
)

type versionCommand struct{}

// Run prints the version that the Go toolchain recorded in the binary.
func (versionCommand) Run(t *terminal) error {
	_, err := fmt.Fprintf(t.Out, "latchkey %s\n", programVersion())
	return err
}

func programVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "(unknown)"
}
