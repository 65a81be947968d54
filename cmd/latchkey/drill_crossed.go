package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"

	"github.com/latchkey-cam/latchkey/drill/crossed"
	"github.com/latchkey-cam/latchkey/drill/report"
)

type drillCrossedCommand struct {
	Homes  int    `help:"How many homes the cloud has." default:"13000"`
	Short  bool   `help:"300 homes, within a minute on two cores."`
	Reads  int64  `help:"How many reads more are verified in this process, through a cache that goes wrong all the time." default:"1000000"`
	Seed   uint64 `help:"Where chance comes from: the same seed puts the same faults in." default:"1"`
	Cache  string `help:"A Redis or Valkey to use, redis://HOST:PORT. Only keys that begin with latchkey-drill are touched. Without it the cache is in this process." placeholder:"URL"`
	Faults string `help:"Which faults: all, or none, with which the drill proves nothing and fails." enum:"all,none" default:"all"`
	JSON   bool   `name:"json" help:"Print the figures as JSON."`
	Report string `help:"Write what came of it as a page for people into this file." type:"path" placeholder:"FILE"`
}

// How much the short form is.
const (
	shortHomes = 300
	shortReads = 500_000
)

// Run rehearses crossed wires in clouds of its own, which are gone afterwards.
func (c drillCrossedCommand) Run(ctx context.Context, t *terminal) error {
	if c.Short {
		c.Homes, c.Reads = shortHomes, min(c.Reads, shortReads)
	}
	if c.Homes < 64 {
		return errors.New("there is nobody to mix up: want at least 64 homes")
	}
	cache, err := cacheAddress(c.Cache)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	log.SetOutput(io.Discard) // where package http tells of each answer that nobody asked for
	return rehearse(ctx, func(dir string) (crossed.Result, error) {
		return crossed.Run(ctx, crossed.Config{
			Dir: dir, Homes: c.Homes, Reads: c.Reads, Seed: c.Seed, Cache: cache, NoFaults: c.Faults == "none",
			Child: func(ctx context.Context) *exec.Cmd {
				return exec.CommandContext(ctx, program, "drill", "crossed-wires-arm")
			},
			Tell: func(sentence string) { fmt.Fprintln(t.Err, sentence) },
		})
	}, func(r crossed.Result) error {
		return errors.Join(c.print(t, r), writeReport(c.Report, func(w io.Writer, run report.Run) error {
			run.Command = c.again()
			return report.HTML(w, r, run)
		}))
	}, "the drill has failed")
}

// again is the command that repeats the drill.
func (c drillCrossedCommand) again() string {
	command := fmt.Sprintf("latchkey drill crossed-wires --homes %d --reads %d --seed %d --faults %s", c.Homes, c.Reads, c.Seed, c.Faults)
	if c.Cache != "" {
		command += " --cache " + c.Cache
	}
	return command + " --report report.html"
}

// cacheAddress is the host and port in a URL, empty for none.
func cacheAddress(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "redis" && u.Scheme != "valkey") || u.Port() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" {
		return "", errors.New("the drill's cache is reached without a password or a database: want redis://HOST:PORT")
	}
	return u.Host, nil
}

func (c drillCrossedCommand) print(t *terminal, r crossed.Result) error {
	if c.JSON {
		return json.NewEncoder(t.Out).Encode(r)
	}
	w := tabwriter.NewWriter(t.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "arm\tshown\tof strangers\tpeople\ttapped\tnoticed\thealed\trefused\tmisses\torigin\tcrashes\t")
	for _, a := range r.Arms {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\t%s\t%d\t%d\t%d\t%d\t\n", a.Name, a.Shown, a.ShownForeign, a.PeopleAffected, a.Tapped,
			took(a.NoticedMS), took(a.HealedMS), a.Refused, a.Misses, a.OriginReads, a.Crashes)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "\n%d homes, %d faults, %d verified reads (%d over the wire), seed %d, %.0f s\n", r.Homes, r.Faults, r.Reads, r.ReadsWire, r.Seed, r.Seconds)
	for _, reason := range r.Reasons {
		fmt.Fprintln(t.Out, reason)
	}
	fmt.Fprintf(t.Out, "verdict: %s\n", r.Verdict)
	return nil
}

// took is a time in milliseconds, or never.
func took(ms *float64) string {
	if ms == nil {
		return "never"
	}
	return fmt.Sprintf("%.1f ms", *ms)
}

// drillArmCommand is the server of a control arm, in a process of its own because the
// client in it may end that.
type drillArmCommand struct{}

// Run serves until standard input ends.
func (drillArmCommand) Run(ctx context.Context, t *terminal) error {
	return crossed.ServeArm(ctx, t.In, t.Out)
}
