package server_test

import (
	"bytes"
	stdcmp "cmp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/bound"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

// Here each thing that is compared is another's, one at a time. What that comes to for
// whoever asks is in the tests of the routes.

// TestDoorComparesEverything: the name that was asked for, the row's and the blob's, and
// the header of both.
func TestDoorComparesEverything(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	agent := owner.PlaceAgent()
	camera := owner.PlaceCamera(agent)
	o := agent.Object(owner.Title(), camera, latchkey.Thumbnail, []byte("one"))
	h := o.File.Header
	other := agent.Object(owner.Title(), camera, latchkey.Thumbnail, []byte("two")).File.Header
	forged := h
	forged.BodyHash[0]++
	row := archive.Row{Name: h.Name(), Header: h.Bytes()}
	for what, c := range map[string]struct {
		asked  latchkey.Name
		row    archive.Row
		stored sealed.Header
		want   archive.Outcome
	}{
		"all the same":       {h.Name(), row, h, archive.Delivered},
		"another was asked":  {other.Name(), row, h, archive.Misrouted},
		"another row":        {h.Name(), archive.Row{Name: other.Name(), Header: h.Bytes()}, h, archive.Misrouted},
		"another blob":       {h.Name(), row, other, archive.Misrouted},
		"another row's head": {h.Name(), archive.Row{Name: h.Name(), Header: other.Bytes()}, h, archive.Damaged},
		"another body":       {h.Name(), row, forged, archive.Damaged},
	} {
		if got := server.Compare(c.asked, c.row, c.stored); got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
}

// TestConditionsFitTheirRows in every column.
func TestConditionsFitTheirRows(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	agent := owner.PlaceAgent()
	b := must(letter.SealCondition(agent.Keys, owner.Title(), 2, 3, owner.Now(), letter.Condition{Clock: letter.Clock{Quality: letter.Synchronised}}))
	good := must(sealed.ParseLetter(b))
	row := archive.Condition{Home: owner.Home(), Agent: agent.Keys.Agent, Incarnation: 2, Number: 3}
	if !server.ConditionFits(owner.Home(), row, good) {
		t.Fatal("a condition does not fit its own row")
	}
	for what, change := range map[string]func(home *latchkey.HomeID, c *archive.Condition, l *sealed.Letter){
		"home that asks":     func(home *latchkey.HomeID, _ *archive.Condition, _ *sealed.Letter) { home[0]++ },
		"row's home":         func(_ *latchkey.HomeID, c *archive.Condition, _ *sealed.Letter) { c.Home[0]++ },
		"row's agent":        func(_ *latchkey.HomeID, c *archive.Condition, _ *sealed.Letter) { c.Agent[0]++ },
		"row's incarnation":  func(_ *latchkey.HomeID, c *archive.Condition, _ *sealed.Letter) { c.Incarnation++ },
		"row's number":       func(_ *latchkey.HomeID, c *archive.Condition, _ *sealed.Letter) { c.Number++ },
		"letter's home":      func(_ *latchkey.HomeID, _ *archive.Condition, l *sealed.Letter) { l.Home[0]++ },
		"kind of the letter": func(_ *latchkey.HomeID, _ *archive.Condition, l *sealed.Letter) { l.Kind = sealed.ReplyLetter },
	} {
		home, c, l := owner.Home(), row, good
		change(&home, &c, &l)
		if server.ConditionFits(home, c, l) {
			t.Errorf("with another %s it fits", what)
		}
	}
}

// TestRepliesFitTheirCommands: over the connection that the command went, of its home, of
// its agent, and to it.
func TestRepliesFitTheirCommands(t *testing.T) {
	e := server.Errand{Home: latchkey.HomeID{1}, Agent: latchkey.AgentID{2}, Command: [32]byte{3}}
	good := sealed.Letter{Kind: sealed.ReplyLetter, Home: e.Home, Agent: e.Agent, Re: e.Command}
	if !e.AnsweredBy(good, true) || e.AnsweredBy(good, false) {
		t.Error("a reply is taken over another connection than the command's, or not over that")
	}
	for what, change := range map[string]func(l *sealed.Letter){
		"kind":    func(l *sealed.Letter) { l.Kind = sealed.ConditionLetter },
		"home":    func(l *sealed.Letter) { l.Home[0]++ },
		"agent":   func(l *sealed.Letter) { l.Agent[0]++ },
		"command": func(l *sealed.Letter) { l.Re[0]++ },
	} {
		l := good
		change(&l)
		if e.AnsweredBy(l, true) {
			t.Errorf("a reply of another %s is taken", what)
		}
	}
}

// TestEnvelopesFitTheirPeople: a guest's key for a guest, a link's for a link.
func TestEnvelopesFitTheirPeople(t *testing.T) {
	guest, link, stranger := keytest.NewPerson().Keys.Public(), keytest.NewPerson().Keys.Public(), keytest.NewPerson().Keys.Public()
	guest.Role, link.Role = deed.Guest, deed.Link
	for _, c := range []struct {
		to   deed.Person
		kind sealed.RecipientKind
		want bool
	}{
		{guest, sealed.ToPerson, true}, {link, sealed.ToLink, true},
		{guest, sealed.ToLink, false}, {link, sealed.ToPerson, false}, {stranger, sealed.ToPerson, false}, {stranger, sealed.ToLink, false},
	} {
		if got := server.Among([]deed.Person{guest, link}, sealed.Envelope{Recipient: c.kind, Key: c.to.KEM.ID()}); got != c.want {
			t.Errorf("a key of a %s as one of kind %d: %v", c.to.Role, c.kind, got)
		}
	}
}

// TestEnvelopesAreTheAskers: of a row's envelopes each is handed to whom it is for, and
// one under a key that is none of the home's is another home's.
func TestEnvelopesAreTheAskers(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	resident := owner.Join(keytest.NewPerson(), keytest.AsResident)
	guest := owner.Join(keytest.NewPerson(), keytest.AsGuest())
	link := owner.Lend(keytest.Rights(owner.Now() + 1e9))
	stranger := keytest.NewPerson()
	title := owner.Title()
	epoch := func(n, key latchkey.Epoch) sealed.Envelope {
		id, _ := title.EpochKeyID(key)
		return sealed.Envelope{Recipient: sealed.ToEpoch, Epoch: n, Key: id}
	}
	to := func(p *keytest.Person, kind sealed.RecipientKind, n latchkey.Epoch) sealed.Envelope {
		return sealed.Envelope{Recipient: kind, Epoch: n, Key: p.Keys.Public().KEM.ID()}
	}
	first := owner.Keys.Person
	for i, tt := range []struct {
		asker   latchkey.PersonID
		row     []sealed.Envelope
		own     int // -1: none
		crossed int
	}{
		{resident.ID(), []sealed.Envelope{epoch(2, 2)}, 0, 0},
		{resident.ID(), []sealed.Envelope{epoch(1, 1)}, -1, 0}, // they came later
		{first, []sealed.Envelope{epoch(1, 1), epoch(2, 2)}, 0, 0},
		{first, []sealed.Envelope{epoch(2, 2), epoch(1, 1)}, 0, 0},
		{first, []sealed.Envelope{epoch(2, 1)}, -1, 1},
		{first, []sealed.Envelope{epoch(9, 9)}, -1, 1}, // no epoch, and no key
		{guest.ID(), []sealed.Envelope{epoch(2, 2)}, -1, 0},
		{guest.ID(), []sealed.Envelope{epoch(2, 2), to(guest, sealed.ToPerson, 2)}, 1, 0},
		{resident.ID(), []sealed.Envelope{to(guest, sealed.ToPerson, 2)}, -1, 0},
		{guest.ID(), []sealed.Envelope{to(guest, sealed.ToLink, 2)}, -1, 1},
		{link.ID(), []sealed.Envelope{to(link, sealed.ToLink, 2)}, 0, 0},
		{link.ID(), []sealed.Envelope{to(link, sealed.ToPerson, 2)}, -1, 1},
		{guest.ID(), []sealed.Envelope{to(stranger, sealed.ToPerson, 2), to(guest, sealed.ToPerson, 2), to(stranger, sealed.ToLink, 2)}, 1, 2},
		{stranger.ID(), []sealed.Envelope{epoch(2, 2), to(guest, sealed.ToPerson, 2), to(stranger, sealed.ToPerson, 2)}, -1, 1},
	} {
		own, crossed, ok := server.EnvelopeFor(title, tt.asker, archive.Row{Envelopes: tt.row})
		if ok != (tt.own >= 0) || len(crossed) != tt.crossed || ok && (own.Key != tt.row[tt.own].Key || own.Recipient != tt.row[tt.own].Recipient) {
			t.Errorf("row %d: own %t of kind %d, %d crossed; want %+v", i, ok, own.Recipient, len(crossed), tt)
		}
	}
}

// TestWhatGrowthEnds: what a home's chain grows by, and whose sessions, starts and asks
// end with it.
func TestWhatGrowthEnds(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	released, replaced, stays := owner.PlaceAgent(), owner.PlaceAgent(), owner.PlaceAgent()
	owner.PlaceCamera(stays)
	dismissed := owner.Join(keytest.NewPerson(), keytest.AsGuest())
	recovered := owner.Join(keytest.NewPerson(), keytest.AsGuest())
	owner.Join(keytest.NewPerson(), keytest.AsGuest())
	second := owner.AddDevice()
	was := owner.Title()
	old := func(p *keytest.Person) latchkey.DeviceID {
		member, _ := was.Person(p.ID())
		return member.Devices[0].ID
	}
	owner.ReleaseAgent(released)
	owner.ReplaceAgent(replaced)
	camera := owner.PlaceCamera(stays)
	owner.Dismiss(dismissed)
	owner.Recover(recovered, 0)
	owner.Strike(second.Device)
	is := owner.Title()
	got := server.Growth(was, is, is.Deeds(was.Head().Seq+1))
	want := archive.Growth{
		Home: owner.Home(), Deeds: is.Deeds(was.Head().Seq + 1), Head: is.Head(), Epoch: is.Epoch(), Placed: []latchkey.CameraID{camera},
		Gone: []archive.Gone{
			{Person: dismissed.ID()}, {Person: dismissed.ID(), Device: old(dismissed)},
			{Person: recovered.ID()}, {Person: recovered.ID(), Device: old(recovered)},
			{Person: owner.Keys.Person, Device: second.Device},
		},
		Renewed: []latchkey.AgentID{released.Keys.Agent, replaced.Keys.Agent},
	}
	inAnyOrder := cmp.Options{
		cmpopts.SortSlices(func(a, b archive.Gone) int {
			return stdcmp.Or(bytes.Compare(a.Person[:], b.Person[:]), bytes.Compare(a.Device[:], b.Device[:]))
		}),
		cmpopts.SortSlices(func(a, b latchkey.AgentID) int { return bytes.Compare(a[:], b[:]) }),
	}
	if diff := cmp.Diff(want, got, inAnyOrder); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWhoGoesOn: of those who were let in, only who may still.
func TestWhoGoesOn(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	agent := owner.PlaceAgent()
	camera := owner.PlaceCamera(agent)
	end := owner.Now() + 100_000_000 // of a guest's rights; sessions end later
	later := end + 4
	guest := owner.Join(keytest.NewPerson(), deed.Standing{Role: deed.Guest, Rights: keytest.Rights(end, camera)})
	resident := owner.Join(keytest.NewPerson(), keytest.AsResident)
	before := owner.Title()
	object := latchkey.Name{Home: owner.Home(), Camera: camera, Kind: latchkey.Thumbnail}
	other := latchkey.Name{Home: owner.Home(), Camera: latchkey.NewCameraID(), Kind: latchkey.Thumbnail}
	at := func(p *keytest.Person) archive.Session {
		member, _ := before.Person(p.ID())
		return archive.Session{Home: owner.Home(), Person: p.ID(), Device: member.Devices[0].ID, Expires: later}
	}
	as := func(s archive.Session, change func(s *archive.Session)) archive.Session { change(&s); return s }
	owner.Sign(deed.FreezeBody{})
	frozen := owner.Title()
	for name, tt := range map[string]struct {
		title   *deed.Title
		session archive.Session
		right   api.Right
		what    latchkey.Name
		until   latchkey.Time // 0: not at all
	}{
		"a resident":                         {before, at(resident), api.Household, object, later},
		"a resident, as an owner":            {before, at(resident), api.Owner, latchkey.Name{}, 0},
		"a guest":                            {before, at(guest), api.Member, object, end},
		"a guest, for what is always theirs": {before, at(guest), api.Known, latchkey.Name{}, later},
		"a guest, for another camera":        {before, at(guest), api.Member, other, 0},
		"at another's device":                {before, as(at(guest), func(s *archive.Session) { s.Device = at(resident).Device }), api.Member, object, 0},
		"at another's device, for no media":  {before, as(at(guest), func(s *archive.Session) { s.Device = at(resident).Device }), api.Known, latchkey.Name{}, 0},
		"at no home's device":                {before, as(at(guest), func(s *archive.Session) { s.Device[0]++ }), api.Member, object, 0},
		"a resident who has no device yet":   {before, as(at(resident), func(s *archive.Session) { s.Device = latchkey.DeviceID{} }), api.Member, latchkey.Name{}, later},
		"a stranger who has no device":       {before, archive.Session{Person: keytest.NewPerson().ID(), Expires: later}, api.Member, latchkey.Name{}, 0},
		"in a frozen home":                   {frozen, at(resident), api.Household, object, 0},
		"in a frozen home, not for media":    {frozen, at(resident), api.Household, latchkey.Name{}, later},
	} {
		if until, ok := server.StillMay(tt.title, tt.session, tt.right, tt.what); ok != (tt.until != 0) || until != tt.until {
			t.Errorf("%s: %t until %d, want %d, after the end of rights", name, ok, until-end, tt.until-end)
		}
	}
	key := func(a *keytest.Agent) latchkey.KeyID { return a.Keys.Body().KEM.ID() }
	next := owner.ReplaceAgent(agent)
	if !server.AgentStillMay(before, agent.Keys.Agent, key(agent)) || server.AgentStillMay(owner.Title(), agent.Keys.Agent, key(agent)) || !server.AgentStillMay(owner.Title(), agent.Keys.Agent, key(next)) {
		t.Error("an agent's key that was replaced goes on, or the next does not")
	}
}

// TestWhoseSessionHolds: a session holds until it runs out, at a device that is still its
// person's, or without one for a person who stands.
func TestWhoseSessionHolds(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	resident, guest := owner.Join(keytest.NewPerson(), keytest.AsResident), owner.Join(keytest.NewPerson(), keytest.AsResident)
	now := time.Now()
	device := func(p *keytest.Person) latchkey.DeviceID {
		member, _ := owner.Title().Person(p.ID())
		return member.Devices[0].ID
	}
	end := latchkey.TimeOf(now)
	for name, tt := range map[string]struct {
		session archive.Session
		want    bool
	}{
		"at their device":              {archive.Session{Person: guest.ID(), Device: device(guest), Expires: end}, true},
		"which has run out":            {archive.Session{Person: guest.ID(), Device: device(guest), Expires: end - 1}, false},
		"at another's device":          {archive.Session{Person: guest.ID(), Device: device(resident), Expires: end}, false},
		"at no home's device":          {archive.Session{Person: guest.ID(), Device: latchkey.NewDeviceID(), Expires: end}, false},
		"without a device":             {archive.Session{Person: guest.ID(), Expires: end}, true},
		"a stranger, without a device": {archive.Session{Person: keytest.NewPerson().ID(), Expires: end}, false},
	} {
		if got := server.Holds(owner.Title(), tt.session, now); got != tt.want {
			t.Errorf("a session %s holds: %t", name, got)
		}
	}
}

// TestNobodyElseHears: whoever does not stand in the home hears of nothing.
func TestNobodyElseHears(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	for _, what := range []api.Change{api.EventsChanged, api.DeedsChanged, api.SettingsChanged, api.ConditionsChanged, api.AsksChanged, api.JoinsChanged, "more"} {
		if server.Hears(owner.Title(), keytest.NewPerson().ID(), what) || server.Hears(owner.Title(), owner.Keys.Person, what) != (what != "more") {
			t.Errorf("%s", what)
		}
	}
}

// TestKeptIsWhatItSays: what the door, the titles or the list would refuse is not kept,
// and what is kept comes back as it was, or not at all.
func TestKeptIsWhatItSays(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	agent := owner.PlaceAgent()
	camera := owner.PlaceCamera(agent)
	o := agent.Object(owner.Title(), camera, latchkey.Thumbnail, []byte("one"))
	h, home := o.File.Header, owner.Home()
	row := archive.Row{Name: h.Name(), Event: h.Binding.Event, Header: h.Bytes(), Envelopes: o.File.Envelopes}
	rowAs := func(change func(r *archive.Row)) archive.Row { r := row; change(&r); return r }
	deeds := []archive.Deed{{Home: home, Seq: 3, Bytes: []byte("x")}, {Home: home, Seq: 4, Bytes: []byte("y")}}
	deedsAs := func(change func(d *archive.Deed)) []archive.Deed {
		d := []archive.Deed{deeds[0], deeds[1]}
		change(&d[1])
		return d
	}
	page := func(r archive.Row) archive.Page {
		return archive.Page{Events: []archive.Event{{Home: home, Place: archive.Cursor{Time: 1, Event: h.Binding.Event}, Objects: []archive.Row{r}}}}
	}
	misplaced, foreign := rowAs(func(r *archive.Row) { r.Problem = sealed.Misroute }), rowAs(func(r *archive.Row) { r.Name.Home[0]++ })
	for what, kept := range map[string]struct{ is, want bool }{
		"an object":                     {server.Keeps(server.Small(row, h, o.Body)), true},
		"an object with a problem":      {server.Keeps(server.Small(misplaced, h, o.Body)), false},
		"an object under another name":  {server.Keeps(server.Small(foreign, h, o.Body)), false},
		"an object with another header": {server.Keeps(server.Small(rowAs(func(r *archive.Row) { r.Header = []byte("x") }), h, o.Body)), false},
		"deeds":                         {server.KeepsDeeds(deeds), true},
		"no deeds":                      {server.KeepsDeeds(nil), false},
		"deeds and another home's":      {server.KeepsDeeds(deedsAs(func(d *archive.Deed) { d.Home[0]++ })), false},
		"deeds and one too far":         {server.KeepsDeeds(deedsAs(func(d *archive.Deed) { d.Seq++ })), false},
		"events":                        {server.KeepsPage(page(row)), true},
		"no events":                     {server.KeepsPage(archive.Page{}), false},
		"an event with a problem":       {server.KeepsPage(page(misplaced)), false},
		"an event with another home's":  {server.KeepsPage(page(foreign)), false},
		"an event with another's":       {server.KeepsPage(page(rowAs(func(r *archive.Row) { r.Event[0]++ }))), false},
		"an event twice":                {server.KeepsPage(archive.Page{Events: slices.Concat(page(row).Events, page(row).Events)}), false},
	} {
		if kept.is != kept.want {
			t.Errorf("%s: kept is %t", what, kept.is)
		}
	}
	if back, err := server.DeedsAgain(deeds); err != nil || !cmp.Equal(back, deeds) {
		t.Errorf("deeds come back as %v, %v", back, err)
	}
	if back, err := server.PageAgain(page(row)); err != nil || !cmp.Equal(back, page(row)) {
		t.Errorf("events come back as %v, %v", back, err)
	}
	for what, bad := range map[string]archive.Row{
		"no header":   rowAs(func(r *archive.Row) { r.Header = nil }),
		"no envelope": rowAs(func(r *archive.Row) { r.Envelopes = []sealed.Envelope{{}} }),
	} {
		if _, err := server.SmallAgain(server.Small(bad, h, o.Body)); err == nil {
			t.Errorf("an object with %s comes back", what)
		}
	}
	want := bound.Question{Scope: "home/" + home.String(), Key: "7/deeds/3", Codec: 2, Floor: 9}
	if q := server.DeedsQuestion(home, "deeds/3", 9); q != want {
		t.Errorf("the question is %+v, want %+v", q, want)
	}
}
