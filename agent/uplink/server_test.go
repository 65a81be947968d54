package uplink_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// stage is an agent's uplink and a server that says what a test tells it to. The real
// server does not misbehave on demand; everything that needs no misbehaviour is tested
// against it in package agent.
type stage struct {
	t      *testing.T
	owner  *keytest.Owner
	bare   *deed.Title // before the agent was placed
	agent  *keytest.Agent
	camera latchkey.CameraID
	chain  *uplink.Chain
	spool  *spool.Spool
	uplink *uplink.Uplink
	config uplink.Config
	http   *httptest.Server
	away   atomic.Bool                                                // nothing is there
	gate   func(w http.ResponseWriter, r *http.Request) (turned bool) // before the websocket; nobody if nil. Set before run

	talks sync.Mutex // held by the one conversation that there is

	mu      sync.Mutex // protects everything below
	hellos  int
	welcome func(api.Hello) api.Frame // what answers a hello; a genuine welcome if nil
	then    chan api.Frame            // what is sent afterwards
	puts    []string                  // kind of every PUT, in order
	put     func(n int, name latchkey.Name, f sealed.File, body []byte, w http.ResponseWriter, r *http.Request) bool
	stored  map[latchkey.Name][]byte // bodies
	epochs  map[latchkey.Name]latchkey.Epoch

	envelopes map[latchkey.Name][]sealed.Envelope
	asks      []api.Ask
	said      []api.Frame     // replies and refusals of the agent, and conditions
	refuse    api.Reason      // of the next condition
	clock     time.Time       // what the server believes; zero for the truth
	mixup     latchkey.HomeID // that the next answer to an ask names
	short     int             // how many bytes its nonces lack
}

func newStage(t *testing.T) *stage {
	owner := keytest.NewOwner()
	owner.Found()
	bare := owner.Title()
	s := &stage{
		t: t, owner: owner, bare: bare, agent: owner.PlaceAgent(), then: make(chan api.Frame, 16),
		stored: map[latchkey.Name][]byte{}, epochs: map[latchkey.Name]latchkey.Epoch{}, envelopes: map[latchkey.Name][]sealed.Envelope{},
	}
	s.camera = owner.PlaceCamera(s.agent)
	disk := durabletest.New()
	key, err := spool.NewKey(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	if s.spool, err = spool.Open(spool.Config{FS: durabletest.New(), Home: owner.Home(), Key: key}); err != nil {
		t.Fatal(err)
	}
	if s.chain, err = uplink.LoadChain(disk, "deeds", owner.Home()); err != nil {
		t.Fatal(err)
	}
	start, err := uplink.NextStart(disk, "start")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/agent", s.serveAgent)
	mux.HandleFunc("/v1/objects/{home}/{camera}/{day}/{kind}/{object}", s.serveObject)
	s.http = httptest.NewServer(mux)
	t.Cleanup(s.http.Close)
	s.config = uplink.Config{
		Server: s.http.URL, Home: owner.Home(), Keys: s.agent.Keys, Chain: s.chain, Start: start, Spool: s.spool,
		Retry: 5 * time.Millisecond, MostRetry: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	}
	return s
}

// run sets the uplink going until the test ends.
func (s *stage) run() {
	s.t.Helper()
	var err error
	if s.uplink, err = uplink.New(s.config); err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.uplink.Run(ctx) // its end is seen in the status
	}()
	s.t.Cleanup(func() { stop(); <-ended })
}

// until waits for something to become true.
func (s *stage) until(what string, is func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s does not happen; uplink %+v, spool %+v", what, s.uplink.Status(), s.spool.Status())
		}
	}
}

