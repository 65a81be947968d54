package settings_test

import (
	"cmp"
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/parcel"
	"github.com/latchkey-cam/latchkey/internal/vectors"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// maker makes documents: genuine ones, and from them those that have one thing wrong.
type maker struct {
	t     *testing.T
	homes map[string]*keytest.Home
}

// document is how a document is made; what is left out is as an honest owner has it.
type document struct {
	home   string                   // A
	title  *deed.Title              // the chain that the owner knew
	prev   []byte                   // the document before
	about  func(s *sealed.Settings) // changes what the body is bound to
	plain  string                   // the content
	wraps  func(s *sealed.Settings) // changes recipients and body before they are signed
	signer ed25519.PrivateKey
	after  func(b []byte) []byte // changes the signed bytes
}

func (m maker) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m maker) plain() string {
	a := m.homes["A"]
	return `{"v":1,"home":"Our house","zone":"Europe/Berlin","cameras":{"` + a.Camera(0).String() + `":{"name":"Front door"},"` + a.Camera(2).String() + `":{"name":"Teich 🐟"}}}`
}

func (m maker) make(d document) []byte {
	home := m.homes[cmp.Or(d.home, "A")]
	if d.title == nil {
		d.title = home.Title()
	}
	if d.plain == "" {
		d.plain = m.plain()
	}
	if d.signer == nil {
		d.signer = home.OwnerKeys().Signing
	}
	s := sealed.Settings{Home: d.title.Home(), Number: 1, Time: 1740840000000000}
	s.Head, s.Signer = d.title.Head(), deed.Ed25519Key(d.signer.Public().(ed25519.PublicKey)).ID()
	if d.prev != nil {
		prev, err := sealed.ParseSettings(d.prev)
		m.must(err)
		s.Number, s.Prev = prev.Number+1, prev.Hash()
	}
	if d.about != nil {
		d.about(&s)
	}
	m.must(parcel.Seal(&s, sealed.SettingsRecipients(d.title, d.title.Head().Seq), []byte(d.plain)))
	if d.wraps != nil {
		d.wraps(&s)
	}
	s.Signatures = [][]byte{ed25519.Sign(d.signer, s.SignedMessage())}
	b := s.Bytes()
	if d.after != nil {
		b = d.after(b)
	}
	return b
}

// drawing is one vector that Go has written. The reader holds the epochs of home A
// unless reader says which agent it is.
type drawing struct {
	name, says, expect, reader string
	make                       func(m maker) document
}

func (m maker) vector(d drawing) vector {
	how := d.make(m)
	v := vector{Name: d.name, Says: d.says, Home: cmp.Or(how.home, "A"), Reader: d.reader, Expect: d.expect, Document: m.make(how)}
	if v.Reader == "" {
		v.Reader = "epoch"
	}
	if d.expect == "opened" {
		if v.Content = []byte(how.plain); how.plain == "" {
			v.Content = []byte(m.plain())
		}
	}
	return v
}

func drawings() []drawing {
	return slices.Concat(genuine(), refused(), people(), contents(), cameras())
}

func genuine() []drawing {
	honest := func(maker) document { return document{} }
	return []drawing{
		{"first", "the first document of a home", "opened", "", honest},
		{"first-agent", "as the first agent reads it", "opened", "agent 0", honest},
		{"second-agent", "as the second agent reads it", "opened", "agent 1", honest},
		{"second", "the document after the first", "opened", "", func(m maker) document { return document{prev: m.make(document{})} }},
		{"earlier-head", "made in the first epoch, when there was one agent", "opened", "agent 0", func(m maker) document { return document{title: m.homes["A"].Until(5)} }},
		{"no-cameras", "a home without names for its cameras, and a member that no reader knows", "opened", "", func(m maker) document {
			return document{plain: `{"v":1,"home":"H","zone":"UTC","cameras":{},"masks":[1]}`}
		}},
		{"people", "people with names, and a member that no reader knows", "opened", "", func(m maker) document {
			return document{plain: `{"v":1,"home":"H","zone":"UTC","cameras":{},"people":{"` + m.homes["A"].Camera(0).String() + `":{"name":"Anna","colour":"red"}}}`}
		}},
		{"64-letters", "the longest names", "opened", "", func(m maker) document {
			return document{plain: `{"v":1,"home":"` + strings.Repeat("é", 64) + `","zone":"` + strings.Repeat("Z", 64) + `","cameras":{}}`}
		}},
	}
}

