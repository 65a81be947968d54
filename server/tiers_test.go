package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/bound"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/server"
)

// unread are the methods of the archive that hand out nothing by a key, by why.
var unread = map[string][]string{
	"it only writes, and compares in its transaction": {
		"Setups.MintSetup", "Homes.Found", "Homes.Append", "Homes.Reopen", "Objects.Index", "Tombstones.PutTombstones", "Sessions.StartSession", "Sessions.SeeSession",
		"Sessions.EndSession", "Joins.OpenJoin", "Joins.AnswerJoin", "Joins.RevealJoin", "Joins.CloseJoin", "Asks.PutAsk", "Asks.DropAsk",
		"Reviews.Review", "Settings.PutSettings", "Agents.Arrive", "Conditions.PutCondition", "Receipts.PutReceipts", "Receipts.Sweep", "Restores.Restored",
		"Holds.PutHold", "Holds.Release", "Accounts.SignUp", "Accounts.SetAddress", "Codes.SetCode", "Codes.UseCode", "Unlockers.PutUnlocker",
		"Unlockers.DropUnlocker", "Unlockers.UseUnlocker", "Vaults.PutVault", "AccountSessions.StartAccountSession",
		"AccountSessions.SeeAccountSession", "AccountSessions.EndAccountSession", "AccountEnds.EndAccount",
	},
	"there is one for the whole archive":                      {"Setups.AnyHome", "Outbox.LastMove", "Restores.Generation", "Accounts.AccountsKey"},
	"it is the operator's, and says what it stops":            {"Holds.Standing", "Holds.Hold", "Holds.EveryHold"},
	"it says yes or no, and what was asked is not handed out": {"Tombstones.Deleted"},
	"what it says is compared, and not handed out":            {"Tombstones.Mark"},
	"it is of all homes, and nobody is told":                  {"Deletions.HomesAfter", "Deletions.Unlist", "Deletions.Expire", "Deletions.Leaving", "Deletions.Left"},
}

// crossing is a read that is answered with the answer to another question, and a request
// that makes the server read so.
type crossing struct {
	read  string
	among bool // the other's come after the asked
	to    keys
	ask   func() raw
	good  int    // the status if nothing is crossed
	bad   int    // and the one then
	where string // in the alarm
}

// street is two homes and two accounts on one server, and two of everything in the first.
type street struct {
	*house
	config         server.Config
	mine, other    *home
	second         *api.Home // session of the first home
	ada, bob       *somebody
	again          *api.SignedIn // of ada
	my, same, they keys          // what the first has, another of the same, the second's

	foreign []string // texts that are of the other home or account
}

func secretOf(cookie string) archive.Secret {
	_, value, _ := strings.Cut(cookie, "=")
	_, secret, ok := strings.Cut(value, ".")
	if !ok {
		secret = value
	}
	return sha256.Sum256([]byte(secret))
}

