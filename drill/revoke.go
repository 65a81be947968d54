package drill

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// What a removal may take, from the archive's commit until a reader's socket has given
// its last byte.
const (
	bound = time.Second            // for all
	still = 500 * time.Millisecond // longer it is looked whether anything still comes

	// leaseBound is for a server that hears nothing any more: its lease, and what a slow
	// reader's kernel holds.
	leaseBound = 10*time.Second + 500*time.Millisecond
)

// RevokeGoal is what 99 of 100 removals may take on a machine that has little else to do.
const RevokeGoal = 250 * time.Millisecond

// homes is in how many homes people are removed at the same time.
const homes = 8

// RevokeConfig is how much of a drill it shall be.
type RevokeConfig struct {
	// Dir is an empty folder for the cloud.
	Dir string
	// Revocations is how many people are removed.
	Revocations int
	// Goal is what 99 of 100 removals may take. 0: [RevokeGoal].
	Goal time.Duration
	// BusSilenced removes one more at a moment at which a server hears neither the bus
	// nor the archive.
	BusSilenced bool
	// Tell is called from time to time with how many have been removed. Nil: nobody is
	// told.
	Tell func(done int)
}

// Revocation is what came of it. A removal takes as long as the last of its readers.
type Revocation struct {
	Revocations     int       `json:"revocations"`
	Connections     int       `json:"connections"`
	P50             float64   `json:"p50_ms"`
	P99             float64   `json:"p99_ms"`
	Max             float64   `json:"max_ms"`
	Goal            float64   `json:"goal_ms"` // for 99 of 100
	BytesAfterBound int64     `json:"bytes_after_bound"`
	OthersCut       int64     `json:"others_cut"` // connections of owners that broke meanwhile
	BusSilenced     *Silenced `json:"bus_silenced,omitempty"`
	Verdict         string    `json:"verdict"` // pass or fail
}

// Silenced is what came of a removal of which a server could not hear.
type Silenced struct {
	ClosedAfter float64 `json:"closed_after_ms"`
}

// Passed says whether the promise held.
func (r Revocation) Passed() bool { return r.Verdict == "pass" }

func (r *Revocation) judge() {
	ok := r.P99 <= r.Goal && r.Max <= ms(bound) && r.BytesAfterBound == 0 && r.OthersCut == 0
	ok = ok && (r.BusSilenced == nil || r.BusSilenced.ClosedAfter <= ms(leaseBound))
	r.Verdict = map[bool]string{true: "pass", false: "fail"}[ok]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Revoke admits people to homes, has each read at two servers by every way that there
// is, removes them while they do, and measures until when anything comes. The error is
// for a drill that could not be carried out.
func Revoke(ctx context.Context, c RevokeConfig) (r Revocation, err error) {
	cloud, err := open(ctx, c.Dir)
	if err != nil {
		return r, err
	}
	d := &revoking{cloud: cloud, config: c}
	defer func() {
		for _, h := range d.homes {
			h.close()
		}
		err = errors.Join(err, cloud.close())
	}()
	for range min(homes, c.Revocations) {
		h, err := cloud.found(ctx)
		if err != nil {
			return r, err
		}
		d.homes = append(d.homes, h)
	}
	if err := d.all(ctx); err != nil {
		return r, err
	}
	r = d.result()
	if c.BusSilenced {
		if r.BusSilenced, err = d.silenced(ctx); err != nil {
			return r, err
		}
	}
	r.judge()
	return r, nil
}

// revoking is a drill under way.
type revoking struct {
	cloud  *cloud
	config RevokeConfig
	homes  []*home
	begun  atomic.Int64 // removals

	mu          sync.Mutex // protects what follows
	took        []time.Duration
	late        int64
	connections int
}

// all carries the removals out, in all homes at the same time.
func (d *revoking) all(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var work sync.WaitGroup
	failed := make(chan error, len(d.homes))
	for _, h := range d.homes {
		work.Go(func() {
			for {
				n := int(d.begun.Add(1))
				if n > d.config.Revocations {
					return
				}
				if err := d.one(ctx, h, n%2); err != nil {
					failed <- fmt.Errorf("removal %d: %w", n, err)
					stop()
					return
				}
			}
		})
	}
	work.Wait()
	close(failed)
	return <-failed // the first, nil if there is none
}

// one admits somebody, has them read, and removes them at one of the servers.
func (d *revoking) one(ctx context.Context, h *home, at int) error {
	v, err := h.admit(ctx)
	if err != nil {
		return err
	}
	defer v.close()
	readers, err := v.read(ctx, 0, 1)
	if err != nil {
		return err
	}
	committed, err := h.change(ctx, at, func() { h.owner.Dismiss(v.person) })
	if err != nil {
		return err
	}
	took, late := outcome(ctx, readers, committed, bound)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.took, d.late, d.connections = append(d.took, took), d.late+late, d.connections+len(readers)
	if d.config.Tell != nil {
		d.config.Tell(len(d.took))
	}
	return nil
}

// outcome waits until the readers have ended, or the bound has passed and a little more,
// and says how long the last of them read on, and how much came after the bound.
func outcome(ctx context.Context, readers []*reader, from time.Time, bound time.Duration) (took time.Duration, late int64) {
	ctx, stop := context.WithDeadline(ctx, from.Add(bound+still))
	defer stop()
	for _, r := range readers {
		select {
		case <-r.ended:
		case <-ctx.Done():
		}
	}
	for _, r := range readers {
		last, after := r.since(from, from.Add(bound))
		took, late = max(took, last), late+after
	}
	return took, late
}

func (d *revoking) result() Revocation {
	slices.Sort(d.took)
	at := func(percent int) float64 { return ms(d.took[(len(d.took)*percent+99)/100-1]) }
	r := Revocation{
		Revocations: len(d.took), Connections: d.connections, P50: at(50), P99: at(99), Max: at(100), BytesAfterBound: d.late,
		Goal: ms(cmp.Or(d.config.Goal, RevokeGoal)),
	}
	for _, h := range d.homes {
		r.OthersCut += h.lost.Load()
	}
	return r
}

// silenced has somebody read at the second server, takes from it both the bus and the
// archive, removes them at the first, and measures until when anything comes.
func (d *revoking) silenced(ctx context.Context) (*Silenced, error) {
	h := d.homes[0]
	v, err := h.admit(ctx)
	if err != nil {
		return nil, err
	}
	defer v.close()
	readers, err := v.read(ctx, 1)
	if err != nil {
		return nil, err
	}
	d.cloud.bus.Silence(true)
	d.cloud.lost.Store(true)
	defer d.cloud.lost.Store(false)
	committed, err := h.change(ctx, 0, func() { h.owner.Dismiss(v.person) })
	if err != nil {
		return nil, err
	}
	took, _ := outcome(ctx, readers, committed, 2*leaseBound)
	return &Silenced{ms(took)}, nil
}
