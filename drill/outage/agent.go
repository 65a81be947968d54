package outage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/comeback"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

// patience is how long an agent waits for each answer before it gives up: less than a real
// one, which is not to make up for a server that keeps it waiting.
const patience = 3 * time.Second

// home is a home with real keys, an agent and a camera.
type home struct {
	owner  *keytest.Owner
	agent  *keytest.Agent
	camera latchkey.CameraID

	http   *http.Client // of the agent
	client *api.Client
	upload *api.Agent

	back     atomic.Int64 // when it was, µs; 0: not yet
	attempts atomic.Int64 // since the server was there
	shaken   atomic.Int64 // of them: with a TLS handshake

	mu      sync.Mutex // protects what follows
	backlog []keytest.Object
	stored  []latchkey.Name // acknowledged
}

// record is what its camera sees.
func (h *home) record(content []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.agent.Bind(h.owner.Title(), h.camera, latchkey.Thumbnail)
	b.Time = latchkey.TimeOf(time.Now())
	h.backlog = append(h.backlog, h.agent.Seal(h.owner.Title(), b, content))
}

// newest is what is uploaded first.
func (h *home) newest() (o keytest.Object, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.backlog) == 0 {
		return o, false
	}
	return h.backlog[len(h.backlog)-1], true
}

func (h *home) acknowledged(o keytest.Object) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stored = append(h.stored, o.Name())
	for i, b := range h.backlog {
		if b.Name() == o.Name() {
			h.backlog = append(h.backlog[:i], h.backlog[i+1:]...)
			return
		}
	}
}

// policy says when an agent comes again.
type policy interface {
	Place() string
	Welcomed(spread time.Duration)
	Told(spread time.Duration)
	Failed(err error) time.Duration
}

func policyOf(arm string) policy {
	switch arm {
	case ArmFixed:
		return fixed{}
	case ArmExponential:
		return &exponential{}
	}
	return &comeback.Comeback{Pause: comeback.Pause{Least: time.Second, Most: time.Minute}}
}

// fixed comes again each five seconds.
type fixed struct{}

func (fixed) Place() string              { return "" }
func (fixed) Welcomed(time.Duration)     {}
func (fixed) Told(time.Duration)         {}
func (fixed) Failed(error) time.Duration { return 5 * time.Second }

// exponential draws from a time that doubles from a second to a minute.
type exponential struct{ failures int }

func (*exponential) Place() string            { return "" }
func (*exponential) Told(time.Duration)       {}
func (e *exponential) Welcomed(time.Duration) { e.failures = 0 }

func (e *exponential) Failed(error) time.Duration {
	d := min(time.Second<<min(e.failures, 10), time.Minute)
	e.failures++
	return rand.N(d)
}

// live is the agent until ctx ends: it is connected, or tries to be.
func (h *home) live(ctx context.Context, p policy, opened *atomic.Int64, first time.Duration) {
	pause(ctx, first)
	for ctx.Err() == nil {
		err := h.converse(ctx, p, opened)
		pause(ctx, p.Failed(err))
	}
}

// converse is one connection, from the attempt to its end.
func (h *home) converse(ctx context.Context, p policy, opened *atomic.Int64) error {
	s, spread, err := h.connect(ctx, p.Place())
	if opened.Load() != 0 && h.back.Load() == 0 {
		h.attempts.Add(1)
	}
	if err != nil {
		return err
	}
	defer s.Close() // nothing is left to say
	p.Welcomed(spread)
	if err := h.bring(ctx); err != nil {
		return err
	}
	h.back.CompareAndSwap(0, time.Now().UnixMicro())
	for {
		f, err := s.Receive(ctx)
		if err != nil {
			return err
		}
		if m, ok := f.(api.SpreadFrame); ok {
			p.Told(time.Duration(m.SpreadMS) * time.Millisecond)
		}
	}
}

// connect opens the websocket and says hello.
func (h *home) connect(ctx context.Context, place string) (*api.Socket, time.Duration, error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	s, err := h.client.Dial(ctx, place)
	if err != nil {
		return nil, 0, err
	}
	spread, err := h.greet(ctx, s)
	if err != nil {
		return nil, 0, errors.Join(err, s.Close())
	}
	return s, spread, nil
}

// greet says hello and takes the welcome, which must name the deeds that the agent has.
func (h *home) greet(ctx context.Context, s *api.Socket) (spread time.Duration, err error) {
	challenge, err := receive[api.Challenge](ctx, s)
	if err != nil {
		return 0, err
	}
	title := h.owner.Title()
	hello, err := api.SignHello(api.Hello{
		ID: "hello", Home: title.Home(), Agent: h.agent.Keys.Agent, Head: title.Head().String(),
		Incarnation: 1, Token: make([]byte, 32), NextToken: bytes.Repeat([]byte{1}, 32),
	}, challenge.Nonce, h.agent.Keys.Signing)
	if err == nil {
		err = s.Send(ctx, hello)
	}
	if err != nil {
		return 0, err
	}
	welcome, err := receive[api.Welcome](ctx, s)
	if err != nil {
		return 0, err
	}
	if welcome.Home != title.Home() || latchkey.Head(welcome.Head) != title.Head() {
		return 0, fmt.Errorf("welcomed to %s at %v", welcome.Home, welcome.Head)
	}
	return time.Duration(welcome.SpreadMS) * time.Millisecond, nil
}

func receive[T api.Frame](ctx context.Context, s *api.Socket) (m T, err error) {
	f, err := s.Receive(ctx)
	if err != nil {
		return m, err
	}
	m, ok := f.(T)
	if r, refused := f.(api.Refused); refused {
		return m, fmt.Errorf("refused: %s", r.Reason)
	} else if !ok {
		return m, fmt.Errorf("the server says %T", f)
	}
	return m, nil
}

// bring uploads what was recorded, newest first.
func (h *home) bring(ctx context.Context) error {
	for {
		o, ok := h.newest()
		if !ok {
			return nil
		}
		err := h.put(ctx, o, 0)
		if e, ok := errors.AsType[*api.Error](err); ok && e.Refusal.Error.Reason == api.Offset {
			err = h.put(ctx, o, min(e.Offset, uint64(len(o.Body)))) // an earlier attempt broke off there
		}
		if err != nil {
			return err
		}
		h.acknowledged(o)
	}
}

// put uploads an object from a byte of its body on.
func (h *home) put(ctx context.Context, o keytest.Object, from uint64) error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	return h.upload.Upload(ctx, h.owner.Title().Head(), o.Name(), o.File.Bytes(), from, bytes.NewReader(o.Body[from:]), uint64(len(o.Body))-from)
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