// furnish gives a home one of everything that an archive keeps.
func (s *street) furnish(t *testing.T, m *home) (k keys) {
	t.Helper()
	a, home := s.config.Archive, m.owner.Home()
	secret := api.NewInviteSecret()
	expires := latchkey.TimeOf(s.time().Add(api.JoinLife))
	said := secret.Announce(api.Invitation{Home: home, Head: m.owner.Title().Head(), Expires: expires})
	document, ask, letter := m.settings(nil, "x"), m.ask(latchkey.NewCameraID()), m.condition(1, "x")
	must(0, m.member.OpenInvite(t.Context(), secret.Slot(), said, expires))
	must(0, m.member.PutSettings(t.Context(), document))
	must(0, a.Asks.PutAsk(t.Context(), archive.Ask{Home: home, Camera: must(api.ParseAsk(ask)).Camera, Agent: m.agent.Keys.Agent, Ask: ask}))
	must(0, a.Conditions.PutCondition(t.Context(), archive.Condition{Home: home, Agent: m.agent.Keys.Agent, Incarnation: 1, Number: 1, Letter: letter, Received: now()}))
	start := archive.Arrival{Home: home, Agent: m.agent.Keys.Agent, Incarnation: 1, Token: archive.Secret{1}, Next: archive.Secret{2}, Time: now()}
	must(0, a.Agents.Arrive(t.Context(), start))
	start.Token, start.Next = archive.Secret{3}, archive.Secret{4}
	if a.Agents.Arrive(t.Context(), start) == nil {
		t.Fatal("a copy of an agent is taken")
	}
	o := m.stored(latchkey.Thumbnail, "of "+home.String())
	m.deletes(latchkey.NewEventID())
	must(0, m.member.Review(t.Context(), o.File.Header.Binding.Event))
	k = keys{home: home, person: m.owner.Keys.Person, name: o.Name(), secret: secretOf(m.member.Cookie()), request: "test", slot: secret.Slot()}
	if answer, text := s.do(t, raw{method: "GET", path: objectPath(k.name), header: m.asPage(), mac: m.mac()}); answer.StatusCode != 200 {
		t.Fatalf("%d %s", answer.StatusCode, text)
	}
	for _, b := range [][]byte{said, document, ask, letter, o.File.Header.Bytes()} {
		s.foreign = append(s.foreign, base64.StdEncoding.EncodeToString(b))
	}
	for _, d := range m.owner.Deeds() {
		s.foreign = append(s.foreign, base64.StdEncoding.EncodeToString(d))
	}
	device, _ := m.owner.Device()
	s.foreign = append(s.foreign, home.String(), m.camera.String(), o.Name().Object.String(), m.agent.Keys.Agent.String(), k.slot.String(), device.String(), "of "+home.String())
	return k
}

// keysOf are the keys of an account.
func keysOf(p *somebody, s *api.SignedIn, k keys) keys {
	k.account, k.address, k.locator, k.held = p.id, account.Address(p.email), p.recovery.Locator(), secretOf(s.Cookie())
	return k
}

func openStreet(t *testing.T) *street {
	s := &street{}
	s.house = openHouse(t, func(c *server.Config) { s.config = *c })
	s.mine, s.other = s.found(t), s.found(t)
	s.ada, s.bob = s.signUp(t, "ada@example.org"), s.signUp(t, "bob@example.org")
	s.my = keysOf(s.ada, s.ada.session, s.furnish(t, s.mine))
	s.foreign = nil
	s.they = keysOf(s.bob, s.bob.session, s.furnish(t, s.other))
	for _, b := range [][]byte{s.bob.vault.Bytes(), s.bob.phrase.Params, s.bob.code.Params, s.bob.phrase.Wrapped, s.bob.code.Wrapped} {
		s.foreign = append(s.foreign, base64.StdEncoding.EncodeToString(b))
	}
	s.foreign = append(s.foreign, s.bob.id.String(), s.bob.email, s.bob.session.Session.String())
	ticket := must(s.MintSetup(t.Context()))
	s.they.setup = sha256.Sum256([]byte(ticket))

	s.my.ended, s.they.ended = latchkey.NewAccountID(), latchkey.NewAccountID()
	for _, id := range []latchkey.AccountID{s.my.ended, s.they.ended} {
		must(0, s.config.Archive.AccountEnds.EndAccount(t.Context(), archive.AccountEnd{Account: id, Time: now()}))
	}

	// Of the same home and account, but not what is asked for.
	s.second = s.mine.signIn()
	s.again = must(s.client.SignInAccount(t.Context(), s.ada.byPhrase(), nil))
	slot := api.NewInviteSecret()
	expires := latchkey.TimeOf(s.time().Add(api.JoinLife))
	must(0, s.mine.member.OpenInvite(t.Context(), slot.Slot(), slot.Announce(api.Invitation{Home: s.my.home, Head: s.mine.owner.Title().Head(), Expires: expires}), expires))
	s.same = s.my
	s.same.name, s.same.slot = s.mine.stored(latchkey.Thumbnail, "another").Name(), slot.Slot()
	s.same.secret, s.same.held, s.same.from, s.same.request = secretOf(s.second.Cookie()), secretOf(s.again.Cookie()), 1, "other"
	s.mine.deletes(latchkey.NewEventID())
	s.same.above = 1
	return s
}

// asMember is a request of the first home's owner.
func (s *street) asMember(method, path string, body any) func() raw {
	return func() raw {
		return s.page(raw{method: method, path: path, header: s.mine.asPage(), mac: s.mine.mac()}, body)
	}
}

