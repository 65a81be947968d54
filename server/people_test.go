package server_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// listed returns the names that somebody's list has.
func listed(t *testing.T, page *api.Home) (names []latchkey.Name) {
	t.Helper()
	events, err := page.Events(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events.Events {
		for _, row := range e.Objects {
			names = append(names, must(sealed.ParseHeader(row.Header)).Name())
		}
	}
	return names
}

// gives says whether a page is given an object.
func gives(t *testing.T, page *api.Home, name latchkey.Name) bool {
	t.Helper()
	d, err := page.Object(t.Context(), name)
	if err == nil {
		d.File.Close()
	} else if api.ReasonOf(err) != api.NotFound {
		t.Fatal(err)
	}
	return err == nil
}

// TestEverybodySeesTheirs: lists and objects are those that were made for the asker, by
// camera and kind, from when they stood in the home.
func TestEverybodySeesTheirs(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	early := m.shared(m.camera, latchkey.Thumbnail).Name()
	door, garden := m.shared(m.camera, latchkey.Clip).Name(), m.shared(m.garden, latchkey.Thumbnail).Name()
	before := m.owner.Title().Head()
	late := m.owner.Join(keytest.NewPerson(), keytest.AsResident)
	heir := m.owner.Invite(keytest.AsResident)
	withPast := keytest.NewPerson()
	m.owner.Admit(heir, withPast, 1)
	pictures := m.owner.Join(keytest.NewPerson(), deed.Standing{Role: deed.Guest, Rights: deed.Rights{Kinds: deed.SeesThumbnails, Every: true}})
	m.append(before)
	now, film := m.shared(m.garden, latchkey.Thumbnail).Name(), m.shared(m.garden, latchkey.Clip).Name()
	all := []latchkey.Name{early, door, garden, now, film}
	for who, tt := range map[string]struct {
		page *api.Home
		want []latchkey.Name
	}{
		"the owner":                 {m.member, all},
		"a resident":                {m.pages[resident], all},
		"a guest of the door":       {m.pages[guest], []latchkey.Name{early, door}},
		"a guest of the garden":     {m.pages[elsewhere], []latchkey.Name{garden, now, film}},
		"who came later":            {m.page(late), []latchkey.Name{now, film}},
		"who was given the past":    {m.page(withPast), all},
		"who may see pictures only": {m.page(pictures), []latchkey.Name{now}},
	} {
		got := listed(t, tt.page)
		sort := func(a, b latchkey.Name) int { return strings.Compare(a.String(), b.String()) }
		slices.SortFunc(got, sort)
		want := slices.SortedFunc(slices.Values(tt.want), sort)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s lists (-want +got):\n%s", who, d)
		}
		for _, name := range all {
			if got := gives(t, tt.page, name); got != slices.Contains(tt.want, name) {
				t.Errorf("%s is given %s: %t", who, name, got)
			}
		}
	}
}

// TestListGoesOn: somebody who may see little is given short pages that lead to the end.
func TestListGoesOn(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	first := m.shared(m.camera, latchkey.Thumbnail).Name()
	for range 5 {
		m.shared(m.garden, latchkey.Thumbnail)
	}
	page, err := m.pages[guest].Events(t.Context(), "", 1)
	if err != nil || len(page.Events) != 1 || must(sealed.ParseHeader(page.Events[0].Objects[0].Header)).Name() != first {
		t.Errorf("%v, %v", page, err)
	}
}

