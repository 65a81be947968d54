package live_test

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"slices"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/vectors"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/sealed"
)

// drawing is one vector that Go has written. A viewer watches the main stream of the
// first camera; every message comes a tenth of a second after the one before.
type drawing struct {
	name, says string
	in         string // the reader's home, A unless it says otherwise
	reader     string // viewer unless it says otherwise
	now        latchkey.Time
	kind       sealed.StreamKind
	messages   func(m maker, knock []byte) []reading
}

// reading is a message and what comes of it.
type reading struct {
	b      []byte
	expect string
	at     latchkey.Time
}

// TestWriteVectors writes the vectors of Go that are missing, with -write.
func TestWriteVectors(t *testing.T) {
	homes := keytest.ReadHomes(homesFile)
	for _, d := range slices.Concat(knocks(), knocksOfD(), grants(), grantsOfD(), fragments(), sequences()) {
		vectors.Write(t, d.name, func(t *testing.T) vector { return d.write(newMaker(t, homes)) })
	}
}

func newMaker(t *testing.T, homes map[string]*keytest.Home) maker {
	m := maker{t: t, homes: homes}
	var err error
	m.asker, err = key.NewPrivate()
	m.must(err)
	for i := range m.runs {
		m.runs[i] = run{latchkey.NewRunID(), make([]byte, 32)}
		rand.Read(m.runs[i].key)
	}
	return m
}

func (d drawing) write(m maker) vector {
	v := vector{Name: d.name, Says: d.says, Home: cmp.Or(d.in, "A"), Reader: cmp.Or(d.reader, "viewer"), Now: d.now}
	h := m.homes[v.Home]
	agent := map[string]int{"D": 1}[v.Home] // that has the first camera
	if v.Reader == "viewer" {
		v.Camera, v.Stream, v.Asker, v.Now = h.Camera(0), sealed.MainStream, m.asker.Seed(), moment
		v.Knock = m.knock(wish[sealed.Knock]{home: v.Home, agent: agent})
	}
	for i, r := range d.messages(m, v.Knock) {
		is := message{Message: r.b, Expect: r.expect}
		if v.Reader == "viewer" {
			is.At = cmp.Or(r.at, moment+latchkey.Time(i+2)*second/10)
		}
		v.Messages = append(v.Messages, is)
	}
	for i, is := range v.run(m.t, h) {
		if is.Expect != v.Messages[i].Expect {
			m.t.Errorf("%s: message %d: %s, want %s", d.name, i, is.Expect, v.Messages[i].Expect)
		}
		v.Messages[i].Behind = is.Behind
	}
	return v
}

// one is a vector of one knock.
func one(name, says, expect, reader string, w wish[sealed.Knock]) drawing {
	return drawing{name: "knock-" + name, says: says, reader: reader, in: w.home, messages: func(m maker, _ []byte) []reading {
		return []reading{{b: m.knock(w), expect: expect}}
	}}
}

func about[T any](change func(*T)) wish[T] { return wish[T]{about: change} }
func wraps[T any](change func(*T)) wish[T] { return wish[T]{wraps: change} }

func after[T any](change func(b []byte) []byte) wish[T] { return wish[T]{after: change} }

// set puts bytes at a place.
func set(at int, b ...byte) func([]byte) []byte {
	return func(p []byte) []byte { copy(p[at:], b); return p }
}

func cut(n int) func([]byte) []byte { return func(p []byte) []byte { return p[:len(p)-n] } }

// unsigned takes the signature away.
func unsigned(p []byte) []byte { return append(p[:len(p)-67], 0) }

// shortSigned leaves a signature of 63 bytes.
func shortSigned(p []byte) []byte { return append(append(p[:len(p)-66], 0, 63), make([]byte, 63)...) }

func grown(n int) func([]byte) []byte {
	return func(p []byte) []byte { return append(p, make([]byte, n-len(p))...) }
}

const (
	knockCount = 171 // where the number of recipients is
	grantCount = 215
)

