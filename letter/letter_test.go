package letter_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/internal/vectors"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/settings"
)

// vector is one file of testdata/vectors (docs/letter.md, "Vectors").
type vector struct {
	Name        string        `json:"name"`
	Says        string        `json:"says"`
	Home        string        `json:"home"`
	Reader      string        `json:"reader"`
	Asked       string        `json:"asked,omitempty"`
	Incarnation uint64        `json:"incarnation,omitempty"`
	Now         latchkey.Time `json:"now,omitempty"`
	Do          string        `json:"do,omitempty"`
	Command     []byte        `json:"command,omitempty"`
	Asker       []byte        `json:"asker,omitempty"`
	Letter      []byte        `json:"letter"`
	Expect      string        `json:"expect"`
	Content     []byte        `json:"content,omitempty"`
}

const homesFile = "../sealed/testdata/homes.json"

func readVectors(t testing.TB) (all []vector, by map[string]int) {
	t.Helper()
	return vectors.Read(t, func(v *vector) *string { return &v.Name })
}

// commands are the kinds of commands by name.
var commands = map[string]letter.Command{
	"probe": letter.Probe{}, "discover": letter.Discover{}, "add-camera": letter.AddCamera{}, "describe-camera": letter.DescribeCamera{},
	"change-camera": letter.ChangeCamera{}, "forget-camera": letter.ForgetCamera{}, "accept-device": letter.AcceptDevice{},
	"still": letter.StillPicture{}, "would-fire": letter.WouldFire{},
	"timeline": letter.Timeline{}, "stills": letter.Stills{}, "footage": letter.Footage{},
	"save": letter.Save{}, "unsave": letter.Unsave{}, "delete-footage": letter.DeleteFootage{},
	"confirm-head": letter.ConfirmHead{},
}

// open opens a vector as its reader does.
func (v vector) open(t *testing.T, h *keytest.Home) (any, error) {
	t.Helper()
	agent := func(who string) *key.AgentKeys {
		i, err := strconv.Atoi(strings.TrimPrefix(who, "agent "))
		if err != nil {
			t.Fatalf("no such agent: %q", who)
		}
		return h.Agent(i).Keys
	}
	switch v.Reader {
	case "carrier":
		l, err := sealed.ParseLetter(v.Letter)
		if err == nil {
			err = sealed.VerifyLetter(l, h.Title())
		}
		return nil, err
	case "asker":
		command, err := sealed.ParseLetter(v.Command)
		if err != nil {
			t.Fatal(err)
		}
		asker, err := key.PrivateFromSeed(v.Asker)
		if err != nil {
			t.Fatal(err)
		}
		return letter.Resent(command, commands[v.Do], asker).Open(v.Letter, h.Title())
	case "epoch":
		c, _, err := letter.OpenCondition(v.Letter, h.Title(), agent(v.Asked).Agent, nil, h.Ring())
		return c, err
	}
	r, err := letter.NewInbox(agent(v.Reader), v.Incarnation).Open(v.Letter, h.Title(), v.Now)
	if err != nil {
		return nil, err
	}
	return r.Command, nil
}

// TestVectors opens every vector of both languages and compares the reason, or what the
// letter says.
func TestVectors(t *testing.T) {
	homes := keytest.ReadHomes(homesFile)
	all, by := readVectors(t)
	refused := 0
	for _, v := range all {
		if v.Expect != "opened" {
			refused++
		}
		t.Run(v.Name, func(t *testing.T) {
			content, err := v.open(t, homes[v.Home])
			have := string(sealed.ReasonOf(err))
			if err == nil {
				have = "opened"
			}
			if have != v.Expect {
				t.Fatalf("%s: %s (%v), want %s", v.Says, have, err, v.Expect)
			}
			if err == nil && v.Reader != "carrier" {
				sameContent(t, content, v.Content)
			}
			if l, err := sealed.ParseLetter(v.Letter); err == nil && !bytes.Equal(l.Bytes(), v.Letter) {
				t.Error("a second spelling of a letter")
			}
		})
	}
	if by["go"] < 100 || by["ts"] < 30 || refused <= len(all)-refused {
		t.Errorf("%d vectors by Go, %d by TypeScript, %d of them refusals: want 100, 30 and more than half", by["go"], by["ts"], refused)
	}
}

