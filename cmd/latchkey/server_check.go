package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/server"
)

type serverCheck struct {
	Data string `required:"" type:"path" placeholder:"DIR" help:"The server's folder. The server may be running."`
	From string `type:"existingdir" placeholder:"FOLDER" help:"A backup, out of which what is missing or damaged is put back."`
	JSON bool   `name:"json" help:"Print one JSON object."`
}

// Help is the longer text of --help.
func (serverCheck) Help() string {
	return `Reads all of it: the index's file, the deeds of every home that has something, and
every object. An object must be the one that its row names, whole, with the hash that
was signed, and signed by an agent that its home's deeds know. Nothing is opened, for
which the server has no key.

    latchkey server check --data /var/lib/latchkey/server
    latchkey server check --data /var/lib/latchkey/server --from /mnt/disk/latchkey`
}

// checkReport is what --json prints.
type checkReport struct {
	V      int    `json:"v"`
	Result string `json:"result"` // whole, repaired, or harmed if something is still not as it should be
	archive.Sums
	Found []server.Finding `json:"found"`
}

// What it means, for people.
var findings = map[string]string{
	server.Missing:   "the index names it, and it is not there: a backup may have it (--from), and nobody else",
	server.Damaged:   "it is not what was uploaded: a backup may have it whole (--from), and nobody else",
	server.Crossed:   "another object is in its place: it is shown to nobody",
	server.Unsigned:  "no agent of its home has signed it: it is shown to nobody",
	server.Unfolded:  "this home's deeds do not follow each other: nothing of it is shown; an agent or a browser of it may give them back",
	server.Unindexed: "it is stored and in no index: nobody sees it, and the server removes it when it is a week old",
	server.Stranger:  "it is none of the server's files",
}

// Run checks.
func (c serverCheck) Run(ctx context.Context, t *terminal) error {
	r := checkReport{V: 1, Result: "whole", Found: []server.Finding{}}
	harmed := 0
	progress, done := showProgress(t)
	var err error
	r.Sums, err = server.Check(ctx, server.CheckConfig{
		Data: c.Data, From: c.From, Progress: progress,
		Found: func(f server.Finding) {
			r.Found = append(r.Found, f)
			if !f.Repaired && f.What != server.Unindexed && f.What != server.Stranger {
				harmed++
			}
		},
	})
	done()
	if err != nil {
		return fmt.Errorf("the check has not come to its end: %w", err)
	}
	switch {
	case harmed > 0:
		r.Result, err = "harmed", fmt.Errorf("not all is as it should be: %s", countOf(harmed, "finding"))
	case len(r.Found) > 0:
		r.Result = "repaired"
	}
	if c.JSON {
		return errors.Join(json.NewEncoder(t.Out).Encode(r), err)
	}
	for _, f := range r.Found {
		says := findings[f.What]
		if f.Repaired {
			says = "put back out of the backup"
		}
		fmt.Fprintf(t.Out, "%-10s %s\n           %s\n", f.What, f.Name, says)
	}
	fmt.Fprintf(t.Out, "%s was looked at.\n", sumsWords(server.Backup{Sums: r.Sums}))
	return err
}
