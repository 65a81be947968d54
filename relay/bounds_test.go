package relay_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/relay"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestCut: those whom it picks are given nothing more from the moment that it returns,
// whatever waits for them and whatever they wait in; others go on.
func TestCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, relay.Config{})
		guest := relay.Who{Person: latchkey.PersonID{9}}
		watch := func(who relay.Who, of sealed.Stream, nonce uint64) *relay.Viewer {
			v, err := b.Watch(context.Background(), who, of)
			b.must(err)
			b.letIn(v, of, nonce, runOf(1), 1)
			return v
		}
		kitchen, elsewhere := streamOf(1, 2, sealed.MainStream), streamOf(2, 1, sealed.MainStream)
		behind, waiting, owner := watch(guest, hall, 1), watch(guest, kitchen, 2), watch(relay.Who{}, hall, 3)
		other := watch(guest, elsewhere, 4)
		in, theirs := b.inlet(hall), b.inlet(elsewhere)
		b.bring(in, hall, runOf(1), 1, 4, 4)
		told := make(chan error, 1)
		go func() {
			_, err := waiting.Next()
			told <- err
		}()
		synctest.Wait()
		gone := func(_ sealed.Stream, who relay.Who) bool { return who == guest }
		if n := b.Cut(hall.Home, gone); n != 2 {
			t.Errorf("%d are cut, want 2", n)
		}
		if err := <-told; !errors.Is(err, relay.ErrCut) {
			t.Errorf("one who waits is told %v", err)
		}
		if p, err := behind.Next(); p != nil || !errors.Is(err, relay.ErrCut) {
			t.Errorf("one who is behind is given %d bytes, %v", len(p), err)
		}
		if err := context.Cause(behind.Context()); !errors.Is(err, relay.ErrCut) {
			t.Errorf("what is being written to them ends with %v", err)
		}
		b.want(b.given(in, owner), span(1, 4)...)
		b.bring(theirs, elsewhere, runOf(1), 1, 1, 4)
		b.want(b.given(theirs, other), 1)
		if n := b.CutAll(gone); n != 3 { // who was cut stays so
			t.Errorf("%d are cut, want 3", n)
		}
		if _, err := other.Next(); !errors.Is(err, relay.ErrCut) {
			t.Errorf("one of another home is told %v", err)
		}
		for _, v := range []*relay.Viewer{behind, waiting, owner, other} {
			v.Close()
		}
		time.Sleep(time.Minute)
	})
}

