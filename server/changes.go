package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
)

// How long a websocket may be silent, and take.
const (
	pingEvery   = 20 * time.Second
	pongWithin  = 10 * time.Second
	writeWithin = 10 * time.Second
	helloWithin = 10 * time.Second
)

// accept turns a request into a websocket that ends with the server, which waits until
// leave was called. Its origin was checked at the wall.
func (s *Server) accept(a *asking, limit int64) (c *websocket.Conn, ctx context.Context, leave func(), err error) {
	if err := a.upgrades(); err != nil {
		return nil, nil, nil, err
	}
	c, err = websocket.Accept(a.w, a.r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return nil, nil, nil, malformed("This is no good beginning of a websocket.")
	}
	c.SetReadLimit(limit)
	ctx, stop := context.WithCancel(s.ctx)
	s.done.Add(1)
	return c, ctx, func() {
		_ = c.CloseNow() // it may be closed already
		stop()
		s.done.Done()
	}, nil
}

// upgrades wants a request that asks for a websocket.
func (a *asking) upgrades() error {
	if !strings.EqualFold(a.r.Header.Get("Upgrade"), "websocket") {
		return malformed("This address is for websockets.")
	}
	return nil
}

// changes tells a page what to fetch again.
func (s *Server) changes(a *asking) error {
	l := newListener(a.home)
	l.session = a.session
	if !s.hub.add(l) {
		return refuse(http.StatusTooManyRequests, api.TooMany, "Too many pages of this home are open.").after(time.Minute)
	}
	defer s.hub.remove(l)
	c, ctx, leave, err := s.accept(a, 512)
	if err != nil {
		return err
	}
	defer leave()
	ctx = c.CloseRead(ctx) // a page has nothing to say; whatever it says ends it
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = c.Close(websocket.StatusGoingAway, "")
			return nil
		case <-l.end:
			_ = c.Close(websocket.StatusGoingAway, "")
			return nil
		case <-ping.C:
			if s.stands(ctx, l) == nil || pong(ctx, c) != nil {
				return nil
			}
		case <-l.wake:
			if t := s.stands(ctx, l); t == nil || s.hint(ctx, c, l, t) != nil {
				return nil
			}
		}
	}
}

// stands returns the title of a page's home if its session still holds: it is looked up
// before every word, because a websocket outlives the request that opened it.
func (s *Server) stands(ctx context.Context, l *listener) *deed.Title {
	in, err := s.session(ctx, l.home, l.session.Secret)
	if err != nil || in.session.ID != l.session.ID {
		return nil
	}
	s.see(ctx, in.session)
	return in.title
}

func pong(ctx context.Context, c *websocket.Conn) error {
	ctx, stop := context.WithTimeout(ctx, pongWithin)
	defer stop()
	return c.Ping(ctx)
}

func (s *Server) hint(ctx context.Context, c *websocket.Conn, l *listener, t *deed.Title) error {
	for _, what := range l.take() {
		if !hears(t, l.session.Person, what) {
			continue
		}
		b, err := json.Marshal(api.Changed{Home: l.home, Changed: what})
		if err != nil {
			return err
		}
		if err := write(ctx, c, b); err != nil {
			return err
		}
	}
	return nil
}

func write(ctx context.Context, c *websocket.Conn, b []byte) error {
	ctx, stop := context.WithTimeout(ctx, writeWithin)
	defer stop()
	return c.Write(ctx, websocket.MessageText, b)
}
