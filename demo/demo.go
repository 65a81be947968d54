// Package demo is a whole house on one machine: a server, an agent, and three painted
// cameras that speak real RTSP. Nothing in it is a stand-in: the agent joins by a link,
// is given the cameras as by hand, and the browser that opens the printed address makes
// the keys and signs who belongs to the home.
//
// Everything it writes is in one folder, which it empties at the start.
package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/demo/paint"
	"github.com/latchkey-cam/latchkey/server"
)

// Config says how the house stands.
type Config struct {
	// Dir is the demo's folder. What an earlier demo left there is removed; any other
	// folder with something in it is refused.
	Dir string

	// Listen is where the server listens. If it is taken, another port is chosen.
	Listen string

	// App is the web app.
	App http.Handler

	// Ready is called once with the address to open, when there is something to see.
	Ready func(address string)

	// Tell is told what happens, a sentence at a time, for people.
	Tell func(sentence string)

	// Debug writes every step of every event to the agent's log.
	Debug bool
}

// house is one running demo.
type house struct {
	config  Config
	logs    []io.Closer
	cameras []*paint.Camera
	user    string
	secret  string // the cameras' password, made anew each time
}

// Run starts the house and keeps it until ctx ends or a part of it fails. When it
// returns, everything that it started has ended.
func Run(ctx context.Context, config Config) (err error) {
	if err := clear(config.Dir); err != nil {
		return err
	}
	h := &house{config: config, user: "viewer", secret: rand.Text()}
	defer func() { err = errors.Join(err, h.close()) }()
	ctx, stop := context.WithCancelCause(ctx)
	var rooms sync.WaitGroup
	defer rooms.Wait()
	defer stop(nil)

	config.Tell("Painting three cameras ...")
	if err := h.paint(ctx); err != nil {
		return err
	}
	local, err := h.serve(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, local.Close()) }()
	rooms.Go(func() {
		select {
		case <-ctx.Done():
		case err := <-local.Failed():
			stop(err)
		}
	})
	setup, err := local.MintSetup(ctx)
	if err != nil {
		return err
	}
	join := api.Link{Origin: local.Origin, Secret: api.NewJoinSecret()}
	rooms.Go(func() {
		if err := h.agent(ctx, join); err != nil {
			stop(fmt.Errorf("the demo's agent: %w", err))
		}
	})
	config.Ready(server.SetupLink(local.Origin, setup) + "&join=" + join.Secret.Text())
	<-ctx.Done()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// paint starts the cameras.
func (h *house) paint(ctx context.Context) error {
	for _, scene := range paint.Scenes {
		c, err := paint.Serve(ctx, paint.Config{Scene: scene, User: h.user, Password: h.secret})
		if err != nil {
			return err
		}
		h.cameras = append(h.cameras, c)
	}
	return nil
}

// serve starts the server. If somebody has its port, it takes another.
func (h *house) serve(ctx context.Context) (*server.Local, error) {
	log, err := h.log("server.log", slog.LevelInfo)
	if err != nil {
		return nil, err
	}
	config := server.LocalConfig{
		Data: filepath.Join(h.config.Dir, "server"), Listen: h.config.Listen, App: h.config.App, Log: log,
	}
	local, err := server.Run(ctx, config)
	if host, _, splitErr := net.SplitHostPort(config.Listen); errors.Is(err, syscall.EADDRINUSE) && splitErr == nil {
		config.Listen = net.JoinHostPort(host, "0")
		return server.Run(ctx, config)
	}
	return local, err
}

// agent joins the home that the browser founds, adds the cameras and records.
func (h *house) agent(ctx context.Context, link api.Link) error {
	level := slog.LevelInfo
	if h.config.Debug {
		level = slog.LevelDebug
	}
	log, err := h.log("agent.log", level)
	if err != nil {
		return err
	}
	folder := filepath.Join(h.config.Dir, "agent")
	if _, err := agent.Join(ctx, agent.JoinConfig{Folder: folder, Link: link.Text(), Log: log}); err != nil {
		return ignoreEnd(ctx, err)
	}
	h.config.Tell("The agent belongs to the home now.")
	if err := h.addCameras(folder); err != nil {
		return err
	}
	a, err := agent.New(ctx, agent.Config{Folder: folder, Log: log})
	if err != nil {
		return ignoreEnd(ctx, err)
	}
	h.config.Tell("The agent asks for its cameras, and records as soon as they are taken in.")
	return errors.Join(a.Run(ctx), a.Close())
}

func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// addCameras describes the cameras to the agent, as latchkey agent add-camera does.
func (h *house) addCameras(folder string) error {
	state, err := agent.OpenState(folder)
	if err != nil {
		return err
	}
	defer state.Close() // each camera is on the disk when AddCamera returns
	for i, c := range h.cameras {
		_, _, err := state.AddCamera(agent.Camera{
			Name: paint.Scenes[i].String(), Main: c.URL(), Sub: c.SubURL(),
			Credentials: camera.Credentials{User: camera.NewSecret(h.user), Password: camera.NewSecret(h.secret)},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (h *house) log(name string, level slog.Level) (*slog.Logger, error) {
	f, err := os.OpenFile(filepath.Join(h.config.Dir, name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the demo's log: %w", err)
	}
	h.logs = append(h.logs, f)
	return slog.New(slog.NewJSONHandler(f, &slog.HandlerOptions{Level: level})), nil
}

func (h *house) close() error {
	var errs []error
	for _, c := range h.cameras {
		errs = append(errs, c.Close())
	}
	for _, l := range h.logs {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
