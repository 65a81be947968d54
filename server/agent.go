package server

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/sealed"
)

// How much may be said in one message: a hello, and a letter in base64 by an agent that
// has said who it is.
const (
	maxHello = 16 << 10
	maxFrame = 2 << 20
)

// maxGreetings is how many agents that have not said who they are may be connected.
const maxGreetings = 1000

// conversation is an agent's websocket after its hello was taken.
type conversation struct {
	server   *Server
	r        *http.Request // that opened the websocket
	route    api.Route
	outlet   *outlet
	conn     *websocket.Conn
	listener *listener
	home     latchkey.HomeID
	agent    deed.Agent
	told     latchkey.Head // the deeds up to here were sent
	buried   uint64        // the tombstones up to that number were sent

	incarnation uint64   // of the agent
	settings    [32]byte // hash of the document that was sent

	wanted map[sealed.Stream]bool // the agent was told so; nil: of none
	spread time.Duration          // that the agent was told
}

// agent answers an agent's websocket.
func (s *Server) agent(a *asking) error {
	if s.greetings.Add(1) > maxGreetings {
		s.greetings.Add(-1)
		return busy(5 * time.Second)
	}
	greeted := false
	defer func() {
		if !greeted {
			s.greetings.Add(-1)
		}
	}()
	c, ctx, leave, err := s.accept(a, maxHello)
	if err != nil {
		return err
	}
	defer leave()
	t := &conversation{server: s, r: a.r, route: a.route, conn: c}
	defer func() { t.outlet.release(true) }()
	hello, err := t.greet(ctx)
	if err == nil {
		err = t.meet(ctx, hello)
	}
	if err != nil {
		t.refuse(ctx, hello.ID, homeText(hello), err)
		_ = c.Close(websocket.StatusPolicyViolation, "refused")
		return nil
	}
	greeted = true
	s.greetings.Add(-1)
	defer s.hub.changed(t.home, api.ConditionsChanged) // it is away
	defer s.hub.remove(t.listener)
	s.hub.changed(t.home, api.ConditionsChanged)
	c.SetReadLimit(maxFrame)
	if err := t.welcome(ctx, hello); err != nil {
		t.refuse(ctx, hello.ID, homeText(hello), err)
		return nil
	}
	t.talk(ctx)
	return nil
}

func homeText(h api.Hello) string {
	if h.ID == "" {
		return ""
	}
	return h.Home.String()
}

// greet challenges the agent and checks its hello.
func (t *conversation) greet(ctx context.Context) (hello api.Hello, err error) {
	s := t.server
	ctx, stop := context.WithTimeout(ctx, helloWithin)
	defer stop()
	nonce := make([]byte, 32)
	rand.Read(nonce)
	if err := t.send(ctx, api.Challenge{Nonce: nonce, Time: timeOf(s.now())}); err != nil {
		return hello, err
	}
	f, err := t.receive(ctx)
	if err != nil {
		return hello, err
	}
	hello, ok := f.(api.Hello)
	if !ok || api.CheckRequestID(hello.ID) != nil {
		return api.Hello{}, malformed("Want a hello first.")
	}
	if hello.Incarnation < 1 || hello.Incarnation > latchkey.MaxInt || len(hello.Token) != 32 || len(hello.NextToken) != 32 {
		return hello, malformed("The hello's incarnation or tokens are not of the form that they must have.")
	}
	if _, err := hello.KnownHead(); err != nil {
		return hello, malformed("The hello's head does not parse.")
	}
	round := s.cuts.rounds.Load()
	title, _, err := s.titles.look(ctx, hello.Home)
	if errors.Is(err, archive.ErrNotFound) {
		return hello, unknownAgent()
	} else if err != nil {
		return hello, err
	}
	if t.agent, ok = title.Agent(hello.Agent); !ok || hello.Verify(nonce, t.agent.Signing) != nil {
		t.part(ctx, hello, nonce, title)
		return hello, unknownAgent()
	}
	t.home, t.incarnation = hello.Home, hello.Incarnation
	who := asker{agent: hello.Agent, key: t.agent.KEM.ID(), route: t.route}
	if t.outlet, err = s.outlet(t.r, t.home, who, latchkey.Name{}, title, round); err != nil {
		return hello, err
	}
	return hello, s.holds.stops(t.route, t.home)
}

// part tells an agent with which the home has parted how that came about: the deeds after
// the head that it names, until it stood there no more with the keys that it shows. Of
// what came later it learns nothing.
func (t *conversation) part(ctx context.Context, hello api.Hello, nonce []byte, title *deed.Title) {
	head, _ := hello.KnownHead() // it parses, or the hello was refused
	if head == nil || !title.OnChain(*head) {
		return
	}
	was, ok := title.AgentAt(hello.Agent, head.Seq)
	if !ok || hello.Verify(nonce, was.Signing) != nil {
		return
	}
	end := head.Seq
	for still := true; still && end < title.Head().Seq; {
		end++
		is, stands := title.AgentAt(hello.Agent, end)
		still = stands && is.KEM.ID() == was.KEM.ID()
	}
	for from := head.Seq + 1; from <= end; {
		deeds := firstOf(title.Deeds(from)[:end+1-from], maxDeedBytes)
		from += uint64(len(deeds))
		hash, _ := title.HashAt(from - 1) // below the head
		if t.send(ctx, api.DeedsFrame{Home: hello.Home, Head: api.Head{Seq: from - 1, Hash: hash}, Deeds: deeds}) != nil {
			return
		}
	}
}

