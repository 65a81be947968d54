package server_test

import (
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
)

// permission is one row of docs/deed.md, "Who may do what".
type permission struct{ guest, resident, owner string }

// permissions reads the table: by "route ID" or "hears WHAT".
func permissions(t *testing.T) map[string]permission {
	t.Helper()
	page := string(must(os.ReadFile("../docs/deed.md")))
	_, rest, ok := strings.Cut(page, "\n## Who may do what\n")
	if !ok {
		t.Fatal("docs/deed.md has no table of rights")
	}
	section, _, _ := strings.Cut(rest, "\n## ")
	table := map[string]permission{}
	row := regexp.MustCompile("(?m)^\\| (route|hears) `([^`]+)` \\| (\\w+) \\| (\\w+) \\| (\\w+) \\| (?:key|agent|server)")
	for _, m := range row.FindAllStringSubmatch(section, -1) {
		table[m[1]+" "+m[2]] = permission{m[3], m[4], m[5]}
	}
	return table
}

// household is a home with people of every sort.
type household struct {
	*home
	garden latchkey.CameraID
	people map[string]*keytest.Person
	pages  map[string]*api.Home
}

const (
	owner     = "the owner"
	resident  = "a resident"
	guest     = "a guest"
	elsewhere = "a guest of another camera"
	expired   = "an expired guest"
	removed   = "a removed resident"
	arrived   = "a resident's own key"
	stranger  = "a member of another home"
	nobody    = "nobody"
)

// settle founds a home and lets people in. The removed one was signed in before.
func (h *house) settle(t *testing.T) *household {
	t.Helper()
	m := &household{home: h.found(t), people: map[string]*keytest.Person{}, pages: map[string]*api.Home{}}
	before := m.owner.Title().Head()
	m.garden = m.owner.PlaceCamera(m.agent)
	soon := m.owner.Now() + latchkey.Time(time.Hour.Microseconds())
	for who, standing := range map[string]deed.Standing{
		resident: keytest.AsResident, removed: keytest.AsResident, guest: withLive(keytest.AsGuest(m.camera)), elsewhere: withLive(keytest.AsGuest(m.garden)),
		expired: withLive(deed.Standing{Role: deed.Guest, Rights: keytest.Rights(soon, m.camera)}), // by the owner's clock, which is behind the server's
	} {
		m.people[who] = m.owner.Join(keytest.NewPerson(), standing)
	}
	m.append(before)
	for who, p := range m.people {
		m.pages[who] = m.page(p)
	}
	m.pages[owner], m.pages[stranger] = m.member, h.found(t).member
	m.pages[arrived] = must(h.client.SignInPerson(t.Context(), m.owner.Home(), m.people[resident].ID(), m.people[resident].Keys.Signing, m.owner.Title().Head()))
	before = m.owner.Title().Head()
	m.owner.Dismiss(m.people[removed])
	m.append(before)
	return m
}

// withLive is a standing with live view of its cameras besides.
func withLive(s deed.Standing) deed.Standing {
	s.Rights.Kinds |= deed.SeesLive
	return s
}

func (m *home) page(p *keytest.Person) *api.Home {
	m.t.Helper()
	return must(m.house.client.SignIn(m.t.Context(), m.owner.Home(), p.Keys.Device, p.Keys.DeviceSigning, m.owner.Title().Head()))
}

// shared uploads a picture with an envelope for each guest that its rights entitle.
func (m *home) shared(camera latchkey.CameraID, kind latchkey.Kind) keytest.Object {
	m.t.Helper()
	o := m.wrapped(m.agent.Object(m.owner.Title(), camera, kind, []byte("a picture")))
	if err := m.put(o); err != nil {
		m.t.Fatal(err)
	}
	return o
}

func (m *home) wrapped(o keytest.Object, people ...deed.Person) keytest.Object {
	b, t := o.File.Header.Binding, m.owner.Title()
	for _, p := range append(people, t.Recipients(b.Camera, b.Kind, b.Head.Seq, 0, true)...) {
		o.File.Envelopes = append(o.File.Envelopes, must(seal.Wrap(o.Key, b, sealed.ToPerson, p.KEM, t.Epoch())))
	}
	return o
}

// ask makes a request as somebody.
func (m *household) request(t *testing.T, who, method, path, body string) (*http.Response, string) {
	t.Helper()
	q := raw{method: method, path: path, body: body, header: http.Header{"Origin": {m.house.origin}}}
	if page := m.pages[who]; page != nil {
		key := page.MACKey()
		q.header.Set("Cookie", page.Cookie())
		q.mac = &key
	}
	return m.house.do(t, q)
}