// asAda is a request of the first account.
func (s *street) asAda(method, path string) func() raw {
	key := s.ada.session.MACKey()
	return func() raw {
		return raw{method: method, path: "/v1/accounts/" + s.ada.id.String() + path, header: http.Header{"Cookie": {s.ada.session.Cookie()}}, mac: &key}
	}
}

// asNobody is a request of a page that is not signed in.
func (s *street) asNobody(method, path string, body any) func() raw {
	return func() raw { return s.page(raw{method: method, path: path, header: http.Header{}}, body) }
}

func (s *street) page(r raw, body any) raw {
	if body != nil {
		r.body = string(must(json.Marshal(body)))
	}
	r.header.Set("Origin", s.config.Origin)
	return r
}

// asAgent is a request of the first home's agent.
func (s *street) asAgent(method string, body string) func() raw {
	path := objectPath(s.my.name)
	return func() raw { return raw{method: method, path: path, header: s.mine.asAgent(method, path), body: body} }
}

// crossings are all that can be crossed, each by all that asks for it.
func (s *street) crossings() (all []crossing) {
	add := func(c crossing) { all = append(all, c) }
	both := func(c crossing) { // another home's, and another of the same home
		c.to = s.they
		add(c)
		c.to = s.same
		add(c)
	}
	list := func(c crossing) { // another's in the place of the asked, and among them
		c.to = s.they
		add(c)
		c.among = true
		add(c)
	}
	deeds := s.asMember("GET", s.mine.path("/deeds"), nil)
	both(crossing{read: "Homes.Deeds", ask: deeds, good: 200, bad: 502, where: "deeds"})
	list(crossing{read: "Homes.Deeds", ask: deeds, good: 200, bad: 502, where: "deeds"})
	add(crossing{read: "Homes.Deeds, what is signed", to: s.they, ask: deeds, good: 200, bad: 502, where: "deeds"})
	add(crossing{read: "Homes.Deeds, their rows", to: s.they, ask: deeds, good: 200, bad: 502, where: "deeds"})
	add(crossing{read: "Homes.Head", to: s.they, ask: deeds, good: 200, bad: 502, where: "head"})
	add(crossing{read: "Outbox.Moves", ask: s.asNobody("GET", "/v1/health", nil), good: 200, bad: 200, where: "outbox"})
	both(crossing{read: "Sessions.Session", ask: deeds, good: 200, bad: 401, where: "session"})
	add(crossing{read: "Sessions.Session, its home", to: s.they, ask: deeds, good: 200, bad: 401, where: "session"})
	list(crossing{read: "Sessions.SessionsOf", ask: s.asMember("GET", s.mine.path("/sessions"), nil), good: 200, bad: 502, where: "sessions"})

	both(crossing{read: "Objects.Object", ask: s.asMember("GET", objectPath(s.my.name), nil), good: 200, bad: 502, where: "blob"})
	both(crossing{read: "Objects.Object", ask: s.asAgent("HEAD", ""), good: 200, bad: 502, where: "row"})
	events := s.asMember("GET", s.mine.path("/events"), nil)
	list(crossing{read: "Objects.Events", ask: events, good: 200, bad: 502, where: "list"})
	list(crossing{read: "Reviews.Reviewed", ask: events, good: 200, bad: 502, where: "mark"})
	newest := must(s.mine.member.Events(s.mine.t.Context(), "", 1))
	further := s.asMember("GET", s.mine.path("/events?before="+newest.Next), nil)
	add(crossing{read: "Objects.Events", to: s.same, ask: further, good: 200, bad: 502, where: "list"})
	both(crossing{read: "Objects.Events, objects", ask: events, good: 200, bad: 200, where: "row"})
	add(crossing{read: "Objects.Events, objects of this event", to: s.they, ask: events, good: 200, bad: 200, where: "row"})
	add(crossing{read: "Objects.Events, objects with a problem", to: s.they, ask: events, good: 200, bad: 200, where: "row"})

	add(crossing{read: "Objects.Usage", to: s.they, ask: s.asMember("GET", s.mine.path("/usage"), nil), good: 200, bad: 502, where: "usage"})
	tombstones := s.asMember("GET", s.mine.path("/tombstones"), nil)
	list(crossing{read: "Tombstones.TombstonesAbove", ask: tombstones, good: 200, bad: 502, where: "tombstone"})
	add(crossing{read: "Tombstones.TombstonesAbove", to: s.same, ask: tombstones, good: 200, bad: 502, where: "tombstone"})
	add(crossing{read: "Tombstones.TombstonesAbove, what is signed", to: s.they, ask: tombstones, good: 200, bad: 502, where: "tombstone"})
	add(crossing{read: "Tombstones.TombstonesAbove, their rows", to: s.they, ask: tombstones, good: 200, bad: 502, where: "tombstone"})
	asks := s.asMember("GET", s.mine.path("/asks"), nil)
	list(crossing{read: "Asks.Asks", ask: asks, good: 200, bad: 200, where: "ask"})
	add(crossing{read: "Asks.Asks, what is asked", to: s.they, ask: asks, good: 200, bad: 200, where: "ask"})
	add(crossing{read: "Settings.Settings", to: s.they, ask: s.asMember("GET", s.mine.path("/settings"), nil), good: 200, bad: 502, where: "settings"})
	conditions := s.asMember("GET", s.mine.path("/conditions"), nil)
	list(crossing{read: "Conditions.Conditions", ask: conditions, good: 200, bad: 200, where: "condition"})
	list(crossing{read: "Agents.Copies", ask: conditions, good: 200, bad: 502, where: "copy"})
	both(crossing{read: "Joins.Join", ask: s.asMember("GET", s.mine.path("/joins/"+s.my.slot.String()), nil), good: 200, bad: 502, where: "join"})
	both(crossing{read: "Joins.Join", ask: s.asNobody("GET", "/v1/joins/"+s.my.slot.String(), nil), good: 200, bad: 502, where: "join"})
	both(crossing{read: "Joins.Join", ask: s.asNobody("POST", "/v1/accounts/begin", api.BeginAccount{Ticket: s.my.slot.String(), Email: "eve@example.org"}), good: 200, bad: 502, where: "join"})
	report := api.Report{Home: s.my.home, Delivery: "test", Reason: "wrong-object", Word: "misroute", Header: []byte{}}
	list(crossing{read: "Receipts.Receipts", ask: s.asMember("POST", s.mine.path("/reports"), report), good: 200, bad: 502, where: "receipt"})

	add(crossing{read: "Setups.OpenSetup", to: s.they, ask: s.asNobody("POST", "/v1/accounts/begin", api.BeginAccount{Ticket: "nothing", Email: "eve@example.org"}), good: 403, bad: 502, where: "setup"})
	add(crossing{read: "Accounts.Account", to: s.they, ask: s.asAda("GET", ""), good: 200, bad: 502, where: "account"})
	add(crossing{read: "Accounts.AccountOf", to: s.they, ask: s.asNobody("POST", "/v1/accounts/passphrase", api.AskPassphrase{Email: s.ada.email}), good: 200, bad: 502, where: "account"})
	list(crossing{read: "Unlockers.Unlockers", ask: s.asAda("GET", ""), good: 200, bad: 502, where: "unlocker"})
	in, key := s.ada.byCode(), api.NewMACKey()
	in.MACKey = key[:]
	for _, read := range []string{"Unlockers.Located", "Unlockers.Located, its kind"} {
		add(crossing{read: read, to: s.they, ask: s.asNobody("POST", "/v1/accounts/sessions", in), good: 201, bad: 502, where: "locator"})
	}
	for _, read := range []string{"Vaults.Vault", "Vaults.Vault, its row", "Vaults.Vault, what is kept"} {
		add(crossing{read: read, to: s.they, ask: s.asAda("GET", "/vault"), good: 200, bad: 502, where: "vault"})
	}
	both(crossing{read: "AccountSessions.AccountSession", ask: s.asAda("GET", ""), good: 200, bad: 401, where: "account-session"})
	add(crossing{read: "AccountSessions.AccountSession, its account", to: s.they, ask: s.asAda("GET", ""), good: 200, bad: 401, where: "account-session"})
	list(crossing{read: "AccountSessions.AccountSessionsOf", ask: s.asAda("GET", "/sessions"), good: 200, bad: 502, where: "account-sessions"})
	add(crossing{read: "AccountEnds.AccountEnd", to: s.they, ask: s.asNobody("GET", "/v1/accounts/"+s.my.ended.String(), nil), good: 410, bad: 502, where: "account-end"})
	return all
}

