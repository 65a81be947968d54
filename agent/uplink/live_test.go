package uplink_test

import (
	"testing"

	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
)

// TestKnocksArrive, and the grant goes back over the connection by which they came.
func TestKnocksArrive(t *testing.T) {
	s := newStage(t)
	got := make(chan uplink.Knock, 1)
	s.config.Knock = func(k uplink.Knock) { got <- k }
	s.run()
	s.then <- api.KnockFrame{Home: s.owner.Home(), Knock: []byte("knock")}
	k := <-got
	if err := k.Answer([]byte("grant")); err != nil || string(k.Bytes) != "knock" {
		t.Errorf("%q, %v", k.Bytes, err)
	}
	s.until("the grant arrives", func() bool { return len(saidOf[api.GrantFrame](s)) == 1 })
	if g := saidOf[api.GrantFrame](s)[0]; g.Home != s.owner.Home() || string(g.Grant) != "grant" {
		t.Errorf("%+v", g)
	}
}

// TestKnockOfAnotherHome ends the connection.
func TestKnockOfAnotherHome(t *testing.T) {
	s := newStage(t)
	s.config.Knock = func(uplink.Knock) { t.Error("a knock at another home was handed on") }
	s.run()
	s.until("it is connected", func() bool { return s.uplink.Status().State == uplink.Connected })
	other := s.owner.Home()
	other[0] ^= 1
	s.then <- api.KnockFrame{Home: other, Knock: []byte("knock")}
	s.until("it has come back", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.hellos > 1 })
}

// TestNobodyTakesKnocks: an agent that shows nothing live hears them, and goes on.
func TestNobodyTakesKnocks(t *testing.T) {
	s := newStage(t)
	s.config.Command = func(k *uplink.Command) {
		if err := k.Reply([]byte("still here"), true); err != nil {
			t.Error(err)
		}
	}
	s.run()
	s.then <- api.KnockFrame{Home: s.owner.Home(), Knock: []byte("knock")}
	s.then <- api.CommandFrame{ID: "a", Home: s.owner.Home(), Letter: []byte("x")}
	s.until("it goes on", func() bool { return len(saidOf[api.ReplyFrame](s)) == 1 })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hellos > 1 {
		t.Error("it has hung up")
	}
}
