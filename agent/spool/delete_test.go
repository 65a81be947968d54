package spool_test

import (
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestDelete: what was deleted goes, whether it waits or was refused, and does not come
// back; what was not, and what nobody can say of, stays.
func TestDelete(t *testing.T) {
	h := newHouse(t, durabletest.New(), nil)
	for range 4 {
		if _, err := h.add(latchkey.Thumbnail, []byte("a picture")); err != nil {
			t.Fatal(err)
		}
	}
	items := h.items()
	if err := h.spool.SetAside(items[0], "malformed"); err != nil {
		t.Fatal(err)
	}
	gone := map[latchkey.EventID]bool{items[0].Event: true, items[1].Event: true}
	covered := func(b sealed.Binding) bool {
		if b.Name() != items[0].Name && b.Name() != items[1].Name && b.Name() != items[2].Name && b.Name() != items[3].Name {
			t.Errorf("asked of %s, which is none of them", b.Name())
		}
		return gone[b.Event]
	}
	for _, open := range []bool{false, true} {
		if open {
			h.open()
		}
		n, err := h.spool.Delete(covered)
		if err != nil || n != map[bool]int{false: 2, true: 0}[open] {
			t.Errorf("%d were removed, %v", n, err)
		}
		if st := h.spool.Status(); len(h.items()) != 2 || st.Refused != 0 || st.Bytes != items[2].Length+items[3].Length {
			t.Errorf("what is left, opened anew %t: %d, %+v", open, len(h.items()), st)
		}
	}
}
