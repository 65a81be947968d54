package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
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

// used is the CPU time and the resident memory of a group: of its processes and the
// children that run, and the time of the children that have ended.
func (g *group) used() (cpu time.Duration, memory int64, err error) {
	if g == nil {
		return 0, 0, nil
	}
	for _, c := range g.commands {
		own, m, err := usedByTree(c.Process.Pid)
		if err != nil {
			return 0, 0, err
		}
		cpu, memory = cpu+own, memory+m
	}
	return cpu, memory, nil
}

func usedByTree(pid int) (time.Duration, int64, error) {
	cpu, memory, err := usedBy(pid)
	if err != nil {
		return 0, 0, err
	}
	children, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return 0, 0, err
	}
	for _, file := range children {
		list, err := os.ReadFile(file)
		if err != nil {
			continue // a thread that has ended
		}
		for _, text := range strings.Fields(string(list)) {
			child, err := strconv.Atoi(text)
			if err != nil {
				return 0, 0, err
			}
			c, m, err := usedByTree(child)
			if errors.Is(err, os.ErrNotExist) {
				continue // it has ended meanwhile
			} else if err != nil {
				return 0, 0, err
			}
			cpu, memory = cpu+c, memory+m
		}
	}
	return cpu, memory, nil
}

// usedBy reads what one process and its ended children have used: proc(5), stat,
// fields 14 to 17 in ticks of 10 ms, but for the living threads their schedstat, which
// is in nanoseconds.
func usedBy(pid int) (time.Duration, int64, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, 0, err
	}
	var cpu time.Duration
	for _, file := range threads {
		b, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		ns, err := strconv.ParseInt(strings.Fields(string(b))[0], 10, 64)
		if err != nil {
			return 0, 0, err
		}
		cpu += time.Duration(ns)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 22 {
		return 0, 0, errors.New("read /proc: not as expected; the measuring needs Linux")
	}
	for _, f := range fields[13:15] { // of children that have ended and were waited for
		ticks, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, 0, err
		}
		cpu += time.Duration(ticks) * 10 * time.Millisecond
	}
	pages, err := strconv.ParseInt(fields[21], 10, 64)
	if err != nil {
		return 0, 0, err
	}
	return cpu, pages * int64(os.Getpagesize()), nil
}
