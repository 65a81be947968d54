package footage_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

var errPowerCut = errors.New("the power is cut")

// TestPowerCutAtEveryStep runs a small history (two tracks recorded, segments begun and
// ended, something saved, some removed to make room, some deleted) and cuts the power
// before each of its operations on the disk in turn, on disks that forget everything,
// nothing, and something. What was on the disk then is there and verifies, what was
// deleted stays away, what was saved stays, and where something is gone the timeline says
// why.
func TestPowerCutAtEveryStep(t *testing.T) {
	disks := map[string]func() func() bool{
		"forgets everything": func() func() bool { return func() bool { return false } },
		"forgets nothing":    func() func() bool { return func() bool { return true } },
	}
	for seed := range uint64(4) { // each forgets something else
		r := rand.New(rand.NewPCG(seed, 2))
		disks[fmt.Sprint("forgets something ", seed)] = func() func() bool { return func() bool { return r.IntN(2) == 0 } }
	}
	for name, keep := range disks {
		t.Run(name, func(t *testing.T) {
			steps := 0
			for ; cutAt(t, steps, keep()); steps++ {
				if steps > 1000 {
					t.Fatal("the history has no end")
				}
			}
			if steps < 100 {
				t.Errorf("the history has %d operations on the disk: is it still the one described?", steps)
			}
		})
	}
}

// promises is what the history was told.
type promises struct {
	kept    []footage.Group // they are on the disk
	saved   bool            // Save returned: the first segment stays
	evicted bool            // room was asked for: the second may go
	deletes bool            // Delete was called: the last may go
	deleted bool            // Delete returned: it must stay away
}

const (
	toSave   = 2 // groups of the first segment
	toEvict  = 4 // and of the second
	toDelete = 6 // and of the third
)

// cutAt runs the history with the power cut before the n-th operation, and says whether
// it was long enough to be cut there.
func cutAt(t *testing.T, n int, keep func() bool) bool {
	disk := durabletest.New()
	h := newHome(t, disk, nil)
	operations, cut := 0, false
	disk.Before(func(op, name string) error {
		if operations++; operations > n {
			cut = true
			return errPowerCut
		}
		return nil
	})
	p := history(h)
	if !cut && (len(p.kept) != 7 || !p.saved || !p.deleted || h.store.Status().Evicted != 1) {
		t.Errorf("the history is not the one described: %+v, status %+v", p, h.store.Status())
	}
	disk.CrashKeeping(keep)
	h.open()
	checkPromises(t, n, h, p)
	// A second cut during or after the tidying changes nothing.
	disk.CrashKeeping(keep)
	h.open()
	checkPromises(t, n, h, p)
	return cut
}

func history(h *home) *promises {
	p := &promises{}
	ctx := context.Background()
	record := func(lasts time.Duration) {
		before := h.store.Status().Lost
		f := h.record(0, footage.Main, lasts, 300)
		if h.store.Status().Lost == before {
			p.kept = append(p.kept, f)
		}
	}
	first := h.clock.Now().Wall
	for range 3 { // three segments of two groups
		record(time.Minute)
		record(time.Minute)
		h.record(0, footage.Still, 10*time.Second, 5)
		h.codings["0 main"] = &footage.Coding{Type: "another", Init: []byte{1}} // which begins the next
	}
	p.saved = h.store.Save(h.cameras[0], footage.Span{From: first, Until: first + 1}) == nil
	h.codings["0 main"] = &footage.Coding{Type: "the last", Init: []byte{2}}
	record(time.Minute)
	p.evicted = true
	h.store.SetKeep(footage.Keep{Bytes: h.store.Status().Bytes - 1})
	_ = h.store.Sweep(ctx) // it makes room, or the power is cut
	h.store.SetKeep(footage.Keep{})
	p.deletes = true
	third := h.madeAt(toEvict)
	p.deleted = h.store.Delete(ctx, h.cameras[0], footage.Span{From: third, Until: third + 1}) == nil
	_ = h.store.Close()
	return p
}

