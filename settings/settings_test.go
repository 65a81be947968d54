package settings_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/vectors"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/settings"
)

// vector is one file of testdata/vectors (docs/deed.md, "Settings").
type vector struct {
	Name     string `json:"name"`
	Says     string `json:"says"`
	Home     string `json:"home"`
	Reader   string `json:"reader"`
	Document []byte `json:"document"`
	Expect   string `json:"expect"`
	Content  []byte `json:"content,omitempty"`
}

const homesFile = "../sealed/testdata/homes.json"

func readVectors(t testing.TB) (all []vector, by map[string]int) {
	t.Helper()
	return vectors.Read(t, func(v *vector) *string { return &v.Name })
}

// TestVectors opens every vector of both languages and compares the reason, or what
// the document says.
func TestVectors(t *testing.T) {
	homes := keytest.ReadHomes(homesFile)
	all, by := readVectors(t)
	refused := 0
	for _, v := range all {
		if v.Expect != "opened" {
			refused++
		}
		t.Run(v.Name, func(t *testing.T) {
			d, err := settings.Open(v.Document, homes[v.Home].Title(), nil, reader(t, homes[v.Home], v.Reader))
			have := string(sealed.ReasonOf(err))
			if err == nil {
				have = "opened"
			}
			if have != v.Expect {
				t.Fatalf("%s: %s (%v), want %s", v.Says, have, err, v.Expect)
			}
			if err == nil {
				sameContent(t, d.Content, v.Content)
			}
			if s, err := sealed.ParseSettings(v.Document); err == nil && string(s.Bytes()) != string(v.Document) {
				t.Error("a second spelling of a settings document")
			}
		})
	}
	if by["go"] < 60 || by["ts"] < 35 || refused <= len(all)-refused {
		t.Errorf("%d vectors by Go, %d by TypeScript, %d of them refusals: want 60, 35 and more than half", by["go"], by["ts"], refused)
	}
}

func reader(t *testing.T, h *keytest.Home, who string) settings.Holder {
	t.Helper()
	n, isAgent := strings.CutPrefix(who, "agent ")
	if !isAgent {
		return h.Ring()
	}
	i, err := strconv.Atoi(n)
	if err != nil {
		t.Fatalf("no such reader: %q", who)
	}
	return h.Agent(i).Keys
}

// sameContent compares what was read with the JSON, in which a camera may say at length
// what holds without a word.
func sameContent(t *testing.T, have settings.Content, want []byte) {
	t.Helper()
	b, err := have.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(told(t, want), told(t, b)); diff != "" {
		t.Errorf("content (-want +have):\n%s", diff)
	}
}

func told(t *testing.T, content []byte) map[string]any {
	t.Helper()
	var c struct {
		Home, Zone string
		Cameras    map[string]map[string]any
	}
	if err := json.Unmarshal(content, &c); err != nil {
		t.Fatal(err)
	}
	for _, camera := range c.Cameras {
		for member, value := range camera {
			if b, err := json.Marshal(value); err == nil && slices.Contains([]string{"false", "[]", `"medium"`}, string(b)) {
				delete(camera, member)
			}
		}
	}
	return map[string]any{"home": c.Home, "zone": c.Zone, "cameras": c.Cameras}
}

// house is a home with an agent and a camera.
func house() (*keytest.Owner, *keytest.Agent, settings.Content) {
	owner := keytest.NewOwner()
	owner.Found()
	agent := owner.PlaceAgent()
	return owner, agent, settings.Content{
		Home: "Our house", Zone: "Europe/Berlin",
		Cameras: map[latchkey.CameraID]settings.Camera{owner.PlaceCamera(agent): {Name: "Front door"}},
	}
}

