package server_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
)

// expected says what each asker of the walk gets on a route of a home that is there.
// A route that is not in the list fails the test.
type expected struct {
	nobody, owner, stranger, ended int // without a session, of this home, of another, signed out
	agent, foreign                 int // an agent of this home, of another
	body                           func(m *home) any
}

// The walk asks badly formed bodies on purpose where a good one would change what the
// next asker finds: 400 means that the right was there.
var expectations = map[string]expected{
	"health":     {200, 200, 200, 200, 200, 200, nil},
	"found-home": {403, 403, 403, 403, 403, 403, func(m *home) any { return api.FoundHome{Setup: "x", Deeds: m.owner.Deeds()[:2]} }},
	"challenge":  {200, 200, 200, 200, 200, 200, func(m *home) any { return api.AskChallenge{Home: m.owner.Home()} }},
	"sign-in": {403, 403, 403, 403, 403, 403, func(m *home) any {
		return api.SignIn{Home: m.owner.Home(), Nonce: []byte{}, Signature: []byte{}, MACKey: make([]byte, 32)}
	}},
	"sign-in-person": {403, 403, 403, 403, 403, 403, func(m *home) any {
		return api.SignInPerson{Home: m.owner.Home(), Nonce: []byte{}, Signature: []byte{}, MACKey: make([]byte, 32)}
	}},
	"sign-out":      {401, 0, 401, 401, 401, 401, nil}, // as the owner tested apart: it ends the walk's session
	"sessions":      {401, 200, 401, 401, 401, 401, nil},
	"end-session":   {401, 404, 401, 401, 401, 401, nil}, // there is no such session
	"deeds":         {401, 200, 401, 401, 401, 401, nil},
	"append-deeds":  {401, 400, 401, 401, 401, 401, func(m *home) any { return api.AppendDeeds{Home: m.owner.Home(), Deeds: [][]byte{}} }},
	"confirm":       {401, 409, 401, 401, 401, 401, func(m *home) any { return api.HomeHead{Home: m.owner.Home()} }},
	"settings":      {401, 200, 401, 401, 401, 401, nil},
	"put-settings":  {401, 400, 401, 401, 401, 401, func(m *home) any { return api.Settings{Home: m.owner.Home(), Document: []byte{1}} }},
	"events":        {401, 200, 401, 401, 401, 401, nil},
	"tombstones":    {401, 200, 401, 401, 401, 401, nil},
	"delete":        {401, 400, 401, 401, 401, 401, func(m *home) any { return api.PutTombstones{Home: m.owner.Home(), Tombstones: [][]byte{}} }},
	"usage":         {401, 200, 401, 401, 401, 401, nil},
	"review":        {401, 200, 401, 401, 401, 401, func(m *home) any { return api.Review{Home: m.owner.Home(), Events: []latchkey.EventID{}} }},
	"asks":          {401, 200, 401, 401, 401, 401, nil},
	"refuse-ask":    {401, 200, 401, 401, 401, 401, nil},
	"open-join":     {401, 400, 401, 401, 401, 401, func(m *home) any { return api.OpenJoin{Home: m.owner.Home(), Announcement: []byte{}} }},
	"join":          {401, 404, 401, 401, 401, 401, nil}, // there is no such slot
	"reveal-join":   {401, 400, 401, 401, 401, 401, func(m *home) any { return api.RevealJoin{Home: m.owner.Home(), Reveal: []byte{}} }},
	"close-join":    {401, 200, 401, 401, 401, 401, nil},
	"report":        {401, 400, 401, 401, 401, 401, func(m *home) any { return api.Report{Home: m.owner.Home(), Header: []byte{}} }},
	"command":       {401, 415, 401, 401, 401, 401, nil}, // not the type of a letter
	"conditions":    {401, 200, 401, 401, 401, 401, nil},
	"changes":       {401, 400, 401, 401, 401, 401, nil}, // no websocket asked for
	"live":          {401, 400, 401, 401, 401, 401, nil}, // no websocket asked for
	"live-inlet":    {403, 403, 403, 403, 409, 404, nil}, // nobody watches
	"join-slot":     {404, 404, 404, 404, 404, 404, nil},
	"answer-join":   {404, 404, 404, 404, 404, 404, func(m *home) any { return api.JoinAnswer{Answer: []byte{}} }},
	"object":        {401, 200, 401, 401, 401, 401, nil},
	"found-again":   {403, 403, 403, 403, 201, 404, nil},
	"upload-offset": {403, 403, 403, 403, 200, 404, nil},
	"upload":        {403, 403, 403, 403, 400, 404, nil},
	"agent":         {400, 400, 400, 400, 400, 400, nil}, // no websocket asked for; who it is, is said on it

	// Of accounts, whose askers are TestAccountWalk's. No session of a home is one here.
	"begin-account": {403, 403, 403, 403, 403, 403, func(m *home) any { return api.BeginAccount{Email: "ada@example.org"} }},
	"sign-up": {403, 403, 403, 403, 403, 403, func(m *home) any {
		return api.SignUp{Unlockers: []api.Unlocker{}, Vault: []byte{}, MACKey: []byte{}}
	}},
	"passphrase-params":   {200, 200, 200, 200, 200, 200, func(m *home) any { return api.AskPassphrase{Email: "ada@example.org"} }},
	"passkey-options":     {409, 409, 409, 409, 409, 409, func(m *home) any { return api.Empty{} }}, // at an IP address
	"sign-in-account":     {400, 400, 400, 400, 400, 400, func(m *home) any { return api.SignInAccount{MACKey: []byte{}} }},
	"account":             {401, 401, 401, 401, 401, 401, nil},
	"vault":               {401, 401, 401, 401, 401, 401, nil},
	"put-vault":           {401, 401, 401, 401, 401, 401, nil},
	"begin-unlocker":      {401, 401, 401, 401, 401, 401, nil},
	"add-unlocker":        {401, 401, 401, 401, 401, 401, nil},
	"remove-unlocker":     {401, 401, 401, 401, 401, 401, nil},
	"begin-codes":         {401, 401, 401, 401, 401, 401, nil},
	"prove-code":          {401, 401, 401, 401, 401, 401, nil},
	"end-codes":           {401, 401, 401, 401, 401, 401, nil},
	"change-email":        {401, 401, 401, 401, 401, 401, nil},
	"confirm-email":       {401, 401, 401, 401, 401, 401, nil},
	"account-sessions":    {401, 401, 401, 401, 401, 401, nil},
	"end-account-session": {401, 401, 401, 401, 401, 401, nil},
	"sign-out-account":    {401, 401, 401, 401, 401, 401, nil},
	"delete-account":      {401, 401, 401, 401, 401, 401, nil},
	"end-account-again":   {403, 403, 403, 403, 403, 403, func(m *home) any { return api.AccountEnd{End: []byte{}} }},
}

