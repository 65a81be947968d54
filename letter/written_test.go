package letter_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/vectors"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// drawing is one vector that Go has written. Its reader is whoever the letter is for,
// unless it names one.
type drawing struct {
	name, says, expect string
	make               func(m maker) writing
	reader, asked, do  string
	now                latchkey.Time
	incarnation        uint64
	in                 string // the reader's home, A unless it says otherwise
}

func (m maker) vector(d drawing) vector {
	v := vector{
		Name: d.name, Says: d.says, Home: cmp.Or(d.in, "A"), Reader: d.reader, Asked: d.asked, Do: d.do,
		Now: d.now, Incarnation: d.incarnation, Expect: d.expect,
	}
	how, _ := m.honest(d.make(m))
	if v.Reader == "" {
		v.Reader = []string{"", "agent 0", "asker", "epoch"}[how.kind]
	}
	if v.Reader == "epoch" && v.Asked == "" {
		v.Asked = "agent 0"
	}
	if v.Reader == "agent 0" && v.Incarnation == 0 {
		v.Incarnation = incarnation
	}
	if v.Reader == "asker" {
		v.Command, v.Asker = m.sent, m.asker.Seed()
		if v.Do == "" {
			v.Do = "discover"
		}
	}
	v.Letter = m.make(how)
	if d.expect == "opened" && v.Reader != "carrier" {
		v.Content = []byte(how.plain)
	}
	return v
}

func drawings() []drawing {
	return slices.Concat(genuine(), layouts(), signers(), recipients(), bodies(), fresh(), contents(), people())
}

func command(change func(w *writing)) func(maker) writing {
	return func(maker) writing { return changed(sealed.CommandLetter, change) }
}

func reply(change func(w *writing)) func(maker) writing {
	return func(maker) writing { return changed(sealed.ReplyLetter, change) }
}

func told(change func(w *writing)) func(maker) writing {
	return func(maker) writing { return changed(sealed.ConditionLetter, change) }
}

func changed(kind sealed.LetterKind, change func(w *writing)) writing {
	w := writing{kind: kind}
	if change != nil {
		change(&w)
	}
	return w
}

func about(change func(l *sealed.Letter)) func(*writing) {
	return func(w *writing) { w.about = change }
}

func wraps(change func(l *sealed.Letter)) func(*writing) {
	return func(w *writing) { w.wraps = change }
}

func after(change func(b []byte) []byte) func(*writing) {
	return func(w *writing) { w.after = change }
}

func genuine() []drawing {
	carried := func(d drawing) drawing { d.reader = "carrier"; d.name += "-carried"; return d }
	command := drawing{name: "command", says: "a command to the first agent", expect: "opened", make: command(nil)}
	reply := drawing{name: "reply", says: "the reply to it", expect: "opened", make: reply(nil)}
	condition := drawing{name: "condition", says: "how the first agent is", expect: "opened", make: told(nil)}
	return []drawing{
		command, reply, condition, carried(command), carried(reply), carried(condition),
		{name: "earlier-head", says: "a condition from the first epoch", expect: "opened", make: func(m maker) writing {
			return writing{kind: sealed.ConditionLetter, title: m.homes["A"].Until(5)}
		}},
		{name: "second-agent", says: "how the second agent is", expect: "opened", asked: "agent 1", make: func(maker) writing {
			return writing{kind: sealed.ConditionLetter, agent: 1}
		}},
	}
}

