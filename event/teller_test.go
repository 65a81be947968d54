package event

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/media"
)

// slow is a sink that stands still until it is let go.
type slow struct {
	letGo chan struct{}

	mu   sync.Mutex // protects told
	told []string
}

func (s *slow) Begin(ctx context.Context, e Event, thumbnail []byte) error {
	<-s.letGo
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, "begin "+e.Cause)
	return nil
}

func (s *slow) End(ctx context.Context, e Event, clip func(io.Writer) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	word := "end "
	if errors.Is(clip(io.Discard), errSlow) {
		word = "end without clip "
	}
	s.told = append(s.told, word+e.Cause)
	return nil
}

// What waits for a sink that stands still is bounded, and what is dropped is counted:
// first clips, then whole events.
func TestSlowSink(t *testing.T) {
	sink := &slow{letGo: make(chan struct{})}
	var mu sync.Mutex
	var status Status
	tell := &teller{config: &Config{Sink: sink, FFmpeg: "no-such-ffmpeg", Log: slog.New(slog.DiscardHandler)},
		moment: func(time.Time) clock.Moment { return clock.Moment{} }, ready: make(chan struct{}, 1),
		report: func(change func(*Status)) { mu.Lock(); defer mu.Unlock(); change(&status) }}
	p := &media.Parameters{SPS: []byte{0x67, 1, 2, 3}, PPS: [][]byte{{0x68, 1}}}
	group := func(size int) []media.Unit {
		return []media.Unit{{NALs: [][]byte{make([]byte, size)}, Break: true, Parameters: p}}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { tell.run(ctx) })
	happen := func(name string, still, clip int) {
		e := Event{ID: latchkey.NewEventID(), Cause: name}
		tell.begin(e, group(still))
		tell.end(e, []media.Group{{Units: group(clip)}})
	}
	happen("one", 1000, 35<<20)
	happen("two", 1000, 35<<20)
	happen("three", 1000, 35<<20) // its clip has no room
	happen("four", 20<<20, 1000)  // has none at all
	happen("five", 1000, 1000)
	close(sink.letGo)
	cancel()
	done.Wait()
	want := []string{"begin one", "end one", "begin two", "end two", "begin three", "end without clip three", "begin five", "end five"}
	if len(sink.told) != len(want) {
		t.Fatalf("told %q, want %q", sink.told, want)
	}
	for i := range want {
		if sink.told[i] != want[i] {
			t.Errorf("told %q, want %q", sink.told, want)
			break
		}
	}
	if status.Dropped != 2 || tell.bytes != 0 {
		t.Errorf("%d counted as dropped, %d bytes still waiting", status.Dropped, tell.bytes)
	}
}
