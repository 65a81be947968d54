// Package bustest is the suite that every bus passes.
package bustest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/bus"
)

// Run runs the suite; open gives each test two servers' ends of one bus.
func Run(t *testing.T, open func(t *testing.T) (a, b bus.Bus)) {
	for name, test := range map[string]func(t *testing.T, a, b bus.Bus){
		"brings everybody what was sent, in order": brings,
		"lets a subscriber tell what was crossed":  tellsCrossed,
		"keeps nothing for those who come later":   keepsNothing,
		"waits for nobody":                         waitsForNobody,
		"stops":                                    stops,
		"carries streams to who tunes in":          carries,
		"lets who tunes in tell what was crossed":  tellsCrossedStreams,
		"loses fragments rather than wait":         losesFragments,
	} {
		t.Run(name, func(t *testing.T) {
			a, b := open(t)
			test(t, a, b)
		})
	}
}

// heard is a call of a listener.
type heard struct {
	Home latchkey.HomeID
	News bus.News
	Beat bus.Beat
}

// listen subscribes and returns what is heard.
func listen(t *testing.T, b bus.Bus) <-chan heard {
	t.Helper()
	c := make(chan heard, 10_000)
	t.Cleanup(b.Subscribe(bus.Listener{
		News: func(home latchkey.HomeID, n bus.News) { c <- heard{Home: home, News: n} },
		Beat: func(b bus.Beat) { c <- heard{Beat: b} },
	}))
	return c
}

func next(t *testing.T, c <-chan heard) heard {
	t.Helper()
	select {
	case h := <-c:
		return h
	case <-time.After(5 * time.Second):
		t.Fatal("nothing came within 5 s")
		return heard{}
	}
}

func news(n uint64) bus.News {
	home := latchkey.HomeID{byte(n), 31: byte(n >> 8)}
	return bus.News{Archive: bus.ArchiveID{1}, Number: n, Home: home, Head: latchkey.Head{Seq: n, Hash: [32]byte{1: byte(n)}}, Session: latchkey.SessionID{2: byte(n)}, Hold: n + 1}
}

func publish(t *testing.T, b bus.Bus, n uint64) {
	t.Helper()
	if err := b.Publish(t.Context(), news(n).Home, news(n)); err != nil {
		t.Fatal(err)
	}
}

func brings(t *testing.T, a, b bus.Bus) {
	ends := []<-chan heard{listen(t, a), listen(t, a), listen(t, b)}
	beat := bus.Beat{Archive: bus.ArchiveID{1}, Number: 101, Time: 1_700_000_000_000_000}
	for n := range uint64(100) {
		publish(t, a, n)
	}
	if err := a.Beat(t.Context(), beat); err != nil {
		t.Fatal(err)
	}
	// Published for another home than its bytes name: the subscriber must be able to see it.
	if err := a.Publish(t.Context(), latchkey.HomeID{9}, news(102)); err != nil {
		t.Fatal(err)
	}
	for i, c := range ends {
		for n := range uint64(100) {
			if diff := cmp.Diff(heard{Home: news(n).Home, News: news(n)}, next(t, c)); diff != "" {
				t.Fatalf("subscriber %d (-want +got):\n%s", i, diff)
			}
		}
		if diff := cmp.Diff([]heard{{Beat: beat}, {Home: latchkey.HomeID{9}, News: news(102)}}, []heard{next(t, c), next(t, c)}); diff != "" {
			t.Errorf("subscriber %d (-want +got):\n%s", i, diff)
		}
	}
}

// tellsCrossed delivers messages under another subject, and of another archive: whoever
// compares is called for none of them, and each is counted.
func tellsCrossed(t *testing.T, a, b bus.Bus) {
	heard := make(chan uint64, 10)
	crossed := make(chan [2]latchkey.HomeID, 10)
	compares := bus.Listener{
		News: func(_ latchkey.HomeID, n bus.News) { heard <- n.Number },
		Beat: func(b bus.Beat) { heard <- b.Number },
	}.Comparing(bus.ArchiveID{1}, func(under, found latchkey.HomeID) { crossed <- [2]latchkey.HomeID{under, found} })
	t.Cleanup(b.Subscribe(compares))
	foreign := news(3)
	foreign.Archive = bus.ArchiveID{2}
	for _, send := range []func() error{
		func() error { return a.Publish(t.Context(), news(1).Home, news(1)) },
		func() error { return a.Publish(t.Context(), news(1).Home, news(2)) },
		func() error { return a.Publish(t.Context(), foreign.Home, foreign) },
		func() error { return a.Beat(t.Context(), bus.Beat{Archive: bus.ArchiveID{2}, Number: 4}) },
		func() error { return a.Beat(t.Context(), bus.Beat{Archive: bus.ArchiveID{1}, Number: 5}) },
	} {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []uint64{1, 5} {
		select {
		case got := <-heard:
			if got != want {
				t.Errorf("heard %d, want %d", got, want)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("nothing came within 5 s")
		}
	}
	if len(crossed) != 3 {
		t.Fatalf("%d were crossed, want 3", len(crossed))
	}
	for _, want := range [][2]latchkey.HomeID{{news(1).Home, news(2).Home}, {foreign.Home, foreign.Home}, {}} {
		if got := <-crossed; got != want {
			t.Errorf("crossed %s, want %s", got, want)
		}
	}
}

func keepsNothing(t *testing.T, a, b bus.Bus) {
	early := listen(t, b)
	publish(t, a, 1)
	next(t, early)
	late := listen(t, b)
	publish(t, a, 2)
	if h := next(t, late); h.News.Number != 2 {
		t.Errorf("somebody who came later heard %+v", h)
	}
}

// waitsForNobody has a subscriber that never comes back from its first call.
func waitsForNobody(t *testing.T, a, b bus.Bus) {
	stuck := make(chan struct{})
	stop := a.Subscribe(bus.Listener{News: func(latchkey.HomeID, bus.News) { <-stuck }, Beat: func(bus.Beat) {}})
	defer stop()
	defer close(stuck)
	other := listen(t, b)
	began := time.Now()
	for n := range uint64(5000) {
		publish(t, a, n)
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("publishing took %s beside a subscriber that is stuck", d)
	}
	if h := next(t, other); h.News.Number != 0 {
		t.Errorf("another subscriber heard %+v first", h)
	}
}

func stops(t *testing.T, a, b bus.Bus) {
	called := make(chan struct{}, 100)
	stop := b.Subscribe(bus.Listener{News: func(latchkey.HomeID, bus.News) { called <- struct{}{} }, Beat: func(bus.Beat) {}})
	stop()
	stop() // again is nothing
	other := listen(t, b)
	publish(t, a, 1)
	next(t, other)
	select {
	case <-called:
		t.Error("a subscriber that has stopped is called")
	case <-time.After(20 * time.Millisecond):
	}
}