// TestReasonsAreRefused: every reason that the page lists is the reason of a vector or
// of a test of this file.
func TestReasonsAreRefused(t *testing.T) {
	reasons := map[string]bool{"replayed": true, "fork": true} // TestEachOnce, TestOnlyForward
	all, _ := readVectors(t)
	for _, v := range all {
		reasons[v.Expect] = true
	}
	for _, r := range listed(t) {
		if !reasons[r] {
			t.Errorf("no vector is refused as %s", r)
		}
		delete(reasons, r)
	}
	delete(reasons, "opened")
	for r := range reasons {
		t.Errorf("docs/letter.md does not list the reason %s", r)
	}
}

// TestVectorsNoticeAMissingCheck is the control of the vectors: in a program that lacks
// one of the checks, that vector is opened which the check is there to refuse.
func TestVectorsNoticeAMissingCheck(t *testing.T) {
	program := &sabotage.Program{Root: ".."}
	for _, c := range []struct {
		name, vector string
		cut          sabotage.Cut
	}{
		{"the command that is answered is not compared", "go/reply-to-another", sabotage.Cut{
			File: "letter/letter.go", Old: "l.Re != s.letter.Hash()", New: "l.Re != s.letter.Hash() && false",
		}},
		{"anybody with a key commands", "go/owner-commands", sabotage.Cut{
			File: "letter/inbox.go", Old: "!isDevice && !asks", New: "!isDevice && !asks && false",
		}},
		{"the signature is not verified", "go/time-altered", sabotage.Cut{
			File: "sealed/parcel.go", Old: "!k.Verify(message, p.Signatures[0])", New: "!k.Verify(message, p.Signatures[0]) && false",
		}},
		{"the incarnation is not compared", "go/earlier-incarnation", sabotage.Cut{
			File: "letter/inbox.go", Old: "l.Incarnation != i.incarnation", New: "l.Incarnation != i.incarnation && false",
		}},
	} {
		control := program.Without(t, c.cut)
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // when all have said what they lack
			out, err := control.Tests(t.Context(), "^TestVectors$/"+c.vector+"$")
			if want := "--- FAIL: TestVectors/" + c.vector + " "; err == nil || !strings.Contains(string(out), want) {
				t.Errorf("without the check the vectors say %v, want %q:\n%s", err, want, out)
			}
		})
	}
}

// house is a home of which each test asks something.
func house() (*keytest.Owner, *keytest.Agent) {
	owner := keytest.NewOwner()
	owner.Found()
	return owner, owner.PlaceAgent()
}