func unknownAgent() *refusal {
	return refuse(http.StatusForbidden, api.UnknownAgent, "This server does not know the agent. Is its owner's yes still missing?").after(time.Second)
}

// arrive takes the agent's start, and its place among those that are connected. If it
// has confirmed the head of a home that is closed, the home is open then.
func (t *conversation) arrive(ctx context.Context, hello api.Hello, confirmed *latchkey.Head) error {
	s := t.server
	end := s.strains.archive.Begin()
	err := s.config.Archive.Agents.Arrive(ctx, archive.Arrival{
		Home: hello.Home, Agent: hello.Agent, Incarnation: hello.Incarnation,
		Token: hashOf(string(hello.Token)), Next: hashOf(string(hello.NextToken)), Time: timeOf(s.now()),
	})
	end()
	if errors.Is(err, archive.ErrCloned) {
		s.log.Error("cloned", "home", hello.Home, "agent", hello.Agent, "incarnation", hello.Incarnation)
		return refuse(http.StatusForbidden, api.Cloned,
			"Another copy of this agent has been here since, or this one was restored from a backup. Let it join anew.")
	} else if err != nil {
		return err
	}
	if confirmed != nil {
		if err := s.reopen(ctx, t.home, *confirmed, "agent", t.agent.ID.String()); err != nil {
			return err
		}
	}
	l := newListener(hello.Home)
	l.agent = &hello.Agent
	if !s.hub.add(l) {
		return busy(30 * time.Second)
	}
	t.listener = l
	return nil
}

// welcome says what the agent has missed. The listener was added before the deeds are
// read, so that nothing falls between.
func (t *conversation) welcome(ctx context.Context, hello api.Hello) error {
	title, err := t.server.titles.of(ctx, hello.Home)
	if err != nil {
		return err
	}
	head, _ := hello.KnownHead() // it parses, or the hello was refused
	var from uint64
	if head != nil {
		from = head.Seq + 1
	}
	deeds, reached := t.deeds(title, from)
	t.told = reached
	document, err := t.newSettings(ctx)
	if err != nil {
		return err
	}
	t.listener.wanted()
	t.spread = t.server.spread()
	err = t.send(ctx, api.Welcome{
		ID: hello.ID, Home: hello.Home, Head: api.Head(reached), Incarnation: hello.Incarnation,
		Deeds: some(deeds), Settings: some(document), SpreadMS: t.spread.Milliseconds(),
	})
	if err != nil {
		return err
	}
	return t.tellDeleted(ctx)
}

// deeds returns deeds from a number on that fit into a message, and the place that they
// lead to. What does not fit is told next.
func (t *conversation) deeds(title *deed.Title, from uint64) ([][]byte, latchkey.Head) {
	deeds := firstOf(title.Deeds(from), maxDeedBytes)
	reached := title.Head()
	if seq := from + uint64(len(deeds)); len(deeds) > 0 && seq <= reached.Seq {
		hash, _ := title.HashAt(seq - 1) // below the head
		reached = latchkey.Head{Seq: seq - 1, Hash: hash}
		t.listener.tell(api.DeedsChanged)
	}
	return deeds, reached
}

// talk goes on until either side ends.
func (t *conversation) talk(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	t.server.done.Go(func() {
		defer stop()
		t.listen(ctx)
	})
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	var err error
	for err == nil {
		select {
		case <-ctx.Done():
			_ = t.conn.Close(websocket.StatusGoingAway, "")
			return
		case <-t.listener.end:
			if t.listener.moved {
				_ = t.conn.Close(websocket.StatusServiceRestart, "this server is going down")
				return
			}
			_ = t.conn.Close(websocket.StatusPolicyViolation, "a newer connection of this agent has come")
			return
		case <-ping.C:
			err = errors.Join(pong(ctx, t.conn), t.tellSpread(ctx))
		case <-t.listener.live:
			err = t.tellWanted(ctx)
		case f := <-t.listener.frames:
			err = t.send(ctx, f)
		case <-t.listener.wake:
			for _, what := range t.listener.take() {
				err = errors.Join(err, t.tell(ctx, what))
			}
		}
	}
}

