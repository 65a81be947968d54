package drill

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/sealed"
)

// A camera of the drill has so many pictures a second, of that size: more than a reader
// takes, so that the buffers are full when their right ends.
const (
	pictures    = 15
	pictureSize = 8 << 10
)

// broadcast is the live view of a home's camera, at its agent.
type broadcast struct {
	of     sealed.Stream
	porter *live.Porter
	run    *live.Run
	began  time.Time
	wanted atomic.Bool
}

// onAir begins the live view of a home.
func (h *home) onAir() (err error) {
	b := &broadcast{
		of:     sealed.Stream{Home: h.owner.Home(), Camera: h.camera, Kind: sealed.MainStream},
		porter: live.NewPorter(h.agent.Keys, 1), began: time.Now(),
	}
	b.run, err = live.Start(h.agent.Keys, b.of, live.Init{Type: "video/mp4", Segment: []byte("moov")}, b.now())
	h.broadcast = b
	return err
}

func (b *broadcast) now() live.Now {
	return live.Now{Clock: now(), Sure: true, Monotonic: uint64(time.Since(b.began).Microseconds()) + 1}
}

// film brings pictures while somebody watches.
func (h *home) film(ctx context.Context) {
	for ; ctx.Err() == nil; pause(ctx, 20*time.Millisecond) {
		if !h.broadcast.wanted.Load() {
			continue
		}
		agent := h.cloud.places[0].Client.Agent(h.owner.Home(), h.agent.Keys.Agent, h.agent.Keys.Signing)
		in, err := agent.Inlet(ctx, h.title.Load().Head(), h.broadcast.of)
		if err != nil {
			continue // nobody watches any more; it is asked again
		}
		h.broadcast.send(ctx, in)
		_ = in.Close() // it is over
	}
}

func (b *broadcast) send(ctx context.Context, in *api.Inlet) {
	picture := make([]byte, pictureSize)
	rand.Read(picture)
	for n := 0; b.wanted.Load() && ctx.Err() == nil; n++ {
		f, err := b.run.Seal(picture, n%pictures == 0, b.now().Monotonic)
		if err != nil || in.Send(ctx, f) != nil {
			return
		}
		pause(ctx, time.Second/pictures)
	}
}

// admitted grants the run to whoever knocks.
func (h *home) admitted(ctx context.Context, s *api.Socket, knock []byte) {
	b, title := h.broadcast, h.title.Load()
	visitor, err := b.porter.Open(knock, title, b.now())
	if err != nil {
		return // its reader never begins, and the drill says so
	}
	g, err := visitor.Grant(b.run, title, b.now())
	if err == nil {
		_ = s.Send(ctx, api.GrantFrame{Home: b.of.Home, Grant: g}) // likewise
	}
}

// watching is the question of somebody who watches the home's camera live.
func (v *victim) watching() (question, error) {
	of := v.home.broadcast.of
	knock, err := live.NewViewer(v.person.Keys.DeviceSigning, of).Knock(v.home.owner.Title(), now())
	if err != nil {
		return question{}, fmt.Errorf("knock: %w", err)
	}
	return question{method: "GET", path: "/v1/homes/" + of.Home.String() + "/live/" + of.Camera.String() + "/" + of.Kind.String(), websocket: true, says: knock}, nil
}

// message is a websocket's binary message as a browser sends it.
func message(p []byte) []byte {
	b := []byte{0x82, 0x80 | 126, byte(len(p) >> 8), byte(len(p)), 0, 0, 0, 0} // masked by zeros
	return append(b, p...)
}
