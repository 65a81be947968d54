package archive_test

import (
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
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

// TestControls runs the suite's test of crossed rows against an archive without its
// comparison, and its checked history against one that compares no heads, and wants them to
// fail.
func TestControls(t *testing.T) {
	program := &sabotage.Program{Root: ".."}
	crossed := program.Without(t, sabotage.Cut{File: "archive/row.go", Old: "!k.fits(h)", New: "false"})
	heads := program.Without(t,
		sabotage.Cut{File: "archive/homes.go", Old: "is.Home != g.Home || is.Head != onto", New: "is.Home != g.Home"},
		sabotage.Cut{File: "archive/homes.go", Old: "INSERT INTO deeds", New: "INSERT OR REPLACE INTO deeds"})
	t.Parallel()
	out, err := crossed.Tests(t.Context(), "TestSQLite/never_hands_out_a_crossed_row")
	if err == nil || !strings.Contains(string(out), "a crossed row (-want +got)") {
		t.Errorf("without the comparison of rows: %v\n%s", err, out)
	}
	out, err = heads.Tests(t.Context(), "TestSQLite/appends_are_linearizable")
	if err == nil || !strings.Contains(string(out), "are not linearizable: Illegal") {
		t.Errorf("without the comparison of heads: %v\n%s", err, out)
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

// TestOutboxIsSwept: rows of more than a day ago go, the highest stays.
func TestOutboxIsSwept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "latchkey.db")
	a := openSQLite(t, file)
	g := archive.Growth{Home: latchkey.HomeID{1}, Epoch: 1, Deeds: [][]byte{[]byte("found")}}
	if err := errors.Join(a.Setups.MintSetup(t.Context(), archive.Secret{1}, 1), a.Homes.Found(t.Context(), archive.Secret{1}, 0, g)); err != nil {
		t.Fatal(err)
	}
	for n := range uint64(3) {
		onto := g.Head
		g.Head.Seq++
		g.Deeds = [][]byte{{byte(n)}}
		if err := a.Homes.Append(t.Context(), onto, g); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite3", "file:"+url.PathEscape(file))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, tt := range []struct {
		aged string // which rows are made older
		want uint64 // the first number that stays
	}{{"number = 1", 2}, {"true", 3}} {
		if _, err := db.Exec(`UPDATE outbox SET posted = posted - 86401 WHERE ` + tt.aged); err != nil {
			t.Fatal(err)
		}
		if err := a.Receipts.Sweep(t.Context(), 0, 0); err != nil {
			t.Fatal(err)
		}
		moves, err := a.Outbox.Moves(t.Context(), 0, 10)
		if err != nil || uint64(len(moves)) != 4-tt.want || moves[0].Number != tt.want {
			t.Errorf("with %q older than a day there are %v, %v", tt.aged, moves, err)
		}
	}
}

// TestHoldsAreHistory: not even a repair by hand changes or removes what was held.
func TestHoldsAreHistory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "latchkey.db")
	a := openSQLite(t, file)
	n, err := a.Holds.PutHold(t.Context(), archive.Hold{Scope: api.HoldEverything, Who: "anna"})
	if err := errors.Join(err, a.Holds.Release(t.Context(), n, archive.Release{Who: "anna"})); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", "file:"+url.PathEscape(file))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, change := range []string{`UPDATE holds SET who = 'bob'`, `DELETE FROM holds`, `UPDATE releases SET who = 'bob'`, `DELETE FROM releases`} {
		if _, err := db.Exec(change); err == nil || !strings.Contains(err.Error(), "history") {
			t.Errorf("%s: %v", change, err)
		}
	}
}