func layouts() []drawing {
	set := func(at int, b ...byte) func(*writing) {
		return after(func(p []byte) []byte { copy(p[at:], b); return p })
	}
	const count = 202 // where the recipients begin
	grown := func(n int) func(*writing) {
		return after(func(p []byte) []byte { return append(p, make([]byte, n-len(p))...) })
	}
	return []drawing{
		{name: "empty", says: "no bytes", expect: "truncated", make: command(after(func([]byte) []byte { return nil }))},
		{name: "version-alone", says: "one byte", expect: "truncated", make: command(after(func(b []byte) []byte { return b[:1] }))},
		{name: "cut", says: "without its last byte", expect: "truncated", make: reply(after(func(b []byte) []byte { return b[:len(b)-1] }))},
		{name: "extended", says: "a byte more", expect: "malformed", make: reply(after(func(b []byte) []byte { return append(b, 0) }))},
		{name: "version-0", says: "version 0", expect: "malformed", make: command(set(0, 0))},
		{name: "version-2", says: "version 2", expect: "future-version", make: command(set(0, 2))},
		{name: "kind-0", says: "kind 0", expect: "malformed", make: command(set(1, 0))},
		{name: "kind-4", says: "kind 4", expect: "malformed", make: command(set(1, 4))},
		{name: "command-65537", says: "a command of 64 KiB and a byte", expect: "oversize", make: command(grown(sealed.MaxCommand + 1))},
		{name: "reply-65537", says: "a reply may be longer, but not with something behind it", expect: "malformed", make: reply(grown(sealed.MaxCommand + 1))},
		{name: "letter-1048577", says: "a letter of 1 MiB and a byte", expect: "oversize", make: reply(grown(sealed.MaxLetter + 1))},
		{name: "incarnation-0", says: "incarnations count from 1", expect: "malformed", make: told(about(func(l *sealed.Letter) { l.Incarnation = 0 }))},
		{name: "number-2-53", says: "a number of 2^53", expect: "malformed", make: told(set(74, 0, 32, 0, 0, 0, 0, 0, 0))},
		{name: "command-numbered", says: "a command with a number", expect: "malformed", make: command(about(func(l *sealed.Letter) { l.Number = 1 }))},
		{name: "reply-number-0", says: "replies count from 1", expect: "malformed", make: reply(about(func(l *sealed.Letter) { l.Number = 0 }))},
		{name: "condition-number-0", says: "conditions count from 1", expect: "malformed", make: told(about(func(l *sealed.Letter) { l.Number = 0 }))},
		{name: "command-answers", says: "a command that answers something", expect: "malformed", make: command(about(func(l *sealed.Letter) { l.Re[5] = 1 }))},
		{name: "condition-answers", says: "a condition that answers something", expect: "malformed", make: told(about(func(l *sealed.Letter) { l.Re[5] = 1 }))},
		{name: "reply-to-nothing", says: "a reply that answers nothing", expect: "malformed", make: reply(about(func(l *sealed.Letter) { l.Re = [32]byte{} }))},
		{name: "command-endless", says: "a command without an end", expect: "malformed", make: command(about(func(l *sealed.Letter) { l.Expires = 0 }))},
		{name: "command-ended", says: "a command that ends when it begins", expect: "malformed", make: command(about(func(l *sealed.Letter) { l.Expires = l.Time }))},
		{name: "command-too-long-lived", says: "a command that lives a microsecond more than two minutes", expect: "malformed", make: command(about(func(l *sealed.Letter) { l.Expires++ }))},
		{name: "reply-ends", says: "a reply with an end", expect: "malformed", make: reply(about(func(l *sealed.Letter) { l.Expires = l.Time + 1 }))},
		{name: "no-recipient", says: "no recipient", expect: "malformed", make: told(wraps(func(l *sealed.Letter) { l.Recipients = nil }))},
		{name: "two-recipients", says: "the same recipient twice", expect: "malformed", make: told(wraps(func(l *sealed.Letter) { l.Recipients = slices.Repeat(l.Recipients, 2) }))},
		{name: "recipient-person", says: "a recipient of a kind that no letter has", expect: "malformed", make: told(wraps(func(l *sealed.Letter) { l.Recipients[0].Recipient = sealed.ToPerson }))},
		{name: "recipient-6", says: "a recipient of a kind that there is not", expect: "malformed", make: command(wraps(func(l *sealed.Letter) { l.Recipients[0].Recipient = 6 }))},
		{name: "short-wrap", says: "a wrap of 1,167 bytes", expect: "malformed", make: told(wraps(func(l *sealed.Letter) { l.Recipients[0].Sealed = l.Recipients[0].Sealed[1:] }))},
		{name: "wrap-cut", says: "it ends within the wrap", expect: "truncated", make: told(after(func(b []byte) []byte { return b[:count+100] }))},
		{name: "body-2-31", says: "a body whose length is 2^31", expect: "oversize", make: told(set(count+1+1+32+8+2+sealed.SealedKeySize, 0x80, 0, 0, 0))},
		{name: "no-signature", says: "no signature", expect: "malformed", make: reply(after(func(b []byte) []byte { return append(b[:len(b)-67], 0) }))},
		{name: "signature-63", says: "a signature of 63 bytes", expect: "malformed", make: reply(after(func(b []byte) []byte {
			return append(append(b[:len(b)-66], 0, 63), make([]byte, 63)...)
		}))},
	}
}

