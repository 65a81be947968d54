package crossed_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/alicebob/miniredis/v2"

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

// TestCrossedWires drills in a small cloud, and in a larger one in the long form: every
// control arm leaks, Latchkey does not. The cache is somebody else's, who finds of theirs
// what was there before and nothing more.
func TestCrossedWires(t *testing.T) {
	t.Parallel()
	cache := miniredis.RunT(t)
	if err := cache.Set("mine", "1"); err != nil {
		t.Fatal(err)
	}
	c := crossed.Config{Dir: t.TempDir(), Homes: 64, Seed: 1, Cache: cache.Addr(), Child: child, Tell: func(s string) { t.Log(s) }}
	if os.Getenv("LATCHKEY_LONG") != "" {
		c.Homes = 1300
	}
	r, err := crossed.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if keys := cache.Keys(); !slices.Equal(keys, []string{"mine"}) {
		t.Errorf("the cache holds %d keys after the drill: %.500q", len(keys), keys)
	}
	for _, a := range r.Arms {
		t.Logf("%s: %+v", a.Name, a.Figures)
		if leaks := a.ShownForeign > 0; leaks != a.Control || a.Shown == 0 || a.PeopleAffected > r.Homes {
			t.Errorf("%s: %d pictures shown, %d of strangers", a.Name, a.Shown, a.ShownForeign)
		}
		if !a.Control && len(a.Scenes) != 26 {
			t.Errorf("Latchkey has %d scenes", len(a.Scenes))
		}
	}
	if !r.Passed() {
		t.Errorf("verdict %s: %q", r.Verdict, r.Reasons)
	}
}
