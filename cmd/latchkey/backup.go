package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/term"

	"github.com/latchkey-cam/latchkey/server"
)

// backupCommand copies what a server keeps, while it runs.
type backupCommand struct {
	Data string `required:"" type:"path" placeholder:"DIR" help:"The server's folder. The server may be running."`
	To   string `required:"" type:"path" placeholder:"FOLDER" help:"Where to: a new or empty folder, or an earlier backup, to which only what is new is added."`
	JSON bool   `name:"json" help:"Print one JSON object."`
}

// Help is the longer text of --help.
func (backupCommand) Help() string {
	return `The backup holds the index as it is at one moment, every object in it, and the
server's certificates. It cannot open anything, and neither can whoever has it; but
keep it like the server's own folder, for it holds the key of its certificate.

A backup that is broken off is none until the command has been run again to its end.
While an earlier backup is brought up to date it is none either: keep two in turn.

    latchkey backup --data /var/lib/latchkey/server --to /mnt/disk/latchkey`
}

// copyReport is what --json prints of a backup and of a restore.
type copyReport struct {
	V      int    `json:"v"`
	Result string `json:"result"` // backed-up, restored, refused
	Folder string `json:"folder"`
	server.Backup
	Lost server.Losses `json:"lost"`
}

// Run backs up.
func (c backupCommand) Run(ctx context.Context, t *terminal) error {
	progress, done := showProgress(t)
	b, lost, err := server.BackUp(ctx, server.BackupConfig{Data: c.Data, To: c.To, Progress: progress})
	done()
	if err != nil {
		return fmt.Errorf("the backup was not made: %w", err)
	}
	if c.JSON {
		err = json.NewEncoder(t.Out).Encode(copyReport{1, "backed-up", c.To, b, lost})
	} else {
		_, err = fmt.Fprintf(t.Out, "%s holds the server as it was at %s: %s.\n", c.To, b.Made.Time().UTC().Format(time.DateTime+" MST"), sumsWords(b))
	}
	if err == nil && lost.Count > 0 {
		printLost(t.Err, lost)
		err = fmt.Errorf("the backup is whole but for %s that the server itself has lost", countOf(lost.Count, "object"))
	}
	return err
}

func sumsWords(b server.Backup) string {
	return fmt.Sprintf("%s, %s, %s of recordings", countOf(b.Homes, "home"), countOf(b.Objects, "object"), humanize.IBytes(b.Bytes))
}

func countOf(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%s %s", humanize.Comma(int64(n)), what)
}

// printLost names what is missing.
func printLost(w io.Writer, lost server.Losses) {
	for _, name := range lost.Objects {
		fmt.Fprintf(w, "missing or damaged: %s\n", name)
	}
	if more := lost.Count - len(lost.Objects); more > 0 {
		fmt.Fprintf(w, "and %s more\n", humanize.Comma(int64(more)))
	}
}

// showProgress shows how far something is, if somebody is looking; done clears the line.
func showProgress(t *terminal) (progress server.Progress, done func()) {
	f, ok := t.Err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, func() {}
	}
	last := time.Time{}
	progress = func(what string, done, of int) {
		if now := time.Now(); now.Sub(last) > 100*time.Millisecond || done == 0 {
			last = now
			fmt.Fprintf(t.Err, "\r\x1b[K%s: %s of %s", what, humanize.Comma(int64(done)), humanize.Comma(int64(of)))
		}
	}
	return progress, func() { fmt.Fprint(t.Err, "\r\x1b[K") }
}
