package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/latchkey-cam/latchkey/bench/role"
	"github.com/latchkey-cam/latchkey/bench/used"
	"github.com/latchkey-cam/latchkey/relay"
	"github.com/latchkey-cam/latchkey/sealed"
)

// newRelay returns a relay for as many viewers as anybody measures.
func newRelay() (*relay.Relay, error) {
	return relay.New(relay.Config{
		Wanted: func(sealed.Stream, bool) {}, Alarm: func(m relay.Misroute) { fmt.Fprintln(os.Stderr, "misroute:", m) },
		Viewers: 1 << 20, HomeViewers: 1 << 20, AllViewers: 1 << 20,
	})
}

// letIn has somebody watch, and be granted the run.
func letIn(ctx context.Context, r *relay.Relay) (*relay.Viewer, error) {
	v, err := r.Watch(ctx, relay.Who{}, stream)
	if err != nil {
		return nil, err
	}
	var nonce [16]byte
	rand.Read(nonce[:]) // never fails: it ends the process instead
	k, err := v.Knock(knock(nonce))
	if err == nil {
		err = r.Grant(stream.Home, agent, grant(k))
	}
	if err == nil {
		_, err = v.Next()
	}
	if err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

// inside has viewers in this process, 20 times as fast as a camera, and prints what a
// gigabit and a viewer cost.
func inside(ctx context.Context, args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	span, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	r, err := newRelay()
	if err != nil {
		return err
	}
	defer r.Close()
	ctx, stop := context.WithCancel(ctx)
	var all crowd
	defer all.wait()
	defer stop()
	before := heap()
	t := &tally{}
	for range n {
		v, err := letIn(ctx, r)
		if err != nil {
			return err
		}
		all.goes(func() error { return takeAll(v, t) })
	}
	memory := heap() - before
	in, err := r.Inlet(stream)
	if err != nil {
		return err
	}
	pictures := noise()
	all.goes(func() error {
		return film(ctx, 20, func(n uint32) error { return in.Take(fragment(n, pictures)) })
	})
	if err := pause(ctx, settle); err != nil {
		return err
	}
	began, _, err := used.By(os.Getpid())
	if err != nil {
		return err
	}
	t.begin()
	if err := pause(ctx, span); err != nil {
		return err
	}
	got := t.end()
	ended, _, err := used.By(os.Getpid())
	if err != nil {
		return err
	}
	fmt.Println((ended-began).Seconds()/(float64(got.bytes)*8/1e9), float64(memory)/float64(n))
	return nil
}

func takeAll(v *relay.Viewer, t *tally) error {
	defer v.Close()
	for {
		b, err := v.Next()
		switch {
		case errors.Is(err, context.Canceled):
			return nil
		case err != nil:
			return err
		}
		t.add(len(b), 0, 0)
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// measureInside runs inside in a process of its own.
func measureInside(ctx context.Context, n int, span time.Duration) (r result, err error) {
	p, err := role.Start(ctx, "inside", strconv.Itoa(n), span.String())
	if err != nil {
		return r, err
	}
	defer p.End()
	_, err = fmt.Sscan(p.Said, &r.cpu, &r.memory)
	return r, err
}