func knocks() []drawing {
	type knock = sealed.Knock
	carried := func(name, says, expect string, w wish[knock]) drawing { return one(name, says, expect, "carrier", w) }
	at := func(name, says, expect string, now latchkey.Time, w wish[knock]) drawing {
		d := one(name, says, expect, "agent 0", w)
		d.now = now
		return d
	}
	ends := moment + sealed.MaxKnockLife
	minute := 60 * second
	return []drawing{
		carried("carried", "a knock as a carrier sees it", "opened", wish[knock]{}),
		at("opened", "a knock as its agent opens it", "opened", moment, wish[knock]{}),
		at("no-clock", "an agent whose clock cannot be believed", "opened", 0, wish[knock]{}),
		at("stream-200", "a stream that this version has no name for", "opened", moment, about(func(k *knock) { k.Stream.Kind = 200 })),
		carried("empty", "no bytes", "truncated", after[knock](func([]byte) []byte { return nil })),
		carried("version-alone", "one byte", "truncated", after[knock](func(b []byte) []byte { return b[:1] })),
		carried("stream-cut", "it ends within the camera", "truncated", after[knock](func(b []byte) []byte { return b[:40] })),
		carried("context-cut", "it ends within the times", "truncated", after[knock](func(b []byte) []byte { return b[:90] })),
		carried("context-alone", "it ends behind the signer", "truncated", after[knock](func(b []byte) []byte { return b[:knockCount] })),
		at("cut-opened", "its agent gets it without its last byte", "truncated", moment, after[knock](cut(1))),
		carried("cut", "without its last byte", "truncated", after[knock](cut(1))),
		carried("extended", "a byte more", "malformed", after[knock](func(b []byte) []byte { return append(b, 0) })),
		carried("version-0", "version 0", "malformed", after[knock](set(0, 0))),
		carried("version-2", "version 2", "future-version", after[knock](set(0, 2))),
		carried("kind-0", "kind 0", "malformed", after[knock](set(1, 0))),
		carried("kind-4", "kind 4", "malformed", after[knock](set(1, 4))),
		carried("as-fragment", "a knock that says it is a fragment", "malformed", after[knock](set(1, 3))),
		carried("stream-0", "stream 0", "malformed", about(func(k *knock) { k.Stream.Kind = 0 })),
		carried("4097", "4 KiB and a byte", "oversize", after[knock](grown(sealed.MaxKnock+1))),
		carried("time-2-53", "a time of 2^53", "malformed", after[knock](set(83, 0, 32, 0, 0, 0, 0, 0, 0))),
		carried("ended", "it ends when it begins", "malformed", about(func(k *knock) { k.Expires = k.Time })),
		carried("too-long-lived", "it lives a microsecond more than two minutes", "malformed", about(func(k *knock) { k.Expires++ })),
		carried("no-recipient", "no recipient", "malformed", wraps(func(k *knock) { k.Recipients = nil })),
		carried("two-recipients", "the same recipient twice", "malformed", wraps(func(k *knock) { k.Recipients = slices.Repeat(k.Recipients, 2) })),
		carried("recipient-asker", "sealed to an asker, as a grant is", "malformed", wraps(func(k *knock) { k.Recipients[0].Recipient = sealed.ToAsker })),
		carried("short-wrap", "a wrap of 1,167 bytes", "malformed", wraps(func(k *knock) { k.Recipients[0].Sealed = k.Recipients[0].Sealed[1:] })),
		carried("wrap-cut", "it ends within the wrap", "truncated", after[knock](func(b []byte) []byte { return b[:knockCount+100] })),
		carried("unsigned", "no signature", "malformed", after[knock](unsigned)),
		carried("signature-63", "a signature of 63 bytes", "malformed", after[knock](shortSigned)),
		one("neighbours", "a knock in the neighbours' home", "wrong-home", "carrier", wish[knock]{home: "B"}).read("A"),
		carried("head-beyond", "at a deed that the reader has not seen", "unknown-head", about(func(k *knock) { k.Head.Seq++ })),
		carried("fork", "on another chain", "unknown-head", about(func(k *knock) { k.Head.Hash[0] ^= 1 })),
		signedBy("stranger", "signed by a device of home B", "unknown-signer", func(m maker) ed25519.PrivateKey { return m.homes["B"].OwnerKeys().DeviceSigning }, false),
		signedBy("by-owner", "signed by the owner's own key", "not-allowed", func(m maker) ed25519.PrivateKey { return m.homes["A"].OwnerKeys().Signing }, false),
		signedBy("by-agent", "an agent knocks at itself", "not-allowed", func(m maker) ed25519.PrivateKey { return m.homes["A"].Agent(0).Keys.Signing }, false),
		signedBy("forged", "names the owner's device, signed by the agent", "bad-signature", func(m maker) ed25519.PrivateKey { return m.homes["A"].Agent(0).Keys.Signing }, true),
		carried("other-camera", "for a camera that is another agent's", "wrong-agent", wish[knock]{camera: 2}),
		carried("strange-camera", "for a camera of home B", "wrong-agent", about(func(k *knock) { k.Stream.Camera[0] ^= 1 })),
		carried("strange-agent", "at an agent that there is not", "wrong-agent", about(func(k *knock) { k.Agent[0] ^= 1 })),
		carried("old-epoch", "under the number of the epoch before", "wrong-recipients", wraps(func(k *knock) { k.Recipients[0].Epoch-- })),
		one("version-too-old", "in a home that takes no version 1", "old-version", "carrier", wish[knock]{home: "C"}),
		at("other-agent-reads", "it reaches another agent of the home", "wrong-agent", moment, wish[knock]{agent: 1, camera: 2}),
		at("on-time", "read five minutes after its end", "opened", ends+5*minute, wish[knock]{}),
		at("late", "a microsecond later", "expired", ends+5*minute+1, wish[knock]{}),
		at("just-too-early", "read more than ten minutes before its end", "expired", ends-10*minute-1, wish[knock]{}),
		at("wrap-altered", "a bit of the wrap is another", "envelope", moment, wraps(func(k *knock) { k.Recipients[0].Sealed[1130] ^= 1 })),
		at("commitment-altered", "a bit of the commitment is another", "commitment", moment, wraps(func(k *knock) { k.Body[30] ^= 1 })),
		at("chunk-altered", "a bit of the body is another", "chunk", moment, wraps(func(k *knock) { k.Body[60] ^= 1 })),
		at("body-cut", "a body that is none", "truncated", moment, wraps(func(k *knock) { k.Body = k.Body[:71] })),
		at("bound-elsewhere", "a body that was made for another nonce", "envelope", moment, wraps(func(k *knock) { k.Nonce[0] ^= 1 })),
		at("no-key", "it brings a key of 1,215 bytes", "content", moment, wish[knock]{plain: make([]byte, 1215)}),
		{name: "knock-twice", says: "the same knock twice", reader: "agent 0", now: moment, messages: func(m maker, _ []byte) []reading {
			b := m.knock(wish[knock]{})
			return []reading{{b: b, expect: "opened"}, {b: b, expect: "replayed"}}
		}},
	}
}

