package archive_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/archive/archivetest"
	"github.com/latchkey-cam/latchkey/deed"
)

// TestReleasedArchive opens what an earlier release has written: a home with an agent, a
// camera, three objects and somebody who is signed in.
func TestReleasedArchive(t *testing.T) {
	a := openSQLite(t, unpack(t, "testdata/archive-2.db.gz"))
	home, err := latchkey.ParseHomeID("6b7nn5dzylq5nqvbxvattf5cbw6jswzpyumtoxsj7wxihcatrqbq")
	if err != nil {
		t.Fatal(err)
	}
	head, err := a.Homes.Head(t.Context(), home)
	if err != nil || head.Home != home || head.Head.Seq != 3 || head.Closed {
		t.Errorf("head %+v, %v", head, err)
	}
	deeds, err := a.Homes.Deeds(t.Context(), home, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	title, err := deed.Fold(home, bytesOf(deeds))
	if err != nil || title.Head() != head.Head {
		t.Fatalf("the chain: %v", err)
	}
	page, err := a.Objects.Events(t.Context(), home, archive.Cursor{}, 10)
	if err != nil || len(page.Events) == 0 {
		t.Fatalf("events %+v, %v", page, err)
	}
	kinds := map[latchkey.Kind]bool{}
	for _, e := range page.Events {
		for _, row := range e.Objects {
			if row.Problem != "" || len(row.Envelopes) != 1 {
				t.Errorf("%s: %q, %d envelopes", row.Name, row.Problem, len(row.Envelopes))
			}
			kinds[row.Name.Kind] = true
		}
	}
	if len(kinds) != 3 {
		t.Errorf("kinds %v", kinds)
	}
	slot, err := a.Joins.Join(t.Context(), api.Slot{5})
	if err != nil || slot.Person || slot.Home != home {
		t.Errorf("slot %+v, %v", slot, err)
	}
	agent := title.Agents()[0].ID
	start := archive.Arrival{Home: home, Agent: agent, Incarnation: 4, Token: archive.Secret{4}, Next: archive.Secret{5}, Time: archivetest.Now}
	if err := a.Agents.Arrive(t.Context(), start); err != nil {
		t.Errorf("the agent's next start: %v", err)
	}
}

func bytesOf(deeds []archive.Deed) (all [][]byte) {
	for _, d := range deeds {
		all = append(all, d.Bytes)
	}
	return all
}

func unpack(t *testing.T, from string) string {
	t.Helper()
	packed, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close() // read only
	r, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "archive.db")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
