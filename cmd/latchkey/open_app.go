package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/latchkey-cam/latchkey/attic"
	"github.com/latchkey-cam/latchkey/web"
)

// openAppCommand shows an export in the app, without the server that it is from.
type openAppCommand struct {
	Folder string `arg:"" type:"existingdir" help:"An export that was made with --app." placeholder:"FOLDER"`
	Vault  string `type:"existingfile" help:"The vault, if it does not lie in the export: an export's vault.json." placeholder:"FILE"`
}

// Help is the longer text of --help.
func (openAppCommand) Help() string {
	return `The app of this very program is served to one person at this machine, on a free port
of 127.0.0.1, to whoever has the link that is printed. You unlock it with the passphrase or
recovery code with which the export was made. It checks everything as it does with a server,
sends nothing anywhere, and keeps nothing: Ctrl-C ends it.

    latchkey export https://cam.example.org --account me@example.org --to ~/Recordings --app
    latchkey open-app ~/Recordings`
}

// Run shows the export until it is interrupted.
func (c openAppCommand) Run(ctx context.Context, t *terminal) (err error) {
	fmt.Fprintln(t.Err, "Checking what lies in the export ...")
	a, err := attic.Open(c.Folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	for _, refused := range a.Refused {
		fmt.Fprintf(t.Err, "not shown: %q\n", refused)
	}
	s, err := attic.Run(ctx, attic.Config{Attic: a, Vault: c.Vault, App: web.Handler(), Log: slog.New(slog.NewTextHandler(t.Err, nil))})
	if err != nil {
		return err
	}
	fmt.Fprint(t.Err, "\nOpen this link in a browser at this machine:\n\n")
	fmt.Fprintln(t.Out, s.Link)
	fmt.Fprint(t.Err, "\nCtrl-C ends it.\n\n")
	select {
	case <-ctx.Done():
	case err = <-s.Failed():
	}
	return errors.Join(err, s.Close())
}
