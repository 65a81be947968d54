package uplink_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

// TestParted: an agent is the home's as long as its own keys stand there under its ID.
func TestParted(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	bare := owner.Title()
	agent := owner.PlaceAgent()
	placed := owner.Title()
	other := *agent.Keys
	other.Agent[0] ^= 1
	owner.ReplaceAgent(agent)
	replaced := owner.Title()
	owner.ReleaseAgent(agent)
	released := owner.Title()
	for name, tt := range map[string]struct {
		title *deed.Title
		want  error
	}{
		"before any deed": {nil, nil}, "before it is placed": {bare, nil}, "while it stands": {placed, nil},
		"with other keys in its place": {replaced, uplink.ErrCloned}, "released": {released, uplink.ErrReleased},
	} {
		if err := uplink.Parted(tt.title, agent.Keys); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if err := uplink.Parted(released, &other); err != nil {
		t.Errorf("another agent with these keys: %v", err)
	}
}

// TestWelcomedIntoAHomeOfOthers: a copy that was replaced is not connected for a moment.
func TestWelcomedIntoAHomeOfOthers(t *testing.T) {
	s := newStage(t)
	keys := s.agent.Keys.Body().Signing
	s.owner.ReplaceAgent(s.agent)
	if s.owner.Title().Agents()[0].Signing[0].ID() == keys[0].ID() {
		t.Fatal("the agent was not replaced")
	}
	u, err := uplink.New(s.config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	var states []uplink.State
	_, err = u.Welcomed(ctx, func(s uplink.Status) { states = append(states, s.State) })
	if !errors.Is(err, uplink.ErrCloned) || slices.Contains(states, uplink.Connected) {
		t.Errorf("%v after %v", err, states)
	}
}

// TestFarewells: deeds in the place of a welcome are taken in if they are of this home,
// and there are some; what follows them is heard.
func TestFarewells(t *testing.T) {
	for name, tt := range map[string]struct {
		say   func(m *api.DeedsFrame)
		taken bool
		state uplink.State
	}{
		"good":            {func(*api.DeedsFrame) {}, true, uplink.NotPlaced},
		"of another home": {func(m *api.DeedsFrame) { m.Home = latchkey.HomeID{1} }, false, uplink.Waiting},
		"none":            {func(m *api.DeedsFrame) { m.Deeds = [][]byte{} }, false, uplink.Waiting},
		"of a fork":       {func(m *api.DeedsFrame) { m.Head.Hash[0] ^= 1 }, false, uplink.OtherChain},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.knows()
			before := s.owner.Title().Head()
			s.owner.StartEpoch()
			after := s.owner.Title()
			s.welcome = func(h api.Hello) api.Frame {
				m := api.DeedsFrame{Home: h.Home, Head: api.Head(after.Head()), Deeds: after.Deeds(before.Seq + 1)}
				if tt.say(&m); len(m.Deeds) == 0 {
					m.Head = api.Head(before)
				}
				s.then <- api.Refused{ID: h.ID, Home: h.Home.String(), Reason: api.UnknownAgent}
				return m
			}
			s.run()
			s.until("the state says so", func() bool { return s.uplink.Status().State == tt.state })
			if taken := s.chain.Title().Head() == after.Head(); taken != tt.taken {
				t.Errorf("taken: %t", taken)
			}
		})
	}
}

// TestEarlierHelloIsSettledFirst: a start whose hello nobody has answered is followed by
// one that says it again, and its own only when that was answered.
func TestEarlierHelloIsSettledFirst(t *testing.T) {
	s := newStage(t)
	disk := durabletest.New()
	var said []uint64
	s.welcome = func(h api.Hello) api.Frame {
		if said = append(said, h.Incarnation); len(said) == 1 {
			return api.Refused{ID: h.ID, Home: h.Home.String(), Reason: api.Busy}
		}
		return s.genuine(h)
	}
	start := func() (err error) { s.config.Start, err = uplink.NextStart(disk, "start"); return err }
	if err := start(); err != nil {
		t.Fatal(err)
	}
	first := s.config
	first.Retry, first.MostRetry = time.Hour, time.Hour
	u, err := uplink.New(first)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- u.Run(ctx) }()
	s.uplink = u
	s.until("it was refused", func() bool { return u.Status().State == uplink.Waiting })
	stop()
	<-ended
	if err := start(); err != nil {
		t.Fatal(err)
	}
	s.run()
	s.until("it is connected", func() bool { return s.uplink.Status().State == uplink.Connected })
	s.mu.Lock()
	defer s.mu.Unlock()
	if want := []uint64{1, 1, 2}; !slices.Equal(said, want) {
		t.Errorf("hellos of the starts %v, want %v", said, want)
	}
}
