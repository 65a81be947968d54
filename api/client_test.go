package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey-cam/latchkey"
	vault "github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
)

var (
	otherHome = latchkey.HomeID{0xee}
	account   = latchkey.AccountID{0xa1}
	object    = latchkey.Name{Home: home, Camera: camera, Day: "2026-03-01", Kind: latchkey.Thumbnail, Object: latchkey.ObjectID{5}}
	slot      = secret.Slot()
)

// reply is an answer before it leaves.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// host answers what a test says, bound to the request as a server binds it, and looks
// whether requests are what they must be.
type host struct {
	t      *testing.T
	origin string
	key    api.MACKey                // of whoever has signed in
	honest func(path string) any     // the answer
	bend   func(id string, r *reply) // what goes wrong on the way; nil for nothing
	frames [][]byte                  // what comes over a websocket
	binary bool                      // as binary messages
	asked  []string                  // methods and addresses
}

func newHost(t *testing.T) (*host, *api.Client) {
	h := &host{t: t}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.origin = server.URL
	return h, must(api.NewClient(server.URL, nil))
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	h.asked = append(h.asked, r.Method+" "+r.URL.RequestURI())
	if r.Header.Get("Upgrade") != "" {
		h.socket(w, r)
		return
	}
	id := r.Header.Get(api.HeaderRequest)
	h.check(id, r, b)
	var in struct {
		MACKey []byte `json:"mac_key"`
	}
	if json.Unmarshal(b, &in); len(in.MACKey) == len(h.key) {
		h.key = api.MACKey(in.MACKey)
	}
	a := &reply{status: http.StatusOK, header: http.Header{}}
	a.body, _ = json.Marshal(h.honest(r.URL.Path))
	a.header.Set(api.HeaderRequest, id)
	a.header.Set(api.HeaderAnswer, h.key.AnswerMAC(id, a.status, a.body))
	a.header.Add("Set-Cookie", "another=1")
	a.header.Add("Set-Cookie", api.CookieName(home)+"=c")
	a.header.Add("Set-Cookie", api.AccountCookie+"=c")
	if h.bend != nil {
		h.bend(id, a)
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	w.Write(a.body)
}

// check says what is wrong with a request.
func (h *host) check(id string, r *http.Request, b []byte) {
	h.t.Helper()
	what := r.Method + " " + r.URL.Path
	if err := api.CheckRequestID(id); err != nil {
		h.t.Errorf("%s: %v", what, err)
	}
	if len(b) > 0 && (r.ContentLength != int64(len(b)) || r.Method == http.MethodGet) {
		h.t.Errorf("%s: a body of no length, or of a question", what)
	}
	if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/objects/") && string(b) != "prefixrest" {
		h.t.Errorf("%s: uploads %q", what, b)
	}
	if json.Valid(b) && r.Header.Get("Content-Type") != "application/json" {
		h.t.Errorf("%s: JSON of another type", what)
	}
	signed := r.Header.Get(api.HeaderAgent)
	slots := strings.HasPrefix(r.URL.Path, "/v1/joins/")
	if (signed == "" && !slots) != (r.Header.Get("Origin") == h.origin) {
		h.t.Errorf("%s: origin %q", what, r.Header.Get("Origin"))
	}
	if signed != "" {
		if by, err := api.ParseAgentRequest(signed); err != nil || by.Home != home || by.Agent != agent || by.Head != head || by.Verify(keys, r.Method, r.URL.Path, now) != nil {
			h.t.Errorf("%s: not signed: %v", what, err)
		}
	}
	mac := r.Header.Get(api.HeaderMAC)
	if by := strings.Contains(r.URL.Path, "/v1/homes/") || strings.Contains(r.URL.Path, "/v1/accounts/"+account.String()); by && signed == "" {
		if !api.SameMAC(mac, h.key.RequestMAC(r.Method, r.URL.RequestURI(), id, b)) || !strings.HasSuffix(r.Header.Get("Cookie"), "=c") {
			h.t.Errorf("%s: not by the session", what)
		}
	}
}

