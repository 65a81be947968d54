package open_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/cobblestone"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/open"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/settings"
)

// hoard is all that a server ever had of a home, given to somebody who was removed:
// every object with every envelope, every settings document and every condition, each
// under a name that says when it was made.
type hoard struct {
	objects  map[string]keytest.Object
	settings map[string]sealed.Settings
	letters  map[string]sealed.Letter
}

// opens returns the names of everything that one of the keys opens. It asks no rule that
// an honest reader would: every key is tried on everything that is sealed to anybody.
func (h *hoard) opens(keys []*key.Private) []string {
	var names []string
	for name, o := range h.objects {
		b := o.File.Header.Binding
		for _, e := range o.File.Envelopes {
			info := sealed.EnvelopeInfo(b, e.Recipient, e.Key, e.Epoch)
			if anyKeyOpens(keys, info, e.Sealed, o.Body, b.Bytes()) {
				names = append(names, name)
			}
		}
	}
	for name, s := range h.settings {
		for _, k := range s.Recipients {
			if anyKeyOpens(keys, s.KeyInfo(k.Recipient, k.Key, k.Epoch), k.Sealed, s.Body, s.Context()) {
				names = append(names, name)
			}
		}
	}
	for name, l := range h.letters {
		for _, k := range l.Recipients {
			if anyKeyOpens(keys, l.KeyInfo(k.Recipient, k.Key, k.Epoch), k.Sealed, l.Body, l.Context()) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func anyKeyOpens(keys []*key.Private, info, sealedKey, body, context []byte) bool {
	return slices.ContainsFunc(keys, func(k *key.Private) bool {
		objectKey, err := k.Open(info, sealedKey)
		if err != nil {
			return false
		}
		_, err = cobblestone.Open(objectKey, context, body)
		return err == nil
	})
}

// keysOf are all that somebody ever had: their own keys, and whatever epochs those open
// in the chain as it was at any deed; and the epochs that they made.
func keysOf(t *testing.T, last *deed.Title, made key.Ring, own ...*key.PersonKeys) []*key.Private {
	t.Helper()
	keys := map[latchkey.KeyID]*key.Private{}
	add := func(ring key.Ring) {
		for _, e := range ring.Epochs() {
			k, _ := ring.Epoch(e)
			keys[k.ID()] = k
		}
	}
	add(made)
	for _, k := range own {
		keys[k.KEM.ID()] = k.KEM
		for n := range last.Head().Seq + 1 {
			title, err := deed.Start(last.Deeds(0)[:n+1]...)
			if err != nil {
				t.Fatal(err)
			}
			ring, err := key.OpenEpochs(title, k)
			if err != nil {
				t.Fatal(err)
			}
			add(ring)
		}
	}
	return slices.Collect(maps.Values(keys))
}

// recorder is an agent that records at one time and uploads at another.
type recorder struct {
	agent  *keytest.Agent
	camera latchkey.CameraID
	into   *hoard
}

// record seals a body now. Nobody's envelope is beside it yet.
func (r *recorder) record(t *deed.Title) keytest.Object {
	o := r.agent.Object(t, r.camera, latchkey.Thumbnail, []byte("what happened at the door"))
	o.File.Envelopes = nil
	return o
}

// upload wraps an object for those who are entitled now.
func (r *recorder) upload(t *testing.T, name string, o keytest.Object, title *deed.Title, now latchkey.Time) {
	t.Helper()
	b := o.File.Header.Binding
	e, err := seal.WrapForEpoch(o.Key, b, title)
	if err != nil {
		t.Fatal(err)
	}
	o.File.Envelopes = []sealed.Envelope{e}
	for _, p := range title.Recipients(b.Camera, b.Kind, b.Head.Seq, now, true) {
		kind := sealed.ToPerson
		if p.Role == deed.Link {
			kind = sealed.ToLink
		}
		e, err := seal.Wrap(o.Key, b, kind, p.KEM, title.Epoch())
		if err != nil {
			t.Fatal(err)
		}
		o.File.Envelopes = append(o.File.Envelopes, e)
	}
	r.into.objects[name] = o
}

// life is what a home makes at one time: an object, settings, a condition. What was
// recorded before and not uploaded yet is uploaded now.
func (r *recorder) life(t *testing.T, when string, o *keytest.Owner, late *keytest.Object, now latchkey.Time) keytest.Object {
	t.Helper()
	title := o.Title()
	if late != nil {
		r.upload(t, when+" object recorded earlier", *late, title, now)
	}
	r.upload(t, when+" object", r.record(title), title, now)
	s, err := sealed.ParseSettings(o.Settings(nil, settings.Content{Home: "Ours", Zone: "UTC", Cameras: map[latchkey.CameraID]settings.Camera{}}))
	if err != nil {
		t.Fatal(err)
	}
	r.into.settings[when+" settings"] = s
	b, err := letter.SealCondition(r.agent.Keys, title, 1, 1, now, letter.Condition{Clock: letter.Clock{Quality: letter.Synchronised}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := sealed.ParseLetter(b)
	if err != nil {
		t.Fatal(err)
	}
	r.into.letters[when+" condition"] = l
	return r.record(title)
}

// everything are the names of what one time made, by those who see the whole home.
func everything(whens ...string) (names []string) {
	for _, when := range whens {
		names = append(names, when+" condition", when+" object", when+" settings")
		if when != "1" && when != "6" {
			names = append(names, when+" object recorded earlier")
		}
	}
	slices.Sort(names)
	return names
}

// TestRemovedOpensNothing: with all that the server ever had, and all keys that they
// ever had, people who were removed open nothing that was sealed for others after it:
// neither what was made then nor what was recorded before and uploaded then. Whoever
// was given a past opens that past and no more.
func TestRemovedOpensNothing(t *testing.T) {
	const minute = 60_000_000
	owner := keytest.NewOwner()
	owner.Found()
	agent := owner.PlaceAgent()
	h := &hoard{map[string]keytest.Object{}, map[string]sealed.Settings{}, map[string]sealed.Letter{}}
	r := &recorder{agent, owner.PlaceCamera(agent), h}
	other := owner.PlaceCamera(agent)
	now := owner.Now() + minute

	late := r.life(t, "1", owner, nil, now)
	owner.StartEpoch()
	late = r.life(t, "2", owner, &late, now)

	anna := owner.Join(keytest.NewPerson(), keytest.AsResident)
	tom, ina := keytest.NewPerson(), keytest.NewPerson()
	owner.Admit(owner.Invite(keytest.AsResident), tom, 1)
	owner.Admit(owner.Invite(keytest.AsResident), ina, 2)
	bob := owner.Join(keytest.NewPerson(), keytest.AsOwner)
	gus := owner.Join(keytest.NewPerson(), keytest.AsGuest(r.camera))
	max := owner.Join(keytest.NewPerson(), keytest.AsGuest(other))
	until := now + 10*minute
	ivy := owner.Join(keytest.NewPerson(), deed.Standing{Role: deed.Guest, Rights: keytest.Rights(until)})
	link := owner.Lend(keytest.Rights(until, r.camera))
	phone := keytest.NewPerson()
	owner.Admit(owner.Invite(keytest.AsResident), phone, 0)
	late = r.life(t, "3", owner, &late, now)

	owner.Dismiss(anna)
	owner.Dismiss(ina)
	owner.Dismiss(gus)
	stolen := *owner.As(phone)
	found := owner.Recover(phone, 0) // phone is the thief's from here on
	late = r.life(t, "4", owner, &late, until)

	owner.As(bob) // bob looks, and keeps what he sees
	owner.Change(tom, keytest.AsGuest(other), 0)
	late = r.life(t, "5", owner, &late, until)

	eve := owner.HandOver(keytest.NewPerson()) // what was not uploaded by now is thrown away
	r.life(t, "6", eve, nil, until)
	last := eve.Title()

	own := func(objects ...string) []string { slices.Sort(objects); return objects }
	for _, c := range []struct {
		who  string
		keys []*key.Private
		want []string
	}{
		{"a resident who was dismissed", keysOf(t, last, key.Ring{}, anna.Keys), everything("3")},
		{"a resident who was given all of the past", keysOf(t, last, key.Ring{}, tom.Keys), everything("1", "2", "3", "4")},
		{"a resident who was given some of the past", keysOf(t, last, key.Ring{}, ina.Keys), everything("2", "3")},
		{"a guest who was dismissed", keysOf(t, last, key.Ring{}, gus.Keys), own("3 object")},
		{"a guest of another camera", keysOf(t, last, key.Ring{}, max.Keys), nil},
		{"a guest whose rights ended", keysOf(t, last, key.Ring{}, ivy.Keys), own("3 object")},
		{"a link that ended", keysOf(t, last, key.Ring{}, link.Keys), own("3 object")},
		{"the thief of a phone, after the rekey", keysOf(t, last, stolen.Ring(), phone.Keys), everything("3")},
		{"whoever lost the phone, with the new keys", keysOf(t, last, key.Ring{}, found.Keys), everything("4", "5")},
		{"an owner who sold the home", keysOf(t, last, owner.Ring(), owner.Keys), everything("1", "2", "3", "4", "5")},
		{"the other former owner", keysOf(t, last, key.Ring{}, bob.Keys), everything("3", "4", "5")},
		{"whoever bought the home", keysOf(t, last, eve.Ring(), eve.Keys), everything("6")},
	} {
		if diff := cmp.Diff(c.want, h.opens(c.keys)); diff != "" {
			t.Errorf("%s (-may open +opens):\n%s", c.who, diff)
		}
	}

	// Guests and links open what is theirs by all rules of an honest reader too.
	for _, p := range []*keytest.Person{gus, ivy, link} {
		o := h.objects["3 object"]
		var content bytes.Buffer
		if err := open.Open(o.File, bytes.NewReader(o.Body), o.Name(), last, key.Ring{}.AddOwn(p.Keys.KEM), &content); err != nil || content.Len() == 0 {
			t.Errorf("a guest reads %q, %v", content.String(), err)
		}
	}
}

// TestRemovedOpensNothingNotices is the control: with one envelope too many, for an old
// epoch or for a guest who is gone, the test above says so.
func TestRemovedOpensNothingNotices(t *testing.T) {
	owner, agent, camera := house(t)
	anna := owner.Join(keytest.NewPerson(), keytest.AsResident)
	gus := owner.Join(keytest.NewPerson(), keytest.AsGuest(camera))
	old, _ := owner.Title().EpochKey(owner.Title().Epoch())
	owner.Dismiss(anna)
	owner.Dismiss(gus)
	title := owner.Title()
	for _, c := range []struct {
		who  *keytest.Person
		kind sealed.RecipientKind
		to   deed.Key
	}{{anna, sealed.ToEpoch, old}, {gus, sealed.ToPerson, gus.Keys.KEM.Public()}} {
		o := agent.Object(title, camera, latchkey.Thumbnail, []byte("what happened at the door"))
		h := &hoard{objects: map[string]keytest.Object{"it": o}}
		keys := keysOf(t, title, key.Ring{}, c.who.Keys)
		if got := h.opens(keys); got != nil {
			t.Fatalf("they open %v already", got)
		}
		e, err := seal.Wrap(o.Key, o.File.Header.Binding, c.kind, c.to, title.Epoch()-1)
		if err != nil {
			t.Fatal(err)
		}
		o.File.Envelopes = append(o.File.Envelopes, e)
		h.objects["it"] = o
		if got := h.opens(keys); !slices.Equal(got, []string{"it"}) {
			t.Errorf("an object that was wrapped for somebody who is gone is not found: %v", got)
		}
		var content bytes.Buffer
		err = open.Open(o.File, bytes.NewReader(o.Body), o.Name(), title, c.who.Ring(title), &content)
		if sealed.ReasonOf(err) != sealed.OldEpoch {
			t.Errorf("an honest reader takes it: %v, want %s", err, sealed.OldEpoch)
		}
	}
}