func TestRouteWalk(t *testing.T) {
	h := openHouse(t)
	m, stranger := h.found(t), h.found(t)
	o := m.stored(latchkey.Thumbnail, "a picture")
	ended := m.signIn()
	endedKey, another := ended.MACKey(), m.signIn()
	_, theirs, _ := strings.Cut(stranger.member.Cookie(), "=")
	renamed := http.Header{"Cookie": {api.CookieName(m.owner.Home()) + "=" + theirs}}
	if err := ended.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	as := func(m *api.Home) http.Header { return http.Header{"Cookie": {m.Cookie()}} }
	seen := map[string]bool{}
	for _, route := range api.Routes {
		want, ok := expectations[route.ID]
		if !ok {
			t.Errorf("route %s has no expectation: say who may use it", route.ID)
			continue
		}
		seen[route.ID] = true
		name := o.Name()
		path := m.address(route, name)
		body := ""
		if want.body != nil {
			body = string(must(json.Marshal(want.body(m))))
		}
		crossed := want.owner // with a cookie and a MAC that do not belong together
		if route.Right.Session() {
			crossed = http.StatusUnauthorized
		}
		for who, asker := range map[string]struct {
			header http.Header
			mac    *api.MACKey
			want   int
		}{
			"nobody":                        {http.Header{}, nil, want.nobody},
			"the owner":                     {m.asPage(), m.mac(), want.owner},
			"the owner's cookie alone":      {m.asPage(), nil, crossed},
			"the owner's cookie, their MAC": {m.asPage(), stranger.mac(), crossed},
			"another cookie, the MAC":       {as(another), m.mac(), crossed},
			"another home's":                {stranger.asPage(), stranger.mac(), want.stranger},
			"another home's cookie, mine":   {stranger.asPage(), m.mac(), want.stranger},
			"their secret by my name":       {renamed, stranger.mac(), want.stranger},
			"an ended session":              {as(ended), &endedKey, want.ended},
			"the agent":                     {m.asAgent(route.Method, path), nil, want.agent},
			"another home's agent":          {stranger.asAgent(route.Method, path), nil, want.foreign},
		} {
			if asker.want == 0 {
				continue
			}
			asker.header.Set("Origin", h.origin)
			answer, text := h.do(t, raw{method: route.Method, path: path, header: asker.header, mac: asker.mac, body: body})
			if answer.StatusCode != asker.want {
				t.Errorf("%s as %s: %d %s, want %d", route.ID, who, answer.StatusCode, text, asker.want)
			}
			if answer.StatusCode >= 300 && strings.Contains(text, "picture") {
				t.Errorf("%s as %s: the refusal says %s", route.ID, who, text)
			}
		}
	}
	for id := range expectations {
		if !seen[id] {
			t.Errorf("expectation %s is of no route", id)
		}
	}
}

