package attic

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// written is a folder as an export leaves it.
type written struct {
	t      *testing.T
	folder string
}

func (w written) file(name string, b []byte) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.folder, name), b, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w written) deeds(v int, home latchkey.HomeID, deeds [][]byte) {
	w.t.Helper()
	b, err := json.Marshal(map[string]any{"v": v, "home": home, "deeds": deeds})
	if err != nil {
		w.t.Fatal(err)
	}
	w.file(deedsFile, b)
}

// refused opens the folder, which must not be.
func (w written) refused(why string) {
	w.t.Helper()
	a, err := Open(w.folder)
	if err == nil {
		err = a.Close()
		w.t.Errorf("it is opened, though %s: %v", why, err)
	} else if !strings.Contains(err.Error(), why) {
		w.t.Errorf("%v, want %s", err, why)
	}
}

// TestIndex: what lies in a folder is listed the newest first, page by page, and handed out
// by its name, in its own home and in no other; what is damaged later is said to be.
func TestIndex(t *testing.T) {
	w := written{t, t.TempDir()}
	owner, other := keytest.NewOwner(), keytest.NewOwner()
	owner.Found()
	other.Found()
	agent := owner.PlaceAgent()
	camera := owner.PlaceCamera(agent)
	w.deeds(2, owner.Home(), owner.Deeds())
	w.refused("not what an export of this version writes")
	w.deeds(1, other.Home(), owner.Deeds())
	w.refused("check the home's deeds")
	w.deeds(1, owner.Home(), owner.Deeds())
	w.refused("Make the export with --app")
	w.file(settingsFile, []byte("sealed"))
	w.file("picture.jpg", []byte("open"))
	var all []keytest.Object
	var size uint64
	for i := range 8 { // so many that no order but the right one comes about by chance
		o := agent.Object(owner.Title(), camera, latchkey.Thumbnail, []byte{byte(i)})
		w.file(string(rune('a'+i))+sealedEnd, o.Bytes())
		all, size = append(all, o), size+o.File.Header.BodyLength
	}
	a, err := Open(w.folder)
	if err != nil || len(a.Refused) != 0 {
		t.Fatalf("refused %v, %v", a.Refused, err)
	}
	defer a.Close()
	x, ctx := a.index(), t.Context()
	var before archive.Cursor
	slices.Reverse(all)
	for i := range 2 {
		p, err := x.Events(ctx, owner.Home(), before, 4)
		if err != nil || len(p.Events) != 4 || (p.Next != nil) != (i == 0) {
			t.Fatalf("page %d: %+v, %v", i, p, err)
		}
		for j, e := range p.Events {
			b := all[4*i+j].File.Header.Binding
			if e.Home != owner.Home() || e.Place != (archive.Cursor{Time: b.Time, Event: b.Event}) || len(e.Objects) != 1 || e.Objects[0].Name != all[4*i+j].Name() || e.Objects[0].Event != b.Event {
				t.Errorf("event %d of page %d: %+v", j, i, e)
			}
		}
		if p.Next != nil {
			before = *p.Next
		}
	}
	if p, err := x.Events(ctx, other.Home(), archive.Cursor{}, 2); len(p.Events) != 0 || err != nil {
		t.Errorf("of another home: %+v, %v", p, err)
	}
	if u, err := x.Usage(ctx, owner.Home()); u != (archive.Usage{Home: owner.Home(), Objects: 8, Bytes: size}) || err != nil {
		t.Errorf("usage: %+v, %v", u, err)
	}
	if _, err := x.Usage(ctx, other.Home()); !errors.Is(err, archive.ErrNotFound) {
		t.Errorf("usage of another home: %v", err)
	}
	none := agent.Object(owner.Title(), camera, latchkey.Thumbnail, nil).Name()
	if _, err := x.Object(ctx, none); !errors.Is(err, archive.ErrNotFound) {
		t.Errorf("what is not there: %v", err)
	}
	if _, err := a.open(ctx, none); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("the body of what is not there: %v", err)
	}
	damaged := all[len(all)-1]
	w.file("a"+sealedEnd, damaged.Bytes()[:20])
	if row, err := x.Object(ctx, damaged.Name()); err != nil || row.Name != damaged.Name() || row.Problem != sealed.Corrupt {
		t.Errorf("what was damaged since: %+v, %v", row, err)
	}
}