// madeAt is when the n-th group of the history's main track began.
func (h *home) madeAt(n int) latchkey.Time {
	return latchkey.TimeOf(noon.Add(time.Duration(n)*time.Minute + time.Duration(n/2)*10*time.Second))
}

func checkPromises(t *testing.T, n int, h *home, p *promises) {
	t.Helper()
	all, damaged := h.read(0, footage.Main, always)
	if s := h.store.Status(); damaged > 0 || s.Unopened > 0 || s.Forgotten > 0 {
		t.Errorf("cut at %d: %d damaged, status %+v", n, damaged, s)
	}
	there := map[latchkey.Time]bool{}
	for _, f := range all {
		there[f.Start.Wall] = true
	}
	if _, damaged := h.read(0, footage.Still, always); damaged > 0 {
		t.Errorf("cut at %d: %d stills are damaged", n, damaged)
	}
	for _, f := range p.kept {
		at := f.Start.Wall
		switch {
		case there[at]:
			if p.deleted && at >= h.madeAt(toEvict) && at < h.madeAt(toDelete) {
				t.Errorf("cut at %d: what was deleted came back", n)
			}
			continue
		case p.evicted && !p.saved && at < h.madeAt(toSave), p.evicted && at >= h.madeAt(toSave) && at < h.madeAt(toEvict):
			h.wants(n, at, footage.Evicted)
		case p.deletes && at >= h.madeAt(toEvict) && at < h.madeAt(toDelete):
			h.wants(n, at, footage.Deleted)
		default:
			t.Errorf("cut at %d: group %v is lost", n, at.Time())
		}
	}
	report, err := h.store.Check(context.Background(), nil)
	if err != nil || len(report.Findings) > 0 {
		t.Errorf("cut at %d: check finds %+v, %v", n, report.Findings, err)
	}
}

// wants has the timeline say why there is nothing at a time.
func (h *home) wants(n int, at latchkey.Time, why footage.Reason) {
	h.t.Helper()
	tl, err := h.store.Timeline(h.cameras[0], footage.Main, at.Day())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, g := range tl.Gaps {
		if g.From <= at && at < g.Until {
			if g.Reason != why {
				h.t.Errorf("cut at %d: nothing of %v, because of %s; want %s", n, at.Time(), g.Reason, why)
			}
			return
		}
	}
	h.t.Errorf("cut at %d: %v is neither there nor in a gap", n, at.Time())
}

// TestPowerCutNotices: without the syncs and the order that the promises rest on, the
// test above fails.
func TestPowerCutNotices(t *testing.T) {
	without := map[string]sabotage.Control{}
	for name, cut := range map[string]sabotage.Cut{
		"a group's sync":                {File: "footage/writer.go", Old: "		err = w.file.Sync()\n	}\n	if err != nil {\n		return fmt.Errorf(\"write group", New: "	}\n	if err != nil {\n		return fmt.Errorf(\"write group"},
		"a day's directory":             {File: "footage/footage.go", Old: "durable.MkdirAll(s.fs, dirName(sh.place, d))", New: unsynced + "(s.fs, dirName(sh.place, d))"},
		"the reason before the removal": {File: "footage/sweep.go", Old: "if err := s.noteInHand(sh); err != nil && !durable.Full(err) {", New: "if err := error(nil); err != nil && !durable.Full(err) {"},
	} {
		without[name] = controls.Without(t, cut)
	}
	t.Parallel()
	for name, control := range without {
		t.Run(name, func(t *testing.T) {
			out, err := control.Tests(t.Context(), "^TestPowerCutAtEveryStep$")
			if err == nil || !strings.Contains(string(out), "cut at") {
				t.Errorf("without %s the test says %v:\n%s", name, err, out)
			}
		})
	}
}

// unsynced makes a directory without waiting for the disk.
const unsynced = `func(fsys durable.FS, name string) error {
	_ = fsys.Mkdir(name[:10])
	_ = fsys.Mkdir(name)
	return nil
}`

// controls builds the tests here without what one of them rests on, for all controls at once.
var controls = sabotage.Program{Root: ".."}
