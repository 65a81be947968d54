package fault_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/latchkey-cam/latchkey/drill/fault"
)

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 2)) }

func seeded() *rand.Rand { return source(1) }

// cache is a server with the keys k0 to k9999, each of whose values names its key, and a
// proxy before it.
func cache(t *testing.T) *fault.Proxy {
	t.Helper()
	m := miniredis.RunT(t)
	for i := range 10_000 {
		if err := m.Set(fmt.Sprintf("k%d", i), fmt.Sprintf("value of k%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	return proxy(t, m.Addr(), fault.RESP)
}

func proxy(t *testing.T, upstream string, p fault.Protocol) *fault.Proxy {
	t.Helper()
	x, err := fault.NewProxy(t.Context(), fault.ProxyConfig{Upstream: upstream, Protocol: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// client speaks to a server by hand.
type client struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func dial(t *testing.T, addr string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t, conn, bufio.NewReader(conn)}
}

func (c *client) say(requests ...string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, strings.Join(requests, "")); err != nil {
		c.t.Fatal(err)
	}
}

// hears waits for a value, and returns those that come until nothing has come for a while.
func (c *client) hears() string {
	c.t.Helper()
	var got []string
	for within := 30 * time.Second; ; within = short {
		if err := c.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
			c.t.Fatal(err)
		}
		line, err := c.r.ReadString('\n')
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return strings.Join(got, " ")
		} else if err != nil {
			c.t.Fatal(err)
		}
		if !strings.HasPrefix(line, "$") || strings.HasPrefix(line, "$-") { // lengths say nothing
			got = append(got, strings.TrimPrefix(strings.TrimSpace(line), "value of "))
		}
	}
}

// short is a while; what is held is held for a long one, in which it must not come.
const (
	short = 400 * time.Millisecond
	long  = 10 * short
)

func get(key string) string { return fmt.Sprintf("*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len(key), key) }

// TestWireFaultsAtTheBytes asks five questions at once and looks at the answers.
func TestWireFaultsAtTheBytes(t *testing.T) {
	for _, tt := range []struct {
		name string
		put  func(p *fault.Proxy) *fault.Injection
		want string
	}{
		{"none", nil, "k0 k1 k2 k3 k4"},
		{"drop", func(p *fault.Proxy) *fault.Injection { return p.Drop(fault.Schedule{At: 2}, seeded()) }, "k0 k2 k3 k4"},
		{"duplicate", func(p *fault.Proxy) *fault.Injection { return p.Duplicate(fault.Schedule{At: 2}, seeded()) }, "k0 k1 k1 k2 k3 k4"},
		{"swap", func(p *fault.Proxy) *fault.Injection { return p.Swap(fault.Schedule{At: 2}, seeded()) }, "k0 k2 k1 k3 k4"},
		{"all dropped but two", func(p *fault.Proxy) *fault.Injection {
			return p.Drop(fault.Schedule{After: 1, Until: 4, Rate: 1}, seeded())
		}, "k0 k4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := cache(t)
			var in *fault.Injection
			if tt.put != nil {
				in = tt.put(p)
			}
			c := dial(t, p.Addr())
			c.say(get("k0"), get("k1"), get("k2"), get("k3"), get("k4"))
			if got := c.hears(); got != tt.want {
				t.Errorf("five questions are answered with %q, want %q", got, tt.want)
			}
			if in != nil && (in.Injected() == 0 || in.Chances() != 5) {
				t.Errorf("it counts %d of %d", in.Injected(), in.Chances())
			}
		})
	}
}

func TestSwapWithoutANeighbour(t *testing.T) {
	p := cache(t)
	in := p.Swap(fault.Schedule{At: 1}, seeded())
	c := dial(t, p.Addr())
	c.say(get("k1"))
	if got := c.hears(); got != "k1" {
		t.Errorf("the only answer is %q", got)
	}
	if in.Injected() != 0 {
		t.Error("an answer that has no neighbour is counted as swapped with it")
	}
	c.say(get("k1"), get("k2"))
	if got := c.hears(); got != "k2 k1" || in.Injected() != 1 {
		t.Errorf("two are answered with %q, and %d counted", got, in.Injected())
	}
}

func TestHold(t *testing.T) {
	p := cache(t)
	in := p.Hold(fault.Schedule{At: 2}, seeded(), long)
	c := dial(t, p.Addr())
	c.say(get("k1"), get("k2"), get("k3"))
	if got := c.hears(); got != "k1" {
		t.Errorf("at once there is %q", got)
	}
	if got := c.hears(); got != "k2 k3" || in.Injected() != 1 {
		t.Errorf("later there is %q, and %d counted", got, in.Injected())
	}
}

// TestGlue crosses two connections while something is on its way on both, and only then.
func TestGlue(t *testing.T) {
	p := cache(t)
	in := p.Glue(fault.Schedule{At: 1}, seeded())
	a, b := dial(t, p.Addr()), dial(t, p.Addr())
	a.say(get("k1"))
	if got := a.hears(); got != "k1" || in.Injected() != 0 {
		t.Errorf("with one connection in use the answer is %q, and %d counted", got, in.Injected())
	}
	in.End()
	held := p.Hold(fault.Schedule{At: 1}, seeded(), long)
	a.say(get("k2"))
	for held.Injected() == 0 {
		time.Sleep(time.Millisecond)
	}
	in = p.Glue(fault.Schedule{At: 1}, seeded())
	b.say(get("k3"))
	if a, b := a.hears(), b.hears(); a != "k3" || b != "k2" || in.Injected() != 1 {
		t.Errorf("the answers are %q and %q, and %d counted", a, b, in.Injected())
	}
	a.say(get("k4"))
	b.say(get("k5"))
	if a, b := a.hears(), b.hears(); a != "k4" || b != "k5" {
		t.Errorf("later, each with the other's server, the answers are %q and %q", a, b)
	}
}

func TestDown(t *testing.T) {
	p := cache(t)
	c := dial(t, p.Addr())
	c.say(get("k1"))
	if got := c.hears(); got != "k1" {
		t.Fatal(got)
	}
	p.Down(true)
	if err := c.conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection outlives the outage: %v", err)
	}
	if _, err := dial(t, p.Addr()).conn.Read(make([]byte, 1)); err == nil {
		t.Error("there are connections in an outage")
	}
	p.Down(false)
	c = dial(t, p.Addr())
	c.say(get("k1"))
	if got := c.hears(); got != "k1" || p.Accepted() != 3 {
		t.Errorf("after the outage there is %q, and %d connections are counted", got, p.Accepted())
	}
}