func (h *host) socket(w http.ResponseWriter, r *http.Request) {
	if id := r.URL.Query().Get("request"); strings.HasSuffix(r.URL.Path, "/changes") &&
		(id == "" || r.URL.Query().Get("mac") != h.key.RequestMAC("GET", r.URL.Path, id, nil) || r.Header.Get("Origin") != h.origin || r.Header.Get("Cookie") != api.CookieName(home)+"=c") {
		h.t.Errorf("%s: not by the session", r.URL)
	}
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	kind := websocket.MessageText
	if h.binary {
		kind = websocket.MessageBinary
	}
	for _, b := range h.frames {
		c.Write(r.Context(), kind, b)
	}
	c.Read(r.Context()) // until the client goes
}

// answers are those of a server that mixes nothing up.
func answers(of latchkey.HomeID, theirs latchkey.AccountID, at api.Slot) func(path string) any {
	return func(path string) any {
		switch {
		case path == "/v1/sessions/challenge":
			return api.SignInChallenge{Home: of, Nonce: nonce}
		case strings.HasPrefix(path, "/v1/sessions"):
			return api.Session{Home: of, Session: latchkey.SessionID{1}}
		case path == "/v1/accounts", path == "/v1/accounts/sessions":
			return api.AccountSession{Account: theirs, Unlocker: api.Unlocker{Kind: vault.Passphrase}}
		case strings.HasPrefix(path, "/v1/accounts/"):
			return api.AccountOK{Account: theirs, OK: true}
		case strings.HasSuffix(path, "/found-again"):
			return api.FoundAgain{Home: of, Setup: "s"}
		case strings.HasPrefix(path, "/v1/joins/"):
			return api.JoinSlot{Slot: at, Announcement: []byte("a")}
		case strings.Contains(path, "/joins/"):
			return api.Join{Home: of, Slot: at, Answer: []byte("a")}
		case strings.HasPrefix(path, "/v1/objects/"):
			name := object
			name.Home = of
			return api.Stored{Home: of, Name: name.String(), Stored: true}
		}
		return api.HomeOK{Home: of, OK: true}
	}
}

// asking is a question of a client, and whether its answer is bound by a session's key.
type asking struct {
	name  string
	bound bool
	ask   func() error
}

// everybody signs in and returns one question of each kind.
func everybody(t *testing.T, h *host, c *api.Client) []asking {
	h.honest = answers(home, account, slot)
	member, err := c.SignIn(t.Context(), home, device, key, head)
	if err != nil || member.Session() != (latchkey.SessionID{1}) || member.MACKey() != h.key {
		t.Fatalf("sign in: %v", err)
	}
	theirs := h.key
	signed, err := c.SignUp(t.Context(), api.SignUp{Account: account})
	if err != nil || signed.MACKey() != h.key {
		t.Fatalf("sign up: %v", err)
	}
	ours := h.key
	a := c.Agent(home, agent, key).Clock(func() time.Time { return now })
	with := func(k api.MACKey, ask func() error) func() error { return func() error { h.key = k; return ask() } }
	return []asking{
		{"sign in", true, func() error { _, err := c.SignIn(t.Context(), home, device, key, head); return err }},
		{"sign in as a person", true, func() error {
			_, err := c.SignInPerson(t.Context(), home, latchkey.PersonID(device), key, head)
			return err
		}},
		{"sign up", true, func() error { _, err := c.SignUp(t.Context(), api.SignUp{Account: account}); return err }},
		{"a home's question", true, with(theirs, func() error { return member.SignOut(t.Context()) })},
		{"a home's slot", true, with(theirs, func() error { _, err := member.Join(t.Context(), slot); return err })},
		{"an account's question", true, with(ours, func() error { return signed.SignOut(t.Context()) })},
		{"a stranger's slot", false, func() error { _, err := c.JoinSlot(t.Context(), slot); return err }},
		{"an account's end", false, func() error { return c.EndAgain(t.Context(), api.AccountEnd{Account: account, End: []byte{1}}) }},
		{"an upload", false, func() error {
			return a.Upload(t.Context(), head, object, []byte("prefix"), 2, strings.NewReader("rest"), 4)
		}},
		{"an agent that leaves", false, func() error { _, err := a.FoundAgain(t.Context(), head); return err }},
	}
}

