package server_test

import (
	"context"
	"crypto"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

// seal seals a command to the home's agent, as a page does.
func (m *home) seal(c letter.Command) *letter.Sent {
	m.t.Helper()
	_, device := m.owner.Device()
	return must(letter.SealCommand(device, m.owner.Title(), m.agent.Keys.Agent, 1, now(), c))
}

func now() latchkey.Time { return latchkey.TimeOf(time.Now()) }

// patient bounds what waits for an agent.
func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(stop)
	return ctx
}

// answered is what came back to a command.
type answered struct {
	request string
	letters [][]byte
	err     error
}

// replies opens what came back.
func (m *home) replies(s *letter.Sent, a answered) (all []letter.Reply) {
	m.t.Helper()
	for _, b := range a.letters {
		all = append(all, must(s.Open(b, m.owner.Title())))
	}
	return all
}

// command sends a command and reads what comes back.
func (m *home) command(ctx context.Context, s *letter.Sent) <-chan answered {
	done := make(chan answered, 1)
	go func() {
		var a answered
		defer func() { done <- a }()
		r, err := m.member.Command(ctx, m.agent.Keys.Agent, s.Bytes())
		if err != nil {
			a.err = err
			return
		}
		defer r.Close()
		a.request = r.Request
		for {
			b, err := r.Next()
			if err != nil {
				a.err = err
				return
			}
			a.letters = append(a.letters, b)
		}
	}()
	return done
}

// opened is a command as the agent got it.
type opened struct {
	*letter.Received
	id string
}

func (m *home) receive(s *api.Socket) opened {
	m.t.Helper()
	f := receive[api.CommandFrame](m.t, s)
	if f.Home != m.owner.Home() {
		m.t.Fatalf("a command of home %s", f.Home)
	}
	return opened{must(letter.NewInbox(m.agent.Keys, 1).Open(f.Letter, m.owner.Title(), now())), f.ID}
}

// reply makes the message that brings a reply.
func (m *home) reply(c opened, r letter.Reply) api.ReplyFrame {
	m.t.Helper()
	return api.ReplyFrame{ID: c.id, Home: m.owner.Home(), Letter: must(c.Reply(m.agent.Keys, m.owner.Title(), now(), r)), Last: r.Last()}
}

