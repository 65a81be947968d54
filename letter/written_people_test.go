package letter_test

import (
	"strings"

	"github.com/latchkey-cam/latchkey/sealed"
)

// people are letters of home D, in which people and agents came and went, and those
// that confirm a head.
func people() []drawing {
	head := "7:" + strings.Repeat("0a", 32)
	all := []drawing{
		asks("confirm-head", "opened", `"do":"confirm-head"`),
		says("confirmed", "opened", "confirm-head", `{"v":1,"head":"`+head+`"}`),
		says("confirmed-nothing", "content", "confirm-head", `{"v":1}`),
		says("confirmed-short", "content", "confirm-head", `{"v":1,"head":"`+head[:64]+`"}`),
		says("confirmed-in-capitals", "content", "confirm-head", `{"v":1,"head":"`+strings.ToUpper(head)+`"}`),
		{name: "owner-asks-for-head", says: "a person's own key asks which head is the newest", expect: "opened", make: func(m maker) writing {
			return writing{kind: sealed.CommandLetter, signer: m.homes["A"].OwnerKeys().Signing, plain: m.command(`"do":"confirm-head"`)}
		}},
	}
	commands := func(name, says, expect, by string, own bool) drawing {
		return drawing{name: name, says: says, expect: expect, in: "D", reader: "agent 1", incarnation: incarnation, make: func(m maker) writing {
			d := m.homes["D"]
			keys := d.OwnerKeys()
			if by != "owner" {
				keys = d.PersonKeys(by)
			}
			w := writing{kind: sealed.CommandLetter, home: "D", agent: 1, signer: keys.DeviceSigning, plain: m.command(`"do":"discover"`)}
			if own {
				w.signer, w.plain = keys.Signing, m.command(`"do":"confirm-head"`)
			}
			return w
		}}
	}
	tells := func(name, says, expect string, agent, deeds int) drawing {
		return drawing{name: name, says: says, expect: expect, in: "D", asked: []string{"agent 0", "agent 1", "agent 2"}[agent], make: func(m maker) writing {
			return writing{kind: sealed.ConditionLetter, home: "D", agent: agent, title: m.homes["D"].Until(deeds)}
		}}
	}
	return append(all,
		commands("device-commands", "the owner's device", "opened", "owner", false),
		commands("link-commands", "the device of a link: the agent will ask what it may", "opened", "link", false),
		commands("dismissed-device", "the device of a guest who is gone", "former-signer", "gus", false),
		commands("dismissed-person", "the own key of a resident who is gone", "former-signer", "anna", true),
		drawing{name: "command-to-former-key", says: "sealed to the key that the agent had before", expect: "wrong-recipients", in: "D", reader: "agent 1", incarnation: incarnation, make: func(m maker) writing {
			return writing{kind: sealed.CommandLetter, home: "D", agent: 1, to: m.toAgent(0)}
		}},
		drawing{name: "command-to-released", says: "a command to an agent that has left", expect: "wrong-agent", in: "D", reader: "agent 2", incarnation: incarnation, make: func(m maker) writing {
			return writing{kind: sealed.CommandLetter, home: "D", agent: 2}
		}},
		tells("replaced-agent-then", "a condition with the key that the agent had then", "opened", 0, 12),
		tells("replaced-agent-after", "a condition with the key that the agent had before", "former-signer", 0, 17),
		tells("replaced-agent-now", "a condition with the key that the agent has", "opened", 1, 17),
		tells("replaced-agent-early", "the key that the agent has, at a head before it was placed", "former-signer", 1, 12),
		tells("released-agent-then", "a condition of an agent before it left", "opened", 2, 12),
		tells("released-agent-after", "a condition of an agent that has left", "wrong-agent", 2, 17),
		drawing{name: "signed-by-link", says: "a condition that a link signed", expect: "not-allowed", in: "D", asked: "agent 1", make: func(m maker) writing {
			return writing{kind: sealed.ConditionLetter, home: "D", agent: 1, signer: m.homes["D"].PersonKeys("link").Signing}
		}},
	)
}

func (m maker) toAgent(i int) *sealed.Recipient {
	k := m.homes["D"].Agent(i).Keys.KEM.Public()
	return &sealed.Recipient{Recipient: sealed.ToAgent, Key: k, Epoch: m.homes["D"].Title().Epoch()}
}
