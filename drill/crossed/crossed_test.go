package crossed_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/latchkey-cam/latchkey/drill/crossed"
)

// TestMain is the server of a control arm, if that is what this process was started for.
func TestMain(m *testing.M) {
	if os.Getenv("LATCHKEY_DRILL_ARM") != "" {
		if err := crossed.ServeArm(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "LATCHKEY_DRILL_ARM=1")
	return cmd
}

func TestCrossedWires(t *testing.T) {
	r, err := crossed.Run(t.Context(), crossed.Config{Dir: t.TempDir(), Homes: 300, Seed: 1, Child: child, Tell: func(s string) { t.Log(s) }})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.MarshalIndent(r, "", " ")
	t.Log(string(b))
}
