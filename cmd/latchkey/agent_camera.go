package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/find"
)

type agentAddCamera struct {
	Name         string        `arg:"" help:"What people call it."`
	Address      string        `arg:"" help:"rtsp://USER@ADDRESS[/PATH] or [USER@]ADDRESS, without the password; - reads it from the standard input."`
	Main         string        `help:"The stream that is recorded, if it is not the one with the most pixels." placeholder:"rtsp://…"`
	Sub          string        `help:"The smaller stream of the same picture in which motion is looked for, if it is not to be chosen; none for none." placeholder:"rtsp://…"`
	PasswordFile string        `help:"A file with the camera's password in its first line. Without it you are asked." placeholder:"FILE"`
	Check        bool          `help:"Ask the camera first what it has. Without that the address must be the whole one of a stream, and another device at it would not be noticed." default:"true" negatable:""`
	Public       bool          `help:"Also ask an address that is not in a private network."`
	Watch        time.Duration `help:"How long each stream is watched." default:"8s"`
}

// Help is the longer text of --help.
func (agentAddCamera) Help() string {
	return `The camera is asked which streams it has, and the one to record and the one in which
motion is looked for are chosen; latchkey agent probe shows what there is. It is also
noted by what the camera can be known again, so that another device that gets its
address is not taken for it.

The camera's password is asked for here, or read from a file, and stays in the
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
		if err := c.choose(ctx, t, &description); err != nil {
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

// noSub is what --sub says for no sub-stream.
const noSub = "none"

// describe puts the arguments together and asks for what is missing. The main stream of
// the description is the address as it was given, until it has been chosen.
func (c agentAddCamera) describe(t *terminal) (agent.Camera, error) {
	d := agent.Camera{Name: c.Name}
	if err := agent.CheckCameraName(c.Name); err != nil {
		return d, err
	}
	given, hidden := c.Address, c.Address == "-"
	var err error
	if hidden {
		if given, err = readLine(t.In); err != nil {
			return d, fmt.Errorf("read the camera's address from the standard input: %w", err)
		}
	}
	if !strings.Contains(given, "://") {
		given = "rtsp://" + given
	}
	if d.Main, d.Credentials, err = agent.ParseAddress(given); err != nil {
		return d, err
	}
	if !hidden && d.Credentials.Password.Reveal() != "" {
		return d, errPasswordInAddress
	}
	for _, stream := range []string{c.Main, c.Sub} {
		if stream == "" || stream == noSub {
			continue
		}
		_, login, err := agent.ParseAddress(stream)
		switch user := login.User.Reveal(); {
		case err != nil:
			return d, err
		case login.Password.Reveal() != "":
			return d, errPasswordInAddress
		case user != "" && user != d.Credentials.User.Reveal():
			return d, errors.New("both streams of a camera are opened with the same user; the two addresses name different ones")
		}
	}
	if !c.Check {
		d.Main, d.Sub = named(c.Main, d.Main), named(c.Sub, "")
	}
	if d.Credentials.Password.Reveal() != "" {
		return d, nil
	}
	return d, readPassword(t, &d.Credentials, fmt.Sprintf("camera %q", d.Name), c.PasswordFile)
}

// named is the address that was named, without its user, or the other if none was.
func named(address, other string) string {
	switch address {
	case "":
		return other
	case noSub:
		return ""
	}
	bare, _, err := agent.ParseAddress(address)
	if err != nil {
		return address // for the one who checks it and says so
	}
	return bare
}

// choose asks the camera what it has and chooses its streams, says which and what is
// wrong with them, and notes by what the camera is known again.
func (c agentAddCamera) choose(ctx context.Context, t *terminal, d *agent.Camera) error {
	fmt.Fprintln(t.Err, "Asking the camera what it has ...")
	found, err := probe(ctx, t, find.Config{Address: d.Main, Credentials: d.Credentials, Public: c.Public, Watch: c.Watch})
	if err != nil {
		return err
	}
	main, _ := found.Stream(find.Main)
	sub, _ := found.Stream(find.Sub)
	d.Main, d.Sub, d.Pin = named(c.Main, main.Address), named(c.Sub, sub.Address), found.Pin
	for _, stream := range []struct{ name, address string }{{"main stream", d.Main}, {"sub-stream", d.Sub}} {
		if stream.address == "" {
			continue
		}
		i := slices.IndexFunc(found.Streams, func(s find.Stream) bool { return s.Address == stream.address && s.Rate > 0 })
		if i < 0 {
			if err := tryStream(ctx, *d, stream.name, stream.address, t.Err); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(t.Err, "The %s is %s\n", stream.name, stream.address)
		fmt.Fprintf(t.Err, "      %s\n", describeStream(found.Streams[i]))
		printFindings(t.Err, found.Streams[i].Findings)
	}
	printFindings(t.Err, found.Findings)
	if c.Main != "" { // it may be at another host than the one that was asked
		if d.Pin, err = find.Identify(ctx, d.Main, d.Credentials); err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// readPassword reads the password from the file or asks for it, if there is a user.
func readPassword(t *terminal, login *camera.Credentials, name, file string) error {
	user := login.User.Reveal()
	var password string
	switch {
	case file != "":
		f, err := os.Open(file)
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
		if password, err = askPassword(t, name); err != nil {
			return err
		}
	}
	login.Password = camera.NewSecret(password)
	return nil
}

// askPassword asks on the terminal without showing what is typed.
func askPassword(t *terminal, name string) (string, error) {
	in, ok := t.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", errors.New("the camera has a user, so it wants a password, and there is no terminal to ask at: put it in a file and name that with --password-file")
	}
	fmt.Fprintf(t.Err, "Password of %s: ", name)
	b, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(t.Err)
	if err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// tryStream opens a stream that was named until it has shown a picture, and says what it
// is or what is wrong.
func tryStream(ctx context.Context, c agent.Camera, name, stream string, w io.Writer) error {
	address, err := camera.ParseAddress(stream)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Trying the %s ...\n", name)
	found, err := camera.Probe(ctx, camera.Source{Address: address, Credentials: c.Credentials})
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("the %s of camera %q: %s", name, c.Name, camera.StateOf(err).Says())
	}
	fmt.Fprintf(w, "The %s is %s\n      %d x %d, %s\n", name, stream, found.Width, found.Height, found.Codec)
	return nil
}
