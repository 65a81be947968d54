package archivetest

import (
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

func sessions(t *testing.T, s Subject) {
	n := archive.Session{
		Home: home(1), ID: latchkey.NewSessionID(), Secret: secret("s"), Keys: []api.MACKey{{1}}, Device: latchkey.NewDeviceID(),
		Person: latchkey.NewPersonID(), Browser: "Firefox on Linux", Started: Now, Seen: Now, Expires: Now + archive.SeenEvery*9,
	}
	is := func(what string, want archive.Session) {
		t.Helper()
		got, err := s.Sessions.Session(t.Context(), want.Home, want.Secret)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s (-want +got), %v:\n%s", what, err, d)
		}
	}
	must(t, s.Sessions.StartSession(t.Context(), n))
	is("a session", n)
	_, err := s.Sessions.Session(t.Context(), home(2), n.Secret)
	want(t, "the secret at another home", err, archive.ErrNotFound)
	_, err = s.Sessions.Session(t.Context(), n.Home, secret("x"))
	want(t, "another secret", err, archive.ErrNotFound)
	same := n
	same.ID = latchkey.NewSessionID()
	if err := s.Sessions.StartSession(t.Context(), same); err == nil {
		t.Error("two sessions have one secret")
	}

	for i := range byte(archive.MaxPages) {
		page := n
		page.Keys, page.Browser, page.Expires = []api.MACKey{{2 + i}}, "Chromium on Linux", n.Expires+1
		must(t, s.Sessions.StartSession(t.Context(), page))
		n.Browser, n.Expires = page.Browser, page.Expires
		n.Keys = append(page.Keys, n.Keys...)
		n.Keys = n.Keys[:min(len(n.Keys), archive.MaxPages)]
		is("after another page", n)
	}

	must(t, s.Sessions.SeeSession(t.Context(), n.Home, n.ID, Now+archive.SeenEvery-1))
	is("used again within a minute", n)
	must(t, s.Sessions.SeeSession(t.Context(), home(2), n.ID, Now+archive.SeenEvery))
	is("used at another home", n)
	n.Seen += archive.SeenEvery
	must(t, s.Sessions.SeeSession(t.Context(), n.Home, n.ID, n.Seen))
	is("used after a minute", n)
	sessionsEnd(t, s, n)
}

func sessionsEnd(t *testing.T, s Subject, n archive.Session) {
	later, elsewhere := n, n
	later.ID, later.Secret, later.Started = latchkey.SessionID{}, secret("later"), n.Started+1
	elsewhere.Home = home(2)
	must(t, s.Sessions.StartSession(t.Context(), later))
	must(t, s.Sessions.StartSession(t.Context(), elsewhere))
	list := func(what string, of latchkey.HomeID, want ...archive.Session) {
		t.Helper()
		got, err := s.Sessions.SessionsOf(t.Context(), of)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s (-want +got), %v:\n%s", what, err, d)
		}
	}
	list("sessions of a home", n.Home, n, later)
	must(t, s.Sessions.EndSession(t.Context(), home(2), n.ID))
	list("after the end at another home", n.Home, n, later)
	list("at the other home", home(2))
	must(t, s.Sessions.EndSession(t.Context(), n.Home, n.ID))
	list("after its end", n.Home, later)
	_, err := s.Sessions.Session(t.Context(), n.Home, n.Secret)
	want(t, "an ended session", err, archive.ErrNotFound)
	must(t, s.Receipts.Sweep(t.Context(), later.Expires, 0))
	list("swept in its last moment", n.Home, later)
	must(t, s.Receipts.Sweep(t.Context(), later.Expires+1, 0))
	list("run out, after the sweep", n.Home)

	for i := range byte(archive.MaxDeviceSessions + 2) {
		next := n
		next.ID, next.Secret, next.Seen = latchkey.SessionID{i}, secret(string(rune(i))), n.Seen+latchkey.Time(i)
		if i == archive.MaxDeviceSessions+1 {
			next.Seen = 0 // the newest stays, whatever its clock says
		}
		must(t, s.Sessions.StartSession(t.Context(), next))
	}
	for i := range byte(archive.MaxDeviceSessions + 2) {
		_, err := s.Sessions.Session(t.Context(), n.Home, secret(string(rune(i))))
		if gone := errors.Is(err, archive.ErrNotFound); gone != (i < 2) || err != nil && !gone {
			t.Errorf("session %d of a device with many: %v", i, err)
		}
	}
}

