// Command relay measures what it costs to pass a stream on to those who watch it: CPU
// time of the server for a gigabit that viewers have got, and memory for each of them,
// in one process and over websockets with TLS. If LATCHKEY_BENCH_MEDIAMTX names the
// program, MediaMTX passes the same bytes on to readers over RTSP with TLS.
//
// The stream has 2 Mbit and 15 pictures a second, and a key frame every two seconds.
// What brings and what takes it is this program's own and is not counted; the servers of
// a row run one after the other. Over the wire all goes at the pace of a camera, so on a
// machine that cannot keep up viewers are left behind, and the table says how much was
// left out. Believe the ratios.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/latchkey-cam/latchkey/bench/role"
	"github.com/latchkey-cam/latchkey/bench/used"
)

// roles are what this program does when it starts itself.
var roles = map[string]func(ctx context.Context, args []string) error{"inside": inside, "serve": serve}

func main() { role.Main("relay", roles, measure) }

// settle is how long all is let run before it is measured.
const settle = 2 * time.Second

func measure(ctx context.Context) error {
	seconds, err := role.Number("LATCHKEY_BENCH_SECONDS", "seconds", 10)
	if err != nil {
		return err
	}
	most, err := role.Number("LATCHKEY_BENCH_VIEWERS", "viewers", 1000)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "latchkey-relay-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) // temporary
	if err := makeCertificate(folder); err != nil {
		return err
	}
	span := time.Duration(seconds) * time.Second
	fmt.Printf("\nPassing on a stream of 2 Mbit a second, %d s a figure; CPU seconds of the server for a gigabit that was got\n\n", seconds)
	fmt.Println("viewers   in process              websockets with TLS                                     MediaMTX, RTSP with TLS   of MediaMTX")
	for _, n := range []int{1, 100, 400, 1000} {
		if n > most {
			break
		}
		if err := row(ctx, folder, n, span); err != nil {
			return err
		}
	}
	return nil
}

// row prints what so many viewers cost.
func row(ctx context.Context, folder string, n int, span time.Duration) error {
	within, err := measureInside(ctx, n, span)
	if err != nil {
		return err
	}
	fmt.Printf("%5d     %6.3f s %s    ", n, within.cpu, each(within, n))
	ours, err := measureRelay(ctx, folder, n, span)
	if err != nil {
		return err
	}
	fmt.Printf("%6.3f s %s, p50 %3.0f ms, p99 %4.0f ms, out %4.1f %%   ", ours.cpu, each(ours, n),
		milliseconds(ours.delay(50)), milliseconds(ours.delay(99)), 100*ours.left)
	theirs, err := measureMediaMTX(ctx, folder, n, span)
	switch {
	case err != nil && ctx.Err() == nil:
		fmt.Println("does not carry them:", err)
	case err != nil:
		return err
	case theirs == nil:
		fmt.Println("not given")
	default:
		fmt.Printf("%6.3f s %s         %5.2f\n", theirs.cpu, each(*theirs, n), ours.cpu/theirs.cpu)
	}
	return nil
}

// each is what a viewer after the first takes in memory.
func each(r result, n int) string {
	if n == 1 {
		return "         -"
	}
	return fmt.Sprintf("%6.1f KiB", r.memory/1024)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// result is what viewers cost.
type result struct {
	cpu    float64 // seconds for a gigabit
	memory float64 // bytes for a viewer
	left   float64 // the part of what was sent that they have not got
	delays []time.Duration
}

// delay is that which so many of a hundred fragments do not exceed.
func (r result) delay(percent int) time.Duration {
	if len(r.delays) == 0 {
		return 0
	}
	return r.delays[min(len(r.delays)*percent/100, len(r.delays)-1)]
}

// audience is those who take a stream from a server.
type audience interface {
	// join lets one more in, calls joined when they are, and takes until ctx ends.
	join(ctx context.Context, t *tally, joined func()) error
	// bring sends the stream until ctx ends.
	bring(ctx context.Context) error
}

// watch measures a server with so many viewers.
func watch(ctx context.Context, server *role.Process, a audience, n int, span time.Duration) (result, error) {
	ctx, stop := context.WithCancel(ctx)
	t := &tally{}
	var all crowd
	defer all.wait()
	defer stop()
	all.goes(func() error {
		defer stop() // without it there is nothing to wait for
		return a.bring(ctx)
	})
	if err := all.join(ctx, a, t, 1); err != nil { // what the first costs is the server's own
		return result{}, err
	}
	if err := pause(ctx, settle); err != nil {
		return result{}, err
	}
	_, before, err := used.By(server.Pid())
	if err != nil {
		return result{}, err
	}
	if err := all.join(ctx, a, t, n-1); err != nil {
		return result{}, err
	}
	if err := pause(ctx, settle); err != nil {
		return result{}, err
	}
	cpu, _, err := used.By(server.Pid())
	if err != nil {
		return result{}, err
	}
	t.begin()
	if err := pause(ctx, span); err != nil {
		return result{}, err
	}
	got := t.end()
	after, memory, err := used.By(server.Pid())
	if err != nil {
		return result{}, err
	}
	if got.bytes == 0 {
		return result{}, fmt.Errorf("nothing was got: %w", all.failed())
	}
	slices.Sort(got.delays)
	return result{
		cpu:    (after - cpu).Seconds() / (float64(got.bytes) * 8 / 1e9),
		memory: float64(memory-before) / float64(max(n-1, 1)),
		left:   float64(got.missing) / float64(max(got.missing+got.fragments, 1)),
		delays: got.delays,
	}, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// certificateIn names the files that both servers have in common.
func certificateIn(folder string) (certificate, key string) {
	return filepath.Join(folder, "certificate.pem"), filepath.Join(folder, "key.pem")
}