// address is a route's, with the home's own IDs in it where there are some.
func (m *home) address(route api.Route, n latchkey.Name) string {
	return strings.NewReplacer("{home}", n.Home.String(), "{camera}", n.Camera.String(), "{day}", string(n.Day),
		"{kind}", n.Kind.String(), "{object}", n.Object.String(), "{slot}", api.Slot{}.String(), "{stream}", "main",
		"{account}", latchkey.AccountID{}.String(), "{session}", latchkey.SessionID{}.String(), "{unlocker}", latchkey.UnlockerID{}.String(), "{agent}", m.agent.Keys.Agent.String()).Replace(route.Pattern)
}

// TestMethodsAreTheTables: a HEAD is no GET, and only asking for the health needs no ID.
func TestMethodsAreTheTables(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	if answer, _ := h.do(t, raw{method: "HEAD", path: m.path("/events"), header: m.asPage(), mac: m.mac()}); answer.StatusCode != http.StatusNotFound {
		t.Errorf("HEAD of the events: %s", answer.Status)
	}
	for path, want := range map[string]int{"/v1/health": http.StatusOK, m.path("/events"): http.StatusBadRequest} {
		header := m.asPage()
		header[api.HeaderRequest] = nil
		if answer, text := h.do(t, raw{method: "GET", path: path, header: header, mac: m.mac()}); answer.StatusCode != want {
			t.Errorf("%s without an ID: %d %s", path, answer.StatusCode, text)
		}
	}
}

// TestAddressesOfNothing: where an ID in an address is none, nothing is there, whoever asks.
func TestAddressesOfNothing(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	name := m.object(latchkey.Thumbnail, "a picture").Name()
	for _, route := range api.Routes {
		for _, id := range []string{"{camera}", "{stream}", "{day}", "{kind}", "{object}", "{slot}", "{account}", "{session}", "{unlocker}", "{agent}"} {
			none := route
			if none.Pattern = strings.Replace(route.Pattern, id, "x", 1); none.Pattern == route.Pattern {
				continue
			}
			if answer, text := h.do(t, raw{method: route.Method, path: m.address(none, name)}); answer.StatusCode != http.StatusNotFound {
				t.Errorf("%s without %s: %d %s", route.ID, id, answer.StatusCode, text)
			}
		}
	}
}

