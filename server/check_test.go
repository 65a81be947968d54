package server_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

// checked is what a check of a data folder finds, in the order in which it does.
func checked(t *testing.T, data, from string) (archive.Sums, []server.Finding) {
	t.Helper()
	var all []server.Finding
	sums, err := server.Check(t.Context(), server.CheckConfig{Data: data, From: from, Found: func(f server.Finding) { all = append(all, f) }})
	if err != nil {
		t.Fatal(err)
	}
	return sums, all
}

func wantFound(t *testing.T, what string, got []server.Finding, want ...server.Finding) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestCheck: whatever is done to what a server keeps, a check says what it is; what a backup
// has is put back.
func TestCheck(t *testing.T) {
	_, data, backup, objects := small(t)
	one, two := objects[0], objects[1]
	file := func(name latchkey.Name) string { return filepath.Join(data, "blobs", "objects", name.String()) }
	found := func(what string, name latchkey.Name, repaired bool) server.Finding {
		return server.Finding{What: what, Name: name.String(), Repaired: repaired}
	}
	sums, all := checked(t, data, "")
	wantFound(t, "a whole one", all)
	if sums.Homes != 1 || sums.Objects != 2 || sums.Deeds != 4 {
		t.Errorf("looked at %+v", sums)
	}

	whole := must(os.ReadFile(file(two)))
	must(0, os.Remove(file(one)))
	must(0, os.WriteFile(file(two), append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^1), 0o600))
	_, all = checked(t, data, "")
	wantFound(t, "one is gone, one has another last byte", all, found(server.Missing, one, false), found(server.Damaged, two, false))
	must(0, os.WriteFile(file(two), whole[:len(whole)-1], 0o600))
	kept := filepath.Join(backup, "blobs", "objects", two.String())
	must(0, os.WriteFile(kept, whole[:len(whole)-1], 0o600))
	_, all = checked(t, data, backup)
	wantFound(t, "one is short in the backup, too", all, found(server.Missing, one, true), found(server.Damaged, two, false))
	must(0, os.WriteFile(kept, whole, 0o600))
	must(0, os.Remove(file(one)))
	_, all = checked(t, data, "")
	wantFound(t, "one is gone, one is short", all, found(server.Missing, one, false), found(server.Damaged, two, false))
	_, all = checked(t, data, backup)
	wantFound(t, "put back", all, found(server.Missing, one, true), found(server.Damaged, two, true))
	_, all = checked(t, data, "")
	wantFound(t, "after that", all)

	must(0, os.Rename(file(one), file(one)+"x"))
	must(0, os.Rename(file(two), file(one)))
	must(0, os.Rename(file(one)+"x", file(two)))
	_, all = checked(t, data, backup)
	wantFound(t, "exchanged, which no backup mends", all, found(server.Crossed, one, false), found(server.Crossed, two, false))
	must(0, os.Rename(file(one), file(one)+"x"))
	must(0, os.Rename(file(two), file(one)))
	must(0, os.Rename(file(one)+"x", file(two)))

	other := one
	other.Object = latchkey.NewObjectID()
	must(0, os.WriteFile(file(other), whole, 0o600))
	must(0, os.WriteFile(filepath.Join(data, "blobs", "objects", "README"), []byte("by hand"), 0o600))
	_, all = checked(t, data, "")
	wantFound(t, "what came just now may be about to be indexed", all, server.Finding{What: server.Stranger, Name: "objects/README"})
	long := time.Now().Add(-2 * time.Hour)
	must(0, os.Chtimes(file(other), long, long))
	must(0, os.Remove(filepath.Join(data, "blobs", "objects", "README")))
	_, all = checked(t, data, "")
	wantFound(t, "in no index", all, found(server.Unindexed, other, false))
	must(0, os.Remove(file(other)))
}

// TestCheckReadsDeeds: an object that no agent of its home has signed is found, although
// index and store agree; and so is a home whose deeds are broken.
func TestCheckReadsDeeds(t *testing.T) {
	_, data, _, objects := small(t)
	db := must(sql.Open("sqlite3", "file:"+url.PathEscape(filepath.Join(data, "archive.db"))))
	defer db.Close()
	one := objects[0]
	file := filepath.Join(data, "blobs", "objects", one.String())
	f := must(os.Open(file))
	h := must(sealed.ReadFile(f)).Header
	must(0, f.Close())
	was := h.Bytes()
	forged := bytes.Clone(was)
	forged[len(forged)-1] ^= 1 // of the signature
	must(0, os.WriteFile(file, bytes.Replace(must(os.ReadFile(file)), was, forged, 1), 0o600))
	if n := must(must(db.Exec(`UPDATE objects SET header = ? WHERE header = ?`, forged, was)).RowsAffected()); n != 1 {
		t.Fatalf("%d rows changed", n)
	}
	_, all := checked(t, data, "")
	wantFound(t, "a forged signature", all, server.Finding{What: server.Unsigned, Name: one.String()})

	must(db.Exec(`DELETE FROM deeds WHERE seq = 1`))
	_, all = checked(t, data, "")
	wantFound(t, "a deed is missing", all, server.Finding{What: server.Unfolded, Name: one.Home.String()})
}