// read has the vector read in another home than that of its writer.
func (d drawing) read(in string) drawing { d.in = in; return d }

// signedBy is a knock that another key signs, and perhaps does not name.
func signedBy(name, says, expect string, by func(m maker) ed25519.PrivateKey, hidden bool) drawing {
	return drawing{name: "knock-" + name, says: says, reader: "carrier", messages: func(m maker, _ []byte) []reading {
		w := wish[sealed.Knock]{signer: by(m)}
		if hidden {
			genuine, err := sealed.ParseKnock(m.knock(wish[sealed.Knock]{}))
			m.must(err)
			w.wraps = func(k *sealed.Knock) { k.Signer = genuine.Signer }
		}
		return []reading{{b: m.knock(w), expect: expect}}
	}}
}

// knocksOfD are of the home in which people and agents came and went.
func knocksOfD() []drawing {
	by := func(name, says, expect, who string) drawing {
		return drawing{name: "knock-" + name, says: says, in: "D", reader: "carrier", messages: func(m maker, _ []byte) []reading {
			w := wish[sealed.Knock]{home: "D", agent: 1, signer: m.homes["D"].PersonKeys(who).DeviceSigning}
			return []reading{{b: m.knock(w), expect: expect}}
		}}
	}
	of := func(name, says, expect string, agent, camera, deeds int) drawing {
		return drawing{name: "knock-" + name, says: says, in: "D", reader: "carrier", messages: func(m maker, _ []byte) []reading {
			return []reading{{b: m.knock(wish[sealed.Knock]{home: "D", agent: agent, camera: camera, title: m.homes["D"].Until(deeds)}), expect: expect}}
		}}
	}
	former := of("former-key-read", "the same, read by the agent, which has another key now", "no-envelope", 0, 0, 12)
	former.reader, former.now = "agent 1", moment
	return []drawing{
		former,
		by("by-link", "by a link: the agent will ask what it may", "opened", "link"),
		byFormerAgent(),
		by("dismissed", "by the device of a guest who is gone", "former-signer", "gus"),
		of("former-key-then", "at an earlier head, to the key that the agent had then", "opened", 0, 0, 12),
		of("former-key-now", "to the key that the agent had before", "wrong-recipients", 0, 0, 17),
		of("former-camera", "for a camera that has left", "wrong-agent", 1, 1, 17),
		of("former-agent", "at an agent that has left", "wrong-agent", 2, 2, 12),
	}
}