func signers() []drawing {
	by := func(kind sealed.LetterKind, signer func(m maker) key.AgentKeys) func(maker) writing {
		return func(m maker) writing { return writing{kind: kind, signer: signer(m).Signing} }
	}
	owner := func(m maker) key.AgentKeys { return key.AgentKeys{Signing: m.homes["A"].OwnerKeys().Signing} }
	device := func(m maker) key.AgentKeys { return key.AgentKeys{Signing: m.homes["A"].OwnerKeys().DeviceSigning} }
	stranger := func(m maker) key.AgentKeys { return key.AgentKeys{Signing: m.homes["B"].OwnerKeys().DeviceSigning} }
	second := func(m maker) key.AgentKeys { return *m.homes["A"].Agent(1).Keys }
	neighbour := func(m maker) writing {
		return writing{kind: sealed.ConditionLetter, home: "B"}
	}
	return []drawing{
		{name: "neighbours-condition", says: "how the neighbours' agent is", expect: "wrong-home", make: neighbour},
		{name: "neighbours-condition-carried", says: "the same for a carrier", expect: "wrong-home", reader: "carrier", make: neighbour},
		{name: "neighbours-command", says: "a command in the neighbours' home", expect: "wrong-home", make: func(maker) writing {
			return writing{kind: sealed.CommandLetter, home: "B"}
		}},
		{name: "head-beyond", says: "written at a deed that the reader has not seen", expect: "unknown-head", make: command(about(func(l *sealed.Letter) { l.Head.Seq++ }))},
		{name: "fork", says: "written on another chain", expect: "unknown-head", make: told(about(func(l *sealed.Letter) { l.Head.Hash[0] ^= 1 }))},
		{name: "stranger", says: "signed by a device of home B", expect: "unknown-signer", make: by(sealed.CommandLetter, stranger)},
		{name: "signed-by-another", says: "names the agent, signed by the second agent", expect: "bad-signature", make: func(m maker) writing {
			return writing{kind: sealed.ConditionLetter, signer: m.homes["A"].Agent(1).Keys.Signing, wraps: func(l *sealed.Letter) { l.Signer = m.homes["A"].Agent(0).Keys.KeyID() }}
		}},
		{name: "time-altered", says: "a bit of the time is another", expect: "bad-signature", make: told(after(func(b []byte) []byte { b[121] ^= 1; return b }))},
		{name: "body-altered", says: "a bit of the body is another", expect: "bad-signature", make: reply(after(func(b []byte) []byte { b[len(b)-70] ^= 1; return b }))},
		{name: "owner-commands", says: "signed by the key that signs deeds, which no device uses for requests", expect: "not-allowed", make: by(sealed.CommandLetter, owner)},
		{name: "agent-commands", says: "a command that an agent signed", expect: "not-allowed", make: by(sealed.CommandLetter, second)},
		{name: "device-replies", says: "a reply that a device signed", expect: "not-allowed", make: by(sealed.ReplyLetter, device)},
		{name: "device-tells", says: "a condition that a device signed", expect: "not-allowed", make: by(sealed.ConditionLetter, device)},
		{name: "other-agent-tells", says: "the first agent's condition, signed by the second", expect: "wrong-agent", make: by(sealed.ConditionLetter, second)},
		{name: "other-agent-replies", says: "the first agent's reply, signed by the second", expect: "wrong-agent", make: by(sealed.ReplyLetter, second)},
		{name: "no-such-agent", says: "a command to an agent that the home has not", expect: "wrong-agent", make: func(m maker) writing {
			return writing{kind: sealed.CommandLetter, about: func(l *sealed.Letter) { l.Agent = m.homes["B"].Agent(0).Keys.Agent }}
		}},
		{name: "agent-before-its-time", says: "a condition at a head where its agent was not placed", expect: "wrong-agent", asked: "agent 1", make: func(m maker) writing {
			return writing{kind: sealed.ConditionLetter, agent: 1, title: m.homes["A"].Until(5)}
		}},
	}
}

