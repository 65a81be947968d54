package gate

import (
	"context"
	"crypto/tls"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Handshakes lets as many TLS handshakes be worked on at once as there are processors, so
// that a storm of them delays nobody who is in already. Those who wait are bounded, and
// people go before machines: who names no protocol above TLS, as a browser does, is a
// machine. The zero one is ready, and may be used by several goroutines.
type Handshakes struct {
	mu     sync.Mutex // protects what follows
	busy   int        // handshakes that are worked on
	served uint64
	lines  [ranks][]chan struct{} // that wait, each closed when it is its turn
}

const (
	mostShaking = 4096            // handshakes of a rank that wait
	shakeWithin = 5 * time.Second // or the client has given up
)

// errCrowded ends a handshake. The client sees that the connection ends.
var errCrowded = errors.New("too many connections begin at the same time")

// Config returns a configuration for a server that keeps to the bound, and is as c
// otherwise. c must have no GetConfigForClient and no VerifyConnection.
func (h *Handshakes) Config(c *tls.Config) *tls.Config {
	if c.GetConfigForClient != nil || c.VerifyConnection != nil {
		panic("internal error: a TLS configuration with callbacks of its own")
	}
	outer := c.Clone()
	outer.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		rank := Person
		if len(hello.SupportedProtos) == 0 {
			rank = Agent
		}
		if err := h.begin(hello.Context(), rank); err != nil {
			return nil, err
		}
		end := sync.OnceFunc(h.end)
		context.AfterFunc(hello.Context(), end) // it went wrong
		inner := c.Clone()
		// It is called when everything is signed and sent that is dear: what is still to
		// come is the client's.
		inner.VerifyConnection = func(tls.ConnectionState) error {
			end()
			return nil
		}
		return inner, nil
	}
	return outer
}

// begin returns when the handshake may be worked on.
func (h *Handshakes) begin(ctx context.Context, rank Rank) error {
	h.mu.Lock()
	if h.busy < runtime.GOMAXPROCS(0) {
		h.busy++
		h.mu.Unlock()
		return nil
	}
	if len(h.lines[rank]) >= mostShaking {
		h.mu.Unlock()
		return errCrowded
	}
	turn := make(chan struct{})
	h.lines[rank] = append(h.lines[rank], turn)
	h.mu.Unlock()
	late := time.NewTimer(shakeWithin)
	defer late.Stop()
	err := errCrowded
	select {
	case <-turn:
		return nil
	case <-late.C:
	case <-ctx.Done():
		err = ctx.Err()
	}
	h.mu.Lock()
	if i := slices.Index(h.lines[rank], turn); i >= 0 {
		h.lines[rank] = slices.Delete(h.lines[rank], i, i+1)
		h.mu.Unlock()
		return err
	}
	h.mu.Unlock()
	h.end() // it was its turn at the same moment
	return err
}

// end gives the place of a handshake to the next: people first, and each so-many-th one
// is a machine's.
func (h *Handshakes) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.served++
	order := []Rank{Person, Agent}
	if h.served%uint64(1/share) == 0 {
		slices.Reverse(order)
	}
	for _, rank := range order {
		if line := h.lines[rank]; len(line) > 0 {
			close(line[0])
			h.lines[rank] = line[1:]
			return
		}
	}
	h.busy--
}
