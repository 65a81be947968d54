// Package archivetest is the suite that every archive passes.
package archivetest

import (
	"crypto/sha256"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Subject is an empty archive under test.
type Subject struct {
	archive.Archive
	// Cross exchanges, behind the archive's back, the headers of two objects' rows.
	Cross func(t *testing.T, a, b latchkey.Name)
}

// Now is the suite's time.
var Now = latchkey.TimeOf(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))

// Run runs the suite; open gives each test an empty archive.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	for name, test := range map[string]func(t *testing.T, s Subject){
		"founds with a secret, once":        founds,
		"appends onto the head alone":       appends,
		"gives deeds in parts":              deedsInParts,
		"appends are linearizable":          linearizes,
		"tells what has moved":              outbox,
		"tells it in the order of commits":  outboxOrder,
		"indexes an object once":            indexes,
		"refuses an old head or epoch":      refusesOld,
		"refuses different bytes":           refusesDifferent,
		"keeps homes apart":                 keepsApart,
		"lists events newest first":         lists,
		"never hands out a crossed row":     crossed,
		"bounds what a home stores":         bounds,
		"deletes for good":                  deletes,
		"deletes all of a home":             deletesHomes,
		"lists tombstones":                  listsTombstones,
		"keeps for as long as is wanted":    expires,
		"keeps sessions":                    sessions,
		"keeps joins":                       joins,
		"reveals to whoever has answered":   reveals,
		"keeps one ask for a camera":        asks,
		"replaces settings by their follow": settings,
		"knows an agent from its copy":      arrivals,
		"keeps one condition for an agent":  conditions,
		"keeps receipts":                    receipts,
		"closes what was restored":          restored,
		"cuts off with the append":          cutsOff,
		"keeps holds for ever":              holds,
		"keeps what a person has looked at": reviews,
		"looks at a set-up secret":          openSetup,
		"keeps accounts":                    accounts,
		"uses a code once":                  codes,
		"keeps enough unlockers":            unlockers,
		"replaces a vault by its follow":    vaults,
		"keeps account sessions":            accountSessions,
		"ends accounts for good":            endsAccounts,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func want(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func home(n byte) latchkey.HomeID { return latchkey.HomeID{0: n, 31: n} }

func secret(s string) archive.Secret { return sha256.Sum256([]byte(s)) }

// chain is a chain of deeds as an archive sees it: bytes and their hashes.
type chain struct {
	home  latchkey.HomeID
	head  latchkey.Head
	epoch latchkey.Epoch
}

func (c *chain) grow(deeds ...string) archive.Growth {
	g := archive.Growth{Home: c.home, Epoch: c.epoch}
	for _, d := range deeds {
		g.Deeds = append(g.Deeds, []byte(d))
		c.head = latchkey.Head{Seq: c.head.Seq + 1, Hash: sha256.Sum256([]byte(d))}
	}
	g.Head = c.head
	return g
}

// found founds a home with two deeds.
func found(t *testing.T, s Subject, n byte) *chain {
	t.Helper()
	setup := secret("setup" + string(n))
	must(t, s.Setups.MintSetup(t.Context(), setup, Now+1000))
	c := &chain{home: home(n), epoch: 1}
	c.head.Seq--
	must(t, s.Homes.Found(t.Context(), setup, Now, c.grow("found", "epoch")))
	return c
}

func founds(t *testing.T, s Subject) {
	if any, err := s.Setups.AnyHome(t.Context()); any || err != nil {
		t.Errorf("an empty archive has a home: %t, %v", any, err)
	}
	must(t, s.Setups.MintSetup(t.Context(), secret("a"), Now+1000))
	must(t, s.Setups.MintSetup(t.Context(), secret("late"), Now-1))
	c := &chain{home: home(1), epoch: 1}
	c.head.Seq--
	g := c.grow("found", "epoch")
	want(t, "unknown secret", s.Homes.Found(t.Context(), secret("x"), Now, g), archive.ErrUsed)
	want(t, "secret that ran out", s.Homes.Found(t.Context(), secret("late"), Now, g), archive.ErrUsed)
	if any, err := s.Setups.AnyHome(t.Context()); any || err != nil {
		t.Errorf("after refusals there is a home: %t, %v", any, err)
	}
	must(t, s.Homes.Found(t.Context(), secret("a"), Now, g))
	want(t, "the same again", s.Homes.Found(t.Context(), secret("a"), Now, g), nil)
	other := g
	other.Deeds = [][]byte{[]byte("found"), []byte("other")}
	want(t, "the same home with other deeds", s.Homes.Found(t.Context(), secret("a"), Now, other), archive.ErrUsed)
	other = g
	other.Home = home(2)
	want(t, "another home with a used secret", s.Homes.Found(t.Context(), secret("a"), Now, other), archive.ErrUsed)
	must(t, s.Setups.MintSetup(t.Context(), secret("b"), Now+1000))
	want(t, "a home that is there", s.Homes.Found(t.Context(), secret("b"), Now, g), archive.ErrConflict)
	want(t, "a home with a fresh secret", s.Homes.Found(t.Context(), secret("b"), Now, other), nil)
	if any, err := s.Setups.AnyHome(t.Context()); !any || err != nil {
		t.Errorf("no home was founded: %t, %v", any, err)
	}
}

func appends(t *testing.T, s Subject) {
	c := found(t, s, 1)
	first := c.head
	g := c.grow("three", "four")
	want(t, "append", s.Homes.Append(t.Context(), first, g), nil)
	h, err := s.Homes.Head(t.Context(), c.home)
	if err != nil || h != (archive.HomeHead{Home: c.home, Head: c.head, Moved: 1}) {
		t.Errorf("head %v, %v", h, err)
	}
	want(t, "append onto a head that moved", s.Homes.Append(t.Context(), first, g), archive.ErrConflict)
	fork := c.head
	fork.Hash[0]++
	want(t, "append onto a fork", s.Homes.Append(t.Context(), fork, c.grow("five")), archive.ErrConflict)
	g.Home = home(9)
	want(t, "append to no home", s.Homes.Append(t.Context(), first, g), archive.ErrNotFound)
	deeds, err := s.Homes.Deeds(t.Context(), c.home, 1, 1<<20)
	kept := []archive.Deed{{Home: c.home, Seq: 1, Bytes: []byte("epoch")}, {Home: c.home, Seq: 2, Bytes: []byte("three")}, {Home: c.home, Seq: 3, Bytes: []byte("four")}}
	if err != nil || !cmp.Equal(deeds, kept) {
		t.Errorf("deeds from 1: %v, %v", deeds, err)
	}
	_, err = s.Homes.Head(t.Context(), home(9))
	want(t, "head of no home", err, archive.ErrNotFound)
}

func deedsInParts(t *testing.T, s Subject) {
	c := found(t, s, 1)
	for _, tt := range []struct {
		from uint64
		max  int
		want int
	}{{0, 1 << 20, 2}, {0, 1, 1}, {0, 9, 1}, {0, 10, 2}, {1, 1, 1}, {2, 1, 0}, {1 << 40, 1, 0}} {
		deeds, err := s.Homes.Deeds(t.Context(), c.home, tt.from, tt.max)
		if err != nil || len(deeds) != tt.want {
			t.Errorf("deeds from %d, at most %d bytes: %v, %v", tt.from, tt.max, deeds, err)
		}
	}
}

var sequence atomic.Uint64

// entry is an object of a home's camera, sealed and wrapped for the chain's epoch.
func (c *chain) entry(event latchkey.EventID, kind latchkey.Kind, at latchkey.Time) archive.Entry {
	sequence := sequence.Add(1)
	return archive.Entry{
		Head: c.head, Epoch: c.epoch, Stored: Now,
		Header: sealed.Header{
			Binding: sealed.Binding{
				Kind: kind, Home: c.home, Camera: latchkey.CameraID{1}, Event: event, Object: latchkey.NewObjectID(),
				Incarnation: 1, Sequence: sequence, Time: at, Head: c.head,
			},
			BodyLength: 100, BodyHash: sha256.Sum256([]byte{byte(sequence)}), Signatures: [][]byte{make([]byte, 64)},
		},
		Envelopes: []sealed.Envelope{{
			Recipient: sealed.ToEpoch, Key: latchkey.KeyID{byte(c.epoch)}, Epoch: c.epoch, Sealed: make([]byte, sealed.SealedKeySize),
		}},
	}
}

// Entry is an object of a home that has that head and epoch.
func Entry(home latchkey.HomeID, head latchkey.Head, epoch latchkey.Epoch) archive.Entry {
	c := chain{home: home, head: head, epoch: epoch}
	return c.entry(latchkey.NewEventID(), latchkey.Thumbnail, Now)
}

func indexes(t *testing.T, s Subject) {
	c := found(t, s, 1)
	e := c.entry(latchkey.NewEventID(), latchkey.Clip, Now)
	for range 2 {
		must(t, s.Objects.Index(t.Context(), e))
	}
	name := e.Header.Name()
	row, err := s.Objects.Object(t.Context(), name)
	wanted := archive.Row{Name: name, Event: e.Header.Binding.Event, Header: e.Header.Bytes(), Envelopes: e.Envelopes}
	if d := cmp.Diff(wanted, row); d != "" || err != nil {
		t.Errorf("row (-want +got), %v:\n%s", err, d)
	}
	if u, err := s.Objects.Usage(t.Context(), c.home); u != (archive.Usage{Home: c.home, Objects: 1, Bytes: 100}) || err != nil {
		t.Errorf("usage %v, %v", u, err)
	}
	if h, err := s.Homes.Head(t.Context(), c.home); h.Objects != 1 || err != nil {
		t.Errorf("objects at the head: %d, %v", h.Objects, err)
	}
	// What was acknowledged once is so for ever, whatever has become of the epoch.
	before := c.head
	c.epoch = 2
	must(t, s.Homes.Append(t.Context(), before, c.grow("second epoch")))
	want(t, "the same after the head moved", s.Objects.Index(t.Context(), e), nil)
	for what, change := range map[string]func(n *latchkey.Name){
		"home":   func(n *latchkey.Name) { n.Home[31]++ },
		"camera": func(n *latchkey.Name) { n.Camera[15]++ },
		"day":    func(n *latchkey.Name) { n.Day = "2026-03-02" },
		"kind":   func(n *latchkey.Name) { n.Kind = latchkey.Thumbnail },
		"object": func(n *latchkey.Name) { n.Object[15]++ },
	} {
		other := name
		change(&other)
		_, err := s.Objects.Object(t.Context(), other)
		want(t, "another "+what, err, archive.ErrNotFound)
	}
}

func refusesOld(t *testing.T, s Subject) {
	c := found(t, s, 1)
	first := c.head
	e := c.entry(latchkey.NewEventID(), latchkey.Clip, Now)
	c.epoch = 2
	must(t, s.Homes.Append(t.Context(), first, c.grow("second epoch")))
	want(t, "verified at an older head", s.Objects.Index(t.Context(), e), archive.ErrConflict)
	e.Head = c.head
	want(t, "the head of now with the epoch of then", s.Objects.Index(t.Context(), e), archive.ErrConflict)
	e.Epoch = 2
	want(t, "an envelope of the old epoch", s.Objects.Index(t.Context(), e), archive.ErrOldEpoch)
	old := e.Envelopes
	e.Envelopes = nil
	want(t, "no envelope", s.Objects.Index(t.Context(), e), archive.ErrOldEpoch)
	person := c.entry(latchkey.EventID{}, latchkey.Clip, Now).Envelopes[0]
	person.Recipient = sealed.ToPerson
	e.Envelopes = []sealed.Envelope{person}
	want(t, "an envelope for a person alone", s.Objects.Index(t.Context(), e), archive.ErrOldEpoch)
	e.Envelopes = append(old, c.entry(latchkey.EventID{}, latchkey.Clip, Now).Envelopes...)
	want(t, "envelopes of both epochs", s.Objects.Index(t.Context(), e), nil)
	row, err := s.Objects.Object(t.Context(), e.Header.Name())
	if err != nil || len(row.Envelopes) != 2 || row.Envelopes[0].Epoch != 2 {
		t.Errorf("envelopes %v, %v; want the newest epoch's first", row.Envelopes, err)
	}
	other := &chain{home: home(9), epoch: 1}
	want(t, "an object of no home", s.Objects.Index(t.Context(), other.entry(latchkey.EventID{}, latchkey.Clip, Now)), archive.ErrNotFound)
}

func refusesDifferent(t *testing.T, s Subject) {
	c := found(t, s, 1)
	e := c.entry(latchkey.NewEventID(), latchkey.Clip, Now)
	must(t, s.Objects.Index(t.Context(), e))
	other := e
	other.Header.BodyHash[0]++
	want(t, "other bytes under the name", s.Objects.Index(t.Context(), other), archive.ErrDifferent)
	other = e
	other.Header.Binding.Object = latchkey.NewObjectID()
	want(t, "a sequence number twice", s.Objects.Index(t.Context(), other), archive.ErrDifferent)
	other.Header.Binding.AgentKey[0]++
	want(t, "the number under another key of the agent", s.Objects.Index(t.Context(), other), nil)
	other.Header.Binding.Object = latchkey.NewObjectID()
	other.Header.Binding.Incarnation++
	want(t, "the number in the next incarnation", s.Objects.Index(t.Context(), other), nil)
}

func keepsApart(t *testing.T, s Subject) {
	one, two := found(t, s, 1), found(t, s, 2)
	e := one.entry(latchkey.NewEventID(), latchkey.Clip, Now)
	must(t, s.Objects.Index(t.Context(), e))
	// The very same IDs in another home are another object.
	f := two.entry(e.Header.Binding.Event, latchkey.Clip, Now)
	f.Header.Binding.Object, f.Header.Binding.Sequence = e.Header.Binding.Object, e.Header.Binding.Sequence
	must(t, s.Objects.Index(t.Context(), f))
	for _, x := range []archive.Entry{e, f} {
		home := x.Header.Binding.Home
		p, err := s.Objects.Events(t.Context(), home, archive.Cursor{}, 10)
		if err != nil || len(p.Events) != 1 || p.Events[0].Home != home || len(p.Events[0].Objects) != 1 {
			t.Fatalf("events of home %s: %v, %v", home, p, err)
		}
		if got := p.Events[0].Objects[0]; got.Name != x.Header.Name() || !cmp.Equal(got.Header, x.Header.Bytes()) {
			t.Errorf("home %s lists %s", home, got.Name)
		}
	}
}

func lists(t *testing.T, s Subject) {
	c := found(t, s, 1)
	var events []latchkey.EventID
	for i := range 7 {
		event := latchkey.NewEventID()
		events = append(events, event)
		for _, kind := range []latchkey.Kind{latchkey.Thumbnail, latchkey.Clip} {
			// Two events of one time, and clips that begin before their pictures.
			at := Now + latchkey.Time(i/2*1000) - latchkey.Time(kind)
			must(t, s.Objects.Index(t.Context(), c.entry(event, kind, at)))
		}
	}
	seen := map[latchkey.EventID]bool{}
	var cursor archive.Cursor
	for pages := 1; ; pages++ {
		p, err := s.Objects.Events(t.Context(), c.home, cursor, 3)
		must(t, err)
		for _, e := range p.Events {
			if seen[e.Place.Event] {
				t.Errorf("event %s is listed twice", e.Place.Event)
			}
			seen[e.Place.Event] = true
			if len(e.Objects) != 2 || e.Objects[0].Name.Kind != latchkey.Thumbnail {
				t.Errorf("event %s has %d objects", e.Place.Event, len(e.Objects))
			}
		}
		if len(p.Events) > 0 && pages == 1 && p.Events[0].Place.Event != events[6] {
			t.Errorf("the newest event is not the first")
		}
		if p.Next == nil {
			if pages != 3 {
				t.Errorf("%d pages, want 3", pages)
			}
			break
		}
		cursor = *p.Next
	}
	if len(seen) != len(events) {
		t.Errorf("%d events listed, want %d", len(seen), len(events))
	}
	p, err := s.Objects.Events(t.Context(), home(9), archive.Cursor{}, 3)
	if err != nil || len(p.Events) != 0 || p.Next != nil {
		t.Errorf("events of no home: %v, %v", p, err)
	}
}

func crossed(t *testing.T, s Subject) {
	one, two := found(t, s, 1), found(t, s, 2)
	a := one.entry(latchkey.NewEventID(), latchkey.Thumbnail, Now)
	b := two.entry(latchkey.NewEventID(), latchkey.Thumbnail, Now)
	d := one.entry(latchkey.NewEventID(), latchkey.Thumbnail, Now+1)
	for _, e := range []archive.Entry{a, b, d} {
		must(t, s.Objects.Index(t.Context(), e))
	}
	check := func(asked, found archive.Entry) {
		t.Helper()
		wanted := archive.Row{
			Name: asked.Header.Name(), Event: asked.Header.Binding.Event, Problem: sealed.Misroute, Found: found.Header.Name(),
		}
		row, err := s.Objects.Object(t.Context(), asked.Header.Name())
		if diff := cmp.Diff(wanted, row); diff != "" || err != nil {
			t.Errorf("a crossed row (-want +got), %v:\n%s", err, diff)
		}
		p, err := s.Objects.Events(t.Context(), asked.Header.Binding.Home, archive.Cursor{}, 10)
		must(t, err)
		for _, e := range p.Events {
			if e.Place.Event != asked.Header.Binding.Event {
				continue
			}
			if diff := cmp.Diff([]archive.Row{wanted}, e.Objects); diff != "" {
				t.Errorf("a crossed row in a list (-want +got):\n%s", diff)
			}
			return
		}
		t.Errorf("the event of a crossed row is not listed")
	}
	s.Cross(t, a.Header.Name(), b.Header.Name()) // two homes
	check(a, b)
	check(b, a)
	s.Cross(t, a.Header.Name(), b.Header.Name()) // back
	s.Cross(t, a.Header.Name(), d.Header.Name()) // two objects of one home
	check(a, d)
	check(d, a)
}

func bounds(t *testing.T, s Subject) {
	c := found(t, s, 1)
	event := latchkey.NewEventID()
	for i := range archive.MaxEventObjects + 1 {
		err := s.Objects.Index(t.Context(), c.entry(event, latchkey.Clip, Now))
		if i < archive.MaxEventObjects {
			must(t, err)
		} else {
			want(t, "objects of one event", err, archive.ErrTooMany)
		}
	}
	e := c.entry(latchkey.NewEventID(), latchkey.Clip, Now)
	e.MaxBytes = 100*archive.MaxEventObjects + 99
	want(t, "a byte over the home's bound", s.Objects.Index(t.Context(), e), archive.ErrTooMany)
	e.MaxBytes++
	want(t, "the last byte", s.Objects.Index(t.Context(), e), nil)
}