// cold starts another server on the same archive, which has nothing in memory.
func (s *street) cold(t *testing.T, a archive.Archive) *house {
	t.Helper()
	c := s.config
	c.Archive, c.Cache = a, memory(t, bound.Config{})
	return s.house.again(t, c)
}

// TestCrossedReads: every read of the archive in turn is answered with what answers
// another question, of another home or account and of the same. The asker gets nothing of
// it, and it is an alarm.
func TestCrossedReads(t *testing.T) {
	s := openStreet(t)
	for _, c := range s.crossings() {
		what := c.read + map[bool]string{true: ", another home's", false: ", of the same home"}[c.to.home != s.my.home] + map[bool]string{true: " among its own"}[c.among]
		t.Run(what, func(t *testing.T) {
			good, text := s.cold(t, s.config.Archive).do(t, c.ask())
			if good.StatusCode != c.good {
				t.Fatalf("with nothing crossed: %d %.300s, want %d", good.StatusCode, text, c.good)
			}
			h := s.cold(t, misreader{s.config.Archive, c.read, c.to, c.among}.crossed())
			answer, text := h.do(t, c.ask())
			if answer.StatusCode != c.bad {
				t.Errorf("%d %.300s, want %d", answer.StatusCode, text, c.bad)
			}
			for _, foreign := range s.foreign {
				if strings.Contains(text, foreign) {
					t.Errorf("the answer has %.60s of another: %.500s", foreign, text)
				}
			}
			eventually(t, "an alarm at "+c.where, func() bool {
				return h.metric(t, "latchkey_misroutes_total", "where="+c.where, "confirmed=true") > 0
			})
		})
	}
}

