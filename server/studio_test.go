package server_test

import (
	"context"
	"crypto"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/sealed"
)

// studio is the agent's end of a home's live view, and the clock of both ends.
type studio struct {
	*home
	socket *api.Socket
	porter *live.Porter
	run    *live.Run
	inlet  *api.Inlet
	began  time.Time
}

func (m *home) main() sealed.Stream {
	return sealed.Stream{Home: m.owner.Home(), Camera: m.camera, Kind: sealed.MainStream}
}

func (m *home) studio() *studio {
	m.t.Helper()
	s := &studio{home: m, socket: m.connect(start{1, 0, 1}), porter: live.NewPorter(m.agent.Keys, 1), began: time.Now()}
	s.run = must(live.Start(m.agent.Keys, m.main(), live.Init{Type: "video/mp4", Segment: []byte("moov")}, s.now()))
	return s
}

func (s *studio) clock() latchkey.Time { return latchkey.TimeOf(s.house.time()) }

func (s *studio) now() live.Now {
	return live.Now{Clock: s.clock(), Sure: true, Monotonic: uint64(time.Since(s.began).Microseconds()) + 1}
}

// wanted waits until the agent is told that the main stream is wanted or not.
func (s *studio) wanted(want bool) {
	s.t.Helper()
	f := receive[api.WantedFrame](s.t, s.socket)
	if f.Home != s.owner.Home() || f.Camera != s.camera || f.Stream != "main" || f.Wanted != want {
		s.t.Fatalf("%+v, want %t", f, want)
	}
}

// bring opens the inlet.
func (s *studio) bring() {
	s.t.Helper()
	s.inlet = must(s.upload.Inlet(within(s.t), s.owner.Title().Head(), s.main()))
	s.t.Cleanup(func() { s.inlet.Close() })
}

// film sends a picture; those in capitals are key frames.
func (s *studio) film(pictures ...string) {
	s.t.Helper()
	for _, p := range pictures {
		b := must(s.run.Seal([]byte(p), p[0] < 'a', s.now().Monotonic))
		if err := s.inlet.Send(within(s.t), b); err != nil {
			s.t.Fatal(err)
		}
	}
}

// answer takes a knock and grants the run.
func (s *studio) answer() {
	s.t.Helper()
	k := receive[api.KnockFrame](s.t, s.socket)
	if k.Home != s.owner.Home() {
		s.t.Errorf("a knock for home %s", k.Home)
	}
	visitor := must(s.porter.Open(k.Knock, s.owner.Title(), s.now()))
	g := must(visitor.Grant(s.run, s.owner.Title(), s.now()))
	if err := s.socket.Send(within(s.t), api.GrantFrame{Home: s.owner.Home(), Grant: g}); err != nil {
		s.t.Fatal(err)
	}
}

// seat is a viewer at a server.
type seat struct {
	s      *studio
	viewer *live.Viewer
	socket *api.Live
}

func (s *studio) seat(page *api.Home, device crypto.Signer) *seat {
	s.t.Helper()
	socket := must(page.Live(within(s.t), s.camera, sealed.MainStream))
	s.t.Cleanup(func() { socket.Close() })
	return &seat{s, live.NewViewer(device, s.main()), socket}
}

// owners is a seat of the owner's.
func (s *studio) owners() *seat {
	_, device := s.owner.Device()
	return s.seat(s.member, device)
}

func (v *seat) knock() {
	v.s.t.Helper()
	if err := v.socket.Knock(within(v.s.t), must(v.viewer.Knock(v.s.owner.Title(), v.s.clock()))); err != nil {
		v.s.t.Fatal(err)
	}
}

// next is what comes next, as a viewer takes it: a word, "granted", or a picture.
func (v *seat) next(ctx context.Context) (string, error) {
	b, word, err := v.socket.Next(ctx)
	if err != nil || word != "" {
		return word, err
	}
	step, err := v.viewer.Take(b, v.s.owner.Title(), v.s.clock())
	if step.Granted {
		return "granted", err
	}
	return string(step.Media), err
}

func (v *seat) wants(all ...string) {
	v.s.t.Helper()
	for _, want := range all {
		if got, err := v.next(within(v.s.t)); err != nil || got != want {
			v.s.t.Fatalf("the viewer has %q, %v, want %q", got, err, want)
		}
	}
}

// wantCut wants nothing more to come, soon.
func (v *seat) wantCut(what string) {
	v.s.t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	for {
		got, err := v.next(ctx)
		if ctx.Err() != nil {
			v.s.t.Errorf("%s: the viewer is not cut", what)
			return
		}
		if err != nil && sealed.ReasonOf(err) == "" {
			return
		}
		if got != "" && got != api.LiveAway {
			v.s.t.Errorf("%s: the viewer is given %q", what, got)
		}
	}
}
