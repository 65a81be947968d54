package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/internal/cobblestone"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// house is a home with one agent and one camera, and the agent's spool on some disk.
type house struct {
	t      testing.TB
	owner  *keytest.Owner
	agent  *keytest.Agent
	camera latchkey.CameraID
	fs     durable.FS
	spool  *spool.Spool
	change func(*spool.Config)
}

func newHouse(t testing.TB, fsys durable.FS, change func(*spool.Config)) *house {
	t.Helper()
	owner := keytest.NewOwner()
	owner.Found()
	agent := owner.PlaceAgent()
	h := &house{t: t, owner: owner, agent: agent, camera: owner.PlaceCamera(agent), fs: fsys, change: change}
	if err := durable.MkdirAll(fsys, "spool"); err != nil {
		t.Fatal(err)
	}
	h.open()
	return h
}

// open opens the spool anew, as the next start of the agent does.
func (h *house) open() {
	h.t.Helper()
	key, _, err := spool.LoadKey(h.fs, "spool.key")
	if err != nil {
		h.t.Fatal(err)
	}
	c := spool.Config{FS: durabletest.Sub(h.fs, "spool"), Home: h.owner.Home(), Key: key}
	if h.change != nil {
		h.change(&c)
	}
	if h.spool, err = spool.Open(c); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) bind(kind latchkey.Kind) sealed.Binding {
	return h.agent.Bind(h.owner.Title(), h.camera, kind)
}

func writes(content []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
}

func (h *house) add(kind latchkey.Kind, content []byte) (sealed.Header, error) {
	return h.spool.Add(h.bind(kind), h.agent.Keys.Signing, writes(content))
}

// items are all that wait, in the order in which they would go.
func (h *house) items() []spool.Item {
	var all []spool.Item
	seen := map[latchkey.Name]bool{}
	for {
		item, ok := h.spool.Next(func(i spool.Item) bool { return !seen[i.Name] })
		if !ok {
			return all
		}
		seen[item.Name] = true
		all = append(all, item)
	}
}

// content opens an entry as a member of the home would and returns what is in it.
func (h *house) content(item spool.Item) ([]byte, error) {
	o, err := h.spool.Open(item)
	if err != nil {
		return nil, err
	}
	defer o.Body.Close()
	if err := sealed.Verify(o.Header, item.Name, h.owner.Title()); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(o.Body)
	if err != nil {
		return nil, err
	}
	return cobblestone.Open(o.Key[:], o.Header.Binding.Bytes(), body)
}

