package vault_test

import (
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/vault"
)

const seed = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// keys are a person's; a full content has them twice.
var (
	keys  = `"person":"` + strings.Repeat("a", 26) + `","signing":"` + seed + `","kem":"` + seed + `"`
	whole = `{"v":1,"homes":[{"home":"` + strings.Repeat("a", 52) + `",` + keys + `,"head":"7:` + strings.Repeat("0", 64) +
		`","next":{` + keys + `},"invited":true,"name":"Ours","colour":"blue"}],"devices":{},"unlockers":{}}`
)

func TestHomes(t *testing.T) {
	all, err := vault.Homes(whole)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	if h := all[0]; h.Name != "Ours" || h.Head.Seq != 7 || h.Keys == nil || h.Next == nil || !h.Invited {
		t.Errorf("%+v", h)
	}
	for name, text := range map[string]string{
		"no homes":      `{"v":1}`,
		"a short seed":  strings.Replace(whole, seed, "AAAA", 1),
		"no person":     strings.Replace(whole, `"person"`, `"parson"`, 1),
		"another head":  strings.Replace(whole, "7:", "7;", 1),
		"a version 2":   strings.Replace(whole, `"v":1`, `"v":2`, 1),
		"bad next keys": strings.Replace(whole, `"next":{`, `"next":{"x":1},"y":{`, 1),
	} {
		if _, err := vault.Homes(text); err == nil {
			t.Errorf("%s is taken", name)
		} else if strings.Contains(err.Error(), seed) {
			t.Errorf("%s: the error has a secret in it", name)
		}
	}
}

// FuzzHomes: what is taken has keys, and nothing that is refused is quoted.
func FuzzHomes(f *testing.F) {
	f.Add(whole)
	f.Add(`{"v":1,"homes":[]}`)
	f.Add(`{"v":1,"homes":[{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		all, err := vault.Homes(text)
		if err != nil {
			return
		}
		for _, h := range all {
			if h.Keys == nil || h.Keys.KEM == nil || len(h.Keys.Signing) == 0 {
				t.Fatalf("a home without keys: %+v", h)
			}
		}
	})
}
