package server

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/gate"
	"github.com/latchkey-cam/latchkey/sealed"
)

// asking is one request that has passed the wall. What the fields say was checked.
type asking struct {
	server *Server
	w      *response
	r      *http.Request
	route  api.Route
	id     string // of the request

	body []byte      // of the request, once it was read
	key  *api.MACKey // that the request's MAC is by; its answer gets one by it too

	home    latchkey.HomeID  // with a session and for an uploader: the asker's, and the address's
	session archive.Session  // with a right that needs one
	title   *deed.Title      // of home, as it was when the request was let in
	place   archive.HomeHead // with a right that needs a session: where the title's chain ends
	agent   deed.Agent       // with right Uploader
	head    latchkey.Head    // with right Uploader: the newest deed that the agent knows
	came    bool             // the whole body, or there is none
	round   uint64           // of cuts, before the asker was looked up
	outlet  *outlet          // with right Member

	account latchkey.AccountID     // with rights AccountHeld and AccountProven: the asker's, and the address's
	held    archive.AccountSession // with those rights

	to     latchkey.AgentID   // if the address has one
	camera latchkey.CameraID  // if the address has one
	ends   latchkey.SessionID // if the address has one
	name   latchkey.Name      // if the address has a whole one; of a stream the camera alone
	kind   sealed.StreamKind  // if the address has a stream
	slot   api.Slot           // if the address has one

	unlocker latchkey.UnlockerID // if the address has one
}

// response remembers what was answered.
type response struct {
	http.ResponseWriter
	status int
}

// WriteHeader is [http.ResponseWriter]'s.
func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// routes makes the one handler from the table. A handler without a row cannot be
// reached, and a row without a handler is an error.
func (s *Server) routes() (http.Handler, error) {
	handlers := s.handlers()
	mux := http.NewServeMux()
	for _, route := range api.Routes {
		handle, ok := handlers[route.ID]
		if !ok {
			return nil, fmt.Errorf("make server: route %s has no handler", route.ID)
		}
		mux.Handle(route.Method+" "+route.Pattern, s.wall(route, handle))
	}
	mux.Handle("/v1/", s.wall(api.Route{ID: "unknown"}, func(a *asking) error { return notFound() }))
	app := s.config.App
	if app == nil {
		app = http.HandlerFunc(noApp)
	}
	probes := s.probes(false)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch p := r.URL.Path; {
		case p == "/healthz" || p == "/readyz":
			probes.ServeHTTP(w, r)
		case p != "/v1" && !strings.HasPrefix(p, "/v1/"):
			app.ServeHTTP(w, r)
		case p == "/v1" || strings.Contains(r.URL.EscapedPath(), "%") || path.Clean(p) != p:
			// IDs need no escapes, and two spellings of an address are one too many.
			r.URL.Path, r.URL.RawPath = "/v1/", ""
			mux.ServeHTTP(w, r)
		default:
			mux.ServeHTTP(w, r)
		}
	}), nil
}

func noApp(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-store")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte("This is a Latchkey server. It was started without its web page.\n"))
}

// wall lets a request through to its handler if the table's right allows it.
func (s *Server) wall(route api.Route, handle func(a *asking) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &asking{server: s, w: &response{ResponseWriter: w}, r: r, route: route}
		defer func() {
			s.counters.request(route.ID, a.w.status)
			p := recover()
			if p == nil || p == http.ErrAbortHandler {
				if p != nil {
					panic(p)
				}
				return
			}
			s.log.Error("panic", "route", route.ID, "request", a.id, "panic", fmt.Sprint(p))
			if a.w.status == 0 {
				a.refuse(errors.New("panic"))
			}
		}()
		a.begin()
		err := a.pass()
		defer func() { a.outlet.release(route.Form == api.Websocket) }()
		if err == nil {
			err = handle(a)
		}
		if err != nil {
			a.refuse(err)
		}
	})
}

