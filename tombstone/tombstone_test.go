package tombstone_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/internal/vectors"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/tombstone"
)

const homesFile = "../sealed/testdata/homes.json"

// vector is one file of testdata/vectors (docs/tombstone.md, "Vectors").
type vector struct {
	Name      string    `json:"name"`
	Says      string    `json:"says"`
	Home      string    `json:"home"`
	Tombstone []byte    `json:"tombstone"`
	Expect    string    `json:"expect"`
	Bindings  [3][]byte `json:"bindings"`
	Covers    [3]bool   `json:"covers"`
}

const at latchkey.Time = 1740852000000000

// bindings are an object of the first camera, one of another, and one of the second home.
func bindings(homes map[string]*keytest.Home) (all [3]sealed.Binding) {
	for i := range all {
		h := homes[[]string{"A", "A", "B"}[i]]
		all[i] = sealed.Binding{
			Kind: latchkey.Clip, Home: h.Home, Camera: h.Camera(i % 2), Event: latchkey.EventID{byte(i%2 + 1)}, Object: latchkey.ObjectID{byte(i + 1)},
			AgentKey: h.Agent(0).Keys.KeyID(), Incarnation: 1, Sequence: 1, Time: at + latchkey.Time(i%2), Head: h.Until(3 + i%2).Head(),
		}
	}
	return all
}

type drawing struct {
	name, says, expect string
	make               func(h map[string]*keytest.Home) []byte
	covers             [3]bool
}

func signed(k ed25519.PrivateKey, t *deed.Title, what tombstone.Tombstone) []byte {
	s, err := tombstone.Sign(k, t, at, what)
	if err != nil {
		panic(err)
	}
	return s.Bytes()
}

