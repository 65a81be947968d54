package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
)

// TestDamageIsSetAside damages one of two entries in every way that a disk or a person
// can, and wants the other to go on its way.
func TestDamageIsSetAside(t *testing.T) {
	edit := func(suffix string, change func([]byte) []byte) func(*testing.T, *house, string) {
		return func(t *testing.T, h *house, entry string) {
			b, err := durable.ReadBytes(h.fs, entry+suffix, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if err := durable.WriteBytes(h.fs, entry+suffix, change(b)); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(suffix string) func(*testing.T, *house, string) {
		return func(t *testing.T, h *house, entry string) {
			if err := durable.Remove(h.fs, entry+suffix); err != nil {
				t.Fatal(err)
			}
		}
	}
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[at] ^= 1; return b }
	}
	for name, damage := range map[string]func(*testing.T, *house, string){
		"record is empty":          edit(".record", func([]byte) []byte { return nil }),
		"record is zeros":          edit(".record", func(b []byte) []byte { return make([]byte, len(b)) }),
		"record is cut":            edit(".record", func(b []byte) []byte { return b[:len(b)-1] }),
		"record is longer":         edit(".record", func(b []byte) []byte { return append(b, 0) }),
		"record is enormous":       edit(".record", func(b []byte) []byte { return make([]byte, 1<<20) }),
		"record has another magic": edit(".record", flip(3)),
		"header has another time":  edit(".record", flip(17+2+2+132+7)),
		"nonce is another":         edit(".record", flip(17+2+313)),
		"key is another":           edit(".record", flip(17+2+313+12+2)),
		"body is cut":              edit(".body", func(b []byte) []byte { return b[:len(b)-1] }),
		"body is longer":           edit(".body", func(b []byte) []byte { return append(b, 0) }),
		"body is missing":          remove(".body"),
	} {
		t.Run(name, func(t *testing.T) {
			disk := durabletest.New()
			h := newHouse(t, disk, nil)
			bad, err := h.add(latchkey.Clip, []byte("the damaged one"))
			if err != nil {
				t.Fatal(err)
			}
			good, err := h.add(latchkey.Clip, []byte("the other one"))
			if err != nil {
				t.Fatal(err)
			}
			damage(t, h, "spool/"+bad.Binding.Object.String())
			for range 2 { // the second start finds it where the first put it
				h.open()
				if s := h.spool.Status(); s.Damaged != 1 || s.Objects != 1 {
					t.Errorf("status %+v, want one damaged and one waiting", s)
				}
			}
			item := h.items()[0]
			if content, err := h.content(item); err != nil || item.Name != good.Name() || string(content) != "the other one" {
				t.Errorf("the other one reads %q, %v", content, err)
			}
			if _, err := h.add(latchkey.Clip, []byte("a new one")); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDamageWhileRunning is a disk that goes bad under an agent: found when the entry
// is wanted, not at the next start.
func TestDamageWhileRunning(t *testing.T) {
	h := newHouse(t, durabletest.New(), nil)
	header, err := h.add(latchkey.Clip, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	item := h.items()[0]
	body := "spool/" + header.Binding.Object.String() + ".body"
	b, err := durable.ReadBytes(h.fs, body, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.spool.Verify(item); err != nil {
		t.Fatalf("verify what is whole: %v", err)
	}
	b[70] ^= 1
	if err := durable.WriteBytes(h.fs, body, b); err != nil {
		t.Fatal(err)
	}
	if err := h.spool.Verify(item); err == nil {
		t.Error("a changed body verifies")
	}
	if s := h.spool.Status(); s.Damaged != 1 || s.Objects != 0 {
		t.Errorf("status %+v", s)
	}
	if _, err := h.spool.Open(item); err == nil {
		t.Error("a damaged entry opens")
	}
}

// moody is a disk that does not open some files today.
type moody struct {
	durable.FS
	refuses string
}

func (m *moody) OpenFile(name string, flag int) (durable.File, error) {
	if m.refuses != "" && strings.HasSuffix(name, m.refuses) {
		return nil, &os.PathError{Op: "open", Path: name, Err: syscall.EMFILE}
	}
	return m.FS.OpenFile(name, flag)
}

// TestBadDayIsNoDamage: what the disk will not give now is not thrown into a corner.
func TestBadDayIsNoDamage(t *testing.T) {
	disk := &moody{FS: durabletest.New()}
	h := newHouse(t, disk, nil)
	if _, err := h.add(latchkey.Clip, []byte("x")); err != nil {
		t.Fatal(err)
	}
	item := h.items()[0]
	for _, suffix := range []string{".body", ".record"} {
		disk.refuses = suffix
		if _, err := h.spool.Open(item); !errors.Is(err, syscall.EMFILE) || errors.Is(err, spool.ErrDamaged) {
			t.Errorf("open without its %s: %v", suffix, err)
		}
		if s := h.spool.Status(); s.Objects != 1 || s.Damaged != 0 {
			t.Errorf("status %+v: it must still wait", s)
		}
	}
	h.open()
	if s := h.spool.Status(); s.Objects != 0 || s.Damaged != 1 {
		t.Errorf("status after a start on a bad day: %+v", s)
	}
	disk.refuses = ""
	h.open()
	if s := h.spool.Status(); s.Objects != 1 || s.Damaged != 0 {
		t.Errorf("status after a start on a good day: %+v", s)
	}
}

func TestAnotherHomesEntriesAreSetAside(t *testing.T) {
	disk := durabletest.New()
	h := newHouse(t, disk, nil)
	if _, err := h.add(latchkey.Thumbnail, []byte("x")); err != nil {
		t.Fatal(err)
	}
	other := newHouse(t, disk, nil)
	if s := other.spool.Status(); s.Objects != 0 || s.Damaged != 1 {
		t.Errorf("status %+v: another home's entry must not wait for upload", s)
	}
}

// TestMissingKey: without the spool's key nothing can be uploaded, and recording goes
// on under a new one.
func TestMissingKey(t *testing.T) {
	for name, secret := range map[string][]byte{"missing": nil, "cut": make([]byte, 31), "too long": make([]byte, 33)} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, durabletest.New(), nil)
			if _, err := h.add(latchkey.Thumbnail, []byte("x")); err != nil {
				t.Fatal(err)
			}
			if err := durable.Remove(h.fs, "spool.key"); err != nil {
				t.Fatal(err)
			}
			if secret != nil {
				if err := durable.WriteBytes(h.fs, "spool.key", secret); err != nil {
					t.Fatal(err)
				}
			}
			_, fresh, err := spool.LoadKey(h.fs, "spool.key")
			if err != nil || !fresh {
				t.Errorf("fresh %t, %v", fresh, err)
			}
			h.open()
			if s := h.spool.Status(); s.Damaged != 1 || s.Objects != 0 {
				t.Errorf("status %+v", s)
			}
			if _, err := h.add(latchkey.Thumbnail, []byte("x")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestKeyPrintsNothing(t *testing.T) {
	secret := bytes.Repeat([]byte("k"), 32)
	key, err := spool.NewKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		if got := fmt.Sprintf(format, key); got != "(spool key)" {
			t.Errorf("%s prints %s", format, got)
		}
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	folder := t.TempDir()
	disk, err := durable.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disk.Close() })
	h := newHouse(t, disk, nil)
	if _, err := h.add(latchkey.Thumbnail, []byte("x")); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestStrangersAreLeftAlone: what the spool did not write it does not remove.
func TestStrangersAreLeftAlone(t *testing.T) {
	disk := durabletest.New()
	h := newHouse(t, disk, nil)
	want := []string{"README", "x.body", strings.Repeat("a", 26) + ".else", "lost+found"}
	for _, name := range want {
		if err := durable.WriteBytes(disk, "spool/"+name, []byte("mine")); err != nil {
			t.Fatal(err)
		}
	}
	h.open()
	for _, name := range want {
		if b, err := durable.ReadBytes(disk, "spool/"+name, 100); err != nil || string(b) != "mine" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

// FuzzRecord gives a start any record: it is taken in as it was written, or set aside.
func FuzzRecord(f *testing.F) {
	h := newHouse(f, durabletest.New(), nil)
	header, err := h.add(latchkey.Description, []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	entry := "spool/" + header.Binding.Object.String()
	genuine, err := durable.ReadBytes(h.fs, entry+".record", 1<<20)
	if err != nil {
		f.Fatal(err)
	}
	seeds, err := filepath.Glob("testdata/fuzz/FuzzRecord/*")
	if err != nil || len(seeds) < 5 {
		f.Fatalf("%d seeds in testdata, %v; want at least 5", len(seeds), err)
	}
	f.Add(genuine)
	f.Fuzz(func(t *testing.T, record []byte) {
		h.t = t
		if err := durable.WriteBytes(h.fs, entry+".record", record); err != nil {
			t.Fatal(err)
		}
		body, err := durable.ReadBytes(h.fs, entry+".body", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		h.open()
		s := h.spool.Status()
		if bytes.Equal(record, genuine) {
			if s.Objects != 1 {
				t.Errorf("a genuine record: %+v", s)
			}
			return
		}
		if s.Objects != 0 || s.Damaged == 0 {
			t.Errorf("a record that nobody wrote: %+v", s)
		}
		if err := durable.WriteBytes(h.fs, entry+".body", body); err != nil {
			t.Fatal(err)
		}
	})
}

func TestStatusOfAnEmptySpool(t *testing.T) {
	h := newHouse(t, durabletest.New(), nil)
	got := h.spool.Status()
	if diff := cmp.Diff(spool.Status{Health: spool.Healthy, Since: got.Since}, got); diff != "" {
		t.Error(diff)
	}
}
