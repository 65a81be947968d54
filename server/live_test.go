package server_test

import (
	"context"
	"crypto"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

// TestLive: one stream goes to all who watch, to nobody before it is granted, and is
// brought only while somebody watches.
func TestLive(t *testing.T) {
	book := &book{}
	h := openHouse(t, func(c *server.Config) {
		book.register = c.Archive.Receipts
		c.Archive.Receipts = book
	})
	s := h.found(t).studio()
	if _, err := s.upload.Inlet(t.Context(), s.owner.Title().Head(), s.main()); api.ReasonOf(err) != api.Unwanted {
		t.Fatalf("an inlet that nobody wants: %v", err)
	}
	one := s.owners()
	s.wanted(true)
	s.bring()
	s.film("A", "b")
	one.knock()
	s.answer()
	one.wants("granted", "A", "b")
	two := s.owners()
	two.knock()
	s.answer()
	two.wants("granted", "A", "b")
	s.film("c", "D")
	one.wants("c", "D")
	two.wants("c", "D")
	if n := h.metric(t, "latchkey_live_viewers"); n != 2 {
		t.Errorf("%v viewers are counted", n)
	}
	one.socket.Close()
	two.socket.Close()
	s.wanted(false)
	name := "live/" + s.owner.Home().String() + "/" + s.camera.String() + "/main/" + s.run.ID().String()
	eventually(t, "two grants and their ends are on record", func() bool {
		book.mu.Lock()
		defer book.mu.Unlock()
		var begun, ended int
		for _, r := range book.all {
			switch {
			case r.Home != s.owner.Home() || r.Session != book.all[0].Session || r.Outcome != archive.Delivered || r.Asked != r.Sent:
				t.Fatalf("on record is %+v", r)
			case r.Asked == name:
				begun++
			case r.Asked == "end/"+name && r.Bytes >= 4*168 && r.Bytes < 4*200:
				ended++
			}
		}
		return begun == 2 && ended == 2
	})
}

// book remembers every receipt that was written.
type book struct {
	register
	mu  sync.Mutex // protects all
	all []archive.Receipt
}

func (b *book) PutReceipts(ctx context.Context, all []archive.Receipt) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, all...)
	return b.register.PutReceipts(ctx, all)
}

// TestLiveWithoutAnAgent: a viewer is told, and the agent when it comes.
func TestLiveWithoutAnAgent(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	early := (&studio{home: m}).owners()
	early.knock()
	early.wants(api.LiveAway)
	s := m.studio()
	early.s = s
	s.wanted(true)
	s.bring()
	s.film("A")
	early.knock()
	s.answer()
	early.wants("granted", "A")
	s.inlet.Close()
	early.wants(api.LiveAway)
}

// TestLiveIsForMembersOfTheCamera walks all sorts of people, and agents.
func TestLiveIsForMembersOfTheCamera(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	for who, want := range map[string]int{owner: 101, resident: 101, guest: 101, elsewhere: 404, expired: 404, removed: 401, arrived: 404, stranger: 404} {
		socket, err := m.pages[who].Live(within(t), m.camera, sealed.MainStream)
		status := 101
		if err != nil {
			e, _ := errors.AsType[*api.Error](err)
			status = e.Status
		} else {
			socket.Close()
		}
		if status != want {
			t.Errorf("%s: %d, want %d", who, status, want)
		}
	}
	before := m.owner.Title().Head()
	m.owner.Change(m.people[guest], keytest.AsGuest(m.camera), 0)
	m.append(before)
	if _, err := m.pages[guest].Live(within(t), m.camera, sealed.MainStream); api.ReasonOf(err) != api.NotFound {
		t.Errorf("a guest who sees what was recorded, and nothing live: %v", err)
	}
	before = m.owner.Title().Head()
	second := m.owner.PlaceAgent()
	m.append(before)
	other := h.client.Agent(m.owner.Home(), second.Keys.Agent, second.Keys.Signing)
	if _, err := other.Inlet(t.Context(), m.owner.Title().Head(), m.main()); api.ReasonOf(err) != api.WrongAgent {
		t.Errorf("another agent of the home brings the stream: %v", err)
	}
	unknown := m.main()
	unknown.Camera[0]++
	if _, err := m.upload.Inlet(t.Context(), m.owner.Title().Head(), unknown); api.ReasonOf(err) != api.WrongAgent {
		t.Errorf("a stream of no camera is brought: %v", err)
	}
}

