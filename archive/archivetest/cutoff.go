package archivetest

import (
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// cutsOff appends deeds that take somebody's right away: what hangs on it ends in the same
// transaction, and stays if there was none.
func cutsOff(t *testing.T, s Subject) {
	one, two := found(t, s, 1), found(t, s, 2)
	agent, other := latchkey.AgentID{1}, latchkey.AgentID{2}
	anna, bob := latchkey.PersonID{1}, latchkey.PersonID{2}
	session := func(c *chain, n byte, p latchkey.PersonID, d latchkey.DeviceID) archive.Secret {
		secret := archive.Secret{n, c.home[0]}
		must(t, s.Sessions.StartSession(t.Context(), archive.Session{
			Home: c.home, ID: latchkey.SessionID{n}, Secret: secret, Keys: []api.MACKey{{n}}, Person: p, Device: d, Started: Now, Seen: Now, Expires: Now + 1000,
		}))
		return secret
	}
	phone, tablet := latchkey.DeviceID{1}, latchkey.DeviceID{2}
	sessions := map[string]struct {
		home   latchkey.HomeID
		secret archive.Secret
		gone   bool
	}{
		"the struck device":             {one.home, session(one, 1, anna, phone), true},
		"another device of the person":  {one.home, session(one, 2, anna, tablet), false},
		"the person without a device":   {one.home, session(one, 3, anna, latchkey.DeviceID{}), true},
		"another person":                {one.home, session(one, 4, bob, latchkey.DeviceID{3}), false},
		"the same device, another home": {two.home, session(two, 5, anna, phone), false},
	}
	for _, c := range []*chain{one, two} {
		for _, a := range []latchkey.AgentID{agent, other} {
			must(t, s.Agents.Arrive(t.Context(), archive.Arrival{Home: c.home, Agent: a, Incarnation: 5, Token: secret("t"), Next: secret("n"), Time: Now}))
			must(t, s.Conditions.PutCondition(t.Context(), archive.Condition{Home: c.home, Agent: a, Incarnation: 5, Number: 1, Letter: []byte("fine"), Received: Now}))
			must(t, s.Asks.PutAsk(t.Context(), archive.Ask{Home: c.home, Agent: a, Camera: latchkey.CameraID(a), Ask: []byte("please")}))
		}
	}
	before := one.head
	g := one.grow("strike", "replace agent")
	g.Gone = []archive.Gone{{Person: anna, Device: phone}, {Person: anna}}
	g.Renewed = []latchkey.AgentID{agent}
	wrong := before
	wrong.Hash[0]++
	want(t, "an append that is refused", s.Homes.Append(t.Context(), wrong, g), archive.ErrConflict)
	for what, x := range sessions {
		_, err := s.Sessions.Session(t.Context(), x.home, x.secret)
		want(t, what+", after a refusal", err, nil)
	}
	must(t, s.Homes.Append(t.Context(), before, g))
	for what, x := range sessions {
		_, err := s.Sessions.Session(t.Context(), x.home, x.secret)
		want(t, what, err, map[bool]error{true: archive.ErrNotFound}[x.gone])
	}
	leaves(t, s, map[latchkey.HomeID]int{one.home: 1, two.home: 2})
	start := archive.Arrival{Home: one.home, Agent: agent, Incarnation: 1, Token: secret("new"), Next: secret("keys"), Time: Now}
	want(t, "the first start of an agent with new keys", s.Agents.Arrive(t.Context(), start), nil)
	start.Agent = other
	want(t, "the same of another agent", s.Agents.Arrive(t.Context(), start), archive.ErrCloned)
}

// leaves counts what is kept of agents.
func leaves(t *testing.T, s Subject, agents map[latchkey.HomeID]int) {
	t.Helper()
	for home, left := range agents {
		conditions, err := s.Conditions.Conditions(t.Context(), home)
		if len(conditions) != left || err != nil {
			t.Errorf("home %s has %d conditions, %v; want %d", home, len(conditions), err, left)
		}
		asks, err := s.Asks.Asks(t.Context(), home)
		if len(asks) != left || err != nil {
			t.Errorf("home %s has %d asks, %v; want %d", home, len(asks), err, left)
		}
	}
}
