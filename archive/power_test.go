package archive_test

import (
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/archive/archivetest"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
)

// work founds a home, indexes objects and writes receipts until something fails; it
// returns the objects that were acknowledged. After the first it does what is to be done
// between.
func work(t *testing.T, a archive.Archive, n int, between func()) (done []archive.Entry, err error) {
	setup := archive.Secret{1}
	if err := a.Setups.MintSetup(t.Context(), setup, archivetest.Now+1); err != nil {
		return nil, err
	}
	deeds := [][]byte{[]byte("found"), []byte("epoch")}
	g := archive.Growth{Home: latchkey.HomeID{1}, Epoch: 1, Deeds: deeds, Head: latchkey.Head{Seq: 1, Hash: sha256.Sum256(deeds[1])}}
	if err := a.Homes.Found(t.Context(), setup, archivetest.Now, g); err != nil {
		return nil, err
	}
	for range n {
		e := archivetest.Entry(g.Home, g.Head, g.Epoch)
		if err := a.Objects.Index(t.Context(), e); err != nil {
			return done, err
		}
		if done = append(done, e); len(done) == 1 {
			between()
		}
	}
	return done, a.Receipts.PutReceipts(t.Context(), delivered(done))
}

// delivered are the receipts of a delivery of each entry.
func delivered(entries []archive.Entry) (all []archive.Receipt) {
	for _, e := range entries {
		name := e.Header.Name()
		all = append(all, archive.Receipt{Home: name.Home, Request: name.Object.String(), Asked: name.String(), Sent: name.String(), Outcome: archive.Delivered})
	}
	return all
}

// unwritten counts the receipts that are not there.
func unwritten(t *testing.T, a archive.Archive, all []archive.Receipt) (n int) {
	t.Helper()
	for _, r := range all {
		got, err := a.Receipts.Receipts(t.Context(), r.Home, r.Session, r.Request)
		if err != nil {
			t.Fatalf("after the power cut: %v", err)
		}
		if len(got) != 1 || got[0] != r {
			n++
		}
	}
	return n
}

// lost counts the acknowledged entries that are not there any more.
func lost(t *testing.T, a archive.Archive, done []archive.Entry) (n int) {
	t.Helper()
	for _, e := range done {
		if row, err := a.Objects.Object(t.Context(), e.Header.Name()); errors.Is(err, archive.ErrNotFound) {
			n++
		} else if err != nil || row.Problem != "" {
			t.Fatalf("after the power cut: %s %v", row.Problem, err)
		}
	}
	return n
}

// objects is how many are indexed before their receipts are written.
const objects = 5

// cut works, cuts the power at a step and says how much of what was acknowledged is
// lost. Step 0 cuts it when the work is done.
func cut(t *testing.T, step int, seed uint64, synchronous string) (acknowledged, gone int, finished bool) {
	t.Helper()
	fsys := durabletest.New()
	s, err := archive.OpenSQLiteSyncing(t.Context(), fsys, "latchkey.db", synchronous)
	if err != nil {
		t.Fatal(err)
	}
	s.Shorten(t.Context()) // of what made the tables
	n := 0
	fsys.Before(func(op, _ string) error {
		if n++; step > 0 && n >= step {
			return errors.New("stopped")
		}
		return nil
	})
	between := func() {}
	if synchronous == "" { // what was brought into the file is synced, however little is
		between = func() { s.Shorten(t.Context()) }
	}
	done, err := work(t, s.Archive(), objects, between)
	rng := rand.New(rand.NewPCG(seed, uint64(step)))
	fsys.CrashKeeping(func() bool { return seed > 0 && rng.IntN(2) == 0 })
	_ = s.Close() // its files are gone
	s, openErr := archive.OpenSQLiteOn(t.Context(), fsys, "latchkey.db")
	if openErr != nil {
		t.Fatalf("step %d, seed %d: open after the power cut: %v", step, seed, openErr)
	}
	defer s.Close()
	gone = lost(t, s.Archive(), done)
	switch n := unwritten(t, s.Archive(), delivered(done)); {
	case err == nil: // the receipts were acknowledged, too
		gone += n
	case n > 0 && n < len(done) && len(done) == objects:
		t.Errorf("step %d, seed %d: %d of %d receipts of one transaction are lost", step, seed, n, len(done))
	}
	return len(done), gone, err == nil
}

func TestPowerCut(t *testing.T) {
	total := 0
	for step := 1; ; step++ {
		finished := false
		for seed := range uint64(3) {
			acknowledged, gone, all := cut(t, step, seed, "")
			if gone > 0 {
				t.Fatalf("step %d, seed %d: %d of %d acknowledged objects are lost", step, seed, gone, acknowledged)
			}
			total += acknowledged
			finished = all
		}
		if finished {
			break
		}
	}
	if total == 0 {
		t.Fatal("nothing was ever acknowledged")
	}
}

// TestPowerCutControl: an archive that syncs less, as SQLite does by default in this
// journal mode, loses what it has acknowledged.
func TestPowerCutControl(t *testing.T) {
	acknowledged, gone, _ := cut(t, 0, 0, "normal")
	if acknowledged != objects || gone == 0 {
		t.Errorf("with synchronous=normal %d objects were acknowledged and %d lost: this test cannot see a loss", acknowledged, gone)
	}
}

// TestFullDisk: what has no room is refused as that, nothing of it is kept, and what was
// kept stays.
func TestFullDisk(t *testing.T) {
	fsys := durabletest.New()
	s, err := archive.OpenSQLiteOn(t.Context(), fsys, "latchkey.db")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	done, err := work(t, s.Archive(), 2, func() {})
	if err != nil {
		t.Fatal(err)
	}
	fsys.Before(func(op, _ string) error {
		if op == "write" {
			return syscall.ENOSPC
		}
		return nil
	})
	b := done[0].Header.Binding
	refused := archivetest.Entry(b.Home, done[0].Head, 1)
	if err := s.Archive().Objects.Index(t.Context(), refused); !errors.Is(err, archive.ErrFull) {
		t.Errorf("with a full disk: %v", err)
	}
	fsys.Before(nil)
	if _, err := s.Archive().Objects.Object(t.Context(), refused.Header.Name()); !errors.Is(err, archive.ErrNotFound) {
		t.Errorf("what was refused: %v", err)
	}
	if err := s.Archive().Objects.Index(t.Context(), refused); err != nil || lost(t, s.Archive(), done) > 0 {
		t.Errorf("after room was made: %v", err)
	}
}
