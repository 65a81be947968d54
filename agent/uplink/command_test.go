package uplink_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
)

func TestCommandsArrive(t *testing.T) {
	s := newStage(t)
	got := make(chan *uplink.Command, 32)
	s.config.Command = func(k *uplink.Command) { got <- k }
	s.run()
	command := func(id string) { s.then <- api.CommandFrame{ID: id, Home: s.owner.Home(), Letter: []byte(id)} }
	command("one")
	command("two")
	one, two := <-got, <-got
	for _, say := range []struct {
		k    *uplink.Command
		text string
		last bool
	}{{one, "a", false}, {two, "b", true}, {one, "c", true}} {
		if err := say.k.Reply([]byte(say.text), say.last); err != nil {
			t.Errorf("reply %s: %v", say.text, err)
		}
	}
	if one.Reply([]byte("d"), false) == nil || one.Context().Err() == nil {
		t.Error("something can be said behind the last reply")
	}
	home := s.owner.Home()
	want := []api.ReplyFrame{
		{Type: "reply", ID: "one", Home: home, Letter: []byte("a")}, {Type: "reply", ID: "two", Home: home, Letter: []byte("b"), Last: true},
		{Type: "reply", ID: "one", Home: home, Letter: []byte("c"), Last: true},
	}
	s.until("the replies arrive", func() bool { return len(saidOf[api.ReplyFrame](s)) == len(want) })
	if diff := cmp.Diff(want, saidOf[api.ReplyFrame](s)); diff != "" || string(one.Letter) != "one" || string(two.Letter) != "two" {
		t.Errorf("%s %s (-want +got):\n%s", one.Letter, two.Letter, diff)
	}

	command("three")
	three := <-got
	s.then <- api.StopFrame{ID: "three", Home: home}
	<-three.Context().Done()
	if three.Reply([]byte("x"), true) == nil {
		t.Error("a reply that nobody waits for was sent")
	}
	s.then <- api.StopFrame{ID: "never heard of", Home: home}

	command("four")
	four := <-got
	if err := four.Refuse(api.Stale); err != nil {
		t.Error(err)
	}
	s.until("the refusal arrives", func() bool { return len(saidOf[api.Refused](s)) == 1 })
	if r := saidOf[api.Refused](s)[0]; r.ID != "four" || r.Reason != api.Stale || r.Home != home.String() {
		t.Errorf("refused %+v", r)
	}

	// The same once more, and more than belong to one connection.
	command("n0")
	for i := range 17 {
		command(fmt.Sprint("n", i))
	}
	s.until("what is too much is refused", func() bool { return len(saidOf[api.Refused](s)) == 3 })
	for _, r := range saidOf[api.Refused](s)[1:] {
		if r.Reason != api.Busy || r.ID != "n16" && r.ID != "n0" {
			t.Errorf("refused %+v", r)
		}
	}
	first := <-got
	s.then <- api.Hello{ID: "nonsense"} // the agent hangs up
	<-first.Context().Done()
	s.until("it is connected again", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.hellos > 1 })
}

// TestCommandOfAnotherHome ends the connection.
func TestCommandOfAnotherHome(t *testing.T) {
	s := newStage(t)
	s.config.Command = func(*uplink.Command) { t.Error("a command of another home was handed on") }
	s.run()
	s.until("it is connected", func() bool { return s.uplink.Status().State == uplink.Connected })
	other := s.owner.Home()
	other[0] ^= 1
	s.then <- api.CommandFrame{ID: "a", Home: other, Letter: []byte("x")}
	s.until("it has come back", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.hellos > 1 })
}

func TestNobodyTakesCommands(t *testing.T) {
	s := newStage(t)
	s.run()
	s.then <- api.SettingsFrame{Home: s.owner.Home(), Document: []byte("x")} // nobody takes settings either
	s.then <- api.CommandFrame{ID: "a", Home: s.owner.Home(), Letter: []byte("x")}
	s.until("it is refused", func() bool { return len(saidOf[api.Refused](s)) == 1 })
}

// TestConditionIsSaid at the beginning of a connection, when it has changed, and in a
// new epoch; a server that does not keep it is no reason to hang up.
func TestConditionIsSaid(t *testing.T) {
	s := newStage(t)
	s.refuse = api.OldEpoch
	s.config.Condition = func(t *deed.Title) ([]byte, error) { return fmt.Append(nil, "epoch ", t.Epoch()), nil }
	s.run()
	said := func(n int, last string) {
		t.Helper()
		s.until("it is said", func() bool { return len(saidOf[api.ConditionFrame](s)) == n })
		if m := saidOf[api.ConditionFrame](s)[n-1]; m.Home != s.owner.Home() || string(m.Letter) != last {
			t.Errorf("%q of home %s", m.Letter, m.Home)
		}
	}
	said(1, "epoch 1")
	before := s.owner.Title().Head()
	s.owner.StartEpoch()
	after := s.owner.Title()
	s.then <- api.DeedsFrame{Home: s.owner.Home(), Head: api.Head(after.Head()), Deeds: after.Deeds(before.Seq + 1)}
	said(2, "epoch 2")
	s.uplink.Tell()
	said(3, "epoch 2")
	s.mu.Lock()
	s.refuse = api.Replayed
	s.mu.Unlock()
	s.uplink.Tell()
	said(4, "epoch 2")
	s.uplink.Tell()
	said(5, "epoch 2")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hellos != 1 {
		t.Errorf("it has connected %d times", s.hellos)
	}
}
