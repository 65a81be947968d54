package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/coder/websocket"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// MaxLive bounds a message of a live websocket: a fragment as large as can be.
const MaxLive = sealed.MaxFragment + 1<<10

// The words of a [LiveHint] that are no reason of package sealed.
const (
	LiveAway = "away" // the agent is not connected, or has ceased to send the stream
	LiveBusy = "busy" // the agent has its hands full: knock again in a moment
)

// LiveHint is a text message on a viewer's live websocket. It decides nothing: what a
// viewer is shown is decided by what they can open.
type LiveHint struct {
	V      V                 `json:"v"`
	Home   latchkey.HomeID   `json:"home"`
	Camera latchkey.CameraID `json:"camera"`
	Stream string            `json:"stream"`
	Word   string            `json:"word" doc:"away, busy, or why a knock is not passed on"`
}

func livePath(of sealed.Stream) string {
	return "/v1/homes/" + of.Home.String() + "/live/" + of.Camera.String() + "/" + of.Kind.String()
}

// Live is a viewer's websocket: knocks go out, grants and fragments come in, and all of
// them are for package live to make and read. One goroutine at a time receives.
type Live struct {
	c  *websocket.Conn
	of sealed.Stream
}

// Live opens the websocket of one stream.
func (h *Home) Live(ctx context.Context, camera latchkey.CameraID, kind sealed.StreamKind) (*Live, error) {
	of := sealed.Stream{Home: h.home, Camera: camera, Kind: kind}
	c, err := h.socket(ctx, livePath(of))
	if err != nil {
		return nil, err
	}
	c.SetReadLimit(MaxLive)
	return &Live{c, of}, nil
}

// Knock sends a knock.
func (l *Live) Knock(ctx context.Context, knock []byte) error {
	if err := l.c.Write(ctx, websocket.MessageBinary, knock); err != nil {
		return fmt.Errorf("knock: %w", err)
	}
	return nil
}

// Next waits for a grant or a fragment; or it is a hint, and the word is not empty.
func (l *Live) Next(ctx context.Context) (message []byte, word string, err error) {
	kind, b, err := l.c.Read(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("receive: %w", err)
	}
	if kind == websocket.MessageBinary {
		return b, "", nil
	}
	var hint LiveHint
	if err := Decode(b, &hint); err != nil {
		return nil, "", fmt.Errorf("receive: %w", err)
	}
	if hint.Home != l.of.Home || hint.Camera != l.of.Camera || hint.Stream != l.of.Kind.String() {
		return nil, "", fmt.Errorf("receive: %w: a hint about another stream", ErrCrossed)
	}
	return nil, hint.Word, nil
}

// Close ends the connection.
func (l *Live) Close() error { return l.c.CloseNow() }

// socket opens a websocket of a page.
func (h *Home) socket(ctx context.Context, path string) (*websocket.Conn, error) {
	id := NewRequestID()
	query := url.Values{"request": {id}, "mac": {h.key.RequestMAC("GET", path, id, nil)}}
	return h.client.dial(ctx, path, query.Encode(), http.Header{"Cookie": {h.Cookie()}, "Origin": {h.client.Origin()}})
}

// Inlet is the websocket by which an agent brings a stream. One goroutine sends.
type Inlet struct {
	c     *websocket.Conn
	ended context.Context
}

// Inlet opens it, if somebody watches the stream: otherwise the refusal is [Unwanted]. The
// head is the newest that the agent has verified.
func (a *Agent) Inlet(ctx context.Context, head latchkey.Head, of sealed.Stream) (*Inlet, error) {
	if of.Home != a.home {
		return nil, fmt.Errorf("bring %s: a stream of another home", of)
	}
	path := livePath(of) + "/inlet"
	header, err := NewAgentRequest(a.home, a.agent, head, a.now()).Sign(a.key, http.MethodGet, path)
	if err != nil {
		return nil, err
	}
	c, err := a.client.dial(ctx, path, "", http.Header{HeaderAgent: {header}})
	if err != nil {
		return nil, err
	}
	return &Inlet{c, c.CloseRead(context.WithoutCancel(ctx))}, nil
}

// Ended is closed when the server has ended the connection.
func (in *Inlet) Ended() <-chan struct{} { return in.ended.Done() }

// Send sends a fragment.
func (in *Inlet) Send(ctx context.Context, fragment []byte) error {
	if err := in.c.Write(ctx, websocket.MessageBinary, fragment); err != nil {
		return fmt.Errorf("bring fragment: %w", err)
	}
	return nil
}

// Close ends the connection.
func (in *Inlet) Close() error {
	if err := in.c.CloseNow(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
