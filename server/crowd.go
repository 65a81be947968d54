package server

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// crowd is a listener that takes no more than so many connections from one address at a
// time, so that one machine does not take the places of all. A house or a carrier may have
// many machines behind one address, so that the bound is a wide one; of loopback there is
// none, where a proxy stands for everybody.
type crowd struct {
	net.Listener
	most    int // 0: no bound
	refused atomic.Uint64

	mu   sync.Mutex // protects here
	here map[netip.Prefix]int
}

func newCrowd(l net.Listener, most int) *crowd {
	return &crowd{Listener: l, most: most, here: map[netip.Prefix]int{}}
}

// Accept is [net.Listener]'s.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, bounded := c.from(conn)
		if !bounded {
			return conn, nil
		}
		if !c.enter(from) {
			c.refused.Add(1)
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // it costs this machine nothing more
			}
			_ = conn.Close() // as if nobody were here
			continue
		}
		return &crowded{Conn: conn, leave: sync.OnceFunc(func() { c.leave(from) })}, nil
	}
}

// from is whose a connection counts as: of IPv6 a network is one address, because a machine
// has all of it.
func (c *crowd) from(conn net.Conn) (p netip.Prefix, bounded bool) {
	tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok || c.most == 0 {
		return p, false
	}
	a := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	return p, err == nil && !a.IsLoopback()
}

func (c *crowd) enter(from netip.Prefix) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.here[from] >= c.most {
		return false
	}
	c.here[from]++
	return true
}

func (c *crowd) leave(from netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.here[from]--; c.here[from] == 0 {
		delete(c.here, from)
	}
}

// crowded is a connection that counts until it is closed.
type crowded struct {
	net.Conn
	leave func()
}

// Close is [net.Conn]'s.
func (c *crowded) Close() error {
	c.leave()
	return c.Conn.Close()
}

// ReadFrom lets the kernel send a file by itself.
func (c *crowded) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// NetConn is what is below.
func (c *crowded) NetConn() net.Conn { return c.Conn }

// counter shows how many were refused.
func (c *crowd) counter() prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "latchkey_connections_refused_total", Help: "Connections from addresses that had too many."},
		func() float64 { return float64(c.refused.Load()) })
}
