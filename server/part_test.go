package server_test

import (
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

// TestPartedAgent: an agent that was released, or whose keys were replaced, is told by
// the deeds that did it, and of none that came after; whoever cannot show the keys that
// it had, or names no head at which it stood, is told nothing.
func TestPartedAgent(t *testing.T) {
	for name, part := range map[string]func(m *home) deed.Body{
		"released": func(m *home) deed.Body { return deed.ReleaseAgentBody{Agent: m.agent.Keys.Agent} },
		"replaced": func(m *home) deed.Body {
			k := must(key.NewAgentKeys())
			k.Agent = m.agent.Keys.Agent
			return deed.ReplaceAgentBody{AgentBody: k.Body()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := openHouse(t)
			m := h.found(t)
			known := m.owner.Title().Head()
			m.owner.StartEpoch()
			m.owner.Sign(part(m))
			end := m.owner.Title().Head()
			m.owner.Sign(deed.FreezeBody{})
			m.append(known)
			early := latchkey.Head{Seq: 1}
			early.Hash, _ = m.owner.Title().HashAt(1)
			later := m.owner.Title().Head()
			forged := known
			forged.Hash[0]++

			s, f := m.dial(m.hello(start{1, 0, 1}, &known), m.agent)
			told, ok := f.(api.DeedsFrame)
			if !ok || told.Home != m.owner.Home() || told.Head != api.Head(end) || len(told.Deeds) != 2 {
				t.Errorf("it is told %+v, want two deeds up to %s", f, end)
			}
			if r := receive[api.Refused](t, s); r.Reason != api.UnknownAgent {
				t.Errorf("refused as %s", r.Reason)
			}
			stranger := keytest.NewAgent(must(key.NewAgentKeys()))
			stranger.Keys.Agent = m.agent.Keys.Agent
			for who, c := range map[string]struct {
				hello api.Hello
				key   *keytest.Agent
			}{
				"whoever has not its key":      {m.hello(start{1, 0, 1}, &known), stranger},
				"one that knows it already":    {m.hello(start{1, 0, 1}, &end), m.agent},
				"one that knows more":          {m.hello(start{1, 0, 1}, &later), m.agent},
				"one that knows another chain": {m.hello(start{1, 0, 1}, &forged), m.agent},
				"one that knows nothing":       {m.hello(start{1, 0, 1}, nil), m.agent},
				"one that stood there not yet": {m.hello(start{1, 0, 1}, &early), m.agent},
			} {
				if _, f := m.dial(c.hello, c.key); !isUnknown(f) {
					t.Errorf("%s is told %+v", who, f)
				}
			}
		})
	}
}

func isUnknown(f api.Frame) bool {
	r, ok := f.(api.Refused)
	return ok && r.Reason == api.UnknownAgent
}

// TestPartedAgentControl is the control: a server that goes on after the deed that parted
// with the agent.
func TestPartedAgentControl(t *testing.T) {
	control(t, "TestPartedAgent", []string{"want two deeds up to"}, sabotage.Cut{
		File: "server/agent.go", Old: "still = stands && is.KEM.ID() == was.KEM.ID()", New: "still = stands || is.ID != hello.Agent || true",
	})
}