// everyAnswer is what every answer has. Its values are shared by all: they are replaced,
// and never written to.
var everyAnswer = http.Header{
	"Cache-Control":                {"private, no-store"},
	"X-Content-Type-Options":       {"nosniff"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
}

// begin sets what every answer has, and the deadlines.
func (a *asking) begin() {
	a.came = a.r.Body == http.NoBody
	a.allow(2*a.server.config.Patience, a.server.config.Patience)
	a.round = a.server.cuts.rounds.Load()
	h := a.w.Header()
	maps.Copy(h, everyAnswer)
	id := a.r.Header.Get(api.HeaderRequest)
	if a.route.Form == api.Websocket && a.route.Right.Session() {
		id = a.r.URL.Query().Get("request")
	}
	if api.CheckRequestID(id) == nil {
		a.id = id
		h.Set(api.HeaderRequest, id)
	}
}

// allow sets how long the rest of the body and of the answer may take from now on. When
// the body has come, net/http goes on to read for the connection's end: a deadline that
// passed then would end the contexts of all requests that are still to come by it.
func (a *asking) allow(body, answer time.Duration) {
	now := time.Now()
	c := http.NewResponseController(a.w)
	read := now.Add(body)
	if a.came {
		read = time.Time{}
	}
	_ = c.SetReadDeadline(read) // a recorder in a test has none
	_ = c.SetWriteDeadline(now.Add(answer))
}

// pass is the one place where rights are checked, and what is held.
func (a *asking) pass() error {
	if err := a.mayEnter(); err != nil {
		return err
	}
	if a.server.config.Copy && !a.route.Copy {
		return refuse(http.StatusForbidden, api.Copied, "This is a copy of the home. It can be looked at; what is changed has to be changed in the home itself.")
	}
	if a.server.config.Porch != nil && !a.route.Porch {
		return refuse(http.StatusServiceUnavailable, api.OnPorch, "This works only while the home's server can be reached. Here is what the agent at home has.")
	}
	if a.route.ID == "object" || a.route.Right == api.AgentHello {
		return nil // the door asks for each object, and an agent says which home's it is
	}
	return a.server.holds.stops(a.route, a.home)
}

func (a *asking) mayEnter() error {
	if a.route.ID == "unknown" || a.r.Method != a.route.Method {
		return notFound() // a GET pattern of net/http takes HEAD as well
	}
	if a.id == "" && a.route.ID != "health" && a.route.Form != api.Websocket {
		return malformed("Every request needs an ID of its own in the header " + api.HeaderRequest + ".")
	}
	if err := a.address(); err != nil {
		return err
	}
	if err := a.sameOrigin(); err != nil {
		return err
	}
	switch a.route.Right {
	case api.Anybody:
		if a.route.Cheap {
			return nil
		}
		return a.turn(gate.Person)
	case api.AgentHello:
		return a.turn(gate.Agent)
	case api.Known, api.Member, api.Household, api.Owner:
		home, err := latchkey.ParseHomeID(a.r.PathValue("home"))
		if err != nil {
			return notFound()
		}
		return a.enter(home)
	case api.AccountHeld, api.AccountProven:
		return a.asAccount()
	case api.Uploader:
		return a.asAgent()
	}
	return notFound()
}

// enter lets a member in, over a connection that is cut when they may not be here any
// more.
func (a *asking) enter(home latchkey.HomeID) (err error) {
	if !a.server.lease.fresh() {
		return stale() // do not wait for an archive that says nothing
	}
	if err := a.asMember(home); err != nil {
		return err
	}
	if err := a.entitled(); err != nil {
		return err
	}
	a.outlet, err = a.server.outlet(a.r, home, asker{session: a.session, route: a.route}, a.name, a.title, a.round)
	return err
}

// address reads the IDs in the address. One that is none is not there.
func (a *asking) address() (err error) {
	if text := a.r.PathValue("camera"); text != "" {
		if a.camera, err = latchkey.ParseCameraID(text); err != nil {
			return notFound()
		}
	}
	if text := a.r.PathValue("stream"); text != "" {
		var known bool
		if a.kind, known = sealed.ParseStreamKind(text); !known {
			return notFound()
		}
		a.name.Camera = a.camera
	}
	if text := a.r.PathValue("account"); text != "" {
		if a.account, err = latchkey.ParseAccountID(text); err != nil {
			return notFound()
		}
	}
	if text := a.r.PathValue("agent"); text != "" {
		if a.to, err = latchkey.ParseAgentID(text); err != nil {
			return notFound()
		}
	}
	if text := a.r.PathValue("session"); text != "" {
		if a.ends, err = latchkey.ParseSessionID(text); err != nil {
			return notFound()
		}
	}
	if text := a.r.PathValue("unlocker"); text != "" {
		if a.unlocker, err = latchkey.ParseUnlockerID(text); err != nil {
			return notFound()
		}
	}
	if text := a.r.PathValue("slot"); text != "" {
		if a.slot, err = api.ParseSlot(text); err != nil {
			return notFound()
		}
	}
	if a.r.PathValue("object") != "" {
		if a.name, err = latchkey.ParseName("v1/" + strings.TrimPrefix(a.r.URL.Path, "/v1/objects/")); err != nil {
			return notFound()
		}
	}
	return nil
}

// stream is that of the address.
func (a *asking) stream() sealed.Stream {
	return sealed.Stream{Home: a.home, Camera: a.camera, Kind: a.kind}
}

// sameOrigin refuses what another site's page sends. A browser says where a request
// that changes something comes from; whoever has a cookie must say it. Others are no
// browsers, unless they say it too.
func (a *asking) sameOrigin() error {
	origin := a.r.Header.Get("Origin")
	if !a.route.Unsafe() || origin == a.server.config.Origin || origin == "" && !a.route.Right.Page() {
		return nil
	}
	return refuse(http.StatusForbidden, api.WrongOrigin, "This request came from another page. Open "+a.server.config.Origin+" and try there.")
}

// asAgent checks the header with which an agent signs a request.
func (a *asking) asAgent() error {
	unknown := refuse(http.StatusForbidden, api.UnknownAgent, "This server does not know the agent, or the request is not signed by it. Is its owner's yes still missing?").after(30 * time.Second)
	signed, err := api.ParseAgentRequest(a.r.Header.Get(api.HeaderAgent))
	if errors.Is(err, api.ErrVersion) {
		return refuse(http.StatusBadRequest, api.FutureVersion, "The agent speaks a newer version than this server. Update the server.")
	} else if err != nil {
		return refuse(http.StatusForbidden, api.UnknownAgent, unknown.body.Error.Message)
	}
	if signed.Home.String() != a.r.PathValue("home") {
		return notFound()
	}
	if a.server.hub.agent(signed.Home, signed.Agent) == nil { // which has come in
		if err := a.turn(gate.Agent); err != nil {
			return err
		}
	}
	title, _, err := a.server.titles.look(a.r.Context(), signed.Home)
	if errors.Is(err, archive.ErrNotFound) {
		return unknown
	} else if err != nil {
		return err
	}
	agent, ok := title.Agent(signed.Agent)
	if !ok {
		return unknown
	}
	switch err := signed.Verify(agent.Signing, a.r.Method, a.r.URL.Path, a.server.now()); {
	case errors.Is(err, api.ErrExpired):
		return refuse(http.StatusForbidden, api.Expired, "The request has run out, or its clock and ours differ by more than a minute. Set the clocks.").after(5 * time.Second)
	case err != nil:
		return unknown
	}
	if !a.server.nonces.fresh(signed, a.server.now()) {
		return refuse(http.StatusConflict, api.Replayed, "This very request was made before. Make a new one.")
	}
	a.home, a.agent, a.head = signed.Home, agent, signed.Head
	a.title, err = a.server.titles.of(a.r.Context(), a.home) // refused now that it is known who asks
	return err
}
