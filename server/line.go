package server

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// sendBuffer is how much the kernel takes for one connection before a write waits. What
// lies there is thrown away by a cut; what is on its way to a slow reader, in a proxy
// say, is not, and never more than this.
const sendBuffer = 64 << 10

// line is one connection, from its beginning to its end, under TLS and all.
type line struct {
	conn    net.Conn
	gather  *gatherer   // between conn and net/http; nil if the listener makes none
	once    sync.Once   // protects the reset
	leaving atomic.Bool // it will be reset when its last word is said

	mu      sync.Mutex // protects what follows
	outlets []*outlet  // of requests under way, and of those whose answer the kernel may still have
	gone    bool
}

// lineKey is what a request's context has its line under.
type lineKey struct{}

func lineOf(r *http.Request) *line {
	l, _ := r.Context().Value(lineKey{}).(*line)
	return l
}

// keepLines lets the handler of s find the connection that a request came by.
func keepLines(s *http.Server) {
	var lines sync.Map // of *line, by net.Conn
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		l := &line{}
		l.conn, l.gather = bare(c)
		if tcp, ok := l.conn.(*net.TCPConn); ok {
			_ = tcp.SetWriteBuffer(sendBuffer) // a connection that is closed already
		}
		lines.Store(c, l)
		return context.WithValue(ctx, lineKey{}, l)
	}
	s.ConnState = func(c net.Conn, state http.ConnState) {
		if state != http.StateClosed && state != http.StateHijacked {
			return
		}
		l, ok := lines.LoadAndDelete(c)
		if ok && state == http.StateClosed {
			l.(*line).end()
		}
	}
}

// bare returns what the kernel knows of a connection, and what gathers above it.
func bare(c net.Conn) (net.Conn, *gatherer) {
	var g *gatherer
	for {
		if is, ok := c.(*gatherer); ok {
			g = is
		}
		over, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return c, g
		}
		c = over.NetConn()
	}
}

// reset ends the connection at once, if it was not reset before. What the kernel has not
// sent is thrown away, and the other side is told so. A goroutine that waits in a write
// gets an error.
func (l *line) reset() (first bool) {
	l.once.Do(func() {
		first = true
		if tcp, ok := l.conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // if it is closed already there is nothing to throw away
		}
		_ = l.conn.Close()
	})
	return first
}

// take enters an outlet. Those before it whose answers are over leave: their reader asks
// for the next only when it has the last.
func (l *line) take(o *outlet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outlets = slices.DeleteFunc(l.outlets, func(before *outlet) bool {
		if before.over {
			before.drop()
		}
		return before.over
	})
	l.outlets = append(l.outlets, o)
	if l.gone {
		o.drop()
	}
}

// end is for the connection's end.
func (l *line) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = true
	for _, o := range l.outlets {
		o.drop()
	}
	l.outlets = nil
}