func drawings() []drawing {
	events := tombstone.Tombstone{Scope: tombstone.Events, Events: []latchkey.EventID{{1}, {3}}}
	span := func(h map[string]*keytest.Home, from, to latchkey.Time) tombstone.Tombstone {
		return tombstone.Tombstone{Scope: tombstone.Span, Camera: h["A"].Camera(0), From: from, To: to}
	}
	by := func(what tombstone.Tombstone) func(h map[string]*keytest.Home) []byte {
		return func(h map[string]*keytest.Home) []byte {
			return signed(h["A"].OwnerKeys().Signing, h["A"].Title(), what)
		}
	}
	first, none := [3]bool{true}, [3]bool{}
	spoil := func(alter func(b []byte) []byte) func(h map[string]*keytest.Home) []byte {
		return func(h map[string]*keytest.Home) []byte { return alter(by(events)(h)) }
	}
	put := func(at int, p ...byte) func(h map[string]*keytest.Home) []byte {
		return spoil(func(b []byte) []byte { copy(b[at:], p); return b })
	}
	const scopeAt = 1 + 32 + 8 + 40 + 32
	return []drawing{
		{"events", "an owner deletes two events", "accepted", by(events), first},
		{"span", "an owner deletes a microsecond of a camera", "accepted", func(h map[string]*keytest.Home) []byte { return by(span(h, at, at+1))(h) }, first},
		{"span-before", "a span that ends at the object", "accepted", func(h map[string]*keytest.Home) []byte { return by(span(h, 0, at))(h) }, none},
		{"span-after", "a span that begins behind the object", "accepted", func(h map[string]*keytest.Home) []byte { return by(span(h, at+1, latchkey.MaxInt))(h) }, none},
		{"home", "the home itself", "accepted", by(tombstone.Tombstone{Scope: tombstone.Home}), [3]bool{true, true}},
		{"home-then", "the home itself, at an earlier deed", "accepted", func(h map[string]*keytest.Home) []byte {
			return signed(h["A"].OwnerKeys().Signing, h["A"].Until(3), tombstone.Tombstone{Scope: tombstone.Home})
		}, [3]bool{true, true}},
		{"neighbours", "of home B, read in home A", "wrong-home", func(h map[string]*keytest.Home) []byte {
			return signed(h["B"].OwnerKeys().Signing, h["B"].Title(), events)
		}, none},
		{"neighbours-key", "of home A, signed by the owner of B", "unknown-signer", func(h map[string]*keytest.Home) []byte {
			return signed(h["B"].OwnerKeys().Signing, h["A"].Title(), events)
		}, none},
		{"agents", "signed by an agent", "not-allowed", func(h map[string]*keytest.Home) []byte {
			return signed(h["A"].Agent(0).Keys.Signing, h["A"].Title(), events)
		}, none},
		{"devices", "signed by the owner's device", "not-allowed", func(h map[string]*keytest.Home) []byte {
			return signed(h["A"].OwnerKeys().DeviceSigning, h["A"].Title(), events)
		}, none},
		{"other-head", "a head that is not on the chain", "unknown-head", put(1+32+8+8, 1, 2, 3), none},
		{"later-head", "a head beyond the chain", "unknown-head", put(1+32+8+6, 0xff), none},
		{"other-event", "another event than was signed", "bad-signature", put(scopeAt+1+2+3, 9), none},
		{"other-time", "another time than was signed", "bad-signature", put(1+32+7, 1), none},
		{"version-0", "of version 0", "malformed", put(0, 0), none},
		{"version-2", "of version 2", "future-version", put(0, 2), none},
		{"scope-0", "of a scope that is none", "malformed", put(scopeAt, 0), none},
		{"scope-4", "of a scope that is none", "malformed", put(scopeAt, 4), none},
		{"no-events", "of no event", "malformed", func(h map[string]*keytest.Home) []byte { return by(tombstone.Tombstone{Scope: tombstone.Events})(h) }, none},
		{"too-many-events", "of 257 events", "malformed", func(h map[string]*keytest.Home) []byte {
			all := tombstone.Tombstone{Scope: tombstone.Events}
			for i := range tombstone.MaxEvents + 1 {
				all.Events = append(all.Events, latchkey.EventID{byte(i >> 8), byte(i)})
			}
			return by(all)(h)
		}, none},
		{"events-twice", "the same event twice", "malformed", spoil(func(b []byte) []byte {
			copy(b[scopeAt+3+16:], b[scopeAt+3:scopeAt+3+16])
			return b
		}), none},
		{"events-descend", "events in another order", "malformed", put(scopeAt+3, 9), none},
		{"empty-span", "a span without length", "malformed", func(h map[string]*keytest.Home) []byte { return by(span(h, at, at))(h) }, none},
		{"backward-span", "a span that ends before it begins", "malformed", func(h map[string]*keytest.Home) []byte { return by(span(h, at, at-1))(h) }, none},
		{"nothing", "no bytes", "truncated", func(map[string]*keytest.Home) []byte { return nil }, none},
		{"cut", "without its last byte", "truncated", spoil(func(b []byte) []byte { return b[:len(b)-1] }), none},
		{"longer", "a byte too many", "malformed", spoil(func(b []byte) []byte { return append(b, 0) }), none},
		{"two-signatures", "two signatures", "malformed", spoil(func(b []byte) []byte { b[len(b)-67] = 2; return b }), none},
		{"short-signature", "a signature of 63 bytes", "malformed", spoil(func(b []byte) []byte { b = b[:len(b)-1]; b[len(b)-64] = 63; return b }), none},
		{"large", "larger than one may be", "oversize", spoil(func(b []byte) []byte { return append(b, make([]byte, tombstone.Max)...) }), none},
	}
}

func TestWriteVectors(t *testing.T) {
	homes := keytest.ReadHomes(homesFile)
	for _, d := range drawings() {
		vectors.Write(t, d.name, func(t *testing.T) vector {
			v := vector{Name: d.name, Says: d.says, Home: "A", Tombstone: d.make(homes), Expect: d.expect, Covers: d.covers}
			for i, b := range bindings(homes) {
				v.Bindings[i] = b.Bytes()
			}
			return v
		})
	}
}

// verdict is what a reader of the home says.
func verdict(b []byte, title *deed.Title) (tombstone.Tombstone, string) {
	one, err := tombstone.Parse(b)
	if err == nil {
		err = one.Verify(title)
	}
	if err != nil {
		return one, string(sealed.ReasonOf(err))
	}
	return one, "accepted"
}