// TestClientsTakeNoOthersAnswer: an answer to another request, of another session, home,
// account, slot or object is used for nothing.
func TestClientsTakeNoOthersAnswer(t *testing.T) {
	h, c := newHost(t)
	for _, q := range everybody(t, h, c) {
		if err := q.ask(); err != nil {
			t.Errorf("%s, answered well: %v", q.name, err)
		}
		h.honest = answers(otherHome, latchkey.AccountID{2}, api.Slot{3})
		if err := q.ask(); !errors.Is(err, api.ErrCrossed) {
			t.Errorf("%s, answered with another's: %v", q.name, err)
		}
		h.honest = answers(home, account, api.Slot{3})
		if err := q.ask(); errors.Is(err, api.ErrCrossed) != strings.HasSuffix(q.name, "slot") {
			t.Errorf("%s, answered from another's slot: %v", q.name, err)
		}
		h.honest = answers(home, account, slot)
		for what, bend := range map[string]func(id string, r *reply){
			"of another request": func(_ string, r *reply) { r.header.Set(api.HeaderRequest, "another") },
			"without a MAC":      func(_ string, r *reply) { r.header.Del(api.HeaderAnswer) },
			"by another's MAC": func(id string, r *reply) {
				r.header.Set(api.HeaderAnswer, mac.AnswerMAC(id, r.status, r.body))
			},
			"with another body": func(_ string, r *reply) { r.body = append(r.body, ' ') },
		} {
			h.bend = bend
			if err := q.ask(); errors.Is(err, api.ErrCrossed) != (q.bound || what == "of another request") {
				t.Errorf("%s, answered %s: %v", q.name, what, err)
			}
		}
		h.bend = nil
	}
}

func TestAnswersAreBounded(t *testing.T) {
	h, c := newHost(t)
	h.honest = answers(home, account, slot)
	h.bend = func(_ string, r *reply) { r.body = append(r.body, bytes.Repeat([]byte(" "), api.MaxSocket)...) }
	if _, err := c.JoinSlot(t.Context(), slot); err == nil {
		t.Error("an answer of more than 4 MiB was read")
	}
}

// TestRefusalsAreBound: a refusal counts if it is by the session's MAC; without one only
// its status does, and with another's nothing.
func TestRefusalsAreBound(t *testing.T) {
	h, c := newHost(t)
	refused := func(id string, r *reply, status int) {
		r.status = status
		r.body, _ = json.Marshal(api.Refusal{Request: id, Error: api.Problem{Reason: api.Conflict}})
		r.header.Set(api.HeaderReason, string(api.Frozen))
	}
	for _, q := range everybody(t, h, c) {
		if strings.HasPrefix(q.name, "sign") {
			continue
		}
		if !q.bound {
			h.bend = func(id string, r *reply) { refused(id, r, 409) }
			if err := q.ask(); api.ReasonOf(err) != api.Conflict {
				t.Errorf("%s, refused: %v", q.name, err)
			}
			continue
		}
		for _, tt := range []struct {
			what string
			bend func(id string, r *reply)
			want api.Reason // "" for a crossed one
		}{
			{"well", func(id string, r *reply) {
				refused(id, r, 409)
				r.header.Set(api.HeaderAnswer, h.key.AnswerMAC(id, 409, r.body))
			}, api.Conflict},
			{"for another status", func(id string, r *reply) {
				refused(id, r, 409)
				r.header.Set(api.HeaderAnswer, h.key.AnswerMAC(id, 404, r.body))
			}, ""},
			{"without a MAC", func(id string, r *reply) { refused(id, r, 409); r.header.Del(api.HeaderAnswer) }, api.Internal},
			{"as to nobody who is signed in", func(id string, r *reply) { refused(id, r, 410); r.header.Del(api.HeaderAnswer) }, api.AccountEnded},
			{"to another", func(_ string, r *reply) { refused("another", r, 409); r.header.Set(api.HeaderRequest, "another") }, ""},
			{"by a proxy", func(id string, r *reply) { refused(id, r, 503); r.header = http.Header{} }, api.Busy},
		} {
			h.bend = tt.bend
			err := q.ask()
			if errors.Is(err, api.ErrCrossed) != (tt.want == "") || api.ReasonOf(err) != tt.want {
				t.Errorf("%s, refused %s: %v", q.name, tt.what, err)
			}
		}
		h.bend = nil
	}
}

