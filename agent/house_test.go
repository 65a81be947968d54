package agent_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/open"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

// owner is somebody at a browser: the home's keys, and a session at the real server.
type owner struct {
	*keytest.Owner
	client *api.Client
	home   *api.Home
}

// found founds a home at a server with a set-up secret, and signs in. The client may
// be nil.
func found(ctx context.Context, origin, setup string, client *http.Client) (*owner, error) {
	o := &owner{Owner: keytest.NewOwner()}
	var err error
	if o.client, err = api.NewClient(origin, client); err != nil {
		return nil, err
	}
	if _, err := o.client.Found(ctx, setup, o.Found()); err != nil {
		return nil, err
	}
	device, signing := o.Device()
	o.home, err = o.client.SignIn(ctx, o.Home(), device, signing, o.Title().Head())
	return o, err
}

// say signs a statement and appends it at the server.
func (o *owner) say(ctx context.Context, b deed.Body) error {
	onto := o.Title().Head()
	_, err := o.home.Append(ctx, onto, o.Sign(b))
	return err
}

// announce opens a join slot and returns its link.
func (o *owner) announce(ctx context.Context, secret api.JoinSecret) (api.Link, []byte, error) {
	home, head := o.Home(), o.Title().Head()
	expires := latchkey.TimeOf(time.Now().Add(api.JoinLife))
	a := secret.Announce(api.Announcement{Home: home, Head: head, Expires: expires})
	link := api.Link{Origin: o.client.Origin(), Secret: secret, Home: &home, Head: &head}
	return link, a, o.home.OpenJoin(ctx, secret.Slot(), a, expires)
}

// place waits for an answer in the slot and takes the agent in.
func (o *owner) place(ctx context.Context, link api.Link, announcement []byte) (deed.AgentBody, error) {
	body, err := o.answer(ctx, link, announcement)
	if err != nil {
		return body, err
	}
	return body, o.say(ctx, body)
}

