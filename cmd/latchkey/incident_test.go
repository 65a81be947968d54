package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestIncidentScript runs testdata/incident.txt.
func TestIncidentScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Files: []string{"testdata/incident.txt"},
		Cmds:  map[string]func(ts *testscript.TestScript, neg bool, args []string){"waitlink": waitLink},
	})
}
