package main

import (
	"context"
	"fmt"

	"github.com/latchkey-cam/latchkey/demo"
	"github.com/latchkey-cam/latchkey/web"
)

type demoCommand struct {
	Dir    string `help:"The demo's folder. It is emptied at the start." default:".demo" type:"path"`
	Listen string `help:"Where the server listens. If the port is taken, another is chosen." default:"127.0.0.1:8080"`
	Debug  bool   `help:"Write every step of every event to the agent's log."`
}

// Run starts the house and keeps it until it is interrupted.
func (c demoCommand) Run(ctx context.Context, t *terminal) error {
	tell := func(sentence string) { fmt.Fprintln(t.Err, sentence) }
	err := demo.Run(ctx, demo.Config{
		Dir: c.Dir, Listen: c.Listen, App: web.Handler(), Debug: c.Debug, Tell: tell,
		Ready: func(address string) {
			fmt.Fprintf(t.Err, "\nA house with three cameras stands. Open it (the link works once, for 30 minutes):\n\n")
			fmt.Fprintln(t.Out, address)
			fmt.Fprintf(t.Err, "\nCtrl-C ends it. All it writes is in %s.\n\n", c.Dir)
		},
	})
	if err == nil {
		tell("The house is gone.")
	}
	return err
}
