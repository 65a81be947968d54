package porch

import (
	"context"
	"net"
	"sync"
)

// inside is a listener that nobody outside of this program reaches.
type inside struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once // protects the closing of done
}

func newInside() *inside { return &inside{conns: make(chan net.Conn), done: make(chan struct{})} }

func (l *inside) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept is [net.Listener]'s.
func (l *inside) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close is [net.Listener]'s.
func (l *inside) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr is [net.Listener]'s.
func (l *inside) Addr() net.Addr { return inAddr{} }

type inAddr struct{}

func (inAddr) Network() string { return "inside" }
func (inAddr) String() string  { return "inside" }
