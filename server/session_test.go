package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

// mixer is a proxy that has lost count of who is who: while it is told to it sends one
// session's requests with the other's cookie, or answers one with what it has last
// answered the other. All that does not depend on the mix-up it leaves right.
type mixer struct {
	mu      sync.Mutex        // protects what follows
	cookies map[string]string // for one cookie, the other
	answers bool
	last    map[string]kept // by address
}

// kept is an answer, and whose it was.
type kept struct {
	cookie string
	status int
	header http.Header
	body   []byte
}

func (x *mixer) RoundTrip(r *http.Request) (*http.Response, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	cookie := r.Header.Get("Cookie")
	if other, ok := x.cookies[cookie]; ok {
		r = r.Clone(r.Context())
		r.Header.Set("Cookie", other)
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(a.Body)
	if err != nil {
		return nil, err
	}
	a.Body.Close()
	was := x.last[r.URL.Path]
	x.last[r.URL.Path] = kept{cookie, a.StatusCode, a.Header.Clone(), b}
	if x.answers && was.cookie != cookie {
		was.header.Set(api.HeaderRequest, a.Header.Get(api.HeaderRequest))
		a.StatusCode, a.Header, b = was.status, was.header, was.body
	}
	a.Body, a.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	return a, nil
}

// mixed gives two sessions of one home behind a mixer. A home of two is the hard case:
// what is crossed within it has the right home in it, and the keys to it.
func mixed(t *testing.T) (h *house, x *mixer, one, two *api.Home) {
	h = openHouse(t)
	m := h.found(t)
	x = &mixer{cookies: map[string]string{}, last: map[string]kept{}}
	h.client = must(api.NewClient(h.origin, &http.Client{Transport: x}))
	return h, x, m.signIn(), m.signIn()
}

// TestSwappedCookies: two cookies of one home are swapped on the way. Neither request
// does anything, and the server says whose were crossed.
func TestSwappedCookies(t *testing.T) {
	h, x, one, two := mixed(t)
	x.cookies = map[string]string{one.Cookie(): two.Cookie(), two.Cookie(): one.Cookie()}
	for who, session := range map[string]*api.Home{"one": one, "two": two} {
		_, err := session.Events(t.Context(), "", 0)
		wantReason(t, who+" lists events with the other's cookie", err, api.SignedOut)
		wantReason(t, who+" signs out with the other's cookie", session.SignOut(t.Context()), api.SignedOut)
		if c, err := session.Changes(t.Context()); err == nil {
			c.Close()
			t.Errorf("%s listens with the other's cookie", who)
		}
	}
	x.cookies = nil
	for who, session := range map[string]*api.Home{"one": one, "two": two} {
		if _, err := session.Events(t.Context(), "", 0); err != nil {
			t.Errorf("the other signed %s out: %v", who, err)
		}
	}
	if n := h.metric(t, "latchkey_misroutes_total", "where=crossed-session", "confirmed=true"); n != 6 {
		t.Errorf("%v crossed sessions are counted, want 6", n)
	}
	line := h.logs.lines(t, "misroute")[0]
	if line["where"] != "crossed-session" || line["cookie"] == line["mac"] || line["mac"] == "" {
		t.Errorf("the alarm says %v", line)
	}
	for _, secret := range []string{one.Cookie(), two.Cookie()} {
		if _, secret, _ = strings.Cut(secret, "="); strings.Contains(h.logs.text(), secret) {
			t.Error("a session's secret is in the log")
		}
	}
}

func TestSwappedCookiesControl(t *testing.T) {
	control(t, "TestSwappedCookies", []string{"the other signed"}, sabotage.Cut{
		File: "server/session.go", Old: "	if !ok {\n		a.crossedSession(in.session)", New: "	if a.key = &in.session.Keys[0]; !ok && false {\n		a.crossedSession(in.session)",
	})
}

// TestSwappedAnswers: a page is answered with what was the other's, under its own
// request's ID.
func TestSwappedAnswers(t *testing.T) {
	_, x, one, two := mixed(t)
	for _, tt := range []struct {
		what string
		ask  func(s *api.Home) error
	}{
		{"sessions", func(s *api.Home) error { _, err := s.Sessions(t.Context()); return err }},
		{"events", func(s *api.Home) error { _, err := s.Events(t.Context(), "", 0); return err }},
		{"refusals", func(s *api.Home) error { return s.EndSession(t.Context(), latchkey.SessionID{1}) }},
	} {
		_ = tt.ask(one)
		x.answers = true
		if err := tt.ask(two); !errors.Is(err, api.ErrCrossed) {
			t.Errorf("the other's %s are taken: %v", tt.what, err)
		}
		x.answers = false
		if err := tt.ask(two); errors.Is(err, api.ErrCrossed) {
			t.Errorf("one's own %s are not taken: %v", tt.what, err)
		}
	}
}

func TestSwappedAnswersControl(t *testing.T) {
	control(t, "TestSwappedAnswers", []string{"the other's events are taken"}, sabotage.Cut{
		File: "api/client.go", Old: "if q.key != nil && !q.answered(a, b) {", New: "if false {",
	})
}

// TestForgottenMAC: a cookie that comes without a MAC, or with one by nobody's key, is
// counted as crossed, but nobody can say with whom.
func TestForgottenMAC(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	m.signIn() // another session of the home, which it is not by
	stranger := api.NewMACKey()
	var answers []string
	for _, mac := range []*api.MACKey{nil, &stranger} {
		answer, text := h.do(t, raw{method: "GET", path: m.path("/events"), header: m.asPage(), mac: mac})
		if answer.StatusCode != 401 || answer.Header.Get(api.HeaderAnswer) != "" {
			t.Errorf("%d %s", answer.StatusCode, text)
		}
		answers = append(answers, text)
	}
	_, nobody := h.do(t, raw{method: "GET", path: m.path("/events")})
	if answers[0] != nobody || answers[1] != nobody {
		t.Errorf("the answers %q differ from nobody's %q", answers, nobody)
	}
	if n := h.metric(t, "latchkey_misroutes_total", "where=crossed-session", "confirmed=false"); n != 2 {
		t.Errorf("%v are counted, want 2", n)
	}
	for range 100 {
		h.do(t, raw{method: "GET", path: m.path("/events"), header: m.asPage()})
	}
	if n := len(h.logs.lines(t, "misroute")); n != 60 {
		t.Errorf("%d lines of one session in a minute, want 60", n)
	}
}

// TestPagesShareASession: a page that signs in with the browser's cookie joins its
// session; both go on, until there are too many.
func TestPagesShareASession(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	join := func(cookie string) (key api.MACKey, in api.Session, set string) {
		t.Helper()
		key = api.NewMACKey()
		header := http.Header{"Cookie": {cookie}, "User-Agent": {"Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0 Safari/537.36"}}
		answer, text := h.do(t, raw{method: "POST", path: "/v1/sessions", body: m.signInBody(t, 0, key), header: header})
		if answer.StatusCode != 201 || answer.Header.Get(api.HeaderAnswer) != key.AnswerMAC("test", 201, []byte(text)) {
			t.Fatalf("sign in: %d %s", answer.StatusCode, text)
		}
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			t.Fatal(err)
		}
		return key, in, answer.Cookies()[0].Name + "=" + answer.Cookies()[0].Value
	}
	status := func(key api.MACKey) int {
		answer, _ := h.do(t, raw{method: "GET", path: m.path("/events"), header: m.asPage(), mac: &key})
		return answer.StatusCode
	}
	keys := []api.MACKey{m.member.MACKey()}
	for range archive.MaxPages - 1 {
		key, in, set := join(m.member.Cookie())
		if in.Session != m.member.Session() || set != m.member.Cookie() {
			t.Errorf("another page has another session")
		}
		keys = append(keys, key)
	}
	for i, key := range keys {
		if got := status(key); got != 200 {
			t.Errorf("page %d: %d", i, got)
		}
	}
	join(m.member.Cookie())
	if first, second := status(keys[0]), status(keys[1]); first != 401 || second != 200 {
		t.Errorf("after too many the first page gets %d, the second %d", first, second)
	}
	rows := must(h.archive.SessionsOf(t.Context(), m.owner.Home()))
	if now := latchkey.TimeOf(h.time()); len(rows) != 1 || rows[0].Browser != "Chromium on Linux" || rows[0].Seen != now || rows[0].Started != now {
		t.Errorf("sessions: %+v", rows)
	}
	if _, in, set := join(api.CookieName(m.owner.Home()) + "=forged"); in.Session == m.member.Session() || strings.HasSuffix(set, "=forged") {
		t.Error("a cookie that the server did not make is taken over")
	}
}