// TestNotYoursIsNotThere: what is another home's and what does not exist get the same
// bytes, header by header but for the MAC, which is there if a session was asked for.
func TestNotYoursIsNotThere(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	theirs := other.stored(latchkey.Thumbnail, "theirs").Name()
	mine := m.stored(latchkey.Thumbnail, "mine").Name()
	changed := func(change func(n *latchkey.Name)) string {
		n := mine
		change(&n)
		return objectPath(n)
	}
	answers := map[string]string{}
	for what, path := range map[string]string{
		"another home's object":       objectPath(theirs),
		"an object of no home":        changed(func(n *latchkey.Name) { n.Home[0]++ }),
		"no object":                   changed(func(n *latchkey.Name) { n.Object[0]++ }),
		"no camera":                   changed(func(n *latchkey.Name) { n.Camera[0]++ }),
		"another day":                 changed(func(n *latchkey.Name) { n.Day = "2001-01-01" }),
		"another kind":                changed(func(n *latchkey.Name) { n.Kind = latchkey.Clip }),
		"their camera in my home":     changed(func(n *latchkey.Name) { n.Camera = other.camera }),
		"their object in my home":     changed(func(n *latchkey.Name) { n.Camera, n.Object = other.camera, theirs.Object }),
		"another home's events":       other.path("/events"),
		"events of no home":           "/v1/homes/" + latchkey.HomeID{1}.String() + "/events",
		"no home's ID":                "/v1/homes/x/events",
		"no object's name":            "/v1/objects/" + m.owner.Home().String() + "/x/2001-01-01/clip/y",
		"no route":                    "/v1/nothing",
		"no route of my home":         m.path("/nothing"),
		"a route with another method": "/v1/sessions/challenge",
		"the root":                    "/v1",
		"a slash too many":            m.path("//events"),
		"a slash at the end":          m.path("/events/"),
		"dots":                        m.path("/x/../events"),
		"escaped dots":                m.path("/%2e%2e/" + m.owner.Home().String() + "/events"),
		"an escaped letter":           m.path("/%65vents"),
		"an escaped slash":            m.path("%2Fevents"),
		"a zero byte":                 m.path("/events%00"),
		"a backslash":                 m.path("/..\\events"),
		"overlong dots":               m.path("/%c0%ae%c0%ae/events"),
		"upper case":                  "/v1/homes/" + strings.ToUpper(m.owner.Home().String()) + "/events",
		"very long":                   "/v1/homes/" + strings.Repeat("a", 10_000) + "/events",
	} {
		answer, body := h.do(t, raw{method: "GET", path: path, header: m.asPage(), mac: m.mac()})
		answer.Header.Del("Date")
		answer.Header.Del(api.HeaderAnswer)
		answers[what] = strconv.Itoa(answer.StatusCode) + " " + string(must(json.Marshal(answer.Header))) + "\n" + body
	}
	want := answers["no object"]
	if !strings.HasPrefix(want, "404") || !strings.Contains(want, `"request":"test"`) {
		t.Fatalf("no object: %s", want)
	}
	elsewhere := answers["events of no home"]
	if !strings.HasPrefix(elsewhere, "401") {
		t.Fatalf("events of no home: %s", elsewhere)
	}
	for what, got := range answers {
		want := want
		if strings.HasPrefix(what, "another home's") || strings.HasSuffix(what, "of no home") {
			want = elsewhere
		}
		if got != want {
			t.Errorf("%s: %s\nwant what every other is: %s", what, got, want)
		}
	}
}

