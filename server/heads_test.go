package server_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// TestHeadsAreForgotten: a server that remembers where a home's chain ends, and that hears
// no news, lets nobody in any more whose right its own answer says has ended.
func TestHeadsAreForgotten(t *testing.T) {
	deaf := &hung{}
	var config server.Config
	h := openHouse(t, func(c *server.Config) {
		deaf.Outbox, c.Archive.Outbox = c.Archive.Outbox, deaf
		config = *c
		config.Origin = ""
	})
	m := h.found(t)
	before := m.owner.Title().Head()
	person := m.owner.Join(keytest.NewPerson(), keytest.AsResident)
	m.append(before)
	path := objectPath(m.stored(latchkey.Thumbnail, "a picture").Name())
	h = h.again(t, config) // which has to read the deeds, and keeps them
	m = m.at(t, h)
	m.member = m.signIn()
	removed, out := m.as(m.page(person)), m.as(m.signIn())
	asks := func(who *home) int {
		answer, _ := h.do(t, raw{method: "GET", path: path, header: who.asPage(), mac: who.mac()})
		return answer.StatusCode
	}
	for _, who := range []*home{removed, out} {
		if got := asks(who); got != 200 {
			t.Fatalf("before: %d", got)
		}
	}
	deaf.on.Store(true)
	if err := out.member.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := asks(out); got != 401 {
		t.Errorf("after signing out: %d", got)
	}
	if got := asks(removed); got != 200 { // which is remembered now
		t.Fatalf("before the removal: %d", got)
	}
	before = m.owner.Title().Head()
	m.owner.Dismiss(person)
	m.append(before)
	if got := asks(removed); got != 401 {
		t.Errorf("after being removed: %d", got)
	}
}

func TestHeadsAreForgottenControl(t *testing.T) {
	all := map[string]sabotage.Control{}
	for want, cut := range map[string]sabotage.Cut{
		"after being removed: 200": {File: "server/heads.go", Old: "	defer f.heads.forget(g.Home)\n", New: ""},
		"after signing out: 200": {
			File: "server/heads.go", Old: "	defer f.heads.forget(home)\n	return f.Sessions.EndSession", New: "	return f.Sessions.EndSession",
		},
	} {
		all[want] = controls.Without(t, cut)
	}
	t.Parallel()
	for want, without := range all {
		sees(t, without, "TestHeadsAreForgotten", want)
	}
}

// overtaken are homes at which somebody else always was a moment earlier.
type overtaken struct{ archive.Homes }

func (overtaken) Append(context.Context, latchkey.Head, archive.Growth) error {
	return archive.ErrConflict
}

// TestOvertakenAppend: deeds that the archive has refused are not said to be taken, by a
// server that remembers heads either.
func TestOvertakenAppend(t *testing.T) {
	var config server.Config
	h := openHouse(t, func(c *server.Config) { config = *c })
	m := h.found(t)
	config.Origin, config.Archive.Homes = "", overtaken{config.Archive.Homes}
	m = m.at(t, h.again(t, config))
	m.member = m.signIn()
	before := m.owner.Title().Head()
	if head, err := m.member.Append(within(t), before, m.owner.StartEpoch()); err == nil {
		t.Errorf("it is said to lead to %s", head)
	}
}

// astray is an archive's homes whose deeds are missing, or whose heads are on no chain.
type astray struct {
	archive.Homes
	none, off atomic.Bool
}

func (a *astray) Deeds(ctx context.Context, home latchkey.HomeID, from uint64, max int) ([]archive.Deed, error) {
	if a.none.Load() {
		return nil, nil
	}
	return a.Homes.Deeds(ctx, home, from, max)
}

func (a *astray) Head(ctx context.Context, home latchkey.HomeID) (archive.HomeHead, error) {
	head, err := a.Homes.Head(ctx, home)
	if a.off.Load() {
		head.Head.Hash[0]++
	}
	return head, err
}

// TestTitlesFollowTheHead: what one server has taken, another knows with the next
// question. Without the deeds up to the head, or with a head of another chain, there is
// no title, and nobody gets anything.
func TestTitlesFollowTheHead(t *testing.T) {
	var config server.Config
	h := openHouse(t, func(c *server.Config) { c.Bus, c.Cache = bus.NewLocal(), nil; config = *c })
	m := h.found(t)
	x := &astray{Homes: config.Archive.Homes}
	config.Origin, config.Archive.Homes = "", x
	other := m.at(t, h.again(t, config))
	want := func(what string, status int) {
		t.Helper()
		answer, text := other.house.do(t, raw{method: "GET", path: m.path("/events"), header: m.asPage(), mac: m.mac()})
		if answer.StatusCode != status {
			t.Errorf("%s: %d %s, want %d", what, answer.StatusCode, text, status)
		}
	}
	want("at first", 200)
	before := m.owner.Title().Head()
	person := m.owner.Join(keytest.NewPerson(), keytest.AsResident)
	m.append(before)
	other.page(person) // stands there, too
	x.off.Store(true)
	want("with a head of no chain", 500)
	x.off.Store(false)
	want("with its own", 200)
	x.none.Store(true) // before the news of them
	m.startEpoch()
	want("without the new deeds", 500)
	x.none.Store(false)
	want("with them", 200)
}
