package drill

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/letter"
)

// clipSize is that of the clip that everybody downloads: a minute at a reader's pace.
const clipSize = 4 << 20

// home is a home of the drill: an owner at both servers, an agent at the first, a clip.
// One goroutine at a time changes it.
type home struct {
	cloud  *cloud
	owner  *keytest.Owner
	title  atomic.Pointer[deed.Title] // the owner's, for the agent
	agent  *keytest.Agent
	member [2]*api.Home // the owner, at each server
	camera latchkey.CameraID
	came   int                           // so many have been admitted
	clip   atomic.Pointer[latchkey.Name] // that everybody downloads
	since  latchkey.Epoch                // of it

	broadcast *broadcast

	stop context.CancelFunc
	done sync.WaitGroup
	lost atomic.Int64 // connections of the owner that broke, though nobody took their right
}

// found founds a home and fills it with what goes on in one.
func (c *cloud) found(ctx context.Context) (*home, error) {
	h := &home{cloud: c, owner: keytest.NewOwner()}
	secret, err := c.places[0].Server.MintSetup(ctx)
	if err != nil {
		return nil, fmt.Errorf("found a home: %w", err)
	}
	if _, err := c.places[0].Client.Found(ctx, secret, h.owner.Found()); err != nil {
		return nil, fmt.Errorf("found a home: %w", err)
	}
	device, key := h.owner.Device()
	for i, p := range c.places {
		if h.member[i], err = p.Client.SignIn(ctx, h.owner.Home(), device, key, h.owner.Title().Head()); err != nil {
			return nil, fmt.Errorf("sign an owner in: %w", err)
		}
	}
	_, err = h.change(ctx, 0, func() {
		h.agent = h.owner.PlaceAgent()
		h.camera = h.owner.PlaceCamera(h.agent)
	})
	if err != nil {
		return nil, err
	}
	if err := h.record(ctx); err != nil {
		return nil, err
	}
	return h, h.live(ctx)
}

// record uploads a new clip, sealed to the epoch of now.
func (h *home) record(ctx context.Context) error {
	content := make([]byte, clipSize)
	rand.Read(content)
	title := h.owner.Title()
	o := h.agent.Object(title, h.camera, latchkey.Clip, content)
	name := o.Name()
	upload := h.cloud.places[0].Client.Agent(h.owner.Home(), h.agent.Keys.Agent, h.agent.Keys.Signing)
	if err := upload.Upload(ctx, title.Head(), name, o.File.Bytes(), 0, bytes.NewReader(o.Body), uint64(len(o.Body))); err != nil {
		return fmt.Errorf("upload a clip: %w", err)
	}
	h.since = title.Epoch()
	h.clip.Store(&name)
	return nil
}

// live begins what goes on in the home until close.
func (h *home) live(ctx context.Context) error {
	socket, err := h.connect(ctx)
	if err != nil {
		return fmt.Errorf("connect an agent: %w", err)
	}
	if err := h.onAir(); err != nil {
		return errors.Join(fmt.Errorf("begin live view: %w", err), socket.Close())
	}
	ctx, h.stop = context.WithCancel(ctx)
	h.done.Go(func() { h.film(ctx) })
	h.done.Go(func() {
		<-ctx.Done()
		socket.Close() // ends serve
	})
	h.done.Go(func() { h.serve(ctx, socket) })
	h.done.Go(func() { h.bustle(ctx) })
	for _, m := range h.member {
		h.done.Go(func() { h.keep(ctx, func() error { return watch(ctx, m) }) })
		h.done.Go(func() { h.keep(ctx, func() error { return h.look(ctx, m) }) })
	}
	return nil
}

func (h *home) close() {
	if h.stop != nil {
		h.stop()
	}
	h.done.Wait()
}

// change appends what sign signs, at one of the servers, and says when it was committed.
func (h *home) change(ctx context.Context, at int, sign func()) (time.Time, error) {
	before := h.owner.Title().Head()
	sign()
	head, err := h.member[at].Append(ctx, before, h.owner.Title().Deeds(before.Seq+1)...)
	if err != nil {
		return time.Time{}, fmt.Errorf("append deeds: %w", err)
	}
	h.title.Store(h.owner.Title())
	return h.cloud.commits.of(head), nil
}

// connect is an agent's beginning.
func (h *home) connect(ctx context.Context) (*api.Socket, error) {
	return Connect(ctx, h.cloud.places[0].Client, h.owner.Title(), h.agent)
}