func recipients() []drawing {
	return []drawing{
		{name: "to-the-other-agent", says: "a command to the first agent, sealed to the second", expect: "wrong-recipients", make: func(m maker) writing {
			return writing{kind: sealed.CommandLetter, to: &sealed.Recipient{Recipient: sealed.ToAgent, Key: m.homes["A"].Agent(1).Keys.KEM.Public(), Epoch: 2}}
		}},
		{name: "command-to-epoch", says: "a command sealed to the epoch", expect: "wrong-recipients", make: func(m maker) writing {
			k, _ := m.homes["A"].Title().EpochKey(2)
			return writing{kind: sealed.CommandLetter, to: &sealed.Recipient{Recipient: sealed.ToEpoch, Key: k, Epoch: 2}}
		}},
		{name: "reply-to-epoch", says: "a reply for all who see the home", expect: "wrong-recipients", make: func(m maker) writing {
			k, _ := m.homes["A"].Title().EpochKey(2)
			return writing{kind: sealed.ReplyLetter, to: &sealed.Recipient{Recipient: sealed.ToEpoch, Key: k, Epoch: 2}}
		}},
		{name: "condition-to-asker", says: "a condition for one alone", expect: "wrong-recipients", make: func(m maker) writing {
			return writing{kind: sealed.ConditionLetter, to: &sealed.Recipient{Recipient: sealed.ToAsker, Key: m.asker.Public(), Epoch: 2}}
		}},
		{name: "old-epoch", says: "a condition sealed to the epoch before its head's", expect: "wrong-recipients", make: func(m maker) writing {
			k, _ := m.homes["A"].Title().EpochKey(1)
			return writing{kind: sealed.ConditionLetter, to: &sealed.Recipient{Recipient: sealed.ToEpoch, Key: k, Epoch: 1}}
		}},
		{name: "other-epoch-number", says: "a command whose wrap gives another epoch", expect: "wrong-recipients", make: func(m maker) writing {
			return writing{kind: sealed.CommandLetter, to: &sealed.Recipient{Recipient: sealed.ToAgent, Key: m.homes["A"].Agent(0).Keys.KEM.Public(), Epoch: 1}}
		}},
		{name: "before-everything", says: "a condition from before there was an epoch or an agent", expect: "wrong-agent", make: func(m maker) writing {
			k, _ := m.homes["A"].Title().EpochKey(2)
			return writing{kind: sealed.ConditionLetter, title: m.homes["A"].Until(1), to: &sealed.Recipient{Recipient: sealed.ToEpoch, Key: k, Epoch: 0}}
		}},
		{name: "another-asker", says: "a reply sealed to another key than the command brought", expect: "no-envelope", make: func(m maker) writing {
			return writing{kind: sealed.ReplyLetter, to: &sealed.Recipient{Recipient: sealed.ToAsker, Key: m.homes["A"].Agent(1).Keys.KEM.Public(), Epoch: 2}}
		}},
		{name: "another-agent-reads", says: "a command to the first agent in the second agent's hands", expect: "wrong-agent", reader: "agent 1", incarnation: incarnation, make: command(nil)},
	}
}

