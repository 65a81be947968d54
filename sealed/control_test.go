package sealed_test

import (
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// TestVectorsNoticeAMissingCheck is the control of the vectors: in a program that lacks
// one of the checks, that vector is opened which the check is there to refuse.
func TestVectorsNoticeAMissingCheck(t *testing.T) {
	program := &sabotage.Program{Root: ".."}
	for _, c := range []struct {
		name, vector string
		cut          sabotage.Cut
	}{
		{"what was asked is not compared", "go/other-camera-asked", sabotage.Cut{
			File: "sealed/verify.go", Old: "is.Camera != asked.Camera", New: "is.Camera != asked.Camera && false",
		}},
		{"the signature is not verified", "go/event-altered", sabotage.Cut{
			File: "sealed/verify.go", Old: "!k.Verify(message, h.Signatures[i])", New: "!k.Verify(message, h.Signatures[i]) && false",
		}},
		{"the body's hash is not compared", "go/refilled", sabotage.Cut{
			File: "sealed/sealed.go", Old: "[32]byte(g.hash.Sum(nil)) != h.BodyHash", New: "[32]byte(g.hash.Sum(nil)) != h.BodyHash && false",
		}},
		{"an old epoch is good enough", "go/old-epoch", sabotage.Cut{
			File: "sealed/verify.go", Old: "e.Epoch < at", New: "e.Epoch < at && false",
		}},
	} {
		control := program.Without(t, c.cut)
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // when all have said what they lack
			out, err := control.Tests(t.Context(), "^TestVectors$")
			if want := "--- FAIL: TestVectors/" + c.vector + " "; err == nil || !strings.Contains(string(out), want) {
				t.Errorf("without the check the vectors say %v, want %q:\n%s", err, want, out)
			}
			if want := ": opened (<nil>), want "; !strings.Contains(string(out), want) {
				t.Errorf("nothing was opened without the check:\n%s", out)
			}
		})
	}
}
