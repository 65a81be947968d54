package crossed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/drill"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

// home is a home with real keys. The control arms know only its ID and its picture.
type home struct {
	owner   *keytest.Owner
	agent   *keytest.Agent
	camera  latchkey.CameraID
	picture []byte // what its camera sees

	out    atomic.Bool // the owner was signed out, and signs in with the next look
	upload *api.Agent

	mu      sync.Mutex    // protects owner's title, what follows, and the agent's counting
	known   latchkey.Head // that the server has
	session *api.Home     // of the owner, at Latchkey
}

func (h *home) id() latchkey.HomeID { return h.owner.Home() }

// newHome makes the keys of a home, its deeds and its picture.
func newHome() (*home, error) {
	h := &home{owner: keytest.NewOwner()}
	h.owner.Found()
	h.agent = h.owner.PlaceAgent()
	h.camera = h.owner.PlaceCamera(h.agent)
	var err error
	h.picture, err = picture(h.id())
	return h, err
}

// makeHomes makes so many, on all cores.
func makeHomes(ctx context.Context, n int, tell func(done int)) ([]*home, error) {
	homes := make([]*home, n)
	err := drill.Each(ctx, n, runtime.GOMAXPROCS(0), tell, func(_ context.Context, i int) (err error) {
		homes[i], err = newHome()
		return err
	})
	return homes, err
}

// found founds the home at a server, and signs its owner in.
func (h *home) found(ctx context.Context, client *api.Client, setup string) error {
	if _, err := client.Found(ctx, setup, h.owner.Deeds()); err != nil {
		return fmt.Errorf("found a home: %w", err)
	}
	if err := h.signIn(ctx, client); err != nil {
		return err
	}
	h.upload = client.Agent(h.id(), h.agent.Keys.Agent, h.agent.Keys.Signing)
	h.known = h.owner.Title().Head()
	return h.record(ctx)
}

func (h *home) signIn(ctx context.Context, client *api.Client) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	device, signing := h.owner.Device()
	session, err := client.SignIn(ctx, h.id(), device, signing, h.owner.Title().Head())
	if err != nil {
		return fmt.Errorf("sign an owner in: %w", err)
	}
	h.session = session
	return nil
}

// page is the owner's browser.
func (h *home) page(noticed func()) page {
	h.mu.Lock()
	defer h.mu.Unlock()
	return page{h.session, h.owner.Title(), h.owner.Ring(), noticed, func() { h.out.Store(true) }}
}

func (h *home) title() *deed.Title {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.owner.Title()
}

// record seals what the camera sees, and uploads it. The caller holds mu.
func (h *home) record(ctx context.Context) error {
	t := h.owner.Title()
	o := h.agent.Object(t, h.camera, latchkey.Thumbnail, h.picture)
	return h.upload.Upload(ctx, t.Head(), o.Name(), o.File.Bytes(), 0, bytes.NewReader(o.Body), uint64(len(o.Body)))
}

// catchUp is what a page does whose deeds may not have arrived: it brings them again.
func (h *home) catchUp(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known != h.owner.Title().Head() {
		h.append(ctx) // or the next time
	}
}

// append brings the server the deeds that it lacks, and says whether it has them all now.
// The caller holds mu. An answer that was lost is asked for again the next time.
func (h *home) append(ctx context.Context) bool {
	t := h.owner.Title()
	_, err := h.session.Append(ctx, h.known, t.Deeds(h.known.Seq+1)...)
	var refused *api.Error
	if errors.As(err, &refused) && refused.Refusal.Error.Reason == api.Conflict {
		_, head, lost := h.session.Deeds(ctx, h.known.Seq+1)
		if lost == nil && t.OnChain(head) {
			h.known = head
		}
		return h.known == t.Head()
	}
	if err == nil {
		h.known = t.Head()
	}
	return err == nil
}