func TestVectors(t *testing.T) {
	homes := keytest.ReadHomes(homesFile)
	all, by := vectors.Read(t, func(v *vector) *string { return &v.Name })
	if by["go"] < 25 {
		t.Fatalf("%d vectors, want at least 25", by["go"])
	}
	for _, v := range all {
		one, have := verdict(v.Tombstone, homes[v.Home].Title())
		if have != v.Expect {
			t.Errorf("%s, %s: %s, want %s", v.Name, v.Says, have, v.Expect)
		}
		if have != "accepted" {
			continue
		}
		if !bytes.Equal(one.Bytes(), v.Tombstone) {
			t.Errorf("%s: a second spelling", v.Name)
		}
		var set tombstone.Set
		if !set.Add(one) || set.Add(one) || set.Len() != 1 || !set.Has(tombstone.Hash(v.Tombstone)) || set.Bytes() != len(v.Tombstone) {
			t.Errorf("%s: it is not in the set once", v.Name)
		}
		for i, p := range v.Bindings {
			b, err := sealed.ParseBinding(p)
			if err != nil {
				t.Fatal(err)
			}
			if one.Covers(b) != v.Covers[i] || b.Home == one.Home && set.Covers(b) != v.Covers[i] {
				t.Errorf("%s: covers binding %d: %t, in a set %t, want %t", v.Name, i, one.Covers(b), set.Covers(b), v.Covers[i])
			}
		}
	}
}

