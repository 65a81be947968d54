package footage_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/latchkey-cam/latchkey/footage"
)

// with returns b with something else at a place.
func with(b []byte, at int, other ...byte) []byte {
	b = slices.Clone(b)
	copy(b[at:], other)
	return b
}

// TestRefusedByThePage: what is genuinely sealed and says what the page does not allow is
// refused. Where there are the heads and the contents to say the same, one of them is
// enough; so both are given what is wrong.
func TestRefusedByThePage(t *testing.T) {
	h, _ := recorded(t, false)
	head := pageHead(len("pictures") + 56 + 16)
	long := make([]byte, 201)
	for name, c := range map[string]struct{ coding, head, contents []byte }{
		"a coding of nothing":                   {coding: []byte{}},
		"a coding with something after it":      {coding: slices.Concat(lp16([]byte("x")), lp32(nil), []byte{0})},
		"a type too long":                       {coding: slices.Concat(lp16(long), lp32(nil))},
		"an init too long":                      {coding: slices.Concat(lp16(nil), lp32(make([]byte, 64<<10+1)))},
		"a head too short":                      {head: head[:26], contents: head[:26]},
		"a head too long":                       {head: append(slices.Clone(head), 0), contents: append(slices.Clone(head), 0)},
		"a time past 2^53":                      {head: with(head, 0, 0xff), contents: with(head, 0, 0xff)},
		"a quality that is none":                {head: with(head, 8, 3), contents: with(head, 8, 3)},
		"a length of more than a minute":        {head: with(head, 17, 0x03, 0x93, 0x87, 0x01), contents: with(head, 17, 0x03, 0x93, 0x87, 0x01)},
		"a flag that is none":                   {head: with(head, 21, 2), contents: with(head, 21, 2)},
		"a body that no message has":            {head: with(head, 23, 0, 0, 0, 71), contents: with(head, 23, 0, 0, 0, 71)},
		"a body larger than any":                {head: with(head, 23, 0x7f), contents: with(head, 23, 0x7f)},
		"a body longer than it is":              {head: with(head, 26, 81), contents: with(head, 26, 81)},
		"contents of two groups, and one there": {head: with(head, 8, 3), contents: slices.Concat(head, head)},
		"contents with half a head":             {head: with(head, 8, 3), contents: append(slices.Clone(head), 0)},
		"contents of none":                      {head: with(head, 8, 3), contents: []byte{}},
	} {
		on := h.on(map[string][]byte{vectorMain: byThePage(t, h, c.coding, c.head, c.contents)})
		for g, err := range on.store.Read(context.Background(), h.cameras[0], footage.Main, always) {
			if err == nil || !errors.Is(err, footage.ErrDamaged) || g.Content != nil {
				t.Errorf("%s: given %q, %v", name, g.Content, err)
			}
		}
		if s := on.store.Status(); c.coding != nil && s.Unopened != 1 {
			t.Errorf("%s: status %+v", name, s)
		}
	}
}

// TestRefusedIndexes: an index that is genuinely sealed and says what none can is
// refused, and made again from the segment.
func TestRefusedIndexes(t *testing.T) {
	h, _ := recorded(t, false)
	segment := byThePage(t, h, nil, nil, nil)
	good := pageIndexContent(len(segment))
	const entry, gap = 4, 4 + 8 + 4 + 8 + 1 + 4 + 16 + 4 // where they begin
	u64 := func(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }
	noonAt := binary.BigEndian.Uint64(good[entry+25:])
	for name, content := range map[string][]byte{
		"as it should be":                 good,
		"nothing":                         {},
		"cut":                             good[:len(good)-1],
		"something after it":              append(slices.Clone(good), 0),
		"more entries than bytes":         with(good, 0, 0xff, 0xff, 0xff, 0xff),
		"an entry twice":                  slices.Concat([]byte{0, 0, 0, 2}, good[entry:gap-4], good[entry:]),
		"more groups than any has":        with(good, entry+8, 0xff),
		"more bytes than any has":         with(good, entry+12, 0, 0x1f),
		"a state that is none":            with(good, entry+20, 3),
		"an entry of the day before":      with(good, entry+25, u64(noonAt-12*3600e6-1)...),
		"an entry that ends too late":     with(good, entry+33, u64(noonAt+12*3600e6+60e6+1)...),
		"a span that ends as it begins":   with(good, entry+33, u64(noonAt)...),
		"a gap of the day before":         with(good, gap, u64(noonAt-12*3600e6-1)...),
		"a gap that reaches the next day": with(good, gap+8, u64(noonAt+12*3600e6+1)...),
		"a gap that ends as it begins":    with(good, gap+8, u64(noonAt+1e6)...),
		"a gap without a reason":          with(good, gap+16, 0),
		"a gap of no known reason":        with(good, gap+16, 17),
		"a gap twice":                     slices.Concat(good[:gap-4], []byte{0, 0, 0, 2}, good[gap:gap+21], good[gap:]),
		"motion that is neither":          with(good, len(good)-1441, 2),
	} {
		on := h.on(map[string][]byte{vectorMain: segment, vectorIndex: pageIndex(t, h, content)})
		s := on.store.Status()
		if refused := s.Forgotten == 1; refused == (name == "as it should be") || s.Segments != 1 || s.Unopened != 0 {
			t.Errorf("%s: status %+v", name, s)
		}
	}
}
