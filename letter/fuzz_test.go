package letter_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/letter"
)

// seedContents gives f the contents of the drawings that are read as that kind, and
// fails if there are few: seeds that are silently missing are worse than none.
func seedContents(f *testing.F, least int, add func(content []byte, do string)) {
	f.Helper()
	n := 0
	all, _ := readVectors(f)
	for _, v := range all {
		if len(v.Content) > 0 {
			add(v.Content, v.Do)
			n++
		}
	}
	if n < least {
		f.Fatalf("%d vectors with a content as seeds, want at least %d", n, least)
	}
}

// FuzzParseCommand: a command that parses is written and read again as the same.
func FuzzParseCommand(f *testing.F) {
	seedContents(f, 20, func(content []byte, do string) {
		if do == "" {
			f.Add(content)
		}
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, reply, err := letter.ParseCommand(b)
		if err != nil {
			return
		}
		again, err := letter.EncodeCommand(c, reply)
		if err != nil {
			t.Fatalf("%v cannot be written: %v", c, err)
		}
		second, _, err := letter.ParseCommand(again)
		if err != nil || same(t, c) != same(t, second) {
			t.Fatalf("%s is read again as %s, %v", same(t, c), same(t, second), err)
		}
	})
}

// FuzzParseReply: a reply that parses is written and read again as the same, but for
// what is cleaned; none is read as an answer to everything.
func FuzzParseReply(f *testing.F) {
	seedContents(f, 20, func(content []byte, do string) {
		if do != "" {
			f.Add(content, do)
		}
	})
	f.Fuzz(func(t *testing.T, b []byte, do string) {
		to, ok := commands[do]
		if !ok {
			return
		}
		r, err := letter.ParseReply(b, to)
		if err != nil {
			return
		}
		again, err := letter.EncodeReply(r)
		if err != nil {
			t.Fatalf("%v cannot be written: %v", r, err)
		}
		second, err := letter.ParseReply(again, to)
		if _, before, _ := bytes.Cut(b, []byte{0}); err == nil && bytes.Contains(again, []byte{0}) && !bytes.HasSuffix(again, append([]byte{0}, before...)) {
			t.Fatalf("the bytes behind it are others: %q", again)
		}
		if err != nil || same(t, r) != same(t, second) {
			t.Fatalf("%s is read again as %s, %v", same(t, r), same(t, second), err)
		}
	})
}

// FuzzParseCondition: a condition that parses is written and read again as the same.
func FuzzParseCondition(f *testing.F) {
	f.Add([]byte(condition))
	seedContents(f, 20, func(content []byte, do string) {
		if bytes.Contains(content, []byte(`"spool"`)) {
			f.Add(content)
		}
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := letter.ParseCondition(b)
		if err != nil {
			return
		}
		again, err := c.Encode()
		if err != nil {
			t.Fatalf("%v cannot be written: %v", c, err)
		}
		second, err := letter.ParseCondition(again)
		if err != nil || same(t, c) != same(t, second) {
			t.Fatalf("%s is read again as %s, %v", same(t, c), same(t, second), err)
		}
	})
}

func same(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	s := strings.ReplaceAll(string(b), "null", "[]")
	return strings.ReplaceAll(s, `"still":[]`, `"still":"`+base64.StdEncoding.EncodeToString(nil)+`"`)
}

// listed are the reasons in docs/letter.md.
func listed(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../docs/letter.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n## Reasons\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	reasons := strings.Fields(strings.ReplaceAll(section, "`", ""))
	if len(reasons) < 15 {
		t.Fatalf("docs/letter.md lists %d reasons", len(reasons))
	}
	return reasons
}
