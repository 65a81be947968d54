package api

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
)

// ErrCrossed says that an answer is not to the question: another request's, or another
// home's. Whoever gets it uses nothing of the answer.
var ErrCrossed = errors.New("the answer is not to this question")

// maxAnswer bounds a JSON answer.
const maxAnswer = MaxSocket

// Client talks with a server as nobody in particular. It may be used by several
// goroutines.
type Client struct {
	base   *url.URL
	client *http.Client
}

// NewClient returns a client of the server at that origin. A nil client is one that
// follows no redirects and gives up on a server that says nothing for half a minute;
// one that is handed in should do so too.
func NewClient(origin string, client *http.Client) (*Client, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || (u.Path != "" && u.Path != "/") {
		return nil, fmt.Errorf("%.100q is no server's address: want https://HOST[:PORT]", origin)
	}
	if client == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.ResponseHeaderTimeout = 30 * time.Second
		client = &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Client{base: &url.URL{Scheme: u.Scheme, Host: u.Host}, client: client}, nil
}

// Origin is the server's.
func (c *Client) Origin() string { return c.base.String() }

// call is one request.
type call struct {
	method, path string
	query        url.Values
	header       http.Header // may be nil
	asPage       bool        // as a page of the server's would: with its origin
	cookie       string      // of a session, whose MAC it carries then; empty for none
	key          *MACKey     // the session's, by which a good answer must be bound; nil for none
	content      []byte      // the body, or
	body         io.Reader   // a body that is not at hand as a whole, without a session
	length       int64
}

// do sends a request and returns a good answer. A refusal is an [*Error]. Whoever is told
// that it is not their turn comes back when it is, for as long as ctx lasts, if what they
// send is at hand as a whole.
func (c *Client) do(ctx context.Context, q call) (*http.Response, error) {
	for place := ""; ; {
		a, err := c.try(ctx, q, place)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Refusal.Error.Reason != Turn || q.body != nil {
			return a, err
		}
		place = e.Place
		select {
		case <-time.After(min(e.RetryAfter(), mostTurn)):
		case <-ctx.Done():
			return nil, fmt.Errorf("%s %s: wait for the turn: %w", q.method, q.path, ctx.Err())
		}
	}
}

// What a server says of a turn is bounded: how long it is waited for, and how long the
// place is that it gives.
const (
	mostTurn = 10 * time.Minute
	maxPlace = 100
)

// try sends a request once.
func (c *Client) try(ctx context.Context, q call, place string) (*http.Response, error) {
	u := *c.base
	u.Path = q.path
	u.RawQuery = q.query.Encode()
	if q.content != nil {
		q.body, q.length = bytes.NewReader(q.content), int64(len(q.content))
	}
	r, err := http.NewRequestWithContext(ctx, q.method, u.String(), q.body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	if q.body != nil {
		r.ContentLength = q.length
	}
	for name, values := range q.header {
		r.Header[name] = values
	}
	id := NewRequestID()
	r.Header.Set(HeaderRequest, id)
	if place != "" {
		r.Header.Set(HeaderPlace, place)
	}
	if q.asPage {
		r.Header.Set("Origin", c.Origin())
	}
	if q.cookie != "" {
		r.Header.Set("Cookie", q.cookie)
		r.Header.Set(HeaderMAC, q.key.RequestMAC(q.method, u.RequestURI(), id, q.content))
	}
	a, err := c.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", q.method, q.path, err)
	}
	if got := a.Header.Get(HeaderRequest); got != id && a.StatusCode < 500 {
		a.Body.Close()
		return nil, fmt.Errorf("%s %s: %w: request %.70q", q.method, q.path, ErrCrossed, got)
	}
	if a.StatusCode >= 300 {
		defer a.Body.Close() // read whole
		return nil, q.refusal(a)
	}
	return a, nil
}

