package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/latchkey-cam/latchkey/server"
	"github.com/latchkey-cam/latchkey/web"
)

// serverCommand is the server and what looks after it.
type serverCommand struct {
	Run       serverRun       `cmd:"" default:"withargs" help:"Run the server. The word may be left out."`
	SetupLink serverSetupLink `cmd:"" name:"setup-link" help:"Print a link with which a home can be founded, once, within 30 minutes."`
}

type serverRun struct {
	Data     string `required:"" type:"path" placeholder:"DIR" help:"Folder in which everything is kept."`
	Listen   string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on, plain HTTP; put a proxy with a certificate in front of it for other machines (default: ${default})."`
	Origin   string `placeholder:"URL" help:"How browsers reach this server, as https://home.example.org; http://localhost:PORT if it is not given."`
	Metrics  string `placeholder:"HOST:PORT" help:"Loopback address that serves counters for Prometheus."`
	MaxBytes uint64 `placeholder:"N" help:"Bytes that a home may store; 0 for no bound."`
}

// Run starts the server and ends it when the context ends.
func (c serverRun) Run(ctx context.Context, t *terminal) error {
	s, err := server.Run(ctx, server.LocalConfig{
		Data: c.Data, Listen: c.Listen, Origin: c.Origin, Metrics: c.Metrics, MaxHomeBytes: c.MaxBytes,
		App: web.Handler(), Log: slog.New(slog.NewTextHandler(t.Err, nil)),
	})
	if err != nil {
		return fmt.Errorf("the server did not start: %w", err)
	}
	if err := c.greet(ctx, s, t); err != nil {
		return errors.Join(err, s.Close())
	}
	select {
	case <-ctx.Done():
		fmt.Fprintln(t.Out, "Stopping. Uploads that broke off come back by themselves.")
		return s.Close()
	case err := <-s.Failed():
		return errors.Join(err, s.Close())
	}
}

func (c serverRun) greet(ctx context.Context, s *server.Local, t *terminal) error {
	fmt.Fprintf(t.Out, "Latchkey serves %s (listening on %s)\n", s.Origin, s.Address)
	if s.MetricsURL != "" {
		fmt.Fprintf(t.Out, "Counters: %s\n", s.MetricsURL)
	}
	any, err := s.AnyHome(ctx)
	if err != nil || any {
		return err
	}
	secret, err := s.MintSetup(ctx)
	if err != nil {
		return err
	}
	printSetupLink(t, s.Origin, secret)
	return nil
}

func printSetupLink(t *terminal, origin, secret string) {
	fmt.Fprintf(t.Out, "\nTo found a home, open this link in your browser. It works once, for 30 minutes,\nfor whoever has it:\n\n  %s\n\n", server.SetupLink(origin, secret))
}

type serverSetupLink struct {
	Data   string `required:"" type:"path" placeholder:"DIR" help:"The server's folder."`
	Origin string `default:"http://localhost:8080" placeholder:"URL" help:"How browsers reach the server (default: ${default})."`
}

// Run mints a secret in the server's archive; the server may be running.
func (c serverSetupLink) Run(ctx context.Context, t *terminal) (err error) {
	if _, err := os.Stat(filepath.Join(c.Data, "archive.db")); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no server in %s; start one with: latchkey server --data %s", c.Data, c.Data)
	}
	a, err := server.OpenArchive(ctx, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	secret, err := server.MintSetup(ctx, a.Archive().Setups, time.Now())
	if err != nil {
		return err
	}
	printSetupLink(t, c.Origin, secret)
	return nil
}