func say(t *testing.T, s *api.Socket, frames ...api.Frame) {
	t.Helper()
	for _, f := range frames {
		if err := s.Send(within(t), f); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCommand(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	s := m.connect(start{1, 0, 1})
	sent := m.seal(letter.Discover{})
	done := m.command(patient(t), sent)
	c := m.receive(s)
	if c.Command != (letter.Discover{}) {
		t.Errorf("the agent was asked to %s", c.Command.Do())
	}
	progress := letter.Progress{Says: "Looking around.", Done: 1, Of: 2}
	found := letter.Devices{Devices: []letter.Device{{Host: "10.0.0.7", Name: "Yard"}}}
	say(t, s, m.reply(c, progress), m.reply(c, progress), m.reply(c, found))
	got := <-done
	if diff := cmp.Diff([]letter.Reply{progress, progress, found}, m.replies(sent, got)); diff != "" || !errors.Is(got.err, io.EOF) {
		t.Errorf("%v (-want +got):\n%s", got.err, diff)
	}
	if n := h.metric(t, "latchkey_commands_total", "outcome=answered"); n != 1 {
		t.Errorf("%v commands are counted", n)
	}
	// A reply that comes too late is nobody's any more, and no alarm.
	say(t, s, m.reply(c, found))
	m.startEpoch()
	receive[api.DeedsFrame](t, s)
	if n := h.metric(t, "latchkey_misroutes_total"); n != 0 {
		t.Errorf("%v alarms", n)
	}
}

// TestReplyComesAtOnce: progress is there before the last reply was made.
func TestReplyComesAtOnce(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	s := m.connect(start{1, 0, 1})
	sent := m.seal(letter.Discover{})
	started := make(chan *api.Replies, 1)
	go func() { started <- must(m.member.Command(patient(t), m.agent.Keys.Agent, sent.Bytes())) }()
	c := m.receive(s)
	say(t, s, m.reply(c, letter.Progress{Says: "Looking around."}))
	replies := <-started
	if _, err := replies.Next(); err != nil {
		t.Fatalf("no reply before the last: %v", err)
	}
	// Whoever goes away tells the agent to stop.
	replies.Close()
	if f := receive[api.StopFrame](t, s); f.ID != c.id || f.Home != m.owner.Home() {
		t.Errorf("stop %+v", f)
	}
}

func TestCommandIsRefused(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	good := m.seal(letter.Discover{})
	post := func(who *home, agent latchkey.AgentID, letter []byte) error {
		r, err := who.member.Command(within(t), agent, letter)
		if err == nil {
			r.Close()
		}
		return err
	}
	wantReason(t, "an agent that is away", post(m, m.agent.Keys.Agent, good.Bytes()), api.AgentAway)
	m.connect(start{1, 0, 1})
	other.connect(start{1, 0, 1})
	before := m.owner.Title().Head()
	another := m.owner.PlaceAgent()
	m.append(before)
	altered := append([]byte{}, good.Bytes()...)
	altered[len(altered)-70] ^= 1
	_, otherKey := other.owner.Device()
	before = m.owner.Title().Head()
	second := m.owner.AddDevice().DeviceSigning
	m.append(before)
	bySecond := must(letter.SealCommand(second, m.owner.Title(), m.agent.Keys.Agent, 1, now(), letter.Discover{})).Bytes()
	for _, tt := range []struct {
		name  string
		agent latchkey.AgentID
		b     []byte
		want  api.Reason
	}{
		{"nonsense", m.agent.Keys.Agent, []byte("x"), "malformed"},
		{"nothing", m.agent.Keys.Agent, nil, "truncated"},
		{"too long", m.agent.Keys.Agent, make([]byte, 64<<10+1), api.Oversize},
		{"an altered command", m.agent.Keys.Agent, altered, "bad-signature"},
		{"a command of another home", m.agent.Keys.Agent, other.seal(letter.Discover{}).Bytes(), api.WrongHome},
		{"an agent of another home", other.agent.Keys.Agent, good.Bytes(), api.NotFound},
		{"no agent", latchkey.AgentID{1}, good.Bytes(), api.NotFound},
		{"a command for another agent", another.Keys.Agent, good.Bytes(), api.WrongAgent},
		{"signed by another home's device", m.agent.Keys.Agent, forged(m, otherKey), "unknown-signer"},
		{"signed by another device of the person's", m.agent.Keys.Agent, bySecond, "not-allowed"},
		{"a condition", m.agent.Keys.Agent, m.condition(1, "x"), api.Malformed},
	} {
		err := post(m, tt.agent, tt.b)
		if tt.name == "nonsense" && api.ReasonOf(err) == "future-version" { // 'x' as a version
			continue
		}
		wantReason(t, tt.name, err, tt.want)
	}
	for name, value := range map[string]string{"Content-Type": "text/plain", "Content-Encoding": "gzip"} {
		q := raw{method: "POST", path: m.path("/agents/" + m.agent.Keys.Agent.String() + "/commands"), header: m.asPage(), mac: m.mac(), body: string(m.seal(letter.Discover{}).Bytes())}
		q.header.Set("Content-Type", "application/octet-stream")
		q.header.Set(name, value)
		if answer, _ := h.do(t, q); answer.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("%s %s: %d", name, value, answer.StatusCode)
		}
	}
	wantReason(t, "another home's member", func() error {
		q := raw{method: "POST", path: m.path("/agents/" + m.agent.Keys.Agent.String() + "/commands"), header: other.asPage(), mac: other.mac(), body: string(good.Bytes())}
		q.header.Set("Content-Type", "application/octet-stream")
		answer, _ := h.do(t, q)
		return &api.Error{Refusal: api.Refusal{Error: api.Problem{Reason: api.Reason(answer.Header.Get(api.HeaderReason))}}}
	}(), api.SignedOut)
}

// forged is a command in the name of the home, signed by somebody else.
func forged(m *home, signer crypto.Signer) []byte {
	l := m.seal(letter.Discover{}).Letter()
	l.Signer[0]++
	l.Signatures = [][]byte{must(signer.Sign(nil, l.SignedMessage(), cryptoHash0))}
	return l.Bytes()
}

// TestAgentRefuses: what the agent says of a command that it does not take ends the
// request, in the server's own words.
func TestAgentRefuses(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	s := m.connect(start{1, 0, 1})
	for said, want := range map[api.Reason]api.Reason{
		api.Stale: api.Stale, api.Busy: api.Busy, api.Expired: api.Expired, api.Replayed: api.Replayed,
		"envelope": api.AgentRefused, "<b>": api.AgentRefused,
	} {
		done := m.command(patient(t), m.seal(letter.Discover{}))
		c := m.receive(s)
		say(t, s, api.Refused{ID: c.id, Home: m.owner.Home().String(), Reason: said, Message: "<b>look here</b>"})
		got := <-done
		wantReason(t, string(said), got.err, want)
		if got.err != nil && strings.Contains(got.err.Error(), "<b>") {
			t.Errorf("%s: the agent's words are passed on: %v", said, got.err)
		}
		if f := receive[api.StopFrame](t, s); f.ID != c.id {
			t.Errorf("stop %+v", f)
		}
	}
	done := m.command(patient(t), m.seal(letter.Discover{}))
	c := m.receive(s)
	say(t, s, api.ReplyFrame{ID: c.id, Home: m.owner.Home(), Letter: []byte("x"), Last: true})
	wantReason(t, "a reply of nonsense", (<-done).err, api.AgentRefused)
	receive[api.StopFrame](t, s)
	done = m.command(patient(t), m.seal(letter.Discover{}))
	c = m.receive(s)
	unsigned := m.reply(c, letter.Devices{})
	unsigned.Letter[len(unsigned.Letter)-1] ^= 1
	say(t, s, api.Refused{ID: "nobody's", Home: m.owner.Home().String(), Reason: api.Busy}, unsigned)
	wantReason(t, "a reply that nobody signed", (<-done).err, api.AgentRefused)
	receive[api.StopFrame](t, s)
	done = m.command(patient(t), m.seal(letter.Discover{}))
	m.receive(s)
	s.Close()
	wantReason(t, "an agent that goes", (<-done).err, api.AgentAway)
}

// beside is the home by another agent, which is placed in it.
func (m *home) beside() *home {
	before := m.owner.Title().Head()
	other := *m
	other.agent = m.owner.PlaceAgent()
	m.append(before)
	return &other
}

// TestAgentRefusesForAnother: the word of another agent of the home is not heard.
func TestAgentRefusesForAnother(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	theirs := m.beside()
	mine, another := m.connect(start{1, 0, 1}), theirs.connect(start{1, 0, 1})
	done := m.command(patient(t), m.seal(letter.Discover{}))
	c := m.receive(mine)
	say(t, another, api.Refused{ID: c.id, Home: m.owner.Home().String(), Reason: api.Busy}, api.ConditionFrame{ID: "heard", Home: m.owner.Home(), Letter: theirs.condition(1, "x")})
	receive[api.Done](t, another) // so that what came before was heard
	say(t, mine, m.reply(c, letter.Devices{}))
	if got := <-done; !errors.Is(got.err, io.EOF) || len(got.letters) != 1 {
		t.Errorf("%d letters, %v", len(got.letters), got.err)
	}
}

func TestCommandsAreBounded(t *testing.T) {
	t.Parallel()
	h := openHouse(t, func(c *server.Config) { c.CommandLife = 4 * time.Second })
	m, other := h.found(t), h.found(t)
	s := m.connect(start{1, 0, 1})
	theirs := other.connect(start{1, 0, 1})
	var waiting []<-chan answered
	for range 4 {
		waiting = append(waiting, m.command(patient(t), m.seal(letter.Discover{})))
		m.receive(s)
	}
	wantReason(t, "the fifth at once", (<-m.command(patient(t), m.seal(letter.Discover{}))).err, api.Busy)
	page := m.signedIn().command(patient(t), m.seal(letter.Discover{}))
	c := m.receive(s)
	say(t, s, m.reply(c, letter.Devices{}))
	if got := <-page; !errors.Is(got.err, io.EOF) {
		t.Errorf("another page of the home: %v", got.err)
	}
	free := other.command(patient(t), other.seal(letter.Discover{}))
	c = other.receive(theirs)
	say(t, theirs, other.reply(c, letter.Devices{}))
	if got := <-free; !errors.Is(got.err, io.EOF) {
		t.Errorf("another home's command: %v", got.err)
	}
	for _, w := range waiting {
		got := <-w
		if e, ok := errors.AsType[*api.Error](got.err); !ok || e.Status != http.StatusGatewayTimeout {
			t.Errorf("a command that nobody answers: %v", got.err)
		}
	}
}

// TestCommandReachesItsAgentAlone: of two agents of a home only the one that is named
// is given a command.
func TestCommandReachesItsAgentAlone(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	second := m.beside()
	one, two := m.connect(start{1, 0, 1}), second.connect(start{1, 0, 1})
	ctx := patient(t)
	e := second.begin(ctx, two)
	say(t, two, second.reply(e.opened, letter.Devices{}))
	if got := <-e.done; len(got.letters) != 1 || !errors.Is(got.err, io.EOF) {
		t.Errorf("%d letters, %v", len(got.letters), got.err)
	}
	// An agent that answers in the other's place is not heard.
	e = second.begin(ctx, two)
	forged := must(e.Reply(m.agent.Keys, m.owner.Title(), now(), letter.Devices{}))
	say(t, one, api.ReplyFrame{ID: e.id, Home: m.owner.Home(), Letter: forged, Last: true})
	eventually(t, "an alarm", func() bool { return h.metric(t, "latchkey_misroutes_total", "where=reply") == 1 })
	say(t, two, second.reply(e.opened, letter.Devices{}))
	if got := <-e.done; len(got.letters) != 1 || must(sealed.ParseLetter(got.letters[0])).Agent != second.agent.Keys.Agent {
		t.Errorf("%d letters, %v", len(got.letters), got.err)
	}
	m.startEpoch()
	receive[api.DeedsFrame](t, one) // and nothing before it
}

// errandOf is a command under way, and what its agent has of it.
type errandOf struct {
	m    *home
	s    *api.Socket
	sent *letter.Sent
	done <-chan answered
	opened
}

func (m *home) begin(ctx context.Context, s *api.Socket) errandOf {
	e := errandOf{m: m, s: s, sent: m.seal(letter.Discover{})}
	e.done = m.command(ctx, e.sent)
	e.opened = m.receive(s)
	return e
}

// TestReplyThatIsAnothers: replies that do not belong to the command which they name
// reach nobody; each is an alarm, a line in the log and a receipt. The command's own
// reply still comes.
func TestReplyThatIsAnothers(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	mine, theirs := m.connect(start{1, 0, 1}), other.connect(start{1, 0, 1})
	ctx := patient(t)
	one, two, foreign := m.begin(ctx, mine), m.begin(ctx, mine), other.begin(ctx, theirs)

	swapped := m.reply(one.opened, letter.Progress{Says: "The first command's."})
	swapped.ID = two.id
	crossed := other.reply(foreign.opened, letter.Progress{Says: "Another home's."})
	crossed.ID = one.id
	say(t, mine, swapped)
	say(t, theirs, crossed)
	alarms := func() float64 { return h.metric(t, "latchkey_misroutes_total", "where=reply", "confirmed=true") }
	for deadline := time.Now().Add(2 * time.Second); alarms() < 2 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	requests := map[string]string{}
	for _, e := range []errandOf{one, two, foreign} {
		own := letter.Devices{Devices: []letter.Device{{Host: e.id}}}
		say(t, e.s, e.m.reply(e.opened, own))
		got := <-e.done
		requests[e.id] = got.request
		for _, b := range got.letters {
			if l := must(sealed.ParseLetter(b)); l.Home != e.m.owner.Home() || l.Re != e.sent.Letter().Hash() {
				t.Errorf("home %s was given a reply of home %s to another command", e.m.owner.Home(), l.Home)
			}
		}
		if n := len(got.letters); n == 0 || !errors.Is(got.err, io.EOF) {
			t.Errorf("%d letters, %v", n, got.err)
		} else if diff := cmp.Diff(letter.Reply(own), must(e.sent.Open(got.letters[n-1], e.m.owner.Title()))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	lines := h.logs.lines(t, "misroute")
	if alarms() != 2 || len(lines) != 2 {
		t.Fatalf("%v alarms, and in the log: %v", alarms(), lines)
	}
	for _, line := range lines {
		if line["where"] != "reply" || line["asked"] != m.owner.Home().String() {
			t.Errorf("the log: %v", line)
		}
	}
	for e, want := range map[errandOf]bool{one: true, two: true, foreign: false} {
		report := api.Report{Delivery: requests[e.id], Reason: string(sealed.WrongCommand), Word: sealed.Misroute, Header: []byte{}}
		if confirmed, err := e.m.member.Report(ctx, report); err != nil || confirmed != want {
			t.Errorf("the report of a misroute is confirmed: %t, %v", confirmed, err)
		}
	}
}

// TestReplyThatIsAnothersControl runs that test against a server without the
// comparison, and wants it to see both crossings.
func TestReplyThatIsAnothersControl(t *testing.T) {
	without := controls.Without(t, sabotage.Cut{
		File: "server/errand.go", Old: "if !e.answeredBy(t.listener, l) {", New: "if false {",
	})
	t.Parallel()
	out, err := without.Tests(t.Context(), "^TestReplyThatIsAnothers$")
	if err == nil || strings.Count(string(out), "was given a reply of home") != 2 {
		t.Errorf("without the comparison: %v\n%s", err, out)
	}
}
