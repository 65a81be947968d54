package live_test

import (
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// cuts take one check each out, and name the vector or test which that check is there
// for.
var cuts = []struct{ name, test, file, old, new string }{
	{"the home is not compared", "Vectors/go/neighbours-fragment", "sealed/live.go", "s.Home != asked.Home", "false"},
	{"the camera is not compared", "Vectors/go/other-camera", "sealed/live.go", "s.Camera != asked.Camera", "false"},
	{"the stream is not compared", "Vectors/go/other-stream", "sealed/live.go", "s.Kind != asked.Kind", "false"},
	{"the knock is not compared", "Vectors/go/grant-other-knock", "sealed/grant.go", "g.Knock != k.Hash()", "false"},
	{"the run is not compared", "Vectors/go/other-run", "live/viewer.go", "w.grant.Run == run", "true"},
	{"fragments are signed by anybody", "Vectors/go/fragment-forged", "sealed/fragment.go", "!agent.Verify(f.SignedMessage(), f.Signatures[0])", "false"},
	{"grants and knocks are signed by anybody", "Vectors/go/grant-forged", "sealed/parcel.go", "!k.Verify(message, p.Signatures[0])", "false && !k.Verify(message, p.Signatures[0])"},
	{"another agent grants", "Vectors/go/grant-other-agent", "sealed/grant.go", "case camera.Agent != g.Agent:", "case false && camera.Agent != g.Agent:"},
	{"an agent's former key grants", "Vectors/go/grant-former-key", "sealed/grant.go", "!t.InForce(g.Signer, g.Head.Seq) || !t.InForce(g.Signer, t.Head().Seq)", "false"},
	{"a fragment is shown again", "Vectors/go/again", "live/viewer.go", "f.Sequence <= w.last", "false"},
	{"a fragment from before the grant is shown", "Vectors/go/before-from", "live/viewer.go", "f.Sequence < w.grant.From", "false"},
	{"what follows a gap is shown", "Vectors/go/gap", "live/viewer.go", "(w.broken || s.Missing > 0) && !f.Key", "false"},
	{"a run begins anywhere", "Vectors/go/no-key-first", "live/viewer.go", "w.last = f.Sequence; !f.Key", "w.last = f.Sequence; false"},
	{"an old grant counts", "Vectors/go/grant-late", "live/viewer.go", "now > k.knock.Expires", "false"},
	{"a knock is good twice", "Vectors/go/knock-twice", "internal/parcel/once.go", "if o.seen[k] {", "if false {"},
	{"a knock is good for ever", "Vectors/go/knock-late", "internal/parcel/once.go", "now > expires+late", "false"},
	{"any agent answers", "Vectors/go/knock-other-agent-reads", "live/porter.go", "k.Agent != p.keys.Agent", "false"},
	{"a former member's device knocks", "Vectors/go/knock-dismissed", "sealed/knock.go", "case isDevice:", "case isDevice, t.Personal(k.Signer):"},
	{"who may is not asked", "WhoMay", "sealed/knock.go", "!t.Covers(p.ID, k.Stream.Camera, deed.SeesLive, at)", "false"},
	{"a frozen home is granted", "FrozenHomeIsDark", "sealed/grant.go", "t.Frozen() && !g.Refuses()", "false"},
	{"a run has no end", "RunEnds", "live/run.go", "monotonic >= r.ends", "false"},
	{"what is held back looks fresh", "HeldBackLooksOld", "live/viewer.go", "int64(now)-int64(w.sent)", "int64(0)"},
	{"what follows a gap is shown, whatever a server sends", "HostileServer", "live/viewer.go", "(w.broken || s.Missing > 0) && !f.Key", "false"},
	{"a fragment is shown again, whatever a server sends", "HostileServer", "live/viewer.go", "f.Sequence <= w.last", "false"},
}

// TestVectorsNoticeMissingChecks is the control: a program that lacks one of the checks
// does otherwise than that vector or test says.
func TestVectorsNoticeMissingChecks(t *testing.T) {
	program := &sabotage.Program{Root: ".."}
	for _, c := range cuts {
		control := program.Without(t, sabotage.Cut{File: c.file, Old: c.old, New: c.new})
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // when all have said what they lack
			test, _, _ := strings.Cut("Test"+c.test, "/")
			out, err := control.Tests(t.Context(), "^"+test+"$")
			if want := "--- FAIL: Test" + c.test + " "; err == nil || !strings.Contains(string(out), want) {
				t.Errorf("without the check the tests say %v, want %q:\n%s", err, want, out)
			}
		})
	}
}