// refusal reads what a server answers that does not do what it was asked. A refusal
// without a MAC where one belongs is from before the session was known, or a proxy's:
// nothing but its status is used, and when the asker's turn is.
func (q call) refusal(a *http.Response) error {
	if e := turn(a); e != nil {
		return e
	}
	b, err := io.ReadAll(io.LimitReader(a.Body, maxAnswer))
	if q.cookie == "" || q.answered(a, b) {
		return refusal(a, b, err)
	}
	if a.Header.Get(HeaderAnswer) != "" {
		return fmt.Errorf("%s %s: %w: its MAC is another's", q.method, q.path, ErrCrossed)
	}
	return refusal(&http.Response{Status: a.Status, StatusCode: a.StatusCode}, nil, err)
}

// answered says whether an answer's MAC is of this session, this request and this body.
func (q call) answered(a *http.Response, body []byte) bool {
	want := q.key.AnswerMAC(a.Request.Header.Get(HeaderRequest), a.StatusCode, body)
	return SameMAC(a.Header.Get(HeaderAnswer), want)
}

// turn is the refusal that says that it is not the asker's turn, nil if the answer is another.
func turn(a *http.Response) *Error {
	after, err := strconv.ParseUint(a.Header.Get("Retry-After"), 10, 32)
	if a.StatusCode != http.StatusServiceUnavailable || Reason(a.Header.Get(HeaderReason)) != Turn || err != nil {
		return nil
	}
	e := &Error{Status: a.StatusCode, Place: placeOf(a)}
	e.Refusal.Error = Problem{Reason: Turn, Message: "it is not your turn yet", RetryAfterMS: int64(after) * 1000}
	return e
}

func placeOf(a *http.Response) string {
	place := a.Header.Get(HeaderPlace)
	if len(place) > maxPlace {
		return ""
	}
	return place
}

func refusal(a *http.Response, body []byte, err error) error {
	e := &Error{Status: a.StatusCode, Place: placeOf(a)}
	e.Offset, _ = strconv.ParseUint(a.Header.Get(HeaderOffset), 10, 53) // only with [Offset]
	if err == nil {
		err = json.Unmarshal(body, &e.Refusal)
	}
	if err != nil || e.Refusal.Error.Reason == "" { // a proxy's page, or an answer to HEAD
		e.Refusal.Error = Problem{Reason: Internal, Message: "the server answered " + a.Status}
		switch reason := Reason(a.Header.Get(HeaderReason)); {
		case reason != "":
			e.Refusal.Error.Reason = reason
		case a.StatusCode == http.StatusUnauthorized:
			e.Refusal.Error.Reason = SignedOut
		case a.StatusCode == http.StatusGone: // a deleted home says so in an answer that is bound
			e.Refusal.Error.Reason = AccountEnded
		case a.StatusCode == http.StatusRequestEntityTooLarge:
			e.Refusal.Error.Reason = Oversize
		case slices.Contains([]int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, a.StatusCode):
			e.Refusal.Error.Reason = Busy
		}
	}
	return e
}

