package latchkey_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
)

// TestWordsAreToldApart: who compares words aloud must not confuse two of them.
func TestWordsAreToldApart(t *testing.T) {
	b, err := os.ReadFile("words.txt")
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Fields(string(b))
	if len(list) != 256 || !slices.IsSorted(list) {
		t.Fatalf("%d words, sorted: %v; want 256 in order", len(list), slices.IsSorted(list))
	}
	begin := map[string]string{}
	for _, w := range list {
		four := w[:min(4, len(w))]
		if other, ok := begin[four]; ok {
			t.Errorf("%q and %q begin alike", w, other)
		}
		begin[four] = w
	}
}

func TestWordsSpellBytes(t *testing.T) {
	if got := latchkey.Words([]byte{0, 255, 0}); !slices.Equal(got, []string{"acorn", "zebra", "acorn"}) {
		t.Errorf("have %q", got)
	}
	if got := latchkey.Words(nil); len(got) != 0 {
		t.Errorf("nothing spells %q", got)
	}
}
