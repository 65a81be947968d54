package footage_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
)

// TestDiskTroubles: what a disk says when it is full, read-only, gone or broken. The store
// says what is wrong and what to do, gives back what it has, and keeps the next group
// once the trouble is over; the timeline says why there is nothing in between.
func TestDiskTroubles(t *testing.T) {
	for name, trouble := range map[string]struct {
		op   string // that goes wrong
		err  error
		want footage.Health
		gap  string
		says string
	}{
		"full":             {"write", syscall.ENOSPC, footage.HealthDiskFull, "disk-full", "Make room"},
		"no inodes":        {"create", syscall.ENOSPC, footage.HealthDiskFull, "disk-full", "Make room"},
		"over quota":       {"write", syscall.EDQUOT, footage.HealthDiskFull, "disk-full", "Make room"},
		"read-only":        {"create", syscall.EROFS, footage.HealthReadOnly, "read-only", "dmesg"},
		"read-only later":  {"write", syscall.EROFS, footage.HealthReadOnly, "read-only", "dmesg"},
		"another user's":   {"create", syscall.EACCES, footage.HealthForbidden, "forbidden", "sudo chown"},
		"gone":             {"write", footage.ErrAway, footage.HealthAway, "away", "mount it at the same place"},
		"errors on a sync": {"sync", syscall.EIO, footage.HealthFailing, "failing", "The log"},
		"renames fail":     {"rename", syscall.EIO, footage.HealthFailing, "failing", "The log"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := durabletest.New()
				h := newHome(t, disk, nil)
				first := h.record(0, footage.Main, minute, 100).Start.Wall
				if err := h.store.Save(h.cameras[0], footage.Span{From: first, Until: first + 1}); err != nil {
					t.Fatal(err)
				}
				disk.Before(func(op, name string) error {
					if op == trouble.op {
						return &os.PathError{Op: op, Path: name, Err: trouble.err}
					}
					return nil
				})
				h.codings["0 main"] = &footage.Coding{Type: "another", Init: []byte{1}} // a segment begins
				for range 3 {
					h.record(0, footage.Main, minute, 50<<10)
				}
				s := h.store.Status()
				if s.Health != trouble.want || s.Lost != 3 || !strings.Contains(s.Health.Says(), trouble.says) {
					t.Errorf("status %+v says %q", s, s.Health.Says())
				}
				if groups, damaged := h.read(0, footage.Main, always); len(groups) != 1 || damaged != 0 {
					t.Errorf("meanwhile %d groups, %d damaged", len(groups), damaged)
				}
				disk.Before(nil)
				time.Sleep(6 * time.Second)
				h.record(0, footage.Main, minute, 100)
				if s := h.store.Status(); s.Health != footage.HealthOK || s.Lost != 3 {
					t.Errorf("status afterwards %+v", s)
				}
				h.close()
				disk.Crash()
				h.open()
				want := []string{"00:00:00 not-running", "12:00:00 pictures", "12:01:00 " + trouble.gap, "12:04:00 pictures"}
				if diff := cmp.Diff(want, h.timeline(0, footage.Main, "2026-11-26")); diff != "" {
					t.Errorf("timeline (-want +have):\n%s", diff)
				}
				if groups, damaged := h.read(0, footage.Main, always); len(groups) != 2 || damaged != 0 {
					t.Errorf("after a power cut %d groups, %d damaged", len(groups), damaged)
				}
				if r, err := h.store.Check(context.Background(), nil); err != nil || len(r.Findings) != 0 {
					t.Errorf("check %+v, %v", r, err)
				}
			})
		})
	}
}

// TestFullOfOthersFiles: where it does not help to remove footage it is not removed
// again and again, and there is room when the others have made some.
func TestFullOfOthersFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := durabletest.New()
		h := newHome(t, disk, nil)
		for range 20 {
			h.codings["0 main"] = &footage.Coding{Type: "another", Init: []byte{byte(h.n)}}
			h.record(0, footage.Main, minute, 40<<10)
		}
		disk.Before(func(op, name string) error {
			if op == "write" {
				return syscall.ENOSPC
			}
			return nil
		})
		for range 20 {
			h.record(0, footage.Main, minute, 40<<10)
			time.Sleep(6 * time.Second)
		}
		if s := h.store.Status(); s.Health != footage.HealthDiskFull || s.Evicted < 1 || s.Evicted > 4 || s.Lost != 20 {
			t.Errorf("status %+v", s)
		}
		disk.Before(nil)
		h.record(0, footage.Main, minute, 40<<10)
		if s := h.store.Status(); s.Health != footage.HealthOK || s.Lost != 20 {
			t.Errorf("status afterwards %+v", s)
		}
		h.close()
	})
}