// people are documents of home D, in which people and agents came and went.
func people() []drawing {
	at := func(deeds int, signer string) func(m maker) document {
		return func(m maker) document {
			d := document{home: "D", title: m.homes["D"].Until(deeds)}
			if signer != "" {
				d.signer = m.homes["D"].PersonKeys(signer).Signing
			}
			return d
		}
	}
	sealedTo := func(agent int) func(m maker) document {
		return func(m maker) document {
			k := m.homes["D"].Agent(agent).Keys.KEM.ID()
			return document{home: "D", wraps: func(s *sealed.Settings) { s.Recipients[1].Key = k }}
		}
	}
	return []drawing{
		{"replaced-agent", "sealed to an agent that has new keys, and not to one that has left", "opened", "agent 1", at(17, "")},
		{"replaced-agent-then", "sealed to both agents as they were", "opened", "agent 0", at(12, "")},
		{"released-agent-then", "sealed to both agents, read by the one that has left", "opened", "agent 2", at(12, "")},
		{"to-the-former-key", "sealed to the key that an agent had before", "wrong-recipients", "", sealedTo(0)},
		{"to-the-released-agent", "sealed to an agent that has left", "wrong-recipients", "", sealedTo(2)},
		{"resident-signs", "signed by somebody who was a resident then, and is gone", "not-allowed", "", at(12, "anna")},
		{"former-resident-signs", "signed by somebody who was gone then", "not-allowed", "", at(17, "anna")},
		{"guest-signs", "signed by a guest", "not-allowed", "", at(12, "gus")},
		{"link-signs", "signed by a link", "not-allowed", "", at(17, "link")},
	}
}

func refused() []drawing {
	after := func(change func(b []byte) []byte) func(maker) document {
		return func(maker) document { return document{after: change} }
	}
	about := func(change func(s *sealed.Settings)) func(maker) document {
		return func(maker) document { return document{about: change} }
	}
	wraps := func(change func(s *sealed.Settings)) func(maker) document {
		return func(maker) document { return document{wraps: change} }
	}
	return []drawing{
		{"empty", "no bytes", "truncated", "", after(func([]byte) []byte { return nil })},
		{"cut", "without its last byte", "truncated", "", after(func(b []byte) []byte { return b[:len(b)-1] })},
		{"extended", "a byte more", "malformed", "", after(func(b []byte) []byte { return append(b, 0) })},
		{"version-0", "version 0", "malformed", "", after(func(b []byte) []byte { b[0] = 0; return b })},
		{"version-2", "version 2", "future-version", "", after(func(b []byte) []byte { b[0] = 2; return b })},
		{"too-long", "256 KiB and a byte", "oversize", "", after(func(b []byte) []byte { return append(b, make([]byte, sealed.MaxSettings+1-len(b))...) })},
		{"34-recipients", "more recipients than a home has", "oversize", "", wraps(func(s *sealed.Settings) {
			s.Recipients = slices.Repeat(s.Recipients[:1], 34)
		})},
		{"number-0", "documents count from 1", "malformed", "", about(func(s *sealed.Settings) { s.Number = 0 })},
		{"sealed-to-a-person", "a recipient of a kind that no document has", "malformed", "", wraps(func(s *sealed.Settings) { s.Recipients[0].Recipient = sealed.ToPerson })},
		{"short-wrap", "a wrap of 1,167 bytes", "malformed", "", wraps(func(s *sealed.Settings) { s.Recipients[0].Sealed = s.Recipients[0].Sealed[1:] })},
		{"neighbours", "the settings of home B", "wrong-home", "", func(m maker) document {
			return document{title: m.homes["B"].Title(), signer: m.homes["B"].OwnerKeys().Signing}
		}},
		{"head-beyond", "made at a deed that the reader has not seen", "unknown-head", "", about(func(s *sealed.Settings) { s.Head.Seq++ })},
		{"fork", "made on another chain", "unknown-head", "", about(func(s *sealed.Settings) { s.Head.Hash[0] ^= 1 })},
		{"stranger", "signed by the owner of home B", "unknown-signer", "", func(m maker) document { return document{signer: m.homes["B"].OwnerKeys().Signing} }},
		{"time-altered", "a bit of the time is another", "bad-signature", "", after(func(b []byte) []byte { b[1+32+8+32+7] ^= 1; return b })},
		{"body-altered", "a bit of the body is another", "bad-signature", "", after(func(b []byte) []byte { b[len(b)-70] ^= 1; return b })},
		{"device-signs", "signed by the owner's device, which signs requests only", "not-allowed", "", func(m maker) document { return document{signer: m.homes["A"].OwnerKeys().DeviceSigning} }},
		{"agent-signs", "signed by an agent", "not-allowed", "", func(m maker) document { return document{signer: m.homes["A"].Agent(0).Keys.Signing} }},
		{"agent-left-out", "not sealed to the second agent", "wrong-recipients", "", wraps(func(s *sealed.Settings) { s.Recipients = s.Recipients[:2] })},
		{"nobody", "sealed to nobody", "wrong-recipients", "", wraps(func(s *sealed.Settings) { s.Recipients = nil })},
		{"agents-exchanged", "the agents in another order than the chain's", "wrong-recipients", "", wraps(func(s *sealed.Settings) {
			s.Recipients[1], s.Recipients[2] = s.Recipients[2], s.Recipients[1]
		})},
		{"neighbours-agent", "sealed to an agent of home B in the second agent's place", "wrong-recipients", "", func(m maker) document {
			return document{wraps: func(s *sealed.Settings) { s.Recipients[2].Key = m.homes["B"].Agent(0).Keys.KEM.ID() }}
		}},
		{"old-epoch", "sealed to the epoch before", "wrong-recipients", "", func(m maker) document {
			return document{wraps: func(s *sealed.Settings) {
				k, _ := m.homes["A"].Title().EpochKey(1)
				s.Recipients[0].Key, s.Recipients[0].Epoch = k.ID(), 1
			}}
		}},
		{"other-epoch-number", "an agent's wrap gives another epoch", "wrong-recipients", "", wraps(func(s *sealed.Settings) { s.Recipients[1].Epoch = 1 })},
		{"before-its-time", "an agent reads a document from before it was placed", "no-envelope", "agent 1", func(m maker) document { return document{title: m.homes["A"].Until(5)} }},
		{"wraps-exchanged", "the wrap of the first agent in the place of the epoch's", "envelope", "", wraps(func(s *sealed.Settings) { s.Recipients[0].Sealed = s.Recipients[1].Sealed })},
		{"wrap-altered", "a bit of the agent's wrap is another", "envelope", "agent 0", wraps(func(s *sealed.Settings) { s.Recipients[1].Sealed[1150] ^= 1 })},
		{"body-cut", "a body of 71 bytes", "truncated", "", wraps(func(s *sealed.Settings) { s.Body = s.Body[:71] })},
		{"body-bound-elsewhere", "the body of another document of the same key", "commitment", "", wraps(func(s *sealed.Settings) { s.Body[30] ^= 1 })},
		{"chunk-altered", "a bit of the content is another", "chunk", "", wraps(func(s *sealed.Settings) { s.Body[60] ^= 1 })},
	}
}