func bodies() []drawing {
	other := func(l *sealed.Letter) { l.ID[3] ^= 1 } // the body stays bound to the letter as it was
	return []drawing{
		{name: "wrap-altered", says: "a bit of the wrap is another", expect: "envelope", make: command(wraps(func(l *sealed.Letter) { l.Recipients[0].Sealed[1150] ^= 1 }))},
		{name: "wrap-of-another", says: "key and body of another letter", expect: "envelope", make: told(wraps(other))},
		{name: "body-cut", says: "a body of 71 bytes", expect: "truncated", make: reply(wraps(func(l *sealed.Letter) { l.Body = l.Body[:71] }))},
		{name: "commitment-altered", says: "a bit of the commitment is another", expect: "commitment", make: reply(wraps(func(l *sealed.Letter) { l.Body[30] ^= 1 }))},
		{name: "chunk-altered", says: "a bit of the content is another", expect: "chunk", make: told(wraps(func(l *sealed.Letter) { l.Body[60] ^= 1 }))},
	}
}

func fresh() []drawing {
	const minute = 60_000_000
	end := moment + sealed.MaxCommandLife
	return []drawing{
		{name: "on-time", says: "while it lives", expect: "opened", now: moment + minute, make: command(nil)},
		{name: "just-in-time", says: "five minutes after its end", expect: "opened", now: end + 5*minute, make: command(nil)},
		{name: "too-late", says: "a microsecond later", expect: "expired", now: end + 5*minute + 1, make: command(nil)},
		{name: "just-too-early", says: "ten minutes before its end", expect: "opened", now: end - 10*minute, make: command(nil)},
		{name: "from-the-future", says: "a microsecond earlier", expect: "expired", now: end - 10*minute - 1, make: command(nil)},
		{name: "earlier-incarnation", says: "the agent has started anew", expect: "stale", incarnation: 8, make: command(nil)},
		{name: "later-incarnation", says: "for an incarnation that is yet to come", expect: "stale", incarnation: 6, make: command(nil)},
		{name: "reply-of-another-incarnation", says: "the agent has started anew before it replied", expect: "stale", make: reply(about(func(l *sealed.Letter) { l.Incarnation = 8 }))},
		{name: "reply-to-another", says: "a reply to another command", expect: "wrong-command", make: reply(about(func(l *sealed.Letter) { l.Re[0] ^= 1 }))},
		{name: "reply-of-the-second", says: "a genuine letter of the second agent in answer to the first's command", expect: "wrong-agent", make: func(maker) writing {
			return writing{kind: sealed.ReplyLetter, agent: 1}
		}},
		{name: "condition-as-reply", says: "a condition where a reply belongs", expect: "wrong-kind", reader: "asker", make: told(nil)},
		{name: "reply-as-condition", says: "a reply where a condition belongs", expect: "wrong-kind", reader: "epoch", make: reply(nil)},
		{name: "reply-as-command", says: "a reply where a command belongs", expect: "wrong-kind", reader: "agent 0", make: reply(nil)},
		{name: "other-agent-asked", says: "the first agent's condition in answer to the question for the second's", expect: "wrong-agent", asked: "agent 1", make: told(nil)},
	}
}

// TestWriteVectors writes the vectors that are missing, with -write.
func TestWriteVectors(t *testing.T) {
	for _, d := range drawings() {
		vectors.Write(t, d.name, func(t *testing.T) vector {
			m := maker{t: t, homes: keytest.ReadHomes(homesFile)}
			var err error
			m.asker, err = key.NewPrivate()
			m.must(err)
			m.sent = m.make(writing{kind: sealed.CommandLetter})
			return m.vector(d)
		})
	}
}