func TestOrigin(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	body := string(must(json.Marshal(api.AppendDeeds{Home: m.owner.Home(), Deeds: [][]byte{}})))
	for _, tt := range []struct {
		name, method, path, origin, body string
		want                             int
	}{
		{"no origin", "POST", m.path("/deeds"), "", body, 403},
		{"another site", "POST", m.path("/deeds"), "https://example.com", body, 403},
		{"null", "POST", m.path("/deeds"), "null", body, 403},
		{"another port", "POST", m.path("/deeds"), "http://127.0.0.1:1", body, 403},
		{"our own, further", "POST", m.path("/deeds"), h.origin + ".example.com", body, 403},
		{"our own", "POST", m.path("/deeds"), h.origin, body, 400},
		{"websocket from another site", "GET", m.path("/changes"), "https://example.com", "", 403},
		{"websocket from nowhere", "GET", m.path("/changes"), "", "", 403},
		{"signing in from another site", "POST", "/v1/sessions/challenge", "https://example.com", `{"v":1}`, 403},
		{"founding from another site", "POST", "/v1/homes", "https://example.com", `{"v":1}`, 403},
		{"reading needs none", "GET", m.path("/events"), "", "", 200},
	} {
		header := m.asPage()
		header.Del("Origin")
		if tt.origin != "" {
			header.Set("Origin", tt.origin)
		}
		answer, text := h.do(t, raw{method: tt.method, path: tt.path, header: header, body: tt.body, mac: m.mac()})
		if answer.StatusCode != tt.want {
			t.Errorf("%s: %d %s, want %d", tt.name, answer.StatusCode, text, tt.want)
		}
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: other sites are let in: %s", tt.name, got)
		}
	}
}

