package deed_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/vectors"
)

// vector is one file of testdata/vectors (docs/deed.md, "Vectors").
type vector struct {
	Name   string   `json:"name"`
	Says   string   `json:"says"`
	Deeds  [][]byte `json:"deeds"`
	Expect string   `json:"expect"`
	At     *int     `json:"at,omitempty"`
	Head   string   `json:"head,omitempty"`
}

const house = "found -> epoch -> agent hall -> camera door@hall"

// drawing is a vector before it is written: a history and what becomes of it.
type drawing struct{ name, says, drawing, expect string }

// drawings are the vectors that Go has written. The last deed that is drawn is the
// one that is refused.
var drawings = []drawing{
	{"found", "a home with nothing in it", "found", "accepted"},
	{"house", "a home that takes objects", house, "accepted"},
	{"two-agents", "two agents, three cameras, two epochs", house + " -> epoch -> agent garden -> camera pond@garden -> camera gate@hall", "accepted"},
	{"clocks-differ", "four minutes before the deed it follows", "found -> epoch{4 minutes early}", "accepted"},
	{"min-version-2", "a home that takes no objects of version 1 has deeds of version 1", "found{min_version 2} -> epoch", "accepted"},
	{"epoch-last", "epochs one after the other", "found -> epoch -> epoch -> epoch", "accepted"},
	{"32-agents", "as many agents as a home may have", "found" + repeat(" -> agent a%d", 32), "accepted"},

	{"oversize", "a deed of 128 KiB and a byte", "found -> epoch{128 KiB and a byte}", "oversize"},
	{"empty", "no bytes", "found -> epoch{empty}", "malformed"},
	{"truncated", "without its last byte", "found -> epoch{without its last byte}", "malformed"},
	{"extended", "with a byte more", "found -> epoch{with a byte more}", "malformed"},
	{"version-0", "version 0", "found -> epoch{version 0}", "malformed"},
	{"version-2", "a deed of a later version", "found -> epoch{version 2}", "future-version"},
	{"big-number", "a sequence number above 2^53-1", "found -> epoch{a number above 2^53}", "malformed"},
	{"body-extended", "a byte too many in the body", "found -> epoch{a byte more in the body}", "malformed"},
	{"body-truncated", "a byte too few in the body", "found -> epoch{a byte less in the body}", "malformed"},
	{"min-version-0", "lowest version 0", "found{min_version 0}", "malformed"},
	{"unsigned", "no signature", "found -> epoch{without signature}", "malformed"},
	{"signed-twice", "two signatures where the signer has one key", "found -> epoch{signed twice}", "malformed"},
	{"short-signature", "a signature of 63 bytes", "found -> epoch{short signature}", "malformed"},
	{"short-wrap", "a wrap of 1,167 bytes", "found -> epoch{a short wrap}", "malformed"},
	{"two-signing-keys", "an agent with two signing keys, in version 1", "found -> agent hall{two signing keys}", "malformed"},
	{"type-9", "a statement that no reader knows", "found -> epoch{type 9}", "unknown-type"},
	{"ml-dsa", "a signing key of a reserved algorithm", "found -> agent hall{signs with ML-DSA}", "bad-key"},
	{"key-for-sealing-signs", "a key that is sealed to where one that signs belongs", "found -> agent hall{signs with X-Wing}", "bad-key"},
	{"short-key", "a KEM key of 1,215 bytes", "found -> agent hall{short key}", "bad-key"},
	{"65-wraps", "more wraps than people can be", "found -> epoch{65 wraps}", "too-many"},
	{"not-found", "a chain that begins with an epoch", "epoch", "not-found"},
	{"found-twice", "a second founding in the middle of the chain", "found -> epoch -> found", "replayed"},
	{"another-home", "a deed of another home", "found -> epoch{of another home}", "wrong-home"},
	{"no-home", "a later deed that names no home", "found -> epoch{of no home}", "wrong-home"},
	{"first-names-a-home", "a first deed that names a home", "found{of another home}", "wrong-home"},
	{"replayed", "the same deed twice", "found -> epoch -> epoch{said again}", "replayed"},
	{"seq-lower", "a number that was given", "found -> epoch -> epoch{one lower}", "replayed"},
	{"gap", "a number too far", "found -> epoch{two further}", "gap"},
	{"fork", "the right number after another deed", "found -> epoch -> epoch{after another}", "fork"},
	{"backdated", "six minutes before the deed it follows", "found -> epoch{6 minutes early}", "backdated"},
	{"stranger", "signed by somebody of another home", "found -> epoch{by stranger}", "unknown-signer"},
	{"stranger-founds", "a founding that another signs", "found{by stranger}", "unknown-signer"},
	{"device-signs", "signed by the owner's device, which signs requests only", "found -> epoch{by device}", "not-allowed"},
	{"agent-signs", "signed by an agent: no agent signs deeds", house + " -> camera gate@hall{by agent hall}", "not-allowed"},
	{"signature-altered", "a bit of the signature is another", "found -> epoch{signature altered}", "bad-signature"},
	{"body-altered", "a bit of the body is another", house + " -> camera gate@hall{body altered}", "bad-signature"},
	{"time-altered", "a bit of the time is another", "found -> epoch{time altered}", "bad-signature"},
	{"found-altered", "a bit of the founding's salt is another", "found{body altered}", "bad-signature"},
	{"owner-named-stranger-signed", "it names the owner, and a stranger signed it", "found -> epoch{by stranger, naming the owner}", "bad-signature"},
	{"epoch-skips", "an epoch's number is left out", "found -> epoch{numbered one higher}", "wrong-epoch"},
	{"epoch-again", "an epoch's number comes again", "found -> epoch -> epoch{numbered as the last}", "wrong-epoch"},
	{"wraps-nobody", "an epoch that nobody can open", "found -> epoch{wrapped for nobody}", "wrong-wraps"},
	{"wraps-twice", "an epoch wrapped twice for one person", "found -> epoch{wrapped twice}", "wrong-wraps"},
	{"wraps-stranger", "an epoch wrapped for somebody who is not in the home", "found -> epoch{wrapped for a stranger}", "wrong-wraps"},
	{"wraps-strange-key", "an epoch wrapped under a key that is not the person's", "found -> epoch{wrapped under a stranger's key}", "wrong-wraps"},
	{"epoch-key-reused", "the owner's own KEM key as an epoch's", "found -> epoch{the owner's key}", "reused-key"},
	{"found-one-key", "one key for the person and the device", "found{one key for person and device}", "reused-key"},
	{"agent-signing-key-reused", "a second agent with the first one's signing key", "found -> agent hall -> agent garden{signs-with hall}", "reused-key"},
	{"agent-kem-key-reused", "a second agent with the first one's KEM key", "found -> agent hall -> agent garden{sealed-to hall}", "reused-key"},
	{"agent-again", "an agent placed twice", "found -> agent hall -> agent hall", "already-placed"},
	{"camera-again", "a camera placed twice, the second time with another agent", house + " -> agent garden -> camera door@garden", "already-placed"},
	{"camera-without-agent", "a camera with an agent that is not in the home", "found -> epoch -> camera door@hall", "unknown-agent"},
	{"33-agents", "one agent more than a home may have", "found" + repeat(" -> agent a%d", 33), "too-many"},
	{"257-cameras", "one camera more than a home may have", "found -> agent hall" + repeat(" -> camera c%d@hall", 257), "too-many"},
}

