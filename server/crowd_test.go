package server_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/latchkey-cam/latchkey/server"
)

// comers is a listener to which connections come from addresses that a test names.
type comers chan string

func (c comers) Accept() (net.Conn, error) {
	from, ok := <-c
	if !ok {
		return nil, net.ErrClosed
	}
	here, _ := net.Pipe()
	return &comer{here, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))}, nil
}

func (comers) Close() error   { return nil }
func (comers) Addr() net.Addr { return nil }

type comer struct {
	net.Conn
	from net.Addr
}

func (c *comer) RemoteAddr() net.Addr { return c.from }

// TestCrowd: one address takes no more places than it may, however it is spelled; it has
// them again when it has gone; and others are not kept out by it.
func TestCrowd(t *testing.T) {
	for name, c := range map[string]struct {
		most     int
		from     []string
		accepted int
	}{
		"as many as may":          {3, []string{"192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3"}, 3},
		"more":                    {3, []string{"192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3", "192.0.2.1:4", "192.0.2.1:5"}, 3},
		"in another spelling":     {1, []string{"192.0.2.1:1", "[::ffff:192.0.2.1]:2"}, 1},
		"another":                 {1, []string{"192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1"}, 2},
		"one network of IPv6":     {1, []string{"[2001:db8::1]:1", "[2001:db8::ffff:1]:1"}, 1},
		"another network":         {1, []string{"[2001:db8::1]:1", "[2001:db8:0:1::1]:1"}, 2},
		"on a link":               {1, []string{"[fe80::1%eth0]:1", "[fe80::1%eth1]:1"}, 1},
		"loopback":                {1, []string{"127.0.0.1:1", "127.0.0.1:2", "[::1]:1", "[::1]:2"}, 4},
		"where there is no bound": {0, []string{"192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			l := make(comers, len(c.from)+1)
			crowd := server.NewCrowd(l, c.most)
			for range 2 { // the second time all have gone
				for _, from := range c.from {
					l <- from
				}
				l <- "192.0.2.99:1" // the last
				var taken []net.Conn
				for {
					conn := must(crowd.Accept())
					if conn.RemoteAddr().String() == "192.0.2.99:1" {
						must(0, conn.Close())
						break
					}
					taken = append(taken, conn)
				}
				if len(taken) != c.accepted {
					t.Fatalf("%d are taken, want %d", len(taken), c.accepted)
				}
				for _, conn := range taken {
					must(0, conn.Close())
					must(0, conn.Close()) // which counts once
				}
			}
		})
	}
}
