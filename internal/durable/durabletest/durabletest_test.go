package durabletest_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
)

// filled is a file system with a file of that content, on the disk.
func filled(t *testing.T, content []byte) *durabletest.Forgetful {
	t.Helper()
	disk := durabletest.New()
	if err := durable.WriteBytes(disk, "f", content); err != nil {
		t.Fatal(err)
	}
	return disk
}

// over writes over the beginning of the file, and syncs it or not.
func over(t *testing.T, disk *durabletest.Forgetful, content []byte, sync bool) error {
	t.Helper()
	f, err := disk.OpenFile("f", os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // synced, or meant not to be
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	if sync {
		return f.Sync()
	}
	return nil
}

func holds(t *testing.T, what string, disk *durabletest.Forgetful, want []byte) {
	t.Helper()
	if got := disk.Contents()["f"]; !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes that differ from the %d that belong there", what, len(got), len(want))
	}
}

// TestLostSync: what a sync could not bring onto the disk can be read, and is gone after the
// crash although a later sync succeeded; what was written again is there.
func TestLostSync(t *testing.T) {
	before, after := bytes.Repeat([]byte("a"), 2000), bytes.Repeat([]byte("b"), 3000)
	for _, again := range []bool{false, true} {
		disk := filled(t, before)
		disk.Before(func(op, _ string) error {
			if op == "sync" {
				return durabletest.ErrLost
			}
			return nil
		})
		if err := over(t, disk, after, true); !errors.Is(err, durabletest.ErrLost) {
			t.Errorf("a sync that fails says %v", err)
		}
		holds(t, "before the crash", disk, after)
		disk.Before(nil)
		want := before
		content := []byte{} // nothing, and a sync
		if again {
			want, content = after, after
		}
		if err := over(t, disk, content, true); err != nil {
			t.Error(err)
		}
		disk.Crash()
		holds(t, "after the crash", disk, want)
	}
}

// TestTornDisk: of what was not synced each sector is there or not, by itself.
func TestTornDisk(t *testing.T) {
	before, after := bytes.Repeat([]byte("a"), 2048), bytes.Repeat([]byte("b"), 2048)
	disk := filled(t, before)
	if err := over(t, disk, after, false); err != nil {
		t.Fatal(err)
	}
	n := 0
	disk.CrashTearing(func() bool { n++; return n%2 == 0 })
	got := disk.Contents()["f"]
	kept := 0
	for i := range 4 {
		sector := got[i*512 : (i+1)*512]
		switch {
		case bytes.Equal(sector, after[:512]):
			kept++
		case !bytes.Equal(sector, before[:512]):
			t.Errorf("sector %d is neither what it was nor what was written", i)
		}
	}
	if len(got) != 2048 || kept != 2 {
		t.Errorf("%d bytes, %d of 4 sectors written; want 2048 and 2", len(got), kept)
	}
}

// TestClone: a copy has what was not synced, and goes its own way.
func TestClone(t *testing.T) {
	before, after := []byte("before"), []byte("after.")
	disk := filled(t, before)
	if err := over(t, disk, after, false); err != nil {
		t.Fatal(err)
	}
	twin := disk.Clone()
	disk.Crash()
	holds(t, "the one that crashed", disk, before)
	holds(t, "its copy", twin, after)
	twin.CrashKeeping(func() bool { return true })
	holds(t, "its copy, of a disk that had written it", twin, after)
}
