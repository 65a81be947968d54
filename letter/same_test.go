package letter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/letter"
)

// sameContent compares what was read with the JSON, of which a member that is not
// written is one that was left out.
func sameContent(t *testing.T, have any, content []byte) {
	t.Helper()
	b, err := json.Marshal(have)
	if err != nil {
		t.Fatal(err)
	}
	content, carried, carries := bytes.Cut(content, []byte{0})
	if r, ok := have.(letter.Reply); ok {
		plain, err := letter.EncodeReply(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, behind, is := bytes.Cut(plain, []byte{0}); is != carries || !bytes.Equal(behind, carried) {
			t.Errorf("behind it are the bytes %x, want %x", behind, carried)
		}
	}
	read, want := object(t, bytes.ReplaceAll(b, []byte("null"), []byte("[]"))), object(t, content)
	for _, inner := range []string{"found", "progress", "error"} {
		if m, ok := want[inner].(map[string]any); ok {
			want = m
		}
	}
	if diff := cmp.Diff(trimmed(want, read), trimmed(read, want)); diff != "" {
		t.Errorf("it reads (-want +have):\n%s", diff)
	}
}

func object(t *testing.T, b []byte) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// trimmed leaves of m what other has too, or what is not empty in it.
func trimmed(m, other map[string]any) map[string]any {
	m = maps.Clone(m)
	for name, value := range m {
		_, there := other[name]
		empty := slices.Contains([]string{"null", "[]", `""`, "0", "false", `"medium"`}, jsonOf(value))
		if empty || !there && slices.Contains([]string{"v", "do", "reply", "later"}, name) {
			delete(m, name)
		}
	}
	return m
}

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(b)
}
