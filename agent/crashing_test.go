package agent_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// crashingPrograms is the folder of the server and the agent (agent.test) that crash at their
// points, built once for all tests that take them as they are. TestMain removes it.
var (
	crashingPrograms string
	crashingBuilt    = sync.OnceValue(func() (err error) {
		if crashingPrograms, err = os.MkdirTemp("", "crashing"); err != nil {
			return err
		}
		return buildCrashing(crashingPrograms)
	})
)

// crashing is that folder.
func crashing(t *testing.T) string {
	t.Helper()
	if err := crashingBuilt(); err != nil {
		t.Fatal(err)
	}
	return crashingPrograms
}

// buildCrashing builds both, with these flags too, into a folder.
func buildCrashing(folder string, flags ...string) error {
	for _, args := range [][]string{
		{"build", "-o", filepath.Join(folder, "latchkey"), "../cmd/latchkey"},
		{"test", "-c", "-o", filepath.Join(folder, "agent.test"), "."},
	} {
		args = slices.Insert(args, len(args)-1, append([]string{"-tags", "crashpoints"}, flags...)...)
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}