// TestCutInFlight: while fragments come in and go out as fast as they can, nothing is
// given after a cut.
func TestCutInFlight(t *testing.T) {
	b := open(t, relay.Config{})
	in := func() *relay.Inlet { b.watch(hall); return b.inlet(hall) }()
	stop := make(chan struct{})
	var done sync.WaitGroup
	defer done.Wait()
	defer close(stop)
	done.Go(func() {
		for i := uint32(1); ; i++ {
			select {
			case <-stop:
				return
			default:
				if err := in.Take(fragment(hall, runOf(1), i, i%8 == 1, 100)); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for n := range uint64(200) {
		v := b.watch(hall)
		b.letIn(v, hall, n, runOf(1), 1)
		for range n % 3 {
			if _, err := v.Next(); err != nil {
				t.Fatal(err)
			}
		}
		b.Cut(hall.Home, func(sealed.Stream, relay.Who) bool { return true })
		if p, err := v.Next(); p != nil || !errors.Is(err, relay.ErrCut) {
			t.Fatalf("after the cut they are given %d bytes, %v", len(p), err)
		}
		v.Close()
	}
}

// TestLimits: each limit refuses in its own words, and leaves what is there alone.
func TestLimits(t *testing.T) {
	kitchen, elsewhere, third := streamOf(1, 2, sealed.MainStream), streamOf(2, 1, sealed.MainStream), streamOf(3, 1, sealed.MainStream)
	for name, c := range map[string]struct {
		limits relay.Config
		fit    []sealed.Stream
		not    sealed.Stream
		says   string
	}{
		"streams of a home":   {relay.Config{Streams: 1}, []sealed.Stream{hall, hall, elsewhere}, kitchen, "1 streams of the home"},
		"viewers of a stream": {relay.Config{Viewers: 2}, []sealed.Stream{hall, hall, kitchen}, hall, "the stream has 2 viewers"},
		"viewers of a home":   {relay.Config{HomeViewers: 2}, []sealed.Stream{hall, kitchen, elsewhere}, hall, "the home has 2 viewers"},
		"viewers altogether":  {relay.Config{AllViewers: 2}, []sealed.Stream{hall, elsewhere}, third, "this server has 2 viewers"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, c.limits)
			var first *relay.Viewer
			for _, of := range c.fit {
				if v := b.watch(of); first == nil {
					first = v
				}
			}
			before := b.Load()
			if _, err := b.Watch(t.Context(), relay.Who{}, c.not); !errors.Is(err, relay.ErrBusy) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("one too many is told %v", err)
			}
			if l := b.Load(); l != before {
				t.Errorf("it leaves %+v of %+v", l, before)
			}
			first.Close()
			if name != "streams of a home" { // that one is held for a while
				b.watch(c.not)
			}
		})
	}
}

// TestBytesAreBounded: when the room for a home's fragments or for all is used up, no
// group is kept for who comes next, and those who watch miss nothing; a fragment for
// which there is no room at all is refused. What is kept is given back in the end.
func TestBytesAreBounded(t *testing.T) {
	for name, c := range map[string]relay.Config{"of a home": {HomeBytes: 10_000}, "altogether": {Bytes: 10_000}} {
		t.Run(name, func(t *testing.T) {
			b := open(t, c)
			v := b.watch(hall)
			in := b.inlet(hall)
			b.letIn(v, hall, 1, runOf(1), 1)
			for i := uint32(1); i <= 30; i++ {
				b.must(in.Take(fragment(hall, runOf(1), i, i == 1, 1000)))
				b.want(b.given(in, v), i)
				if kept := b.Load().Bytes; kept > 10_000 {
					t.Fatalf("%d bytes are kept", kept)
				}
			}
			late := b.watch(hall)
			b.letIn(late, hall, 2, runOf(1), 1)
			b.want(b.given(in, late))
			if err := in.Take(fragment(hall, runOf(1), 31, true, 10_000)); !errors.Is(err, relay.ErrBusy) {
				t.Errorf("one that is too large is taken with %v", err)
			}
			b.must(in.Take(fragment(hall, runOf(1), 32, false, 100)))
			b.must(in.Take(fragment(hall, runOf(1), 33, true, 100)))
			b.want(b.given(in, v), 33)
			b.want(b.given(in, late), 33)
			b.must(b.Close())
			if kept := b.Load().Bytes; kept != 0 {
				t.Errorf("%d bytes are left", kept)
			}
		})
	}
}

// TestRunsAreBounded: an agent that begins one run after another has two of them kept,
// and the older one until the next has gone on without it.
func TestRunsAreBounded(t *testing.T) {
	b := open(t, relay.Config{})
	b.watch(hall)
	in := b.inlet(hall)
	one := int64(len(fragment(hall, runOf(1), 1, true, 1000)))
	for run := range byte(10) {
		b.must(in.Take(fragment(hall, runOf(run+1), 1, true, 1000)))
		if kept := b.Load().Bytes; kept != min(int64(run)+1, 2)*one {
			t.Fatalf("%d bytes are kept after %d runs", kept, run+1)
		}
	}
	b.must(in.Take(fragment(hall, runOf(10), 2, true, 1000)))
	if kept := b.Load().Bytes; kept != 2*one {
		t.Errorf("%d bytes are kept when the older run is over", kept)
	}
}

// fanOut is what is common to a relay and to what it must not be.
type fanOut struct {
	take func(n uint32)
	next []func()
}

// delays has a camera send 15 pictures a second for a minute to three viewers, one of
// whom takes 2 s for each and one of whom never reads, and returns by how long, at most,
// the camera and the one who is quick were held up.
func delays(f fanOut) (camera, quick time.Duration) {
	const pictures = 900
	sent := make(chan time.Time, pictures)
	stop := make(chan struct{})
	go func() { // who is slow
		for {
			f.next[1]()
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Second):
			}
		}
	}()
	var done sync.WaitGroup
	done.Go(func() {
		for range pictures {
			f.next[0]()
			quick = max(quick, time.Since(<-sent))
		}
	})
	for n := range uint32(pictures) {
		began := time.Now()
		sent <- began
		f.take(n + 1)
		camera = max(camera, time.Since(began))
		time.Sleep(time.Second / 15)
	}
	done.Wait()
	close(stop)
	return camera, quick
}

