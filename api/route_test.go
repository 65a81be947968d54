package api_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/api"
)

func TestRoutesAreWhole(t *testing.T) {
	ids, addresses := map[string]bool{}, map[string]bool{}
	for _, r := range api.Routes {
		if ids[r.ID] || addresses[r.Method+" "+r.Pattern] {
			t.Errorf("route %s stands in the table twice", r.ID)
		}
		ids[r.ID], addresses[r.Method+" "+r.Pattern] = true, true
		if r.Says == "" || !strings.HasSuffix(r.Says, ".") || r.Status == 0 || r.Right == "" || r.Form == "" || !strings.HasPrefix(r.Pattern, "/v1/") {
			t.Errorf("route %s leaves something out", r.ID)
		}
		if r.Request != nil && !r.Unsafe() {
			t.Errorf("route %s reads a body and changes nothing", r.ID)
		}
	}
}

// sharedAddresses are the addresses that do not say whose they are, each with its reason.
// None of them answers a GET with anything that depends on who asks.
var sharedAddresses = map[string]string{
	"health":            "says the same to everybody",
	"found-home":        "POST; the home does not exist yet, and its deeds are in the body",
	"challenge":         "POST; home and device are in the body, the answer names the home, and the nonce is worth nothing without the device's key",
	"sign-in":           "POST; whose it is stands in the signed body, and the answer carries the MAC of the key in it",
	"sign-in-person":    "POST; as sign-in",
	"join-slot":         "the slot is the address, and a secret; what lies there is the same for everybody who knows it",
	"answer-join":       "as join-slot",
	"begin-account":     "POST; makes a fresh ID, kept nowhere",
	"sign-up":           "POST; the account stands in the body, and the answer carries the MAC of the key in it",
	"passphrase-params": "POST; the address of mail is in the body, and there is an answer for any",
	"passkey-options":   "POST; a challenge for any passkey",
	"sign-in-account":   "POST; who it is, is what is to be proven, and the answer carries the MAC of the key in the body",
	"end-account-again": "POST; the account and what proves its end are in the body, and the answer names the account",
	"agent":             "a websocket: no answer that could be kept, and who speaks is proven on it over a fresh nonce",
}

// TestTheAddressSaysWhose: nothing that depends on who asks is at an address that others
// share, where a cache that heeds no header could keep it for them.
func TestTheAddressSaysWhose(t *testing.T) {
	shared := map[string]bool{}
	for _, r := range api.Routes {
		home, account := strings.Contains(r.Pattern, "{home}"), strings.Contains(r.Pattern, "{account}")
		switch {
		case home != (r.Right.Session() || r.Right == api.Uploader), account != (r.Right.Page() && !r.Right.Session()):
			t.Errorf("route %s: the right %q does not fit the address %s", r.ID, r.Right, r.Pattern)
		case home || account:
		case sharedAddresses[r.ID] == "":
			t.Errorf("route %s: the address %s does not say whose it is", r.ID, r.Pattern)
		case r.Method == "GET" && r.Right != api.Anybody && r.Form != api.Websocket:
			t.Errorf("route %s: a cache may keep what is at %s", r.ID, r.Pattern)
		default:
			shared[r.ID] = true
		}
	}
	for id := range sharedAddresses {
		if !shared[id] {
			t.Errorf("%s is on the list of shared addresses and is none", id)
		}
	}
}