// TestDiskHangs: a disk that does not answer, as one of a network does whose server is
// away. No camera waits, memory is bounded, who asks is answered and told, and what did
// not fit is a gap.
func TestDiskHangs(t *testing.T) {
	for _, where := range []string{"write", "sync", "statfs"} {
		synctest.Test(t, func(t *testing.T) {
			disk := durabletest.New()
			hangs := make(chan struct{})
			var hung atomic.Bool
			h := newHome(t, disk, func(c *footage.Config) {
				c.Free = func() (int64, error) {
					if where == "statfs" && hung.Load() {
						<-hangs
					}
					return 1 << 40, nil
				}
			})
			h.record(0, footage.Main, 10*time.Second, 1<<20)
			disk.Before(func(op, name string) error {
				if op == where && hung.Load() {
					<-hangs
				}
				return nil
			})
			hung.Store(true)
			for range 60 { // ten minutes, of which 16 MiB fit into memory
				h.append(0, footage.Main, 10*time.Second, 1<<20)
			}
			if s := h.store.Status(); s.Health != footage.HealthSlow || s.Lost < 43 || s.Lost > 45 {
				t.Errorf("%s: status %+v", where, s)
			}
			time.Sleep(time.Hour)
			if s := h.store.Status(); s.Health != footage.HealthSlow || !strings.Contains(s.Health.Says(), "keep up") {
				t.Errorf("%s: after an hour %+v", where, s)
			}
			if groups, _ := h.read(0, footage.Main, always); len(groups) != 1 {
				t.Errorf("%s: %d groups are given meanwhile", where, len(groups))
			}
			if have := h.timeline(0, footage.Main, "2026-11-26"); len(have) < 4 || !strings.HasSuffix(have[3], "slow") {
				t.Errorf("%s: timeline %q", where, have)
			}
			close(hangs)
			if err := h.writer(0, footage.Main).Wait(context.Background()); err != nil {
				t.Fatal(err)
			}
			lost := h.store.Status().Lost
			h.record(0, footage.Main, 10*time.Second, 10)
			if s := h.store.Status(); s.Health != footage.HealthOK || s.Lost != lost {
				t.Errorf("%s: once it answers %+v", where, s)
			}
			if groups, _ := h.read(0, footage.Main, always); len(groups) != 62-int(lost) {
				t.Errorf("%s: %d groups in the end, %d lost", where, len(groups), lost)
			}
			want := []string{"pictures", "slow", "pictures"}
			var have []string
			for _, line := range h.timeline(0, footage.Main, "2026-11-26")[1:] {
				have = append(have, line[9:])
			}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("%s: timeline (-want +have):\n%s", where, diff)
			}
			h.close()
		})
	}
}

// TestReadOnlyDisk: what is on a disk that can only be read is opened and given.
func TestReadOnlyDisk(t *testing.T) {
	for _, crash := range []bool{false, true} {
		h, files := recorded(t, crash)
		disk := durabletest.New()
		for name, content := range files {
			put(t, disk, name, content)
		}
		put(t, disk, "2026-11-26/"+h.cameras[0].String()+"/.tmp-x", []byte("left by a crash"))
		disk.Before(func(op, name string) error { return &os.PathError{Op: op, Path: name, Err: syscall.EROFS} })
		h.fs, h.config.FS = disk, disk
		h.open()
		if n := h.all(); n != 24 {
			t.Errorf("crashed %t: %d groups", crash, n)
		}
		h.record(0, footage.Main, minute, 10)
		if s := h.store.Status(); s.Health != footage.HealthReadOnly || s.Lost != 1 {
			t.Errorf("crashed %t: status %+v", crash, s)
		}
		if err := h.store.Save(h.cameras[0], footage.Span{From: 1, Until: 2}); footage.HealthOf(err) != footage.HealthReadOnly {
			t.Errorf("crashed %t: save says %v", crash, err)
		}
	}
}

