// Package pipes is a listener without a network: nobody outside of this program reaches it.
package pipes

import (
	"context"
	"net"
	"sync"
)

// Listener accepts what is dialled at itself.
type Listener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once // protects the closing of done
}

// Listen returns a listener, until its Close.
func Listen() *Listener { return &Listener{conns: make(chan net.Conn), done: make(chan struct{})} }

// Dial connects to the listener whatever network and address are, as
// [net/http.Transport.DialContext] wants it.
func (l *Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
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
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close is [net.Listener]'s.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr is [net.Listener]'s.
func (l *Listener) Addr() net.Addr { return addr{} }

type addr struct{}

func (addr) Network() string { return "pipe" }
func (addr) String() string  { return "pipe" }