// Connect connects an agent in its first incarnation, and returns when it is welcomed.
func Connect(ctx context.Context, client *api.Client, title *deed.Title, agent *keytest.Agent) (*api.Socket, error) {
	s, err := client.Dial(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := greet(ctx, s, title, agent); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func greet(ctx context.Context, s *api.Socket, title *deed.Title, agent *keytest.Agent) error {
	f, err := s.Receive(ctx)
	challenge, ok := f.(api.Challenge)
	if err != nil || !ok {
		return errors.Join(fmt.Errorf("the server begins with %T", f), err)
	}
	hello, err := api.SignHello(api.Hello{
		ID: "hello", Home: title.Home(), Agent: agent.Keys.Agent, Head: title.Head().String(),
		Incarnation: 1, Token: make([]byte, 32), NextToken: bytes.Repeat([]byte{1}, 32),
	}, challenge.Nonce, agent.Keys.Signing)
	if err == nil {
		err = s.Send(ctx, hello)
	}
	if err != nil {
		return err
	}
	if f, err = s.Receive(ctx); err != nil {
		return err
	}
	if _, ok := f.(api.Welcome); !ok {
		return fmt.Errorf("the agent is not welcomed but gets %T", f)
	}
	return nil
}

// serve is the agent: it answers every command with news of its progress until it is
// told to stop.
func (h *home) serve(ctx context.Context, s *api.Socket) {
	inbox := letter.NewInbox(h.agent.Keys, 1)
	under := map[string]context.CancelFunc{}
	for {
		f, err := s.Receive(ctx)
		if err != nil {
			return
		}
		switch m := f.(type) {
		case api.CommandFrame:
			c, err := inbox.Open(m.Letter, h.title.Load(), now())
			if err != nil {
				_ = s.Send(ctx, api.Refused{ID: m.ID, Home: m.Home.String(), Reason: api.Stale}) // its reader never begins, and the drill says so
				continue
			}
			var each context.Context
			each, under[m.ID] = context.WithCancel(ctx)
			h.done.Go(func() { h.answer(ctx, each, s, m.ID, c) })
		case api.WantedFrame:
			h.broadcast.wanted.Store(m.Wanted)
		case api.KnockFrame:
			h.admitted(ctx, s, m.Knock)
		case api.StopFrame:
			if stop := under[m.ID]; stop != nil {
				stop()
				delete(under, m.ID)
			}
		}
	}
}

// answer goes on until the command's own context ends. A message is sent under the
// agent's, because one that is broken off breaks the connection.
func (h *home) answer(ctx, command context.Context, s *api.Socket, id string, c *letter.Received) {
	for n := int64(1); command.Err() == nil; n++ {
		b, err := c.Reply(h.agent.Keys, h.title.Load(), now(), letter.Progress{Says: "Looking around.", Done: n, Of: n + 1})
		if err != nil || s.Send(ctx, api.ReplyFrame{ID: id, Home: h.owner.Home(), Letter: b}) != nil {
			return
		}
		pause(command, 300*time.Millisecond)
	}
}

// bustle makes the servers tell their pages of changes, five times a second.
func (h *home) bustle(ctx context.Context) {
	for ctx.Err() == nil {
		for _, m := range h.member {
			_ = m.RefuseAsk(ctx, latchkey.NewCameraID()) // one that was not asked for
		}
		pause(ctx, 200*time.Millisecond)
	}
}

// keep does something of the owner's again and again. That it fails while the owner
// still is one is a fault.
func (h *home) keep(ctx context.Context, do func() error) {
	for ctx.Err() == nil {
		if err := do(); err != nil && ctx.Err() == nil {
			h.lost.Add(1)
		}
		pause(ctx, 100*time.Millisecond)
	}
}

// watch is an open page.
func watch(ctx context.Context, m *api.Home) error {
	s, err := m.Changes(ctx)
	if err != nil {
		return err
	}
	defer s.Close() // whatever it was
	for {
		if _, err := s.Next(ctx); err != nil {
			return err
		}
	}
}

// look downloads the clip, as slowly as the others.
func (h *home) look(ctx context.Context, m *api.Home) error {
	d, err := m.Object(ctx, *h.clip.Load())
	if err != nil {
		return err
	}
	defer d.File.Close() // read to the end, or failed already
	for {
		switch _, err := io.CopyN(io.Discard, d.File, 64*sip); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		pause(ctx, time.Second)
	}
}

func now() latchkey.Time { return latchkey.TimeOf(time.Now()) }

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