// TestMissingDisk: there is nothing to open, and the error says what it is.
func TestMissingDisk(t *testing.T) {
	h, _ := recorded(t, false)
	h.config.FS = away{h.fs}
	if _, err := footage.Open(context.Background(), h.config); footage.HealthOf(err) != footage.HealthAway {
		t.Errorf("opened: %v", err)
	}
}

// away is a disk that is not there.
type away struct{ durable.FS }

func (away) OpenFile(string, int) (durable.File, error) { return nil, footage.ErrAway }
func (away) Stat(string) (os.FileInfo, error)           { return nil, footage.ErrAway }

// small is a disk with so many bytes, of which every file takes whole blocks. A write
// that does not fit is done in part, as disks do it.
type small struct {
	*durabletest.Forgetful
	capacity int64
}

const block = 4096

func (s *small) free() int64 {
	left := s.capacity
	for _, b := range s.Contents() {
		left -= (int64(len(b)) + block - 1) / block * block
	}
	return left
}

func (s *small) OpenFile(name string, flag int) (durable.File, error) {
	f, err := s.Forgetful.OpenFile(name, flag)
	if err == nil {
		f = smallFile{f, s}
	}
	return f, err
}

type smallFile struct {
	durable.File
	disk *small
}

func (f smallFile) Write(p []byte) (int, error) {
	if room := max(0, f.disk.free()); int64(len(p)) > room {
		n, err := f.File.Write(p[:room])
		if err == nil {
			err = syscall.ENOSPC
		}
		return n, err
	}
	return f.File.Write(p)
}

// TestSmallDisk records two cameras for half a day on a disk of 1 MiB, once with a reserve
// and once without, which it fills to the last byte again and again. It goes on recording
// whatever happens, the newest is there, the oldest is gone and said to be, and index and
// disk agree.
func TestSmallDisk(t *testing.T) {
	for name, reserve := range map[string]int64{"with a reserve": 128 << 10, "without": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := &small{durabletest.New(), 1 << 20}
				h := newHome(t, disk, func(c *footage.Config) {
					c.Keep.Free = reserve
					c.Free = func() (int64, error) { return disk.free(), nil }
				})
				for range 12 * 12 {
					h.append(0, footage.Main, 5*minute/10, 9000)
					h.append(1, footage.Main, 5*minute/10, 9000)
					h.record(0, footage.Still, 5*minute/10, 500)
					h.clock.pass(5 * minute * 7 / 10)
					if err := h.writer(1, footage.Main).Wait(context.Background()); err != nil {
						t.Fatal(err)
					}
					time.Sleep(6 * time.Second) // more than a disk that was full is left alone for
				}
				s := h.store.Status()
				if s.Lost > 0 || s.Evicted == 0 || s.Health != footage.HealthOK {
					t.Errorf("status %+v", s)
				}
				if free := disk.free(); free < reserve-32<<10 {
					t.Errorf("%d KiB are free", free>>10)
				}
				h.close()
				have := h.timeline(0, footage.Main, "2026-11-26")
				if !slices.ContainsFunc(have, func(s string) bool { return strings.HasSuffix(s, "evicted") }) {
					t.Errorf("the first day says %q", have[:min(5, len(have))])
				}
				before := h.all()
				disk.Crash()
				h.open()
				if n := h.all(); n != before || n < 60 {
					t.Errorf("%d groups after a power cut, %d before", n, before)
				}
				if r, err := h.store.Check(context.Background(), nil); err != nil || len(r.Findings) > 0 {
					t.Errorf("check %+v, %v", r, err)
				}
			})
		})
	}
}

