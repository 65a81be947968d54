// Command serve measures what it costs to hand out a thumbnail of 8 KiB to whoever may
// see it: the real server, with a session, its MAC, rights folded from deeds, a
// comparison, a receipt on the disk and a connection that can be cut, beside nginx with
// auth_request to a handler that says yes, nginx that asks nobody, and Go's file server.
//
// All hand out the same bytes to the same generator of load, in rounds by turns, so
// that what else the machine does hits all alike; all that comes back is compared with
// what was asked for. Believe the ratios. Then a page of 50 events with their
// thumbnails is fetched, from a server that has just started and once more.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

// roles are what this program does when it starts itself. Each prints the address that
// it listens on and runs until it is interrupted.
var roles = map[string]func(ctx context.Context, args []string) error{
	"latchkey": serveLatchkey, "auth": serveYes, "files": serveFiles,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := measure
	if len(os.Args) > 1 {
		role, ok := roles[os.Args[1]]
		if !ok {
			fmt.Fprintln(os.Stderr, "serve: no role", os.Args[1])
			os.Exit(2)
		}
		run = func(ctx context.Context) error { return role(ctx, os.Args[2:]) }
	}
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

// rounds says how often each of them is measured.
func rounds() (int, error) {
	text := os.Getenv("LATCHKEY_BENCH_ROUNDS")
	if text == "" {
		return 20, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, errors.New("LATCHKEY_BENCH_ROUNDS: want a number of rounds")
	}
	return n, nil
}

func measure(ctx context.Context) error {
	n, err := rounds()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "latchkey-serve-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) // temporary
	e, err := found(ctx, folder)
	if err != nil {
		return err
	}
	defer e.end()
	if err := e.restart(ctx); err != nil { // it has nothing of the founding in memory
		return err
	}
	if err := thumbnails(ctx, e, folder, n); err != nil {
		return err
	}
	return pages(ctx, e)
}

// process is a program that was started for the measuring.
type process struct {
	command *exec.Cmd
	address string // that it has said to listen on
}

// startSelf starts this program in a role and waits for its address.
func startSelf(ctx context.Context, role string, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, self, append([]string{role}, args...)...)
	c.Stderr = os.Stderr
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 10 * time.Second
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	p := &process{command: c}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.end()
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	p.address = strings.TrimSpace(line)
	return p, nil
}

// end ends the process and waits for it.
func (p *process) end() {
	_ = p.command.Process.Signal(os.Interrupt) // it may have ended
	_ = p.command.Wait()                       // how it took that does not matter
}