func TestEntryOutlivesItsProcess(t *testing.T) {
	disk := durabletest.New()
	h := newHouse(t, disk, nil)
	want := map[latchkey.Name]string{}
	for i, kind := range []latchkey.Kind{latchkey.Clip, latchkey.Thumbnail, latchkey.Description} {
		text := strings.Repeat(fmt.Sprintf("a picture of the yard, number %d. ", i), 1000*((i+1)%2)+1)
		header, err := h.add(kind, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		want[header.Name()] = text
	}
	for file, b := range disk.Contents() {
		if bytes.Contains(b, []byte("picture of the yard")) {
			t.Errorf("%s holds the content in clear", file)
		}
	}
	disk.Crash()
	h.open()
	got := map[latchkey.Name]string{}
	for _, item := range h.items() {
		content, err := h.content(item)
		if err != nil {
			t.Error(err)
		}
		got[item.Name] = string(content)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("after a power cut (-added +read back):\n%s", diff)
	}
	if s := h.spool.Status(); s.Objects != 3 || s.Damaged != 0 || s.Health != spool.Healthy {
		t.Errorf("status %+v", s)
	}
}

func TestOrder(t *testing.T) {
	h := newHouse(t, durabletest.New(), nil)
	names := map[latchkey.ObjectID]string{}
	for i, kind := range []latchkey.Kind{
		latchkey.Clip, latchkey.Thumbnail, latchkey.Description, latchkey.Description, latchkey.Clip, latchkey.Thumbnail,
	} {
		header, err := h.add(kind, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		names[header.Binding.Object] = fmt.Sprint(kind, " ", i)
	}
	// A wall clock that jumped back must not make a new picture wait behind old ones.
	b := h.bind(latchkey.Thumbnail)
	b.Time = 0
	if _, err := h.spool.Add(b, h.agent.Keys.Signing, writes([]byte("x"))); err != nil {
		t.Fatal(err)
	}
	names[b.Object] = "thumbnail in 1970"
	want := []string{"thumbnail in 1970", "thumbnail 5", "thumbnail 1", "description 3", "description 2", "clip 4", "clip 0"}
	for _, when := range []string{"before", "after"} {
		var got []string
		for _, item := range h.items() {
			got = append(got, names[item.Name.Object])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s a start (-want +got):\n%s", when, diff)
		}
		h.open()
	}
}

func TestRemovedStaysRemoved(t *testing.T) {
	disk := durabletest.New()
	h := newHouse(t, disk, nil)
	header, err := h.add(latchkey.Thumbnail, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	item := h.items()[0]
	if err := h.spool.Remove(item); err != nil {
		t.Fatal(err)
	}
	if err := h.spool.Remove(item); !errors.Is(err, spool.ErrGone) {
		t.Errorf("removed twice: %v", err)
	}
	disk.Crash()
	h.open()
	if left := h.items(); len(left) != 0 {
		t.Errorf("%s came back after a power cut", header.Name())
	}
	for file := range disk.Contents() {
		if strings.HasPrefix(file, "spool/") {
			t.Errorf("%s is left behind", file)
		}
	}
}

func TestRefusedIsKeptApart(t *testing.T) {
	disk := durabletest.New()
	h := newHouse(t, disk, nil)
	for range 2 {
		if _, err := h.add(latchkey.Thumbnail, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	poisoned := h.items()[0]
	if err := h.spool.SetAside(poisoned, "different"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		left := h.items()
		if len(left) != 1 || left[0].Name == poisoned.Name {
			t.Errorf("%d wait, the refused one among them or the other missing", len(left))
		}
		if s := h.spool.Status(); s.Refused != 1 || s.Objects != 1 {
			t.Errorf("status %+v, want one refused and one waiting", s)
		}
		disk.Crash()
		h.open()
	}
}

// TestBounds fills a small spool and looks in which order it gives up what.
func TestBounds(t *testing.T) {
	const capacity = 1 << 20
	h := newHouse(t, durabletest.New(), func(c *spool.Config) { c.Capacity = capacity })
	clip := bytes.Repeat([]byte("c"), 100<<10)
	clips := 0
	for {
		if _, err := h.add(latchkey.Clip, clip); err != nil {
			if !errors.Is(err, spool.ErrFull) {
				t.Fatalf("a full spool says %v", err)
			}
			break
		}
		clips++
	}
	if clips != 9 {
		t.Errorf("%d clips of 100 KiB in a spool of 1 MiB of which a sixteenth is not for clips", clips)
	}
	if s := h.spool.Status(); s.Health != spool.Full || s.Lost != 1 {
		t.Errorf("status of a full spool: %+v", s)
	}
	if _, err := h.add(latchkey.Thumbnail, clip[:60<<10]); err != nil {
		t.Errorf("a thumbnail while there is no room for clips: %v", err)
	}
	if s := h.spool.Status(); s.Health != spool.Healthy {
		t.Errorf("status after a thumbnail was taken: %+v", s)
	}
	if _, err := h.add(latchkey.Thumbnail, clip[:80<<10]); !errors.Is(err, spool.ErrFull) {
		t.Errorf("a thumbnail that does not fit: %v", err)
	}
	if s := h.spool.Status(); s.Objects != clips+1 || s.Bytes > capacity {
		t.Errorf("what was accepted has not stayed: %+v", s)
	}
	// What the server will not have makes room before anything new is refused.
	if err := h.spool.SetAside(h.items()[clips], "malformed"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.add(latchkey.Thumbnail, clip[:80<<10]); err != nil {
		t.Errorf("although something refused could be dropped: %v", err)
	}
	if s := h.spool.Status(); s.Refused != 0 || s.Dropped != 1 || s.Objects != clips+1 {
		t.Errorf("status after something refused was dropped: %+v", s)
	}
	if err := h.spool.Remove(h.items()[2]); err != nil {
		t.Fatal(err)
	}
	if _, err := h.add(latchkey.Clip, clip[:30<<10]); err != nil {
		t.Errorf("after an acknowledgement: %v", err)
	}
}

func TestObjectsAreBounded(t *testing.T) {
	h := newHouse(t, durabletest.New(), func(c *spool.Config) { c.Objects = 3 })
	for range 3 {
		if _, err := h.add(latchkey.Thumbnail, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.add(latchkey.Thumbnail, []byte("x")); !errors.Is(err, spool.ErrFull) {
		t.Errorf("the fourth of three: %v", err)
	}
}

func TestDiskFull(t *testing.T) {
	disk := durabletest.New()
	h := newHouse(t, disk, nil)
	full := func(op, name string) error {
		if op == "write" && strings.HasPrefix(name, "spool/") {
			return &os.PathError{Op: op, Path: name, Err: syscall.ENOSPC}
		}
		return nil
	}
	disk.Before(full)
	if _, err := h.add(latchkey.Clip, make([]byte, 100<<10)); !durable.Full(err) {
		t.Errorf("on a full disk: %v", err)
	}
	if s := h.spool.Status(); s.Health != spool.DiskFull || s.Objects != 0 || s.Lost != 1 {
		t.Errorf("status on a full disk: %+v", s)
	}
	for file := range disk.Contents() {
		if strings.HasPrefix(file, "spool/") {
			t.Errorf("%s takes room on a full disk", file)
		}
	}
	disk.Before(nil)
	if _, err := h.add(latchkey.Clip, make([]byte, 100<<10)); err != nil {
		t.Error(err)
	}
	if s := h.spool.Status(); s.Health != spool.Healthy {
		t.Errorf("status once there is room again: %+v", s)
	}
}

func TestDiskNearlyFull(t *testing.T) {
	free := int64(1 << 30)
	h := newHouse(t, durabletest.New(), func(c *spool.Config) {
		c.Free = func() (int64, error) { return free, nil }
	})
	free = 255 << 20
	if _, err := h.add(latchkey.Clip, []byte("x")); !errors.Is(err, spool.ErrDiskFull) {
		t.Errorf("with 255 MiB left: %v", err)
	}
	free = 256 << 20
	if _, err := h.add(latchkey.Clip, []byte("x")); err != nil {
		t.Errorf("with 256 MiB left: %v", err)
	}
}

// TestContentThatFails is a camera whose clip cannot be written: nothing is kept, and
// the spool is not ill.
func TestContentThatFails(t *testing.T) {
	disk := durabletest.New()
	h := newHouse(t, disk, nil)
	broken := errors.New("the camera went away")
	_, err := h.spool.Add(h.bind(latchkey.Clip), h.agent.Keys.Signing, func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 50<<10)); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want the content's own", err)
	}
	if s := h.spool.Status(); s.Health != spool.Healthy || s.Objects != 0 || s.Bytes != 0 || s.Lost != 0 {
		t.Errorf("status %+v", s)
	}
	for file := range disk.Contents() {
		if strings.HasPrefix(file, "spool/") {
			t.Errorf("%s is left behind", file)
		}
	}
}
