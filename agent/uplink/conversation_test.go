package uplink_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

// TestOtherChainGetsNothing: a server that welcomes the agent into another chain than
// the one it has verified is refused, the state says so, and nothing is uploaded.
func TestOtherChainGetsNothing(t *testing.T) {
	stranger := keytest.NewOwner()
	stranger.Found()
	for name, lie := range map[string]func(*stage, *api.Welcome){
		"rolled back": func(s *stage, w *api.Welcome) {
			hash, _ := s.owner.Title().HashAt(1)
			w.Head, w.Deeds = api.Head{Seq: 1, Hash: hash}, [][]byte{}
		},
		"forked": func(s *stage, w *api.Welcome) {
			w.Head = api.Head{Seq: w.Head.Seq, Hash: [32]byte{1}}
		},
		"another home's deeds": func(s *stage, w *api.Welcome) {
			w.Head, w.Deeds = api.Head(stranger.Title().Head()), stranger.Deeds()
		},
		"nonsense": func(s *stage, w *api.Welcome) { w.Deeds = [][]byte{[]byte("deed")} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			if _, err := s.chain.Extend(s.owner.Title().Head(), s.owner.Deeds()); err != nil {
				t.Fatal(err)
			}
			lying := true
			s.welcome = func(h api.Hello) api.Frame {
				w := s.genuine(h).(api.Welcome)
				if lying {
					lie(s, &w)
				}
				return w
			}
			s.add(latchkey.Thumbnail, "x")
			s.run()
			s.until("the state says so", func() bool { return s.uplink.Status().State == uplink.OtherChain })
			s.until("it tries again", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.hellos > 3 })
			if len(s.kinds()) > 0 {
				t.Error("something was uploaded")
			}
			if s.chain.Title().Head() != s.owner.Title().Head() {
				t.Error("the chain has changed")
			}
			s.mu.Lock()
			lying = false
			s.mu.Unlock()
			s.until("an honest server gets it", func() bool { return s.spool.Status().Objects == 0 })
		})
	}
}

// TestWelcomesThatAreNone are answers to other questions, and noise.
func TestWelcomesThatAreNone(t *testing.T) {
	var bare *deed.Title // before the agent was placed
	for name, lie := range map[string]func(*api.Welcome) api.Frame{
		"another request":     func(w *api.Welcome) api.Frame { w.ID = "another"; return *w },
		"another home":        func(w *api.Welcome) api.Frame { w.Home[0] ^= 1; return *w },
		"another incarnation": func(w *api.Welcome) api.Frame { w.Incarnation++; return *w },
		"without the agent":   func(w *api.Welcome) api.Frame { w.Deeds, w.Head = bare.Deeds(0), api.Head(bare.Head()); return *w },
		"no welcome":          func(w *api.Welcome) api.Frame { return api.Done{ID: w.ID, Home: w.Home} },
		"oversize": func(w *api.Welcome) api.Frame {
			w.Settings = make([]byte, api.MaxSocket)
			return *w
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.welcome = func(h api.Hello) api.Frame {
				w := s.genuine(h).(api.Welcome)
				if s.hellos > 3 {
					return w
				}
				bare = s.bare
				return lie(&w)
			}
			s.add(latchkey.Thumbnail, "x")
			s.run()
			s.until("it has not believed it", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.hellos > 3 })
			s.until("it goes on with an honest one", func() bool { return s.spool.Status().Objects == 0 })
		})
	}
}

// TestShortNonce: what is signed for a server is as new as 32 bytes of chance make it.
func TestShortNonce(t *testing.T) {
	s := newStage(t)
	s.short = 1
	s.run()
	s.until("the state says so", func() bool { return strings.Contains(s.uplink.Status().Detail, "language") })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hellos > 0 {
		t.Error("it has said hello")
	}
}

// TestFramesThatAreNone are sent after a good welcome; the agent hangs up and comes back.
func TestFramesThatAreNone(t *testing.T) {
	stranger := keytest.NewOwner()
	stranger.Found()
	for name, f := range map[string]api.Frame{
		"deeds of another home":      api.DeedsFrame{Home: stranger.Home(), Head: api.Head(stranger.Title().Head()), Deeds: stranger.Deeds()},
		"settings of another home":   api.SettingsFrame{Home: stranger.Home(), Document: []byte("x")},
		"an answer to nothing":       api.Done{ID: "nothing"},
		"a hello":                    api.Hello{ID: "x"},
		"another challenge":          api.Challenge{Nonce: make([]byte, 32)},
		"a refusal that says why":    api.Refused{ID: "", Reason: api.Busy, Message: "restarting"},
		"a message that is too long": api.SettingsFrame{Document: make([]byte, api.MaxSocket)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.config.Settings = func([]byte, *deed.Title) { t.Error("settings of another home were handed on") }
			s.run()
			s.until("it is connected", func() bool { return s.uplink.Status().State == uplink.Connected })
			s.then <- f
			s.until("it has come back", func() bool {
				s.mu.Lock()
				defer s.mu.Unlock()
				return s.hellos > 1
			})
			s.until("it is connected again", func() bool { return s.uplink.Status().State == uplink.Connected })
		})
	}
}

