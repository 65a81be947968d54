package agent_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
)

// line is the line of a house to its server: a proxy that a test makes worse.
type line struct {
	net.Listener
	server string

	mu      sync.Mutex // protects everything below
	quality quality
	conns   map[net.Conn]bool
	heard   map[net.Conn][]byte // all that ever came from each end of a connection; nil if nobody listens
}

// quality says what is wrong with a line; the zero one is a good line.
type quality struct {
	portal bool // somebody else answers, in HTML
	drops  int  // of a hundred pieces end their connection
	stalls bool // nothing passes, and nobody is told
	piece  int  // bytes that pass at once; 32 KiB if zero
	rate   int  // bytes a second; without bound if zero
}

func newLine(t *testing.T, server string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "[::1]:0") // a line that knows nothing but IPv6
	if err != nil {
		listener, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	l := &line{Listener: listener, server: server, conns: map[net.Conn]bool{}}
	t.Cleanup(func() { l.Close(); l.cut() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go l.serve(c)
		}
	}()
	return l
}

// client returns an agent's client whose connections all go over the line.
func (l *line) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
		},
		ResponseHeaderTimeout: time.Minute,
	}}
}

func (l *line) is(q quality) {
	l.mu.Lock()
	l.quality = q
	l.mu.Unlock()
}

func (l *line) now() quality {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.quality
}

// cut ends all connections, as a router does that is started anew.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.Close()
	}
}

func (l *line) keep(c net.Conn, is bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if is {
		l.conns[c] = true
	} else {
		delete(l.conns, c)
	}
}

func (l *line) serve(c net.Conn) {
	defer c.Close()
	l.keep(c, true)
	defer l.keep(c, false)
	if l.now().portal {
		page := "<html><title>Welcome to our hotel</title>Please log in.</html>"
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"+page)
		return
	}
	s, err := net.Dial("tcp", l.server)
	if err != nil {
		return
	}
	defer s.Close()
	var ways sync.WaitGroup
	for _, way := range [2][2]net.Conn{{c, s}, {s, c}} {
		ways.Go(func() {
			defer c.Close()
			defer s.Close()
			l.carry(way[0], way[1])
		})
	}
	ways.Wait()
}

// listen keeps from now on whatever passes.
func (l *line) listen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = map[net.Conn][]byte{}
}

func (l *line) hear(from net.Conn, b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.heard != nil {
		l.heard[from] = append(l.heard[from], b...)
	}
}

func (l *line) carry(from, to net.Conn) {
	b := make([]byte, 32<<10)
	for {
		q := l.now()
		piece := len(b)
		if q.piece > 0 {
			piece = q.piece
		}
		n, err := from.Read(b[:piece])
		if err != nil {
			return
		}
		l.hear(from, b[:n])
		for q = l.now(); q.stalls; q = l.now() {
			time.Sleep(20 * time.Millisecond)
		}
		if q.rate > 0 {
			time.Sleep(time.Duration(n) * time.Second / time.Duration(q.rate))
		}
		if rand.IntN(100) < q.drops {
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// TestBadLines records over lines as houses have them. What was acknowledged to the
// camera arrives, once and whole; meanwhile recording goes on and the status says what
// is wrong. LATCHKEY_LONG adds the lines that take minutes.
func TestBadLines(t *testing.T) {
	lines := map[string]quality{
		"small packets":                     {piece: 200},
		"512 kbit/s":                        {rate: 64 << 10, piece: 4 << 10},
		"connections break again and again": {drops: 10},
		"captive portal":                    {portal: true},
		"nothing passes for a while":        {stalls: true},
	}
	if os.Getenv("LATCHKEY_LONG") != "" {
		lines["64 kbit/s"] = quality{rate: 8 << 10, piece: 1 << 10}
	}
	for name, q := range lines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t).joined()
			l := newLine(t, strings.TrimPrefix(h.server.Origin, "http://"))
			a, o, _ := h.placed(agent.Config{HTTP: l.client()})
			l.is(q)
			l.cut()
			for range 2 {
				if err := o.one(); err != nil {
					t.Error(err)
				}
			}
			switch {
			case q.portal:
				h.until("the status says so", func() bool {
					s := a.Status().Uplink
					return s.State == uplink.Waiting && (strings.Contains(s.Detail, "does not speak") || strings.Contains(s.Detail, "cannot be reached"))
				})
				l.is(quality{})
			case q.stalls:
				time.Sleep(2 * time.Second)
				if s := a.Status(); s.Spool.Objects != 6 || s.Cameras[0].State != agent.CameraReceiving {
					t.Errorf("while nothing passes: %+v, %+v", s.Spool, s.Cameras)
				}
				l.is(quality{})
				l.cut() // the house has another address now
			}
			h.arrived(a, o)
			if s := a.Status().Spool; s.Lost+uint64(s.Damaged+s.Refused) > 0 {
				t.Errorf("status %+v", s)
			}
		})
	}
}

// TestNoNetworkAtAll: a server that is not there is a sentence, and no reason not to
// record.
func TestNoNetworkAtAll(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	var mu sync.Mutex // protects away
	away := false
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if away {
			return nil, errors.New("network is unreachable")
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}}
	_, _, stop := h.placed(agent.Config{HTTP: client})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	away = true
	mu.Unlock()
	a, o, _ := h.placed(agent.Config{HTTP: client})
	for range 3 {
		if err := o.one(); err != nil {
			t.Error(err)
		}
	}
	h.until("the status says so", func() bool {
		s := a.Status()
		return s.Uplink.State == uplink.Waiting && strings.Contains(s.Uplink.Detail, "Recording goes on") && s.Spool.Objects == 9
	})
	mu.Lock()
	away = false
	mu.Unlock()
	h.arrived(a, o)
}
