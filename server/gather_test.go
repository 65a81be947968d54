package server_test

import (
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/server"
)

// counting counts what is written to a listener's connections.
type counting struct {
	net.Listener
	writes atomic.Int64
}

func (l *counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countingConn{c, l}, err
}

type countingConn struct {
	net.Conn
	of *counting
}

func (c countingConn) Write(p []byte) (int, error) {
	c.of.writes.Add(1)
	return c.Conn.Write(p)
}

// TestGathering: a small object leaves in one write, a large one in as many as it takes,
// and both are whole.
func TestGathering(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	l := &counting{Listener: must(net.Listen("tcp", "127.0.0.1:0"))}
	front := server.HTTPServer(h.Handler())
	go front.Serve(server.Gathering(l))
	t.Cleanup(func() { must(0, front.Close()) })
	gathered := &house{origin: "http://" + l.Addr().String()}
	for _, c := range []struct {
		kind  latchkey.Kind
		bytes int
		one   bool
	}{
		{latchkey.Thumbnail, 1, true},
		{latchkey.Thumbnail, 8 << 10, true},
		{latchkey.Thumbnail, 60 << 10, true},
		{latchkey.Clip, 8 << 10, true},
		{latchkey.Clip, 300 << 10, false},
	} {
		o := m.stored(c.kind, strings.Repeat("x", c.bytes))
		ask := raw{method: http.MethodGet, path: objectPath(o.Name()), header: m.asPage(), mac: m.mac()}
		for _, when := range []string{"first", "again"} {
			_, want := h.do(t, ask)
			before := l.writes.Load()
			answer, got := gathered.do(t, ask)
			if answer.StatusCode != http.StatusOK || got != want {
				t.Errorf("%s of %d bytes, %s: %s, and %d bytes, want %d", c.kind, c.bytes, when, answer.Status, len(got), len(want))
			}
			if n := l.writes.Load() - before; (n == 1) != c.one {
				t.Errorf("%s of %d bytes, %s: %d writes", c.kind, c.bytes, when, n)
			}
		}
	}
}