// TestEveryReadIsCrossed holds the list above against the archive's interfaces: a method
// that is new is crossed, or is said to hand out nothing by a key.
func TestEveryReadIsCrossed(t *testing.T) {
	said := map[string]bool{}
	for _, c := range openStreet(t).crossings() {
		read, _, _ := strings.Cut(c.read, ",")
		said[read] = true
	}
	for why, methods := range unread {
		for _, m := range methods {
			if said[m] {
				t.Errorf("%s is said twice: %s", m, why)
			}
			said[m] = true
		}
	}
	for noun := range reflect.TypeFor[archive.Archive]().Fields() {
		for method := range noun.Type.Methods() {
			name := noun.Name + "." + method.Name
			if !said[name] {
				t.Errorf("%s is neither crossed by a test nor said to hand out nothing", name)
			}
			delete(said, name)
		}
	}
	for name := range said {
		t.Errorf("%s is no method of the archive", name)
	}
}

// TestCrossedReadsControl cuts some of the comparisons out, and wants the test to see what
// comes through.
func TestCrossedReadsControl(t *testing.T) {
	without := controls.Without(t, []sabotage.Cut{
		{File: "server/account.go", Old: "if kept.Account != id || v.Account != id {", New: "if false {"},
		{File: "server/sessions.go", Old: "if n.Home != home {", New: "if false {"},
		{File: "server/join.go", Old: "err == nil && j.Slot != slot", New: "false"},
		{File: "server/titles.go", Old: "if d.Home != home || d.Seq != from+uint64(i) {", New: "if i < 0 {"},
	}...)
	t.Parallel()
	out, err := without.Tests(t.Context(), "^TestCrossedReads$")
	for _, c := range []string{"Vaults.Vault,_another_home's", "Sessions.SessionsOf,_another_home's_among_its_own", "Joins.Join,_of_the_same_home", "Homes.Deeds,_of_the_same_home"} {
		if err == nil || !strings.Contains(string(out), "FAIL: TestCrossedReads/"+c) {
			t.Errorf("with its comparison cut out, %s passes: %v\n%s", c, err, out)
		}
	}
	if !strings.Contains(string(out), "of another: ") {
		t.Errorf("with the comparisons cut out, nothing of another comes through:\n%s", out)
	}
}
