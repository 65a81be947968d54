package uplink_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// TestTombstonesAreKept: what the server sends is verified, on the disk, and not forgotten
// when the server begins its list anew; a file that is damaged is begun anew itself.
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
	if err := follow(0, first, second); err != nil {
		t.Fatal(err)
	}
	mark := uplink.MarkOf(all)
	for what, err := range map[string]error{
		"another home's":  follow(2, of(other, 3)),
		"a spoilt one":    follow(2, append([]byte{}, append(third[:len(third)-1:len(third)-1], third[len(third)-1]^1)...)),
		"half a one":      follow(2, third[:20]),
		"one after a gap": follow(3, third),
	} {
		if err == nil {
			t.Errorf("%s is taken", what)
		}
	}
	if errors.Is(follow(3, third), uplink.ErrOtherChain) || !errors.Is(follow(2, of(other, 3)), uplink.ErrOtherChain) {
		t.Error("what does not hold is of another chain, and what comes out of turn is not")
	}
	if uplink.MarkOf(all) != mark {
		t.Error("the mark has moved for what was not taken")
	}
	all = load()
	covers(all, 1, 2)
	if uplink.MarkOf(all) != mark || mark == "" {
		t.Errorf("after a start the mark is %q, it was %q", uplink.MarkOf(all), mark)
	}
	if err := follow(0, third); err != nil { // a server that has lost the others
		t.Fatal(err)
	}
	covers(all, 1, 2, 3)
	all = load()
	covers(all, 1, 2, 3)
	if err := follow(1, first); err != nil { // it is given them back, in its own order
		t.Fatal(err)
	}
	if err := durable.WriteBytes(fs, "tombstones", []byte("latchkey tombstones 2\nnonsense")); err != nil {
		t.Fatal(err)
	}
	all = load()
	covers(all)
	if uplink.MarkOf(all) != "" {
		t.Error("of a damaged file something is believed")
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
	of := func(from, to latchkey.Time) []byte {
		one, err := tombstone.Sign(left.Keys.Signing, then, o.Now(), tombstone.Tombstone{Scope: tombstone.Span, Camera: camera, From: from, To: to})
		if err != nil {
			t.Fatal(err)
		}
		return one.Bytes()
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
