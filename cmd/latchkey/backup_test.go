package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestBackupScript runs testdata/backup.txt.
func TestBackupScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Files: []string{"testdata/backup.txt"},
		Cmds:  map[string]func(ts *testscript.TestScript, neg bool, args []string){"waitlink": waitLink},
	})
}
