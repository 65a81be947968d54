package server

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
)

// moving are homes whose heads move with every read.
type moving struct {
	archive.Homes
	reads  uint64
	gone   bool   // there are none
	during func() // the next read
}

func (o *moving) Head(_ context.Context, home latchkey.HomeID) (archive.HomeHead, error) {
	o.reads++
	head, gone := archive.HomeHead{Home: home, Head: latchkey.Head{Seq: o.reads}}, o.gone
	if during := o.during; during != nil {
		o.during = nil
		during()
	}
	if gone {
		return archive.HomeHead{}, archive.ErrNotFound
	}
	return head, nil
}

// TestHeadsAreRemembered: until something of the home has changed, were it while the head
// was read, and as long as the lease is fresh.
func TestHeadsAreRemembered(t *testing.T) {
	o, fresh, home := &moving{}, true, latchkey.HomeID{1}
	h := newHeads(o, nil, true, func() bool { return fresh })
	want := func(what string, seq uint64) {
		t.Helper()
		if head, err := h.of(t.Context(), home); err != nil || head.Head.Seq != seq {
			t.Errorf("%s: read %d, %v, want %d", what, head.Head.Seq, err, seq)
		}
	}
	want("at first", 1)
	want("again", 1)
	h.forget(latchkey.HomeID{2})
	want("after a change of another home", 1)
	h.forget(home)
	want("after a change", 2)
	fresh = false
	want("without a lease", 3)
	fresh = true
	want("with one again", 2)
	h.forget(home)
	o.during = func() { h.forget(home) }
	want("before a change that comes meanwhile", 4)
	want("after it", 5)
	h.forget(home)
	o.during = func() { want("beside another's read", 7) }
	want("the other's", 6)
	h.forget(home)
	o.gone = true
	if _, err := h.of(t.Context(), home); !errors.Is(err, archive.ErrNotFound) || len(h.places) != 0 {
		t.Errorf("a home that is not there: %v, and %d are remembered", err, len(h.places))
	}
	o.during = func() {
		o.gone = false
		h.forget(home)
		want("while another reads that it is not there", 10)
	}
	if _, err := h.of(t.Context(), home); !errors.Is(err, archive.ErrNotFound) {
		t.Errorf("whoever has read so is told %v", err)
	}
	want("after both", 10)
}

// TestHeadsAreBounded: the home that was asked for longest ago makes room.
func TestHeadsAreBounded(t *testing.T) {
	o := &moving{}
	h := newHeads(o, nil, true, func() bool { return true })
	for i := range uint32(maxHeads + 1) {
		var home latchkey.HomeID
		binary.BigEndian.PutUint32(home[:], i)
		if _, err := h.of(t.Context(), home); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.places) != maxHeads || h.recent.Len() != maxHeads || h.places[latchkey.HomeID{}] != nil {
		t.Errorf("%d are remembered, in a list of %d", len(h.places), h.recent.Len())
	}
}
