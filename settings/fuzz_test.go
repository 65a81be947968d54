package settings_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/latchkey-cam/latchkey/settings"
)

// FuzzParseContent: a content that parses is written and read again as the same.
func FuzzParseContent(f *testing.F) {
	n := 0
	all, _ := readVectors(f)
	for _, v := range all {
		if len(v.Content) > 0 {
			f.Add(v.Content)
			n++
		}
	}
	if n < 15 {
		f.Fatalf("%d vectors with a content as seeds, want at least 15", n)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := settings.ParseContent(b)
		if err != nil {
			return
		}
		again, err := c.Encode()
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", c, err)
		}
		second, err := settings.ParseContent(again)
		if diff := cmp.Diff(c, second, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("it is read again as something else, %v:\n%s", err, diff)
		}
	})
}
