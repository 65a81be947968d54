package server_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
)

// TestBadFrames: whatever a placed or unplaced agent says, its connection ends and
// nothing else does.
func TestBadFrames(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	var nonce []byte // of the newest challenge
	greet := func(ctx context.Context) *websocket.Conn {
		c, _, err := websocket.Dial(ctx, strings.Replace(h.origin, "http", "ws", 1)+"/v1/agent", nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.CloseNow() })
		_, b, err := c.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		nonce = must(api.DecodeFrame(b)).(api.Challenge).Nonce
		return c
	}
	for name, message := range map[string]string{
		"nonsense": "x", "nothing": "", "another type": `{"v":1,"type":"done","id":"a","home":"` + m.owner.Home().String() + `"}`,
		"an unknown type": `{"v":1,"type":"dance"}`, "a later version": `{"v":2,"type":"hello"}`, "too large": `{"v":1,"type":"` + strings.Repeat("x", 20_000) + `"}`,
	} {
		ctx := within(t)
		c := greet(ctx)
		if err := c.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
		for err := error(nil); err == nil; {
			_, _, err = c.Read(ctx)
			if errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: the connection goes on", name)
			}
		}
	}
	ctx := within(t)
	unplaced := must(h.client.Dial(ctx, ""))
	defer unplaced.Close()
	receive[api.Challenge](t, unplaced)
	hello := m.hello(start{1, 0, 1}, nil)
	hello.Head, hello.Signature = "7", make([]byte, 64)
	must(0, unplaced.Send(ctx, hello))
	if r := receive[api.Refused](t, unplaced); r.Reason != api.Malformed {
		t.Errorf("a head that is none: %+v", r)
	}
	c := greet(ctx)
	hello.Head = ""
	if err := c.Write(ctx, websocket.MessageBinary, must(api.EncodeFrame(hello))); err != nil {
		t.Fatal(err)
	}
	if _, b, err := c.Read(ctx); err == nil && !strings.Contains(string(b), `"reason":"malformed"`) {
		t.Errorf("a hello in a binary message: %s, %v", b, err)
	}
	c = greet(ctx) // whose hello is taken, and the next message is none
	head := m.owner.Title().Head()
	hello = must(api.SignHello(m.hello(start{1, 0, 1}, &head), nonce, m.agent.Keys.Signing))
	for _, message := range [][]byte{must(api.EncodeFrame(hello)), []byte(`{"v":2,"type":"ask"}`)} {
		if err := c.Write(ctx, websocket.MessageText, message); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{`"type":"welcome"`, `"reason":"` + string(api.FutureVersion) + `"`} {
		if _, b, err := c.Read(ctx); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s, %v, want %s", b, err, want)
		}
	}
	refusedAndEnded(t, m, api.AskFrame{ID: "a", Home: other.owner.Home(), Ask: m.ask(latchkey.NewCameraID())}, api.NotFound)
	refusedAndEnded(t, m, api.ReplyFrame{ID: "a", Home: other.owner.Home(), Letter: []byte("x")}, api.NotFound)
	refusedAndEnded(t, m, api.GrantFrame{Home: other.owner.Home(), Grant: []byte("x")}, api.Malformed)
	refusedAndEnded(t, m, api.AskFrame{ID: "a b", Home: m.owner.Home(), Ask: m.ask(latchkey.NewCameraID())}, api.Malformed)
}

// refusedAndEnded says something that the server ends an agent's connection over.
func refusedAndEnded(t *testing.T, m *home, frame api.Frame, want api.Reason) {
	t.Helper()
	s := m.connect(start{1, 0, 1})
	if err := s.Send(within(t), frame); err != nil {
		t.Fatal(err)
	}
	if r := receive[api.Refused](t, s); r.Reason != want {
		t.Errorf("%+v is refused as %s, want %s", frame, r.Reason, want)
	}
	if _, err := s.Receive(within(t)); err == nil {
		t.Errorf("after %+v the connection goes on", frame)
	}
}
