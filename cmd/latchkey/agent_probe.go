package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/find"
)

type agentProbe struct {
	Address      string `arg:"" optional:"" help:"rtsp://USER@ADDRESS[/PATH] or [USER@]ADDRESS, without the password; - reads it from the standard input. Without it cameras are looked for in this network."`
	PasswordFile string `help:"A file with the camera's password in its first line. Without it you are asked." placeholder:"FILE"`
	Public       bool   `help:"Also ask an address that is not in a private network."`
	JSON         bool   `name:"json" help:"Print one JSON object."`

	Watch time.Duration `help:"How long each stream is watched." default:"8s"`
}

// Help is the longer text of --help.
func (agentProbe) Help() string {
	return `Says which streams a camera offers, what is wrong with them and how to put it right.
Nothing is kept. A camera that refuses the password is not asked twice, so that it does
not lock the account.`
}

// Run probes.
func (c agentProbe) Run(ctx context.Context, t *terminal) error {
	if c.Address == "" {
		return c.discover(ctx, t)
	}
	address, login, err := readAddress(t, c.Address, "the camera", c.PasswordFile)
	if err != nil {
		return err
	}
	found, err := probe(ctx, t, find.Config{Address: address, Credentials: login, Public: c.Public, Watch: c.Watch})
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(t.Out, found)
	}
	w := bufio.NewWriter(t.Out)
	printFound(w, found)
	return w.Flush()
}

// discover lists the cameras that say of themselves that they are there.
func (c agentProbe) discover(ctx context.Context, t *terminal) error {
	if !c.JSON {
		fmt.Fprintln(t.Err, "Looking for cameras in this network ...")
	}
	devices, err := find.Discover(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(t.Out, devices)
	}
	if len(devices) == 0 {
		fmt.Fprintln(t.Out, "No camera has answered. Many answer only when ONVIF is switched on in them; your router shows the addresses of all devices.")
		return nil
	}
	for _, d := range devices {
		fmt.Fprintf(t.Out, "%-16s %s\n", d.Host, strings.TrimSpace(d.Name+" "+d.Hardware))
	}
	fmt.Fprintln(t.Out, "\nSee what one of them offers with: latchkey agent probe USER@ADDRESS")
	return nil
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// readAddress takes an address of a camera as somebody gives it on a command line, the
// user in it and the password from where it does not show.
func readAddress(t *terminal, given, name, passwordFile string) (string, camera.Credentials, error) {
	hidden := given == "-"
	if hidden {
		var err error
		if given, err = readLine(t.In); err != nil {
			return "", camera.Credentials{}, fmt.Errorf("read the camera's address from the standard input: %w", err)
		}
	}
	address, login := splitAddress(given)
	if !hidden && login.Password.Reveal() != "" {
		return "", camera.Credentials{}, errPasswordInAddress
	}
	if login.Password.Reveal() == "" {
		if err := readPassword(t, &login, name, passwordFile); err != nil {
			return "", camera.Credentials{}, err
		}
	}
	return address, login, nil
}

// splitAddress takes the user and the password out of an address, with a scheme or
// without. What is no address is left as it is, for the one who says so.
func splitAddress(given string) (string, camera.Credentials) {
	whole := given
	if !strings.Contains(given, "://") {
		whole = "rtsp://" + given
	}
	u, err := url.Parse(whole)
	if err != nil || u.User == nil {
		return given, camera.Credentials{}
	}
	password, _ := u.User.Password()
	login := camera.Credentials{User: camera.NewSecret(u.User.Username()), Password: camera.NewSecret(password)}
	u.User = nil
	return u.String(), login
}

// probe runs a probe and shows how far it is, if somebody is looking.
func probe(ctx context.Context, t *terminal, c find.Config) (find.Found, error) {
	if f, ok := t.Err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		c.Progress = func(p find.Progress) { fmt.Fprintf(t.Err, "\r\x1b[K[%d/%d] %s", p.Done, p.Of, p.Says) }
		defer fmt.Fprint(t.Err, "\r\x1b[K")
	}
	found, err := find.Probe(ctx, c)
	var why *find.Error
	if errors.As(err, &why) && found.Brand != "" {
		return found, fmt.Errorf("this is a camera of %s. %w", found.Brand, err)
	}
	return found, err
}

// printFound writes the report.
func printFound(w io.Writer, f find.Found) {
	brand := "a camera"
	if f.Brand != "" {
		brand = f.Brand
	}
	fmt.Fprintf(w, "%s is %s.\n", f.Host, brand)
	for _, s := range f.Streams {
		fmt.Fprintf(w, "\n%-6s%s\n", s.Role, s.Address)
		if line := describeStream(s); line != "" {
			fmt.Fprintf(w, "      %s\n", line)
		}
		printFindings(w, s.Findings)
	}
	if len(f.Findings) > 0 {
		fmt.Fprintln(w)
	}
	printFindings(w, f.Findings)
}

// describeStream says in a line what a stream is.
func describeStream(s find.Stream) string {
	var parts []string
	add := func(ok bool, format string, args ...any) {
		if ok {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(s.Codec != "", "%s", strings.TrimSpace(s.Codec+" "+s.Profile))
	add(s.Width > 0, "%d x %d", s.Width, s.Height)
	add(s.Rate > 0, "%.1f pictures a second", s.Rate)
	add(s.KeyIntervalMS > 0, "a key frame every %.1f s", float64(s.KeyIntervalMS)/1000)
	add(s.Bitrate > 0, "%.1f Mbit/s", float64(s.Bitrate)/1e6)
	add(s.Audio != "", "sound %s", s.Audio)
	return strings.Join(parts, ", ")
}

// printFindings writes findings, the worst first, each with what to do.
func printFindings(w io.Writer, all []find.Finding) {
	for _, severity := range []find.Severity{find.Bad, find.Warning, find.Good} {
		for _, f := range all {
			if f.Severity != severity {
				continue
			}
			fmt.Fprintf(w, "      %-8s %s\n", severity, f.Says)
			if f.Fix != "" {
				fmt.Fprintf(w, "               %s\n", f.Fix)
			}
		}
	}
}