func joins(t *testing.T, s Subject) {
	j := archive.Join{Home: home(1), Slot: api.Slot{1}, Announcement: []byte("announced"), Expires: Now + 10, Answer: []byte{}, Reveal: []byte{}}
	for range 2 {
		must(t, s.Joins.OpenJoin(t.Context(), j, Now))
	}
	got, err := s.Joins.Join(t.Context(), j.Slot)
	if d := cmp.Diff(j, got); d != "" || err != nil {
		t.Errorf("slot (-want +got), %v:\n%s", err, d)
	}
	_, err = s.Joins.Join(t.Context(), api.Slot{2})
	want(t, "no slot", err, archive.ErrNotFound)
	other := j
	other.Home = home(2)
	want(t, "a slot of another home", s.Joins.OpenJoin(t.Context(), other, Now), archive.ErrUsed)
	want(t, "answer to no slot", s.Joins.AnswerJoin(t.Context(), api.Slot{2}, []byte("a"), Now), archive.ErrNotFound)
	want(t, "answer too late", s.Joins.AnswerJoin(t.Context(), j.Slot, []byte("a"), Now+11), archive.ErrUsed)
	for range 2 {
		want(t, "answer", s.Joins.AnswerJoin(t.Context(), j.Slot, []byte("a"), Now), nil)
	}
	want(t, "another answer", s.Joins.AnswerJoin(t.Context(), j.Slot, []byte("b"), Now), archive.ErrUsed)
	j.Answer = []byte("a")
	if got, err := s.Joins.Join(t.Context(), j.Slot); !cmp.Equal(got, j) || err != nil {
		t.Errorf("answered slot %v, %v", got, err)
	}
	for i := range archive.MaxJoins {
		n := archive.Join{Home: home(1), Slot: api.Slot{3, byte(i)}, Announcement: []byte("x"), Expires: Now + 20}
		err := s.Joins.OpenJoin(t.Context(), n, Now)
		if i < archive.MaxJoins-1 {
			must(t, err)
		} else {
			want(t, "slots of one home", err, archive.ErrTooMany)
			want(t, "after the first ran out", s.Joins.OpenJoin(t.Context(), n, Now+11), nil)
		}
	}
}

func asks(t *testing.T, s Subject) {
	c := found(t, s, 1)
	camera := latchkey.NewCameraID()
	a := archive.Ask{Home: c.home, Camera: camera, Agent: latchkey.NewAgentID(), Ask: []byte("first")}
	must(t, s.Asks.PutAsk(t.Context(), a))
	a.Ask = []byte("second")
	must(t, s.Asks.PutAsk(t.Context(), a))
	list := func(want ...archive.Ask) {
		t.Helper()
		got, err := s.Asks.Asks(t.Context(), c.home)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("asks (-want +got), %v:\n%s", err, d)
		}
	}
	list(a)
	must(t, s.Asks.DropAsk(t.Context(), home(2), camera))
	list(a)
	before := c.head
	g := c.grow("place camera")
	g.Placed = []latchkey.CameraID{camera}
	must(t, s.Homes.Append(t.Context(), before, g))
	list()
	must(t, s.Asks.PutAsk(t.Context(), a))
	must(t, s.Asks.DropAsk(t.Context(), c.home, camera))
	list()
	for range archive.MaxAsks {
		a.Camera = latchkey.NewCameraID()
		must(t, s.Asks.PutAsk(t.Context(), a))
	}
	want(t, "a newer ask for a camera", s.Asks.PutAsk(t.Context(), a), nil)
	a.Camera = latchkey.NewCameraID()
	want(t, "asks of one home", s.Asks.PutAsk(t.Context(), a), archive.ErrTooMany)
}

func settings(t *testing.T, s Subject) {
	_, err := s.Settings.Settings(t.Context(), home(1))
	want(t, "no settings", err, archive.ErrNotFound)
	one, two := []byte("one"), []byte("two")
	put := func(prev [32]byte, b []byte) error {
		return s.Settings.PutSettings(t.Context(), prev, archive.Document{Home: home(1), Bytes: b})
	}
	want(t, "a second without a first", put(sha256.Sum256(one), two), archive.ErrConflict)
	for range 2 {
		want(t, "the first", put([32]byte{}, one), nil)
	}
	want(t, "another first", put([32]byte{}, two), archive.ErrConflict)
	want(t, "the second", put(sha256.Sum256(one), two), nil)
	want(t, "the first again", put([32]byte{}, one), archive.ErrConflict)
	d, err := s.Settings.Settings(t.Context(), home(1))
	if d.Home != home(1) || string(d.Bytes) != "two" || err != nil {
		t.Errorf("settings %q of %s, %v", d.Bytes, d.Home, err)
	}
	_, err = s.Settings.Settings(t.Context(), home(2))
	want(t, "settings of another home", err, archive.ErrNotFound)
}

