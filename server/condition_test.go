package server_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

// condition is what the home's agent says of itself in its first start.
func (m *home) condition(number uint64, name string) []byte {
	m.t.Helper()
	return must(letter.SealCondition(m.agent.Keys, m.owner.Title(), 1, number, now(), letter.Condition{
		Version: "test", Name: name, Clock: letter.Clock{Quality: letter.Synchronised},
	}))
}

// names opens the conditions that the server gives, as a page does.
func (m *home) names(all []api.AgentCondition) (names []string) {
	m.t.Helper()
	for _, c := range all {
		if len(c.Letter) == 0 {
			names = append(names, "")
			continue
		}
		said, _, err := letter.OpenCondition(c.Letter, m.owner.Title(), c.Agent, nil, m.owner.Ring())
		if err != nil {
			m.t.Fatal(err)
		}
		names = append(names, said.Name)
	}
	return names
}

func TestConditions(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	ctx := within(t)
	hints := must(m.member.Changes(ctx))
	defer hints.Close()
	hint := func() {
		t.Helper()
		if what, err := hints.Next(ctx); what != api.ConditionsChanged || err != nil {
			t.Errorf("hint %q, %v", what, err)
		}
	}
	list := func(connected bool, want ...string) {
		t.Helper()
		all := must(m.member.Conditions(ctx))
		if diff := cmp.Diff(want, m.names(all)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if len(all) == 0 || all[0].Agent != m.agent.Keys.Agent || all[0].Connected != connected || (all[0].Received != 0) != (want[0] != "") {
			t.Errorf("conditions %+v", all)
		}
	}
	list(false, "")
	s := m.connect(start{1, 0, 1})
	hint()
	list(true, "")
	put := func(b []byte, want api.Reason) {
		t.Helper()
		say(t, s, api.ConditionFrame{ID: "c", Home: m.owner.Home(), Letter: b})
		if want == "" {
			receive[api.Done](t, s)
		} else if r := receive[api.Refused](t, s); r.Reason != want {
			t.Errorf("refused as %s, want %s", r.Reason, want)
		}
	}
	put(m.condition(2, "two"), "")
	hint()
	list(true, "two")
	put(m.condition(1, "one"), api.Replayed)
	put([]byte("x"), api.FutureVersion)
	put(other.condition(3, "theirs"), api.WrongAgent)
	command := m.seal(letter.Discover{}).Bytes()
	put(command, api.WrongAgent)
	later := must(letter.SealCondition(m.agent.Keys, m.owner.Title(), 2, 1, now(), letter.Condition{Clock: letter.Clock{Quality: letter.Unknown}}))
	put(later, api.Stale)
	old := m.condition(3, "of the old epoch")
	m.startEpoch()
	receive[api.DeedsFrame](t, s)
	put(old, api.OldEpoch)
	list(true, "two")
	put(m.condition(3, "three"), "")
	list(true, "three")
	s.Close()
	eventually(t, "it is away", func() bool { return !must(m.member.Conditions(ctx))[0].Connected })
	list(false, "three")
	if all := must(other.member.Conditions(ctx)); len(all) != 1 || len(all[0].Letter) != 0 {
		t.Errorf("the other home's: %+v", all)
	}
}

// conditionsOf has another name than its method, so that it can be embedded.
type conditionsOf = archive.Conditions

// crossedConditions answers with the conditions of another home, under the asker's name.
type crossedConditions struct {
	conditionsOf
	other *latchkey.HomeID
	agent *latchkey.AgentID
}

func (c crossedConditions) Conditions(ctx context.Context, home latchkey.HomeID) ([]archive.Condition, error) {
	all, err := c.conditionsOf.Conditions(ctx, *c.other)
	for i := range all {
		all[i].Home, all[i].Agent = home, *c.agent
	}
	return all, err
}

// TestCrossedConditions: the archive answers with what another home's agent said.
func TestCrossedConditions(t *testing.T) {
	var theirs latchkey.HomeID
	var mine latchkey.AgentID
	h := openHouse(t, func(c *server.Config) {
		c.Archive.Conditions = crossedConditions{c.Archive.Conditions, &theirs, &mine}
	})
	m, other := h.found(t), h.found(t)
	theirs, mine = other.owner.Home(), m.agent.Keys.Agent
	s := other.connect(start{1, 0, 1})
	said := other.condition(1, "theirs")
	say(t, s, api.ConditionFrame{ID: "c", Home: theirs, Letter: said})
	receive[api.Done](t, s)
	all := must(m.member.Conditions(within(t)))
	if len(all) != 1 || len(all[0].Letter) != 0 {
		t.Errorf("a home was given another home's condition: %+v", all)
	}
	if n := h.metric(t, "latchkey_misroutes_total", "where=condition", "confirmed=true"); n != 1 {
		t.Errorf("%v alarms", n)
	}
}

func TestCrossedConditionsControl(t *testing.T) {
	control(t, "TestCrossedConditions", []string{"a home was given another home's condition"},
		sabotage.Cut{File: "server/condition.go", Old: "if !fits(a.home, c, l) {", New: "if false {"})
}

// TestConditionsOfOthers: an agent says how it is itself.
func TestConditionsOfOthers(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	before := m.owner.Title().Head()
	theirs := *m
	theirs.agent = m.owner.PlaceAgent()
	m.append(before)
	s := m.connect(start{1, 0, 1})
	unsigned := m.condition(1, "x")
	unsigned[len(unsigned)-1] ^= 1
	for want, b := range map[api.Reason][]byte{
		api.WrongAgent:                  theirs.condition(1, "x"),
		api.Reason(sealed.BadSignature): unsigned,
	} {
		say(t, s, api.ConditionFrame{ID: string(want), Home: m.owner.Home(), Letter: b})
		if r := receive[api.Refused](t, s); r.Reason != want {
			t.Errorf("refused as %s, want %s", r.Reason, want)
		}
	}
	say(t, s, api.ConditionFrame{ID: "c", Home: m.owner.Home(), Letter: other.condition(1, "x")})
	if r := receive[api.Refused](t, s); r.Reason != api.WrongAgent {
		t.Errorf("another home's is refused as %s", r.Reason)
	}
}