// allowed says what the table gives somebody: by the word in their column.
func (p permission) allowed(who string, route api.Route) bool {
	switch who {
	case owner:
		return p.owner == "yes"
	case resident:
		return p.resident == "yes"
	case arrived:
		return p.resident == "yes" && route.Arriving
	case guest:
		return p.guest != "no"
	case elsewhere:
		return p.guest != "no" && route.ID != "object" && route.ID != "live"
	case expired:
		return p.guest == "known"
	}
	return false
}

// TestRightsAreTheTables walks every route of a home as everybody and holds what comes
// against docs/deed.md. Whoever may not is told the same as of what is not there.
func TestRightsAreTheTables(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	name := m.shared(m.camera, latchkey.Thumbnail).Name()
	slot := api.NewJoinSecret()
	at := latchkey.TimeOf(h.time().Add(time.Minute))
	if err := m.member.OpenJoin(t.Context(), slot.Slot(), slot.Announce(api.Announcement{Home: name.Home, Head: m.owner.Title().Head(), Expires: at}), at); err != nil {
		t.Fatal(err)
	}
	table := permissions(t)
	for _, route := range api.Routes {
		if !route.Right.Session() {
			continue
		}
		row, ok := table["route "+route.ID]
		if !ok {
			t.Errorf("docs/deed.md says nothing of route %s", route.ID)
			continue
		}
		delete(table, "route "+route.ID)
		for _, who := range []string{nobody, stranger, removed, expired, elsewhere, guest, arrived, resident, owner} {
			if route.ID == "sign-out" || route.ID == "end-session" {
				continue // TestWhoEndsSessions: they change what the next asker finds
			}
			path := strings.Replace(m.address(route, name), api.Slot{}.String(), slot.Slot().String(), 1)
			body := map[bool]string{true: "{}"}[route.Request != nil] // malformed, so that nothing changes
			answer, text := m.request(t, who, route.Method, path, body)
			if route.ID == "close-join" && who == owner {
				continue // the last of the walk
			}
			if refused := answer.StatusCode == 401 || answer.StatusCode == 404; refused == row.allowed(who, route) {
				t.Errorf("%s as %s: %d %.200s", route.ID, who, answer.StatusCode, text)
			}
			m.sameAsNothing(t, who, route, answer, text)
		}
	}
	for what := range table {
		if strings.HasPrefix(what, "route ") {
			t.Errorf("docs/deed.md speaks of %s, which is not in the table of routes", what)
		}
	}
}

// sameAsNothing compares a refusal with the one for something that is not there.
func (m *household) sameAsNothing(t *testing.T, who string, route api.Route, answer *http.Response, text string) {
	t.Helper()
	if answer.StatusCode != 401 && answer.StatusCode != 404 {
		return
	}
	path := m.path("/nothing")
	if answer.StatusCode == 401 {
		path = m.address(route, latchkey.Name{Home: latchkey.HomeID{1}, Day: "2026-01-01", Kind: latchkey.Clip})
	}
	nothing, want := m.request(t, who, answer.Request.Method, path, "")
	if nothing.StatusCode != answer.StatusCode || text != want {
		t.Errorf("%s as %s: %d %s, and of nothing %d %s", route.ID, who, answer.StatusCode, text, nothing.StatusCode, want)
	}
	for _, r := range []*http.Response{answer, nothing} {
		for _, name := range []string{"Date", api.HeaderAnswer} {
			r.Header.Del(name)
		}
	}
	if d := cmp.Diff(nothing.Header, answer.Header); d != "" {
		t.Errorf("%s as %s: headers (-of nothing +here):\n%s", route.ID, who, d)
	}
}

