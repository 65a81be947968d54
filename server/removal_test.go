package server_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

// as is the home as another page sees it.
func (m *home) as(page *api.Home) *home {
	other := *m
	other.member = page
	return &other
}

// goesOn wants more to come.
func (s *slow) goesOn(what string, n int64) {
	s.t.Helper()
	_ = s.c.SetReadDeadline(time.Now().Add(3 * patience))
	if got, err := io.CopyN(io.Discard, s.c, n); err != nil {
		s.t.Errorf("%s: %d bytes more, then %v", what, got, err)
	}
}

// TestDeedsCut: what a deed takes away ends while it is under way, and nothing else does.
func TestDeedsCut(t *testing.T) {
	const download, page = "download", "page"
	for name, tt := range map[string]struct {
		sign  func(m *household)
		cut   map[string]string // who, and what of theirs
		stays map[string]string
	}{
		"dismissed": {func(m *household) { m.owner.Dismiss(m.people[resident]) },
			map[string]string{resident: download + page}, map[string]string{guest: download + page, owner: download + page}},
		"a camera taken away": {func(m *household) { m.owner.Change(m.people[guest], keytest.AsGuest(m.garden), 0) },
			map[string]string{guest: download}, map[string]string{guest: page, resident: download + page}},
		"no owner any more": {func(m *household) {
			former := &keytest.Person{Keys: m.owner.Keys}
			m.owner = m.owner.As(m.owner.Join(keytest.NewPerson(), keytest.AsOwner))
			m.owner.Change(former, keytest.AsResident, 0)
		}, nil, map[string]string{owner: download + page}},
		"frozen": {func(m *household) { m.owner.Sign(deed.FreezeBody{}) },
			map[string]string{guest: download, owner: download}, map[string]string{guest: page, owner: page}},
		"handed over": {func(m *household) { m.owner = m.owner.HandOver(keytest.NewPerson()) },
			map[string]string{guest: download + page, resident: download + page, owner: download + page}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t)
			m := h.settle(t)
			m.t = t
			o := m.wrapped(m.agent.Object(m.owner.Title(), m.camera, latchkey.Clip, []byte(strings.Repeat("a clip ", 500_000))))
			if err := m.put(o); err != nil {
				t.Fatal(err)
			}
			downloads, pages := map[string]*slow{}, map[string]*slow{}
			for _, who := range []string{owner, resident, guest} {
				of := m.as(m.pages[who])
				downloads[who] = of.slow(h.origin, "GET", objectPath(o.Name()), "")
				pages[who] = of.slow(h.origin, "GET", m.path("/changes"), "")
			}
			before := m.owner.Title().Head()
			tt.sign(m)
			if _, err := m.member.Append(t.Context(), before, m.owner.Title().Deeds(before.Seq+1)...); err != nil {
				t.Fatal(err)
			}
			for who, what := range tt.cut {
				if strings.Contains(what, download) {
					downloads[who].wantReset(who + "'s download")
				}
				if strings.Contains(what, page) {
					pages[who].wantReset(who + "'s page")
				}
			}
			for who, what := range tt.stays {
				if strings.Contains(what, download) {
					downloads[who].goesOn(who+"'s download", 50_000)
				}
				if strings.Contains(what, page) {
					pages[who].goesOn(who+"'s page", 150) // the rest of its handshake, and a hint
				}
			}
		})
	}
}

// TestGuestsTimeRunsOut: what a guest reads ends with their rights.
func TestGuestsTimeRunsOut(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	m := h.found(t)
	before := m.owner.Title().Head()
	until := latchkey.TimeOf(h.time().Add(400 * time.Millisecond))
	visitor := m.owner.Join(keytest.NewPerson(), deed.Standing{Role: deed.Guest, Rights: keytest.Rights(until, m.camera)})
	m.append(before)
	o := (&household{home: m}).wrapped(m.agent.Object(m.owner.Title(), m.camera, latchkey.Clip, []byte(strings.Repeat("a clip ", 500_000))))
	if err := m.put(o); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s := m.as(m.page(visitor)).slow(h.origin, "GET", objectPath(o.Name()), "")
	page := m.as(m.page(visitor)).slow(h.origin, "GET", m.path("/changes"), "")
	for what, s := range map[string]*slow{"download": s, "page": page} {
		if _, err := s.rest(); err == nil || time.Since(began) > 2*time.Second {
			t.Errorf("a guest's %s ended after %s with %v, want a reset after 400 ms", what, time.Since(began), err)
		}
	}
}

// TestAgentsAreCut: an agent that was released, or whose keys were replaced, is cut.
func TestAgentsAreCut(t *testing.T) {
	for name, sign := range map[string]func(m *home){
		"released": func(m *home) { m.owner.ReleaseAgent(m.agent) },
		"replaced": func(m *home) { m.owner.ReplaceAgent(m.agent) },
	} {
		h := openHouse(t)
		m := h.found(t)
		s := m.connect(start{1, 0, 1})
		before := m.owner.Title().Head()
		sign(m)
		m.append(before)
		ctx := within(t)
		if f, err := s.Receive(ctx); err == nil || ctx.Err() != nil {
			t.Errorf("%s: the agent hears %+v", name, f)
		}
		eventually(t, name+": nobody is connected", func() bool { return h.metric(t, "latchkey_agents") == 0 })
		eventually(t, name+": one cut is counted", func() bool { return h.metric(t, "latchkey_cuts_total", "why=removed") == 1 })
	}
}
