package archive_test

import (
	"database/sql"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/archive/archivetest"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

func openSQLite(t *testing.T, file string) archive.Archive {
	t.Helper()
	s, err := archive.OpenSQLite(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.Archive()
}

func TestSQLite(t *testing.T) {
	archivetest.Run(t, func(t *testing.T) archivetest.Subject {
		file := filepath.Join(t.TempDir(), "a b?c#%.db")
		return archivetest.Subject{Archive: openSQLite(t, file), Cross: crossIn(file)}
	})
}

// crossIn exchanges headers by another connection, as a repair by hand would.
func crossIn(file string) func(t *testing.T, a, b latchkey.Name) {
	return func(t *testing.T, a, b latchkey.Name) {
		t.Helper()
		db, err := sql.Open("sqlite3", "file:"+url.PathEscape(file))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var headers [2][]byte
		for i, n := range []latchkey.Name{a, b} {
			if err := db.QueryRow(`SELECT header FROM objects WHERE home = ? AND object = ?`, n.Home[:], n.Object[:]).Scan(&headers[i]); err != nil {
				t.Fatal(err)
			}
		}
		for i, n := range []latchkey.Name{b, a} {
			if _, err := db.Exec(`UPDATE objects SET header = ? WHERE home = ? AND object = ?`, headers[i], n.Home[:], n.Object[:]); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestCrossedRowsControl runs the suite's test of crossed rows against an archive
// without its comparison, and wants it to fail.
func TestCrossedRowsControl(t *testing.T) {
	overlay, err := sabotage.Overlay("..", t.TempDir(), sabotage.Cut{File: "archive/row.go", Old: "!k.fits(h)", New: "false"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "test", "-overlay", overlay, "-run", "TestSQLite/never_hands_out_a_crossed_row", ".").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "a crossed row (-want +got)") {
		t.Errorf("without the comparison: %v\n%s", err, out)
	}
}

func TestNewerArchiveIsLeftAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "latchkey.db")
	openSQLite(t, file)
	db, err := sql.Open("sqlite3", "file:"+url.PathEscape(file))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`); err != nil {
		t.Fatal(err)
	}
	if s, err := archive.OpenSQLite(t.Context(), file); err == nil || !strings.Contains(err.Error(), "newer latchkey") {
		t.Errorf("an archive of version 99 was opened: %v, %v", s, err)
	}
}

// TestTwoProcesses: the command that mints a set-up secret writes beside a server.
func TestTwoProcesses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "latchkey.db")
	a, b := openSQLite(t, file), openSQLite(t, file)
	for i := range 20 {
		secret := archive.Secret{byte(i)}
		if err := a.Setups.MintSetup(t.Context(), secret, archivetest.Now+1); err != nil {
			t.Fatal(err)
		}
		g := archive.Growth{Home: latchkey.HomeID{byte(i)}, Epoch: 1, Deeds: [][]byte{[]byte("found")}}
		if err := b.Homes.Found(t.Context(), secret, archivetest.Now, g); err != nil {
			t.Fatal(err)
		}
		if h, err := a.Homes.Head(t.Context(), g.Home); err != nil || h.Home != g.Home {
			t.Fatalf("head %v, %v", h, err)
		}
	}
}
