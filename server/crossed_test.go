package server_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/server"
)

// crossed is an archive behind a connection that has lost count: while it is on, every
// question about any home is answered with what belongs to another.
type crossed struct {
	on    atomic.Bool
	other latchkey.HomeID
	asked map[string]bool // what is answered wrongly

	archive.Homes
	archive.Objects
	archive.Sessions
	archive.Settings
	archive.Asks
	secret atomic.Pointer[archive.Secret] // of a session of the other home
}

func (c *crossed) does(what string) bool { return c.on.Load() && c.asked[what] }

func (c *crossed) Head(ctx context.Context, home latchkey.HomeID) (archive.HomeHead, error) {
	if c.does("head") {
		home = c.other
	}
	return c.Homes.Head(ctx, home)
}

func (c *crossed) Session(ctx context.Context, home latchkey.HomeID, secret archive.Secret) (archive.Session, error) {
	if c.does("session") {
		return c.Sessions.Session(ctx, c.other, *c.secret.Load())
	}
	return c.Sessions.Session(ctx, home, secret)
}

func (c *crossed) StartSession(ctx context.Context, s archive.Session) error {
	if s.Home == c.other || c.other == (latchkey.HomeID{}) {
		c.secret.Store(&s.Secret)
	}
	return c.Sessions.StartSession(ctx, s)
}

func (c *crossed) Object(ctx context.Context, name latchkey.Name) (archive.Row, error) {
	if c.does("object") {
		p, err := c.Objects.Events(ctx, c.other, archive.Cursor{}, 1)
		if err != nil {
			return archive.Row{}, err
		}
		return p.Events[0].Objects[0], nil
	}
	return c.Objects.Object(ctx, name)
}

func (c *crossed) Events(ctx context.Context, home latchkey.HomeID, before archive.Cursor, limit int) (archive.Page, error) {
	if c.does("events") {
		return c.Objects.Events(ctx, c.other, before, limit)
	}
	if c.does("rows") { // another home's rows in an answer that says that it is ours
		p, err := c.Objects.Events(ctx, c.other, before, limit)
		for i := range p.Events {
			p.Events[i].Home = home
		}
		return p, err
	}
	return c.Objects.Events(ctx, home, before, limit)
}

type crossedSettings struct{ *crossed }

func (c crossedSettings) Settings(ctx context.Context, home latchkey.HomeID) (archive.Document, error) {
	if c.does("settings") {
		home = c.other
	}
	return c.crossed.Settings.Settings(ctx, home)
}

func (c crossedSettings) PutSettings(ctx context.Context, prev [32]byte, d archive.Document) error {
	return c.crossed.Settings.PutSettings(ctx, prev, d)
}

type crossedAsks struct{ *crossed }

func (c crossedAsks) Asks(ctx context.Context, home latchkey.HomeID) ([]archive.Ask, error) {
	if c.does("asks") {
		home = c.other
	}
	return c.crossed.Asks.Asks(ctx, home)
}

func (c crossedAsks) PutAsk(ctx context.Context, a archive.Ask) error {
	return c.crossed.Asks.PutAsk(ctx, a)
}

func (c crossedAsks) DropAsk(ctx context.Context, home latchkey.HomeID, camera latchkey.CameraID) error {
	return c.crossed.Asks.DropAsk(ctx, home, camera)
}

// TestCrossedAnswers: the database driver, or a cache in front of it, answers with what
// belongs to another home. The asker gets none of it, and each is an alarm.
func TestCrossedAnswers(t *testing.T) {
	c := &crossed{}
	h := openHouse(t, func(config *server.Config) {
		a := config.Archive
		c.Homes, c.Objects, c.Sessions, c.Settings, c.Asks = a.Homes, a.Objects, a.Sessions, a.Settings, a.Asks
		config.Archive.Homes, config.Archive.Objects, config.Archive.Sessions = c, c, c
		config.Archive.Settings, config.Archive.Asks = crossedSettings{c}, crossedAsks{c}
	})
	other := h.found(t)
	c.other = other.owner.Home()
	m := h.found(t)
	mine := m.stored(latchkey.Thumbnail, "mine").Name()
	theirs := other.stored(latchkey.Thumbnail, "theirs").Name()
	for _, x := range []*home{m, other} {
		if err := x.member.PutSettings(t.Context(), x.settings(nil, "x")); err != nil {
			t.Fatal(err)
		}
		s := x.connect(start{1, 0, 1})
		if err := s.Send(t.Context(), api.AskFrame{ID: "a", Home: x.owner.Home(), Ask: x.ask(latchkey.NewCameraID())}); err != nil {
			t.Fatal(err)
		}
		receive[api.Done](t, s)
	}
	for _, tt := range []struct {
		what, path, where string
		status            int
	}{
		{"head", m.path("/deeds"), "head", 502},
		{"session", m.path("/deeds"), "session", 401},
		{"object", objectPath(mine), "blob", 502},
		{"events", m.path("/events"), "list", 502},
		{"rows", m.path("/events"), "row", 200},
		{"settings", m.path("/settings"), "settings", 502},
		{"asks", m.path("/asks"), "ask", 200},
	} {
		c.asked = map[string]bool{tt.what: true}
		c.on.Store(true)
		answer, body := h.do(t, raw{method: "GET", path: tt.path, header: m.asPage(), mac: m.mac()})
		c.on.Store(false)
		if answer.StatusCode != tt.status {
			t.Errorf("%s: %d %.200s, want %d", tt.what, answer.StatusCode, body, tt.status)
		}
		for _, foreign := range []string{other.owner.Home().String(), theirs.Camera.String(), theirs.Object.String(), `"header"`, "latchkey object"} {
			if strings.Contains(body, foreign) {
				t.Errorf("%s: the answer has %s", tt.what, foreign)
			}
		}
		if n := h.metric(t, "latchkey_misroutes_total", "where="+tt.where, "confirmed=true"); n < 1 {
			t.Errorf("%s: no alarm at %q", tt.what, tt.where)
		}
		if answer, body := h.do(t, raw{method: "GET", path: tt.path, header: m.asPage(), mac: m.mac()}); answer.StatusCode != 200 {
			t.Errorf("%s: afterwards %d %s", tt.what, answer.StatusCode, body)
		}
	}
}

// register has another name than its method Receipts, so that it can be embedded.
type register = archive.Receipts

// brokenReceipts is a register that cannot be written.
type brokenReceipts struct{ register }

func (brokenReceipts) PutReceipt(context.Context, archive.Receipt) error {
	return errors.New("the pen has dried")
}

// TestNoReceiptNoBytes: what cannot be written down is not handed out.
func TestNoReceiptNoBytes(t *testing.T) {
	h := openHouse(t, func(c *server.Config) { c.Archive.Receipts = brokenReceipts{c.Archive.Receipts} })
	m := h.found(t)
	o := m.stored(latchkey.Thumbnail, "a picture")
	answer, body := h.do(t, raw{method: "GET", path: objectPath(o.Name()), header: m.asPage(), mac: m.mac()})
	if answer.StatusCode != 500 || strings.Contains(body, "latchkey object") || strings.Contains(body, "pen") {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	if len(h.logs.lines(t, "request")) != 1 {
		t.Errorf("the log does not say why: %s", h.logs.text())
	}
}