// exchange sends a JSON body, or none, and reads a JSON answer into answer.
func (c *Client) exchange(ctx context.Context, q call, request, answer any) (*http.Response, error) {
	if request != nil {
		b, err := json.Marshal(request)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		q.content = b
		if q.header == nil {
			q.header = http.Header{}
		}
		q.header.Set("Content-Type", "application/json")
	}
	a, err := c.do(ctx, q)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close() // read whole
	b, err := io.ReadAll(io.LimitReader(a.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("%s %s: read answer: %w", q.method, q.path, err)
	}
	if len(b) > maxAnswer {
		return nil, fmt.Errorf("%s %s: answer of more than %d bytes", q.method, q.path, maxAnswer)
	}
	if q.key != nil && !q.answered(a, b) {
		return nil, fmt.Errorf("%s %s: %w: its MAC is missing or another's", q.method, q.path, ErrCrossed)
	}
	// Members that this client does not know are a newer server's.
	if err := json.Unmarshal(b, answer); err != nil {
		return nil, fmt.Errorf("%s %s: read answer: %w", q.method, q.path, err)
	}
	return a, nil
}

func sameHome(asked, answered latchkey.HomeID) error {
	if asked != answered {
		return fmt.Errorf("%w: home %s", ErrCrossed, answered)
	}
	return nil
}

// Health asks whether the server is up.
func (c *Client) Health(ctx context.Context) error {
	var a Health
	_, err := c.exchange(ctx, call{method: "GET", path: "/v1/health"}, nil, &a)
	return err
}

// Found founds a home with the secret of a set-up link.
func (c *Client) Found(ctx context.Context, setup string, deeds [][]byte) (HomeHead, error) {
	var a HomeHead
	_, err := c.exchange(ctx, call{method: "POST", path: "/v1/homes", asPage: true}, FoundHome{Setup: setup, Deeds: deeds}, &a)
	return a, err
}

// SignIn signs in a device of a home.
func (c *Client) SignIn(ctx context.Context, home latchkey.HomeID, device latchkey.DeviceID, key crypto.Signer, head latchkey.Head) (*Home, error) {
	return c.signIn(ctx, home, device, "/v1/sessions", func(nonce []byte, mac MACKey) (any, error) {
		signature, err := sign(key, SignInMessage(nonce, home, device, head, mac))
		return SignIn{Home: home, Device: device, Nonce: nonce, Head: Head(head), MACKey: mac[:], Signature: signature}, err
	})
}

// SignInPerson signs in a person with their own key, in a browser that is no device of
// the home yet.
func (c *Client) SignInPerson(ctx context.Context, home latchkey.HomeID, person latchkey.PersonID, key crypto.Signer, head latchkey.Head) (*Home, error) {
	return c.signIn(ctx, home, latchkey.DeviceID(person), "/v1/sessions/person", func(nonce []byte, mac MACKey) (any, error) {
		signature, err := sign(key, SignInPersonMessage(nonce, home, person, head, mac))
		return SignInPerson{Home: home, Person: person, Nonce: nonce, Head: Head(head), MACKey: mac[:], Signature: signature}, err
	})
}

// signIn asks for a nonce, and sends what prove makes of it.
func (c *Client) signIn(ctx context.Context, home latchkey.HomeID, who latchkey.DeviceID, path string, prove func(nonce []byte, mac MACKey) (any, error)) (*Home, error) {
	var challenge SignInChallenge
	ask := AskChallenge{Home: home, Device: who}
	if _, err := c.exchange(ctx, call{method: "POST", path: "/v1/sessions/challenge", asPage: true}, ask, &challenge); err != nil {
		return nil, err
	}
	if err := sameHome(home, challenge.Home); err != nil {
		return nil, err
	}
	h := &Home{client: c, home: home, key: NewMACKey()}
	in, err := prove(challenge.Nonce, h.key)
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	var s Session
	a, err := c.exchange(ctx, call{method: "POST", path: path, asPage: true, key: &h.key}, in, &s)
	if err != nil {
		return nil, err
	}
	if err := sameHome(home, s.Home); err != nil {
		return nil, err
	}
	for _, cookie := range a.Cookies() {
		if cookie.Name == CookieName(home) {
			h.session, h.cookie = s.Session, cookie.Value
			return h, nil
		}
	}
	return nil, errors.New("sign in: the server gave no session")
}

// JoinSlot reads what a home announces in a slot; [NotFound] while there is nothing.
func (c *Client) JoinSlot(ctx context.Context, slot Slot) ([]byte, error) {
	var a JoinSlot
	if _, err := c.exchange(ctx, call{method: "GET", path: "/v1/joins/" + slot.String()}, nil, &a); err != nil {
		return nil, err
	}
	if a.Slot != slot {
		return nil, fmt.Errorf("%w: slot %s", ErrCrossed, a.Slot)
	}
	return a.Announcement, nil
}

// AnswerJoin answers an announcement. The same answer may be given again.
func (c *Client) AnswerJoin(ctx context.Context, slot Slot, answer []byte) error {
	var a OK
	_, err := c.exchange(ctx, call{method: "PUT", path: "/v1/joins/" + slot.String()}, JoinAnswer{Slot: slot, Answer: answer}, &a)
	return err
}

// objectPath is the address of an object: its name, with objects/ after the version.
func objectPath(name latchkey.Name) string {
	return "/v1/objects/" + strings.TrimPrefix(name.String(), "v1/")
}
