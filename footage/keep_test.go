package footage_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// segments records segments of one group each, a minute long, in the order of their
// names: camera and track ("0 main"). It returns their spans.
func (h *home) segments(names ...string) []footage.Span {
	h.t.Helper()
	var spans []footage.Span
	for _, name := range names {
		var camera int
		var word string
		if _, err := fmt.Sscan(name, &camera, &word); err != nil {
			h.t.Fatal(err)
		}
		track := map[string]footage.Track{"main": footage.Main, "sub": footage.Sub, "still": footage.Still}[word]
		h.codings[name] = &footage.Coding{Type: "another", Init: []byte{byte(h.n)}}
		f := h.record(camera, track, minute, 10_000)
		if err := h.writers[fmt.Sprint(camera, track)].Close(); err != nil { // which ends the segment
			h.t.Fatal(err)
		}
		delete(h.writers, fmt.Sprint(camera, track))
		spans = append(spans, footage.Span{From: f.Start.Wall, Until: f.Start.Wall + 60_000_000})
	}
	return spans
}

// left says which of the spans are still there.
func (h *home) left(names []string, spans []footage.Span) (left []int) {
	h.t.Helper()
	for i, name := range names {
		var camera int
		var word string
		if _, err := fmt.Sscan(name, &camera, &word); err != nil {
			h.t.Fatal(err)
		}
		for _, track := range everywhere {
			if groups, _ := h.read(camera, track, spans[i]); track.String() == word && len(groups) > 0 {
				left = append(left, i)
			}
		}
	}
	return left
}

// TestOrderOfEviction is the table of docs/footage.md, "What is kept, and what goes
// first": eight segments, room for ever fewer of them, and which is left each time.
func TestOrderOfEviction(t *testing.T) {
	plain := []string{"0 main", "0 sub", "1 main", "0 still", "0 main", "1 sub", "1 still", "0 main"}
	for _, c := range []struct {
		name     string
		prepare  func(h *home, spans []footage.Span)
		order    []int // in which they go
		mostLeft int   // of those that never go
	}{
		{name: "oldest first, of whichever camera; filmstrips last", order: []int{0, 1, 2, 4, 5, 7, 3, 6}},
		{name: "saved never", order: []int{1, 2, 5, 7, 6}, mostLeft: 3,
			prepare: func(h *home, spans []footage.Span) {
				h.save(0, footage.Span{From: spans[0].Until - 1, Until: spans[0].Until}) // a corner of it is enough
				h.save(0, footage.Span{From: spans[3].From + 5, Until: spans[4].From + 5})
			}},
		{name: "saved by two, and let go of by one", order: []int{1, 2, 4, 5, 7, 3, 6}, mostLeft: 1,
			prepare: func(h *home, spans []footage.Span) {
				h.save(0, spans[0])
				h.save(0, footage.Span{From: spans[0].From + 1, Until: spans[0].Until})
				h.save(0, spans[0]) // as it is already
				if err := h.store.Unsave(h.cameras[0], spans[0]); err != nil {
					h.t.Fatal(err)
				}
			}},
		{name: "another camera's is not saved with it", order: []int{0, 1, 2, 4, 5, 7, 3, 6},
			prepare: func(h *home, spans []footage.Span) { h.save(1, spans[0]) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHome(t, durabletest.New(), nil)
			spans := h.segments(plain...)
			if c.prepare != nil {
				c.prepare(h, spans)
			}
			h.open() // all of which survives a start
			all := h.left(plain, spans)
			var order []int
			for len(order) < len(c.order) {
				h.store.SetKeep(footage.Keep{Bytes: h.store.Status().Bytes})
				if err := h.store.Sweep(context.Background()); err != nil {
					t.Fatal(err)
				}
				now := h.left(plain, spans)
				for _, i := range all {
					if !slices.Contains(now, i) {
						order = append(order, i)
					}
				}
				all = now
			}
			if diff := cmp.Diff(c.order, order); diff != "" {
				t.Errorf("they go in this order (-want +have):\n%s", diff)
			}
			if len(all) != c.mostLeft {
				t.Errorf("%d are left, want %d", len(all), c.mostLeft)
			}
			h.store.SetKeep(footage.Keep{Bytes: 1})
			if err := h.store.Sweep(context.Background()); (err != nil) != (c.mostLeft > 0) {
				t.Errorf("with nothing else to remove: %v", err)
			}
			h.open()
			for i, word := range plain {
				if slices.Contains(order, i) && !strings.Contains(h.line(word), spans[i].From.Time().Format("15:04:05 ")+"evicted") {
					t.Errorf("the timeline of %s says %q of what went at %s", word, h.line(word), spans[i].From.Time())
				}
			}
		})
	}
}