// TestAnswersUnderAnothersName: what would be right is not taken if it names another home,
// and an answer that names this one is none if nothing was asked.
func TestAnswersUnderAnothersName(t *testing.T) {
	for name, send := range map[string]func(s *stage){
		"deeds": func(s *stage) {
			before := s.owner.Title().Head()
			s.owner.StartEpoch()
			after := s.owner.Title()
			s.owner.Adopt(s.chain.Title())
			s.then <- api.DeedsFrame{Home: latchkey.HomeID{1}, Head: api.Head(after.Head()), Deeds: after.Deeds(before.Seq + 1)}
		},
		"an answer": func(s *stage) {
			s.mu.Lock()
			s.mixup = latchkey.HomeID{1}
			s.mu.Unlock()
			s.uplink.Nudge()
		},
		"an answer to nothing": func(s *stage) { s.then <- api.Done{ID: "nothing", Home: s.owner.Home()} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			var wishes atomic.Bool
			camera := latchkey.NewCameraID()
			s.config.Wishes = func() []uplink.Wish {
				return []uplink.Wish{{Camera: camera, Name: "Hall"}}[:map[bool]int{true: 1}[wishes.Load()]]
			}
			s.run()
			s.until("it is connected", func() bool { return s.uplink.Status().State == uplink.Connected })
			wishes.Store(true)
			head := s.chain.Title().Head()
			send(s)
			s.until("it has come back", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.hellos > 1 })
			if s.chain.Title().Head() != head {
				t.Error("the deeds were taken in")
			}
		})
	}
}

// TestServerThatKnowsLess is one restored from a backup: it does not know the deeds
// that the agent names, and says so.
func TestServerThatKnowsLess(t *testing.T) {
	s := newStage(t)
	s.welcome = func(h api.Hello) api.Frame {
		return api.Refused{ID: h.ID, Home: h.Home.String(), Reason: api.UnknownHead, Message: "never heard of it"}
	}
	s.run()
	s.until("the state says so", func() bool { return s.uplink.Status().State == uplink.OtherChain })
}

func TestClonedStops(t *testing.T) {
	s := newStage(t)
	s.welcome = func(h api.Hello) api.Frame {
		return api.Refused{ID: h.ID, Home: h.Home.String(), Reason: api.Cloned, Message: "a copy"}
	}
	u, err := uplink.New(s.config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	if err := u.Run(ctx); !errors.Is(err, uplink.ErrCloned) {
		t.Errorf("it ends with %v", err)
	}
	if st := u.Status(); st.State != uplink.Cloned || !strings.Contains(st.Detail, "only one copy") {
		t.Errorf("status %+v", st)
	}
}

// TestWaitsToBePlaced is the end of a join.
func TestWaitsToBePlaced(t *testing.T) {
	s := newStage(t)
	s.config.Spool = nil
	s.welcome = func(h api.Hello) api.Frame {
		if s.hellos < 4 {
			return api.Refused{ID: h.ID, Home: h.Home.String(), Reason: api.UnknownAgent, Message: "not placed"}
		}
		return s.genuine(h)
	}
	u, err := uplink.New(s.config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	told := false
	title, err := u.Welcomed(ctx, func(st uplink.Status) { told = told || st.State == uplink.NotPlaced })
	if err != nil || title.Head() != s.owner.Title().Head() {
		t.Errorf("welcomed with %v", err)
	}
	if !told {
		t.Error("nobody was told what it waited for")
	}
}

func TestDeedsAndSettingsArrive(t *testing.T) {
	s := newStage(t)
	got := make(chan string, 4)
	s.config.Settings = func(b []byte, title *deed.Title) { got <- string(b) }
	s.welcome = func(h api.Hello) api.Frame {
		w := s.genuine(h).(api.Welcome)
		w.Settings = []byte("first")
		return w
	}
	s.run()
	s.until("it is connected", func() bool { return s.uplink.Status().State == uplink.Connected })
	before := s.owner.Title().Head()
	s.owner.StartEpoch()
	after := s.owner.Title()
	s.then <- api.DeedsFrame{Home: s.owner.Home(), Head: api.Head(after.Head()), Deeds: after.Deeds(before.Seq + 1)}
	s.then <- api.SettingsFrame{Home: s.owner.Home(), Document: []byte("second")}
	if a, b := <-got, <-got; a != "first" || b != "second" {
		t.Errorf("settings %q, then %q", a, b)
	}
	if s.chain.Title().Head() != after.Head() {
		t.Error("the deeds were not taken in")
	}
}

// TestAsks: a camera is asked for once over a connection, and again when the epoch to
// which its name is sealed has passed; one that is placed is not.
func TestAsks(t *testing.T) {
	s := newStage(t)
	garden := latchkey.NewCameraID()
	s.config.Wishes = func() []uplink.Wish {
		return []uplink.Wish{{Camera: garden, Name: "Garden"}, {Camera: s.camera, Name: "Placed"}}
	}
	asks := func() []api.Ask {
		s.mu.Lock()
		defer s.mu.Unlock()
		return append([]api.Ask{}, s.asks...)
	}
	s.run()
	s.until("it asks", func() bool { return len(asks()) == 1 })
	s.uplink.Nudge()
	before := s.owner.Title().Head()
	s.owner.StartEpoch()
	after := s.owner.Title()
	s.then <- api.DeedsFrame{Home: s.owner.Home(), Head: api.Head(after.Head()), Deeds: after.Deeds(before.Seq + 1)}
	s.until("it asks again", func() bool { return len(asks()) == 2 })
	for i, ask := range asks() {
		k, ok := s.owner.Ring().Epoch(latchkey.Epoch(i + 1))
		if !ok || ask.Camera != garden || ask.Epoch != latchkey.Epoch(i+1) {
			t.Fatalf("ask %d is for %s in epoch %d", i, ask.Camera, ask.Epoch)
		}
		name, err := k.Open(api.AskNameInfo(s.owner.Home(), garden), ask.SealedName)
		if err != nil || string(name) != "Garden" {
			t.Errorf("ask %d is named %q, %v", i, name, err)
		}
	}
}

// TestServerIsAway: an agent whose server is not there says so in words, goes on
// trying, and uploads when it is back.
// TestAsksNobodyBeforeTheFirstEpoch: until then there is nobody to seal a name to.
func TestAsksNobodyBeforeTheFirstEpoch(t *testing.T) {
	s := newStage(t)
	first, err := deed.Start(s.owner.Deeds()[0])
	if err != nil {
		t.Fatal(err)
	}
	s.owner.Adopt(first)
	s.agent = s.owner.PlaceAgent()
	s.config.Keys = s.agent.Keys
	s.config.Wishes = func() []uplink.Wish { return []uplink.Wish{{Camera: s.camera, Name: "Hall"}} }
	s.run()
	s.until("it is connected", func() bool { return s.uplink.Status().State == uplink.Connected })
	before := s.owner.Title().Head()
	s.owner.StartEpoch()
	after := s.owner.Title()
	s.then <- api.DeedsFrame{Home: s.owner.Home(), Head: api.Head(after.Head()), Deeds: after.Deeds(before.Seq + 1)}
	s.until("it asks", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.asks) == 1 })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hellos != 1 {
		t.Errorf("it has connected %d times", s.hellos)
	}
}

