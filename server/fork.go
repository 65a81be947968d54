package server

import (
	"errors"
	"net"
	"sync"
	"time"
)

// handshakeRecord is the first byte of a TLS connection (RFC 8446, 5.1); HTTP begins
// with a letter.
const handshakeRecord = 22

// maxUndecided is how many connections that have said nothing yet are kept.
const maxUndecided = 1000

// fork parts the connections of one listener by their first byte, so that somebody who
// typed http:// is told what to do and not shown a broken connection.
type fork struct {
	net.Listener
	secure, plain *branch
	undecided     chan struct{}
	once          sync.Once
	ended         chan struct{}
}

// branch is one kind of the connections of a fork.
type branch struct {
	fork  *fork
	conns chan net.Conn
}

func newFork(l net.Listener) *fork {
	f := &fork{Listener: l, undecided: make(chan struct{}, maxUndecided), ended: make(chan struct{})}
	f.secure, f.plain = &branch{f, make(chan net.Conn)}, &branch{f, make(chan net.Conn)}
	go f.run()
	return f
}

func (f *fork) run() {
	defer f.end()
	for {
		c, err := f.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		} else if err != nil { // of one connection, or no more descriptors
			time.Sleep(50 * time.Millisecond)
			continue
		}
		select {
		case f.undecided <- struct{}{}:
			go f.decide(c)
		default:
			c.Close()
		}
	}
}

func (f *fork) end() { f.once.Do(func() { close(f.ended) }) }

func (f *fork) decide(c net.Conn) {
	defer func() { <-f.undecided }()
	var first [1]byte
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second)) // a closed connection fails at the read
	if _, err := c.Read(first[:]); err != nil {
		c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	to := f.plain
	if first[0] == handshakeRecord {
		to = f.secure
	}
	select {
	case to.conns <- &begun{Conn: c, first: first[:]}:
	case <-f.ended:
		c.Close()
	}
}

// begun is a connection whose first byte has been read.
type begun struct {
	net.Conn
	first []byte
}

// NetConn is the connection itself.
func (b *begun) NetConn() net.Conn { return b.Conn }

func (b *begun) Read(p []byte) (int, error) {
	if len(b.first) > 0 && len(p) > 0 {
		n := copy(p, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	return b.Conn.Read(p)
}

func (b *branch) Accept() (net.Conn, error) {
	select {
	case c := <-b.conns:
		return c, nil
	case <-b.fork.ended:
		return nil, net.ErrClosed
	}
}

// Close closes the listener under both branches.
func (b *branch) Close() error {
	b.fork.end()
	err := b.fork.Listener.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil // by the other branch
	}
	return err
}

func (b *branch) Addr() net.Addr { return b.fork.Listener.Addr() }