// line is the timeline of a track that is named like "0 main".
func (h *home) line(name string) string {
	h.t.Helper()
	var camera int
	var word string
	if _, err := fmt.Sscan(name, &camera, &word); err != nil {
		h.t.Fatal(err)
	}
	for _, track := range everywhere {
		if track.String() == word {
			return strings.Join(h.timeline(camera, track, "2026-11-26"), "\n")
		}
	}
	return ""
}

func (h *home) save(camera int, span footage.Span) {
	h.t.Helper()
	if err := h.store.Save(h.cameras[camera], span); err != nil {
		h.t.Fatal(err)
	}
}

// TestDaysAreOver: what is older than is kept goes, with its indexes and directories,
// unless it is saved; and only if the clock can be believed.
func TestDaysAreOver(t *testing.T) {
	disk := durabletest.New()
	h := newHome(t, disk, func(c *footage.Config) { c.Keep.Days = 2 })
	var spans []footage.Span
	for range 6 {
		spans = append(spans, h.segments("0 main", "0 still")...)
		h.clock.pass(24*time.Hour - 2*minute)
	}
	h.save(0, spans[2])
	days := func() (names []string) {
		entries, err := durable.List(disk, ".")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() != "saved" {
				names = append(names, e.Name())
			}
		}
		slices.Sort(names)
		return names
	}
	for _, quality := range []sealed.Quality{sealed.TimeUnknown, sealed.TimeEstimated, sealed.TimeSynchronised} {
		h.clock.now.Quality = quality
		if err := h.store.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
		want := []string{"2026-11-26", "2026-11-27", "2026-11-28", "2026-11-29", "2026-11-30", "2026-12-01"}
		if quality == sealed.TimeSynchronised { // on the 2nd of December
			want = []string{"2026-11-27", "2026-11-30", "2026-12-01"}
		}
		if diff := cmp.Diff(want, days()); diff != "" {
			t.Errorf("with a clock of quality %d (-want +have):\n%s", quality, diff)
		}
	}
	if have := h.timeline(0, footage.Main, "2026-11-27"); !slices.Equal(have, []string{"00:00:00 not-running", "12:00:00 pictures", "12:01:00 not-running"}) {
		t.Errorf("the day of what is saved: %q", have)
	}
	h.open()
	if groups, _ := h.read(0, footage.Main, always); len(groups) != 3 {
		t.Errorf("%d groups are left", len(groups))
	}
	if s := h.store.Status(); s.Evicted != 0 {
		t.Errorf("status %+v", s)
	}
	if have := h.timeline(0, footage.Still, "2026-11-27"); !slices.Equal(have, []string{"00:00:00 not-running", "12:01:00 expired", "12:02:00 not-running"}) && len(have) != 1 {
		t.Errorf("the filmstrip beside it: %q", have)
	}
}

// TestDelete removes a span of one camera, saved or not, also of what is being recorded;
// what others have stays, and nothing comes back.
func TestDelete(t *testing.T) {
	disk := durabletest.New()
	h := newHome(t, disk, nil)
	spans := h.segments("0 main", "0 sub", "0 main", "1 main", "1 sub")
	h.save(0, spans[2])
	h.save(0, spans[0])
	h.save(1, spans[2])
	h.record(0, footage.Main, minute, 10)
	last := h.record(0, footage.Main, minute, 10).Start.Wall
	if err := h.store.Delete(context.Background(), h.cameras[0], footage.Span{From: spans[2].From, Until: last + 1}); err != nil {
		t.Fatal(err)
	}
	h.record(0, footage.Main, minute, 10)
	want := []string{"00:00:00 not-running", "12:00:00 pictures", "12:01:00 not-running", "12:02:00 deleted", "12:03:00 not-running", "12:05:00 deleted", "12:07:00 pictures"}
	for range 2 {
		if groups, _ := h.read(0, footage.Main, always); len(groups) != 2 {
			t.Errorf("%d groups are left", len(groups))
		}
		if diff := cmp.Diff(want, h.timeline(0, footage.Main, "2026-11-26")); diff != "" {
			t.Errorf("timeline (-want +have):\n%s", diff)
		}
		if tl, err := h.store.Timeline(h.cameras[0], footage.Main, "2026-11-26"); err != nil || tl.Motion[12*60] == 0 || tl.Motion[12*60+2] != 0 || tl.Motion[12*60+5] != 0 || tl.Motion[12*60+7] == 0 {
			t.Errorf("motion %v, %v", tl.Motion[12*60:12*60+8], err)
		}
		if diff := cmp.Diff([]footage.Span{spans[0]}, h.store.Saved(h.cameras[0])); diff != "" {
			t.Errorf("saved (-want +have):\n%s", diff)
		}
		h.close()
		disk.Crash()
		h.open()
	}
	for _, camera := range h.store.Cameras() { // the home is handed over
		if err := h.store.Delete(context.Background(), camera, always); err != nil {
			t.Fatal(err)
		}
	}
	h.open()
	if n := h.all(); n != 0 || h.store.Status().Bytes != 0 || len(h.store.Saved(h.cameras[1])) != 0 {
		t.Errorf("%d groups are left, %d bytes", n, h.store.Status().Bytes)
	}
	for name := range disk.Contents() {
		if strings.HasSuffix(name, ".footage") || strings.HasPrefix(name, "saved/") {
			t.Errorf("%s is left", name)
		}
	}
}

