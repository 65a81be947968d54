package footage_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/internal/cobblestone"
)

// The fuzz targets give a start files of every kind. Those for what is inside of messages
// seal what the fuzzer makes as docs/footage.md says, step by step and without any of the
// package's code: the fuzzer could not find a key, and the page is held against the code.

// message is M of docs/footage.md.
func message(t testing.TB, key []byte, label string, context, content []byte) []byte {
	t.Helper()
	m, err := cobblestone.Seal(key, slices.Concat([]byte(label), []byte{0}, context), content)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func lp16(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

func lp32(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// pageBinding is B of a segment of the first camera's main track.
func pageBinding(h *home) []byte {
	return slices.Concat([]byte{1, 1, 1}, h.config.Home[:], h.cameras[0][:], []byte("2026-11-26"), make([]byte, 16), binary.BigEndian.AppendUint64(nil, 1))
}

var (
	pageKey     = bytes.Repeat([]byte{1}, 32) // of the footage
	pageSegment = bytes.Repeat([]byte{2}, 32) // of the segment
)

// pageHead is h of a group of that many sealed bytes.
func pageHead(body int) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(latchkey.TimeOf(noon)))
	b = append(b, 1)
	b = binary.BigEndian.AppendUint64(b, 5)
	b = binary.BigEndian.AppendUint32(b, 1_000_000)
	b = append(b, 1, 200)
	return binary.BigEndian.AppendUint32(b, uint32(body))
}

// byThePage writes a segment of one group by the page. What is nil is as it should be.
func byThePage(t testing.TB, h *home, coding, head, contents []byte) []byte {
	bound := pageBinding(h)
	number := []byte{0, 0, 0, 0}
	content := []byte("pictures")
	if coding == nil {
		coding = slices.Concat(lp16([]byte("video/mp4")), lp32([]byte("init")))
	}
	if head == nil {
		head = pageHead(len(content) + 56 + 16)
	}
	if contents == nil {
		contents = head
	}
	m := message(t, pageSegment, "latchkey footage contents v1", bound, contents)
	return slices.Concat([]byte("latchkey footage 1\n"), lp16(bound),
		lp16(message(t, pageKey, "latchkey footage key v1", bound, pageSegment)),
		lp32(message(t, pageSegment, "latchkey footage coding v1", bound, coding)),
		[]byte("a group:"), number,
		message(t, pageSegment, "latchkey footage head v1", slices.Concat(bound, number), head),
		message(t, pageSegment, "latchkey footage group v1", slices.Concat(bound, number, head), content),
		m, binary.BigEndian.AppendUint32(nil, uint32(len(m))), []byte("contents"))
}

// TestByThePage: what the page says is a segment is one.
func TestByThePage(t *testing.T) {
	h, _ := recorded(t, false)
	for _, index := range []bool{false, true} {
		files := map[string][]byte{vectorMain: byThePage(t, h, nil, nil, nil)}
		if index {
			files[vectorIndex] = pageIndex(t, h, pageIndexContent(len(files[vectorMain])))
		}
		on := h.on(files)
		n := 0
		for f, err := range on.store.Read(context.Background(), h.cameras[0], footage.Main, always) {
			n++
			if err != nil || string(f.Content) != "pictures" || f.Coding.Type != "video/mp4" || string(f.Coding.Init) != "init" || f.Motion != 200 || !f.Key || f.Sequence != 1 {
				t.Errorf("index %t: %+v, %v", index, f, err)
			}
		}
		if n != 1 {
			t.Errorf("index %t: %d groups", index, n)
		}
	}
}

// pageIndexContent is I of the day of that segment, of so many bytes, with a gap.
func pageIndexContent(bytes int) []byte {
	at := uint64(latchkey.TimeOf(noon))
	span := func(from, until uint64) []byte {
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, at+from), at+until)
	}
	u32 := func(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
	return slices.Concat(
		u32(1), binary.BigEndian.AppendUint64(nil, 1), u32(1), binary.BigEndian.AppendUint64(nil, uint64(bytes)), []byte{0}, u32(1), span(0, 1_000_000),
		u32(1), span(1_000_000, 5_000_000), []byte{1}, u32(3),
		[]byte{1}, make([]byte, 1440))
}

