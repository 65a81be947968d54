package footage_test

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"pgregory.net/rapid"
)

// recorded is what a small history has left on the disk, in order or by a crash.
func recorded(t testing.TB, crash bool) (*home, map[string][]byte) {
	disk := durabletest.New()
	h := newHome(t, disk, nil)
	for range 2 { // two days, of each two segments of the main track
		for range 2 {
			for range 3 {
				h.record(0, footage.Main, minute, 30)
			}
			h.codings["0 main"] = &footage.Coding{Type: fmt.Sprint(h.n), Init: []byte("init")}
			h.record(0, footage.Sub, minute, 30)
			h.record(0, footage.Still, minute/2, 30)
			h.record(1, footage.Main, minute, 30)
		}
		h.writer(0, footage.Main).Gap(footage.Off)
		h.clock.pass(16 * 60 * minute)
	}
	var files map[string][]byte
	if crash {
		files = disk.Contents()
		h.close()
	} else {
		h.close()
		files = disk.Contents()
	}
	maps.DeleteFunc(files, func(name string, _ []byte) bool { return strings.Contains(name, ".tmp-") })
	return h, files
}

// on opens a store on a disk with those files. Its read compares with what h has
// recorded.
func (h *home) on(files map[string][]byte) *home {
	h.t.Helper()
	disk := durabletest.New()
	for name, content := range files {
		put(h.t, disk, name, content)
	}
	other := *h
	other.fs, other.config.FS = disk, disk
	other.open()
	return &other
}

var everywhere = []footage.Track{footage.Main, footage.Sub, footage.Still}

// all reads everything, which compares it, and says how much there is.
func (h *home) all() (n int) {
	h.t.Helper()
	for camera := range h.cameras {
		for _, track := range everywhere {
			groups, _ := h.read(camera, track, always)
			n += len(groups)
		}
	}
	return n
}

// TestFlippedBytes flips every byte of every file in turn. Nothing that was not recorded
// is ever given. What is lost is at most the group that the byte is in; its segment, if it
// is in the beginning; nothing, if it is in an index, or in what says twice where groups
// are. The check of everything finds it, but where it does no harm.
func TestFlippedBytes(t *testing.T) {
	for _, crash := range []bool{false, true} {
		h, files := recorded(t, crash)
		maps.DeleteFunc(files, func(name string, _ []byte) bool { return !strings.HasPrefix(name, vectorDir) })
		total := h.on(files).all()
		if total != 6+2+2 {
			t.Fatalf("%d groups were recorded", total)
		}
		for name, content := range files {
			beginning := 0
			if strings.HasSuffix(name, ".footage") {
				beginning = groupAt(content, 0)
			}
			for at := range content {
				if at > 20 && at%9 > 0 { // all of them would take a minute
					continue
				}
				content[at] ^= 1 << (at % 8)
				damaged := h.on(files)
				lost, most := total-damaged.all(), 1
				switch {
				case beginning == 0:
					most = 0
				case at < beginning:
					most = 3
				}
				if lost > most {
					t.Errorf("crashed %t: byte %d of %s costs %d groups, want at most %d", crash, at, name, lost, most)
				}
				r, err := damaged.store.Check(context.Background(), nil)
				if err != nil || lost > 0 && len(r.Findings) == 0 && damaged.store.Status().Unopened == 0 && !crash {
					t.Errorf("crashed %t: byte %d of %s costs %d groups, and check finds %+v, %v", crash, at, name, lost, r.Findings, err)
				}
				content[at] ^= 1 << (at % 8)
			}
		}
	}
}