// tell sends what has changed, if it is for agents.
func (t *conversation) tell(ctx context.Context, what api.Change) error {
	title, err := t.server.titles.of(ctx, t.home)
	if err != nil {
		return err
	}
	switch what {
	case api.DeedsChanged:
		if now, ok := title.Agent(t.agent.ID); !ok || now.KEM.ID() != t.agent.KEM.ID() {
			return errors.New("the agent is not placed any more")
		}
		t.listener.wanted() // a camera may have come to another agent
		deeds, reached := t.deeds(title, t.told.Seq+1)
		if len(deeds) > 0 {
			t.told = reached
			if err := t.send(ctx, api.DeedsFrame{Home: t.home, Head: api.Head(reached), Deeds: deeds}); err != nil {
				return err
			}
		}
		return errors.Join(t.tellDeleted(ctx), t.tellSettings(ctx)) // which may have waited for these deeds
	case api.SettingsChanged:
		return t.tellSettings(ctx)
	}
	return nil
}

// tellSpread tells the agent within how long to come back, if that has become another time.
func (t *conversation) tellSpread(ctx context.Context) error {
	now := t.server.spread()
	if !another(t.spread, now) {
		return nil
	}
	t.spread = now
	return t.send(ctx, api.SpreadFrame{Home: t.home, SpreadMS: now.Milliseconds()})
}

func (t *conversation) tellSettings(ctx context.Context) error {
	document, err := t.newSettings(ctx)
	if err != nil || document == nil {
		return err
	}
	return t.send(ctx, api.SettingsFrame{Home: t.home, Document: document})
}

// newSettings returns a document that the agent was not sent yet, nil if there is none. One
// that names a deed of which the agent is told later waits for that deed, because an agent
// takes no settings that it cannot judge: the news of a deed comes by the outbox, and may
// come after settings that were made since.
func (t *conversation) newSettings(ctx context.Context) ([]byte, error) {
	kept, document, err := t.server.settingsOf(ctx, t.home)
	if err != nil || kept == nil || kept.Head.Seq > t.told.Seq || hashOf(string(document)) == t.settings {
		return nil, err
	}
	t.settings = hashOf(string(document))
	return document, nil
}

// pauseBetween is what an agent waits between two messages; it has few to say.
const pauseBetween = 20 * time.Millisecond

// listen hears what the agent says.
func (t *conversation) listen(ctx context.Context) {
	for {
		f, err := t.receive(ctx)
		if err != nil {
			if _, ok := errors.AsType[*refusal](err); ok {
				t.refuse(ctx, "", "", err)
			}
			return
		}
		if !t.hear(ctx, f) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pauseBetween):
		}
	}
}

// hear takes one message of the agent, and says whether the connection goes on.
func (t *conversation) hear(ctx context.Context, f api.Frame) bool {
	var id string
	var home latchkey.HomeID
	var take func() error
	switch m := f.(type) {
	case api.AskFrame:
		id, home = m.ID, m.Home
		take = func() error { return t.server.takeAsk(ctx, t.home, t.agent.ID, m.Ask) }
	case api.ConditionFrame:
		id, home = m.ID, m.Home
		take = func() error { return t.takeCondition(ctx, m.Letter) }
	case api.ReplyFrame:
		if m.Home == t.home {
			t.reply(ctx, m)
			return true
		}
		id, home, take = m.ID, m.Home, func() error { return nil }
	case api.Refused:
		t.refused(m)
		return true
	case api.GrantFrame:
		if m.Home == t.home {
			t.grant(ctx, m)
			return true
		}
	}
	if take == nil || api.CheckRequestID(id) != nil {
		t.refuse(ctx, "", "", malformed("Want asks, conditions, replies and grants."))
		return false
	}
	if home != t.home {
		t.refuse(ctx, id, home.String(), notFound())
		return false
	}
	if err := take(); err != nil {
		t.refuse(ctx, id, home.String(), err)
		return true
	}
	return t.send(ctx, api.Done{ID: id, Home: home}) == nil
}

func (t *conversation) receive(ctx context.Context) (api.Frame, error) {
	kind, b, err := t.conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	if kind != websocket.MessageText {
		return nil, malformed("Want text messages.")
	}
	f, err := api.DecodeFrame(b)
	if errors.Is(err, api.ErrVersion) {
		return nil, refuse(http.StatusBadRequest, api.FutureVersion, "The agent speaks another version than this server. Update the older of the two.")
	} else if err != nil {
		return nil, malformed("The message is none of those that belong here.")
	}
	return f, nil
}

func (t *conversation) send(ctx context.Context, f api.Frame) error {
	b, err := api.EncodeFrame(f)
	if err != nil {
		return err
	}
	return write(ctx, t.conn, b)
}

// refuse says why not, to somebody who may have gone.
func (t *conversation) refuse(ctx context.Context, id, home string, err error) {
	r := asRefusal(err)
	if r.cause != nil && ctx.Err() == nil && websocket.CloseStatus(err) == -1 {
		t.server.log.Warn("agent", "reason", r.body.Error.Reason, "error", r.cause)
	}
	p := r.body.Error
	_ = t.send(ctx, api.Refused{ID: id, Home: home, Reason: p.Reason, Message: p.Message, RetryAfterMS: p.RetryAfterMS})
}
