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
		if atHome := strings.Contains(r.Pattern, "{home}"); atHome != (r.Right.Session() || r.Right == api.Uploader) {
			t.Errorf("route %s: the right %q does not fit the address %s", r.ID, r.Right, r.Pattern)
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
