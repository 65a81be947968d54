package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/media"
	"github.com/latchkey-cam/latchkey/motion"
	"github.com/latchkey-cam/latchkey/server"
)

// look decodes cameras and looks for motion, and does nothing else. Args are the
// server's address, how many, and the stream: of "main" the key frames alone.
func look(ctx context.Context, args []string) error {
	return each(ctx, args[0], args[1], args[2], func(ctx context.Context, s camera.Source) error {
		units := make(chan media.Unit, 256)
		var following sync.WaitGroup
		following.Go(func() {
			_ = camera.Follow(ctx, s, func(u media.Unit) { // until ctx ends
				select {
				case units <- u:
				default: // the child is slow; motion may miss pictures
				}
			}, nil)
		})
		defer following.Wait()
		var detector motion.Detector
		var log motion.Log
		return camera.Decoder{KeysAbove: 640 * 480}.Run(ctx, func(ctx context.Context) (media.Unit, error) {
			select {
			case u := <-units:
				return u, nil
			case <-ctx.Done():
				return media.Unit{}, ctx.Err()
			}
		}, func(g camera.Grey) { detector.Look(g, motion.Config{}, &log) })
	})
}

// whole runs the real agent with so many cameras, in which something moves without
// end. A process of its own is server and owner. Args are a folder, the RTSP server's
// address and how many.
func whole(ctx context.Context, args []string) error {
	if len(args) == 2 {
		return home(ctx, args[0])
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// A process of its own group of costs: it is started by a shell that ends, so that
	// it is no child of this one.
	linkFile := filepath.Join(args[0], "link")
	if err := os.MkdirAll(args[0], 0o700); err != nil {
		return err
	}
	c := exec.CommandContext(ctx, "setsid", "-f", self, "whole", args[0], "home")
	if err := c.Run(); err != nil {
		return fmt.Errorf("start the home: %w", err)
	}
	defer os.Remove(linkFile) // which ends it
	var link []byte
	for link == nil {
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
		if b, err := os.ReadFile(linkFile); err == nil && bytes.HasSuffix(b, []byte("\n")) {
			link = bytes.TrimSpace(b)
		}
	}
	folder := filepath.Join(args[0], "agent")
	if _, err := agent.Join(ctx, agent.JoinConfig{Folder: folder, Link: string(link)}); err != nil {
		return err
	}
	if err := describe(folder, args[1], args[2]); err != nil {
		return err
	}
	a, err := agent.New(ctx, agent.Config{Folder: folder})
	if err != nil {
		return err
	}
	return errors.Join(a.Run(ctx), a.Close())
}

func describe(folder, address, count string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	state, err := agent.OpenState(folder)
	if err != nil {
		return err
	}
	defer state.Close() // everything was written durably
	for i := range n {
		_, _, err := state.AddCamera(agent.Camera{
			Name: fmt.Sprintf("Camera %d", i+1), Main: "rtsp://" + address + "/main", Sub: "rtsp://" + address + "/sub",
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// home is a server and the owner of a home there: it writes a join link into the
// folder, takes the agent and its cameras in, and ends when the file is gone.
func home(ctx context.Context, folder string) error {
	l, err := server.Run(ctx, server.LocalConfig{Data: filepath.Join(folder, "server"), Listen: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	defer l.Close() // all of it is temporary
	client, err := api.NewClient(l.Origin, nil)
	if err != nil {
		return err
	}
	secret, err := l.MintSetup(ctx)
	if err != nil {
		return err
	}
	owner := keytest.NewOwner()
	if _, err := client.Found(ctx, secret, owner.Found()); err != nil {
		return err
	}
	device, signing := owner.Device()
	at, err := client.SignIn(ctx, owner.Home(), device, signing, owner.Title().Head())
	if err != nil {
		return err
	}
	join, head, id := api.NewJoinSecret(), owner.Title().Head(), owner.Home()
	expires := latchkey.TimeOf(time.Now().Add(api.JoinLife))
	announcement := join.Announce(api.Announcement{Home: id, Head: head, Expires: expires})
	if err := at.OpenJoin(ctx, join.Slot(), announcement, expires); err != nil {
		return err
	}
	linkFile := filepath.Join(folder, "link")
	link := api.Link{Origin: l.Origin, Secret: join, Home: &id, Head: &head}
	if err := os.WriteFile(linkFile, []byte(link.Text()+"\n"), 0o600); err != nil {
		return err
	}
	h := &household{owner: owner, at: at, join: join, announcement: announcement}
	for {
		if _, err := os.Stat(linkFile); err != nil {
			return nil
		}
		if err := h.takeIn(ctx); err != nil {
			return err
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// household is an owner who says yes to everything.
type household struct {
	owner        *keytest.Owner
	at           *api.Home
	join         api.JoinSecret
	announcement []byte
	taken        bool
}

func (h *household) takeIn(ctx context.Context) error {
	if !h.taken {
		answer, err := h.at.Join(ctx, h.join.Slot())
		if err != nil || len(answer) == 0 {
			return err
		}
		body, err := h.join.CheckAnswer(h.announcement, answer)
		if err != nil {
			return err
		}
		onto := h.owner.Title().Head()
		_, err = h.at.Append(ctx, onto, h.owner.Sign(body))
		h.taken = err == nil
		return err
	}
	asks, err := h.at.Asks(ctx)
	if err != nil {
		return err
	}
	for _, b := range asks {
		ask, err := api.ParseAsk(b)
		if err != nil {
			return err
		}
		if err := ask.Verify(h.owner.Title()); err != nil {
			return err
		}
		onto := h.owner.Title().Head()
		if _, err := h.at.Append(ctx, onto, h.owner.Sign(deed.CameraBody{Camera: ask.Camera, Agent: ask.Agent})); err != nil {
			return err
		}
	}
	return nil
}
