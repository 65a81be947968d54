package crossed

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/drill"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

// Live view in a scene: how often a camera sends a picture, and how long somebody sits
// before a dark screen.
const (
	filmEvery = 50 * time.Millisecond
	watches   = 5 * time.Second
)

// air is the other server of Latchkey's cloud, to which agents bring what is watched at
// the first: all of it goes over the bus.
type air struct {
	place *drill.Place

	mu      sync.Mutex // protects filming
	filming map[*home]*filming
}

// openAir starts it.
func (o *ours) openAir(ctx context.Context) (*air, error) {
	place, err := drill.Serve(ctx, server.Config{
		Archive: o.parts.Archive.Wrap(o.archive.Archive()), Blobs: o.parts.Blobs.Wrap(o.blobs), Bus: o.bus, Log: slog.New(o.noticed),
	})
	if err != nil {
		return nil, err
	}
	return &air{place: place, filming: map[*home]*filming{}}, nil
}

func (a *air) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.filming {
		if f.socket != nil {
			f.socket.Close() // ends serve
			<-f.ended
		}
	}
	return a.place.Close()
}

// filming is a home's agent in such a scene, whose camera films while somebody watches.
type filming struct {
	home   *home
	air    *air
	began  time.Time
	porter *live.Porter
	run    *live.Run

	mu     sync.Mutex // is held by whoever watches: one after the other
	socket *api.Socket
	ended  chan struct{}
}

func (a *air) of(h *home) *filming {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.filming[h] == nil {
		a.filming[h] = &filming{home: h, air: a, began: time.Now()}
	}
	return a.filming[h]
}

func (f *filming) stream() sealed.Stream {
	return sealed.Stream{Home: f.home.id(), Camera: f.home.camera, Kind: sealed.MainStream}
}

func (f *filming) now() live.Now {
	return live.Now{Clock: latchkey.TimeOf(time.Now()), Sure: true, Monotonic: uint64(time.Since(f.began).Microseconds()) + 1}
}

// connect is the agent's beginning, and begins anew when its connection has ended. The
// caller holds mu.
func (f *filming) connect(ctx context.Context) error {
	if f.socket != nil {
		select {
		case <-f.ended:
			f.socket.Close() // the rest of it
		default:
			return nil
		}
	}
	s, err := drill.Connect(ctx, f.air.place.Client, f.home.title(), f.home.agent)
	if err != nil {
		return err
	}
	keys := f.home.agent.Keys
	if f.run, err = live.Start(keys, f.stream(), live.Init{Type: "image/jpeg", Segment: []byte("moov")}, f.now()); err != nil {
		return errors.Join(err, s.Close())
	}
	f.porter, f.socket, f.ended = live.NewPorter(keys, 1), s, make(chan struct{})
	go f.serve(context.WithoutCancel(ctx), s)
	return nil
}

// serve grants the run to whoever knocks, until the connection ends.
func (f *filming) serve(ctx context.Context, s *api.Socket) {
	defer close(f.ended)
	for {
		m, err := s.Receive(ctx)
		if err != nil {
			return
		}
		k, ok := m.(api.KnockFrame)
		if !ok {
			continue
		}
		title := f.home.title()
		visitor, err := f.porter.Open(k.Knock, title, f.now())
		if err != nil {
			continue // whoever knocked sees nothing, and that is counted
		}
		if g, err := visitor.Grant(f.run, title, f.now()); err == nil {
			_ = s.Send(ctx, api.GrantFrame{Home: f.home.id(), Grant: g}) // likewise
		}
	}
}

// film sends key frames until ctx ends.
func (f *filming) film(ctx context.Context, title *deed.Title) {
	upload := f.air.place.Client.Agent(f.home.id(), f.home.agent.Keys.Agent, f.home.agent.Keys.Signing)
	var in *api.Inlet
	for ; ctx.Err() == nil; pause(ctx, filmEvery) {
		if in == nil {
			var err error
			if in, err = upload.Inlet(ctx, title.Head(), f.stream()); err != nil {
				in = nil // nobody is heard to watch yet
				continue
			}
			defer in.Close() // it is over
		}
		b, err := f.run.Seal(f.home.picture, true, f.now().Monotonic)
		if err != nil || in.Send(ctx, b) != nil {
			return
		}
	}
}

// watch has the owner of a home watch its camera until they have seen a picture.
func (o *ours) watch(ctx context.Context, h *home, v *visit) {
	f := o.air.of(h)
	f.mu.Lock()
	defer f.mu.Unlock()
	ctx, stop := context.WithTimeout(ctx, watches)
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	h.catchUp(ctx) // no server welcomes an agent that knows of more than it has
	p := h.page(o.noticed.ring)
	socket, err := p.session.Live(ctx, h.camera, sealed.MainStream)
	if err == nil {
		defer socket.Close() // it is over
		err = f.connect(ctx)
	}
	if err == nil {
		work.Go(func() { f.film(ctx, p.title) })
		err = f.show(ctx, p, socket, v)
	}
	if err != nil {
		p.note(err)
		v.refused++
	}
}

// show knocks, and takes what comes until there is a picture.
func (f *filming) show(ctx context.Context, p page, socket *api.Live, v *visit) error {
	_, signing := f.home.owner.Device()
	viewer := live.NewViewer(signing, f.stream())
	knock, err := viewer.Knock(p.title, f.now().Clock)
	if err == nil {
		err = socket.Knock(ctx, knock)
	}
	for err == nil {
		var b []byte
		if b, _, err = socket.Next(ctx); err != nil || b == nil {
			continue // a word is no picture
		}
		// The agent may know of somebody who has come since the page was opened.
		step, refused := viewer.Take(b, f.home.title(), f.now().Clock)
		if step.Media != nil {
			v.shown = append(v.shown, step.Media)
			return nil
		}
		if sealed.Word(refused) == sealed.Misroute {
			v.given++
		}
		p.note(refused)
	}
	return err
}
