package uplink_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/internal/wire"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// TestTombstonesAreKept: what the server sends is verified, on the disk, and not forgotten
// when the server begins its list anew.
func TestTombstonesAreKept(t *testing.T) {
	fs := durabletest.New()
	o, other := keytest.NewOwner(), keytest.NewOwner()
	o.Found()
	other.Found()
	load := func() *uplink.Tombstones {
		all, err := uplink.LoadTombstones(fs, "tombstones", o.Home(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	of := func(o *keytest.Owner, event byte) []byte {
		one, err := tombstone.Sign(o.Keys.Signing, o.Title(), o.Now(), tombstone.Tombstone{Scope: tombstone.Events, Events: []latchkey.EventID{{event}}})
		if err != nil {
			t.Fatal(err)
		}
		return one.Bytes()
	}
	first, second, third := of(o, 1), of(o, 2), of(o, 3)
	covers := func(all *uplink.Tombstones, events ...byte) {
		t.Helper()
		for event := byte(1); event < 5; event++ {
			want := false
			for _, e := range events {
				want = want || e == event
			}
			if is := all.Covers(sealed.Binding{Home: o.Home(), Event: latchkey.EventID{event}}); is != want {
				t.Errorf("event %d is deleted: %t", event, is)
			}
		}
	}
	all := load()
	follow := func(above uint64, list ...[]byte) error {
		return uplink.Follow(all, api.TombstonesFrame{Home: o.Home(), Above: above, Tombstones: list}, o.Title())
	}
	wantMark := func(list ...[]byte) {
		t.Helper()
		var digest [32]byte
		for _, b := range list {
			digest = tombstone.Next(digest, tombstone.Hash(b))
		}
		if mark := fmt.Sprintf("%d:%x", len(list), digest); uplink.MarkOf(all) != mark {
			t.Errorf("the mark is %q, want %q", uplink.MarkOf(all), mark)
		}
	}
	if err := follow(0, first); err != nil {
		t.Fatal(err)
	}
	if err := follow(1, second); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"another home's list": uplink.Follow(all, api.TombstonesFrame{Home: other.Home(), Above: 2, Tombstones: [][]byte{third}}, o.Title()),
		"another home's":      follow(2, of(other, 3)),
		"a spoilt one":        follow(2, append([]byte{}, append(third[:len(third)-1:len(third)-1], third[len(third)-1]^1)...)),
		"half a one":          follow(2, third[:20]),
		"one after a gap":     follow(3, third),
	} {
		if err == nil {
			t.Errorf("%s is taken", what)
		}
	}
	if errors.Is(follow(3, third), uplink.ErrOtherChain) || !errors.Is(follow(2, of(other, 3)), uplink.ErrOtherChain) {
		t.Error("what does not hold is of another chain, and what comes out of turn is not")
	}
	wantMark(first, second)
	all = load()
	covers(all, 1, 2)
	wantMark(first, second)
	if err := follow(0, third); err != nil { // a server that has lost the others
		t.Fatal(err)
	}
	covers(all, 1, 2, 3)
	wantMark(third)
	all = load()
	covers(all, 1, 2, 3)
	size := len(fs.Contents()["tombstones"])
	if err := follow(1, first); err != nil { // it is given them back, in its own order
		t.Fatal(err)
	}
	wantMark(third, first)
	if n := len(fs.Contents()["tombstones"]); n != size {
		t.Errorf("with the same once more the file has %d bytes, it had %d", n, size)
	}
}

// TestTombstonesAreDamaged: a file that is damaged, or another home's, is put aside whole;
// one that cannot be read stays, and is an error.
func TestTombstonesAreDamaged(t *testing.T) {
	fs := durabletest.New()
	o, other := keytest.NewOwner(), keytest.NewOwner()
	files := map[*keytest.Owner][]byte{}
	for _, o := range []*keytest.Owner{o, other} {
		o.Found()
		all, err := uplink.LoadTombstones(fs, "good", o.Home(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		one, err := tombstone.Sign(o.Keys.Signing, o.Title(), o.Now(), tombstone.Tombstone{Scope: tombstone.Home})
		if err != nil {
			t.Fatal(err)
		}
		if err := uplink.Follow(all, api.TombstonesFrame{Home: o.Home(), Tombstones: [][]byte{one.Bytes()}}, o.Title()); err != nil {
			t.Fatal(err)
		}
		files[o] = fs.Contents()["good"]
		if err := fs.Remove("good"); err != nil {
			t.Fatal(err)
		}
	}
	good := files[o]
	header := len("latchkey tombstones 2\n")
	force := header + 8 + 32
	for what, b := range map[string][]byte{
		"nothing":                      {},
		"one without its label":        good[header:],
		"one that breaks off":          good[:len(good)-1],
		"one with a mark alone":        good[:force-1],
		"another home's":               files[other],
		"one neither in force nor not": slices.Concat(good[:force], []byte{2}, good[force+1:]),
	} {
		if err := durable.WriteBytes(fs, "tombstones", b); err != nil {
			t.Fatal(err)
		}
		all, err := uplink.LoadTombstones(fs, "tombstones", o.Home(), slog.New(slog.DiscardHandler))
		if err != nil || uplink.MarkOf(all) != "" || all.Covers(sealed.Binding{Home: o.Home()}) {
			t.Errorf("%s: %v, and it is believed up to %q", what, err, uplink.MarkOf(all))
		}
		if !bytes.Equal(fs.Contents()["tombstones.damaged"], b) {
			t.Errorf("%s is not put aside", what)
		}
	}
	if err := fs.Mkdir("folder"); err != nil {
		t.Fatal(err)
	}
	if _, err := uplink.LoadTombstones(fs, "folder", o.Home(), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("what cannot be read is taken for damaged")
	}
}

// TestTombstonesAreBounded: a server cannot fill the agent's memory, nor is it given more of
// them in a message than it takes.
func TestTombstonesAreBounded(t *testing.T) {
	fs := durabletest.New()
	o := keytest.NewOwner()
	o.Found()
	one, err := tombstone.Sign(o.Keys.Signing, o.Title(), o.Now(), tombstone.Tombstone{Scope: tombstone.Events, Events: []latchkey.EventID{{1}}})
	if err != nil {
		t.Fatal(err)
	}
	var w wire.Writer
	w.Raw([]byte("latchkey tombstones 2\n"))
	w.Raw(make([]byte, 8+32))
	for i := range tombstone.MaxInHome {
		it := one // whose signature nobody looks at any more
		it.Events = []latchkey.EventID{{2, byte(i), byte(i >> 8)}}
		w.U8(0)
		w.LP32(it.Bytes())
	}
	if err := durable.WriteBytes(fs, "tombstones", w.Bytes()); err != nil {
		t.Fatal(err)
	}
	all, err := uplink.LoadTombstones(fs, "tombstones", o.Home(), slog.New(slog.DiscardHandler))
	if err != nil || !all.Covers(sealed.Binding{Home: o.Home(), Event: latchkey.EventID{2}}) {
		t.Fatalf("as many as a home has: %v", err)
	}
	if err := uplink.Follow(all, api.TombstonesFrame{Home: o.Home(), Tombstones: [][]byte{one.Bytes()}}, o.Title()); err == nil {
		t.Error("one more is taken")
	}
	frames := uplink.Frames(all)
	if len(frames) != tombstone.MaxInHome/api.MaxTombstones {
		t.Errorf("they are given in %d messages", len(frames))
	}
	for i, f := range frames {
		if last := i == len(frames)-1; f.Home != o.Home() || len(f.Tombstones) != api.MaxTombstones || f.Last != last {
			t.Fatalf("message %d of %d has %d, and is the last: %t", i, len(frames), len(f.Tombstones), f.Last)
		}
	}
}

// TestFootageInForce: a statement that somebody who has left dates back deletes nothing that
// is only at home; one that came while they lived there does, after another start, too.
func TestFootageInForce(t *testing.T) {
	fs := durabletest.New()
	o := keytest.NewOwner()
	o.Found()
	left := o.Join(keytest.NewPerson(), keytest.AsOwner)
	then := o.Title()
	camera := latchkey.CameraID{1}
	by := func(p *keytest.Person, at *deed.Title, what tombstone.Tombstone) []byte {
		one, err := tombstone.Sign(p.Keys.Signing, at, o.Now(), what)
		if err != nil {
			t.Fatal(err)
		}
		return one.Bytes()
	}
	of := func(from, to latchkey.Time) []byte {
		return by(left, then, tombstone.Tombstone{Scope: tombstone.Span, Camera: camera, From: from, To: to})
	}
	load := func() *uplink.Tombstones {
		all, err := uplink.LoadTombstones(fs, "tombstones", o.Home(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	all := load()
	follow := func(above uint64, one []byte) {
		t.Helper()
		if err := uplink.Follow(all, api.TombstonesFrame{Home: o.Home(), Above: above, Tombstones: [][]byte{one}}, o.Title()); err != nil {
			t.Fatal(err)
		}
	}
	follow(0, of(10, 20))
	o.Dismiss(left)
	follow(1, of(30, 40))
	want := []tombstone.Stretch{{From: 10, To: 20}}
	for _, all := range []*uplink.Tombstones{all, load()} {
		if got := all.Footage(camera); !slices.Equal(got, want) {
			t.Errorf("footage is deleted of %v, want %v", got, want)
		}
		if !all.Covers(sealed.Binding{Home: o.Home(), Camera: camera, Time: 35}) {
			t.Error("what waits for its upload goes by the set alone")
		}
	}
	home := tombstone.Tombstone{Scope: tombstone.Home}
	if follow(2, by(left, then, home)); all.Ended() {
		t.Error("the home has ended by the statement of somebody who has left")
	}
	if follow(3, by(&keytest.Person{Keys: o.Keys}, o.Title(), home)); !all.Ended() {
		t.Error("the home has not ended by its owner's statement")
	}
}

// TestFootageInForceControl: without the question the statement of somebody who has left
// counts.
func TestFootageInForceControl(t *testing.T) {
	without := (&sabotage.Program{Root: "../.."}).Without(t, sabotage.Cut{File: "agent/uplink/tombstones.go", Old: "one.Now(title) == nil", New: "true || one.Now(title) == nil"})
	t.Parallel()
	out, err := without.Tests(t.Context(), "^TestFootageInForce$")
	if err == nil || !strings.Contains(string(out), "footage is deleted of [{10 20} {30 40}]") {
		t.Errorf("with the question cut out, the test says %v\n%s", err, out)
	}
}

// FuzzTombstones: whatever the file holds is read or put aside.
func FuzzTombstones(f *testing.F) {
	f.Add([]byte("latchkey tombstones 2\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fs := durabletest.New()
		if err := durable.WriteBytes(fs, "tombstones", b); err != nil {
			t.Fatal(err)
		}
		if _, err := uplink.LoadTombstones(fs, "tombstones", latchkey.HomeID{1}, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	})
}