// TestNobodyWaitsForTheSlow: by a clock that goes only when everybody waits, neither the
// camera nor a quick viewer waits for one who is slow or does not read at all. The
// control is what most would write: a queue for each viewer, that the camera fills.
func TestNobodyWaitsForTheSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, relay.Config{})
		var f fanOut
		var all []*relay.Viewer
		for n := range uint64(3) {
			v, err := b.Watch(context.Background(), relay.Who{}, hall)
			b.must(err)
			b.letIn(v, hall, n, runOf(1), 1)
			all = append(all, v)
			f.next = append(f.next, func() { _, _ = v.Next() }) // what it is is tested elsewhere
		}
		in := b.inlet(hall)
		f.take = func(n uint32) { b.must(in.Take(fragment(hall, runOf(1), n, n%30 == 1, 1000))) }
		if camera, quick := delays(f); camera != 0 || quick != 0 {
			t.Errorf("the camera was held up by %v, a quick viewer by %v", camera, quick)
		}
		if kept := b.Load().Bytes; kept > (30+32)*1200 {
			t.Errorf("%d bytes are kept", kept)
		}
		for _, v := range all {
			v.Close()
		}
		time.Sleep(time.Minute)
	})
	synctest.Test(t, func(t *testing.T) {
		queues := []chan uint32{make(chan uint32, 16), make(chan uint32, 16)}
		var f fanOut
		for _, q := range queues {
			f.next = append(f.next, func() { <-q })
		}
		f.take = func(n uint32) {
			for _, q := range queues {
				q <- n
			}
		}
		if camera, quick := delays(f); camera == 0 && quick == 0 {
			t.Error("queues that are waited for hold nobody up: the test does not notice")
		}
		for len(queues[1]) > 0 {
			<-queues[1]
		}
	})
}

// TestViewersCostLittle: a viewer who does not read costs a place, and no goroutine.
func TestViewersCostLittle(t *testing.T) {
	const viewers = 1000
	b := open(t, relay.Config{Viewers: viewers, HomeViewers: viewers})
	v := b.watch(hall)
	in := b.inlet(hall)
	b.letIn(v, hall, 0, runOf(1), 1)
	before, goroutines := memory(), runtime.NumGoroutine()
	for n := range uint64(viewers - 1) {
		b.letIn(b.watch(hall), hall, n+1, runOf(1), 1)
	}
	each := (memory() - before) / viewers
	if n := runtime.NumGoroutine() - goroutines; each > 2<<10 || n > 0 {
		t.Errorf("a viewer costs %d bytes, all together %d goroutines", each, n)
	}
	before = memory()
	for i := uint32(1); i <= 2000; i++ {
		b.must(in.Take(fragment(hall, runOf(1), i, i%100 == 1, 10_000)))
	}
	if grown, kept := memory()-before, b.Load().Bytes; kept > 132*10_200 || grown > 2*kept {
		t.Errorf("%d bytes are kept, and memory has grown by %d", kept, grown)
	}
	t.Logf("%d bytes a viewer", each)
}

func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
