package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/latchkey-cam/latchkey/bench/used"
)

// group is one or more processes that are counted together, with their children.
type group struct {
	commands []*exec.Cmd
}

func start(ctx context.Context, program string, args ...string) (*group, error) {
	g := &group{}
	return g, g.add(ctx, program, args...)
}

func (g *group) add(ctx context.Context, program string, args ...string) error {
	c := exec.CommandContext(ctx, program, args...)
	c.Stderr = os.Stderr
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 10 * time.Second
	if err := c.Start(); err != nil {
		return fmt.Errorf("start %s: %w", filepath.Base(program), err)
	}
	g.commands = append(g.commands, c)
	return nil
}

// end ends the processes and waits for them. A group may be nil.
func (g *group) end() {
	if g == nil {
		return
	}
	for _, c := range g.commands {
		_ = c.Process.Signal(os.Interrupt) // it may have ended
	}
	for _, c := range g.commands {
		_ = c.Wait() // how it took that does not matter
	}
}

// cost is what a group has used.
type cost struct {
	cpu    float64 // share of one core, in per cent
	memory float64 // resident, in MiB, at the end
}

func (c cost) String() string { return fmt.Sprintf("%5.2f %%  %4.0f MiB", c.cpu, c.memory) }

// watchCosts lets the groups settle and measures them for a while. A nil group costs
// nothing.
func watchCosts(ctx context.Context, span time.Duration, groups ...*group) ([]cost, error) {
	if err := pause(ctx, settle); err != nil {
		return nil, err
	}
	before := make([]time.Duration, len(groups))
	began := time.Now()
	for i, g := range groups {
		var err error
		if before[i], _, err = g.used(); err != nil {
			return nil, err
		}
	}
	if err := pause(ctx, span); err != nil {
		return nil, err
	}
	costs := make([]cost, len(groups))
	for i, g := range groups {
		after, memory, err := g.used()
		if err != nil {
			return nil, err
		}
		costs[i] = cost{100 * float64(after-before[i]) / float64(time.Since(began)), float64(memory) / (1 << 20)}
	}
	return costs, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// used is the CPU time and the resident memory of a group.
func (g *group) used() (cpu time.Duration, memory int64, err error) {
	if g == nil {
		return 0, 0, nil
	}
	for _, c := range g.commands {
		own, m, err := used.By(c.Process.Pid)
		if err != nil {
			return 0, 0, err
		}
		cpu, memory = cpu+own, memory+m
	}
	return cpu, memory, nil
}
