package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// TestAgentScript runs testdata/agent.txt: a real server, a home whose owner takes in
// whoever joins with $LINK, and a camera at $CAMERA that wants user "viewer" and a
// password with everything in it that breaks command lines.
func TestAgentScript(t *testing.T) {
	film := cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=1")
	c := cameratest.Serve(t, film, func(c *cameratest.Camera) { c.User, c.Password = "viewer", `hunter2 @:/?#"` })
	c.Play(t, slices.Repeat([]cameratest.Film{film}, 60)...)
	two := twoStreams(t, c.User, c.Password)
	testscript.Run(t, testscript.Params{
		Files: []string{"testdata/agent.txt"},
		Setup: func(env *testscript.Env) error {
			link, err := home(t, filepath.Join(env.WorkDir, "server"))
			if err != nil {
				return err
			}
			bare := strings.TrimPrefix(c.Address(), "rtsp://")
			for name, value := range map[string]string{
				"LINK": link.Text(), "SECRET": link.Secret.Text(), "CAMERA": c.Address(), "HOST": bare, "TWO": two.Address().String(),
				"LATCHKEY_AGENT_DATA": filepath.Join(env.WorkDir, "agent"),
			} {
				env.Setenv(name, value)
			}
			return errors.Join(
				os.WriteFile(filepath.Join(env.WorkDir, "password"), []byte(c.Password+"\n"), 0o600),
				os.WriteFile(filepath.Join(env.WorkDir, "link"), []byte(link.Text()+"\n"), 0o600))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"running": running},
	})
}

// home starts a server with a home, and takes in the agent that answers the link.
func home(t *testing.T, data string) (api.Link, error) {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(stop)
	s, err := server.Run(ctx, server.LocalConfig{Data: data, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return api.Link{}, err
	}
	t.Cleanup(func() { s.Close() })
	setup, err := s.MintSetup(ctx)
	if err != nil {
		return api.Link{}, err
	}
	client, err := api.NewClient(s.Origin, nil)
	if err != nil {
		return api.Link{}, err
	}
	owner := keytest.NewOwner()
	if _, err := client.Found(ctx, setup, owner.Found()); err != nil {
		return api.Link{}, err
	}
	device, signing := owner.Device()
	session, err := client.SignIn(ctx, owner.Home(), device, signing, owner.Title().Head())
	if err != nil {
		return api.Link{}, err
	}
	id, head, expires := owner.Home(), owner.Title().Head(), latchkey.TimeOf(time.Now().Add(api.JoinLife))
	link := api.Link{Origin: s.Origin, Secret: api.NewJoinSecret(), Home: &id, Head: &head}
	announcement := link.Secret.Announce(api.Announcement{Home: id, Head: head, Expires: expires})
	if err := session.OpenJoin(ctx, link.Secret.Slot(), announcement, expires); err != nil {
		return api.Link{}, err
	}
	go place(ctx, session, owner, link, announcement)
	return link, nil
}

// place takes an agent in; if it does not come about the script waits in vain and says so.
func place(ctx context.Context, session *api.Home, owner *keytest.Owner, link api.Link, announcement []byte) {
	for ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
		answer, err := session.Join(ctx, link.Secret.Slot())
		if err != nil || len(answer) == 0 {
			continue
		}
		if body, err := link.Secret.CheckAnswer(announcement, answer); err == nil {
			onto := owner.Title().Head()
			if _, err := session.Append(ctx, onto, owner.Sign(body)); err == nil {
				return
			}
		}
	}
}

// running waits until the agent runs and is connected, and a camera is in a state.
func running(ts *testscript.TestScript, neg bool, args []string) {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		s, err := agent.ReadStatus(ts.Getenv("LATCHKEY_AGENT_DATA"))
		if err != nil || s.Running == neg || !neg && s.Uplink.State != uplink.Connected {
			continue
		}
		for _, c := range s.Cameras {
			if neg || len(args) == 2 && c.Name == args[0] && string(c.State) == args[1] {
				return
			}
		}
		if len(args) == 0 {
			return
		}
	}
	ts.Fatalf("the agent's status does not become %q", args)
}