// TestWhatASessionSends: a session before is named with the next, and its key is not used.
func TestWhatASessionSends(t *testing.T) {
	h, c := newHost(t)
	everybody(t, h, c)
	before := must(c.SignUp(t.Context(), api.SignUp{Account: account}))
	cookie := ""
	h.bend = func(string, *reply) {}
	seen := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		cookie = r.Header.Get("Cookie")
		return http.DefaultTransport.RoundTrip(r)
	})}
	c = must(api.NewClient(h.origin, seen))
	for _, tt := range []struct {
		before *api.SignedIn
		want   string
	}{{nil, ""}, {before, api.AccountCookie + "=c"}} {
		if s, err := c.SignInAccount(t.Context(), api.SignInAccount{}, tt.before); err != nil || s.MACKey() != h.key || cookie != tt.want {
			t.Errorf("signed in with cookie %q: %v, want %q", cookie, err, tt.want)
		}
	}
	h.bend = func(_ string, r *reply) { r.header.Del("Set-Cookie") }
	if _, err := c.SignInAccount(t.Context(), api.SignInAccount{}, nil); err == nil {
		t.Error("a session without a cookie")
	}
	if _, err := c.SignIn(t.Context(), home, device, key, head); err == nil {
		t.Error("a home's session without a cookie")
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestWhatIsProvenAtSignIn: a device and a person sign what they are asked to.
func TestWhatIsProvenAtSignIn(t *testing.T) {
	h, c := newHost(t)
	h.honest = answers(home, account, slot)
	var sent []byte
	c = must(api.NewClient(h.origin, &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		sent, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(sent))
		var ask api.AskChallenge
		if r.URL.Path == "/v1/sessions/challenge" && (api.Decode(sent, &ask) != nil || ask.Home != home || ask.Device != device) {
			t.Errorf("asked for a challenge of %+v", ask)
		}
		return http.DefaultTransport.RoundTrip(r)
	})}))
	must(c.SignIn(t.Context(), home, device, key, head))
	var in api.SignIn
	if err := api.Decode(sent, &in); err != nil || in.Home != home || in.Device != device || latchkey.Head(in.Head) != head || !bytes.Equal(in.Nonce, nonce) ||
		!keys[0].Verify(api.SignInMessage(nonce, home, device, head, api.MACKey(in.MACKey)), in.Signature) {
		t.Errorf("a device sent %+v, %v", in, err)
	}
	for _, of := range []string{"/v1/sessions/challenge", "/v1/sessions"} {
		h.honest = func(path string) any {
			if path == of {
				return answers(otherHome, account, slot)(path)
			}
			return answers(home, account, slot)(path)
		}
		if _, err := c.SignIn(t.Context(), home, device, key, head); !errors.Is(err, api.ErrCrossed) {
			t.Errorf("%s answers for another home: %v", of, err)
		}
	}
	h.honest = answers(home, account, slot)
	if _, err := c.SignIn(t.Context(), home, device, lost{key}, head); err == nil {
		t.Error("signed in with nothing signed")
	}
	must(c.SignInPerson(t.Context(), home, latchkey.PersonID(device), key, head))
	var person api.SignInPerson
	if err := api.Decode(sent, &person); err != nil || person.Home != home || person.Person != latchkey.PersonID(device) || latchkey.Head(person.Head) != head || !bytes.Equal(person.Nonce, nonce) ||
		!keys[0].Verify(api.SignInPersonMessage(nonce, home, person.Person, head, api.MACKey(person.MACKey)), person.Signature) {
		t.Errorf("a person sent %+v, %v", person, err)
	}
}