// TestDamageOfAllKinds does to the files whatever comes to mind, several things at once:
// bytes altered, cut, doubled, moved within a file and between files, files renamed,
// exchanged and removed. Whatever is given back is something that was recorded there.
func TestDamageOfAllKinds(t *testing.T) {
	h, genuine := recorded(t, false)
	_, crashed := recorded(t, true)
	names := slices.Sorted(maps.Keys(genuine))
	rapid.Check(t, func(t *rapid.T) {
		files := map[string][]byte{}
		for _, name := range names {
			files[name] = slices.Clone(genuine[name])
		}
		for range rapid.IntRange(1, 6).Draw(t, "times") {
			name := rapid.SampledFrom(names).Draw(t, "file")
			other := rapid.SampledFrom(names).Draw(t, "other")
			b := files[name]
			from, n := rapid.IntRange(0, len(b)).Draw(t, "from"), rapid.IntRange(0, 400).Draw(t, "length")
			until := min(len(b), from+n)
			switch rapid.IntRange(0, 7).Draw(t, "what") {
			case 0:
				for i := from; i < until; i++ {
					b[i] ^= byte(n)
				}
			case 1:
				files[name] = b[:from]
			case 2:
				files[name] = slices.Concat(b[:until], b[from:])
			case 3:
				files[name] = slices.Concat(b[:from], b[until:])
			case 4:
				at := rapid.IntRange(0, len(files[other])).Draw(t, "at")
				files[other] = slices.Concat(files[other][:at], b[from:until], files[other][at:])
			case 5:
				files[name], files[other] = files[other], b
			case 6:
				delete(files, name)
			case 7:
				files[name] = slices.Clone(crashed[name])
			}
		}
		damaged := h.on(files)
		damaged.all()
		if _, err := damaged.store.Check(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
	})
}

// TestExchangedGroups exchanges the groups of a segment that was not ended, which can
// only be seen by what each of them is bound to.
func TestExchangedGroups(t *testing.T) {
	h, files := recorded(t, true)
	for name, content := range files {
		if !strings.Contains(name, "main") || !strings.HasSuffix(name, ".footage") {
			continue
		}
		cuts := []int{groupAt(content, 0)}
		for i := cuts[0] + 1; i < len(content)-8; i++ {
			if string(content[i:i+8]) == "a group:" {
				cuts = append(cuts, i)
			}
		}
		cuts = append(cuts, len(content))
		part := func(i int) []byte { return content[cuts[i]:cuts[i+1]] }
		for a := range len(cuts) - 1 {
			for b := range len(cuts) - 1 {
				exchanged := slices.Clone(content[:cuts[0]])
				for i := range len(cuts) - 1 {
					switch i {
					case a:
						exchanged = append(exchanged, part(b)...)
					case b:
						exchanged = append(exchanged, part(a)...)
					default:
						exchanged = append(exchanged, part(i)...)
					}
				}
				altered := maps.Clone(files)
				altered[name] = exchanged
				h.on(altered).all()
			}
		}
	}
}

// TestMovedFiles puts each segment and each index in the place of every other. Nothing
// of it is given.
func TestMovedFiles(t *testing.T) {
	h, files := recorded(t, false)
	total := h.on(files).all()
	for from := range files {
		for to := range files {
			if from == to || path.Ext(from) != path.Ext(to) {
				continue
			}
			moved := maps.Clone(files)
			moved[to] = files[from]
			if n := h.on(moved).all(); path.Ext(to) == ".index" && n != total || path.Ext(to) == ".footage" && n >= total {
				t.Errorf("%s in the place of %s: %d groups of %d", from, to, n, total)
			}
		}
	}
}

// TestStrangersAreLeftAlone: what the store did not write it does not remove, or read.
func TestStrangersAreLeftAlone(t *testing.T) {
	h, files := recorded(t, false)
	day := "2026-11-26/" + h.cameras[0].String()
	strangers := []string{
		"README", "lost+found/x", "2026-13-01/x", "2026-11-26/notes", "2026-11-26/" + strings.Repeat("a", 25) + "/x",
		day + "/notes", day + "/main-1.footage", day + "/main-0000000000000000.footage", day + "/main-+000000000000001.footage",
		day + "/other-0000000000000001.footage", day + "/other.index", day + "/main-9999999999999999.footage.txt", "saved/notes",
	}
	for _, name := range strangers {
		files[name] = []byte("mine")
	}
	with := h.on(files)
	if n := with.all(); n != 24 {
		t.Errorf("%d groups", n)
	}
	if s := with.store.Status(); s.Unopened != 0 || s.Forgotten != 0 {
		t.Errorf("status %+v", s)
	}
	for _, name := range strangers {
		if b, err := durable.ReadBytes(with.fs, name, 100); err != nil || string(b) != "mine" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

// TestDamageNotices: without the comparisons that the tests above rest on they fail.
func TestDamageNotices(t *testing.T) {
	without := map[string]sabotage.Control{}
	for name, cut := range map[string]sabotage.Cut{
		"the place of a segment": {File: "footage/segment.go", Old: "if !bytes.Equal(g.binding.bytes(), bound) {", New: "if false {"},
		"the place of an index":  {File: "footage/index.go", Old: "[]byte{uint8(p.track)}, home[:], p.camera[:], []byte(day))", New: "home[:])"},
	} {
		without[name] = controls.Without(t, cut)
	}
	t.Parallel()
	for name, control := range without {
		t.Run(name, func(t *testing.T) {
			if out, err := control.Tests(t.Context(), "^TestMovedFiles$"); err == nil || !strings.Contains(string(out), "--- FAIL: TestMovedFiles") {
				t.Errorf("without comparing %s the test says %v:\n%s", name, err, out)
			}
		})
	}
}
