package archivetest

import (
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

func restored(t *testing.T, s Subject) {
	one, two := found(t, s, 1), found(t, s, 2)
	must(t, s.Sessions.StartSession(t.Context(), archive.Session{Home: one.home, Secret: secret("session"), Keys: []api.MACKey{{1}}, Expires: Now + 1000}))
	must(t, s.Joins.OpenJoin(t.Context(), archive.Join{Home: one.home, Slot: api.Slot{1}, Announcement: []byte("a"), Expires: Now + 1000}, Now))
	must(t, s.Setups.MintSetup(t.Context(), secret("left over"), Now+1000))
	agent := latchkey.NewAgentID()
	arrive := func(n uint64, token, next string) error {
		return s.Agents.Arrive(t.Context(), archive.Arrival{
			Home: one.home, Agent: agent, Incarnation: n, Token: secret(token), Next: secret(next), Time: Now,
		})
	}
	must(t, arrive(4, "any", "a"))
	closed := func(what string, c *chain, want bool) {
		t.Helper()
		if h, err := s.Homes.Head(t.Context(), c.home); h.Closed != want || h.Head != c.head || err != nil {
			t.Errorf("%s: %+v, %v; want closed: %t", what, h, err, want)
		}
	}
	closed("before", one, false)
	if at, err := s.Restores.Generation(t.Context()); at != 0 || err != nil {
		t.Errorf("the generation before a restore is %d, %v", at, err)
	}
	must(t, s.Restores.Restored(t.Context(), Now))
	must(t, s.Restores.Restored(t.Context(), Now-5)) // by a clock that went back
	if at, err := s.Restores.Generation(t.Context()); at != Now+1 || err != nil {
		t.Errorf("the generation after two restores at one time is %d, %v; want %d", at, err, Now+1)
	}

	closed("restored", one, true)
	closed("restored", two, true)
	_, err := s.Sessions.Session(t.Context(), one.home, secret("session"))
	want(t, "a session of before", err, archive.ErrNotFound)
	_, err = s.Joins.Join(t.Context(), api.Slot{1})
	want(t, "a join of before", err, archive.ErrNotFound)
	want(t, "a set-up secret of before", s.Homes.Found(t.Context(), secret("left over"), Now, (&chain{home: home(3)}).grow("found")), archive.ErrUsed)

	before := one.head
	must(t, s.Homes.Append(t.Context(), before, one.grow("given back")))
	closed("deeds alone do not open it", one, true)
	want(t, "confirming an older head", s.Homes.Reopen(t.Context(), one.home, before), archive.ErrConflict)
	closed("nor does an older head", one, true)
	want(t, "confirming a home that is not there", s.Homes.Reopen(t.Context(), home(9), one.head), archive.ErrNotFound)
	for range 2 {
		must(t, s.Homes.Reopen(t.Context(), one.home, one.head))
	}
	closed("confirmed", one, false)
	closed("the other home", two, true)

	want(t, "an earlier start of the agent", arrive(3, "lost", "c"), archive.ErrCloned)
	want(t, "a later start, with a token that was lost", arrive(7, "lost", "c"), nil)
	want(t, "once", arrive(8, "lost", "d"), archive.ErrCloned)
	want(t, "the next start", arrive(8, "c", "d"), nil)
}
