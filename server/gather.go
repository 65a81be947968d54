package server

import (
	"io"
	"net"
	"sync"
)

// net/http writes 4 KiB at a time. Each write is a call of the kernel, a packet and a
// reader that wakes up: for 8 KiB a fifth of what it takes server and reader together
// (docs/design.md, "Figures"). So a small object leaves in one piece.

// Gathering returns a listener whose connections can gather what is written to them. Serve
// it with [HTTPServer]; on any other listener answers are right, and cost more.
func Gathering(l net.Listener) net.Listener { return gathering{l} }

// gathering makes each connection of a listener one that can gather what is written.
type gathering struct{ net.Listener }

// Accept is [net.Listener]'s.
func (l gathering) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &gatherer{Conn: c}, nil
}

// gatherer is a connection that can gather what is written, under TLS and all.
type gatherer struct {
	net.Conn

	mu   sync.Mutex // protects held
	held *[]byte    // what was written since it gathers; nil: it does not
}

// answers are buffers for one answer each; those that have grown beyond are not kept.
var answers = sync.Pool{New: func() any { return new(make([]byte, 0, maxAnswer)) }}

const maxAnswer = piece + 8<<10

// gather keeps what is written from here on.
func (c *gatherer) gather() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = answers.Get().(*[]byte)
}

// pour sends what was gathered, and gathers no more. A connection that does not take it
// is of no use: whoever wrote was told that all is well.
func (c *gatherer) pour() {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := c.held
	c.held = nil
	if _, err := c.Conn.Write(*held); err != nil {
		_ = c.Conn.Close() // whose other errors do not matter any more
	}
	if cap(*held) == maxAnswer {
		*held = (*held)[:0]
		answers.Put(held)
	}
}

// Write is [net.Conn]'s.
func (c *gatherer) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.held != nil {
		defer c.mu.Unlock()
		*c.held = append(*c.held, p...)
		return len(p), nil
	}
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// ReadFrom lets the kernel send a file by itself.
func (c *gatherer) ReadFrom(r io.Reader) (int64, error) {
	c.mu.Lock()
	gathers := c.held != nil
	c.mu.Unlock()
	if gathers {
		return io.Copy(struct{ io.Writer }{c}, r)
	}
	return io.Copy(c.Conn, r)
}

// NetConn returns the connection beneath.
func (c *gatherer) NetConn() net.Conn { return c.Conn }
