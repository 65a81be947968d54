package deed_test

import (
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// cuts take one check each out of the fold, and name the vector which that check is
// there to refuse.
var cuts = []struct{ name, vector, file, old, new string }{
	{"the signature is not verified", "signature-altered", "fold.go", "!k.Verify(d.message(), d.Signatures[0])", "false"},
	{"the deed before is not compared", "fork", "fold.go", "d.Prev != prev", "false && d.Prev != prev"},
	{"a key that was taken back signs on", "rekeyed-signs", "fold.go", "who.until != 0", "false"},
	{"anybody of the home decides", "resident-invites", "fold.go", "!slices.Contains(signers[d.Body.Type()], signer.Role)", "false"},
	{"an epoch is for whomever its maker likes", "turn-with-dismissed", "fold.go", "!slices.EqualFunc(b.Wraps", "false && !slices.EqualFunc(b.Wraps"},
	{"a removal needs no new epoch", "turn-missing-dismiss", "fold.go", `return refuse(WrongEpoch, "who sees the whole home changes, and no new epoch is there")`, "return nil"},
	{"the proof is not verified", "admit-other-keys", "fold_people.go", "!i.Signing[0].Verify(ProofMessage(t.home, i.ID, person), p.Signature)", "false"},
	{"an invitation is good twice", "admit-twice", "fold_people.go", "t.close(i.ID)", ""},
	{"the last owner goes", "change-last-owner", "fold_people.go", "!slices.ContainsFunc(t.persons, another)", "false && another(p)"},
	{"rights are given that have ended", "invite-rights-ended", "fold_people.go", "s.Rights.Ended(at)", "false"},
	{"a past is given that the signer has not", "past-not-had", "fold_people.go", "!o.whole", "false"},
	{"who sees the home shuts themselves out", "change-self-to-guest", "fold_people.go", "p.ID == signer.ID && !sees", "false"},
}

// TestVectorsNoticeMissingChecks is the control of the vectors: a program that lacks
// these checks takes what each of those vectors must not say.
func TestVectorsNoticeMissingChecks(t *testing.T) {
	var all []sabotage.Cut
	for _, c := range cuts {
		all = append(all, sabotage.Cut{File: "deed/" + c.file, Old: c.old, New: c.new})
	}
	program := sabotage.Program{Root: ".."}
	out, err := program.Without(t, all...).Tests(t.Context(), "^TestVectors$")
	if err == nil || !strings.Contains(string(out), "--- FAIL: TestVectors ") {
		t.Fatalf("without the checks the vectors say %v:\n%s", err, out)
	}
	for _, c := range cuts {
		if want := "--- FAIL: TestVectors/go/" + c.vector + " "; !strings.Contains(string(out), want) {
			t.Errorf("%s, and the vectors do not say %q", c.name, want)
		}
	}
}
