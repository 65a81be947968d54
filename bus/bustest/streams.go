package bustest

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/sealed"
)

func streamOf(n byte) sealed.Stream {
	return sealed.Stream{Home: latchkey.HomeID{n}, Camera: latchkey.CameraID{n}, Kind: sealed.MainStream}
}

func live(n byte, kind bus.LiveKind, b ...byte) bus.Live {
	return bus.Live{Archive: bus.ArchiveID{1}, From: bus.SenderID{2}, Stream: streamOf(n), Kind: kind, Bytes: b}
}

// told is a message and what it came under.
type told struct {
	Under   sealed.Stream
	Message bus.Live
}

// ear hears with one of a bus's ways to listen.
func ear(t *testing.T, begin func(hear bus.Hear) (stop func())) <-chan told {
	t.Helper()
	c := make(chan told, 1000)
	t.Cleanup(begin(func(of sealed.Stream, m bus.Live) { c <- told{of, m} }))
	return c
}

func tuned(t *testing.T, b bus.Bus, n byte) <-chan told {
	return ear(t, func(hear bus.Hear) func() { return b.Tune(streamOf(n), hear) })
}

func wants(t *testing.T, c <-chan told, want ...told) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-c:
			if diff := cmp.Diff(w, got); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("nothing came within 5 s")
		}
	}
	if len(c) > 0 {
		t.Errorf("more came: %+v", <-c)
	}
}

func send(t *testing.T, b bus.Bus, under byte, m bus.Live) {
	t.Helper()
	if err := b.Send(t.Context(), streamOf(under), m); err != nil {
		t.Fatal(err)
	}
}

// carries has each kind go to those for whom it is, in order, and to nobody after stop.
func carries(t *testing.T, a, b bus.Bus) {
	one, also, two := tuned(t, b, 1), tuned(t, a, 1), tuned(t, b, 2)
	calls := ear(t, b.Listen)
	left := make(chan told, 10)
	stop := b.Tune(streamOf(1), func(of sealed.Stream, m bus.Live) { left <- told{of, m} })
	stop()
	stop() // again is nothing
	sent := []bus.Live{
		live(1, bus.Wanted), live(1, bus.Knock, 1), live(1, bus.Grant, 2), live(2, bus.Fragment, 3),
		live(1, bus.Fragment, 4), live(1, bus.Away), live(2, bus.Knock, 5),
	}
	for _, m := range sent {
		send(t, a, m.Stream.Home[0], m)
	}
	send(t, a, 3, live(3, bus.Fragment, 6)) // to nobody
	at := func(i int) told { return told{sent[i].Stream, sent[i]} }
	for _, c := range []<-chan told{one, also} {
		wants(t, c, at(2), at(4), at(5))
	}
	wants(t, two, at(3))
	wants(t, calls, at(0), at(1), at(6))
	if len(left) > 0 {
		t.Error("who has stopped is called")
	}
}

// tellsCrossedStreams sends what is another stream's, another archive's or the own.
func tellsCrossedStreams(t *testing.T, a, b bus.Bus) {
	came := make(chan bus.Live, 10)
	crossed := make(chan [2]sealed.Stream, 10)
	hear := bus.Comparing(bus.ArchiveID{1}, bus.SenderID{9}, func(m bus.Live) { came <- m }, func(under, found sealed.Stream) { crossed <- [2]sealed.Stream{under, found} })
	t.Cleanup(b.Tune(streamOf(1), hear))
	t.Cleanup(b.Listen(hear))
	foreign, own := live(1, bus.Fragment, 2), live(1, bus.Fragment, 3)
	foreign.Archive, own.From = bus.ArchiveID{7}, bus.SenderID{9}
	for _, m := range []bus.Live{live(2, bus.Fragment, 1), foreign, own, live(1, bus.Fragment, 4)} {
		send(t, a, 1, m)
	}
	one := func() bus.Live {
		select {
		case m := <-came:
			return m
		case <-time.After(5 * time.Second):
			t.Fatal("nothing came within 5 s")
			return bus.Live{}
		}
	}
	if diff := cmp.Diff(live(1, bus.Fragment, 4), one()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	send(t, a, 2, live(1, bus.Knock, 5))
	send(t, a, 2, live(2, bus.Knock, 6))
	if diff := cmp.Diff(live(2, bus.Knock, 6), one()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(crossed) != 3 {
		t.Fatalf("%d were crossed, want 3", len(crossed))
	}
	for _, want := range [][2]sealed.Stream{{streamOf(1), streamOf(2)}, {streamOf(1), streamOf(1)}, {streamOf(2), streamOf(1)}} {
		if got := <-crossed; got != want {
			t.Errorf("crossed %v, want %v", got, want)
		}
	}
}

// losesFragments has somebody be stuck: others go on, and what waits for them is bounded
// in bytes.
func losesFragments(t *testing.T, a, b bus.Bus) {
	stuck := make(chan struct{})
	took, last, other := 0, make(chan struct{}, 1000), make(chan int, 1000)
	stop := b.Tune(streamOf(1), func(_ sealed.Stream, m bus.Live) {
		<-stuck
		if took++; m.Kind == bus.Away {
			last <- struct{}{}
		}
	})
	defer stop()
	free := sync.OnceFunc(func() { close(stuck) })
	defer free()
	t.Cleanup(a.Tune(streamOf(1), func(_ sealed.Stream, m bus.Live) { other <- len(m.Bytes) }))
	large := live(1, bus.Fragment, make([]byte, 3<<20)...)
	for range 100 {
		send(t, a, 1, large)
		select {
		case n := <-other:
			if n != len(large.Bytes) {
				t.Fatalf("%d bytes came", n)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("nothing came within 5 s, beside a subscriber that is stuck")
		}
	}
	free()
	for waits := true; waits; { // what comes last may be lost as well
		send(t, a, 1, live(1, bus.Away))
		select {
		case <-last:
			waits = false
		case <-time.After(50 * time.Millisecond):
		}
	}
	stop() // it is called no more afterwards
	if took > 32 {
		t.Errorf("%d fragments of 3 MiB waited", took)
	}
}