func TestWhoEndsSessions(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	theirs := m.page(m.people[resident])
	for _, who := range []string{guest, expired} {
		if err := m.pages[who].EndSession(t.Context(), theirs.Session()); api.ReasonOf(err) != api.NotFound {
			t.Errorf("%s ends a resident's session: %v", who, err)
		}
		all, err := m.pages[who].Sessions(t.Context())
		if err != nil || len(all) != 1 || all[0].Session != m.pages[who].Session() {
			t.Errorf("%s lists %v, %v", who, all, err)
		}
	}
	if err := m.pages[resident].EndSession(t.Context(), theirs.Session()); err != nil {
		t.Errorf("a resident ends their own other session: %v", err)
	}
	answer, text := m.request(t, owner, "DELETE", m.path("/sessions/"+m.pages[guest].Session().String()), "")
	if answer.StatusCode != 200 || len(answer.Cookies()) > 0 {
		t.Errorf("the owner ends a guest's session: %d %s, and is given %v", answer.StatusCode, text, answer.Cookies())
	}
	answer, text = m.request(t, expired, "DELETE", m.path("/session"), "")
	if c := answer.Cookies(); answer.StatusCode != 200 || len(c) != 1 || c[0].Value != "" || c[0].MaxAge >= 0 {
		t.Errorf("an expired guest signs out: %d %s, and is given %v", answer.StatusCode, text, c)
	}
}

// TestHintsAreTheTables opens the websocket of hints as everybody, has everything happen,
// and holds who hears of it against docs/deed.md.
func TestHintsAreTheTables(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	ctx := within(t)
	slot := api.NewJoinSecret()
	at := latchkey.TimeOf(h.time().Add(time.Minute))
	said := slot.Announce(api.Announcement{Home: m.owner.Home(), Head: m.owner.Title().Head(), Expires: at})
	if err := m.member.OpenJoin(ctx, slot.Slot(), said, at); err != nil {
		t.Fatal(err)
	}
	h.heeds(t)
	hints := map[string]*api.Changes{}
	for _, who := range []string{owner, resident, guest, elsewhere} {
		hints[who] = must(m.pages[who].Changes(ctx))
		defer hints[who].Close()
	}
	for _, who := range []string{expired, removed, arrived, nobody, stranger} {
		if answer, text := m.request(t, who, "GET", m.path("/changes"), ""); answer.StatusCode != 401 && answer.StatusCode != 404 {
			t.Errorf("%s may listen: %d %s", who, answer.StatusCode, text)
		}
	}
	s := m.connect(start{1, 0, 1})
	say(t, s, api.AskFrame{ID: "a", Home: m.owner.Home(), Ask: m.ask(latchkey.NewCameraID())})
	receive[api.Done](t, s)
	if err := m.member.PutSettings(ctx, m.settings(nil, "x")); err != nil {
		t.Fatal(err)
	}
	answer := must(slot.Answer(said, must(newAgentBody())))
	if err := h.client.AnswerJoin(ctx, slot.Slot(), answer); err != nil {
		t.Fatal(err)
	}
	m.shared(m.camera, latchkey.Thumbnail)
	m.startEpoch() // the last: whoever has heard of it has heard the rest
	heard := map[string]map[string]bool{}
	for who, c := range hints {
		heard[who] = map[string]bool{}
		for !heard[who]["deeds"] {
			what, err := c.Next(ctx)
			if err != nil {
				t.Fatalf("%s: %v", who, err)
			}
			heard[who][string(what)] = true
		}
	}
	for what, row := range permissions(t) {
		what, ok := strings.CutPrefix(what, "hears ")
		if !ok {
			continue
		}
		for who, want := range map[string]bool{
			owner: row.owner == "yes", resident: row.resident == "yes", guest: row.guest != "no", elsewhere: row.guest == "yes",
		} {
			if heard[who][what] != want {
				t.Errorf("%s hears %s: %t, want %t", who, what, heard[who][what], want)
			}
			delete(heard[who], what)
		}
	}
	for who, more := range heard {
		if len(more) > 0 {
			t.Errorf("%s hears %v, of which docs/deed.md says nothing", who, slices.Collect(maps.Keys(more)))
		}
	}
}

func newAgentBody() (deed.AgentBody, error) {
	o := keytest.NewOwner()
	o.Found()
	return o.PlaceAgent().Keys.Body(), nil
}

// TestRightsControl walks a server that asks nobody's role, and one that hands out what was
// not made for the asker.
func TestRightsControl(t *testing.T) {
	role := controls.Without(t, sabotage.Cut{File: "server/right.go", Old: "return p.Role.SeesAll()", New: "return true"})
	envelope := controls.Without(t, sabotage.Cut{File: "server/door.go", Old: "!own && fault == archive.Delivered", New: "!own && false"})
	t.Parallel()
	sees(t, role, "TestRightsAreTheTables", "settings as a guest")
	sees(t, envelope, "TestEverybodySeesTheirs", "who came later is given")
}