// contents open, and what they say is refused.
func contents() []drawing {
	says := func(name, says, plain string) drawing {
		return drawing{name, says, "content", "", func(m maker) document {
			return document{plain: strings.ReplaceAll(plain, "CAMERA", m.homes["A"].Camera(0).String())}
		}}
	}
	return []drawing{
		says("no-json", "no JSON", "Our house"),
		says("no-utf-8", "a byte that is no UTF-8", "{\"v\":1,\"home\":\"\xff\",\"zone\":\"UTC\",\"cameras\":{}}"),
		says("content-2", "content of a later version", `{"v":2,"home":"H","zone":"UTC","cameras":{}}`),
		says("people-null", "people who are null", `{"v":1,"home":"H","zone":"UTC","cameras":{},"people":null}`),
		says("people-no-id", "somebody who is called, and has no ID", `{"v":1,"home":"H","zone":"UTC","cameras":{},"people":{"anna":{"name":"Anna"}}}`),
		says("people-camera", "somebody without a name", `{"v":1,"home":"H","zone":"UTC","cameras":{},"people":{"CAMERA":{}}}`),
		says("zone-missing", "no time zone", `{"v":1,"home":"H","cameras":{}}`),
		says("zone-odd", "a time zone that could be a path", `{"v":1,"home":"H","zone":"../etc","cameras":{}}`),
		says("member-in-capitals", "a member of another case is another member", `{"v":1,"HOME":"H","zone":"UTC","cameras":{}}`),
		says("home-null", "null is no name", `{"v":1,"home":null,"zone":"UTC","cameras":{}}`),
		says("no-name", "a camera without a name", `{"v":1,"home":"H","zone":"UTC","cameras":{"CAMERA":{}}}`),
		says("empty-name", "a camera with an empty name", `{"v":1,"home":"H","zone":"UTC","cameras":{"CAMERA":{"name":""}}}`),
		says("65-letters", "a name of 65 letters", `{"v":1,"home":"`+strings.Repeat("é", 65)+`","zone":"UTC","cameras":{}}`),
		says("control-character", "a name with a line break", `{"v":1,"home":"a\nb","zone":"UTC","cameras":{}}`),
		says("turned-text", "a name that is shown backwards", `{"v":1,"home":"H","zone":"UTC","cameras":{"CAMERA":{"name":"\u202eetag"}}}`),
		says("no-camera", "a camera whose ID is none", `{"v":1,"home":"H","zone":"UTC","cameras":{"front":{"name":"Front"}}}`),
	}
}

