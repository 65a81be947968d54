package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/porch"
	"github.com/latchkey-cam/latchkey/web"
)

// agentCommand is the home half: it has the cameras' passwords, and seals.
type agentCommand struct {
	Data string `help:"The agent's folder, on a disk of this machine." env:"LATCHKEY_AGENT_DATA" placeholder:"FOLDER"`

	Run        agentRun        `cmd:"" help:"Record and upload until it is stopped."`
	Join       agentJoin       `cmd:"" help:"Give the agent a home, with a link from the home's page."`
	Probe      agentProbe      `cmd:"" help:"Say what a camera offers and what is wrong with it, or look for cameras."`
	AddCamera  agentAddCamera  `cmd:"" help:"Describe a camera. A running agent notices."`
	FoundAgain agentFoundAgain `cmd:"" help:"Give the cameras a new home, because every key of the old one is lost."`
	Status     agentStatus     `cmd:"" help:"Say how the agent, its cameras and its uploads are doing."`
	Check      agentCheck      `cmd:"" help:"Read and open everything that was recorded without end. The agent does not run meanwhile."`
}

// AfterApply fills in the folder where nobody named one, and hands it to the commands.
func (c *agentCommand) AfterApply() error {
	if c.Data == "" {
		state := os.Getenv("XDG_STATE_HOME")
		if state == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return errors.New("this user has no home folder: name the agent's folder with --data")
			}
			state = filepath.Join(home, ".local", "state")
		}
		c.Data = filepath.Join(state, "latchkey-agent")
	}
	return nil
}

type agentRun struct {
	Spool   string   `help:"How much may wait for the server, like 500MB or 8GiB." default:"8GiB"`
	Debug   bool     `help:"Also log every step of every event."`
	LogJSON bool     `name:"log-json" help:"Log as JSON, one object to a line."`
	LAN     string   `name:"lan" placeholder:"ADDRESS" help:"Also serve the app in the home's network, at this address, like :8443, so that those who live there see it with the internet down."`
	LANName []string `name:"lan-name" placeholder:"NAME" help:"A name or address by which browsers reach this machine, for --lan; those that it has, if none is given. May be given several times."`
	footageFlags
}

// Run records and uploads.
func (c agentRun) Run(ctx context.Context, parent *agentCommand, t *terminal) error {
	size, err := humanize.ParseBytes(c.Spool)
	if err != nil || size < 16<<20 || size > 1<<50 {
		return fmt.Errorf("--spool %s is no size: want something like 500MB or 8GiB, at least 16MiB", c.Spool)
	}
	kept, err := c.config()
	if err != nil {
		return err
	}
	a, err := agent.Start(ctx, agent.Config{Folder: parent.Data, SpoolBytes: int64(size), Footage: kept, Version: programVersion(), Log: c.log(t.Err)}, 0, func(says string) {
		fmt.Fprintln(t.Err, says+" The agent starts once that is so.")
	})
	if err != nil {
		return err
	}
	s := a.Status()
	fmt.Fprintf(t.Out, "The agent is running for home %s at %s.\nIts folder is %s. Stop it with Ctrl-C; latchkey agent status says how it is doing.\n",
		cmp.Or(s.HomeName, short(s.Home.String())), s.Server, parent.Data)
	if c.LAN != "" {
		return errors.Join(c.runWithPorch(ctx, a, parent.Data, t), a.Close())
	}
	return errors.Join(a.Run(ctx), a.Close())
}

// runWithPorch runs an agent, and serves the app beside it.
func (c agentRun) runWithPorch(ctx context.Context, a *agent.Agent, folder string, t *terminal) error {
	if a.Title() == nil {
		return errors.New("the agent has not heard of its home's deeds yet: start it once without --lan")
	}
	server, client, err := a.Server()
	if err != nil {
		return err
	}
	p, err := porch.Open(ctx, porch.Config{
		Folder: filepath.Join(folder, "porch"), Listen: c.LAN, Names: c.LANName, Title: a.Title(), Settings: a.Settings, Unsent: a.Unsent(),
		Server: server, HTTP: client, Connected: a.Connected, Stands: a.PorchStands, App: web.Handler(), Log: c.log(t.Err),
	})
	if err != nil {
		return err
	}
	if err := a.Porch(p.Agent()); err != nil {
		return errors.Join(err, p.Close())
	}
	fmt.Fprintf(t.Out, "In the home's network it is at %s\nwith a certificate of its own, SHA-256 %s.\n", p.Origin, p.Root)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		select {
		case err := <-p.Failed():
			stop(err)
		case <-ctx.Done():
		}
	}()
	err = a.Run(ctx)
	if fell := context.Cause(ctx); err == nil && !errors.Is(fell, context.Canceled) {
		err = fell
	}
	return errors.Join(err, p.Close())
}

