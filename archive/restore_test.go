package archive_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/archive/archivetest"
)

// TestBackUpWhileWritten: every backup is the archive as it was at one moment.
func TestBackUpWhileWritten(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "a b?c#%.db")
	a := openSQLite(t, file)
	home, secret := latchkey.HomeID{1}, archive.Secret{1}
	head := latchkey.Head{Hash: [32]byte{1}}
	if err := a.Setups.MintSetup(t.Context(), secret, archivetest.Now+1); err != nil {
		t.Fatal(err)
	}
	if err := a.Homes.Found(t.Context(), secret, archivetest.Now, archive.Growth{Home: home, Epoch: 1, Head: head, Deeds: [][]byte{[]byte("found")}}); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
				if err := a.Objects.Index(t.Context(), archivetest.Entry(home, head, 1)); err != nil {
					stopped <- err
					return
				}
			}
		}
	}()
	last := 0
	for i := range 5 {
		to := filepath.Join(folder, string(rune('0'+i))+" it's.db")
		if err := archive.BackUpSQLite(t.Context(), file, to); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("a backup that others may read: %v, %v", info.Mode(), err)
		}
		last = holds(t, to, home, last)
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if last == 0 {
		t.Error("nothing was written meanwhile")
	}
}

// holds checks that a backup is whole and no older than the one before, and returns how
// many objects are in it.
func holds(t *testing.T, file string, home latchkey.HomeID, least int) int {
	t.Helper()
	s, err := archive.OpenSQLite(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sums, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	usage, err := s.Archive().Objects.Usage(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[latchkey.Name]bool{}
	err = s.Every(t.Context(), func(r archive.Row) error {
		if r.Problem != "" || len(r.Header) == 0 {
			t.Errorf("object %s: %s", r.Name, r.Problem)
		}
		seen[r.Name] = true
		return nil
	})
	if err != nil || len(seen) != sums.Objects || usage.Objects != uint64(sums.Objects) || usage.Bytes != sums.Bytes || sums.Homes != 1 || sums.Deeds != 1 {
		t.Errorf("%v; %d objects are listed, the sums are %+v, the home says %+v", err, len(seen), sums, usage)
	}
	if sums.Objects < least {
		t.Errorf("%d objects after %d", sums.Objects, least)
	}
	return sums.Objects
}

func TestBackUpMakesNoArchive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "archive.db")
	if err := archive.BackUpSQLite(t.Context(), file, file+".backup"); err == nil {
		t.Error("an archive that is not there was backed up")
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the attempt made one: %v", err)
	}
	openSQLite(t, file)
	if err := os.WriteFile(file+".backup", []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := archive.BackUpSQLite(t.Context(), file, file+".backup"); err == nil {
		t.Error("a file that was there was written over")
	}
}

// TestCheckFindsDamage damages a page that nobody reads at a start.
func TestCheckFindsDamage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "archive.db")
	openSQLite(t, file)
	backup := file + ".backup"
	if err := archive.BackUpSQLite(t.Context(), file, backup); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	last := b[len(b)-4096:]
	for i := range 8 { // the page's header
		last[i] ^= 0xff
	}
	if err := os.WriteFile(backup, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := archive.OpenSQLite(t.Context(), backup)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if sums, err := s.Check(t.Context()); err == nil {
		t.Errorf("a damaged archive holds %+v", sums)
	}
}