// TestLiveIsCut: whatever takes the right away ends what is watched, at once, and nobody
// else's.
func TestLiveIsCut(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(m *household)
		cut  []string
		stay []string
	}{
		"dismissed":     {func(m *household) { m.owner.Dismiss(m.people[resident]) }, []string{resident}, []string{owner, guest}},
		"camera taken":  {func(m *household) { m.owner.Change(m.people[guest], withLive(keytest.AsGuest(m.garden)), 0) }, []string{guest}, []string{owner, resident}},
		"frozen":        {func(m *household) { m.owner.Sign(deed.FreezeBody{}) }, []string{owner, resident, guest}, nil},
		"camera leaves": {func(m *household) { m.owner.ReleaseCamera(m.camera) }, []string{owner, resident, guest}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t)
			m := h.settle(t)
			m.t = t
			s := m.studio()
			seats := map[string]*seat{}
			for _, who := range []string{owner, resident, guest} {
				_, device := m.owner.Device()
				if p := m.people[who]; p != nil {
					device = p.Keys.DeviceSigning
				}
				seats[who] = s.seat(m.pages[who], device)
				if len(seats) == 1 {
					s.wanted(true)
					s.bring()
					s.film("A")
				}
				seats[who].knock()
				s.answer()
				seats[who].wants("granted", "A")
			}
			before := m.owner.Title().Head()
			c.end(m)
			if _, err := m.member.Append(t.Context(), before, m.owner.Title().Deeds(before.Seq+1)...); err != nil {
				t.Fatal(err)
			}
			_ = s.inlet.Send(within(t), must(s.run.Seal([]byte("b"), false, s.now().Monotonic)))
			for _, who := range c.cut {
				seats[who].wantCut(who)
			}
			if _, stands := m.owner.Title().Camera(m.camera); !stands {
				select {
				case <-s.inlet.Ended():
				case <-within(t).Done():
					t.Error("the agent goes on to bring a camera that has left")
				}
			}
			for _, who := range c.stay {
				seats[who].wants("b")
			}
		})
	}
}

// TestLiveEndsWithTheSession: and under a hold, and when the session runs out.
func TestLiveEndsWithTheSession(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, h *house, page *api.Home){
		"signed out": func(t *testing.T, h *house, page *api.Home) { must(0, page.SignOut(t.Context())) },
		"held": func(t *testing.T, h *house, page *api.Home) {
			h.operator(t).hold(archive.Hold{Scope: api.HoldRoute, Route: "live", Who: "anna", Why: "a test"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t)
			m := h.found(t)
			m.t = t
			s := m.studio()
			_, device := m.owner.Device()
			page := m.signIn()
			v := s.seat(page, device)
			s.wanted(true)
			s.bring()
			s.film("A")
			v.knock()
			s.answer()
			v.wants("granted", "A")
			end(t, h, page)
			_ = s.inlet.Send(within(t), must(s.run.Seal([]byte("b"), false, s.now().Monotonic)))
			v.wantCut(name)
		})
	}
}

// TestLiveRightRunsOut: rights that end, end what is watched.
func TestLiveRightRunsOut(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	m := h.found(t)
	h.pass(api.SessionLife - 2*time.Second)
	socket := must(m.member.Live(within(t), m.camera, sealed.MainStream))
	defer socket.Close()
	began := time.Now()
	if _, _, err := socket.Next(within(t)); err == nil || time.Since(began) > 8*time.Second {
		t.Errorf("it ended after %s with %v", time.Since(began), err)
	}
}

// TestLiveKnocksAreChecked: what no agent should be troubled with goes no further, and
// the viewer is told why.
func TestLiveKnocksAreChecked(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	s := m.studio()
	v := s.owners()
	s.wanted(true)
	_, device := m.owner.Device()
	fresh := func(device crypto.Signer, of sealed.Stream) []byte {
		return must(live.NewViewer(device, of).Knock(m.owner.Title(), s.clock()))
	}
	altered := fresh(device, m.main())
	altered[len(altered)-1] ^= 1
	for what, c := range map[string]struct {
		knock []byte
		want  string
	}{
		"signed by another member": {fresh(m.people[resident].Keys.DeviceSigning, m.main()), "not-allowed"},
		"altered":                  {altered, "bad-signature"},
	} {
		if err := v.socket.Knock(within(t), c.knock); err != nil {
			t.Fatal(err)
		}
		if _, word, err := v.socket.Next(within(t)); word != c.want {
			t.Errorf("a knock %s: %q, %v, want %s", what, word, err, c.want)
		}
	}
	v.knock()
	s.answer() // it is the next that the agent sees
	v.wants("granted")
	garden := m.main()
	garden.Camera = m.garden
	if err := v.socket.Knock(within(t), fresh(device, garden)); err != nil {
		t.Fatal(err)
	}
	v.wants("wrong-camera")
	v.wantCut("a knock at another camera")
	if n := h.metric(t, "latchkey_misroutes_total", "where=live-knock"); n != 1 {
		t.Errorf("%v misroutes are counted", n)
	}
}