func (c agentRun) log(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if c.Debug {
		options.Level = slog.LevelDebug
	}
	if c.LogJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

type agentJoin struct {
	Link    string `arg:"" help:"The join link from the home's page; - reads it from the standard input."`
	Replace bool   `help:"Give the agent of this folder new keys: there was a copy of it, or it was restored from a backup. Its cameras and what waits stay."`
}

// Run joins.
func (c agentJoin) Run(ctx context.Context, parent *agentCommand, t *terminal) error {
	link := c.Link
	if link == "-" {
		var err error
		if link, err = readLine(t.In); err != nil {
			return fmt.Errorf("read the join link from the standard input: %w", err)
		}
	}
	joined, err := agent.Join(ctx, agent.JoinConfig{
		Folder: parent.Data, Link: link, Replace: c.Replace,
		Progress: func(sentence string) { fmt.Fprintln(t.Err, sentence) },
	})
	if err != nil {
		return err
	}
	if c.Replace {
		fmt.Fprintln(t.Out, "This agent has new keys, and its old ones are worth nothing any more. Go on with: latchkey agent run")
		printHome(t.Out, joined.HomeStatus)
		return nil
	}
	fmt.Fprintf(t.Out, "This agent now belongs to home %s.\n", short(joined.Home.String()))
	printHome(t.Out, joined.HomeStatus)
	fmt.Fprint(t.Out, `
The page shows the same words, under Trust.

Add a camera, and start:

    latchkey agent add-camera "Front door" rtsp://USER@ADDRESS/PATH
    latchkey agent run
`)
	return nil
}

// readLine reads one line of at most 64 KiB, without its end.
func readLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 64<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// short is enough of an ID for a person to tell two apart.
func short(id string) string { return id[:min(len(id), 10)] + "…" }

type agentStatus struct {
	JSON bool `name:"json" help:"Print one JSON object."`
}

// Run prints the status.
func (c agentStatus) Run(parent *agentCommand, t *terminal) error {
	s, err := agent.ReadStatus(parent.Data)
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(t.Out)
		e.SetIndent("", "  ")
		return e.Encode(s)
	}
	w := bufio.NewWriter(t.Out)
	printStatus(w, s)
	return w.Flush()
}

func printStatus(w io.Writer, s agent.Status) {
	fmt.Fprintf(w, "home      %s at %s\n", cmp.Or(s.HomeName, short(s.Home.String())), s.Server)
	printHome(w, s.HomeStatus)
	if !s.Running {
		line := "not running. Start it with: latchkey agent run"
		if s.Uplink.State == uplink.Released || s.Uplink.State == uplink.Cloned {
			line = "ended by itself, and does not start again as it is:"
		}
		fmt.Fprintf(w, "agent     %s\n", line)
		if s.At.IsZero() {
			return
		}
		fmt.Fprintf(w, "          it last ran %s; then it was like this:\n", humanize.Time(s.At))
	} else {
		fmt.Fprintf(w, "agent     running since %s\n", at(s.Started))
	}
	fmt.Fprintf(w, "server    %s since %s, %d uploaded since the start\n", uplinkWord(s.Uplink.State), at(s.Uplink.Since), s.Uplink.Uploaded)
	for _, more := range []string{s.Uplink.Detail, s.Uplink.Trouble} {
		if more != "" {
			fmt.Fprintf(w, "          %s\n", more)
		}
	}
	if n := s.Uplink.Discarded; n > 0 {
		fmt.Fprintf(w, "          %d objects of those who lived here before were thrown away\n", n)
	}
	printSpool(w, s.Spool)
	printFootage(w, s.Footage)
	printCameras(w, s.Cameras)
}

// printHome says by what the home is known, and who is in it.
func printHome(w io.Writer, s agent.HomeStatus) {
	fmt.Fprintf(w, "          its words: %s\n", strings.Join(s.Fingerprint, " "))
	if s.Head == "" {
		return
	}
	number, _, _ := strings.Cut(s.Head, ":")
	fmt.Fprintf(w, "          newest deed %s: %s\n", number, strings.Join(s.HeadWords, " "))
	var people []string
	for _, role := range []deed.Role{deed.Owner, deed.Resident, deed.Guest, deed.Link} {
		if n := s.People[role.String()]; n > 0 {
			people = append(people, fmt.Sprintf("%d %s", n, plural(role.String(), n)))
		}
	}
	fmt.Fprintf(w, "          people: %s\n", strings.Join(people, ", "))
}

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

func printSpool(w io.Writer, s spool.Status) {
	fmt.Fprintf(w, "waiting   %d objects, %s\n", s.Objects, humanize.IBytes(uint64(s.Bytes)))
	if says := s.Says(); says != "" {
		fmt.Fprintf(w, "          %s\n", says)
	}
	for _, line := range []struct {
		n    int
		what string
	}{
		{int(s.Lost), "not kept since the start, because there was no room"},
		{s.Refused, "refused by the server for good, and set aside"},
		{s.Damaged, "damaged on the disk, and set aside"},
	} {
		if line.n > 0 {
			fmt.Fprintf(w, "          %d %s\n", line.n, line.what)
		}
	}
}

func printFootage(w io.Writer, s footage.Status) {
	fmt.Fprintf(w, "footage   %s\n", humanize.IBytes(uint64(s.Bytes)))
	if says := s.Health.Says(); says != "" {
		fmt.Fprintf(w, "          %s\n", says)
	}
	if s.Lost > 0 {
		fmt.Fprintf(w, "          %d groups of pictures not kept since the start\n", s.Lost)
	}
	if !s.Until.IsZero() {
		fmt.Fprintf(w, "          some of what was recorded up to %s was removed before its time, to make room\n", s.Until.Local().Format(time.DateTime))
	}
}

func uplinkWord(s uplink.State) string {
	switch s {
	case uplink.Waiting:
		return "not connected"
	case uplink.NotPlaced:
		return "not taken in"
	case uplink.OtherChain:
		return "not trusted"
	case uplink.Cloned:
		return "taken for a copy"
	case uplink.Released:
		return "not the home's any more"
	case uplink.Ended:
		return "its home was deleted"
	}
	return string(s)
}

func at(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }
