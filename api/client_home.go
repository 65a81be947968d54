package api

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"

	"github.com/coder/websocket"

	"github.com/latchkey-cam/latchkey"
)

// Home is a home at a server, as a member's session sees it.
type Home struct {
	client  *Client
	home    latchkey.HomeID
	session latchkey.SessionID
	cookie  string
	key     MACKey
}

// Session names the session.
func (h *Home) Session() latchkey.SessionID { return h.session }

// Cookie is the session's, "name=value". It is a secret.
func (h *Home) Cookie() string { return CookieName(h.home) + "=" + h.cookie }

// MACKey is the session's.
func (h *Home) MACKey() MACKey { return h.key }

func (h *Home) call(method, path string) call {
	return call{method: method, path: "/v1/homes/" + h.home.String() + path, asPage: true, cookie: h.Cookie(), key: &h.key}
}

// ask exchanges messages about the home; home must point into answer.
func (h *Home) ask(ctx context.Context, q call, request, answer any, home *latchkey.HomeID) error {
	if _, err := h.client.exchange(ctx, q, request, answer); err != nil {
		return err
	}
	return sameHome(h.home, *home)
}

// SignOut ends the session.
func (h *Home) SignOut(ctx context.Context) error {
	var a HomeOK
	return h.ask(ctx, h.call("DELETE", "/session"), nil, &a, &a.Home)
}

// Sessions lists who is signed in, as far as the asker may know.
func (h *Home) Sessions(ctx context.Context) ([]SessionRow, error) {
	var a Sessions
	err := h.ask(ctx, h.call("GET", "/sessions"), nil, &a, &a.Home)
	return a.Sessions, err
}

// EndSession ends a session of the list.
func (h *Home) EndSession(ctx context.Context, session latchkey.SessionID) error {
	var a HomeOK
	return h.ask(ctx, h.call("DELETE", "/sessions/"+session.String()), nil, &a, &a.Home)
}

// Deeds returns all deeds from that number on, and the head they lead to.
func (h *Home) Deeds(ctx context.Context, from uint64) (deeds [][]byte, head latchkey.Head, err error) {
	for {
		var a Deeds
		q := h.call("GET", "/deeds")
		q.query = url.Values{"from": {strconv.FormatUint(from+uint64(len(deeds)), 10)}}
		if err := h.ask(ctx, q, nil, &a, &a.Home); err != nil {
			return nil, head, err
		}
		deeds = append(deeds, a.Deeds...)
		head = latchkey.Head(a.Head)
		if from+uint64(len(deeds)) > head.Seq || len(a.Deeds) == 0 {
			return deeds, head, nil
		}
	}
}

// Append appends deeds to the chain. With reason [Conflict] the refusal has the deeds
// that were missed.
func (h *Home) Append(ctx context.Context, onto latchkey.Head, deeds ...[]byte) (latchkey.Head, error) {
	var a HomeHead
	err := h.ask(ctx, h.call("POST", "/deeds"), AppendDeeds{Home: h.home, Onto: Head(onto), Deeds: deeds}, &a, &a.Home)
	return latchkey.Head(a.Head), err
}

// Confirm gives an owner's word that no deed is missing behind that head, which opens a
// home that a restore has closed.
func (h *Home) Confirm(ctx context.Context, head latchkey.Head) error {
	var a HomeHead
	return h.ask(ctx, h.call("POST", "/confirm"), HomeHead{Home: h.home, Head: Head(head)}, &a, &a.Home)
}

// Settings returns the settings document, empty if there is none yet.
func (h *Home) Settings(ctx context.Context) ([]byte, error) {
	var a Settings
	err := h.ask(ctx, h.call("GET", "/settings"), nil, &a, &a.Home)
	return a.Document, err
}

// PutSettings replaces the settings document by the next one.
func (h *Home) PutSettings(ctx context.Context, document []byte) error {
	var a HomeOK
	return h.ask(ctx, h.call("PUT", "/settings"), Settings{Home: h.home, Document: document}, &a, &a.Home)
}

// Events returns a page of what was recorded; before is the Next of the page before,
// limit 0 the server's choice.
func (h *Home) Events(ctx context.Context, before string, limit int) (Events, error) {
	var a Events
	q := h.call("GET", "/events")
	q.query = url.Values{}
	if before != "" {
		q.query.Set("before", before)
	}
	if limit != 0 {
		q.query.Set("limit", strconv.Itoa(limit))
	}
	err := h.ask(ctx, q, nil, &a, &a.Home)
	return a, err
}

// Delete brings tombstones, and with them what they cover is gone.
func (h *Home) Delete(ctx context.Context, tombstones ...[]byte) error {
	var a HomeOK
	return h.ask(ctx, h.call("POST", "/tombstones"), PutTombstones{Home: h.home, Tombstones: tombstones}, &a, &a.Home)
}

// Tombstones returns those above a number, as many as fit, and how many there are.
func (h *Home) Tombstones(ctx context.Context, above uint64) ([][]byte, uint64, error) {
	var a Tombstones
	q := h.call("GET", "/tombstones")
	q.query = url.Values{"above": {strconv.FormatUint(above, 10)}}
	err := h.ask(ctx, q, nil, &a, &a.Home)
	return a.Tombstones, a.Count, err
}