// TestCheckOfCrossedRows: two rows have each other's header, and store and headers are right.
func TestCheckOfCrossedRows(t *testing.T) {
	_, data, _, objects := small(t)
	db := must(sql.Open("sqlite3", "file:"+url.PathEscape(filepath.Join(data, "archive.db"))))
	defer db.Close()
	header := func(name latchkey.Name) (h []byte) {
		must(0, db.QueryRow(`SELECT header FROM objects WHERE object = ?`, name.Object[:]).Scan(&h))
		return h
	}
	one, two := header(objects[0]), header(objects[1])
	must(db.Exec(`UPDATE objects SET header = ? WHERE object = ?`, two, objects[0].Object[:]))
	must(db.Exec(`UPDATE objects SET header = ? WHERE object = ?`, one, objects[1].Object[:]))
	_, all := checked(t, data, "")
	wantFound(t, "crossed rows", all,
		server.Finding{What: server.Crossed, Name: objects[0].String()}, server.Finding{What: server.Crossed, Name: objects[1].String()})
}

// TestCheckCutOff: a check that is broken off says so, and blames nothing.
func TestCheckCutOff(t *testing.T) {
	_, data, _, _ := small(t)
	ctx, progress, reached := cutOff(t, 2)
	_, err := server.Check(ctx, server.CheckConfig{Data: data, Progress: progress, Found: func(f server.Finding) { t.Error(f) }})
	if !errors.Is(err, context.Canceled) || !reached() {
		t.Error(err)
	}
}

func TestCheckOfNothing(t *testing.T) {
	_, err := server.Check(t.Context(), server.CheckConfig{Data: t.TempDir(), Found: func(f server.Finding) { t.Error(f) }})
	if err == nil || !strings.Contains(err.Error(), "there is no server in") {
		t.Error(err)
	}
}

// TestUnindexedIsDropped: what is stored and in no index is removed when it is a week old,
// and nothing else is.
func TestUnindexedIsDropped(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	kept, lost, young := m.stored(latchkey.Thumbnail, "kept"), m.stored(latchkey.Thumbnail, "lost"), m.stored(latchkey.Thumbnail, "new")
	file := func(name latchkey.Name) string { return filepath.Join(h.blobs, "objects", name.String()) }
	week := h.time().Add(-8 * 24 * time.Hour)
	for _, name := range []latchkey.Name{kept.Name(), lost.Name()} {
		must(0, os.Chtimes(file(name), week, week))
	}
	stranger := filepath.Join(h.blobs, "objects", "README")
	must(0, os.WriteFile(stranger, []byte("by hand"), 0o600))
	must(0, os.Chtimes(stranger, week, week))
	must(0, h.archive.Forget(t.Context(), []latchkey.Name{lost.Name(), young.Name()}))
	must(0, server.Expire(t.Context(), h.Server))
	for what, want := range map[string]struct {
		name  latchkey.Name
		there bool
	}{"indexed": {kept.Name(), true}, "in no index": {lost.Name(), false}, "about to be indexed": {young.Name(), true}} {
		if _, err := os.Stat(file(want.name)); (err == nil) != want.there {
			t.Errorf("%s: %v, want there: %v", what, err, want.there)
		}
	}
	if lines := h.logs.lines(t, "dropped what is in no index"); len(lines) != 1 || lines[0]["objects"] != 1.0 {
		t.Errorf("the log says %v", lines)
	}
	if content, err := m.see(kept.Name()); err != nil || content != "kept" {
		t.Errorf("what is indexed shows %q, %v", content, err)
	}
}

// listing is a store that counts how often all of it is listed.
type listing struct {
	*blob.Disk
	n    int
	fail error
}

// Every is [blob.Lister]'s.
func (l *listing) Every(ctx context.Context, do func(blob.Held) error) error {
	l.n++
	return errors.Join(l.fail, l.Disk.Every(ctx, do))
}

// TestUnindexedIsLookedForOnceADay, and again when it has failed; a store that cannot say what
// it holds is let be.
func TestUnindexedIsLookedForOnceADay(t *testing.T) {
	store := &listing{}
	h := openHouse(t, func(c *server.Config) { store.Disk, c.Blobs = c.Blobs.(*blob.Disk), store })
	for i, step := range []struct {
		after time.Duration
		fail  error
		want  int
	}{{0, nil, 1}, {23 * time.Hour, nil, 1}, {time.Hour, errors.New("the disk is gone"), 2}, {0, nil, 3}, {time.Hour, nil, 3}} {
		h.pass(step.after)
		store.fail = step.fail
		if err := server.Expire(t.Context(), h.Server); !errors.Is(err, step.fail) || store.n != step.want {
			t.Errorf("step %d: listed %d times, want %d; %v", i, store.n, step.want, err)
		}
	}
	if lines := h.logs.lines(t, "dropped what is in no index"); len(lines) > 0 {
		t.Errorf("nothing was dropped, and the log says %v", lines)
	}
	mute := openHouse(t, func(c *server.Config) { c.Blobs = struct{ blob.Store }{c.Blobs} })
	must(0, server.Expire(t.Context(), mute.Server))
}
