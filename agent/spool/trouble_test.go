package spool_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestDiskTroubles: what a disk says when it is full, read-only, gone or broken. The
// spool keeps nothing half, says what is wrong and what to do, keeps what it had, and
// takes the next object once the trouble is over.
func TestDiskTroubles(t *testing.T) {
	for name, trouble := range map[string]struct {
		op   string // that goes wrong
		err  error
		want spool.Health
		says string
	}{
		"full":             {"write", syscall.ENOSPC, spool.DiskFull, "Make room"},
		"no inodes":        {"create", syscall.ENOSPC, spool.DiskFull, "Make room"},
		"over quota":       {"write", syscall.EDQUOT, spool.DiskFull, "Make room"},
		"read-only":        {"create", syscall.EROFS, spool.ReadOnly, "dmesg"},
		"another user's":   {"create", syscall.EACCES, spool.Forbidden, "sudo chown"},
		"gone":             {"create", spool.ErrAway, spool.Away, "mount it at the same place"},
		"errors on a sync": {"sync", syscall.EIO, spool.Failing, "The log"},
		"renames fail":     {"rename", syscall.EIO, spool.Failing, "The log"},
	} {
		t.Run(name, func(t *testing.T) {
			disk := durabletest.New()
			h := newHouse(t, disk, nil)
			before, err := h.add(latchkey.Clip, []byte("from before"))
			if err != nil {
				t.Fatal(err)
			}
			files := len(disk.Contents())
			disk.Before(func(op, name string) error {
				if op == trouble.op && strings.HasPrefix(name, "spool") {
					return &os.PathError{Op: op, Path: name, Err: trouble.err}
				}
				return nil
			})
			for range 3 {
				if _, err := h.add(latchkey.Clip, make([]byte, 50<<10)); !errors.Is(err, trouble.err) {
					t.Errorf("added: %v", err)
				}
			}
			s := h.spool.Status()
			if s.Health != trouble.want || s.Lost != 3 || s.Objects != 1 || !strings.Contains(s.Says(), trouble.says) {
				t.Errorf("status %+v says %q", s, s.Says())
			}
			disk.Before(nil)
			if left := len(disk.Contents()); trouble.op == "create" && left != files {
				t.Errorf("%d files, %d before", left, files)
			}
			if _, err := h.add(latchkey.Clip, []byte("from after")); err != nil {
				t.Error(err)
			}
			if s := h.spool.Status(); s.Health != spool.Healthy || s.Says() != "" || s.Lost != 3 {
				t.Errorf("status afterwards %+v", s)
			}
			disk.Crash()
			h.open()
			for _, item := range h.items() {
				content, err := h.content(item)
				if want := map[bool]string{true: "from before", false: "from after"}[item.Name == before.Name()]; err != nil || string(content) != want {
					t.Errorf("%q, %v; want %q", content, err, want)
				}
			}
			if s := h.spool.Status(); s.Objects != 2 || s.Damaged != 0 {
				t.Errorf("status after a power cut %+v", s)
			}
		})
	}
}

// TestDiskHangs: a disk that does not answer, as one of a network does whose server is
// away. Who asks how the spool is doing is answered, and told.
func TestDiskHangs(t *testing.T) {
	for _, where := range []string{"write", "sync", "statfs"} {
		synctest.Test(t, func(t *testing.T) {
			disk := durabletest.New()
			hangs := make(chan struct{})
			h := newHouse(t, disk, func(c *spool.Config) {
				c.Free = func() (int64, error) {
					if where == "statfs" {
						<-hangs
					}
					return 1 << 40, nil
				}
			})
			disk.Before(func(op, name string) error {
				if op == where {
					<-hangs
				}
				return nil
			})
			added := make(chan error)
			go func() {
				_, err := h.add(latchkey.Clip, []byte("x"))
				added <- err
			}()
			time.Sleep(10 * time.Second)
			if s := h.spool.Status(); s.Health != spool.Healthy {
				t.Errorf("%s: after 10 s %+v", where, s)
			}
			time.Sleep(time.Hour)
			if s := h.spool.Status(); s.Health != spool.Slow || time.Since(s.Since) != time.Hour+10*time.Second || !strings.Contains(s.Says(), "slow") {
				t.Errorf("%s: after an hour %+v", where, s)
			}
			if items := h.items(); len(items) != 0 {
				t.Errorf("%s: %d wait before one is kept", where, len(items))
			}
			close(hangs)
			if err := <-added; err != nil {
				t.Error(err)
			}
			if s := h.spool.Status(); s.Health != spool.Healthy || s.Objects != 1 {
				t.Errorf("%s: once it answers %+v", where, s)
			}
		})
	}
}