// answer waits for an agent's answer in the slot.
func (o *owner) answer(ctx context.Context, link api.Link, announcement []byte) (deed.AgentBody, error) {
	for {
		answer, err := o.home.Join(ctx, link.Secret.Slot())
		if err != nil {
			return deed.AgentBody{}, err
		}
		if len(answer) == 0 {
			select {
			case <-ctx.Done():
				return deed.AgentBody{}, ctx.Err()
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		return link.Secret.CheckAnswer(announcement, answer)
	}
}

// join has an agent of that folder join the home.
func (o *owner) join(ctx context.Context, folder string) error {
	link, announcement, err := o.announce(ctx, api.NewJoinSecret())
	if err != nil {
		return err
	}
	placed := make(chan error, 1)
	go func() {
		_, err := o.place(ctx, link, announcement)
		placed <- err
	}()
	_, err = agent.Join(ctx, agent.JoinConfig{Folder: folder, Link: link.Text(), Retry: 20 * time.Millisecond})
	return errors.Join(err, <-placed)
}

// placeAsked places every camera that is asked for, and returns their names.
func (o *owner) placeAsked(ctx context.Context) (map[latchkey.CameraID]string, error) {
	asks, err := o.home.Asks(ctx)
	if err != nil {
		return nil, err
	}
	names := map[latchkey.CameraID]string{}
	for _, b := range asks {
		ask, err := api.ParseAsk(b)
		if err != nil {
			return nil, err
		}
		if err := ask.Verify(o.Title()); err != nil {
			return nil, err
		}
		k, ok := o.Ring().Epoch(ask.Epoch)
		if !ok {
			return nil, fmt.Errorf("an ask in epoch %d", ask.Epoch)
		}
		name, err := k.Open(api.AskNameInfo(ask.Home, ask.Camera), ask.SealedName)
		if err != nil {
			return nil, err
		}
		names[ask.Camera] = string(name)
		if err := o.say(ctx, deed.CameraBody{Camera: ask.Camera, Agent: ask.Agent}); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// seen is one object as a member got it: verified, opened, and what its row says.
type seen struct {
	binding sealed.Binding
	content []byte
}

// look lists everything and opens it all, as a page does for somebody who clicks on
// everything.
func (o *owner) look(ctx context.Context) (map[latchkey.EventID][]seen, error) {
	all := map[latchkey.EventID][]seen{}
	for before := ""; ; {
		page, err := o.home.Events(ctx, before, 100)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			if _, twice := all[e.Event]; twice {
				return nil, fmt.Errorf("event %s is listed twice", e.Event)
			}
			for _, row := range e.Objects {
				s, err := o.open(ctx, e.Event, row)
				if err != nil {
					return nil, fmt.Errorf("event %s: %w", e.Event, err)
				}
				all[e.Event] = append(all[e.Event], s)
			}
		}
		if before = page.Next; before == "" {
			return all, nil
		}
	}
}

func (o *owner) open(ctx context.Context, of latchkey.EventID, row api.ObjectRow) (seen, error) {
	h, err := sealed.ParseHeader(row.Header)
	if err != nil {
		return seen{}, err
	}
	if err := sealed.Verify(h, h.Name(), o.Title()); err != nil {
		return seen{}, err
	}
	if h.Binding.Event != of {
		return seen{}, fmt.Errorf("an object of event %s", h.Binding.Event)
	}
	envelope, err := sealed.ParseEnvelope(row.Envelope)
	if err != nil {
		return seen{}, err
	}
	d, err := o.home.Object(ctx, h.Name())
	if err != nil {
		return seen{}, err
	}
	defer d.File.Close()
	f, err := sealed.ReadFile(d.File)
	if err != nil {
		return seen{}, err
	}
	f.Envelopes = []sealed.Envelope{envelope}
	var content bytes.Buffer
	err = open.Open(f, d.File, h.Name(), o.Title(), o.Ring(), &content)
	return seen{f.Header.Binding, content.Bytes()}, err
}

// painted is what a camera that does not exist shows in an event: bytes that only that
// event has.
func painted(id latchkey.EventID, kind latchkey.Kind) []byte {
	seed := sha256.Sum256(append([]byte(kind.String()), id[:]...))
	size := 3_000 + int(binary.BigEndian.Uint16(seed[:]))/2
	if kind == latchkey.Clip {
		size *= 8
	}
	b := make([]byte, size)
	rand.NewChaCha8(seed).Read(b)
	return b
}

// before is the event that another one goes on from.
func before(id latchkey.EventID) latchkey.EventID {
	id[0] ^= 1
	return id
}

// happen makes one event as a camera's watcher does, and says how far the sink has
// acknowledged it.
func happen(ctx context.Context, c event.Config) (id latchkey.EventID, began, ended error) {
	now := c.Clock(time.Now())
	e := event.Event{
		ID: latchkey.NewEventID(), Camera: c.Camera, Cause: "motion", Start: now, End: now, Score: 0.25, Picture: now,
		Stages: event.Stages{Received: now, Decided: now, Still: now},
	}
	e.Continues = before(e.ID)
	began = c.Sink.Begin(ctx, e, painted(e.ID, latchkey.Thumbnail))
	clip := painted(e.ID, latchkey.Clip)
	e.End.Wall += 2_000_000
	e.End.Monotonic += 2_000_000
	e.Clip = event.Clip{Sub: true, Start: now, Duration: 2 * time.Second, Type: `video/mp4; codecs="avc1.64001f"`, Width: 640, Height: 360, Bytes: int64(len(clip))}
	ended = c.Sink.End(ctx, e, func(w io.Writer) error {
		_, err := w.Write(clip)
		return err
	})
	return e.ID, began, ended
}

// whole says what is wrong with an event as it was seen: that it is not the one that
// happened, or has anything twice. A kind that was never acknowledged may be missing.
func whole(id latchkey.EventID, objects []seen, acknowledged ...latchkey.Kind) error {
	have := map[latchkey.Kind]seen{}
	for _, o := range objects {
		if _, twice := have[o.binding.Kind]; twice {
			return fmt.Errorf("event %s has two of kind %s", id, o.binding.Kind)
		}
		have[o.binding.Kind] = o
	}
	for _, kind := range acknowledged {
		if _, ok := have[kind]; !ok {
			return fmt.Errorf("event %s was acknowledged and has lost its %s", id, kind)
		}
	}
	for _, kind := range []latchkey.Kind{latchkey.Thumbnail, latchkey.Clip} {
		if o, ok := have[kind]; ok && !bytes.Equal(o.content, painted(id, kind)) {
			return fmt.Errorf("event %s has another's %s", id, kind)
		}
	}
	if o, ok := have[latchkey.Description]; ok {
		return described(id, o.content, have[latchkey.Clip])
	}
	return nil
}

func described(id latchkey.EventID, text []byte, clip seen) error {
	var d struct {
		V         int              `json:"v"`
		Start     latchkey.Time    `json:"start"`
		End       latchkey.Time    `json:"end"`
		Continues latchkey.EventID `json:"continues"`
		Clip      struct {
			Object latchkey.ObjectID `json:"object"`
			Stream string            `json:"stream"`
			Bytes  int               `json:"bytes"`
			Pieces []byte            `json:"pieces"`
		} `json:"clip"`
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return fmt.Errorf("event %s: its description: %w", id, err)
	}
	if d.V != 1 || d.Continues != before(id) || d.End-d.Start != 2_000_000 || d.Clip.Object != clip.binding.Object || d.Clip.Stream != "sub" || d.Clip.Bytes != len(clip.content) || !bytes.Equal(d.Clip.Pieces, sums(clip.content)) {
		return fmt.Errorf("event %s: its description is %s", id, text)
	}
	return nil
}

// sums are the SHA-256 of each piece of a clip's content.
func sums(content []byte) (all []byte) {
	for piece := range slices.Chunk(content, 256<<10) {
		sum := sha256.Sum256(piece)
		all = append(all, sum[:]...)
	}
	return all
}

// house is a server in this process, an owner, and the folder of an agent that has
// joined.
type house struct {
	t      *testing.T
	ctx    context.Context
	server *server.Local
	owner  *owner
	data   string // folder of the server
	folder string // of the agent
}

func newHouse(t *testing.T) *house {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(stop)
	h := &house{t: t, ctx: ctx, folder: filepath.Join(t.TempDir(), "agent"), data: filepath.Join(t.TempDir(), "server")}
	var err error
	h.server, err = server.Run(ctx, server.LocalConfig{Data: h.data, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.server.Close() })
	setup, err := h.server.MintSetup(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if h.owner, err = found(ctx, h.server.Origin, setup, nil); err != nil {
		t.Fatal(err)
	}
	return h
}

// joined has the agent join.
func (h *house) joined() *house {
	h.t.Helper()
	if err := h.owner.join(h.ctx, h.folder); err != nil {
		h.t.Fatal(err)
	}
	return h
}

// describe describes a camera to the agent.
func (h *house) describe(name string) agent.Camera {
	h.t.Helper()
	state, err := agent.OpenState(h.folder)
	if err != nil {
		h.t.Fatal(err)
	}
	defer state.Close()
	c, _, err := state.AddCamera(agent.Camera{Name: name, Main: "rtsp://127.0.0.1/" + name})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// run runs the agent until the test ends or the function that it returns is called.
func (h *house) run(c agent.Config) (a *agent.Agent, stop func() error) {
	h.t.Helper()
	c.Folder, c.Retry = h.folder, 10*time.Millisecond
	a, err := agent.New(h.ctx, c)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.ctx)
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(a.Run(ctx), a.Close()) }()
	done := false
	stop = func() error {
		if done {
			return nil
		}
		done = true
		cancel()
		return <-ended
	}
	h.t.Cleanup(func() { stop() })
	return a, stop
}

// until waits for something to become true.
func (h *house) until(what string, is func() bool) {
	h.t.Helper()
	for !is() {
		select {
		case <-h.ctx.Done():
			h.t.Fatalf("%s does not happen", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func drained(a *agent.Agent) bool {
	s := a.Status()
	return s.Spool.Objects == 0 && s.Uplink.State == uplink.Connected
}
