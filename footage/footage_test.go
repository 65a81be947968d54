package footage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// hands is a clock that a test sets.
type hands struct {
	mu  sync.Mutex // protects now
	now clock.Moment
}

func (h *hands) Now() clock.Moment {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) Boot() latchkey.BootID { return latchkey.BootID{7} }

// pass lets time go by on both clocks.
func (h *hands) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now.Wall += latchkey.Time(d.Microseconds())
	h.now.Monotonic += uint64(d.Microseconds())
}

// set moves the wall clock alone.
func (h *hands) set(by time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now.Wall = latchkey.Time(int64(h.now.Wall) + by.Microseconds())
}

const minute = time.Minute

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// home is a home with cameras, and their footage on some disk.
type home struct {
	t       testing.TB
	fs      durable.FS
	config  footage.Config
	clock   *hands
	cameras []latchkey.CameraID
	store   *footage.Store
	writers map[string]*footage.Writer
	codings map[string]*footage.Coding
	made    map[string]footage.Group // what was appended, by camera, track and content
	n       int
}

func newHome(t testing.TB, fsys durable.FS, change func(*footage.Config)) *home {
	t.Helper()
	key, err := footage.NewKey(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	h := &home{
		t: t, fs: fsys, cameras: []latchkey.CameraID{{1}, {2}}, made: map[string]footage.Group{},
		clock:   &hands{now: clock.Moment{Wall: latchkey.TimeOf(noon), Monotonic: 1e9, Quality: sealed.TimeSynchronised}},
		codings: map[string]*footage.Coding{},
	}
	h.config = footage.Config{FS: fsys, Home: latchkey.HomeID{9}, Key: key, Clock: h.clock}
	if change != nil {
		change(&h.config)
	}
	h.open()
	return h
}

// open opens the store as the next start of the agent does, after a crash or not.
func (h *home) open() {
	h.t.Helper()
	store, err := footage.Open(context.Background(), h.config)
	if err != nil {
		h.t.Fatal(err)
	}
	h.store, h.writers = store, map[string]*footage.Writer{}
}

func (h *home) writer(camera int, track footage.Track) *footage.Writer {
	h.t.Helper()
	name := fmt.Sprint(camera, track)
	if h.writers[name] == nil {
		w, err := h.store.Writer(h.cameras[camera], track)
		if err != nil {
			h.t.Fatal(err)
		}
		h.writers[name] = w
		if h.codings[name] == nil {
			h.codings[name] = &footage.Coding{Type: "video/mp4; codecs=" + name, Init: []byte("init " + name)}
		}
	}
	return h.writers[name]
}

// record appends a group of that length and waits until the disk has it or not.
func (h *home) record(camera int, track footage.Track, lasts time.Duration, size int) footage.Group {
	h.t.Helper()
	f := h.append(camera, track, lasts, size)
	if err := h.writer(camera, track).Wait(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	return f
}

func (h *home) append(camera int, track footage.Track, lasts time.Duration, size int) footage.Group {
	h.t.Helper()
	w := h.writer(camera, track)
	h.n++
	content := append(fmt.Appendf(nil, "camera %d %s group %d ", camera, track, h.n), make([]byte, size)...)
	r := rand.NewChaCha8([32]byte{byte(h.n)})
	r.Read(content[len(content)-size:])
	f := footage.Group{Start: h.clock.Now(), Duration: lasts, Key: h.n%5 > 0, Motion: uint8(h.n), Content: content}
	if track != footage.Still {
		f.Coding = h.codings[fmt.Sprint(camera, track)]
	}
	h.made[key(h.cameras[camera], track, content)] = f
	h.clock.pass(lasts)
	if err := w.Append(f); err != nil && !errors.Is(err, footage.ErrBehind) {
		h.t.Fatal(err)
	}
	return f
}

func key(camera latchkey.CameraID, track footage.Track, content []byte) string {
	return fmt.Sprint(camera, track, string(content))
}

var always = footage.Span{From: 0, Until: latchkey.MaxInt}

// read returns all that the store gives of a track, and how many groups or segments
// it said are damaged. What it gives must be what was appended, in order.
func (h *home) read(camera int, track footage.Track, span footage.Span) (all []footage.Group, damaged int) {
	h.t.Helper()
	for f, err := range h.store.Read(context.Background(), h.cameras[camera], track, span) {
		if errors.Is(err, footage.ErrDamaged) {
			damaged++
			continue
		}
		if err != nil {
			h.t.Fatal(err)
		}
		made, ok := h.made[key(h.cameras[camera], track, f.Content)]
		if !ok {
			h.t.Fatalf("camera %d %s: given %q, which was never appended there", camera, track, f.Content[:min(len(f.Content), 40)])
		}
		made.Sequence, made.Boot, made.Content = f.Sequence, h.clock.Boot(), nil
		content := f.Content // which is the same
		f.Content = nil
		if track == footage.Still {
			made.Coding = &footage.Coding{Init: []byte{}}
		}
		if diff := cmp.Diff(made, f); diff != "" {
			h.t.Fatalf("another group than was appended (-want +have):\n%s", diff)
		}
		f.Content = content
		if n := len(all); n > 0 && f.Sequence <= all[n-1].Sequence {
			h.t.Fatalf("group %d comes after %d", f.Sequence, all[n-1].Sequence)
		}
		all = append(all, f)
	}
	return all, damaged
}

func (h *home) close() {
	h.t.Helper()
	if err := h.store.Close(); err != nil {
		h.t.Fatal(err)
	}
}

// timeline is a day's as text, its times as minutes and seconds from noon.
func (h *home) timeline(camera int, track footage.Track, day latchkey.Day) (lines []string) {
	h.t.Helper()
	tl, err := h.store.Timeline(h.cameras[camera], track, day)
	if err != nil {
		h.t.Fatal(err)
	}
	at := func(t latchkey.Time) string {
		return t.Time().Format("15:04:05")
	}
	type part struct {
		footage.Span
		what string
	}
	var parts []part
	for _, r := range tl.Pictures {
		parts = append(parts, part{r, "pictures"})
	}
	for _, g := range tl.Gaps {
		parts = append(parts, part{g.Span, g.Reason.String()})
	}
	slices.SortFunc(parts, func(a, b part) int { return int(int64(a.From) - int64(b.From)) })
	for i, p := range parts {
		if i > 0 && parts[i-1].Until != p.From {
			h.t.Errorf("the timeline has nothing of %s to %s", at(parts[i-1].Until), at(p.From))
		}
		lines = append(lines, at(p.From)+" "+p.what)
	}
	if n := len(parts); n > 0 && parts[n-1].Until != tl.Until {
		h.t.Errorf("the timeline ends at %s, want %s", at(parts[n-1].Until), at(tl.Until))
	}
	return lines
}

// TestDayOfACamera records, is interrupted in every way that has a name, and looks at it
// all: while it runs, after a stop and a start, and after a power cut.
func TestDayOfACamera(t *testing.T) {
	disk := durabletest.New()
	h := newHome(t, disk, nil)
	w := h.writer(0, footage.Main)
	h.clock.pass(time.Minute)
	for range 40 { // twenty minutes: two segments, and the third begun
		h.record(0, footage.Main, 31*time.Second, 100)
	}
	w.Gap(footage.Off)
	h.clock.pass(10 * time.Minute)
	h.record(0, footage.Main, 2*time.Second, 100)
	h.clock.pass(3 * time.Second) // nobody says why
	h.record(0, footage.Main, 2*time.Second, 100)
	h.clock.pass(10 * time.Millisecond) // no hole
	h.record(0, footage.Main, 2*time.Second, 100)
	h.clock.set(time.Hour)
	h.record(0, footage.Main, 2*time.Second, 100)
	w.Gap(footage.Offline)
	h.clock.pass(time.Minute)
	want := []string{
		"00:00:00 not-running", "12:00:00 offline", "12:01:00 pictures", "12:21:40 off", "12:31:40 pictures",
		"12:31:42 offline", "12:31:45 pictures", "12:31:49 clock", "13:31:49 pictures", "13:31:51 offline",
	}
	if diff := cmp.Diff(want, h.timeline(0, footage.Main, "2026-11-26")); diff != "" {
		t.Errorf("while it runs (-want +have):\n%s", diff)
	}
	all, damaged := h.read(0, footage.Main, always)
	if len(all) != 44 || damaged != 0 {
		t.Errorf("while it runs %d groups, %d damaged", len(all), damaged)
	}
	h.close()
	h.open()
	if diff := cmp.Diff(want, h.timeline(0, footage.Main, "2026-11-26")); diff != "" {
		t.Errorf("after a start (-want +have):\n%s", diff)
	}
	disk.Crash()
	h.open()
	if diff := cmp.Diff(want, h.timeline(0, footage.Main, "2026-11-26")); diff != "" {
		t.Errorf("after a power cut (-want +have):\n%s", diff)
	}
	h.clock.pass(time.Minute)
	if have := h.timeline(0, footage.Main, "2026-11-26"); have[len(have)-1] != "13:32:51 not-running" {
		t.Errorf("when nothing runs: %q", have)
	}
	part, _ := h.read(0, footage.Main, footage.Span{From: latchkey.TimeOf(noon.Add(70 * time.Second)), Until: latchkey.TimeOf(noon.Add(100 * time.Second))})
	if len(part) != 2 || part[0].Sequence != 1 || part[1].Sequence != 2 {
		t.Errorf("thirty seconds: %d groups", len(part))
	}
	if other, _ := h.read(1, footage.Main, always); len(other) != 0 {
		t.Errorf("another camera has %d groups", len(other))
	}
	tl, err := h.store.Timeline(h.cameras[0], footage.Main, "2026-11-26")
	if err != nil || len(tl.Motion) != 24*60 || tl.Motion[12*60] != 0 || tl.Motion[12*60+1] != 2 {
		t.Errorf("motion of %d minutes, %v", len(tl.Motion), err)
	}
	next := h.record(0, footage.Main, time.Second, 1)
	if again, _ := h.read(0, footage.Main, footage.Span{From: next.Start.Wall, Until: next.Start.Wall + 1}); len(again) != 1 || again[0].Sequence != 45 {
		t.Errorf("after a start the sequence goes on with %v", again)
	}
	if r, err := h.store.Check(context.Background(), nil); err != nil || len(r.Findings) != 0 || r.Groups != 44 {
		t.Errorf("check: %+v, %v", r, err)
	}
	h.close()
}

// TestClockSetBack: an hour that the clock shows twice is there twice, in the order in
// which it was recorded.
func TestClockSetBack(t *testing.T) {
	h := newHome(t, durabletest.New(), nil)
	first := h.record(0, footage.Main, 10*time.Second, 10)
	h.record(0, footage.Main, 10*time.Second, 10)
	h.clock.set(-20 * time.Second)
	again := h.record(0, footage.Main, 10*time.Second, 10)
	if first.Start.Wall != again.Start.Wall {
		t.Fatal("the clock was not set back")
	}
	for range 2 {
		all, _ := h.read(0, footage.Main, footage.Span{From: first.Start.Wall, Until: first.Start.Wall + 1})
		if len(all) != 2 || !bytes.Equal(all[0].Content, first.Content) || !bytes.Equal(all[1].Content, again.Content) {
			t.Errorf("%d groups of a moment that was twice", len(all))
		}
		h.close()
		h.open()
	}
}

// TestMidnight: days are those of UTC, and the last group of one reaches into the
// next.
func TestMidnight(t *testing.T) {
	disk := durabletest.New()
	h := newHome(t, disk, nil)
	h.clock.pass(12*time.Hour - 25*time.Second)
	for range 5 {
		h.record(0, footage.Sub, 10*time.Second, 10)
	}
	h.close()
	for _, name := range []string{"2026-11-26", "2026-11-27"} {
		dir := path.Join(name, h.cameras[0].String())
		if files, err := durable.List(disk, dir); err != nil || len(files) != 2 {
			t.Errorf("%s: %d files, %v; want a segment and its index", dir, len(files), err)
		}
	}
	if have := h.timeline(0, footage.Sub, "2026-11-26"); have[len(have)-1] != "23:59:35 pictures" {
		t.Errorf("the day before: %q", have)
	}
	if have := h.timeline(0, footage.Sub, "2026-11-27"); !slices.Equal(have, []string{"00:00:00 pictures"}) {
		t.Errorf("the day after: %q", have)
	}
	midnight := latchkey.TimeOf(noon.Add(12 * time.Hour))
	if all, _ := h.read(0, footage.Sub, footage.Span{From: midnight, Until: midnight + 1}); len(all) != 1 || all[0].Sequence != 3 {
		t.Errorf("at midnight: %d groups", len(all))
	}
}

// TestFilmstrip gives as many stills as are asked for, spread over the time.
func TestFilmstrip(t *testing.T) {
	h := newHome(t, durabletest.New(), nil)
	for range 300 {
		h.record(0, footage.Still, 10*time.Second, 20)
	}
	span := footage.Span{From: latchkey.TimeOf(noon), Until: latchkey.TimeOf(noon.Add(time.Hour))}
	stills, err := h.store.Stills(context.Background(), h.cameras[0], span, 60)
	if err != nil || len(stills) != 50 { // of the last ten minutes there are none
		t.Fatalf("%d stills, %v", len(stills), err)
	}
	for i, s := range stills {
		if want := latchkey.TimeOf(noon.Add(time.Duration(i) * time.Minute)); s.Start.Wall != want {
			t.Errorf("still %d is of %v, want %v", i, s.Start.Wall.Time(), want.Time())
		}
	}
	if none, err := h.store.Stills(context.Background(), h.cameras[1], span, 60); err != nil || len(none) != 0 {
		t.Errorf("a camera without: %d, %v", len(none), err)
	}
}

// TestOneWriter: two would write over each other.
func TestOneWriter(t *testing.T) {
	h := newHome(t, durabletest.New(), nil)
	w := h.writer(0, footage.Main)
	if _, err := h.store.Writer(h.cameras[0], footage.Main); err == nil {
		t.Error("two writers of one track")
	}
	if _, err := h.store.Writer(h.cameras[0], 4); err == nil {
		t.Error("a writer of no track")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Append(footage.Group{Duration: 1}); !errors.Is(err, footage.ErrClosed) {
		t.Errorf("a closed writer says %v", err)
	}
	if _, err := h.store.Writer(h.cameras[0], footage.Main); err != nil {
		t.Error(err)
	}
	h.close()
	if _, err := h.store.Writer(h.cameras[0], footage.Sub); !errors.Is(err, footage.ErrClosed) {
		t.Errorf("a closed store says %v", err)
	}
}

// TestTooLarge: what no group can be is refused, counted, and a gap.
func TestTooLarge(t *testing.T) {
	h := newHome(t, durabletest.New(), nil)
	w := h.writer(0, footage.Main)
	now := h.clock.Now()
	for name, f := range map[string]footage.Group{
		"too many bytes": {Start: now, Duration: time.Second, Content: make([]byte, 32<<20+1)},
		"too long":       {Start: now, Duration: 61 * time.Second},
		"of no length":   {Start: now},
		"backwards":      {Start: now, Duration: -time.Hour},
		"too late":       {Start: clock.Moment{Wall: latchkey.MaxInt + 1}, Duration: time.Second},
	} {
		if err := w.Append(f); !errors.Is(err, footage.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []footage.Coding{{Init: make([]byte, 64<<10+1)}, {Type: string(make([]byte, 201))}} {
		if err := w.Append(footage.Group{Start: now, Duration: time.Second, Coding: &c}); err != nil {
			t.Error(err)
		}
	}
	h.clock.pass(time.Minute)
	if err := w.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if have := h.timeline(0, footage.Main, "2026-11-26"); !slices.Equal(have, []string{"00:00:00 not-running", "12:00:00 refused"}) {
		t.Errorf("timeline %q", have)
	}
	if s := h.store.Status(); s.Health != footage.HealthOK || s.Lost != 6 {
		t.Errorf("status %+v", s)
	}
	h.close()
}

func TestKeyPrintsNothing(t *testing.T) {
	h := newHome(t, durabletest.New(), nil)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		if got := fmt.Sprintf(format, h.config.Key); got != "(footage key)" {
			t.Errorf("%s prints %s", format, got)
		}
	}
}

// TestKeyIsKept: the key is made once, and a useless one is replaced.
func TestKeyIsKept(t *testing.T) {
	disk := durabletest.New()
	_, fresh, err := footage.LoadKey(disk, "footage.key")
	if err != nil || !fresh {
		t.Errorf("fresh %t, %v", fresh, err)
	}
	made := disk.Contents()["footage.key"]
	if _, fresh, err = footage.LoadKey(disk, "footage.key"); err != nil || fresh || !bytes.Equal(made, disk.Contents()["footage.key"]) {
		t.Errorf("a second time fresh %t, %v", fresh, err)
	}
	if err := durable.WriteBytes(disk, "footage.key", made[:31]); err != nil {
		t.Fatal(err)
	}
	if _, fresh, err = footage.LoadKey(disk, "footage.key"); err != nil || !fresh || len(disk.Contents()["footage.key"]) != 32 {
		t.Errorf("for a cut one fresh %t, %v", fresh, err)
	}
}

// TestClockBehind: a machine that begins with an old time still shows what it has.
func TestClockBehind(t *testing.T) {
	h := newHome(t, durabletest.New(), nil)
	h.record(0, footage.Main, minute, 10)
	h.close()
	h.clock.set(-100 * time.Hour)
	h.open()
	if have := h.timeline(0, footage.Main, "2026-11-26"); !slices.Equal(have, []string{"00:00:00 not-running", "12:00:00 pictures"}) {
		t.Errorf("timeline %q", have)
	}
	if groups, _ := h.read(0, footage.Main, always); len(groups) != 1 {
		t.Errorf("%d groups", len(groups))
	}
}
