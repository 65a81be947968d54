package fault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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
			a.Receipts.PutReceipts(t.Context(), []archive.Receipt{{Home: h, Session: w.secrets[i], Request: fmt.Sprint("request ", i), Bytes: uint64(i), Outcome: archive.Delivered}}),
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
	names, is, err := w.try(t.Context(), a, i)
	if err != nil {
		t.Fatal(err)
	}
	return names, is
}

// try is ask where an answer may be lost.
func (w two) try(ctx context.Context, a archive.Archive, i int) (names, is map[string]int, err error) {
	home, number := w.homes[i], map[latchkey.HomeID]int{w.homes[0]: 0, w.homes[1]: 1}
	names, is = map[string]int{}, map[string]int{}
	head, err := a.Homes.Head(ctx, home)
	names["head"], is["head"] = number[head.Home], int(head.Head.Hash[0])
	deeds, err2 := a.Homes.Deeds(ctx, home, 0, 100)
	for _, d := range deeds {
		names["deeds"], is["deeds"] = number[d.Home], int(d.Bytes[0])
	}
	row, err3 := a.Objects.Object(ctx, w.entries[i].Header.Name())
	header, err4 := sealed.ParseHeader(row.Header)
	names["object"], is["object"] = number[row.Name.Home], number[header.Binding.Home]
	page, err5 := a.Objects.Events(ctx, home, archive.Cursor{}, 10)
	for _, e := range page.Events {
		header, err := sealed.ParseHeader(e.Objects[0].Header)
		err5 = errors.Join(err5, err)
		names["events"], is["events"] = number[e.Home], number[header.Binding.Home]
	}
	session, err6 := a.Sessions.Session(ctx, home, w.secrets[i])
	names["session"], is["session"] = number[session.Home], int(session.Secret[0])-1
	if session.Browser != "" {
		is["session"] = int(session.Browser[0] - '0')
	}
	document, err7 := a.Settings.Settings(ctx, home)
	names["settings"] = number[document.Home]
	if len(document.Bytes) > 0 {
		is["settings"] = int(document.Bytes[0])
	}
	receipts, err8 := a.Receipts.Receipts(ctx, home, w.secrets[i], fmt.Sprint("request ", i))
	for _, r := range receipts {
		names["receipts"], is["receipts"] = number[r.Home], int(r.Bytes)
	}
	return names, is, errors.Join(err, err2, err3, err4, err5, err6, err7, err8)
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

// TestArchiveInDisorder loses answers, and lays rows of others among one's own.
func TestArchiveInDisorder(t *testing.T) {
	f := new(fault.Archive)
	a := f.Wrap(sqlite(t))
	w := fill2(t, a)
	w.ask(t, a, 0)
	in := f.Disorder(every, seeded())
	came := map[string]int{}
	for range 40 {
		deeds, err := a.Homes.Deeds(t.Context(), w.homes[1], 0, 100)
		text := fmt.Sprint(err)
		for _, d := range deeds {
			text += fmt.Sprint(" home ", d.Home[0])
		}
		came[text]++
	}
	for _, want := range []string{"the database's answer was lost", "<nil> home 2", "<nil> home 2 home 2", "<nil> home 2 home 1"} {
		if came[want] == 0 {
			t.Errorf("no answer is %q: %v", want, came)
		}
	}
	if len(came) != 4 || in.Injected() != 40 {
		t.Errorf("%d are counted, and came as %v", in.Injected(), came)
	}
}

// TestOutboxOfAnother answers with the rows above another number; nobody can say that
// those are the ones which were asked for.
func TestOutboxOfAnother(t *testing.T) {
	f := new(fault.Archive)
	a := f.Wrap(sqlite(t))
	for i, h := range fill2(t, a).homes {
		g := archive.Growth{Home: h, Deeds: [][]byte{{1}}, Head: latchkey.Head{Seq: 1, Hash: [32]byte{1}}, Epoch: 1}
		if err := a.Homes.Append(t.Context(), latchkey.Head{Hash: [32]byte{byte(i)}}, g); err != nil {
			t.Fatal(err)
		}
	}
	above := func(n uint64) (first uint64) {
		moves, err := a.Outbox.Moves(t.Context(), n, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(moves) > 0 {
			first = moves[0].Number
		}
		return first
	}
	if a, b := above(0), above(1); a != 1 || b != 2 {
		t.Fatalf("without a fault they begin with %d and %d", a, b)
	}
	in := f.Remap(every, seeded())
	if n := above(1); n != 2 || in.Injected() != 0 {
		t.Errorf("they are rewritten, and begin with %d", n)
	}
	in.End()
	f.Cross(every, seeded())
	if n := above(1); n != 1 {
		t.Errorf("crossed they begin with %d, want another caller's", n)
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

// TestBlobsInDisorder has bodies break off, come twice, or go on as another's.
func TestBlobsInDisorder(t *testing.T) {
	f := new(fault.Blobs)
	s := f.Wrap(disk(t))
	names, bodies := stored(t, s)
	in := f.Disorder(every, seeded())
	came := map[string]int{}
	for range 40 {
		o, err := s.Open(t.Context(), names[1])
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(o.Body)
		if err := errors.Join(err, o.Body.Close()); err != nil || o.Header.Name() != names[1] {
			t.Fatalf("%v: %v", o.Header.Name(), err)
		}
		mine, others, glued := strings.Cut(string(b), "a")
		switch whole := string(bodies[1]); {
		case glued && mine != "" && others == string(bodies[0][1:]) && strings.HasPrefix(whole, mine):
			came["glued"]++
		case string(b) == whole:
			came["late"]++
		case string(b) == whole+whole:
			came["twice"]++
		case len(b) > 0 && strings.HasPrefix(whole, string(b)):
			came["broken off"]++
		default:
			t.Errorf("%d bytes", len(b))
		}
	}
	if len(came) != 4 || in.Injected() != 40 {
		t.Errorf("%d are counted, and came as %v", in.Injected(), came)
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

// TestBusInDisorder loses news, doubles it, lets it be overtaken, and alters whose it is.
func TestBusInDisorder(t *testing.T) {
	f := new(fault.Bus)
	local := bus.NewLocal()
	b := f.Wrap(local)
	one, two := latchkey.HomeID{1}, latchkey.HomeID{2}
	came := make(chan bus.News, 400)
	defer b.Subscribe(bus.Listener{News: func(_ latchkey.HomeID, n bus.News) {
		came <- n
	}, Beat: func(bus.Beat) {}})()
	if err := b.Publish(context.Background(), two, bus.News{Home: two}); err != nil {
		t.Fatal(err)
	}
	<-came
	in := f.Disorder(every, seeded())
	const published = 80
	for n := range uint64(published) {
		if err := b.Publish(context.Background(), one, bus.News{Home: one, Number: n}); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(200 * time.Millisecond)
	var altered, behind, last uint64
	times := map[uint64]int{}
	for len(came) > 0 {
		n := <-came
		times[n.Number]++
		if n.Home == two {
			altered++
		}
		if n.Number < last {
			behind++
		}
		last = max(last, n.Number)
	}
	twice := 0
	for _, n := range times {
		twice += n - 1
	}
	if lost := published - len(times); lost == 0 || altered == 0 || behind == 0 || twice == 0 || in.Injected() != published {
		t.Errorf("%d are counted: %d lost, %d altered, %d behind, %d twice", in.Injected(), lost, altered, behind, twice)
	}
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

// TestLiveOnTheBus: one fragment goes under another stream's subject, and one comes under
// its own with another's bytes; what is no fragment passes.
func TestLiveOnTheBus(t *testing.T) {
	one, two := sealed.Stream{Home: latchkey.HomeID{1}, Kind: sealed.MainStream}, sealed.Stream{Home: latchkey.HomeID{2}, Kind: sealed.MainStream}
	type heard struct {
		under, says sealed.Stream
		bytes       string
	}
	for name, c := range map[string]struct {
		put  func(f *fault.Bus) *fault.Injection
		want heard
	}{
		"subjects":  {func(f *fault.Bus) *fault.Injection { return f.CrossLive(fault.Schedule{At: 1}, seeded()) }, heard{one, two, "of two"}},
		"fragments": {func(f *fault.Bus) *fault.Injection { return f.ExchangeLive(fault.Schedule{At: 1}, seeded()) }, heard{two, two, "of one"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := new(fault.Bus)
			b := f.Wrap(bus.NewLocal())
			came := make(chan heard, 10)
			hear := func(of sealed.Stream, m bus.Live) { came <- heard{of, m.Stream, string(m.Bytes)} }
			defer b.Tune(one, hear)()
			defer b.Tune(two, hear)()
			in := c.put(f)
			send := func(of sealed.Stream, kind bus.LiveKind, content string) heard {
				t.Helper()
				if err := b.Send(t.Context(), of, bus.Live{Stream: of, Kind: kind, Bytes: []byte(content)}); err != nil {
					t.Fatal(err)
				}
				return <-came
			}
			got := []heard{send(one, bus.Fragment, "of one"), send(two, bus.Grant, "grant"), send(two, bus.Fragment, "of two"), send(two, bus.Fragment, "of two")}
			want := []heard{{one, one, "of one"}, {two, two, "grant"}, c.want, {two, two, "of two"}}
			if !slices.Equal(got, want) || in.Injected() != 1 {
				t.Errorf("put in %d times: heard %v, want %v", in.Injected(), got, want)
			}
		})
	}
}
