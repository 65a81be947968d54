package fault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/archive/archivetest"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/blob/blobtest"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/bus/bustest"
	"github.com/latchkey-cam/latchkey/drill/fault"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
)

func sqlite(t *testing.T) archive.Archive {
	t.Helper()
	s, err := archive.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "archive.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.Archive()
}

func disk(t *testing.T) blob.Store {
	t.Helper()
	dir, err := durable.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	d, err := blob.NewDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestWithoutAFault has what stands between be as if it were not there.
func TestWithoutAFault(t *testing.T) {
	t.Run("blobs", func(t *testing.T) {
		blobtest.Run(t, func(t *testing.T) blob.Store { return new(fault.Blobs).Wrap(disk(t)) })
	})
	t.Run("bus", func(t *testing.T) {
		bustest.Run(t, func(t *testing.T) (a, b bus.Bus) {
			l := new(fault.Bus).Wrap(bus.NewLocal())
			return l, l
		})
	})
}

// two homes, each with an object, a session and settings of its own.
type two struct {
	homes   [2]latchkey.HomeID
	entries [2]archive.Entry
	secrets [2]archive.Secret
}

func fill2(t *testing.T, a archive.Archive) (w two) {
	t.Helper()
	for i := range w.homes {
		h := latchkey.HomeID{0: byte(i + 1)}
		g := archive.Growth{Home: h, Deeds: [][]byte{{byte(i)}}, Head: latchkey.Head{Hash: [32]byte{byte(i)}}, Epoch: 1}
		w.secrets[i] = archive.Secret{byte(i + 1)}
		w.entries[i] = archivetest.Entry(h, g.Head, g.Epoch)
		w.homes[i] = h
		err := errors.Join(
			a.Setups.MintSetup(t.Context(), w.secrets[i], archivetest.Now+1),
			a.Homes.Found(t.Context(), w.secrets[i], archivetest.Now, g),
			a.Objects.Index(t.Context(), w.entries[i]),
			a.Sessions.StartSession(t.Context(), archive.Session{Home: h, ID: latchkey.NewSessionID(), Secret: w.secrets[i], Keys: []api.MACKey{{}}, Browser: fmt.Sprint(i)}),
			a.Settings.PutSettings(t.Context(), [32]byte{}, archive.Document{Home: h, Bytes: []byte{byte(i)}}),
		)
		if err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// ask asks one home's questions, and returns for each which home the answer names, and
// whose it is: 0 or 1.
func (w two) ask(t *testing.T, a archive.Archive, i int) (names, is map[string]int) {
	t.Helper()
	ctx, home := t.Context(), w.homes[i]
	number := map[latchkey.HomeID]int{w.homes[0]: 0, w.homes[1]: 1}
	names, is = map[string]int{}, map[string]int{}
	head, err := a.Homes.Head(ctx, home)
	names["head"], is["head"] = number[head.Home], int(head.Head.Hash[0])
	deeds, err2 := a.Homes.Deeds(ctx, home, 0, 100)
	names["deeds"], is["deeds"] = number[deeds[0].Home], int(deeds[0].Bytes[0])
	row, err3 := a.Objects.Object(ctx, w.entries[i].Header.Name())
	header, err4 := sealed.ParseHeader(row.Header)
	names["object"], is["object"] = number[row.Name.Home], number[header.Binding.Home]
	page, err5 := a.Objects.Events(ctx, home, archive.Cursor{}, 10)
	header, err6 := sealed.ParseHeader(page.Events[0].Objects[0].Header)
	names["events"], is["events"] = number[page.Events[0].Home], number[header.Binding.Home]
	session, err7 := a.Sessions.Session(ctx, home, w.secrets[i])
	names["session"], is["session"] = number[session.Home], int(session.Browser[0]-'0')
	document, err8 := a.Settings.Settings(ctx, home)
	names["settings"], is["settings"] = number[document.Home], int(document.Bytes[0])
	if err := errors.Join(err, err2, err3, err4, err5, err6, err7, err8); err != nil {
		t.Fatal(err)
	}
	return names, is
}

func TestArchive(t *testing.T) {
	for _, tt := range []struct {
		name      string
		put       func(a *fault.Archive) *fault.Injection
		names, is int // in answers about home 1
	}{
		{"none", nil, 1, 1},
		{"cross", func(a *fault.Archive) *fault.Injection { return a.Cross(every, seeded()) }, 0, 0},
		{"remap", func(a *fault.Archive) *fault.Injection { return a.Remap(every, seeded()) }, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := new(fault.Archive)
			a := f.Wrap(sqlite(t))
			w := fill2(t, a)
			w.ask(t, a, 0) // another caller
			var in *fault.Injection
			if tt.put != nil {
				in = tt.put(f)
			}
			names, is := w.ask(t, a, 1)
			for what := range names {
				if names[what] != tt.names || is[what] != tt.is {
					t.Errorf("%s of home 1 names home %d and is home %d's, want %d and %d", what, names[what], is[what], tt.names, tt.is)
				}
			}
			if in != nil && in.Injected() != uint64(len(names)) {
				t.Errorf("%d are counted of %d", in.Injected(), len(names))
			}
		})
	}
}

// stored puts objects of two homes into a store.
func stored(t *testing.T, s blob.Store) (names [2]latchkey.Name, bodies [2][]byte) {
	t.Helper()
	for i := range names {
		bodies[i] = bytes.Repeat([]byte{byte('a' + i)}, 3000+i)
		h := blobtest.Object(latchkey.HomeID{byte(i + 1)}, bodies[i])
		names[i] = h.Name()
		if err := blobtest.Put(t.Context(), s, h, bodies[i]); err != nil {
			t.Fatal(err)
		}
		if got, name, err := blobtest.Read(t.Context(), s, names[i]); err != nil || name != names[i] || !bytes.Equal(got, bodies[i]) {
			t.Fatalf("without a fault %v is %v: %v", names[i], name, err)
		}
	}
	return names, bodies
}

func TestBlobs(t *testing.T) {
	f := new(fault.Blobs)
	s := f.Wrap(disk(t))
	names, bodies := stored(t, s)
	read := func(i int) (string, latchkey.Name) {
		b, name, err := blobtest.Read(t.Context(), s, names[i])
		if err != nil {
			t.Fatal(err)
		}
		return string(b), name
	}

	in := f.Cross(every, seeded())
	var other, shifted int
	for range 40 {
		switch b, name := read(1); {
		case name == names[0] && b == string(bodies[0]):
			other++
		case name == names[1] && len(b) < len(bodies[1]) && b == string(bodies[1][:len(b)]):
			shifted++
		default:
			t.Errorf("neither another object nor a part: %d bytes as %v", len(b), name)
		}
	}
	if other == 0 || shifted == 0 || in.Injected() != 40 {
		t.Errorf("%d are another object, %d a part, %d counted", other, shifted, in.Injected())
	}
	in.End()

	in = f.Rot(once, seeded())
	b, _ := read(1)
	if differ := differ(b, string(bodies[1])); differ != 1 || in.Injected() != 1 {
		t.Errorf("%d bytes are rotten, %d counted", differ, in.Injected())
	}
	in.End()

	in = f.Reuse(fault.Schedule{At: 2}, seeded())
	read(0)
	read(1)
	if b, name := read(1); name != names[1] || b != string(bodies[0])+"b" || in.Injected() != 1 {
		t.Errorf("with another's over it, it is %d bytes as %v, %d counted", len(b), name, in.Injected())
	}
}

func differ(a, b string) (n int) {
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

func TestBus(t *testing.T) {
	f := new(fault.Bus)
	b := f.Wrap(bus.NewLocal())
	type heard struct{ under, says latchkey.HomeID }
	came := make(chan heard, 4)
	defer b.Subscribe(bus.Listener{News: func(h latchkey.HomeID, n bus.News) { came <- heard{h, n.Home} }, Beat: func(bus.Beat) {}})()
	one, two := latchkey.HomeID{1}, latchkey.HomeID{2}
	in := f.Cross(fault.Schedule{At: 1}, seeded())
	for _, h := range []latchkey.HomeID{one, two, two} {
		if err := b.Publish(context.Background(), h, bus.News{Home: h}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := [3]heard{<-came, <-came, <-came}, [3]heard{{one, one}, {one, two}, {two, two}}; got != want || in.Injected() != 1 {
		t.Errorf("heard %v, want %v", got, want)
	}
}