func byFormerAgent() drawing {
	return drawing{name: "knock-by-former-agent", says: "signed with a key that was an agent's", in: "D", reader: "carrier", messages: func(m maker, _ []byte) []reading {
		return []reading{{b: m.knock(wish[sealed.Knock]{home: "D", agent: 1, signer: m.homes["D"].Agent(0).Keys.Signing}), expect: "not-allowed"}}
	}}
}

// answer is a vector of one grant.
func answer(name, says, expect string, w wish[sealed.Grant]) drawing {
	return drawing{name: "grant-" + name, says: says, messages: func(m maker, knock []byte) []reading {
		return []reading{{b: m.grant(knock, w), expect: expect}}
	}}
}

func refusal(says string) wish[sealed.Grant] {
	return wish[sealed.Grant]{plain: []byte(says), about: func(g *sealed.Grant) { g.Run, g.From = latchkey.RunID{}, 0 }}
}

func grants() []drawing {
	type grant = sealed.Grant
	content := func(i live.Init) wish[grant] { return wish[grant]{plain: live.Content(make([]byte, 32), i)} }
	byAgent1 := func(m maker) wish[grant] { return wish[grant]{agent: 1} }
	with := func(name, says, expect string, w func(m maker) wish[grant]) drawing {
		return drawing{name: "grant-" + name, says: says, messages: func(m maker, knock []byte) []reading {
			return []reading{{b: m.grant(knock, w(m)), expect: expect}}
		}}
	}
	return []drawing{
		answer("opened", "a grant", "granted", wish[grant]{}),
		answer("refusal", "the agent refuses", "refused frozen", refusal("frozen")),
		answer("refusal-silent", "it refuses without a word", "content", refusal("")),
		answer("refusal-65", "a word of 65 letters", "content", refusal(letters(65))),
		answer("refusal-line", "a word with a line end", "content", refusal("off\n")),
		{name: "grant-carried", says: "a grant as a carrier sees it", reader: "carrier", messages: func(m maker, _ []byte) []reading {
			return []reading{{b: m.grant(m.knock(wish[sealed.Knock]{}), wish[grant]{}), expect: "opened"}}
		}},
		answer("context-cut", "it ends within the run", "truncated", after[grant](func(b []byte) []byte { return b[:70] })),
		answer("context-alone", "it ends behind the signer", "truncated", after[grant](func(b []byte) []byte { return b[:grantCount] })),
		{name: "grant-version-too-old", says: "a grant in a home that takes no version 1", in: "C", reader: "carrier", messages: func(m maker, _ []byte) []reading {
			return []reading{{b: m.grant(nil, wish[grant]{home: "C"}), expect: "old-version"}}
		}},
		answer("cut", "without its last byte", "truncated", after[grant](cut(1))),
		answer("extended", "a byte more", "malformed", after[grant](func(b []byte) []byte { return append(b, 0) })),
		answer("version-2", "version 2", "future-version", after[grant](set(0, 2))),
		answer("as-knock", "a grant that says it is a knock", "malformed", after[grant](set(1, 1))),
		answer("32769", "32 KiB and a byte", "oversize", after[grant](grown(sealed.MaxGrant+1))),
		answer("run-without-start", "a run from fragment 0", "malformed", about(func(g *grant) { g.From = 0 })),
		answer("start-without-run", "no run, from fragment 5", "malformed", about(func(g *grant) { g.Run = latchkey.RunID{} })),
		answer("incarnation-0", "incarnations count from 1", "malformed", about(func(g *grant) { g.Incarnation = 0 })),
		answer("number-0", "grants count from 1", "malformed", about(func(g *grant) { g.Number = 0 })),
		answer("two-recipients", "the same recipient twice", "malformed", wraps(func(g *grant) { g.Recipients = slices.Repeat(g.Recipients, 2) })),
		answer("recipient-epoch", "sealed to the epoch", "malformed", wraps(func(g *grant) { g.Recipients[0].Recipient = sealed.ToEpoch })),
		answer("wrap-cut", "it ends within the wrap", "truncated", after[grant](func(b []byte) []byte { return b[:grantCount+100] })),
		answer("unsigned", "no signature", "malformed", after[grant](unsigned)),
		answer("neighbours", "a grant of the neighbours' agent", "wrong-home", wish[grant]{home: "B"}),
		answer("other-camera", "a grant for the camera beside", "wrong-camera", wish[grant]{camera: 1}),
		answer("other-stream", "a grant for the sub stream", "wrong-stream", about(func(g *grant) { g.Stream.Kind = sealed.SubStream })),
		answer("other-knock", "a grant for another viewer's knock", "wrong-knock", about(func(g *grant) { g.Knock[0] ^= 1 })),
		answer("head-beyond", "at a deed that the reader has not seen", "unknown-head", about(func(g *grant) { g.Head.Seq++ })),
		with("stranger", "signed by the neighbours' agent", "unknown-signer", func(m maker) wish[grant] { return wish[grant]{signer: m.homes["B"].Agent(0).Keys.Signing} }),
		with("by-owner", "signed by the owner", "not-allowed", func(m maker) wish[grant] { return wish[grant]{signer: m.homes["A"].OwnerKeys().Signing} }),
		with("in-anothers-name", "signed by the second agent in the name of the first", "wrong-agent", func(m maker) wish[grant] {
			return wish[grant]{signer: m.homes["A"].Agent(1).Keys.Signing}
		}),
		with("other-agent", "by the second agent, for a camera of the first", "wrong-agent", byAgent1),
		with("forged", "names the agent, signed by the second", "bad-signature", func(m maker) wish[grant] {
			first := m.homes["A"].Agent(0).Keys.KeyID()
			return wish[grant]{signer: m.homes["A"].Agent(1).Keys.Signing, wraps: func(g *grant) { g.Signer = first }}
		}),
		answer("time-altered", "a bit of the time is another", "bad-signature", after[grant](func(b []byte) []byte { b[110] ^= 1; return b })),
		answer("old-epoch", "under the number of the epoch before", "wrong-recipients", wraps(func(g *grant) { g.Recipients[0].Epoch-- })),
		{name: "grant-on-time", says: "when the knock ends", messages: func(m maker, knock []byte) []reading {
			return []reading{{m.grant(knock, wish[grant]{}), "granted", moment + sealed.MaxKnockLife}}
		}},
		{name: "grant-late", says: "a microsecond after the knock has ended", messages: func(m maker, knock []byte) []reading {
			return []reading{{m.grant(knock, wish[grant]{}), "expired", moment + sealed.MaxKnockLife + 1}}
		}},
		with("to-another", "sealed to another viewer's key", "no-envelope", func(m maker) wish[grant] {
			other, err := key.NewPrivate()
			m.must(err)
			return wish[grant]{to: other}
		}),
		answer("wrap-altered", "a bit of the wrap is another", "envelope", wraps(func(g *grant) { g.Recipients[0].Sealed[7] ^= 1 })),
		answer("commitment-altered", "a bit of the commitment is another", "commitment", wraps(func(g *grant) { g.Body[30] ^= 1 })),
		answer("chunk-altered", "a bit of the body is another", "chunk", wraps(func(g *grant) { g.Body[60] ^= 1 })),
		answer("body-cut", "a body that is none", "truncated", wraps(func(g *grant) { g.Body = g.Body[:71] })),
		answer("content-short", "a key of 31 bytes and nothing else", "content", wish[grant]{plain: make([]byte, 31)}),
		answer("content-long", "a byte behind the init segment", "content", wish[grant]{plain: append(live.Content(make([]byte, 32), init1080), 0)}),
		answer("no-type", "an empty type", "content", content(live.Init{Segment: []byte{1}})),
		answer("type-128", "a type of 128 letters", "granted", content(live.Init{Type: letters(128), Segment: []byte{1}})),
		answer("type-129", "a type of 129 letters", "content", content(live.Init{Type: letters(129), Segment: []byte{1}})),
		answer("type-umlaut", "a type that is not ASCII", "content", content(live.Init{Type: "vidéo/mp4", Segment: []byte{1}})),
		answer("no-init", "no init segment", "content", content(live.Init{Type: "video/mp4"})),
		answer("init-16385", "an init segment of 16 KiB and a byte", "content", content(live.Init{Type: "video/mp4", Segment: make([]byte, 16<<10+1)})),
		{name: "grant-twice", says: "the same grant twice", messages: func(m maker, knock []byte) []reading {
			b := m.grant(knock, wish[grant]{})
			return []reading{{b: b, expect: "granted"}, {b: b, expect: "wrong-knock"}}
		}},
	}
}

