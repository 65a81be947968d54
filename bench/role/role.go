// Package role is how the measuring programs begin: each measures, and starts itself
// once more for every part that is measured, so that a part's cost is a process's.
package role

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Main runs measure, or the part that the first argument names, until it ends or is
// interrupted. It does not return if that fails. Name is the program's.
func Main(name string, parts map[string]func(ctx context.Context, args []string) error, measure func(ctx context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := measure
	if len(os.Args) > 1 {
		part, ok := parts[os.Args[1]]
		if !ok {
			fmt.Fprintf(os.Stderr, "%s: no role %s\n", name, os.Args[1])
			os.Exit(2)
		}
		run = func(ctx context.Context) error { return part(ctx, os.Args[2:]) }
	}
	if err := run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Number reads a number of something, at least 1, from the environment. If the variable
// is not set it is otherwise.
func Number(variable, something string, otherwise int) (int, error) {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s: want a number of %s", variable, something)
	}
	return n, nil
}

// Process is a program that was started for the measuring.
type Process struct {
	Said    string // the first line that it printed, if that was waited for
	command *exec.Cmd
}

// Start starts this program in a role and waits for a line of what it prints: the
// address that it listens on, or a result.
func Start(ctx context.Context, role string, args ...string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := command(ctx, self, append([]string{role}, args...)...)
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	p := &Process{command: c}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.End()
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	p.Said = strings.TrimSpace(line)
	return p, nil
}

// StartProgram starts another program, and waits until something listens at that address.
func StartProgram(ctx context.Context, address, program string, args ...string) (*Process, error) {
	c := command(ctx, program, args...)
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(program), err)
	}
	p := &Process{command: c}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		l, err := net.Dial("tcp", address)
		if err == nil {
			return p, l.Close()
		}
		if !errors.Is(err, syscall.ECONNREFUSED) || time.Now().After(deadline) {
			p.End()
			return nil, fmt.Errorf("start %s: %w", filepath.Base(program), err)
		}
	}
}

// FreeAddress is one at which nothing listens yet.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func command(ctx context.Context, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, program, args...)
	c.Stderr = os.Stderr
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 10 * time.Second
	return c
}

// Pid is the process's number.
func (p *Process) Pid() int { return p.command.Process.Pid }

// End ends the process and waits for it.
func (p *Process) End() {
	_ = p.command.Process.Signal(os.Interrupt) // it may have ended
	_ = p.command.Wait()                       // how it took that does not matter
}
