package bound_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/bound"
)

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		says, text string
		good       bool
	}{
		{"one", secretA, true},
		{"one, with a line's end", secretA + "\n", true},
		{"two", secretA + "\n" + secretB + "\n", true},
		{"two, written elsewhere", secretA + "\r\n" + secretB + "\r\n", true},
		{"none", "", false},
		{"three", secretA + "\n" + secretB + "\n" + secretC, false},
		{"one twice", secretA + "\n" + secretA, false},
		{"an empty line between", secretA + "\n\n" + secretB, false},
		{"too short", secretA[2:], false},
		{"half a byte short", secretA[1:], false},
		{"too long", secretA + "aa", false},
		{"half a byte too long", secretA + "a", false},
		{"no digits", strings.Repeat("x", 64), false},
	} {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		keys, err := bound.ReadKeys(path)
		if (err == nil) != c.good || (keys != nil) != c.good {
			t.Errorf("%s: %v, %v", c.says, keys, err)
		}
		if err != nil && len(c.text) > 8 && strings.Contains(err.Error(), c.text[:8]) {
			t.Errorf("%s: the error shows a secret: %v", c.says, err)
		}
	}
	if keys, err := bound.ReadKeys(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) || keys != nil {
		t.Errorf("no file: %v, %v", keys, err)
	}
	if _, err := bound.New(bound.Config{}); err == nil {
		t.Error("a cache without keys is made")
	}
}

// TestSecretsAreNotShown prints what holds secrets in every way there is.
func TestSecretsAreNotShown(t *testing.T) {
	keys := keysFile(t, secretA, secretB)
	config := bound.Config{Keys: keys, Tiers: []bound.Tier{bound.Valkey(bound.ValkeyConfig{URL: "redis://user:hunter2@127.0.0.1:1"})}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, shown := range []string{fmt.Sprintf(verb, keys), fmt.Sprintf(verb, *keys), fmt.Sprintf(verb, config)} {
			for _, secret := range []string{"aaaaaaaa", "bbbbbbbb", "170 170", "0xaa, 0xaa", "hunter2"} {
				if strings.Contains(shown, secret) {
					t.Errorf("%s shows a secret: %.300s", verb, shown)
				}
			}
		}
	}
	for _, url := range []string{"redis://user:hunter2@host:port", "http://user:hunter2@host", "redis://user:hunter2@host?master_set=x", "redis://user:hunter2@host?addr=b", "redis://u:hunter2@h/x", "%hunter2"} {
		_, err := bound.New(bound.Config{Keys: keys, Tiers: []bound.Tier{bound.Valkey(bound.ValkeyConfig{URL: url})}})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v; want an error that does not quote it", url, err)
		}
	}
}
