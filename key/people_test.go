package key_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// lived is a home with three epochs.
func lived() *keytest.Owner {
	o := keytest.NewOwner()
	o.Found()
	o.StartEpoch()
	o.StartEpoch()
	return o
}

// TestWhoOpensWhichEpoch: a newcomer opens what is from then on and the past that they
// were given, whoever goes opens nothing more, and whoever rekeys loses nothing.
func TestWhoOpensWhichEpoch(t *testing.T) {
	o := lived()
	anna := o.Join(keytest.NewPerson(), keytest.AsResident) // epoch 4
	tom := keytest.NewPerson()
	o.Admit(o.Invite(keytest.AsResident), tom, 2) // epoch 5
	gus := o.Join(keytest.NewPerson(), keytest.AsGuest())
	o.Change(gus, keytest.AsResident, 1) // epoch 6
	o.Dismiss(anna)                      // epoch 7
	o.Rekey()                            // epoch 8
	found := o.Recover(tom, 5)           // epoch 9
	bob := o.HandOver(keytest.NewPerson())
	for _, c := range []struct {
		who  string
		keys *key.PersonKeys
		want []latchkey.Epoch
	}{
		{"anna, dismissed", anna.Keys, []latchkey.Epoch{4, 5, 6}},
		{"tom, with the lost keys", tom.Keys, []latchkey.Epoch{2, 3, 4, 5, 6, 7, 8}},
		{"tom, recovered", found.Keys, []latchkey.Epoch{5, 6, 7, 8, 9}},
		{"gus, once a guest", gus.Keys, []latchkey.Epoch{1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"the owner, with new keys", o.Keys, []latchkey.Epoch{1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"the next owner", bob.Keys, []latchkey.Epoch{10}},
		{"a stranger", keytest.NewPerson().Keys, nil},
	} {
		ring, err := key.OpenEpochs(bob.Title(), c.keys)
		if err != nil {
			t.Errorf("%s: %v", c.who, err)
		}
		if diff := cmp.Diff(c.want, ring.Epochs()); diff != "" {
			t.Errorf("%s opens (-want +have):\n%s", c.who, diff)
		}
		if k, ok := ring.Find(sealed.ToPerson, c.keys.KEM.ID()); !ok || k != c.keys.KEM {
			t.Errorf("%s: their own key is not in the ring", c.who)
		}
	}
}

// TestOwnKeysOfARing: an envelope for a person or a link is found by the person's own
// keys, a former one too, and none of them is an epoch's.
func TestOwnKeysOfARing(t *testing.T) {
	now, before := private(t), private(t)
	ring := key.Ring{}.AddOwn(before).AddOwn(now)
	for _, k := range []*key.Private{now, before} {
		for _, kind := range []sealed.RecipientKind{sealed.ToPerson, sealed.ToLink} {
			if found, ok := ring.Find(kind, k.ID()); !ok || found != k {
				t.Errorf("not found as a recipient of kind %d", kind)
			}
		}
		if _, ok := ring.Find(sealed.ToEpoch, k.ID()); ok {
			t.Error("a person's key is found as an epoch's")
		}
	}
}

// TestPastThatCannotBeSealed: a past is whole or not at all.
func TestPastThatCannotBeSealed(t *testing.T) {
	o := lived()
	to := keytest.NewPerson().Keys.Public()
	gaps := key.Ring{}
	for _, e := range []latchkey.Epoch{1, 3} {
		k, _ := o.Ring().Epoch(e)
		gaps = gaps.Add(e, k)
	}
	for name, c := range map[string]struct {
		ring key.Ring
		from latchkey.Epoch
	}{
		"from epoch 0":             {o.Ring(), 0},
		"from an epoch to come":    {o.Ring(), 4},
		"with an epoch missing":    {gaps, 1},
		"with nothing in the ring": {key.Ring{}, 3},
	} {
		if p, err := key.SealPast(o.Title(), c.ring, c.from, to); err == nil {
			t.Errorf("%s: sealed a past from epoch %d", name, p.From)
		}
	}
	if _, err := key.SealPast(o.Title(), gaps, 3, to); err != nil {
		t.Error(err)
	}
	for range deed.MaxPast - 2 {
		o.StartEpoch()
	}
	for from, ok := range map[latchkey.Epoch]bool{1: false, 2: true} {
		if _, err := key.SealPast(o.Title(), o.Ring(), from, to); (err == nil) != ok {
			t.Errorf("a past of epochs %d to %d: %v", from, o.Title().Epoch(), err)
		}
	}
}

// TestBadPastIsNamed: an owner can give a past that does not open, or other keys than
// the epochs'. The fold cannot see that; the person is told which it is.
func TestBadPastIsNamed(t *testing.T) {
	for name, spoil := range map[string]func(o *keytest.Owner, to deed.Person, past *deed.Past){
		"a past that does not open": func(_ *keytest.Owner, _ deed.Person, p *deed.Past) { p.Sealed[1130] ^= 1 },
		"a past for somebody else": func(o *keytest.Owner, _ deed.Person, p *deed.Past) {
			*p = past(t, o, 2, keytest.NewPerson().Keys.Public())
		},
		"a past of other epochs": func(o *keytest.Owner, to deed.Person, p *deed.Past) {
			other := keytest.NewOwner()
			other.Found()
			other.StartEpoch()
			k1, _ := other.Ring().Epoch(1)
			k2, _ := other.Ring().Epoch(2)
			*p = past(t, o, 2, to, key.Ring{}.Add(2, k1).Add(3, k2))
		},
	} {
		o, anna := lived(), keytest.NewPerson()
		i := o.Invite(keytest.AsResident)
		b := deed.AdmitBody{Proof: i.Proof(anna, o.Home()), Person: anna.Keys.Public(), Past: past(t, o, 2, anna.Keys.Public())}
		b.Turn = o.Turn(append(o.Title().WholeHome(), b.Person))
		spoil(o, b.Person, &b.Past)
		o.Sign(b)
		ring, err := key.OpenEpochs(o.Title(), anna.Keys)
		if err == nil || !strings.Contains(err.Error(), "epoch") || len(ring.Epochs()) != 0 {
			t.Errorf("%s: %v, want an error that names the epochs", name, err)
		}
	}
}

// pastInfo is what the page says that a past is bound to (docs/deed.md, "Past").
func pastInfo(home latchkey.HomeID, from, last uint64, to deed.Key) []byte {
	id := to.ID()
	b := append([]byte("latchkey past v1\x00"), home[:]...)
	b = binary.BigEndian.AppendUint64(b, from)
	b = binary.BigEndian.AppendUint64(b, last)
	return append(b, id[:]...)
}

// seeds are the keys of a home's epochs from one on.
func seeds(o *keytest.Owner, from latchkey.Epoch) (all []byte) {
	for _, e := range o.Ring().Epochs() {
		if k, _ := o.Ring().Epoch(e); e >= from {
			all = append(all, k.Seed()...)
		}
	}
	return all
}

// TestPastIsBoundAsThePageSays: to the home, to its epochs, to whoever it is for.
func TestPastIsBoundAsThePageSays(t *testing.T) {
	o, anna := lived(), keytest.NewPerson().Keys
	p := past(t, o, 2, anna.Public())
	if plain, err := anna.KEM.Open(pastInfo(o.Home(), 2, 3, anna.KEM.Public()), p.Sealed); err != nil || !bytes.Equal(plain, seeds(o, 2)) {
		t.Errorf("bound to something else than the page says: %v", err)
	}
}

// TestRingKeepsWhatItHas: another key of the same epoch takes nobody's place.
func TestRingKeepsWhatItHas(t *testing.T) {
	first, second := private(t), private(t)
	if k, _ := (key.Ring{}).Add(1, first).Add(1, second).Epoch(1); k != second {
		t.Error("a ring gives the key that it was not given last")
	}
}

func past(t *testing.T, o *keytest.Owner, from latchkey.Epoch, to deed.Person, of ...key.Ring) deed.Past {
	t.Helper()
	p, err := key.SealPast(o.Title(), append(of, o.Ring())[0], from, to)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestKeysOfOnePerson: another device has the person's keys and its own, a rekey has
// nothing of what was.
func TestKeysOfOnePerson(t *testing.T) {
	k := keytest.NewPerson().Keys
	phone := k.NewDevice()
	next, err := k.Rekey()
	if err != nil {
		t.Fatal(err)
	}
	was, also, is := k.Public(), phone.Public(), next.Public()
	same := func(a, b []deed.Key) bool { return a[0].ID() == b[0].ID() }
	if also.ID != was.ID || !same(also.Signing, was.Signing) || also.KEM.ID() != was.KEM.ID() || phone.Device == k.Device || same(also.Devices[0].Signing, was.Devices[0].Signing) {
		t.Error("another device is not the same person with keys of its own")
	}
	if is.ID != was.ID || same(is.Signing, was.Signing) || is.KEM.ID() == was.KEM.ID() || next.Device == k.Device || same(is.Devices[0].Signing, was.Devices[0].Signing) {
		t.Error("a rekey keeps something, or is somebody else")
	}
	if b := phone.DeviceBody(); b.Device != phone.Device || !same(b.Signing, also.Devices[0].Signing) {
		t.Error("the statement of the device is another's")
	}
}

// TestTurnAscends: however the people are given, the wraps are in the order that the
// chain wants.
func TestTurnAscends(t *testing.T) {
	o := lived()
	var people []deed.Person
	for range 5 {
		people = append(people, keytest.NewPerson().Keys.Public())
	}
	given := slices.Clone(people)
	b, _, err := key.Turn(o.Title(), people)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(b.Wraps, func(v, w deed.Wrap) int { return bytes.Compare(v.Person[:], w.Person[:]) }) || b.Number != 4 {
		t.Errorf("epoch %d of %d wraps does not ascend", b.Number, len(b.Wraps))
	}
	if !cmp.Equal(given, people) {
		t.Error("the caller's people were put in order")
	}
}
