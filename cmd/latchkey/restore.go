package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/server"
)

// restoreCommand makes a server's folder from a backup.
type restoreCommand struct {
	From       string `required:"" type:"existingdir" placeholder:"FOLDER" help:"The backup."`
	Data       string `required:"" type:"path" placeholder:"DIR" help:"The folder of the server to be: new, or empty."`
	Incomplete bool   `help:"Restore what there is, even if objects of the backup are missing or damaged."`
	JSON       bool   `name:"json" help:"Print one JSON object."`
}

// Help is the longer text of --help.
func (restoreCommand) Help() string {
	return `A backup is older than what the server had, and does not know of whoever was removed
since. So every home is closed after a restore: nothing of it is shown or taken until
one of its agents has come back, which happens by itself, or an owner has confirmed in
the app that nothing is missing. What was changed in a home since the backup comes back
with its agents and browsers, which remember it. Everybody signs in again; pages do that
by themselves.

    latchkey restore --from /mnt/disk/latchkey --data /var/lib/latchkey/server`
}

// Run restores.
func (c restoreCommand) Run(ctx context.Context, t *terminal) error {
	progress, done := showProgress(t)
	b, lost, err := server.Restore(ctx, server.RestoreConfig{From: c.From, Data: c.Data, Incomplete: c.Incomplete, Progress: progress})
	done()
	report := copyReport{1, "restored", c.Data, b, lost}
	var held []archive.Hold
	if err == nil {
		held, err = heldIn(ctx, c.Data)
	}
	if err != nil {
		report.Result = "refused"
		err = fmt.Errorf("nothing was restored: %w", err)
		if lost.Count > 0 {
			err = fmt.Errorf("%w. --incomplete restores the rest", err)
		}
	}
	printLost(t.Err, lost)
	switch {
	case c.JSON:
		err = errors.Join(json.NewEncoder(t.Out).Encode(report), err)
	case err == nil:
		fmt.Fprintf(t.Out, `%s holds %s.

Its homes are closed. Start the server: each home opens by itself when one of its
agents has come back, or when an owner has confirmed in the app that nothing is
missing. Recordings that were uploaded after the backup are gone, unless their agent
still had them.

Holds that were made since the backup are not in it: hold again what was held, before
you start the server. Those that stood then stand again%s
`, c.Data, sumsWords(b), map[bool]string{true: ": there are none.", false: ", also if they were released since:\n"}[len(held) == 0])
		if len(held) > 0 {
			err = printHolds(t.Out, held)
		}
	}
	return err
}

// heldIn returns what is held at a server that does not run.
func heldIn(ctx context.Context, data string) (held []archive.Hold, err error) {
	a, err := server.OpenArchive(ctx, data)
	if err != nil {
		return nil, err
	}
	held, err = a.Archive().Holds.Standing(ctx)
	return held, errors.Join(err, a.Close())
}