func send(t *testing.T, owner *keytest.Owner, agent *keytest.Agent, c letter.Command) *letter.Sent {
	t.Helper()
	_, device := owner.Device()
	sent, err := letter.SealCommand(device, owner.Title(), agent.Keys.Agent, incarnation, owner.Now(), c)
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

// TestThereAndBack: a command is read by its agent, and the replies by who sent it.
func TestThereAndBack(t *testing.T) {
	owner, agent := house()
	camera := owner.PlaceCamera(agent)
	inbox := letter.NewInbox(agent.Keys, incarnation)
	square := []settings.Point{{X: 0, Y: 0}, {X: 10_000, Y: 0}, {X: 10_000, Y: 10_000}}
	source := letter.Source{Name: "Door", Main: "rtsp://192.0.2.7/1", Sub: "rtsp://192.0.2.7/2", User: "u", Password: "p", Pin: letter.Pin{Serial: "7"}}
	picture := []byte{0xff, 0xd8, 0xff, 0xe0}
	for _, c := range []struct {
		command letter.Command
		replies []letter.Reply
	}{
		{letter.Probe{Address: "192.0.2.7", User: "u", Password: "p"}, []letter.Reply{
			letter.Progress{Says: "Looking", Done: 1, Of: 2, Still: picture},
			letter.Found{Host: "192.0.2.7", Streams: []letter.Stream{{Role: letter.Main, Address: "rtsp://192.0.2.7/1", Codec: "H.264", Rate: 14.98, Findings: []letter.Finding{{Severity: letter.Bad, Code: "b-frames", Says: "It sends B-frames.", Fix: "Switch them off."}}}}},
		}},
		{letter.Discover{}, []letter.Reply{letter.Devices{Devices: []letter.Device{{Host: "192.0.2.7", Name: "Door"}}}}},
		{letter.AddCamera{Source: source}, []letter.Reply{letter.Added{Camera: camera}}},
		{letter.DescribeCamera{Camera: camera}, []letter.Reply{letter.Description{Name: "Door", Main: "rtsp://192.0.2.7/1", Pin: letter.Pin{Serial: "7"}}}},
		{letter.ChangeCamera{Camera: camera, Source: source}, []letter.Reply{letter.Failure{Reason: "unknown", Message: "There is no such camera."}}},
		{letter.ForgetCamera{Camera: camera}, []letter.Reply{letter.Done{}}},
		{letter.AcceptDevice{Camera: camera}, []letter.Reply{letter.Done{}}},
		{letter.StillPicture{Camera: camera}, []letter.Reply{letter.Picture{JPEG: picture, Width: 4, Height: 3, Time: 5}}},
		{letter.WouldFire{Camera: camera, Sensitivity: settings.High, Zones: []settings.Zone{{Name: "Gate", Points: square}}}, []letter.Reply{letter.WouldHaveFired{Times: 3, Since: 5}}},
	} {
		sent := send(t, owner, agent, c.command)
		received, err := inbox.Open(sent.Bytes(), owner.Title(), owner.Now())
		if err != nil {
			t.Fatalf("%s: %v", c.command.Do(), err)
		}
		if diff := cmp.Diff(c.command, received.Command); diff != "" {
			t.Errorf("the agent reads (-want +have):\n%s", diff)
		}
		for i, want := range c.replies {
			b, err := received.Reply(agent.Keys, owner.Title(), owner.Now(), want)
			if err != nil {
				t.Fatalf("%s: %v", c.command.Do(), err)
			}
			have, err := sent.Open(b, owner.Title())
			if err != nil {
				t.Fatalf("%s: %v", c.command.Do(), err)
			}
			if diff := cmp.Diff(want, have); diff != "" || have.Last() != (i == len(c.replies)-1) {
				t.Errorf("the asker reads (-want +have):\n%s", diff)
			}
			if _, err := sent.Open(b, owner.Title()); sealed.ReasonOf(err) != sealed.Replayed {
				t.Errorf("the same reply again: %v, want %s", err, sealed.Replayed)
			}
		}
		if strings.Contains(string(sent.Bytes()), "192.0.2.7") {
			t.Error("an address is not sealed")
		}
	}
}

// TestEachOnce: an agent obeys a command once, however often it comes.
func TestEachOnce(t *testing.T) {
	owner, agent := house()
	inbox := letter.NewInbox(agent.Keys, incarnation)
	sent := send(t, owner, agent, letter.Discover{})
	for i, want := range []sealed.Reason{"", sealed.Replayed, sealed.Replayed} {
		if _, err := inbox.Open(sent.Bytes(), owner.Title(), 0); sealed.ReasonOf(err) != want {
			t.Errorf("time %d: %v, want %q", i+1, err, want)
		}
	}
	if _, err := inbox.Open(send(t, owner, agent, letter.Discover{}).Bytes(), owner.Title(), 0); err != nil {
		t.Errorf("another command: %v", err)
	}
}

// TestForgetsTheOldest: an inbox remembers so many commands and no more.
func TestForgetsTheOldest(t *testing.T) {
	_, agent := house()
	inbox := letter.NewInbox(agent.Keys, incarnation)
	first, second := latchkey.NewLetterID(), latchkey.NewLetterID()
	inbox.First(first)
	inbox.First(second)
	for range letter.MaxSeen - 1 {
		inbox.First(latchkey.NewLetterID())
	}
	if inbox.First(second) || !inbox.First(first) {
		t.Error("not the oldest is forgotten, or it forgets nothing")
	}
}

// TestReplyOfAnotherHome: it is told from one of another agent, also by whoever reads
// that home's chain.
func TestReplyOfAnotherHome(t *testing.T) {
	homes := keytest.ReadHomes(homesFile)
	asker, err := key.NewPrivate()
	if err != nil {
		t.Fatal(err)
	}
	m := maker{t: t, homes: homes, asker: asker}
	m.sent = m.make(writing{kind: sealed.CommandLetter})
	command, err := sealed.ParseLetter(m.sent)
	if err != nil {
		t.Fatal(err)
	}
	reply := m.make(writing{kind: sealed.ReplyLetter, home: "B", about: func(l *sealed.Letter) { l.Agent = command.Agent }})
	for _, home := range []string{"A", "B"} {
		if _, err := letter.Resent(command, letter.Discover{}, asker).Open(reply, homes[home].Title()); sealed.ReasonOf(err) != sealed.WrongHome {
			t.Errorf("by the chain of home %s: %v, want %s", home, err, sealed.WrongHome)
		}
	}
}

// TestOnlyForward: a reader takes no condition older than one that it has seen.
func TestOnlyForward(t *testing.T) {
	owner, agent := house()
	open := func(b []byte, seen *sealed.Letter) (letter.Condition, sealed.Letter, error) {
		return letter.OpenCondition(b, owner.Title(), agent.Keys.Agent, seen, owner.Ring())
	}
	tell := func(incarnation, number uint64) []byte {
		b, err := letter.SealCondition(agent.Keys, owner.Title(), incarnation, number, owner.Now(), letter.Condition{Name: "at\x07tic", Clock: letter.Clock{Quality: letter.Unknown}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	newest := tell(2, 5)
	c, seen, err := open(newest, nil)
	if err != nil || c.Name != "at tic" {
		t.Fatalf("%+v, %v", c, err)
	}
	for name, want := range map[string]struct {
		b      []byte
		reason sealed.Reason
	}{
		"the same":                 {newest, ""},
		"the next":                 {tell(2, 6), ""},
		"the next incarnation":     {tell(3, 1), ""},
		"the one before":           {tell(2, 4), sealed.Replayed},
		"an earlier incarnation":   {tell(1, 9), sealed.Replayed},
		"another of the same name": {tell(2, 5), sealed.Fork},
	} {
		if c, _, err := open(want.b, &seen); sealed.ReasonOf(err) != want.reason || (c.Name != "") != (want.reason == "") {
			t.Errorf("%s: %v, want %q", name, err, want.reason)
		}
	}
}

// TestSealRefusesWhatNobodyWouldOpen: what a reader refuses is not sealed.
func TestSealRefusesWhatNobodyWouldOpen(t *testing.T) {
	owner, agent := house()
	_, device := owner.Device()
	title, at := owner.Title(), owner.Now()
	for name, c := range map[string]letter.Command{
		"no address":      letter.Probe{},
		"no name":         letter.AddCamera{Source: letter.Source{Main: "rtsp://a"}},
		"a long password": letter.Probe{Address: "a", Password: letter.Password(strings.Repeat("x", 257))},
	} {
		if _, err := letter.SealCommand(device, title, agent.Keys.Agent, 1, at, c); err == nil {
			t.Errorf("%s was sealed", name)
		}
	}
	if _, err := letter.SealCommand(owner.Keys.Signing, title, agent.Keys.Agent, 1, at, letter.Discover{}); sealed.ReasonOf(err) != sealed.NotAllowed {
		t.Errorf("a command under the owner's key: %v", err)
	}
	if _, err := letter.SealCommand(device, title, agent.Keys.Agent, 0, at, letter.Discover{}); sealed.ReasonOf(err) != sealed.Malformed {
		t.Errorf("a command to incarnation 0: %v", err)
	}
	if _, err := letter.SealCommand(keytest.NewPerson().Keys.Signing, title, agent.Keys.Agent, 1, at, letter.ConfirmHead{}); sealed.ReasonOf(err) != sealed.UnknownSigner {
		t.Errorf("a stranger asks for the head: %v", err)
	}
	if _, err := letter.SealCommand(device, title, latchkey.NewAgentID(), 1, at, letter.Discover{}); err == nil {
		t.Error("a command to nobody was sealed")
	}
	received, err := letter.NewInbox(agent.Keys, incarnation).Open(send(t, owner, agent, letter.StillPicture{}).Bytes(), title, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]letter.Reply{
		"no picture":                  letter.Picture{Width: 1, Height: 1},
		"an answer to something else": letter.Devices{},
		"a picture of 1 MiB":          letter.Picture{JPEG: append([]byte{0xff, 0xd8, 0xff}, make([]byte, 1<<20)...), Width: 1, Height: 1},
	} {
		if _, err := received.Reply(agent.Keys, title, at, r); err == nil {
			t.Errorf("%s was sealed", name)
		}
	}
	stranger, err := key.NewAgentKeys()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := received.Reply(stranger, title, at, letter.Picture{JPEG: []byte{0xff, 0xd8, 0xff, 0xe0}, Width: 1, Height: 1}); sealed.ReasonOf(err) != sealed.UnknownSigner || b != nil {
		t.Errorf("a stranger's reply: %v", err)
	}
	if _, err := letter.SealCondition(agent.Keys, title, 0, 1, at, letter.Condition{Clock: letter.Clock{Quality: letter.Unknown}}); sealed.ReasonOf(err) != sealed.Malformed {
		t.Errorf("a condition of incarnation 0: %v", err)
	}
}

// TestOddCamerasAreHeard: whatever a camera calls itself or comes to, its agent's letters
// can be read, and what is wrong is left out of them.
func TestOddCamerasAreHeard(t *testing.T) {
	owner, agent := house()
	title, at := owner.Title(), owner.Now()
	odd, large := "\x1b[31m\u202e\xff"+strings.Repeat("x", 5000), append([]byte{0xff, 0xd8, 0xff}, make([]byte, 300<<10)...)
	findings := slices.Repeat([]letter.Finding{{Severity: letter.Warning, Code: "odd", Says: odd, Fix: odd}}, 100)
	stream := letter.Stream{Role: letter.Other, Address: odd, Codec: odd, Rate: math.NaN(), Width: -1, Bitrate: -1, Still: large}
	found := letter.Found{Host: odd, Brand: odd, Streams: slices.Repeat([]letter.Stream{stream}, 40), Findings: findings, Pin: letter.Pin{Serial: odd}}
	endless := found
	stream.Findings = findings
	endless.Streams = slices.Repeat([]letter.Stream{stream}, 40)
	sent := send(t, owner, agent, letter.Probe{Address: "a"})
	received, err := letter.NewInbox(agent.Keys, incarnation).Open(sent.Bytes(), title, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []letter.Reply{letter.Progress{Says: odd, Still: []byte("<html>")}, found, endless} {
		b, err := received.Reply(agent.Keys, title, at, r)
		if err != nil {
			t.Fatalf("%T: %v", r, err)
		}
		have, err := sent.Open(b, title)
		if err != nil {
			t.Fatalf("%T: %v", r, err)
		}
		if f, ok := have.(letter.Found); ok {
			first, tenth, roomy := f.Streams[0], f.Streams[9], len(f.Streams[0].Findings) == 0
			if len(f.Streams) != 32 || len(tenth.Still) > 0 || first.Rate != 0 || roomy != (len(first.Still) > 0) {
				t.Errorf("%d streams, stills of %d and %d bytes, rate %v", len(f.Streams), len(first.Still), len(tenth.Still), first.Rate)
			}
		}
	}
	c := letter.Condition{Name: odd, Clock: letter.Clock{Quality: letter.Unknown, Boots: make([]letter.Boot, 100)}, Disk: letter.Disk{Free: -1}}
	c.Cameras = []letter.CameraCondition{{State: "lost", Says: odd, Rate: math.Inf(1), Codec: odd}}
	b, err := letter.SealCondition(agent.Keys, title, 1, 1, at, c)
	if err != nil {
		t.Fatal(err)
	}
	if c, _, err := letter.OpenCondition(b, title, agent.Keys.Agent, nil, owner.Ring()); err != nil || len(c.Cameras) != 1 || len(c.Clock.Boots) != 64 {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestSecretsAreNotPrinted: a command in a log gives no password away.
func TestSecretsAreNotPrinted(t *testing.T) {
	c := letter.AddCamera{Source: letter.Source{Name: "Door", Password: "open sesame"}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if s := fmt.Sprintf(verb, c); strings.Contains(s, "sesame") || strings.Contains(s, fmt.Sprintf("%x", "sesame")) {
			t.Errorf("%s prints %s", verb, s)
		}
	}
}