// TestLiveIsNotCrossed: an agent that sends what is another's is not heard, and it is an
// alarm.
func TestLiveIsNotCrossed(t *testing.T) {
	h := openHouse(t)
	s, other := h.found(t).studio(), h.found(t).studio()
	v, w := s.owners(), other.owners()
	s.wanted(true)
	other.wanted(true)
	s.bring()
	other.bring()
	s.film("A")
	v.knock()
	s.answer()
	v.wants("granted", "A")
	// Another home's fragment by this one's connection.
	theirs := must(other.run.Seal([]byte("Theirs"), true, other.now().Monotonic))
	if err := s.inlet.Send(within(t), theirs); err != nil {
		t.Fatal(err)
	}
	v.wants(api.LiveAway)
	select {
	case <-s.inlet.Ended():
	case <-within(t).Done():
		t.Error("the connection goes on")
	}
	// Another home's grant.
	w.knock()
	k := receive[api.KnockFrame](t, other.socket)
	visitor := must(other.porter.Open(k.Knock, other.owner.Title(), other.now()))
	g := must(visitor.Grant(other.run, other.owner.Title(), other.now()))
	if err := s.socket.Send(within(t), api.GrantFrame{Home: s.owner.Home(), Grant: g}); err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{"live-inlet", "live-grant"} {
		eventually(t, where+" is counted", func() bool { return h.metric(t, "latchkey_misroutes_total", "where="+where) == 1 })
	}
	if err := other.socket.Send(within(t), api.GrantFrame{Home: other.owner.Home(), Grant: g}); err != nil {
		t.Fatal(err)
	}
	w.wants("granted")
	if lines := h.logs.lines(t, "misroute"); len(lines) != 2 || strings.Contains(h.logs.text(), "Theirs") {
		t.Errorf("the log says %v", lines)
	}
}

// TestLiveWithoutReceipts: no receipt, no grant.
func TestLiveWithoutReceipts(t *testing.T) {
	h := openHouse(t, func(c *server.Config) { c.Archive.Receipts = brokenReceipts{c.Archive.Receipts} })
	s := h.found(t).studio()
	v := s.owners()
	s.wanted(true)
	s.bring()
	s.film("A")
	v.knock()
	s.answer()
	v.wantCut("a grant that is not on record")
}

// TestLiveIsBounded: more viewers of a stream than may be are refused until one goes.
func TestLiveIsBounded(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	var all []*api.Live
	for range 256 {
		socket := must(m.member.Live(within(t), m.camera, sealed.MainStream))
		defer socket.Close()
		all = append(all, socket)
	}
	_, err := m.member.Live(within(t), m.camera, sealed.MainStream)
	if e, _ := errors.AsType[*api.Error](err); e == nil || e.Status != http.StatusTooManyRequests {
		t.Fatalf("one too many: %v", err)
	}
	all[0].Close()
	eventually(t, "there is a place", func() bool {
		socket, err := m.member.Live(within(t), m.camera, sealed.MainStream)
		if err == nil {
			socket.Close()
		}
		return err == nil
	})
}

// TestLiveControl takes what guards live view out, and wants the tests to see it.
func TestLiveControl(t *testing.T) {
	type lack struct{ file, old, new string }
	var all []func()
	for _, c := range []struct {
		test  string
		lacks []lack
	}{
		{"TestLiveIsForMembersOfTheCamera", []lack{{"server/right.go", "t.Covers(s.Person, camera, deed.SeesLive, now)", "(true || t.Covers(s.Person, camera, deed.SeesLive, now))"}}},
		{"TestLiveIsForMembersOfTheCamera", []lack{{"server/live.go", "camera.Agent != a.agent.ID {", "false && camera.Agent != a.agent.ID {"}}},
		{"TestLiveKnocksAreChecked", []lack{{"server/live.go", "by.ID != w.asking.session.Device", "false && by.ID != w.asking.session.Device"}}},
		{"TestLiveWithoutReceipts", []lack{{"server/live.go", "if err := w.begun(g, b); err != nil {", "if err := w.begun(g, b); false && err != nil {"}}},
		{"TestLiveIsNotCrossed", []lack{{"relay/inlet.go", "if err := f.Stream.Answers(in.stream.of); err != nil {", "if err := f.Stream.Answers(in.stream.of); false && err != nil {"}}},
		{"TestLiveIsNotCrossedOnTheBus", []lack{{"bus/live.go", "case m.Archive != own || m.Stream != of:", "case m.Archive != own:"}, {"relay/inlet.go", "if err := f.Stream.Answers(in.stream.of); err != nil {", "if err := f.Stream.Answers(in.stream.of); false && err != nil {"}}},
		// Each of the two that cut is enough.
		{"TestLiveIsCut", []lack{{"server/cut.go", "if !gone(o) {", "if true {"}, {"relay/relay.go", "if gone(v.stream.of, v.who) {", "if false {"}}},
	} {
		var cuts []sabotage.Cut
		for _, l := range c.lacks {
			cuts = append(cuts, sabotage.Cut{File: l.file, Old: l.old, New: l.new})
		}
		without := controls.Without(t, cuts...)
		all = append(all, func() { sees(t, without, c.test, "--- FAIL: "+c.test+" ") })
	}
	t.Parallel()
	for _, run := range all {
		run()
	}
}
