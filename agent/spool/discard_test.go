package spool_test

import (
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
)

// TestDiscard: what was sealed before a deed goes, whether it waits, was refused or is
// damaged, and does not come back; what was sealed since stays.
func TestDiscard(t *testing.T) {
	h := newHouse(t, durabletest.New(), nil)
	for range 5 {
		if _, err := h.add(latchkey.Thumbnail, []byte("then")); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.spool.SetAside(h.items()[0], "malformed"); err != nil {
		t.Fatal(err)
	}
	damaged := h.items()[0].Name.Object
	if err := durable.Remove(h.fs, "spool/"+damaged.String()+".body"); err != nil {
		t.Fatal(err)
	}
	h.open()
	h.owner.StartEpoch()
	before := h.owner.Title().Head().Seq
	if _, err := h.add(latchkey.Thumbnail, []byte("since")); err != nil {
		t.Fatal(err)
	}
	for _, open := range []bool{false, true} {
		if open {
			h.open()
		} else if n, err := h.spool.Discard(before); n != 5 || err != nil {
			t.Errorf("%d entries were discarded, want 5; %v", n, err)
		}
		if st, items := h.spool.Status(), h.items(); len(items) != 1 || items[0].Head != before || st.Refused != 0 || st.Damaged != 0 || st.Bytes != items[0].Length {
			t.Errorf("what is left, opened anew %t: %+v, %+v", open, items, st)
		}
	}
	if n, err := h.spool.Discard(before); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
}
