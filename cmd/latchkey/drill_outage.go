package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"text/tabwriter"
	"time"

	"github.com/latchkey-cam/latchkey/drill/outage"
	"github.com/latchkey-cam/latchkey/drill/report"
)

type drillOutageCommand struct {
	Agents  int           `help:"How many agents come back, each in a home of its own." default:"5000"`
	Outage  time.Duration `help:"How long the server is away." default:"10s"`
	Arm     []string      `help:"Which arms are played: fixed, exponential, latchkey (default: all)." enum:"fixed,exponential,latchkey"`
	Short   bool          `help:"400 agents, away for 3 s, within a minute on two cores."`
	Ungated bool          `help:"Have Latchkey's own server without its gate, with which the drill fails."`
	Report  string        `help:"Write what came of it as a page for people into this file." type:"path" placeholder:"FILE"`
	JSON    bool          `name:"json" help:"Print the figures as JSON."`
}

// How much the short form is.
const (
	shortAgents = 400
	shortOutage = 3 * time.Second
)

// Run rehearses an outage of a cloud of its own, which is gone afterwards.
func (c drillOutageCommand) Run(ctx context.Context, t *terminal) error {
	if c.Short {
		c.Agents, c.Outage = shortAgents, shortOutage
	}
	if c.Agents < 100 || c.Outage < time.Second {
		return errors.New("there is nothing to drill: want at least 100 agents, and an outage of at least a second")
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	return rehearse(ctx, func(dir string) (outage.Result, error) {
		return outage.Run(ctx, outage.Config{
			Dir: dir, Agents: c.Agents, Outage: c.Outage, Arms: c.Arm, Ungated: c.Ungated,
			Child: func(ctx context.Context, part string, spare bool) *exec.Cmd {
				cmd := exec.CommandContext(ctx, program, "drill", "outage-part", part)
				if nice, err := exec.LookPath("nice"); err == nil && spare {
					cmd = exec.CommandContext(ctx, nice, "-n", "15", program, "drill", "outage-part", part)
				}
				cmd.Stderr = t.Err
				return cmd
			},
			Tell: func(sentence string) { fmt.Fprintln(t.Err, sentence) },
		})
	}, func(r outage.Result) error {
		return errors.Join(c.print(t, r), writeReport(c.Report, func(w io.Writer, run report.Run) error {
			run.Command = fmt.Sprintf("latchkey drill outage --agents %d --outage %v --report report.html", c.Agents, c.Outage)
			return report.Outage(w, r, run)
		}))
	}, "the drill has failed")
}

func (c drillOutageCommand) print(t *terminal, r outage.Result) error {
	if c.JSON {
		return json.NewEncoder(t.Out).Encode(r)
	}
	w := tabwriter.NewWriter(t.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "arm\tback\t50 %\t95 %\t100 %\tefficiency\tattempts\tpeople before\tmeanwhile\tafter\tfailed\tlost\ttwice\tof strangers\tan idle agent\t")
	for _, a := range r.Arms {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%.2f\t%.2f\t%.0f ms\t%.0f ms\t%.0f ms\t%.0f\t%d\t%d\t%d\t%.0f KiB\t\n", a.Name, a.Back, seconds(a.T50), seconds(a.T95), seconds(a.T100),
			a.Efficiency, a.Attempts, a.Foreground.Before, a.Foreground.During, a.Foreground.After,
			a.Unopened(), a.Lost, a.Twice, a.Foreign, a.IdleBytes/1024)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "\n%d agents; %.0f a second can come back at the most, which is %.1f s for all; away for %.0f s; %.0f s in all\n", r.Agents, r.Capacity, r.OverloadS, r.OutageS, r.Seconds)
	fmt.Fprintf(t.Out, "People's times are of 99 in 100; of the attempts %d began with a TLS handshake, and every agent had connections of its own.\n", r.Handshakes)
	for _, s := range r.Says {
		fmt.Fprintln(t.Out, s)
	}
	fmt.Fprintf(t.Out, "verdict: %s\n", r.Verdict)
	return nil
}

// seconds is a time, or never.
func seconds(s *float64) string {
	if s == nil {
		return "never"
	}
	return fmt.Sprintf("%.1f s", *s)
}

// drillPartCommand is one of the processes of the drill.
type drillPartCommand struct {
	Part string `arg:"" enum:"cloud,fleet,people"`
}

// Run serves until standard input ends.
func (c drillPartCommand) Run(ctx context.Context, t *terminal) error {
	return outage.Serve(ctx, c.Part, t.In, t.Out)
}
