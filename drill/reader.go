package drill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
)

// A reader takes a kilobyte 64 times a second, over a socket that holds four.
const (
	sip        = 1 << 10
	sipsPerSec = 64
	holds      = 4 << 10
)

// reader is somebody who reads deliberately slowly, so that as much as can be is on its
// way to them when their right ends.
type reader struct {
	conn  *net.TCPConn
	began chan struct{} // closed with the first byte
	ended chan struct{} // closed when the connection has ended

	mu   sync.Mutex // protects what follows
	sips []taken
	line string    // the first of the answer
	end  time.Time // when the socket had no more to give
}

// taken is what one read has brought.
type taken struct {
	at time.Time
	n  int
}

// question is a request that a page makes.
type question struct {
	method, path string
	body         []byte
	websocket    bool
	says         []byte // the first message of a websocket; nil: none
}

func download(name latchkey.Name) question {
	return question{method: "GET", path: "/v1/objects/" + strings.TrimPrefix(name.String(), "v1/")}
}

func changes(home latchkey.HomeID) question {
	return question{method: "GET", path: "/v1/homes/" + home.String() + "/changes", websocket: true}
}

func command(home latchkey.HomeID, agent latchkey.AgentID, letter []byte) question {
	return question{method: "POST", path: "/v1/homes/" + home.String() + "/agents/" + agent.String() + "/commands", body: letter}
}

// read begins to read the answer to a question that a member's page asks at a server.
func read(ctx context.Context, origin string, m *api.Home, q question) (*reader, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, origin+q.path, bytes.NewReader(q.body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	id := api.NewRequestID()
	mac := m.MACKey().RequestMAC(q.method, q.path, id, q.body)
	for name, value := range map[string]string{
		"Cookie": m.Cookie(), "Origin": origin, api.HeaderRequest: id, api.HeaderMAC: mac, "Content-Type": "application/octet-stream",
	} {
		r.Header.Set(name, value)
	}
	if q.websocket {
		r.URL.RawQuery = url.Values{"request": {id}, "mac": {mac}}.Encode()
		for name, value := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13", "Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		} {
			r.Header.Set(name, value)
		}
	}
	// The buffer is set before the connection begins, or else the first window is large.
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		failed := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, holds) })
		return errors.Join(failed, err)
	}}
	c, err := dialer.DialContext(ctx, "tcp", r.URL.Host)
	if err != nil {
		return nil, fmt.Errorf("connect a reader: %w", err)
	}
	s := &reader{conn: c.(*net.TCPConn), began: make(chan struct{}), ended: make(chan struct{})}
	if err := r.Write(c); err != nil {
		return nil, fmt.Errorf("connect a reader: %w", err)
	}
	if q.says != nil { // the server has it when it has the upgrade behind it
		if _, err := c.Write(message(q.says)); err != nil {
			return nil, fmt.Errorf("connect a reader: %w", err)
		}
	}
	go s.run()
	return s, nil
}

// run reads until the connection ends.
func (s *reader) run() {
	defer close(s.ended)
	b := make([]byte, sip)
	for next := time.Now(); ; time.Sleep(time.Until(next)) {
		next = next.Add(time.Second / sipsPerSec)
		n, err := s.conn.Read(b)
		now := time.Now()
		s.mu.Lock()
		if s.sips = append(s.sips, taken{now, n}); len(s.sips) == 1 {
			s.line = begin(string(b[:n]))
			close(s.began)
		}
		if err != nil {
			s.end = now
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
	}
}

// begin is the first line of an answer, and the reason if it is a refusal.
func begin(answer string) string {
	line, rest, _ := strings.Cut(answer, "\r\n")
	if _, reason, ok := strings.Cut(rest, api.HeaderReason+": "); ok {
		reason, _, _ = strings.Cut(reason, "\r\n")
		line += ": " + reason
	}
	return line
}

// flows says whether more has come than an answer's beginning.
func (s *reader) flows() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, t := range s.sips {
		n += t.n
	}
	return n > 4*sip
}

// first is how the answer began.
func (s *reader) first() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.line
}

// since says how long after a moment the socket had given its last, and how many bytes
// it gave after another. If it has not ended, it gives its last now.
func (s *reader) since(from, bound time.Time) (last time.Duration, late int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.sips {
		if t.at.After(bound) {
			late += int64(t.n)
		}
	}
	end := s.end
	if end.IsZero() {
		end = time.Now()
	}
	return end.Sub(from), late
}