// Usage says how much the home has stored.
func (h *Home) Usage(ctx context.Context) (Usage, error) {
	var a Usage
	err := h.ask(ctx, h.call("GET", "/usage"), nil, &a, &a.Home)
	return a, err
}

// Review marks events as looked at by the session's person, and with them all that are
// listed with the one of through or after it; zero for none.
func (h *Home) Review(ctx context.Context, through latchkey.EventID, events ...latchkey.EventID) error {
	var a HomeOK
	return h.ask(ctx, h.call("POST", "/reviewed"), Review{Home: h.home, Events: append([]latchkey.EventID{}, events...), Through: through}, &a, &a.Home)
}

// Asks returns what agents ask for.
func (h *Home) Asks(ctx context.Context) ([][]byte, error) {
	var a Asks
	err := h.ask(ctx, h.call("GET", "/asks"), nil, &a, &a.Home)
	return a.Asks, err
}

// RefuseAsk turns an ask down.
func (h *Home) RefuseAsk(ctx context.Context, camera latchkey.CameraID) error {
	var a HomeOK
	return h.ask(ctx, h.call("DELETE", "/asks/"+camera.String()), nil, &a, &a.Home)
}

// OpenJoin opens the slot of a secret for an agent, with an announcement.
func (h *Home) OpenJoin(ctx context.Context, slot Slot, announcement []byte, expires latchkey.Time) error {
	return h.openSlot(ctx, OpenJoin{Home: h.home, Slot: slot, Announcement: announcement, Expires: expires})
}

// OpenInvite opens the slot of a secret for a person, with an invitation.
func (h *Home) OpenInvite(ctx context.Context, slot Slot, invitation []byte, expires latchkey.Time) error {
	return h.openSlot(ctx, OpenJoin{Home: h.home, Slot: slot, For: ForPerson, Announcement: invitation, Expires: expires})
}

func (h *Home) openSlot(ctx context.Context, q OpenJoin) error {
	var a HomeOK
	return h.ask(ctx, h.call("POST", "/joins"), q, &a, &a.Home)
}

// Join returns what was answered in a slot, empty while nobody has.
func (h *Home) Join(ctx context.Context, slot Slot) ([]byte, error) {
	var a Join
	if err := h.ask(ctx, h.call("GET", "/joins/"+slot.String()), nil, &a, &a.Home); err != nil {
		return nil, err
	}
	if a.Slot != slot {
		return nil, fmt.Errorf("%w: slot %s", ErrCrossed, a.Slot)
	}
	return a.Answer, nil
}

// Reveal reveals to the person who has answered what was committed to.
func (h *Home) Reveal(ctx context.Context, slot Slot, reveal [RevealSize]byte) error {
	var a HomeOK
	return h.ask(ctx, h.call("PUT", "/joins/"+slot.String()), RevealJoin{Home: h.home, Slot: slot, Reveal: reveal[:]}, &a, &a.Home)
}

// CloseJoin closes a slot.
func (h *Home) CloseJoin(ctx context.Context, slot Slot) error {
	var a HomeOK
	return h.ask(ctx, h.call("DELETE", "/joins/"+slot.String()), nil, &a, &a.Home)
}

// Delivery is an object file on its way, and the ID of the request that it answers.
// Nothing is checked: that is for whoever opens it.
type Delivery struct {
	Request string
	File    io.ReadCloser
}

// Object asks for an object. Its file carries no MAC, only a refusal does: the file's
// own seal says what it is, and a browser's cache may keep it.
func (h *Home) Object(ctx context.Context, name latchkey.Name) (Delivery, error) {
	q := h.call("GET", "")
	q.path = objectPath(name)
	a, err := h.client.do(ctx, q)
	if err != nil {
		return Delivery{}, err
	}
	return Delivery{Request: a.Header.Get(HeaderRequest), File: a.Body}, nil
}

// Report reports what came; it returns whether the server's records bear it out.
func (h *Home) Report(ctx context.Context, r Report) (bool, error) {
	var a Reported
	r.Home = h.home
	err := h.ask(ctx, h.call("POST", "/reports"), r, &a, &a.Home)
	return a.Confirmed, err
}

// Changes is the websocket of hints.
type Changes struct {
	c    *websocket.Conn
	home latchkey.HomeID
}

// Changes opens the websocket of hints.
func (h *Home) Changes(ctx context.Context) (*Changes, error) {
	c, err := h.socket(ctx, h.call("GET", "/changes").path)
	if err != nil {
		return nil, err
	}
	return &Changes{c, h.home}, nil
}

// Next waits for a hint.
func (s *Changes) Next(ctx context.Context) (Change, error) {
	_, b, err := s.c.Read(ctx)
	if err != nil {
		return "", fmt.Errorf("receive: %w", err)
	}
	var m Changed
	if err := Decode(b, &m); err != nil {
		return "", fmt.Errorf("receive: %w", err)
	}
	return m.Changed, sameHome(s.home, m.Home)
}

// Close ends the connection.
func (s *Changes) Close() error { return s.c.CloseNow() }