// TestEverythingIsSaved: if nothing may be removed nothing new is kept, which is said;
// and it goes on when something is let go of.
func TestEverythingIsSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, durabletest.New(), func(c *footage.Config) { c.Keep.Bytes = 20_000 })
		first := footage.Span{From: h.clock.Now().Wall, Until: h.clock.Now().Wall + 1}
		for range 2 {
			h.record(0, footage.Main, minute, 8000)
			h.codings["0 main"] = &footage.Coding{Init: []byte{byte(h.n)}}
		}
		rest := footage.Span{From: first.From + 60_000_000, Until: h.clock.Now().Wall + 1000}
		for _, span := range []footage.Span{first, rest} {
			if err := h.store.Save(h.cameras[0], span); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			h.record(0, footage.Main, minute, 8000)
		}
		if s := h.store.Status(); s.Health != footage.HealthFull || !strings.Contains(s.Health.Says(), "saved") || s.Lost == 0 {
			t.Errorf("status %+v", s)
		}
		if err := h.store.Sweep(context.Background()); !errors.Is(err, footage.ErrFull) {
			t.Errorf("sweep says %v", err)
		}
		if err := h.store.Unsave(h.cameras[0], first); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Second)
		h.record(0, footage.Main, minute, 8000)
		if s := h.store.Status(); s.Health != footage.HealthOK || s.Evicted != 1 {
			t.Errorf("status afterwards %+v", s)
		}
		h.close()
	})
}

// TestBoundBelowASegment: what is being written is all that there is, and larger than the
// bound. It ends, and goes, and the recording goes on.
func TestBoundBelowASegment(t *testing.T) {
	for name, bound := range map[string]func(c *footage.Config, free func() (int64, error)){
		"bytes":   func(c *footage.Config, _ func() (int64, error)) { c.Keep.Bytes = 100_000 },
		"reserve": func(c *footage.Config, free func() (int64, error)) { c.Keep.Free, c.Free = 150_000, free },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := &small{durabletest.New(), 300_000}
				h := newHome(t, disk, func(c *footage.Config) { bound(c, func() (int64, error) { return disk.free(), nil }) })
				for range 100 {
					h.record(0, footage.Main, time.Second, 9000)
				}
				if s := h.store.Status(); s.Health != footage.HealthOK || s.Lost != 0 || s.Evicted < 5 || s.Bytes > 200_000 {
					t.Errorf("status %+v", s)
				}
				h.close()
			})
		})
	}
}

// TestDayRemoved: somebody removes a day's directory under a store, which makes it anew.
func TestDayRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := durabletest.New()
		h := newHome(t, disk, nil)
		h.record(0, footage.Main, minute, 100)
		dir := "2026-11-26/" + h.cameras[0].String()
		files, err := durable.List(disk, dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := disk.Remove(dir + "/" + f.Name()); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(disk.Remove(dir), disk.Remove("2026-11-26")); err != nil {
			t.Fatal(err)
		}
		h.codings["0 main"] = &footage.Coding{Type: "another", Init: []byte{1}} // a segment begins
		for range 2 {
			h.record(0, footage.Main, minute, 100)
		}
		if s := h.store.Status(); s.Health != footage.HealthOK || s.Lost != 0 {
			t.Errorf("status %+v", s)
		}
		h.close()
		h.open()
		want := []string{"00:00:00 not-running", "12:00:00 damaged", "12:01:00 pictures"}
		if diff := cmp.Diff(want, h.timeline(0, footage.Main, "2026-11-26")); diff != "" {
			t.Errorf("timeline (-want +have):\n%s", diff)
		}
	})
}

// TestSlivers: what was lost and what came next are a microsecond apart, of which nobody says
// that the agent did not run.
func TestSlivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := durabletest.New()
		h := newHome(t, disk, nil)
		for n := range 6 {
			disk.Before(nil)
			if n%2 == 1 {
				disk.Before(func(_, _ string) error { return syscall.EROFS })
			}
			for range 2 {
				h.record(0, footage.Main, minute, 100)
			}
			h.clock.pass(time.Microsecond)
			time.Sleep(6 * time.Second)
		}
		want := []string{
			"00:00:00 not-running", "12:00:00 pictures", "12:02:00 read-only", "12:04:00 pictures", "12:06:00 read-only", "12:08:00 pictures", "12:10:00 read-only",
		}
		if diff := cmp.Diff(want, h.timeline(0, footage.Main, "2026-11-26")); diff != "" {
			t.Errorf("timeline (-want +have):\n%s", diff)
		}
		disk.Before(nil)
		h.close()
	})
}