func pageIndex(t testing.TB, h *home, content []byte) []byte {
	place := slices.Concat([]byte{1}, h.config.Home[:], h.cameras[0][:], []byte("2026-11-26"))
	return append([]byte("latchkey footage index 1\n"), message(t, pageKey, "latchkey footage index v1", place, content)...)
}

// use asks a store for everything that it has, and for everything that it does.
func (h *home) use(t testing.TB) {
	for _, track := range everywhere {
		for _, err := range h.store.Read(context.Background(), h.cameras[0], track, always) {
			if err != nil && !errors.Is(err, footage.ErrDamaged) {
				t.Fatal(err)
			}
		}
		if _, err := h.store.Timeline(h.cameras[0], track, "2026-11-26"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.store.Check(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	h.store.SetKeep(footage.Keep{Bytes: 1})
	if err := h.store.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	if s := h.store.Status(); s.Bytes != 0 {
		t.Fatalf("status %+v after everything was removed", s)
	}
}

// seeds wants a few files for a target, so that it does not begin with nothing.
func seeds(f *testing.F, target string) {
	files, err := filepath.Glob("testdata/fuzz/" + target + "/*")
	if err != nil || len(files) < 3 {
		f.Fatalf("%d seeds of %s in testdata, %v; want at least 3", len(files), target, err)
	}
}

// FuzzSegment: any file in a segment's place. Only what was recorded there is given.
func FuzzSegment(f *testing.F) {
	seeds(f, "FuzzSegment")
	h, files := recorded(f, false)
	_, crashed := recorded(f, true)
	for _, name := range []string{vectorMain, vectorDir + "sub-0000000000000001.footage"} {
		f.Add(files[name])
		f.Add(crashed[name])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h.t = t
		for _, indexed := range []bool{false, true} {
			damaged := map[string][]byte{vectorMain: b}
			if indexed {
				damaged[vectorIndex] = files[vectorIndex]
			}
			on := h.on(damaged)
			on.all()
			on.use(t)
		}
	})
}

// FuzzInside: coding, head and contents of a segment as an agent with a bug, or another
// version, could have sealed them.
func FuzzInside(f *testing.F) {
	seeds(f, "FuzzInside")
	h, _ := recorded(f, false)
	f.Add([]byte{0, 0, 0, 0, 0, 0}, pageHead(80), pageHead(80))
	f.Add([]byte(nil), pageHead(80), append(pageHead(80), pageHead(1<<31)...))
	f.Fuzz(func(t *testing.T, coding, head, contents []byte) {
		h.t = t
		h.on(map[string][]byte{vectorMain: byThePage(t, h, coding, head, contents)}).use(t)
	})
}

// FuzzIndex: whatever is sealed as an index is one that is written back as the same
// bytes, or is refused and made again.
func FuzzIndex(f *testing.F) {
	seeds(f, "FuzzIndex")
	h, _ := recorded(f, false)
	segment := byThePage(f, h, nil, nil, nil)
	f.Add(pageIndexContent(len(segment)))
	f.Add(pageIndexContent(1 << 40))
	f.Fuzz(func(t *testing.T, content []byte) {
		h.t = t
		files := map[string][]byte{vectorMain: segment, vectorIndex: pageIndex(t, h, content)}
		h.on(files).use(t)
		on := h.on(maps.Clone(files))
		was := on.store.Status()
		on.open()
		now := on.store.Status()
		now.Since, was.Forgotten, was.Repaired = was.Since, 0, 0 // which the first has repaired
		if was != now {
			t.Errorf("a second start makes %+v of it, the first %+v", now, was)
		}
	})
}

// FuzzNames: whatever a file in a day's directory or among the saved spans is called, a
// start leaves it alone or takes it for what the store has written.
func FuzzNames(f *testing.F) {
	seeds(f, "FuzzNames")
	h, files := recorded(f, false)
	for _, name := range []string{"main-0000000000000001.footage", "aeaaaaaaaaaaaaaaaaaaaaaaaa-1-2", "main.index", "still.index"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		h.t = t
		if !fs.ValidPath(name) || path.Base(name) != name || name == "." {
			return
		}
		on := h.on(map[string][]byte{vectorDir + name: files[vectorMain], "saved/" + name: nil})
		on.all()
	})
}
