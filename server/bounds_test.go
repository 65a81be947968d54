package server_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/server"
)

// TestGreetingsAreBounded: of agents that have not said who they are a thousand may be
// connected. Who has said it, was refused or has gone is none of them.
func TestGreetingsAreBounded(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	server.Greet(h.Server, 999)
	for range 3 {
		must(0, m.connect(start{1, 0, 1}).Close())
	}
	eventually(t, "the agent is away", func() bool { return h.metric(t, "latchkey_agents") == 0 })
	refused, _ := m.dial(m.hello(start{9, 9, 9}, nil), m.agent)
	if _, err := refused.Receive(within(t)); err == nil {
		t.Error("after the refusal the connection goes on")
	}
	eventually(t, "neither is one of them", func() bool { return server.Greet(h.Server, 0) == 999 })
	silent := must(h.client.Dial(within(t), ""))
	_, err := h.client.Dial(within(t), "")
	wantReason(t, "one more", err, api.Busy)
	must(0, silent.Close())
	eventually(t, "a place for one", func() bool {
		s, err := h.client.Dial(within(t), "")
		return err == nil && s.Close() == nil
	})
}

func TestListenersAreBounded(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	ctx := within(t)
	var err error
	n := 0
	for ; n < 100 && err == nil; n++ {
		var s *api.Changes
		if s, err = m.member.Changes(ctx); err == nil {
			defer s.Close()
		}
	}
	if api.ReasonOf(err) != api.TooMany || n != 65 {
		t.Errorf("the %d. page: %v", n, err)
	}
	if s, err := other.member.Changes(ctx); err != nil {
		t.Errorf("another home's page: %v", err)
	} else {
		s.Close()
	}
}

// TestUploadsOfAHomeAreBounded: a home that has 32 uploads under way has to wait with the
// next; another home does not.
func TestUploadsOfAHomeAreBounded(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	o := m.object(latchkey.Thumbnail, "one more")
	path := objectPath(o.Name())
	var standing []net.Conn
	eventually(t, "a place for no more", func() bool {
		c := must(net.Dial("tcp", strings.TrimPrefix(h.origin, "http://")))
		standing = append(standing, c)
		fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: x\r\n%s: standing\r\n%s: %s\r\nContent-Length: 1000\r\n\r\n",
			path, api.HeaderRequest, api.HeaderAgent, m.asAgent("PUT", path).Get(api.HeaderAgent))
		return api.ReasonOf(m.put(o)) == api.Busy
	})
	if len(standing) < 32 {
		t.Errorf("%d uploads are as many as there may be", len(standing))
	}
	other.stored(latchkey.Thumbnail, "of another home")
	for _, c := range standing {
		must(0, c.Close())
	}
	eventually(t, "places again", func() bool { return m.put(o) == nil })
}
