package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/footage"
)

// footageFlags say where an agent records without end, and how much of it is kept.
type footageFlags struct {
	Footage      string `help:"Where everything is recorded: a folder that is there, on the disk with the most room. In the agent's folder if not given." placeholder:"FOLDER" env:"LATCHKEY_FOOTAGE"`
	FootageDays  int    `help:"For how many days it is kept." default:"30"`
	FootageBytes string `help:"How much is kept at most, like 500GB or 2TiB; as much as the disk takes if not given." placeholder:"SIZE"`
	FootageFree  string `help:"How much of the disk stays free." default:"2GiB"`
}

func (f footageFlags) config() (agent.FootageConfig, error) {
	c := agent.FootageConfig{Folder: f.Footage, Keep: footage.Keep{Days: f.FootageDays}}
	if f.FootageDays < 1 || f.FootageDays > 36_500 {
		return c, fmt.Errorf("--footage-days %d: want at least 1", f.FootageDays)
	}
	for _, size := range []struct {
		flag, text string
		into       *int64
		least      uint64
	}{{"--footage-bytes", f.FootageBytes, &c.Keep.Bytes, 64 << 20}, {"--footage-free", f.FootageFree, &c.Keep.Free, 1}} {
		if size.text == "" {
			continue
		}
		n, err := humanize.ParseBytes(size.text)
		if err != nil || n < size.least || n > 1<<60 {
			return c, fmt.Errorf("%s %s is no size: want something like 500GB or 2TiB, at least %s", size.flag, size.text, humanize.IBytes(size.least))
		}
		*size.into = int64(n)
	}
	return c, nil
}

type agentCheck struct {
	Footage string `help:"The folder that was given to agent run." placeholder:"FOLDER" env:"LATCHKEY_FOOTAGE"`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

// errFootage: the check has found something, and has said what.
var errFootage = errors.New("not all footage is as it was recorded")

// Run checks the footage.
func (c agentCheck) Run(ctx context.Context, parent *agentCommand, t *terminal) error {
	log := slog.New(slog.NewTextHandler(t.Err, &slog.HandlerOptions{Level: slog.LevelError}))
	last := time.Now()
	r, err := agent.CheckFootage(ctx, parent.Data, agent.FootageConfig{Folder: c.Footage}, log, func(done, all int64) {
		if now := time.Now(); now.Sub(last) >= time.Second {
			last = now
			fmt.Fprintf(t.Err, "%s of %s\n", humanize.IBytes(uint64(done)), humanize.IBytes(uint64(all)))
		}
	})
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(t.Out)
		e.SetIndent("", "  ")
		err = e.Encode(r)
	} else {
		c.print(t, r)
	}
	if err == nil && !r.Whole() {
		err = errFootage
	}
	return err
}

func (c agentCheck) print(t *terminal, r agent.FootageCheck) {
	fmt.Fprintf(t.Out, "%d segments with %d groups, %s, were read and opened.\n", r.Segments, r.Groups, humanize.IBytes(uint64(r.Bytes)))
	for _, line := range []struct {
		n    int
		what string
	}{
		{r.Repaired, "segments were not as the index said, as after a crash; index and disk agree now"},
		{r.Forgotten, "indexes did not open and were made again; the reasons of their gaps are lost"},
		{r.Unopened, "segments do not open. They go first when room is needed"},
	} {
		if line.n > 0 {
			fmt.Fprintf(t.Out, "%d %s.\n", line.n, line.what)
		}
	}
	for _, f := range r.Findings {
		fmt.Fprintf(t.Out, "%s: %s (%s to %s)\n", f.File, f.Says, at(f.Span.From.Time()), at(f.Span.Until.Time()))
	}
	if r.Whole() {
		fmt.Fprintln(t.Out, "All of it is as it was recorded.")
	}
}
