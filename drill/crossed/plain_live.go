package crossed

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// channels pass pictures on as they come, by the names of devices, to whoever listens:
// what a control arm's server has for live view.
type channels struct {
	cross crossing // names of devices, when its faults are wanted

	mu sync.Mutex // protects on
	on map[string]map[chan []byte]bool
}

// listens is how long somebody waits for a picture.
const listens = 500 * time.Millisecond

func (c *channels) listen(device string) (pictures chan []byte, stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	pictures = make(chan []byte, 1)
	if c.on == nil {
		c.on = map[string]map[chan []byte]bool{}
	}
	if c.on[device] == nil {
		c.on[device] = map[chan []byte]bool{}
	}
	c.on[device][pictures] = true
	return pictures, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.on[device], pictures)
		if len(c.on[device]) == 0 {
			delete(c.on, device)
		}
	}
}

// publish never waits for who listens.
func (c *channels) publish(device string, picture []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for to := range c.on[device] {
		select {
		case to <- picture:
		default:
		}
	}
}

// film passes a picture of a device on.
func (p *plain) film(w http.ResponseWriter, r *http.Request) {
	picture, err := io.ReadAll(r.Body)
	device := r.PathValue("device")
	if err == nil {
		device, err = p.live.cross.pass(r.Context(), device)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.live.publish(device, picture)
}

// watch shows the next picture of a device to the account whose it is.
func (p *plain) watch(w http.ResponseWriter, r *http.Request) {
	user, device := account(r), r.PathValue("device")
	b, err := p.next(r.Context(), device, user)
	switch {
	case errors.Is(err, errNotTheirs):
		http.Error(w, err.Error(), http.StatusForbidden)
	case err != nil:
		http.Error(w, err.Error(), http.StatusGatewayTimeout)
	default:
		w.Header().Set("Content-Type", "image/jpeg")
		_, _ = w.Write(b) // nobody is there to see it
	}
}

func (p *plain) next(ctx context.Context, device, user string) ([]byte, error) {
	pictures, stop := p.live.listen(device)
	defer stop()
	whose, err := p.userOf(ctx, device)
	if err != nil {
		return nil, err
	}
	if whose != user {
		return nil, errNotTheirs
	}
	ctx, done := context.WithTimeout(ctx, listens)
	defer done()
	select {
	case b := <-pictures:
		return b, p.stamped(b, user)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