func TestBadInput(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	o := m.stored(latchkey.Thumbnail, "a picture")
	challenge := string(must(json.Marshal(api.AskChallenge{Home: m.owner.Home()})))
	for _, tt := range []struct {
		name   string
		raw    raw
		header http.Header
		want   int
		reason api.Reason
	}{
		{"no request ID", raw{method: "GET", path: m.path("/events")}, http.Header{api.HeaderRequest: nil}, 400, api.Malformed},
		{"a bad request ID", raw{method: "GET", path: m.path("/events")}, http.Header{api.HeaderRequest: {"a b"}}, 400, api.Malformed},
		{"another content type", raw{method: "POST", path: "/v1/sessions/challenge", body: challenge}, http.Header{"Content-Type": {"text/plain"}}, 415, api.Malformed},
		{"a form", raw{method: "POST", path: "/v1/sessions/challenge", body: "home=x"}, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 415, api.Malformed},
		{"a compressed body", raw{method: "POST", path: "/v1/sessions/challenge", body: challenge}, http.Header{"Content-Encoding": {"gzip"}}, 415, api.Malformed},
		{"too large", raw{method: "POST", path: "/v1/sessions/challenge", body: strings.Repeat(" ", api.MaxJSON+1)}, nil, 413, api.Oversize},
		{"two values", raw{method: "POST", path: "/v1/sessions/challenge", body: challenge + challenge}, nil, 400, api.Malformed},
		{"an unknown member", raw{method: "POST", path: "/v1/sessions/challenge", body: strings.Replace(challenge, "{", `{"x":1,`, 1)}, nil, 400, api.Malformed},
		{"a later version", raw{method: "POST", path: "/v1/sessions/challenge", body: strings.Replace(challenge, `"v":1`, `"v":2`, 1)}, nil, 400, api.FutureVersion},
		{"deep nesting", raw{method: "POST", path: "/v1/sessions/challenge", body: strings.Repeat("[", 100_000)}, nil, 400, api.Malformed},
		{"home in body and address differ", raw{method: "POST", path: m.path("/deeds"), body: string(must(json.Marshal(api.AppendDeeds{Deeds: [][]byte{{1}}})))}, nil, 400, api.WrongHome},
		{"a report of another home", raw{method: "POST", path: m.path("/reports"), body: string(must(json.Marshal(api.Report{Home: latchkey.HomeID{1}, Delivery: "r", Word: "misroute", Reason: "misroute", Header: []byte{}})))}, nil, 400, api.WrongHome},
		{"tombstones of another home", raw{method: "POST", path: m.path("/tombstones"), body: string(must(json.Marshal(api.PutTombstones{Home: latchkey.HomeID{1}, Tombstones: [][]byte{m.buried(eventGone(latchkey.NewEventID()))}})))}, nil, 400, api.WrongHome},
		{"a limit of 1e9", raw{method: "GET", path: m.path("/events?limit=1000000000")}, nil, 400, api.Malformed},
		{"a limit of 0", raw{method: "GET", path: m.path("/events?limit=0")}, nil, 400, api.Malformed},
		{"a negative limit", raw{method: "GET", path: m.path("/events?limit=-1")}, nil, 400, api.Malformed},
		{"a limit in words", raw{method: "GET", path: m.path("/events?limit=ten")}, nil, 400, api.Malformed},
		{"two limits", raw{method: "GET", path: m.path("/events?limit=1&limit=2")}, nil, 400, api.Malformed},
		{"an unknown parameter", raw{method: "GET", path: m.path("/events?home=x")}, nil, 400, api.Malformed},
		{"a camera that is none", raw{method: "GET", path: m.path("/events?camera=x")}, nil, 400, api.Malformed},
		{"an empty camera", raw{method: "GET", path: m.path("/events?camera=")}, nil, 400, api.Malformed},
		{"a camera in other letters", raw{method: "GET", path: m.path("/events?camera=" + strings.ToUpper(m.camera.String()))}, nil, 400, api.Malformed},
		{"a time in words", raw{method: "GET", path: m.path("/events?from=noon")}, nil, 400, api.Malformed},
		{"a time that ends before it begins", raw{method: "GET", path: m.path("/events?from=7&until=7")}, nil, 400, api.Malformed},
		{"a time of nothing", raw{method: "GET", path: m.path("/events?until=0")}, nil, 400, api.Malformed},
		{"a cursor that is none", raw{method: "GET", path: m.path("/events?before=x")}, nil, 400, api.Malformed},
		{"a cursor with SQL", raw{method: "GET", path: m.path("/events?before=%27%20OR%201=1")}, nil, 400, api.Malformed},
		{"a forged cursor", raw{method: "GET", path: m.path("/events?before=" + base64.RawURLEncoding.EncodeToString(append([]byte{0, 31, 255, 255, 255, 255, 255, 255}, make([]byte, 16)...)))}, nil, 200, ""},
		{"deeds from far away", raw{method: "GET", path: m.path("/deeds?from=9007199254740991")}, nil, 200, ""},
		{"a range", raw{method: "GET", path: objectPath(o.Name())}, http.Header{"Range": {"bytes=-1,0-,5-2"}}, 200, ""},
		{"two sessions at once", raw{method: "GET", path: m.path("/events")}, http.Header{"Cookie": {m.member.Cookie() + "; " + m.member.Cookie()}}, 401, api.SignedOut},
		{"a forged session", raw{method: "GET", path: m.path("/events")}, http.Header{"Cookie": {api.CookieName(m.owner.Home()) + "=AAAA"}}, 401, api.SignedOut},
		{"a session of nonsense", raw{method: "GET", path: m.path("/events")}, http.Header{"Cookie": {api.CookieName(m.owner.Home()) + "="}}, 401, api.SignedOut},
		{"a MAC twice", raw{method: "GET", path: m.path("/events")}, http.Header{api.HeaderMAC: {"x", "y"}}, 401, api.SignedOut},
		{"too large a message in a session", raw{method: "POST", path: m.path("/deeds"), body: strings.Repeat(" ", api.MaxJSON+1)}, nil, 413, api.Oversize},
		{"another host's name", raw{method: "GET", path: m.path("/events")}, http.Header{"X-Forwarded-Host": {"example.com"}, "X-Forwarded-For": {"1.2.3.4"}}, 200, ""},
		{"an agent's header on a page's route", raw{method: "GET", path: m.path("/events")}, http.Header{"Cookie": nil, api.HeaderAgent: m.asAgent("GET", m.path("/events"))[api.HeaderAgent]}, 401, api.SignedOut},
	} {
		header := m.asPage()
		for name, values := range tt.header {
			header[name] = values
		}
		tt.raw.header, tt.raw.mac = header, m.mac()
		answer, text := h.do(t, tt.raw)
		if answer.StatusCode != tt.want || tt.reason != "" && !strings.Contains(text, `"reason":"`+string(tt.reason)+`"`) {
			t.Errorf("%s: %d %.300s, want %d %s", tt.name, answer.StatusCode, text, tt.want, tt.reason)
		}
	}
}