func letters(n int) string { return string(slices.Repeat([]byte{'v'}, n)) }

func grantsOfD() []drawing {
	of := func(name, says, expect string, agent, deeds int) drawing {
		return drawing{name: "grant-" + name, says: says, in: "D", messages: func(m maker, knock []byte) []reading {
			return []reading{{b: m.grant(knock, wish[sealed.Grant]{home: "D", agent: agent, title: m.homes["D"].Until(deeds)}), expect: expect}}
		}}
	}
	return []drawing{
		of("by-new-key", "with the keys that the agent has", "granted", 1, 17),
		of("former-key", "with the keys that the agent had, at the head of then", "former-signer", 0, 12),
		of("before-its-time", "with the keys that the agent has, at a head before they came", "former-signer", 1, 12),
		of("by-released-agent", "by an agent that has left", "former-signer", 2, 12),
	}
}

// shows is what comes of a fragment that is played.
func shows(p piece) string {
	if p.home == "" {
		p.home = "A"
	}
	return told(live.Step{Media: media(p), Key: p.key}, nil)
}

var begins = told(live.Step{Init: &init1080}, nil) + ", "

// fragments are vectors of one fragment, the first after a grant.
func fragments() []drawing {
	first := piece{sequence: 5, key: true}
	of := func(name, says, expect string, change func(m maker, p *piece)) drawing {
		return drawing{name: name, says: says, messages: func(m maker, knock []byte) []reading {
			p := first
			change(m, &p)
			return []reading{{b: m.grant(knock, wish[sealed.Grant]{}), expect: "granted"}, {b: m.fragment(p), expect: expect}}
		}}
	}
	about := func(change func(f *sealed.Fragment)) func(maker, *piece) {
		return func(_ maker, p *piece) { p.about = change }
	}
	then := func(change func(f *sealed.Fragment)) func(maker, *piece) {
		return func(_ maker, p *piece) { p.sealed = change }
	}
	after := func(change func(b []byte) []byte) func(maker, *piece) {
		return func(_ maker, p *piece) { p.after = change }
	}
	const length = 80 // where the length of what is sealed is
	return []drawing{
		of("played", "a fragment", begins+shows(first), func(maker, *piece) {}),
		of("fragment-cut", "without its last byte", "truncated", after(cut(1))),
		of("fragment-extended", "a byte more", "malformed", after(func(b []byte) []byte { return append(b, 0) })),
		of("fragment-version-0", "version 0", "malformed", after(set(0, 0))),
		of("fragment-version-2", "version 2", "future-version", after(set(0, 2))),
		of("fragment-kind-4", "kind 4", "malformed", after(set(1, 4))),
		of("fragment-as-grant", "a fragment that says it is a grant", "malformed", after(set(1, 2))),
		of("fragment-alone", "two bytes", "truncated", after(func(b []byte) []byte { return b[:2] })),
		of("fragment-run-cut", "it ends within the run", "truncated", after(func(b []byte) []byte { return b[:60] })),
		of("fragment-header-cut", "it ends within the header", "truncated", after(func(b []byte) []byte { return b[:79] })),
		of("fragment-run-0", "no run", "malformed", about(func(f *sealed.Fragment) { f.Run = latchkey.RunID{} })),
		of("fragment-sequence-0", "fragments count from 1", "malformed", about(func(f *sealed.Fragment) { f.Sequence = 0 })),
		of("fragment-flags-4", "a flag that there is not", "malformed", after(func(b []byte) []byte { b[71] |= 4; return b })),
		of("fragment-time-2-53", "a time of 2^53", "malformed", after(set(72, 0, 32, 0, 0, 0, 0, 0, 0))),
		of("fragment-3145729", "3 MiB and a byte are sealed", "oversize", after(set(length, 0, 48, 0, 1))),
		of("fragment-nothing", "nothing is sealed but a tag", "malformed", then(func(f *sealed.Fragment) { f.Sealed = f.Sealed[:16] })),
		of("fragment-unsigned", "no signature", "malformed", after(unsigned)),
		of("fragment-signature-63", "a signature of 63 bytes", "malformed", after(shortSigned)),
		of("neighbours-fragment", "a fragment of the neighbours", "wrong-home", func(_ maker, p *piece) { p.home = "B" }),
		of("other-camera", "the camera beside", "wrong-camera", func(_ maker, p *piece) { p.camera = 1 }),
		of("other-stream", "the sub stream", "wrong-stream", about(func(f *sealed.Fragment) { f.Stream.Kind = sealed.SubStream })),
		of("other-run", "another run of the same stream", "wrong-run", func(_ maker, p *piece) { p.run = 1 }),
		of("other-run-renamed", "another run under this one's ID", "bad-signature", func(m maker, p *piece) {
			p.run, p.after = 1, func(b []byte) []byte { copy(b[51:], m.runs[0].id[:]); return b }
		}),
		of("other-camera-renamed", "the camera beside under this one's ID", "bad-signature", func(m maker, p *piece) {
			this := m.homes["A"].Camera(0)
			p.camera, p.after = 1, func(b []byte) []byte { copy(b[34:], this[:]); return b }
		}),
		of("fragment-forged", "sealed with the run's key, signed by another agent", "bad-signature", func(m maker, p *piece) {
			p.signer = m.homes["A"].Agent(1).Keys.Signing
		}),
		of("fragment-by-viewer", "sealed with the run's key, signed by a viewer's device", "bad-signature", func(m maker, p *piece) {
			p.signer = m.homes["A"].OwnerKeys().DeviceSigning
		}),
		of("fragment-number-altered", "its number is another", "bad-signature", after(set(70, 6))),
		of("fragment-key-altered", "it says that it begins with a key frame", "bad-signature", func(_ maker, p *piece) {
			p.key, p.after = false, func(b []byte) []byte { b[71] = 1; return b }
		}),
		of("fragment-time-altered", "a bit of its time is another", "bad-signature", after(func(b []byte) []byte { b[79] ^= 1; return b })),
		of("fragment-altered", "a bit of what is sealed is another", "bad-signature", after(func(b []byte) []byte { b[90] ^= 1; return b })),
		of("fragment-spliced", "the header of one, the content and signature of another", "bad-signature", func(m maker, p *piece) {
			other := m.fragment(piece{sequence: 6, key: true})
			p.after = func(b []byte) []byte { return append(b[:80], other[80:]...) }
		}),
		of("fragment-does-not-open", "signed, and sealed with another key", "chunk", func(m maker, p *piece) {
			p.sealed = func(f *sealed.Fragment) { f.Sealed = m.seal(1, *f, []byte("not what it says")) }
		}),
		of("fragment-other-nonce", "signed, and sealed with the nonce of another", "chunk", func(m maker, p *piece) {
			p.sealed = func(f *sealed.Fragment) {
				g := *f
				g.Sequence++
				f.Sealed = m.seal(0, g, []byte("not what it says"))
			}
		}),
		of("no-key-first", "the first is no key", "waits", func(_ maker, p *piece) { p.key = false }),
		of("before-from", "the one before the first that was granted", "replayed", func(_ maker, p *piece) { p.sequence = 4 }),
	}
}