// TestDeleteWhatWaits: what waits for a slow disk, or is just being written, is deleted
// as well.
func TestDeleteWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := durabletest.New()
		h := newHome(t, disk, nil)
		hangs := make(chan struct{})
		disk.Before(func(op, name string) error {
			if op == "sync" {
				<-hangs
			}
			return nil
		})
		for range 3 {
			h.append(0, footage.Main, minute, 10)
		}
		span := footage.Span{From: 0, Until: h.clock.Now().Wall}
		kept := h.append(0, footage.Main, minute, 10)
		deleted := make(chan error)
		go func() { deleted <- h.store.Delete(context.Background(), h.cameras[0], span) }()
		synctest.Wait()
		close(hangs)
		if err := <-deleted; err != nil {
			t.Fatal(err)
		}
		if err := h.writer(0, footage.Main).Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
		if groups, _ := h.read(0, footage.Main, always); len(groups) != 1 || groups[0].Start != kept.Start {
			t.Errorf("%d groups are there", len(groups))
		}
		if have := h.timeline(0, footage.Main, "2026-11-26"); !slices.Equal(have, []string{"00:00:00 not-running", "12:00:00 deleted", "12:03:00 pictures"}) {
			t.Errorf("timeline %q", have)
		}
		h.close()
	})
}

// TestGapsAreBounded: a camera that comes and goes all day makes no more gaps than the
// day has minutes, and its timeline is right all the same.
func TestGapsAreBounded(t *testing.T) {
	disk := durabletest.New()
	h := newHome(t, disk, nil)
	w := h.writer(0, footage.Sub)
	for range 3000 {
		h.record(0, footage.Sub, time.Second, 10)
		w.Gap(footage.Offline)
		h.clock.pass(2 * time.Second)
	}
	h.close()
	tl, err := h.store.Timeline(h.cameras[0], footage.Sub, "2026-11-26")
	if err != nil || len(tl.Pictures) != 3000 || len(tl.Gaps) != 3001 {
		t.Errorf("%d times with pictures, %d gaps, %v", len(tl.Pictures), len(tl.Gaps), err)
	}
	for name, b := range disk.Contents() {
		if strings.HasSuffix(name, ".index") && len(b) > 60<<10 {
			t.Errorf("%s has %d bytes", name, len(b))
		}
	}
	if tl.Until > latchkey.TimeOf(noon.Add(9000*time.Second)) || tl.Bytes == 0 {
		t.Errorf("%+v", tl.Until.Time())
	}
}

// TestLossIsNotHidden: of a camera that came and went, and was then off for a while, everything
// is removed. It is not said that it had never sent.
func TestLossIsNotHidden(t *testing.T) {
	h := newHome(t, durabletest.New(), nil)
	for n := range 6 {
		why, lasts := footage.Offline, 20*time.Second
		if n == 2 {
			why, lasts = footage.Off, 10*minute
		}
		h.codings["0 main"] = &footage.Coding{Init: []byte{byte(n)}} // a segment begins
		h.record(0, footage.Main, minute, 100)
		h.writer(0, footage.Main).Gap(why)
		h.clock.pass(lasts)
	}
	h.close()
	h.config.Keep.Bytes = 1
	h.open()
	if err := h.store.Sweep(context.Background()); err != nil && !errors.Is(err, footage.ErrFull) {
		t.Fatal(err)
	}
	want := []string{"00:00:00 not-running", "12:00:00 evicted", "12:03:40 off", "12:13:40 evicted", "12:17:20 offline"}
	if diff := cmp.Diff(want, h.timeline(0, footage.Main, "2026-11-26")); diff != "" {
		t.Errorf("timeline (-want +have):\n%s", diff)
	}
	h.close()
}