// TestTwoWeeksWithoutANetwork records for 14 days with nobody to take it, in a spool
// that is too small. What was taken stays; what was not is counted and said; there is
// room for pictures when there is none for films; and when the network is back the
// newest pictures go first.
func TestTwoWeeksWithoutANetwork(t *testing.T) {
	const capacity = 4 << 20
	disk := durabletest.New()
	h := newHouse(t, disk, func(c *spool.Config) { c.Capacity = capacity })
	day := time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)
	kept := map[latchkey.Name][]byte{}
	var lost, clipsLost uint64
	monotonic := uint64(0)
	for event := range 14 * 20 {
		at := day.Add(time.Duration(event) * 72 * time.Minute)
		monotonic += uint64((72 * time.Minute).Microseconds())
		for kind, size := range map[latchkey.Kind]int{latchkey.Thumbnail: 700, latchkey.Clip: 40_000, latchkey.Description: 200} {
			b := h.bind(kind)
			b.Time, b.Monotonic = latchkey.TimeOf(at), monotonic
			content := bytes.Repeat([]byte(fmt.Sprint(kind, event)), size/8)
			_, err := h.spool.Add(b, h.agent.Keys.Signing, writes(content))
			switch {
			case err == nil:
				kept[b.Name()] = content
			case errors.Is(err, spool.ErrFull):
				lost++
				if kind == latchkey.Clip {
					clipsLost++
				}
			default:
				t.Fatal(err)
			}
		}
	}
	s := h.spool.Status()
	if s.Lost != lost || lost == 0 || lost != clipsLost || s.Bytes > capacity || s.Objects != len(kept) {
		t.Errorf("%d lost, %d of them clips; status %+v", lost, clipsLost, s)
	}
	disk.Crash()
	h.open()
	items := h.items()
	if len(items) != len(kept) {
		t.Errorf("%d of %d are left after a power cut", len(items), len(kept))
	}
	for i, item := range items {
		if content, err := h.content(item); err != nil || !bytes.Equal(content, kept[item.Name]) {
			t.Errorf("%s: %v", item.Name, err)
		}
		if want := map[bool]latchkey.Kind{true: latchkey.Thumbnail, false: latchkey.Description}[i < 280]; i < 560 && item.Name.Kind != want {
			t.Fatalf("object %d on its way is a %s", i, item.Name.Kind)
		}
		if i > 0 && item.Name.Kind == items[i-1].Name.Kind && item.Name.Day > items[i-1].Name.Day {
			t.Fatalf("object %d on its way is newer than the one before", i)
		}
	}
}

// TestManyEntries opens a spool of a hundred thousand objects, a million with
// LATCHKEY_LONG. The time is bounded, and afterwards it takes and gives as any other.
func TestManyEntries(t *testing.T) {
	n := 100_000
	if os.Getenv("LATCHKEY_LONG") != "" {
		n = 1_000_000
	}
	disk := durabletest.New()
	h := newHouse(t, disk, func(c *spool.Config) { c.Objects = n + 10 })
	fill(t, h, n)
	began := time.Now()
	h.open()
	took := time.Since(began)
	t.Logf("%d entries are read in %v", n, took.Round(time.Millisecond))
	if s := h.spool.Status(); s.Objects != n || s.Damaged != 0 {
		t.Errorf("status %+v", s)
	}
	if most := time.Duration(n) * 600 * time.Microsecond; took > most { // 20 times what a quiet machine takes
		t.Errorf("%d entries are read in %v, at most %v is bearable", n, took, most)
	}
	header, err := h.add(latchkey.Thumbnail, []byte("a new one"))
	if err != nil {
		t.Fatal(err)
	}
	item, ok := h.spool.Next(func(spool.Item) bool { return true })
	if content, err := h.content(item); !ok || item.Name != header.Name() || err != nil || string(content) != "a new one" {
		t.Errorf("the newest goes first: %s, %q, %v", item.Name, content, err)
	}
	if err := h.spool.Remove(item); err != nil {
		t.Error(err)
	}
}

// fill puts n thumbnails into the spool's folder, as a spool that is closed has left
// them. They are made by hand, because sealing and syncing so many takes minutes.
func fill(t *testing.T, h *house, n int) {
	t.Helper()
	h.open()
	b := h.bind(latchkey.Thumbnail)
	b.Monotonic = 0
	model, err := h.spool.Add(b, h.agent.Keys.Signing, writes([]byte("x")))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.spool.Remove(h.items()[0]); err != nil {
		t.Fatal(err)
	}
	secret, err := durable.ReadBytes(h.fs, "spool.key", 100)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	body := make([]byte, model.BodyLength)
	for i := range n {
		header := model.Bytes()
		id := latchkey.NewObjectID()
		copy(header[2+68:], id[:])
		binary.BigEndian.PutUint64(header[2+156:], uint64(i*7919%n))
		if _, err := sealed.ParseHeader(header); err != nil {
			t.Fatal(err)
		}
		record := binary.BigEndian.AppendUint16([]byte("latchkey spool 1\n"), uint16(len(header)))
		record = append(record, header...)
		aad := record[:len(record):len(record)]
		record = append(record, make([]byte, 12)...)
		record = binary.BigEndian.AppendUint16(record, 48)
		record = gcm.Seal(record, make([]byte, 12), make([]byte, 32), aad)
		for suffix, content := range map[string][]byte{".record": record, ".body": body} {
			f, err := h.fs.OpenFile("spool/"+id.String()+suffix, os.O_WRONLY|os.O_CREATE)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write(content); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