func TestFrozenHomeShowsNothing(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	name := m.shared(m.camera, latchkey.Thumbnail).Name()
	sign := func(o *keytest.Owner, b deed.Body) {
		t.Helper()
		before := m.owner.Title().Head()
		d := o.Sign(b)
		if _, err := m.member.Append(t.Context(), before, d); err != nil {
			t.Fatal(err)
		}
		m.owner.Adopt(o.Title())
	}
	sign(m.owner.As(m.people[resident]), deed.FreezeBody{})
	for who, page := range map[string]*api.Home{owner: m.member, resident: m.pages[resident], guest: m.pages[guest]} {
		_, err := page.Object(t.Context(), name)
		wantReason(t, who+" asks for an object", err, api.Frozen)
		_, err = page.Events(t.Context(), "", 0)
		wantReason(t, who+" asks for events", err, api.Frozen)
	}
	m.shared(m.camera, latchkey.Thumbnail) // it is recorded all the same
	sign(m.owner, deed.ThawBody{})
	if got := listed(t, m.pages[guest]); len(got) != 2 {
		t.Errorf("after the thaw a guest lists %v", got)
	}
}

// TestUploadsAreForThoseOfNow: an agent that does not yet know of a removal is told, and
// what was recorded for those who lived there before is not taken.
func TestUploadsAreForThoseOfNow(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	over, _ := m.owner.Title().Person(m.people[expired].ID())
	stale := m.wrapped(m.object(latchkey.Thumbnail, "recorded before"))
	before := m.owner.Title().Head()
	m.owner.Dismiss(m.people[guest])
	m.append(before)
	wantReason(t, "an envelope for a guest who was removed", m.put(stale), api.OldEpoch)
	stale.File.Envelopes = stale.File.Envelopes[:1]
	if err := m.put(stale); err != nil {
		t.Fatal(err)
	}
	late := m.object(latchkey.Thumbnail, "after the end")
	late = m.wrapped(late, over)
	wantReason(t, "an envelope for a guest of another camera", m.put(m.wrapped(m.agent.Object(m.owner.Title(), m.camera, latchkey.Clip, []byte("x")), must(m.person(elsewhere)))), api.OldEpoch)
	if err := m.put(late); err != nil {
		t.Errorf("an envelope whose rights have run out: %v", err)
	}
	wantReason(t, "an envelope for a stranger", m.put(m.wrapped(m.object(latchkey.Clip, "x"), deed.Person{KEM: keytest.NewPerson().Keys.KEM.Public()})), api.Reason(sealed.UnknownEpoch))
	old := m.object(latchkey.Thumbnail, "of those before")
	before = m.owner.Title().Head()
	heir := keytest.NewPerson()
	next := m.owner.HandOver(heir)
	m.append(before)
	wantReason(t, "recorded before the home was handed over", m.put(old), api.HandedOver)
	m.owner = next
	if got := listed(t, m.page(heir)); len(got) != 0 {
		t.Errorf("the new owner lists %v", got)
	}
	o := m.object(latchkey.Thumbnail, "the new owner's")
	if err := m.put(o); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, m.page(heir)); len(got) != 1 {
		t.Errorf("the new owner lists %v of their own", got)
	}
	if _, _, err := m.member.Deeds(t.Context(), 0); api.ReasonOf(err) != api.SignedOut {
		t.Errorf("the former owner is told %v", err)
	}
}

func (m *household) person(who string) (deed.Person, error) {
	p, _ := m.owner.Title().Person(m.people[who].ID())
	return p, nil
}

// TestPersonalSignIn: a person's own key reads the chain and appends to it, and is shown
// nothing; a removal ends it.
func TestPersonalSignIn(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	if _, _, err := m.pages[arrived].Deeds(t.Context(), 0); err != nil {
		t.Error(err)
	}
	o := m.owner.As(m.people[resident])
	before := o.Title().Head()
	tablet := o.AddDevice()
	if _, err := m.pages[arrived].Append(t.Context(), before, o.Title().Deeds(before.Seq+1)...); err != nil {
		t.Fatal(err)
	}
	m.owner.Adopt(o.Title())
	if _, err := h.client.SignIn(t.Context(), m.owner.Home(), tablet.Device, tablet.DeviceSigning, m.owner.Title().Head()); err != nil {
		t.Errorf("the device that was added: %v", err)
	}
	_, err := h.client.SignInPerson(t.Context(), m.owner.Home(), m.people[removed].ID(), m.people[removed].Keys.Signing, m.owner.Title().Head())
	wantReason(t, "somebody who was removed", err, api.SignInRefused)
	_, err = h.client.SignInPerson(t.Context(), m.owner.Home(), m.people[resident].ID(), m.people[resident].Keys.DeviceSigning, m.owner.Title().Head())
	wantReason(t, "a device's key for a person's", err, api.SignInRefused)
	before = m.owner.Title().Head()
	m.owner.Dismiss(m.people[resident])
	m.append(before)
	_, _, err = m.pages[arrived].Deeds(t.Context(), 0)
	wantReason(t, "after the removal", err, api.SignedOut)
}