// TestWhoMay: what each may sign, at the head of then and by the title of now.
func TestWhoMay(t *testing.T) {
	o := keytest.NewOwner()
	o.Found()
	camera := o.PlaceCamera(o.PlaceAgent())
	resident, guest := o.Join(keytest.NewPerson(), keytest.AsResident), o.Join(keytest.NewPerson(), keytest.AsGuest(camera))
	then := o.Title()
	event := tombstone.Tombstone{Scope: tombstone.Events, Events: []latchkey.EventID{{1}}}
	span := tombstone.Tombstone{Scope: tombstone.Span, Camera: camera, From: 0, To: 1}
	byResident, err := tombstone.Sign(resident.Keys.Signing, then, at, event)
	if err != nil {
		t.Fatal(err)
	}
	bySpan, _ := tombstone.Sign(resident.Keys.Signing, then, at, span)
	byGuest, _ := tombstone.Sign(guest.Keys.Signing, then, at, event)
	for what, c := range map[string]struct {
		t    tombstone.Tombstone
		want sealed.Reason
	}{"a resident's event": {byResident, ""}, "a resident's span": {bySpan, sealed.NotAllowed}, "a guest's event": {byGuest, sealed.NotAllowed}} {
		if got := sealed.ReasonOf(c.t.Verify(then)); got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
	if err := byResident.Now(then); err != nil {
		t.Error(err)
	}
	o.Dismiss(resident)
	if err := byResident.Verify(o.Title()); err != nil {
		t.Errorf("what somebody deleted while they might: %v", err)
	}
	if got := sealed.ReasonOf(byResident.Now(o.Title())); got != sealed.FormerSigner {
		t.Errorf("brought after they left: %q", got)
	}
}

// TestCut: whatever is missing at the end is said to be.
func TestCut(t *testing.T) {
	homes := keytest.ReadHomes(homesFile)
	for _, d := range drawings() {
		if d.expect != "accepted" {
			continue
		}
		whole := d.make(homes)
		for n := range whole {
			if _, err := tombstone.Parse(whole[:n]); sealed.ReasonOf(err) != sealed.Truncated {
				t.Fatalf("%s, the first %d of %d bytes: %v", d.name, n, len(whole), err)
			}
		}
	}
}

// TestNow: whoever may not say it any more does not say it now, whatever they were.
func TestNow(t *testing.T) {
	o := keytest.NewOwner()
	o.Found()
	camera := o.PlaceCamera(o.PlaceAgent())
	other := o.Join(keytest.NewPerson(), keytest.AsOwner)
	event := tombstone.Tombstone{Scope: tombstone.Events, Events: []latchkey.EventID{{1}}}
	var all []tombstone.Tombstone
	for _, what := range []tombstone.Tombstone{event, {Scope: tombstone.Span, Camera: camera, To: 1}, {Scope: tombstone.Home}} {
		one, err := tombstone.Sign(other.Keys.Signing, o.Title(), at, what)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	for what, c := range map[string]struct {
		standing deed.Standing
		want     [3]sealed.Reason
	}{
		"a resident now": {keytest.AsResident, [3]sealed.Reason{"", sealed.NotAllowed, sealed.NotAllowed}},
		"a guest now":    {keytest.AsGuest(camera), [3]sealed.Reason{sealed.NotAllowed, sealed.NotAllowed, sealed.NotAllowed}},
		"an owner again": {keytest.AsOwner, [3]sealed.Reason{}},
	} {
		o.Change(other, c.standing, 0)
		for i, one := range all {
			if err := one.Verify(o.Title()); err != nil {
				t.Errorf("what they might then: %v", err)
			}
			if got := sealed.ReasonOf(one.Now(o.Title())); got != c.want[i] {
				t.Errorf("%s, scope %d: %q, want %q", what, one.Scope, got, c.want[i])
			}
		}
	}
	unsigned := all[0]
	unsigned.Signatures = nil
	if got := sealed.ReasonOf(unsigned.Verify(o.Title())); got != sealed.BadSignature {
		t.Errorf("without a signature: %q", got)
	}
	if (tombstone.Tombstone{Home: o.Home()}).Covers(sealed.Binding{Home: o.Home()}) {
		t.Error("one of no scope covers something")
	}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tombstone.Sign(k, o.Title(), at, event); err == nil {
		t.Error("another kind of key signs")
	}
}

// TestSet: what is deleted of a camera's footage, in order and apart; of a home everything.
func TestSet(t *testing.T) {
	camera, other := latchkey.CameraID{1}, latchkey.CameraID{2}
	var set tombstone.Set
	spans := [][2]latchkey.Time{{50, 60}, {10, 20}, {20, 30}, {12, 14}, {70, 80}, {55, 58}, {31, 40}}
	for _, s := range spans {
		set.Add(tombstone.Tombstone{Scope: tombstone.Span, Camera: camera, From: s[0], To: s[1]})
	}
	set.Add(tombstone.Tombstone{Scope: tombstone.Events, Events: []latchkey.EventID{{1}}})
	if got, want := set.Footage(camera), []tombstone.Stretch{{From: 10, To: 30}, {From: 31, To: 40}, {From: 50, To: 60}, {From: 70, To: 80}}; !slices.Equal(got, want) {
		t.Errorf("deleted are %v, want %v", got, want)
	}
	if got := set.Footage(other); len(got) > 0 || set.Ended() {
		t.Errorf("deleted of another camera are %v; the home is: %t", got, set.Ended())
	}
	set.Add(tombstone.Tombstone{Scope: tombstone.Home})
	if got := set.Footage(other); !slices.Equal(got, []tombstone.Stretch{{From: 0, To: latchkey.MaxInt}}) || !set.Ended() {
		t.Errorf("of a home that was deleted, deleted are %v; the home is: %t", got, set.Ended())
	}
	digest, hash := [32]byte{1}, [32]byte{2}
	if want := sha256.Sum256(append(digest[:], hash[:]...)); tombstone.Next(digest, hash) != want {
		t.Error("the digest of a list is not of what is in it")
	}
}

// TestControls: with a check cut out, the vectors say so.
func TestControls(t *testing.T) {
	program, without := &sabotage.Program{Root: ".."}, map[string]sabotage.Control{}
	for what, cut := range map[string]sabotage.Cut{
		"want wrong-home":    {File: "tombstone/tombstone.go", Old: "if t.Home != title.Home() {", New: "if false {"},
		"want bad-signature": {File: "tombstone/tombstone.go", Old: "!k.Verify(t.message(), t.Signatures[0])", New: "(false && !k.Verify(nil, nil))"},
		"want not-allowed":   {File: "tombstone/tombstone.go", Old: "\t}\n\tby, _ := title.SignerAt(t.Signer, t.Head.Seq) // nobody has no role\n\tif by.Role != deed.Owner &&", New: "\t}\n\tby, _ := title.SignerAt(t.Signer, t.Head.Seq) // nobody has no role\n\tif false && by.Role != deed.Owner &&"},
	} {
		without[what] = program.Without(t, cut)
	}
	t.Parallel()
	for what, without := range without {
		out, err := without.Tests(t.Context(), "^TestVectors$")
		if err == nil || !strings.Contains(string(out), what) {
			t.Errorf("with the check of %q cut out: %v\n%s", what, err, out)
		}
	}
}

// FuzzParse: what parses is written back as the same bytes.
func FuzzParse(f *testing.F) {
	all, by := vectors.Read(f, func(v *vector) *string { return &v.Name })
	if by["go"] < 25 {
		f.Fatal("no seeds")
	}
	for _, v := range all {
		f.Add(v.Tombstone[:min(len(v.Tombstone), tombstone.Max)])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		one, err := tombstone.Parse(b)
		if err != nil {
			if sealed.ReasonOf(err) == "" {
				t.Fatalf("refused without a reason: %v", err)
			}
			return
		}
		if !bytes.Equal(one.Bytes(), b) {
			t.Fatal("a second spelling")
		}
		if !slices.IsSortedFunc(one.Events, func(a, b latchkey.EventID) int { return bytes.Compare(a[:], b[:]) }) {
			t.Fatal("events that do not ascend")
		}
	})
}