func TestServerIsAway(t *testing.T) {
	s := newStage(t)
	s.add(latchkey.Thumbnail, "x")
	s.away.Store(true)
	s.run()
	s.until("it says so", func() bool { return s.uplink.Status().State == uplink.Waiting })
	if st := s.uplink.Status(); st.Detail == "" {
		t.Errorf("status %+v", st)
	}
	s.away.Store(false)
	s.until("it is uploaded", func() bool { return s.spool.Status().Objects == 0 })
}

func TestAddressesOfServers(t *testing.T) {
	s := newStage(t)
	for _, address := range []string{"", "house", "ftp://house", "https://", "https://house/path", "://"} {
		s.config.Server = address
		if _, err := uplink.New(s.config); err == nil {
			t.Errorf("%q is taken for a server's address", address)
		}
	}
}

// TestFollows: a server that hears of deeds from its agent alone is told of each by a hello
// that names it, and once; another one is not.
func TestFollows(t *testing.T) {
	for _, follows := range []bool{true, false} {
		s := newStage(t)
		s.config.Follows, s.config.Start = follows, s.config.Start.Beside()
		hellos := make(chan latchkey.Head, 100)
		s.welcome = func(h api.Hello) api.Frame {
			if known, err := h.KnownHead(); err == nil && known != nil {
				hellos <- *known
			}
			return s.genuine(h)
		}
		s.knows()
		s.run()
		quiet := func(after string) {
			t.Helper()
			s.until("it is connected", func() bool { return s.uplink.Status().State == uplink.Connected })
			select {
			case h := <-hellos:
				t.Errorf("follows %t: %s comes a hello that names %v", follows, after, h)
			case <-time.After(100 * time.Millisecond):
			}
		}
		if h := <-hellos; h != s.owner.Title().Head() {
			t.Errorf("the first hello names %v", h)
		}
		quiet("behind the first")
		before := s.owner.Title().Head()
		s.owner.StartEpoch()
		if _, err := s.chain.Extend(s.owner.Title().Head(), s.owner.Title().Deeds(before.Seq+1)); err != nil {
			t.Fatal(err)
		}
		if follows {
			if h := <-hellos; h != s.owner.Title().Head() {
				t.Errorf("the hello after a deed names %v", h)
			}
		}
		quiet("behind a deed")
	}
}