// cameras are documents that say more of one camera than its name.
func cameras() []drawing {
	of := func(name, says, expect, members string) drawing {
		return drawing{"camera-" + name, says, expect, "", func(m maker) document {
			id := m.homes["A"].Camera(0).String()
			return document{plain: `{"v":1,"home":"H","zone":"Europe/Berlin","cameras":{"` + id + `":{"name":"Door"` + members + `}}}`}
		}}
	}
	shape := func(points int) string { return "[" + strings.Repeat("[0,0],", points-1) + "[10000,10000]]" }
	zones := func(n int) string {
		return `,"zones":[` + strings.Repeat(`{"name":"Z","points":`+shape(3)+`},`, n-1) + `{"name":"Gate","points":` + shape(32) + `}]`
	}
	hours := `{"days":[1,5],"from":"22:00","to":"06:30"}`
	return []drawing{
		of("off", "off by hand", "opened", `,"off":true`),
		of("on", "said to be on, of medium sensitivity, with nothing else", "opened", `,"off":false,"sensitivity":"medium","off_when":[],"zones":[],"masks":[]`),
		of("hours", "off by hours", "opened", `,"off_when":[`+hours+`,{"days":[7,6],"from":"00:00","to":"00:00"}]`),
		of("shapes", "as many zones as may be, and a mask", "opened", zones(16)+`,"masks":[{"points":`+shape(3)+`}],"sensitivity":"high"`),
		of("off-text", "off is no word", "content", `,"off":"yes"`),
		of("off-null", "null is neither on nor off", "content", `,"off":null`),
		of("hours-17", "17 rules", "content", `,"off_when":[`+strings.Repeat(hours+",", 16)+hours+`]`),
		of("hours-no-day", "hours on no day", "content", `,"off_when":[{"days":[],"from":"22:00","to":"06:30"}]`),
		of("hours-day-0", "Sunday is 7", "content", `,"off_when":[{"days":[0],"from":"22:00","to":"06:30"}]`),
		of("hours-day-twice", "Monday twice", "content", `,"off_when":[{"days":[1,1],"from":"22:00","to":"06:30"}]`),
		of("hours-24", "there is no 24:00", "content", `,"off_when":[{"days":[1],"from":"22:00","to":"24:00"}]`),
		of("hours-short", "a time is HH:MM", "content", `,"off_when":[{"days":[1],"from":"8:00","to":"09:00"}]`),
		of("hours-seconds", "and nothing more", "content", `,"off_when":[{"days":[1],"from":"08:00:00","to":"09:00"}]`),
		of("hours-no-end", "an end is missing", "content", `,"off_when":[{"days":[1],"from":"08:00"}]`),
		of("sensitivity", "a sensitivity that there is not", "content", `,"sensitivity":"extreme"`),
		of("zones-17", "17 zones", "content", zones(17)),
		of("zone-unnamed", "a zone has a name", "content", `,"zones":[{"name":"","points":`+shape(3)+`}]`),
		of("zone-two-points", "a zone has three points", "content", `,"zones":[{"name":"Z","points":`+shape(2)+`}]`),
		of("mask-33-points", "and 32 at most", "content", `,"masks":[{"points":`+shape(33)+`}]`),
		of("mask-outside", "a point beside the picture", "content", `,"masks":[{"points":[[0,0],[1,1],[10001,0]]}]`),
		of("mask-negative", "or above it", "content", `,"masks":[{"points":[[0,0],[1,1],[0,-1]]}]`),
		of("mask-half", "ten-thousandths are whole", "content", `,"masks":[{"points":[[0,0],[1,1],[0.5,0]]}]`),
		of("mask-triple", "a point is a pair", "content", `,"masks":[{"points":[[0,0,0],[1,1],[2,0]]}]`),
		of("mask-null-point", "null is no point", "content", `,"masks":[{"points":[[0,0],[1,null],[2,0]]}]`),
	}
}

// TestWriteVectors writes the vectors that are missing, with -write.
func TestWriteVectors(t *testing.T) {
	for _, d := range drawings() {
		vectors.Write(t, d.name, func(t *testing.T) vector { return maker{t, keytest.ReadHomes(homesFile)}.vector(d) })
	}
}
