package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/camera"
)

type agentAddCamera struct {
	Name         string `arg:"" help:"What people call it."`
	Address      string `arg:"" help:"rtsp://USER@ADDRESS/PATH, without the password; - reads it from the standard input."`
	Sub          string `help:"A smaller stream of the same picture, in which motion is looked for." placeholder:"rtsp://…"`
	PasswordFile string `help:"A file with the camera's password in its first line. Without it you are asked." placeholder:"FILE"`
	Check        bool   `help:"Try the camera first." default:"true" negatable:""`
}

// Help is the longer text of --help.
func (agentAddCamera) Help() string {
	return `The camera's password is asked for here, or read from a file, and stays in the
agent's folder. In the address it would stand in the list of running programs, which
everybody on the machine can read.

A camera of the same name is described anew and stays the same camera.`
}

// errPasswordInAddress says why not, and what to do.
var errPasswordInAddress = errors.New("the password must not stand in the address: every program on this machine can read command lines. " +
	"Leave it out (rtsp://USER@ADDRESS/PATH) and you are asked for it, or put it in a file and name that with --password-file")

// Run describes the camera.
func (c agentAddCamera) Run(ctx context.Context, parent *agentCommand, t *terminal) error {
	description, err := c.describe(t)
	if err != nil {
		return err
	}
	status, err := agent.ReadStatus(parent.Data)
	if err != nil {
		return err
	}
	state, err := agent.OpenState(parent.Data)
	if err != nil {
		return err
	}
	defer state.Close() // what was written is durable
	if c.Check {
		if err := tryCamera(ctx, description, t.Err); err != nil {
			return fmt.Errorf("%w\nNothing was added. To add it all the same, say --no-check", err)
		}
	}
	added, fresh, err := state.AddCamera(description)
	if err != nil {
		return err
	}
	if fresh {
		fmt.Fprintf(t.Out, "Camera %q is described. The home's owner is asked to add it: that is done on the home's page, under Cameras.\n", added.Name)
	} else {
		fmt.Fprintf(t.Out, "Camera %q is described anew.\n", added.Name)
	}
	if !status.Running {
		fmt.Fprintln(t.Out, "The agent is not running. Start it with: latchkey agent run")
	}
	return nil
}

// describe puts the arguments together and asks for what is missing.
func (c agentAddCamera) describe(t *terminal) (agent.Camera, error) {
	d := agent.Camera{Name: c.Name}
	address, hidden := c.Address, false
	if address == "-" {
		var err error
		if address, err = readLine(t.In); err != nil {
			return d, fmt.Errorf("read the camera's address from the standard input: %w", err)
		}
		hidden = true // not in an argument list, so it may hold the password
	}
	if err := agent.CheckCameraName(c.Name); err != nil {
		return d, err
	}
	var err error
	if d.Main, d.Credentials, err = agent.ParseAddress(address); err != nil {
		return d, err
	}
	if !hidden && d.Credentials.Password.Reveal() != "" {
		return d, errPasswordInAddress
	}
	if c.Sub != "" {
		var sub camera.Credentials
		if d.Sub, sub, err = agent.ParseAddress(c.Sub); err != nil {
			return d, err
		}
		if sub.Password.Reveal() != "" {
			return d, errPasswordInAddress
		}
		if user := sub.User.Reveal(); user != "" && user != d.Credentials.User.Reveal() {
			return d, errors.New("both streams of a camera are opened with the same user; the two addresses name different ones")
		}
	}
	if d.Credentials.Password.Reveal() != "" {
		return d, nil
	}
	return d, c.password(&d, t)
}

// password reads the password from the file or asks for it, if there is a user.
func (c agentAddCamera) password(d *agent.Camera, t *terminal) error {
	user := d.Credentials.User.Reveal()
	var password string
	switch {
	case c.PasswordFile != "":
		f, err := os.Open(c.PasswordFile)
		if err != nil {
			return fmt.Errorf("open the password file: %w", err)
		}
		defer f.Close() // read only
		if password, err = readLine(f); err != nil {
			return fmt.Errorf("read the password file: %w", err)
		}
		if user == "" {
			return errors.New("there is a password and no user: name the user in the address, rtsp://USER@ADDRESS/PATH")
		}
	case user == "":
		return nil
	default:
		var err error
		if password, err = askPassword(t, d.Name); err != nil {
			return err
		}
	}
	d.Credentials.Password = camera.NewSecret(password)
	return nil
}

// askPassword asks on the terminal without showing what is typed.
func askPassword(t *terminal, name string) (string, error) {
	in, ok := t.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", errors.New("the camera has a user, so it wants a password, and there is no terminal to ask at: put it in a file and name that with --password-file")
	}
	fmt.Fprintf(t.Err, "Password of camera %q: ", name)
	b, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(t.Err)
	if err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// tryCamera opens the camera's streams until each has shown a picture, and says what it
// found or what is wrong.
func tryCamera(ctx context.Context, c agent.Camera, w io.Writer) error {
	for _, stream := range []struct{ name, address string }{{"main stream", c.Main}, {"sub-stream", c.Sub}} {
		if stream.address == "" {
			continue
		}
		address, err := camera.ParseAddress(stream.address)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "Trying the %s ...\n", stream.name)
		found, err := camera.Probe(ctx, camera.Source{Address: address, Credentials: c.Credentials})
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("the %s of camera %q: %s", stream.name, c.Name, camera.StateOf(err).Says())
		}
		fmt.Fprintf(w, "The %s is %d x %d, %s.\n", stream.name, found.Width, found.Height, found.Codec)
	}
	return nil
}