// TestAgentsUploadsAreTheirs: what a server says of an object counts for that object.
func TestAgentsUploadsAreTheirs(t *testing.T) {
	h, c := newHost(t)
	h.honest = answers(home, account, slot)
	a := c.Agent(home, agent, key).Clock(func() time.Time { return now })
	stored := func(name latchkey.Name, offset string) {
		h.bend = func(_ string, r *reply) {
			r.header.Set(api.HeaderStored, name.String())
			r.header.Set(api.HeaderOffset, offset)
			if name == (latchkey.Name{}) {
				r.header.Del(api.HeaderStored)
			}
		}
	}
	other := object
	other.Object[0]++
	stored(object, "")
	if p, err := a.Offset(t.Context(), head, object); err != nil || !p.Stored {
		t.Errorf("stored: %+v, %v", p, err)
	}
	stored(other, "7")
	if _, err := a.Offset(t.Context(), head, object); !errors.Is(err, api.ErrCrossed) {
		t.Errorf("another is stored: %v", err)
	}
	stored(latchkey.Name{}, "7")
	if p, err := a.Offset(t.Context(), head, object); err != nil || p != (api.Progress{Held: 7}) {
		t.Errorf("held: %+v, %v", p, err)
	}
	stored(latchkey.Name{}, "seven")
	if _, err := a.Offset(t.Context(), head, object); err == nil {
		t.Error("no number is an offset")
	}
	h.bend = nil
	foreign := object
	foreign.Home = otherHome
	asked := len(h.asked)
	if _, err := a.Offset(t.Context(), head, foreign); err == nil || len(h.asked) != asked {
		t.Errorf("an object of another home was asked for: %v", err)
	}
	h.honest = func(string) any { return api.Stored{Home: home, Name: object.String()} }
	if err := a.Upload(t.Context(), head, object, []byte("prefix"), 0, strings.NewReader("rest"), 4); !errors.Is(err, api.ErrCrossed) {
		t.Errorf("an upload that is not stored: %v", err)
	}
}

// TestDeedsComeInPages: all that the head names, or what there is.
func TestDeedsComeInPages(t *testing.T) {
	h, c := newHost(t)
	everybody(t, h, c)
	member := must(c.SignIn(t.Context(), home, device, key, head))
	for _, there := range []int{1, 3} {
		h.asked = nil
		pages := [][][]byte{{[]byte("3")}, {[]byte("4"), []byte("5")}, {}}
		h.honest = func(string) any {
			page := pages[min(len(h.asked), 3)-1]
			if there == 1 && len(h.asked) > 1 {
				page = nil
			}
			return api.Deeds{Home: home, Head: api.Head(head), Deeds: page}
		}
		deeds, at, err := member.Deeds(t.Context(), 3)
		if err != nil || len(deeds) != there || at != head || len(h.asked) != 2 {
			t.Errorf("%d deeds up to %v after %v, %v; want %d", len(deeds), at, h.asked, err, there)
		}
		if want := "GET /v1/homes/" + home.String() + "/deeds?" + (url.Values{"from": {"4"}}).Encode(); h.asked[1] != want {
			t.Errorf("asked %s, want %s", h.asked[1], want)
		}
	}
}

// TestSocketsTakeNoOthersMessage: a hint of another home is none, and neither is a
// message to an agent that is not text.
func TestSocketsTakeNoOthersMessage(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	h, c := newHost(t)
	everybody(t, h, c)
	member := must(c.SignIn(ctx, home, device, key, head))
	for of, want := range map[latchkey.HomeID]error{home: nil, otherHome: api.ErrCrossed} {
		b, _ := json.Marshal(api.Changed{Home: of, Changed: api.DeedsChanged})
		h.frames = [][]byte{b}
		hints := must(member.Changes(ctx))
		if _, err := hints.Next(ctx); !errors.Is(err, want) {
			t.Errorf("a hint of home %s: %v, want %v", of, err, want)
		}
		hints.Close()
	}
	h.frames = [][]byte{must(api.EncodeFrame(api.Challenge{Nonce: nonce}))}
	for _, h.binary = range []bool{false, true} {
		s := must(c.Dial(ctx, ""))
		if _, err := s.Receive(ctx); (err != nil) != h.binary || h.binary && !errors.Is(err, api.ErrMalformed) {
			t.Errorf("a message, binary %t: %v", h.binary, err)
		}
		s.Close()
	}
}