func arrivals(t *testing.T, s Subject) {
	agent := latchkey.NewAgentID()
	arrive := func(n uint64, token, next string) error {
		return s.Agents.Arrive(t.Context(), archive.Arrival{
			Home: home(1), Agent: agent, Incarnation: n, Token: secret(token), Next: secret(next), Time: Now,
		})
	}
	for _, tt := range []struct {
		what        string
		incarnation uint64
		token, next string
		want        error
	}{
		{"the first start, whatever its token", 3, "any", "a", nil},
		{"the same, the answer was lost", 3, "any", "a", nil},
		{"the next start", 4, "a", "b", nil},
		{"the same, the answer was lost", 4, "a", "b", nil},
		{"a restored backup", 4, "a", "c", archive.ErrCloned},
		{"a copy that counted on", 5, "a", "c", archive.ErrCloned},
		{"the right token with a number that was taken", 4, "b", "c", archive.ErrCloned},
		{"the right token with a lower number", 2, "b", "c", archive.ErrCloned},
		{"a later start, some were never said", 9, "b", "c", nil},
	} {
		want(t, tt.what, arrive(tt.incarnation, tt.token, tt.next), tt.want)
	}
	copies, err := s.Agents.Copies(t.Context(), home(1))
	if d := cmp.Diff([]archive.Copy{{Home: home(1), Agent: agent, Time: Now}}, copies); d != "" || err != nil {
		t.Errorf("copies (-want +got), %v:\n%s", err, d)
	}
	agent = latchkey.NewAgentID()
	want(t, "another agent", arrive(1, "x", "y"), nil)
}

func conditions(t *testing.T, s Subject) {
	one, two := latchkey.AgentID{1}, latchkey.AgentID{2}
	c := func(home latchkey.HomeID, agent latchkey.AgentID, incarnation, number uint64, letter string) archive.Condition {
		return archive.Condition{
			Home: home, Agent: agent, Incarnation: incarnation, Number: number, Letter: []byte(letter), Received: Now + latchkey.Time(number),
		}
	}
	for _, tt := range []struct {
		what string
		c    archive.Condition
		want error
	}{
		{"the first", c(home(1), one, 3, 5, "a"), nil},
		{"the same again", c(home(1), one, 3, 5, "a"), nil},
		{"another of the same number", c(home(1), one, 3, 5, "b"), archive.ErrConflict},
		{"a lower number", c(home(1), one, 3, 4, "b"), archive.ErrConflict},
		{"a lower incarnation with a higher number", c(home(1), one, 2, 9, "b"), archive.ErrConflict},
		{"a higher number", c(home(1), one, 3, 6, "c"), nil},
		{"the next incarnation from the beginning", c(home(1), one, 4, 1, "d"), nil},
		{"another agent", c(home(1), two, 1, 1, "e"), nil},
		{"the same agent in another home", c(home(2), one, 1, 1, "f"), nil},
	} {
		want(t, tt.what, s.Conditions.PutCondition(t.Context(), tt.c), tt.want)
	}
	for of, want := range map[latchkey.HomeID][]archive.Condition{
		home(1): {c(home(1), one, 4, 1, "d"), c(home(1), two, 1, 1, "e")},
		home(2): {c(home(2), one, 1, 1, "f")},
		home(3): nil,
	} {
		got, err := s.Conditions.Conditions(t.Context(), of)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("conditions (-want +got), %v:\n%s", err, d)
		}
	}
}

func receipts(t *testing.T, s Subject) {
	c := found(t, s, 1)
	r := archive.Receipt{
		Home: c.home, Session: secret("s"), Request: "r1", Device: latchkey.NewDeviceID(), Asked: "v1/a", Sent: "v1/b",
		Header: secret("h"), Bytes: 10, Outcome: archive.Misrouted, Time: Now,
	}
	must(t, s.Receipts.PutReceipts(t.Context(), nil))
	earlier, others := r, []archive.Receipt{r, r, r}
	others[0].Home, others[1].Session, others[2].Request = home(3), secret("y"), "r3"
	others[2].Sent = others[2].Asked
	r.Time++
	must(t, s.Receipts.PutReceipts(t.Context(), append(others, earlier)))
	must(t, s.Receipts.PutReceipts(t.Context(), []archive.Receipt{r}))
	for _, tt := range []struct {
		what    string
		home    latchkey.HomeID
		session archive.Secret
		request string
		want    int
	}{
		{"both", c.home, r.Session, "r1", 2},
		{"another home", home(2), r.Session, "r1", 0},
		{"another session", c.home, secret("x"), "r1", 0},
		{"another request", c.home, r.Session, "r2", 0},
	} {
		got, err := s.Receipts.Receipts(t.Context(), tt.home, tt.session, tt.request)
		if err != nil || len(got) != tt.want {
			t.Errorf("%s: %d receipts, %v", tt.what, len(got), err)
		}
		if tt.want == 2 && !cmp.Equal(got[1], r) {
			t.Errorf("receipt (-want +got):\n%s", cmp.Diff(r, got[1]))
		}
	}
	got, err := s.Receipts.Receipts(t.Context(), c.home, r.Session, "r3")
	if err != nil || !cmp.Equal(got, others[2:]) {
		t.Errorf("what was asked for is sent: %+v, %v", got, err)
	}
	must(t, s.Receipts.Sweep(t.Context(), 0, r.Time))
	got, err = s.Receipts.Receipts(t.Context(), c.home, r.Session, "r1")
	if err != nil || len(got) != 1 || got[0].Time != r.Time {
		t.Errorf("after the sweep: %v, %v", got, err)
	}
}
