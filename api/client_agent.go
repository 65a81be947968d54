package api

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey-cam/latchkey"
)

// Agent is a server as one agent talks with it.
type Agent struct {
	client *Client
	home   latchkey.HomeID
	agent  latchkey.AgentID
	key    crypto.Signer
	now    func() time.Time
}

// Agent returns the client of an agent.
func (c *Client) Agent(home latchkey.HomeID, agent latchkey.AgentID, key crypto.Signer) *Agent {
	return &Agent{client: c, home: home, agent: agent, key: key, now: time.Now}
}

// Clock returns the client with another clock, which says what the server's should
// show. A machine that woke up in 1970 has the server's word for it from the
// websocket's challenge, and believes it for the expiry of its requests alone.
func (a *Agent) Clock(now func() time.Time) *Agent {
	b := *a
	b.now = now
	return &b
}

// Progress says how far an upload has come.
type Progress struct {
	Stored bool   // nothing is missing
	Held   uint64 // bytes of the body that the server has
}

func (a *Agent) sign(method string, name latchkey.Name, head latchkey.Head) (call, error) {
	path := objectPath(name)
	if name.Home != a.home {
		return call{}, fmt.Errorf("upload %s: an object of another home", name)
	}
	header, err := NewAgentRequest(a.home, a.agent, head, a.now()).Sign(a.key, method, path)
	return call{method: method, path: path, header: http.Header{HeaderAgent: {header}}}, err
}

// FoundAgain asks for a set-up secret, with which whoever stands at the agent's machine
// founds another home.
func (a *Agent) FoundAgain(ctx context.Context, head latchkey.Head) (string, error) {
	q := call{method: http.MethodPost, path: "/v1/homes/" + a.home.String() + "/found-again"}
	header, err := NewAgentRequest(a.home, a.agent, head, a.now()).Sign(a.key, q.method, q.path)
	if err != nil {
		return "", err
	}
	q.header = http.Header{HeaderAgent: {header}}
	var answer FoundAgain
	if _, err := a.client.exchange(ctx, q, nil, &answer); err != nil {
		return "", err
	}
	return answer.Setup, sameHome(a.home, answer.Home)
}

// Offset asks where an upload goes on. The head is the newest that the agent has verified.
func (a *Agent) Offset(ctx context.Context, head latchkey.Head, name latchkey.Name) (Progress, error) {
	q, err := a.sign(http.MethodHead, name, head)
	if err != nil {
		return Progress{}, err
	}
	answer, err := a.client.do(ctx, q)
	if err != nil {
		return Progress{}, err
	}
	defer answer.Body.Close() // there is none
	switch stored := answer.Header.Get(HeaderStored); stored {
	case "":
	case name.String():
		return Progress{Stored: true}, nil
	default: // whoever believed it would throw away what is nowhere else
		return Progress{}, fmt.Errorf("upload %s: %w: stored %.200q", name, ErrCrossed, stored)
	}
	held, err := strconv.ParseUint(answer.Header.Get(HeaderOffset), 10, 53)
	if err != nil {
		return Progress{}, fmt.Errorf("upload %s: read offset: %w", name, err)
	}
	return Progress{Held: held}, nil
}

// Upload sends an object: the prefix of its file ([sealed.File]'s bytes), and the
// length bytes of the body that come after offset. It returns nil when the server has
// it indexed and durable.
func (a *Agent) Upload(ctx context.Context, head latchkey.Head, name latchkey.Name, prefix []byte, offset uint64, rest io.Reader, length uint64) error {
	q, err := a.sign(http.MethodPut, name, head)
	if err != nil {
		return err
	}
	q.header.Set(HeaderOffset, strconv.FormatUint(offset, 10))
	q.header.Set("Content-Type", "application/octet-stream")
	q.body = io.MultiReader(bytes.NewReader(prefix), rest)
	q.length = int64(len(prefix)) + int64(length)
	var stored Stored
	if _, err := a.client.exchange(ctx, q, nil, &stored); err != nil {
		return err
	}
	if stored.Name != name.String() || !stored.Stored {
		return fmt.Errorf("upload %s: %w: stored %.200q", name, ErrCrossed, stored.Name)
	}
	return nil
}

// ErrMoved says that the server is going down, and that another one is there.
var ErrMoved = errors.New("the server is going down, and another one is there")

// Socket is the agent's websocket. One goroutine at a time receives; several may send.
type Socket struct{ c *websocket.Conn }

// Dial opens the agent's websocket. The server speaks first, with a [Challenge]. place is
// what an earlier refusal gave, or empty.
func (c *Client) Dial(ctx context.Context, place string) (*Socket, error) {
	header := http.Header{}
	if place != "" {
		header.Set(HeaderPlace, place)
	}
	s, err := c.dial(ctx, "/v1/agent", "", header)
	if err != nil {
		return nil, err
	}
	return &Socket{s}, nil
}

func (c *Client) dial(ctx context.Context, path, query string, header http.Header) (*websocket.Conn, error) {
	u := url.URL{Scheme: "ws", Host: c.base.Host, Path: path, RawQuery: query}
	if c.base.Scheme == "https" {
		u.Scheme = "wss"
	}
	s, answer, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{HTTPClient: c.client, HTTPHeader: header})
	if err != nil && answer != nil && answer.StatusCode >= 300 {
		b, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
		return nil, refusal(answer, b, err)
	} else if err != nil {
		return nil, fmt.Errorf("open websocket %s: %w", path, err)
	}
	s.SetReadLimit(MaxSocket)
	return s, nil
}

// Receive waits for the server's next message.
func (s *Socket) Receive(ctx context.Context) (Frame, error) {
	kind, b, err := s.c.Read(ctx)
	if websocket.CloseStatus(err) == websocket.StatusServiceRestart {
		return nil, fmt.Errorf("receive: %w", ErrMoved)
	} else if err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	if kind != websocket.MessageText {
		return nil, fmt.Errorf("receive: %w: a binary message", ErrMalformed)
	}
	return DecodeFrame(b)
}

// Send sends a message.
func (s *Socket) Send(ctx context.Context, f Frame) error {
	b, err := EncodeFrame(f)
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if err := s.c.Write(ctx, websocket.MessageText, b); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// Ping returns when the server has answered a ping. Somebody must be receiving.
func (s *Socket) Ping(ctx context.Context) error { return s.c.Ping(ctx) }

// Close ends the connection without waiting for the other side.
func (s *Socket) Close() error { return s.c.CloseNow() }