func repeat(step string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, step, i)
	}
	return b.String()
}

// TestWriteVectors writes the vectors that are missing, with -write.
func TestWriteVectors(t *testing.T) {
	for _, d := range slices.Concat(drawings, peopleDrawings, placeDrawings) {
		vectors.Write(t, d.name, func(t *testing.T) vector {
			v := vector{Name: d.name, Says: d.says, Deeds: draw(t, d.drawing).deeds, Expect: d.expect}
			if title, err := deed.Start(v.Deeds...); err == nil {
				v.Head = title.Head().String()
			} else {
				at := len(v.Deeds) - 1
				v.At = &at
			}
			return v
		})
	}
}

// readVectors reads the vectors of both languages.
func readVectors(t testing.TB) (all []vector, by map[string]int) {
	t.Helper()
	return vectors.Read(t, func(v *vector) *string { return &v.Name })
}

// TestVectors folds every vector and compares the reason and the deed it is about.
func TestVectors(t *testing.T) {
	all, _ := readVectors(t)
	for _, v := range all {
		t.Run(v.Name, func(t *testing.T) {
			title, err := deed.Start(v.Deeds...)
			if v.Expect != "accepted" {
				e, ok := err.(*deed.Error)
				if !ok || string(e.Reason) != v.Expect || v.At == nil || e.At != *v.At {
					t.Fatalf("%s: have %v, want deed %v refused: %s", v.Says, err, deref(v.At), v.Expect)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", v.Says, err)
			}
			if title.Head().String() != v.Head {
				t.Errorf("%s: head %s, want %s", v.Says, title.Head(), v.Head)
			}
			if again, err := deed.Fold(title.Home(), v.Deeds); err != nil || again.Head() != title.Head() {
				t.Errorf("%s: folded for the home it founds: %v", v.Says, err)
			}
		})
	}
}

func deref(p *int) any {
	if p == nil {
		return "(none)"
	}
	return *p
}

// TestVectorsAreMany: vectors that are not there prove nothing, and a format is what
// it refuses.
func TestVectorsAreMany(t *testing.T) {
	all, by := readVectors(t)
	refused := 0
	reasons := map[deed.Reason]bool{}
	for _, v := range all {
		if v.Expect != "accepted" {
			refused++
			reasons[deed.Reason(v.Expect)] = true
		}
	}
	if by["go"] < 110 || by["ts"] < 110 || refused <= len(all)-refused {
		t.Errorf("%d vectors by Go, %d by TypeScript, %d of them refusals: want 110, 110 and more than half", by["go"], by["ts"], refused)
	}
	for _, r := range reasonList {
		if !reasons[r] {
			t.Errorf("no vector is refused as %s", r)
		}
	}
}

// reasonList is the list in docs/deed.md, which TestReasonsAreThePages compares.
var reasonList = []deed.Reason{
	deed.Oversize, deed.Malformed, deed.FutureVersion, deed.UnknownType, deed.WrongHome, deed.Replayed, deed.Gap,
	deed.Fork, deed.Backdated, deed.UnknownSigner, deed.FormerSigner, deed.NotAllowed, deed.BadSignature, deed.BadKey,
	deed.NotFound, deed.WrongEpoch, deed.WrongWraps, deed.WrongPast, deed.ReusedKey, deed.AlreadyPlaced, deed.UnknownAgent,
	deed.UnknownCamera, deed.UnknownPerson, deed.UnknownDevice, deed.UnknownInvite, deed.BadProof, deed.Expired,
	deed.LastOwner, deed.WrongState, deed.TooMany,
}

func TestReasonsAreThePages(t *testing.T) {
	page, err := os.ReadFile("../docs/deed.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n## Reasons\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	for _, r := range reasonList {
		if quoted := "`" + string(r) + "`"; !strings.Contains(section, quoted) {
			t.Errorf("docs/deed.md does not list the reason %s", r)
		} else {
			section = strings.Replace(section, quoted, "", 1)
		}
	}
	if left := strings.TrimSpace(section); left != "" {
		t.Errorf("docs/deed.md lists what the code does not have: %s", left)
	}
}