// TestSealedForMembersAndAgents: whoever is in the home reads the same, and nobody else.
func TestSealedForMembersAndAgents(t *testing.T) {
	owner, agent, content := house()
	b := owner.Settings(nil, content)
	for who, keys := range map[string]settings.Holder{"a member": owner.Ring(), "an agent": agent.Keys} {
		d, err := settings.Open(b, owner.Title(), nil, keys)
		if err != nil {
			t.Fatalf("%s: %v", who, err)
		}
		if diff := cmp.Diff(content, d.Content); diff != "" {
			t.Errorf("%s reads (-want +have):\n%s", who, diff)
		}
	}
	stranger, err := key.NewAgentKeys()
	if err != nil {
		t.Fatal(err)
	}
	for who, keys := range map[string]settings.Holder{"nobody": key.Ring{}, "a strange agent": stranger} {
		if _, err := settings.Open(b, owner.Title(), nil, keys); sealed.ReasonOf(err) != sealed.NoEnvelope {
			t.Errorf("%s: %v, want %s", who, err, sealed.NoEnvelope)
		}
	}
	if strings.Contains(string(b), "Front door") {
		t.Error("a name is not sealed")
	}
}

// TestOnlyForward: a reader takes no document older than one it has seen, and no other
// one of the same number; a server takes only the next.
func TestOnlyForward(t *testing.T) {
	owner, agent, content := house()
	parse := func(b []byte) sealed.Settings {
		s, err := sealed.ParseSettings(b)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := owner.Settings(nil, content)
	one := parse(first)
	second := owner.Settings(&one, content)
	two := parse(second)
	rival := owner.Settings(&one, content)
	bob := owner.Join(keytest.NewPerson(), keytest.AsOwner)
	then := owner.As(bob)
	owner.Dismiss(bob)
	third := owner.Settings(&two, content)
	three := parse(third)
	late := then.Settings(&three, content) // by somebody who was an owner at its head
	for name, c := range map[string]struct {
		document []byte
		seen     *sealed.Settings
		want     sealed.Reason
	}{
		"the next":                       {second, &one, ""},
		"the same again":                 {second, &two, ""},
		"the one before":                 {first, &two, sealed.Replayed},
		"another one of the same number": {rival, &two, sealed.Fork},
		"the one after, of a later head": {third, &two, ""},
		"made at an earlier head":        {late, &three, sealed.Replayed},
	} {
		d, err := settings.Open(c.document, owner.Title(), c.seen, agent.Keys)
		if sealed.ReasonOf(err) != c.want || (d != nil) != (c.want == "") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	other, after := parse(rival), parse(late)
	if !one.Replaces(nil) || !two.Replaces(&one) || one.Replaces(&two) || other.Replaces(&two) || one.Replaces(&one) || !three.Replaces(&two) || after.Replaces(&three) {
		t.Error("a document that is not the next is said to replace one")
	}
	if !two.Replaces(nil) || !three.Replaces(nil) || !three.Replaces(&one) || three.Replaces(&other) {
		t.Error("a document after some that were lost does not replace the last that was not, or replaces a rival")
	}
}

// TestSealRefusesWhatNobodyWouldOpen: what a reader refuses is not sealed.
func TestSealRefusesWhatNobodyWouldOpen(t *testing.T) {
	owner, _, content := house()
	for name, c := range map[string]settings.Content{
		"nothing":          {},
		"no zone":          {Home: "H"},
		"a name backwards": {Home: "H\u202e", Zone: "UTC"},
		"no UTF-8":         {Home: "\xff", Zone: "UTC"},
		"a long name":      {Home: strings.Repeat("x", 65), Zone: "UTC"},
	} {
		if _, err := settings.Seal(owner.Keys.Signing, owner.Title(), nil, owner.Now(), c); err == nil {
			t.Errorf("%s was sealed", name)
		}
	}
	many := content
	many.Cameras = map[latchkey.CameraID]settings.Camera{}
	for range 4000 {
		many.Cameras[latchkey.NewCameraID()] = settings.Camera{Name: strings.Repeat("x", 64)}
	}
	if _, err := settings.Seal(owner.Keys.Signing, owner.Title(), nil, owner.Now(), many); err == nil {
		t.Error("more than 256 KiB were sealed")
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, signer := range map[string]crypto.Signer{"a key of another kind": ec, "a key that is lost": lost{owner.Keys.Signing}} {
		if _, err := settings.Seal(signer, owner.Title(), nil, owner.Now(), content); err == nil {
			t.Errorf("settings were sealed by %s", name)
		}
	}
}

// lost is a key that does not sign.
type lost struct{ ed25519.PrivateKey }

func (lost) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the key is lost")
}