// TestRoutesAreDocumented: docs/wire.md has a row for each, and no others.
func TestRoutesAreDocumented(t *testing.T) {
	page := string(must(os.ReadFile("../docs/wire.md")))
	_, rest, _ := strings.Cut(page, "\n## Routes")
	section, rest, _ := strings.Cut(rest, "\n**Events.**")
	_, rest, _ = strings.Cut(rest, "\n## Accounts")
	accounts, _, _ := strings.Cut(rest, "\n## ")
	section += accounts
	documented := map[string]bool{}
	part := regexp.MustCompile("(?:(GET|POST|PUT|DELETE|HEAD) )?([/…][^\\s?`]+)?")
	var last string
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		var methods []string
		for _, code := range regexp.MustCompile("`([^`]+)`|the same").FindAllStringSubmatch(cells[1], -1) {
			text := code[1]
			if code[0] == "the same" {
				text = last
			}
			m := part.FindStringSubmatch(text)
			if m[1] != "" || text == "GET" || text == "HEAD" || text == "PUT" {
				methods = append(methods, strings.TrimSpace(m[1]+map[bool]string{true: text}[m[1] == ""]))
			}
			if m[2] == "" {
				continue
			}
			path := strings.Replace(m[2], "…", "/v1/homes/{home}", 1)
			for _, method := range methods {
				documented[method+" "+path] = true
			}
			methods, last = nil, path
		}
	}
	for _, r := range api.Routes {
		if !documented[r.Method+" "+r.Pattern] {
			t.Errorf("docs/wire.md has no row for %s %s", r.Method, r.Pattern)
		}
		delete(documented, r.Method+" "+r.Pattern)
	}
	for address := range documented {
		t.Errorf("docs/wire.md has a row for %s, which is not in the table", address)
	}
}

// TestOpenAPI: the document that is kept is the one that the types make.
func TestOpenAPI(t *testing.T) {
	b := append(must(api.OpenAPI()), '\n')
	if *update {
		if err := os.WriteFile("openapi.json", b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if kept := must(os.ReadFile("openapi.json")); !bytes.Equal(kept, b) {
		t.Error("openapi.json is not what the types make: go test ./api -run TestOpenAPI -update")
	}
	var d struct {
		Paths      map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, methods := range d.Paths {
		n += len(methods)
	}
	if n != len(api.Routes) {
		t.Errorf("%d operations for %d routes", n, len(api.Routes))
	}
	for _, ref := range regexp.MustCompile(`#/components/schemas/(\w+)`).FindAllStringSubmatch(string(b), -1) {
		if d.Components.Schemas[ref[1]] == nil {
			t.Errorf("schema %s is referred to and not there", ref[1])
		}
	}
}

// onCopies are the routes that change something and work on a copy of a home, each with
// the reason why that changes nothing of the home itself.
var onCopies = map[string]string{
	"challenge": "a nonce", "sign-in": "a session at the copy", "sign-in-person": "a session at the copy", "sign-out": "a session at the copy",
	"passphrase-params": "no change", "sign-in-account": "a session at the copy", "sign-out-account": "a session at the copy",
	"append-deeds": "a device of the copy alone: its chain leaves the machine never", "review": "marks at the copy", "report": "a line in the copy's log",
	"changes": "a websocket that only tells", "live": "a websocket that finds no agent",
}

// TestCopiesStay: what changes something works on a copy only if it stands above.
func TestCopiesStay(t *testing.T) {
	for _, r := range api.Routes {
		if r.Unsafe() && r.Copy != (onCopies[r.ID] != "") {
			t.Errorf("route %s changes something: works on a copy %v, want %v", r.ID, r.Copy, !r.Copy)
		}
		if r.Copy && (r.Right == api.Uploader || r.Right == api.AgentHello) {
			t.Errorf("route %s lets an agent bring something to a copy", r.ID)
		}
	}
}

// onPorches are the routes that change something and work at a server in the home, while
// the home's own cannot be reached, each with the reason why no two servers could differ
// by it.
var onPorches = map[string]string{
	"challenge": "a nonce", "sign-in": "a session at the porch", "sign-out": "a session at the porch", "report": "a line in the porch's log",
	"command": "what an agent does is the agent's", "changes": "a websocket that only tells", "live": "a websocket that only shows",
	"agent": "the agent's own line", "live-inlet": "the agent's own line",
}

// TestPorchesDoNotFork: what changes something works on a porch only if it stands above.
func TestPorchesDoNotFork(t *testing.T) {
	for _, r := range api.Routes {
		if (r.Unsafe() || r.Right == api.AgentHello) && r.Porch != (onPorches[r.ID] != "") {
			t.Errorf("route %s changes something: works on a porch %v, want %v", r.ID, r.Porch, !r.Porch)
		}
	}
}