func TestSessions(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	device, key := m.owner.Device()
	head := m.owner.Title().Head()
	refused := map[string]error{}
	_, refused["no home"] = h.client.SignIn(t.Context(), latchkey.HomeID{1}, device, key, head)
	_, refused["no device"] = h.client.SignIn(t.Context(), m.owner.Home(), latchkey.NewDeviceID(), key, head)
	_, refused["another's key"] = h.client.SignIn(t.Context(), m.owner.Home(), device, m.agent.Keys.Signing, head)
	messages := map[string]bool{}
	for what, err := range refused {
		wantReason(t, what, err, api.SignInRefused)
		if err != nil {
			messages[err.Error()] = true
		}
	}
	if len(messages) != 1 {
		t.Errorf("the refusals can be told apart: %v", messages)
	}
	fork := head
	fork.Hash[0]++
	_, err := h.client.SignIn(t.Context(), m.owner.Home(), device, key, fork)
	wantReason(t, "a head that is not on the chain", err, api.UnknownHead)
	if lines := h.logs.lines(t, "unknown-head"); len(lines) != 1 || lines[0]["head"] != fork.String() {
		t.Errorf("the log says %v", lines)
	}

	in := m.signInBody(t, time.Duration(0), api.NewMACKey())
	answer, text := h.do(t, raw{method: "POST", path: "/v1/sessions", body: in, header: http.Header{"Origin": {h.origin}}})
	if answer.StatusCode != 201 {
		t.Fatalf("sign in: %d %s", answer.StatusCode, text)
	}
	cookie := answer.Header.Get("Set-Cookie")
	for _, flag := range []string{"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"} {
		if !strings.Contains(cookie, flag) {
			t.Errorf("the cookie has no %s: %s", flag, cookie)
		}
	}
	if strings.Contains(cookie, "Domain") || strings.Contains(cookie, "Secure") {
		t.Errorf("the cookie of a server without https: %s", cookie)
	}
	if answer, _ := h.do(t, raw{method: "POST", path: "/v1/sessions", body: in}); answer.StatusCode != 403 {
		t.Errorf("the same signature again: %d", answer.StatusCode)
	}
	late := m.signInBody(t, api.ChallengeLife+time.Second, api.NewMACKey())
	if answer, _ := h.do(t, raw{method: "POST", path: "/v1/sessions", body: late}); answer.StatusCode != 403 {
		t.Errorf("a challenge that ran out: %d", answer.StatusCode)
	}
	h.pass(api.SessionLife)
	_, err = m.member.Events(t.Context(), "", 0)
	wantReason(t, "a session that ran out", err, api.SignedOut)
	one, two := m.signIn(), m.signIn()
	if err := one.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = one.Events(t.Context(), "", 0)
	wantReason(t, "after signing out", err, api.SignedOut)
	if _, err := two.Events(t.Context(), "", 0); err != nil {
		t.Errorf("another session of the device: %v", err)
	}
}

// signInBody makes a sign-in by hand and lets the server's clock go on before it is sent.
func (m *home) signInBody(t *testing.T, wait time.Duration, mac api.MACKey) string {
	t.Helper()
	device, key := m.owner.Device()
	_, text := m.house.do(t, raw{method: "POST", path: "/v1/sessions/challenge", body: string(must(json.Marshal(api.AskChallenge{Home: m.owner.Home(), Device: device})))})
	var c api.SignInChallenge
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	head := m.owner.Title().Head()
	in := api.SignIn{Home: m.owner.Home(), Device: device, Nonce: c.Nonce, Head: api.Head(head), MACKey: mac[:]}
	in.Signature = must(key.Sign(nil, api.SignInMessage(c.Nonce, m.owner.Home(), device, head, mac), cryptoHash0))
	m.house.pass(wait)
	return string(must(json.Marshal(in)))
}
