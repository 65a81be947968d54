package footage_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
)

// onDisk is a home on the disk of this machine.
func onDisk(t testing.TB) (*home, string) {
	folder := t.TempDir()
	disk, err := durable.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disk.Close() })
	return newHome(t, disk, nil), folder
}

// TestRealDisk: the store on the file system of this machine, which no other user may
// read.
func TestRealDisk(t *testing.T) {
	h, folder := onDisk(t)
	for range 3 {
		h.record(0, footage.Main, 5*minute/10, 100_000)
		h.record(0, footage.Still, 5*minute/10, 1000)
	}
	h.save(0, footage.Span{From: 1, Until: 2})
	h.open() // as after a kill
	if n := h.all(); n != 6 {
		t.Errorf("%d groups", n)
	}
	if r, err := h.store.Check(context.Background(), nil); err != nil || len(r.Findings) > 0 || r.Groups != 6 {
		t.Errorf("check %+v, %v", r, err)
	}
	err := filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
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
	if err := h.store.Delete(context.Background(), h.cameras[0], always); err != nil || h.all() != 0 {
		t.Errorf("deleted: %v", err)
	}
}

// house is eight cameras of 2 and 0.25 Mbit/s with a group every two seconds.
const (
	houseCameras = 8
	mainGroup    = 2 * 2_000_000 / 8
	subGroup     = 2 * 250_000 / 8
)

// BenchmarkRecord is one group of each of the sixteen tracks of a house with eight
// cameras, sealed, written and synced. What it must keep up with is two seconds of them;
// the share of that time is reported.
func BenchmarkRecord(b *testing.B) {
	h, _ := onDisk(b)
	var writers []*footage.Writer
	for camera := range houseCameras {
		for _, track := range []footage.Track{footage.Main, footage.Sub} {
			w, err := h.store.Writer(latchkey.CameraID{byte(camera)}, track)
			if err != nil {
				b.Fatal(err)
			}
			writers = append(writers, w)
		}
	}
	content := make([]byte, mainGroup)
	rand.Read(content)
	coding := &footage.Coding{Type: "video/mp4", Init: content[:800]}
	b.SetBytes(houseCameras * (mainGroup + subGroup))
	for b.Loop() {
		for i, w := range writers {
			size := mainGroup
			if i%2 == 1 {
				size = subGroup
			}
			if err := w.Append(footage.Group{Start: h.clock.Now(), Duration: 2 * time.Second, Key: true, Coding: coding, Content: content[:size]}); err != nil {
				b.Fatal(err)
			}
		}
		for _, w := range writers {
			if err := w.Wait(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
		h.clock.pass(2 * time.Second)
	}
	b.ReportMetric(100*b.Elapsed().Seconds()/(2*float64(b.N)), "%-of-real-time")
	h.close()
	if s := h.store.Status(); s.Lost > 0 {
		b.Fatalf("status %+v", s)
	}
}

// day has a store with a day of eight cameras: their filmstrips with a still every ten
// seconds, and for the timeline a main track in groups of a minute.
func day(b *testing.B) *home {
	h, _ := onDisk(b)
	synced := h.config.FS
	h.config.FS = hasty{synced}
	h.open()
	coding := &footage.Coding{Type: "video/mp4"}
	content := make([]byte, 4000)
	rand.Read(content)
	for camera := range houseCameras {
		id := latchkey.CameraID{byte(camera + 1)}
		h.clock.now = clock.Moment{Wall: latchkey.TimeOf(noon.Add(-12 * time.Hour)), Monotonic: 1, Quality: sealed.TimeSynchronised}
		stills, err := h.store.Writer(id, footage.Still)
		if err != nil {
			b.Fatal(err)
		}
		main, err := h.store.Writer(id, footage.Main)
		if err != nil {
			b.Fatal(err)
		}
		for n := range 24 * 360 {
			g := footage.Group{Start: h.clock.Now(), Duration: 10 * time.Second, Key: true, Motion: uint8(n), Content: content}
			if err := stills.Append(g); err != nil {
				b.Fatal(err)
			}
			if n%6 == 0 {
				g.Duration, g.Coding, g.Content = time.Minute, coding, content[:10]
				if err := main.Append(g); err != nil {
					b.Fatal(err)
				}
			}
			h.clock.pass(10 * time.Second)
			if n%200 == 0 {
				if err := stills.Wait(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
		}
		if err := stills.Close(); err != nil {
			b.Fatal(err)
		}
		if err := main.Close(); err != nil {
			b.Fatal(err)
		}
	}
	h.config.FS = synced
	h.open()
	return h
}

// hasty is a disk that syncs nothing, so that a day is written in less than one.
type hasty struct{ durable.FS }

func (d hasty) OpenFile(name string, flag int) (durable.File, error) {
	f, err := d.FS.OpenFile(name, flag)
	if err == nil {
		f = hastyFile{f}
	}
	return f, err
}

type hastyFile struct{ durable.File }

func (hastyFile) Sync() error { return nil }

// BenchmarkTimeline is what a page needs to show a day of eight cameras and to follow a
// finger over it: all timelines, and 96 stills, once of one camera and once spread over all
// eight. It must take less than 100 ms.
func BenchmarkTimeline(b *testing.B) {
	h := day(b)
	span := footage.Span{From: latchkey.TimeOf(noon.Add(-12 * time.Hour)), Until: latchkey.TimeOf(noon.Add(12 * time.Hour))}
	for _, cameras := range []int{1, houseCameras} {
		b.Run(fmt.Sprintf("96-stills-of-%d", cameras), func(b *testing.B) {
			for b.Loop() {
				for camera := range houseCameras {
					for _, track := range everywhere {
						if _, err := h.store.Timeline(latchkey.CameraID{byte(camera + 1)}, track, "2026-11-26"); err != nil {
							b.Fatal(err)
						}
					}
				}
				for camera := range cameras {
					stills, err := h.store.Stills(context.Background(), latchkey.CameraID{byte(camera + 1)}, span, 96/cameras)
					if err != nil || len(stills) != 96/cameras {
						b.Fatalf("%d stills, %v", len(stills), err)
					}
				}
			}
		})
	}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			h.open()
		}
	})
}
