package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/drill"
	"github.com/latchkey-cam/latchkey/drill/report"
)

type drillCommand struct {
	CrossedWires    drillCrossedCommand `cmd:"" help:"Mix up whose picture is whose on every wire of a cloud, and count who is shown what."`
	CrossedWiresArm drillArmCommand     `cmd:"" hidden:""`
	Outage          drillOutageCommand  `cmd:"" help:"Kill a server, have thousands of agents come back to it at once, and measure until all is as before."`
	OutagePart      drillPartCommand    `cmd:"" hidden:""`
	Crash           drillCrashCommand   `cmd:"" help:"Kill servers and agents, cut their power and fail their disks at every step, and count what is lost."`
	Revoke          drillRevokeCommand  `cmd:"" help:"Remove people from their homes while they read, and measure until when anything reaches them."`
}

type drillRevokeCommand struct {
	Revocations int           `help:"How many people are removed." default:"2000"`
	Goal        time.Duration `help:"How long 99 of 100 removals may take." default:"250ms"`
	BusSilenced bool          `help:"Remove one more while a server hears neither the bus nor the archive, until its lease ends."`
	JSON        bool          `name:"json" help:"Print the figures as JSON."`
}

// tellEvery is how often a drill says how far it has come.
const tellEvery = 2 * time.Second

// rehearse runs a drill in a folder that is gone afterwards, prints what came of it, and
// returns an error of those words if it has failed.
func rehearse[R interface{ Passed() bool }](ctx context.Context, run func(dir string) (R, error), print func(R) error, failed string) (err error) {
	dir, err := os.MkdirTemp("", "latchkey-drill-")
	if err != nil {
		return fmt.Errorf("make a folder for the drill: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r, err := run(dir)
	if ctx.Err() != nil {
		return errors.New("the drill was interrupted, and has no verdict")
	} else if err != nil {
		return err
	}
	if err := print(r); err != nil {
		return err
	}
	if !r.Passed() {
		return errors.New(failed)
	}
	return nil
}

// writeReport writes a drill's page into a file, if it is wanted.
func writeReport(file string, write func(w io.Writer, run report.Run) error) (err error) {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f, report.Run{Made: time.Now(), Version: programVersion()})
}

// telling says every now and then how far a drill has come, to whichever goroutine tells it.
func telling(t *terminal, what string, of int) func(done int) {
	var mu sync.Mutex // protects told
	var told time.Time
	return func(done int) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(told) >= tellEvery || done == of {
			told = time.Now()
			fmt.Fprintf(t.Err, "%s %d of %d\n", what, done, of)
		}
	}
}

// Run rehearses removals in a cloud of its own, which is gone afterwards.
func (c drillRevokeCommand) Run(ctx context.Context, t *terminal) error {
	if c.Revocations < 1 {
		return errors.New("there is nothing to drill: want at least one removal")
	}
	return rehearse(ctx, func(dir string) (drill.Revocation, error) {
		return drill.Revoke(ctx, drill.RevokeConfig{
			Dir: dir, Revocations: c.Revocations, Goal: c.Goal, BusSilenced: c.BusSilenced, Tell: telling(t, "removed", c.Revocations),
		})
	}, func(r drill.Revocation) error { return c.print(t, r) }, "the drill has failed: what was removed went on")
}

func (c drillRevokeCommand) print(t *terminal, r drill.Revocation) error {
	if c.JSON {
		return json.NewEncoder(t.Out).Encode(r)
	}
	fmt.Fprintf(t.Out, "removals       %d, with %d connections that were read slowly\n", r.Revocations, r.Connections)
	fmt.Fprintf(t.Out, "last byte      %.1f ms after the commit in half of them, %.1f ms in 99 of 100, %.1f ms at most\n", r.P50, r.P99, r.Max)
	fmt.Fprintf(t.Out, "after a second %d bytes\n", r.BytesAfterBound)
	fmt.Fprintf(t.Out, "others cut     %d\n", r.OthersCut)
	if r.BusSilenced != nil {
		fmt.Fprintf(t.Out, "bus silenced   closed after %.1f s\n", r.BusSilenced.ClosedAfter/1000)
	}
	fmt.Fprintf(t.Out, "verdict        %s\n", r.Verdict)
	return nil
}
