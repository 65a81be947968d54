package server

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
)

// TestRemote: people are told apart by their network, and through a proxy of the
// server's own.
func TestRemote(t *testing.T) {
	for _, c := range []struct{ peer, forwarded, want string }{
		{"203.0.113.5:1234", "", "203.0.113.5"},
		{"203.0.113.5:1234", "198.51.100.1", "203.0.113.5"}, // anybody can say so
		{"127.0.0.1:1234", "", "127.0.0.1"},
		{"127.0.0.1:1234", "198.51.100.1", "198.51.100.1"},
		{"172.18.0.3:1234", "198.51.100.1", "198.51.100.1"},
		{"127.0.0.1:1234", "1.2.3.4, 198.51.100.1", "198.51.100.1"},
		{"127.0.0.1:1234", "nonsense", "127.0.0.1"},
		{"127.0.0.1:1234", "198.51.100.1,", "127.0.0.1"},
		{"[2001:db8:1:2:3:4:5:6]:1234", "", "2001:db8:1:2::/64"},
		{"[2001:db8:1:2:ffff::1]:1234", "", "2001:db8:1:2::/64"},
		{"[::ffff:203.0.113.5]:1234", "", "203.0.113.5"},
		{"[::1]:1234", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"[fe80::1%eth0]:1234", "", "fe80::/64"},
		{"@", "", "unknown"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := remote(r); got != c.want {
			t.Errorf("%s, forwarded for %q, is %q, want %q", c.peer, c.forwarded, got, c.want)
		}
	}
}

// TestGuessesAreBounded: what is guessed at often stays in memory, what is not makes
// room, and with only the first kind nothing more may be guessed.
func TestGuessesAreBounded(t *testing.T) {
	g, now := newGuesses(), time.Now()
	for range freeGuesses {
		g.try("x", "the first", now)
	}
	for i := range 2 * maxGuessed {
		if !g.try("x", fmt.Sprint(i), now) {
			t.Fatalf("guess %d is refused", i)
		}
	}
	if len(g.tried) > maxGuessed || g.try("x", "the first", now) {
		t.Errorf("%d are kept; the first can be guessed again", len(g.tried))
	}
	for i := range maxGuessed + 1 {
		for range freeGuesses {
			g.try("y", fmt.Sprint(i), now)
		}
	}
	if len(g.tried) > maxGuessed || g.try("z", "another", now) {
		t.Errorf("%d are kept, and another may be guessed at", len(g.tried))
	}
	if now = now.Add(2 * time.Hour); !g.try("z", "another", now) || len(g.tried) > 10 {
		t.Errorf("after two hours %d are kept", len(g.tried))
	}
}

func TestTalliesAreBounded(t *testing.T) {
	a, now := newTally(2, time.Minute), time.Now()
	for i := range maxTallied {
		if a.allow(fmt.Sprint(i), now) != 0 {
			t.Fatalf("%d is refused", i)
		}
	}
	if a.allow("another", now) == 0 || len(a.done) > maxTallied {
		t.Errorf("%d are kept", len(a.done))
	}
	if a.allow("1", now) != 0 || a.allow("1", now) != time.Minute {
		t.Error("one that is known may not go on, or for ever")
	}
	if now = now.Add(time.Minute); a.allow("another", now) != 0 || len(a.done) != 1 {
		t.Errorf("a minute later %d are kept", len(a.done))
	}
	a.back("another")
	if len(a.done) != 0 {
		t.Error("what was taken back is kept")
	}
}

// TestPlacesAreBounded: so many of each home, and none is remembered when all have left.
func TestPlacesAreBounded(t *testing.T) {
	p, one, two := newPlaces[latchkey.HomeID](2), latchkey.HomeID{1}, latchkey.HomeID{2}
	var leave []func()
	enter := func(home latchkey.HomeID, want bool) {
		t.Helper()
		l, ok := p.enter(home)
		if ok != want {
			t.Fatalf("entered: %t, want %t", ok, want)
		}
		if ok {
			leave = append(leave, l)
		}
	}
	enter(one, true)
	enter(one, true)
	enter(one, false)
	enter(two, true)
	leave[0]()
	enter(one, true)
	enter(one, false)
	for _, l := range leave[1:] {
		l()
	}
	if len(p.taken) != 0 {
		t.Errorf("%v are remembered", p.taken)
	}
}