// sequences are vectors of more than one fragment.
func sequences() []drawing {
	at := func(sequence uint32, key bool) piece { return piece{sequence: sequence, key: key} }
	ending := func(p piece) piece { p.about = func(f *sealed.Fragment) { f.Ending = true }; return p }
	// after a grant from fragment 5, these.
	of := func(name, says string, pieces []piece, expect ...string) drawing {
		return drawing{name: name, says: says, messages: func(m maker, knock []byte) []reading {
			all := []reading{{b: m.grant(knock, wish[sealed.Grant]{}), expect: "granted"}}
			for i, p := range pieces {
				all = append(all, reading{b: m.fragment(p), expect: expect[i]})
			}
			return all
		}}
	}
	k5, p6, p7, k8 := at(5, true), at(6, false), at(7, false), at(8, true)
	start := begins + shows(k5)
	return []drawing{
		of("three", "three in order", []piece{k5, p6, p7}, start, shows(p6), shows(p7)),
		of("later-start", "the group after the one that was granted", []piece{k8}, begins+shows(k8)),
		of("again", "one comes again", []piece{k5, p6, p6, p7}, start, shows(p6), "replayed", shows(p7)),
		of("reordered", "two change places", []piece{k5, p7, p6, k8}, start, "missing 1", "replayed", shows(k8)),
		of("gap", "one is left out, and the group goes on", []piece{k5, p7, k8}, start, "missing 1", shows(k8)),
		of("gap-to-key", "the end of a group is left out", []piece{k5, k8}, start, "missing 2, "+shows(k8)),
		of("gap-twice", "one is left out before the gap has ended", []piece{k5, p7, at(9, false), at(10, true)}, start, "missing 1", "missing 1", shows(at(10, true))),
		of("ending", "the run ends: it is said once", []piece{k5, ending(p6), ending(p7)}, start, shows(p6)+", knock", shows(p7)),
		of("ending-at-once", "it ends with the first", []piece{ending(k5)}, start+", knock"),
		of("refused-between", "what is refused in between changes nothing", []piece{k5, {sequence: 6, camera: 1}, {sequence: 6, run: 1}, p6}, start, "wrong-camera", "wrong-run", shows(p6)),
		{name: "fragment-before-grant", says: "a fragment, and then the grant for its run", messages: func(m maker, knock []byte) []reading {
			return []reading{{b: m.fragment(k5), expect: "wrong-run"}, {b: m.grant(knock, wish[sealed.Grant]{}), expect: "granted"}, {b: m.fragment(k5), expect: start}}
		}},
		{name: "held-back", says: "fragments that come five seconds late", messages: func(m maker, knock []byte) []reading {
			late := moment + 10*second // the grant's time is 0.1 s, fragment 5 is of 5 s after the knock
			return []reading{{b: m.grant(knock, wish[sealed.Grant]{}), expect: "granted"}, {m.fragment(k5), start, late}, {m.fragment(p6), shows(p6), late + second}}
		}},
		{name: "grant-held-back", says: "a grant that comes a minute late", messages: func(m maker, knock []byte) []reading {
			return []reading{{m.grant(knock, wish[sealed.Grant]{}), "granted", moment + 60*second}, {m.fragment(k5), start, moment + 60*second}}
		}},
		{name: "knock-to-viewer", says: "a knock reaches a viewer", messages: func(m maker, knock []byte) []reading {
			return []reading{{b: knock, expect: "malformed"}}
		}},
	}
}
