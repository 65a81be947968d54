package spool_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

var errPowerCut = errors.New("the power is cut")

// TestPowerCutAtEveryStep runs a small history (three objects added, one acknowledged,
// one refused, one more added) and cuts the power before each of its operations on the
// disk in turn, on disks that forget everything, nothing, and something. What Add took
// must be there and open, what Remove removed must stay away, and nothing is damaged.
func TestPowerCutAtEveryStep(t *testing.T) {
	disks := map[string]func() func() bool{
		"forgets everything": func() func() bool { return func() bool { return false } },
		"forgets nothing":    func() func() bool { return func() bool { return true } },
		"forgets something": func() func() bool {
			r := rand.New(rand.NewPCG(1, 2))
			return func() bool { return r.IntN(2) == 0 }
		},
	}
	for name, keep := range disks {
		t.Run(name, func(t *testing.T) {
			steps := 0
			for ; cutAt(t, steps, keep()); steps++ {
				if steps > 1000 {
					t.Fatal("the history has no end")
				}
			}
			if steps < 40 {
				t.Errorf("the history has %d operations on the disk: is it still the one described?", steps)
			}
		})
	}
}

// promise is what the history was told of one object.
type promise struct {
	content  string
	added    bool // Add returned
	removing bool // Remove was called
	removed  bool // Remove returned
}

// cutAt runs the history with the power cut before the n-th operation, and says whether
// it was long enough to be cut there.
func cutAt(t *testing.T, n int, keep func() bool) bool {
	disk := durabletest.New()
	h := newHouse(t, disk, nil)
	// Entries that are there before are touched by nothing below.
	before, err := h.add(latchkey.Clip, []byte("long there"))
	if err != nil {
		t.Fatal(err)
	}
	operations, cut := 0, false
	disk.Before(func(op, name string) error {
		if operations++; operations > n {
			cut = true
			return errPowerCut
		}
		return nil
	})
	promises := history(h)
	disk.CrashKeeping(keep)
	h.open()
	promises[before.Binding.Object] = &promise{content: "long there", added: true}
	check(t, n, h, promises)
	// A second cut during or after the tidying changes nothing.
	disk.CrashKeeping(keep)
	h.open()
	check(t, n, h, promises)
	return cut
}

func history(h *house) map[latchkey.ObjectID]*promise {
	promises := map[latchkey.ObjectID]*promise{}
	add := func(kind latchkey.Kind, content string) {
		b := h.bind(kind)
		p := &promise{content: content}
		promises[b.Object] = p
		_, err := h.spool.Add(b, h.agent.Keys.Signing, writes([]byte(content)))
		p.added = err == nil
	}
	next := func() (spool.Item, bool) { return h.spool.Next(func(spool.Item) bool { return true }) }
	add(latchkey.Thumbnail, "first")
	add(latchkey.Thumbnail, strings.Repeat("second ", 5000))
	add(latchkey.Description, "third")
	if item, ok := next(); ok {
		p := promises[item.Name.Object]
		if p != nil {
			p.removing = true
			p.removed = h.spool.Remove(item) == nil
		}
	}
	if item, ok := next(); ok {
		h.spool.SetAside(item, "malformed") // whether it was noted or not, it is kept
	}
	add(latchkey.Clip, "fourth")
	return promises
}

func check(t *testing.T, n int, h *house, promises map[latchkey.ObjectID]*promise) {
	t.Helper()
	waiting := map[latchkey.ObjectID]bool{}
	for _, item := range h.items() {
		p := promises[item.Name.Object]
		waiting[item.Name.Object] = true
		content, err := h.content(item)
		switch {
		case p == nil:
			t.Errorf("cut at %d: an object that nobody added", n)
		case err != nil || string(content) != p.content:
			t.Errorf("cut at %d: %.20q reads %.20q, %v", n, p.content, content, err)
		case p.removed:
			t.Errorf("cut at %d: %.20q came back after its removal", n, p.content)
		}
	}
	s := h.spool.Status()
	missing := 0
	for id, p := range promises {
		if p.added && !p.removing && !waiting[id] {
			missing++
		}
	}
	if missing > s.Refused { // the refused one is kept apart
		t.Errorf("cut at %d: an accepted object is lost", n)
	}
	if s.Damaged > 0 {
		t.Errorf("cut at %d: %d damaged", n, s.Damaged)
	}
}

// TestForgettingASyncIsNoticed is the control: with one step of durability taken out,
// TestPowerCutAtEveryStep must say that something is lost.
func TestForgettingASyncIsNoticed(t *testing.T) {
	program := &sabotage.Program{Root: "../.."}
	controls := map[string]sabotage.Control{}
	for name, cut := range map[string]sabotage.Cut{
		"no sync of files": {File: "internal/durable/durable.go", Old: "if err := f.Sync(); err != nil {", New: "if err := error(nil); err != nil {"},
		"no sync of folders": {File: "internal/durable/durable.go",
			Old: "if err := d.Sync(); err != nil {", New: "if err := error(nil); err != nil {"},
		"acknowledged before it is durable": {File: "agent/spool/spool.go",
			Old: "return h, durable.WriteBytes(s.fs, recordName(b.Object), s.key.encode(h, result.Key))",
			New: "go durable.WriteBytes(s.fs, recordName(b.Object), s.key.encode(h, result.Key)); return h, nil"},
		"record before body": {File: "agent/spool/spool.go",
			Old: "err := durable.Write(s.fs, bodyName(id), func(w io.Writer) error {",
			New: "err := " + unsynced + "(s.fs, bodyName(id), func(w io.Writer) error {"},
	} {
		controls[name] = program.Without(t, cut)
	}
	for name, control := range controls {
		t.Run(name, func(t *testing.T) {
			out, err := control.Tests(t.Context(), "^TestPowerCutAtEveryStep$")
			if err == nil || !strings.Contains(string(out), "cut at") {
				t.Errorf("without %s the test says %v:\n%s", name, err, out)
			}
		})
	}
}

// unsynced writes a body without waiting for the disk.
const unsynced = `func(fsys durable.FS, name string, write func(io.Writer) error) error {
	f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}`
