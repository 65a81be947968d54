package server_test

import (
	"testing"

	"github.com/latchkey-cam/latchkey"
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
	t.Parallel()
	for want, cut := range map[string]sabotage.Cut{
		"after being removed: 200": {File: "server/heads.go", Old: "	defer f.heads.forget(g.Home)\n", New: ""},
		"after signing out: 200": {
			File: "server/heads.go", Old: "	defer f.heads.forget(home)\n	return f.Sessions.EndSession", New: "	return f.Sessions.EndSession",
		},
	} {
		t.Run(want, func(t *testing.T) { control(t, "TestHeadsAreForgotten", want, cut) })
	}
}