// TestSettingsForThoseOfNow: a document that was sealed before somebody was removed is
// not taken after it.
func TestSettingsForThoseOfNow(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	stale := m.settings(nil, "x")
	before := m.owner.Title().Head()
	m.owner.Dismiss(m.people[resident])
	m.append(before)
	wantReason(t, "settings for those of before", m.member.PutSettings(t.Context(), stale), api.Conflict)
	if err := m.member.PutSettings(t.Context(), m.settings(nil, "x")); err != nil {
		t.Error(err)
	}
}

// TestInvitedPerson meets a person in a slot, from the invitation to the first look.
func TestInvitedPerson(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	secret := api.NewInviteSecret()
	reveal := [api.RevealSize]byte{1, 2, 3}
	expires := latchkey.TimeOf(h.time().Add(24 * time.Hour))
	said := secret.Announce(api.Invitation{
		Home: m.owner.Home(), Head: m.owner.Title().Head(), Expires: expires, Invite: latchkey.NewInviteID(), Commitment: api.Commit(reveal),
	})
	if err := m.member.OpenInvite(t.Context(), secret.Slot(), said, expires); err != nil {
		t.Fatal(err)
	}
	wantReason(t, "a reveal before anybody has answered", m.member.Reveal(t.Context(), secret.Slot(), reveal), api.Conflict)
	i := must(secret.CheckInvitation(must(h.client.JoinSlot(t.Context(), secret.Slot())), h.time()))
	answer := secret.Accept(i, keytest.NewPerson().Keys.Public(), nil)
	wantReason(t, "an agent's answer", h.client.AnswerJoin(t.Context(), secret.Slot(), must(api.NewJoinSecret().Answer(make([]byte, 112), must(newAgentBody())))), api.Malformed)
	if err := h.client.AnswerJoin(t.Context(), secret.Slot(), answer); err != nil {
		t.Fatal(err)
	}
	wantReason(t, "another answer", h.client.AnswerJoin(t.Context(), secret.Slot(), secret.Accept(i, keytest.NewPerson().Keys.Public(), nil)), api.Expired)
	if got := must(m.member.Join(t.Context(), secret.Slot())); string(got) != string(answer) {
		t.Error("the owner is given another answer")
	}
	if err := m.member.Reveal(t.Context(), secret.Slot(), reveal); err != nil {
		t.Fatal(err)
	}
	_, text := h.do(t, raw{method: "GET", path: "/v1/joins/" + secret.Slot().String()})
	var slot api.JoinSlot
	if err := json.Unmarshal([]byte(text), &slot); err != nil || string(slot.Reveal) != string(reveal[:]) {
		t.Errorf("the guest is shown %s, %v", text, err)
	}
	long := latchkey.TimeOf(h.time().Add(30 * 24 * time.Hour))
	wantReason(t, "an invitation for a month", m.member.OpenInvite(t.Context(), api.Slot{1}, secret.Announce(api.Invitation{
		Home: m.owner.Home(), Head: m.owner.Title().Head(), Expires: long,
	}), long), api.Expired)
	if err := m.member.CloseJoin(t.Context(), secret.Slot()); err != nil {
		t.Fatal(err)
	}
	_, err := h.client.JoinSlot(t.Context(), secret.Slot())
	wantReason(t, "after it was withdrawn", err, api.NotFound)
}
