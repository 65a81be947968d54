package camera

import (
	"bufio"
	"context"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/headers"
)

// maxHeld is the longest that a session is waited for which the camera may still
// hold. Cameras say 60 s, as the protocol does; one that says a day is not obeyed.
const maxHeld = 2 * time.Minute

// held is a session as the camera holds it. Cameras hold a session whose connection
// broke until its time is up: some refuse another one so long, because they have only
// a few, and some go on sending the old session's packets into the new one.
type held struct {
	mu      sync.Mutex // protects what follows
	id      string
	timeout time.Duration // as the camera said; zero if it did not
	heard   time.Time     // when the camera last heard of us, at the latest
}

// note takes what a response says of the session.
func (h *held) note(res *base.Response) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var s headers.Session
	if s.Unmarshal(res.Header["Session"]) == nil && len(s.Session) <= 256 {
		h.id = s.Session
		if s.Timeout != nil {
			h.timeout = min(time.Duration(*s.Timeout)*time.Second, maxHeld)
		}
	}
	if h.id != "" {
		h.heard = time.Now()
	}
}

// stale returns the session, which has broken off, or nil if there was none.
func (h *held) stale(s Source) *stale {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.id == "" {
		return nil
	}
	until := time.Time{}
	if h.timeout > 0 {
		until = h.heard.Add(h.timeout)
	}
	return &stale{s, h.id, until}
}

// stale is a session that has broken off and that the camera may still hold.
type stale struct {
	source Source
	id     string
	until  time.Time // when the camera gives it up by itself; zero if it did not say
}

// held returns how long the camera will still hold the session, as far as it said.
func (s *stale) held() time.Duration { return min(time.Until(s.until), maxHeld) }

// teardown has the camera give the session up, over another connection, and reports
// whether it has, or says that it knows of none.
func (s *stale) teardown(ctx context.Context) bool {
	if s == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, s.source.Patience)
	defer cancel()
	conn, err := s.source.connect(ctx)
	if err != nil {
		return false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	in := bufio.NewReader(conn)
	res, ok := s.ask(conn, in, nil)
	if ok && res.StatusCode == base.StatusUnauthorized && s.source.Credentials.given() {
		login := &auth.Sender{WWWAuth: res.Header["WWW-Authenticate"],
			User: s.source.Credentials.User.Reveal(), Pass: s.source.Credentials.Password.Reveal()}
		if login.Initialize() != nil {
			return false
		}
		res, ok = s.ask(conn, in, login)
	}
	return ok && (res.StatusCode == base.StatusOK || res.StatusCode == base.StatusSessionNotFound)
}

func (s *stale) ask(conn net.Conn, in *bufio.Reader, login *auth.Sender) (*base.Response, bool) {
	number := "1"
	if login != nil {
		number = "2"
	}
	req := &base.Request{Method: base.Teardown, URL: s.source.url(), Header: base.Header{
		"CSeq": {number}, "Session": {s.id}, "User-Agent": {userAgent}}}
	if login != nil {
		login.AddAuthorization(req)
	}
	b, err := req.Marshal()
	if err != nil || strings.ContainsAny(s.id, "\r\n") {
		return nil, false
	}
	if _, err := conn.Write(b); err != nil {
		return nil, false
	}
	var res base.Response
	return &res, res.Unmarshal(in) == nil
}
