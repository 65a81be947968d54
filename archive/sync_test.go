package archive_test

import (
	"crypto/sha256"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/archive/archivetest"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// opened opens an archive on a disk that may fail for a while, as often as it takes.
func opened(t *testing.T, disk *durabletest.Forgetful, before func(op, name string) error) *archive.SQLite {
	t.Helper()
	var err error
	for range 20 {
		disk.Before(before)
		var s *archive.SQLite
		if s, err = archive.OpenSQLiteOn(t.Context(), disk, "latchkey.db"); err == nil {
			return s
		}
	}
	t.Fatal(err)
	return nil
}

// TestSyncFails: the disk fails to sync, several times from each moment on, and what it was
// given then is lost although it can be read until the power is cut. Meanwhile the archive is
// opened anew, once and again. What it has acknowledged is there afterwards.
func TestSyncFails(t *testing.T) {
	image := durabletest.New()
	if err := opened(t, image, nil).Close(); err != nil {
		t.Fatal(err)
	}
	total := 0
	for first := 1; first < 30; first++ {
		for fail := 1; fail < 5; fail++ {
			n, gone := unsynced(t, image.Clone(), first, fail)
			if gone > 0 {
				t.Errorf("%d syncs fail from number %d on: %d of %d acknowledged objects are lost", fail, first, gone, n)
			}
			total += n
		}
	}
	if total < 1000 {
		t.Errorf("only %d objects were acknowledged at all", total)
	}
}

// unsynced indexes objects while so many syncs fail from one on, cuts the power, and says how
// many of those that were acknowledged are lost.
func unsynced(t *testing.T, disk *durabletest.Forgetful, first, fail int) (acknowledged, gone int) {
	t.Helper()
	syncs := 0
	before := func(op, _ string) error {
		if op == "sync" {
			if syncs++; syncs >= first && syncs < first+fail {
				return durabletest.ErrLost
			}
		}
		return nil
	}
	s := opened(t, disk, before)
	setup := archive.Secret{1}
	again := func(do func() error) {
		for range fail {
			if do() == nil {
				return
			}
		}
		_ = do() // of what cannot be done nothing is acknowledged
	}
	again(func() error { return s.Archive().Setups.MintSetup(t.Context(), setup, archivetest.Now+1) })
	deeds := [][]byte{[]byte("found"), []byte("epoch")}
	g := archive.Growth{Home: latchkey.HomeID{1}, Epoch: 1, Deeds: deeds, Head: latchkey.Head{Seq: 1, Hash: sha256.Sum256(deeds[1])}}
	again(func() error { return s.Archive().Homes.Found(t.Context(), setup, archivetest.Now, g) })
	var done []archive.Entry
	for i := range 15 {
		e := archivetest.Entry(g.Home, g.Head, g.Epoch)
		if s.Archive().Objects.Index(t.Context(), e) == nil {
			done = append(done, e)
		}
		if i%5 == 4 && i < 14 {
			_ = s.Close() // which fails when the disk does
			s = opened(t, disk, before)
		}
	}
	disk.Crash()
	_ = s.Close() // its files are gone
	s = opened(t, disk, nil)
	defer s.Close()
	return len(done), lost(t, s.Archive(), done)
}

// TestSyncFailsControl: an archive that does not write its log anew when it is opened loses
// what it has acknowledged.
func TestSyncFailsControl(t *testing.T) {
	program := &sabotage.Program{Root: ".."}
	without := program.Without(t, sabotage.Cut{File: "archive/sqlite.go", Old: "err = anew(ctx, db, folder, path.Base(filepath.ToSlash(file))+\"-wal\")", New: "err = nil"})
	t.Parallel()
	if out, err := without.Tests(t.Context(), "^TestSyncFails$"); err == nil {
		t.Errorf("the test passes without it: %s", out)
	}
}
