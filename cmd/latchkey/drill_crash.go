package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/latchkey-cam/latchkey/drill/crash"
)

type drillCrashCommand struct {
	Trials int    `help:"How many homes live through something." default:"1000"`
	First  int    `help:"Number of the first trial: with --trials 1 one of an earlier drill befalls a home once more." default:"0"`
	Seed   uint64 `help:"Where chance comes from: the same seed plans the same harm." default:"1"`
	Short  bool   `help:"100 trials, within a minute on two cores."`
	JSON   bool   `name:"json" help:"Print the figures as JSON."`
}

// shortTrials is how much the short form is.
const shortTrials = 100

// Run rehearses crashes on disks that are in memory, and restores in a folder that is gone
// afterwards.
func (c drillCrashCommand) Run(ctx context.Context, t *terminal) error {
	if c.Short {
		c.Trials = shortTrials
	}
	if c.Trials < 1 || c.First < 0 {
		return errors.New("there is nothing to drill: want at least one trial, and numbers from 0 on")
	}
	return rehearse(ctx, func(dir string) (crash.Result, error) {
		return crash.Run(ctx, crash.Config{Trials: c.Trials, First: c.First, Seed: c.Seed, Dir: dir, Tell: telling(t, "trial", c.Trials)})
	}, func(r crash.Result) error { return c.print(t, r) }, "the drill has failed")
}

func (c drillCrashCommand) print(t *terminal, r crash.Result) error {
	if c.JSON {
		return json.NewEncoder(t.Out).Encode(r)
	}
	fmt.Fprintf(t.Out, "trials            %d, %d of them with a backup; seed %d, %.0f s\n", r.Trials, r.Restored, r.Seed, r.Seconds)
	for _, name := range slices.Sorted(maps.Keys(r.Harms)) {
		fmt.Fprintf(t.Out, "                  %d × %s\n", r.Harms[name], name)
	}
	fmt.Fprintf(t.Out, "kept              %d objects were said to be, and %d are lost\n", r.Acked, r.AckedLost)
	fmt.Fprintf(t.Out, "twice             %d\n", r.Duplicates)
	fmt.Fprintf(t.Out, "disagreements     %d of index and blobs, or of what is shown with what was seen\n", r.Disagreements)
	fmt.Fprintf(t.Out, "revocations back  %d\n", r.RevocationsBack)
	fmt.Fprintf(t.Out, "left              %d deleted before they came; a server drops them in a week\n", r.Left)
	fmt.Fprintf(t.Out, "broken            %d trials did not come to their end\n", r.Broken)
	for _, s := range r.Says {
		fmt.Fprintln(t.Out, s)
	}
	fmt.Fprintf(t.Out, "verdict           %s\n", r.Verdict)
	return nil
}
