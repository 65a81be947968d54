package bound_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/latchkey-cam/latchkey/bound"
)

// server is as much of a Redis server as the client needs, within the process and its
// clock. What it replies can be altered: a hostile server.
type server struct {
	mu     sync.Mutex // protects what follows
	values map[string][]byte
	hurt   func(command []string, reply []byte) []byte // nil: it is honest
	down   bool
	dials  int
	gets   int
}

func newServer() *server { return &server{values: map[string][]byte{}} }

// tier is one in s. Several caches may share it.
func (s *server) tier() bound.Tier {
	return bound.Valkey(bound.ValkeyConfig{URL: "redis://server", Dial: s.dial})
}

func (s *server) dial(context.Context, string, string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials++
	if s.down {
		return nil, net.ErrClosed
	}
	near, far := net.Pipe()
	go s.serve(far)
	return near, nil
}

// set changes how s behaves.
func (s *server) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// of is how often s was asked for a value.
func (s *server) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gets
}

func (s *server) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		command, err := frame(r)
		if err != nil {
			return
		}
		if _, err := conn.Write(s.reply(words(command))); err != nil {
			return
		}
	}
}

// words takes a command apart.
func words(command []byte) (all []string) {
	r := bufio.NewReader(bytes.NewReader(command))
	_, _ = r.ReadBytes('\n')
	for {
		part, err := frame(r)
		if err != nil {
			return all
		}
		_, text, _ := strings.Cut(string(part), "\r\n")
		all = append(all, strings.TrimSuffix(text, "\r\n"))
	}
}

func (s *server) reply(command []string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	reply := []byte("+OK\r\n")
	switch command[0] {
	case "HELLO":
		reply = []byte("%2\r\n$7\r\nversion\r\n$5\r\n7.2.0\r\n$5\r\nproto\r\n:3\r\n")
	case "GET":
		s.gets++
		reply = bulk(s.values[command[1]])
	case "SET":
		s.values[command[1]] = []byte(command[2])
	case "DEL":
		delete(s.values, command[1])
		reply = []byte(":1\r\n")
	case "PING":
		reply = []byte("+PONG\r\n")
	}
	if s.hurt != nil && command[0] != "HELLO" && command[0] != "CLIENT" {
		return s.hurt(command, reply)
	}
	return reply
}

func bulk(value []byte) []byte {
	if value == nil {
		return []byte("_\r\n")
	}
	return fmt.Appendf(nil, "$%d\r\n%s\r\n", len(value), value)
}

// tell is what a test knows of a cache's first tier.
func tell(t *testing.T, c *bound.Cache) bound.TierStats {
	t.Helper()
	return c.Stats().Tiers[0]
}
