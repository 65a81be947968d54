package live_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/vectors"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/sealed"
)

// vector is one file of testdata/vectors (docs/live.md, "Vectors").
type vector struct {
	Name     string            `json:"name"`
	Says     string            `json:"says"`
	Home     string            `json:"home"`
	Reader   string            `json:"reader"`
	Now      latchkey.Time     `json:"now,omitempty"`
	Camera   latchkey.CameraID `json:"camera,omitzero"`
	Stream   sealed.StreamKind `json:"stream,omitempty"`
	Knock    []byte            `json:"knock,omitempty"`
	Asker    []byte            `json:"asker,omitempty"`
	Messages []message         `json:"messages"`
}

type message struct {
	Message []byte        `json:"message"`
	At      latchkey.Time `json:"at,omitempty"`
	Expect  string        `json:"expect"`
	Behind  *int64        `json:"behind,omitempty"`
}

const homesFile = "../sealed/testdata/homes.json"

func readVectors(t testing.TB) (all []vector, by map[string]int) {
	t.Helper()
	return vectors.Read(t, func(v *vector) *string { return &v.Name })
}

// told is a step as vectors write it.
func told(s live.Step, err error) string {
	if err != nil {
		if r := sealed.ReasonOf(err); r != "" {
			return string(r)
		}
		return err.Error()
	}
	var parts []string
	if s.Refused != "" {
		parts = append(parts, "refused "+s.Refused)
	}
	if s.Granted {
		parts = append(parts, "granted")
	}
	if s.Missing > 0 {
		parts = append(parts, fmt.Sprint("missing ", s.Missing))
	}
	if s.Init != nil {
		parts = append(parts, "begins "+s.Init.Type)
	}
	if s.Media != nil {
		hash := sha256.Sum256(s.Media)
		parts = append(parts, map[bool]string{true: "plays key ", false: "plays "}[s.Key]+hex.EncodeToString(hash[:]))
	}
	if s.Knock {
		parts = append(parts, "knock")
	}
	if parts == nil {
		return "waits"
	}
	return strings.Join(parts, ", ")
}

// run has the vector's reader read its messages, and gives for each what comes of it.
func (v vector) run(t *testing.T, h *keytest.Home) []message {
	t.Helper()
	read := v.reader(t, h)
	var all []message
	for _, m := range v.Messages {
		all = append(all, read(m))
	}
	return all
}

func (v vector) reader(t *testing.T, h *keytest.Home) func(message) message {
	t.Helper()
	opened := func(err error) message {
		if err == nil {
			return message{Expect: "opened"}
		}
		return message{Expect: told(live.Step{}, err)}
	}
	switch v.Reader {
	case "carrier":
		return func(m message) message { return opened(carry(m.Message, h)) }
	case "viewer":
		viewer := v.viewer(t)
		return func(m message) message {
			is := message{Expect: told(viewer.Take(m.Message, h.Title(), m.At))}
			if behind, ok := viewer.Behind(m.At); ok {
				us := behind.Microseconds()
				is.Behind = &us
			}
			return is
		}
	}
	i, err := strconv.Atoi(strings.TrimPrefix(v.Reader, "agent "))
	if err != nil {
		t.Fatalf("no such reader: %q", v.Reader)
	}
	porter := live.NewPorter(h.Agent(i).Keys, incarnation)
	return func(m message) message {
		_, err := porter.Open(m.Message, h.Title(), live.Now{Clock: v.Now, Sure: v.Now != 0})
		return opened(err)
	}
}

// carry makes the checks that need no secret.
func carry(b []byte, h *keytest.Home) error {
	if kind, _ := sealed.LiveKindOf(b); kind == sealed.GrantMessage {
		g, err := sealed.ParseGrant(b)
		if err == nil {
			err = sealed.VerifyGrant(g, h.Title())
		}
		return err
	}
	k, err := sealed.ParseKnock(b)
	if err == nil {
		err = sealed.VerifyKnock(k, h.Title())
	}
	return err
}

func (v vector) viewer(t *testing.T) *live.Viewer {
	t.Helper()
	k, err := sealed.ParseKnock(v.Knock)
	if err != nil {
		t.Fatal(err)
	}
	asker, err := key.PrivateFromSeed(v.Asker)
	if err != nil {
		t.Fatal(err)
	}
	if k.Stream.Camera != v.Camera || k.Stream.Kind != v.Stream {
		t.Fatalf("the knock is for %s", k.Stream)
	}
	return live.Knocked(k, asker, v.Now)
}

// TestVectors has every vector of both languages read, and compares what comes of each
// message.
func TestVectors(t *testing.T) {
	homes := keytest.ReadHomes(homesFile)
	all, by := readVectors(t)
	refused := 0
	for _, v := range all {
		t.Run(v.Name, func(t *testing.T) {
			for i, is := range v.run(t, homes[v.Home]) {
				want := v.Messages[i]
				if is.Expect != want.Expect {
					t.Fatalf("%s: message %d: %s, want %s", v.Says, i, is.Expect, want.Expect)
				}
				if have, want := shown(is.Behind), shown(want.Behind); have != want {
					t.Errorf("%s: after message %d it is behind by %s, want %s", v.Says, i, have, want)
				}
				sameSpelling(t, want.Message)
			}
		})
		if slices.ContainsFunc(v.Messages, func(m message) bool { return slices.Contains(listed(t), m.Expect) }) {
			refused++
		}
	}
	if by["go"] < 150 || by["ts"] < 60 || refused <= len(all)/2 {
		t.Errorf("%d vectors by Go, %d by TypeScript, %d of them with a refusal: want 150, 60 and more than half", by["go"], by["ts"], refused)
	}
}

func shown(behind *int64) string {
	if behind == nil {
		return "nothing"
	}
	return fmt.Sprint(*behind, " us")
}

// sameSpelling: what parses is written back as the same bytes.
func sameSpelling(t *testing.T, b []byte) {
	t.Helper()
	var again []byte
	if k, err := sealed.ParseKnock(b); err == nil {
		again = k.Bytes()
	} else if g, err := sealed.ParseGrant(b); err == nil {
		again = g.Bytes()
	} else if f, err := sealed.ParseFragment(b); err == nil {
		again = f.Bytes()
	} else {
		return
	}
	if !bytes.Equal(again, b) {
		t.Error("a second spelling of a message")
	}
}

// listed are the reasons in docs/live.md.
func listed(t testing.TB) []string {
	t.Helper()
	page, err := os.ReadFile("../docs/live.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n## Reasons\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	reasons := strings.Fields(strings.ReplaceAll(section, "`", ""))
	if len(reasons) < 15 {
		t.Fatalf("docs/live.md lists %d reasons", len(reasons))
	}
	return reasons
}

// TestReasonsAreRefused: every reason that the page lists is the reason of a vector or
// of a test of this package, and no other is.
func TestReasonsAreRefused(t *testing.T) {
	met := map[string]bool{"frozen": true} // TestFrozenHomeIsDark
	all, _ := readVectors(t)
	for _, v := range all {
		for _, m := range v.Messages {
			if !strings.Contains(m.Expect, " ") && !slices.Contains([]string{"opened", "granted", "waits", "knock"}, m.Expect) {
				met[m.Expect] = true
			}
		}
	}
	for _, r := range listed(t) {
		if !met[r] {
			t.Errorf("nothing is refused as %s", r)
		}
		delete(met, r)
	}
	for r := range met {
		t.Errorf("docs/live.md does not list the reason %s", r)
	}
}