// bringing sends every request with a cookie.
type bringing string

func (b bringing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Cookie", string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// TestSomebodyElsesBrowser: whoever signs in where another device or person of the home is
// signed in gets a session of their own, and the other's goes on.
func TestSomebodyElsesBrowser(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	before := m.owner.Title().Head()
	one, two := m.owner.Join(keytest.NewPerson(), keytest.AsResident), m.owner.Join(keytest.NewPerson(), keytest.AsResident)
	tablet := m.owner.AddDevice()
	m.append(before)
	home, head := m.owner.Home(), m.owner.Title().Head()
	arrives := func(c *api.Client, p *keytest.Person) *api.Home {
		return must(c.SignInPerson(t.Context(), home, p.ID(), p.Keys.Signing, head))
	}
	for what, tt := range map[string]struct {
		first *api.Home
		then  func(c *api.Client) *api.Home
	}{
		"another person":            {arrives(h.client, one), func(c *api.Client) *api.Home { return arrives(c, two) }},
		"the person without device": {m.page(two), func(c *api.Client) *api.Home { return arrives(c, two) }},
		"another device": {m.member, func(c *api.Client) *api.Home {
			return must(c.SignIn(t.Context(), home, tablet.Device, tablet.DeviceSigning, head))
		}},
	} {
		then := tt.then(must(api.NewClient(h.origin, &http.Client{Transport: bringing(tt.first.Cookie())})))
		if then.Session() == tt.first.Session() || then.Cookie() == tt.first.Cookie() {
			t.Errorf("%s takes the session over", what)
		}
		if _, _, err := tt.first.Deeds(t.Context(), 0); err != nil {
			t.Errorf("where %s has signed in: %v", what, err)
		}
	}
}

// TestShortMACKey: a page that signs in brings a whole key.
func TestShortMACKey(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	var in api.SignIn
	must(0, json.Unmarshal([]byte(m.signInBody(t, 0, api.NewMACKey())), &in))
	in.MACKey = in.MACKey[1:]
	answer, text := h.do(t, raw{method: "POST", path: "/v1/sessions", body: string(must(json.Marshal(in)))})
	if answer.StatusCode != 400 || !strings.Contains(text, `"reason":"malformed"`) {
		t.Errorf("31 bytes: %d %s", answer.StatusCode, text)
	}
}

// TestLinkSignsNobodyIn: a link's key is none of a person who comes and goes.
func TestLinkSignsNobodyIn(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	link := keytest.NewPerson()
	before := m.owner.Title().Head()
	m.owner.Sign(deed.LendBody{Person: link.Keys.Public(), Rights: keytest.Rights(latchkey.TimeOf(h.time().Add(time.Hour)))})
	m.append(before)
	_, err := h.client.SignInPerson(t.Context(), m.owner.Home(), link.ID(), link.Keys.Signing, m.owner.Title().Head())
	wantReason(t, "a link", err, api.SignInRefused)
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	h.pass(time.Second)
	second := m.signIn()
	changes := must(second.Changes(t.Context()))
	defer changes.Close()
	list := must(m.member.Sessions(t.Context()))
	device, _ := m.owner.Device()
	if len(list) != 2 || list[0].Session != m.member.Session() || list[1].Session != second.Session() || list[0].Device != device {
		t.Fatalf("sessions %+v", list)
	}
	h.pass(58 * time.Second)
	if again := must(m.member.Sessions(t.Context())); again[0].Seen != list[0].Seen {
		t.Errorf("a request within the minute is written down: %v", again[0])
	}
	h.pass(time.Second)
	must(m.member.Events(t.Context(), "", 0))
	if again := must(m.member.Sessions(t.Context())); again[0].Seen != latchkey.TimeOf(h.time()) || again[0].Started != list[0].Started {
		t.Errorf("seen a minute later: %v", again[0])
	}
	wantReason(t, "end another home's session", m.member.EndSession(t.Context(), other.member.Session()), api.NotFound)
	wantReason(t, "end no session", m.member.EndSession(t.Context(), latchkey.SessionID{}), api.NotFound)
	if err := m.member.EndSession(t.Context(), second.Session()); err != nil {
		t.Fatal(err)
	}
	ctx := within(t)
	if _, err := changes.Next(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("the websocket of an ended session: %v", err)
	}
	_, err := second.Events(t.Context(), "", 0)
	wantReason(t, "an ended session", err, api.SignedOut)
	if list := must(m.member.Sessions(t.Context())); len(list) != 1 {
		t.Errorf("after the end %+v", list)
	}
	if err := m.member.EndSession(t.Context(), m.member.Session()); err != nil {
		t.Errorf("end one's own: %v", err)
	}
	if _, err := other.member.Events(t.Context(), "", 0); err != nil {
		t.Errorf("another home's session: %v", err)
	}
	h.pass(29 * 24 * time.Hour)
	later := other.signIn()
	h.pass(2 * 24 * time.Hour)
	if list := must(later.Sessions(t.Context())); len(list) != 1 || list[0].Session != later.Session() {
		t.Errorf("one session has run out, and these are listed: %v", list)
	}
}