func (s *stage) add(kind latchkey.Kind, content string) latchkey.Name {
	s.t.Helper()
	h, err := s.spool.Add(s.agent.Bind(s.owner.Title(), s.camera, kind), s.agent.Keys.Signing, func(w io.Writer) error {
		_, err := io.WriteString(w, content)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return h.Name()
}

func (s *stage) serveAgent(w http.ResponseWriter, r *http.Request) {
	if s.away.Load() {
		http.NotFound(w, r)
		return
	}
	if s.gate != nil && s.gate(w, r) {
		return
	}
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	// What was said in the conversation before has been heard, and what is to be sent in
	// this one is not sent in that one.
	s.talks.Lock()
	defer s.talks.Unlock()
	defer c.CloseNow()
	c.SetReadLimit(api.MaxSocket)
	var sends sync.WaitGroup
	defer sends.Wait()
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	send := func(f api.Frame) {
		if b, err := api.EncodeFrame(f); err == nil {
			c.Write(ctx, websocket.MessageText, b) // the reading end notices if it failed
		}
	}
	nonce := bytes.Repeat([]byte{7}, 32-s.short)
	now := time.Now()
	if !s.clock.IsZero() {
		now = s.clock
	}
	send(api.Challenge{Nonce: nonce, Time: latchkey.TimeOf(now)})
	_, b, err := c.Read(ctx)
	if err != nil {
		return
	}
	f, err := api.DecodeFrame(b)
	hello, ok := f.(api.Hello)
	if err != nil || !ok || hello.Verify(nonce, s.agent.Keys.Body().Signing) != nil ||
		hello.Home != s.owner.Home() || hello.Agent != s.agent.Keys.Agent || api.CheckRequestID(hello.ID) != nil || hello.Head != s.known() {
		s.t.Errorf("a hello that is none: %+v, %v", hello, err)
		return
	}
	send(s.answer(hello))
	sends.Go(func() {
		for {
			select {
			case f := <-s.then:
				send(f)
			case <-ctx.Done():
				return
			}
		}
	})
	s.readAsks(ctx, c, send)
}

// known is the head that the agent has verified, as its hello names it.
func (s *stage) known() string {
	if t := s.chain.Title(); t != nil {
		return t.Head().String()
	}
	return ""
}

func (s *stage) answer(h api.Hello) api.Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hellos++
	if s.welcome != nil {
		return s.welcome(h)
	}
	return s.genuine(h)
}

func (s *stage) genuine(h api.Hello) api.Frame {
	from := uint64(0)
	if known, err := h.KnownHead(); err == nil && known != nil {
		from = known.Seq + 1
	}
	t := s.owner.Title()
	return api.Welcome{ID: h.ID, Home: h.Home, Head: api.Head(t.Head()), Incarnation: h.Incarnation, Deeds: append([][]byte{}, t.Deeds(from)...), Settings: []byte{}}
}

func (s *stage) readAsks(ctx context.Context, c *websocket.Conn, send func(api.Frame)) {
	for {
		_, b, err := c.Read(ctx)
		if err != nil {
			return
		}
		f, err := api.DecodeFrame(b)
		if err == nil && s.hear(f, send) {
			continue
		}
		m, ok := f.(api.AskFrame)
		if err != nil || !ok {
			s.t.Errorf("the agent says %s", b)
			return
		}
		ask, err := api.ParseAsk(m.Ask)
		if err == nil {
			err = ask.Verify(s.owner.Title())
		}
		if age := time.Since(ask.Time.Time()); age < 0 || age > time.Minute || api.CheckRequestID(m.ID) != nil || m.Home != s.owner.Home() {
			s.t.Errorf("an ask %q of home %s made %s ago", m.ID, m.Home, age)
		}
		if err != nil {
			s.t.Errorf("an ask: %v", err)
		}
		s.mu.Lock()
		s.asks = append(s.asks, ask)
		if s.mixup != (latchkey.HomeID{}) {
			m.Home, s.mixup = s.mixup, latchkey.HomeID{}
		}
		s.mu.Unlock()
		send(api.Done{ID: m.ID, Home: m.Home})
	}
}

// hear keeps what is no ask.
func (s *stage) hear(f api.Frame, send func(api.Frame)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m := f.(type) {
	case api.ReplyFrame, api.Refused, api.GiveBack, api.TombstonesFrame, api.GrantFrame:
	case api.ConditionFrame:
		if s.refuse != "" {
			send(api.Refused{ID: m.ID, Home: m.Home.String(), Reason: s.refuse})
			s.refuse = ""
		} else {
			send(api.Done{ID: m.ID, Home: m.Home})
		}
	default:
		return false
	}
	s.said = append(s.said, f)
	return true
}

// saidOf returns what the agent has said of one kind.
func saidOf[T api.Frame](s *stage) (all []T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.said {
		if m, ok := f.(T); ok {
			all = append(all, m)
		}
	}
	return all
}

func (s *stage) serveObject(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(api.HeaderRequest, r.Header.Get(api.HeaderRequest))
	name, err := latchkey.ParseName("v1/" + strings.TrimPrefix(r.URL.Path, "/v1/objects/"))
	if err != nil {
		s.t.Errorf("address %s: %v", r.URL.Path, err)
	}
	who, err := api.ParseAgentRequest(r.Header.Get(api.HeaderAgent))
	now := time.Now()
	if !s.clock.IsZero() {
		now = s.clock
	}
	if err != nil || who.Verify(s.agent.Keys.Body().Signing, r.Method, r.URL.Path, now) != nil {
		refuse(w, r, http.StatusUnauthorized, api.Expired, 0)
		return
	}
	if r.Method == http.MethodHead {
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, ok := s.stored[name]; ok {
			w.Header().Set(api.HeaderStored, name.String())
		}
		w.Header().Set(api.HeaderOffset, "0")
		return
	}
	f, err := sealed.ReadFile(r.Body)
	if err == nil {
		err = sealed.Verify(f.Header, name, s.owner.Title())
	}
	if err != nil {
		s.t.Errorf("put %s: %v", name, err)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the agent went away
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.puts = append(s.puts, name.Kind.String())
	if s.put != nil && s.put(len(s.puts), name, f, body, w, r) {
		return
	}
	s.store(w, name, f, body, r.Header.Get(api.HeaderOffset))
}

// store does what an honest server does; the lock is held.
func (s *stage) store(w http.ResponseWriter, name latchkey.Name, f sealed.File, body []byte, offset string) {
	for i, e := range f.Envelopes {
		if err := sealed.CheckEnvelope(f.Header, e, s.owner.Title()); err != nil || (i == 0) != (e.Recipient == sealed.ToEpoch) {
			s.t.Errorf("put %s with envelope %d of kind %d: %v", name, i, e.Recipient, err)
		}
	}
	if n, _ := strconv.Atoi(offset); n == 0 {
		s.stored[name] = body
	} else {
		s.stored[name] = append(s.stored[name], body...)
	}
	s.epochs[name], s.envelopes[name] = f.Envelopes[0].Epoch, f.Envelopes
	answer(w, http.StatusCreated, api.Stored{Home: name.Home, Name: name.String(), Stored: true})
}

func answer(w http.ResponseWriter, status int, m any) {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	w.WriteHeader(status)
	w.Write(b) // the agent notices if it failed
}

func refuse(w http.ResponseWriter, r *http.Request, status int, reason api.Reason, retryMS int64) {
	answer(w, status, api.Refusal{Request: r.Header.Get(api.HeaderRequest), Error: api.Problem{Reason: reason, Message: "no", RetryAfterMS: retryMS}})
}

func (s *stage) kinds() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.puts...)
}
