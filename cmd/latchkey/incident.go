package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/server"
)

// incidentCommand is what an operator does when something has gone wrong.
type incidentCommand struct {
	Hold    incidentHold    `cmd:"" help:"Stop a route, a home, a server or everything, at once and on open pages; agents go on recording."`
	Release incidentRelease `cmd:"" help:"Release what is held."`
	Holds   incidentHolds   `cmd:"" help:"List what is held, and what ever was."`
}

// onServer is the server that a command is about. It may be running.
type onServer struct {
	Data string `required:"" type:"path" placeholder:"DIR" help:"The server's folder. The server may be running, or not."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// archive opens the server's archive beside it.
func (c onServer) archive(ctx context.Context, do func(a archive.Archive) error) error {
	if _, err := os.Stat(filepath.Join(c.Data, "archive.db")); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no server in %s", c.Data)
	}
	a, err := server.OpenArchive(ctx, c.Data)
	if err != nil {
		return err
	}
	return errors.Join(do(a.Archive()), a.Close())
}

// saying is who does something, and why, for ever on record.
type saying struct {
	Why string `required:"" placeholder:"TEXT" help:"Why, for operators: it is kept and logged, and not shown to people."`
	Who string `placeholder:"NAME" help:"Who does it: the name of the system's user, if it is not given."`
}

// said returns who and why, in one line each.
func (s saying) said() (who, why string, err error) {
	if who = s.Who; who == "" {
		if who, err = userName(); err != nil {
			return "", "", fmt.Errorf("find out who you are (say it with --who): %w", err)
		}
	}
	if who, err = oneLine("--who", who); err != nil {
		return "", "", err
	}
	why, err = oneLine("--why", s.Why)
	if err == nil && why == "" {
		err = errors.New("--why is empty: whoever reads this tomorrow wants to know")
	}
	return who, why, err
}

// userName is the system's user, and whoever has become it by sudo.
func userName() (string, error) {
	u, err := user.Current()
	if err != nil {
		return "", err
	}
	if real := os.Getenv("SUDO_USER"); real != "" && real != u.Username {
		return real + " as " + u.Username, nil
	}
	return u.Username, nil
}

// oneLine takes a text that is short and has nothing in it that a terminal obeys.
func oneLine(flag, text string) (string, error) {
	text = strings.TrimSpace(text)
	if len(text) > archive.MaxHoldText {
		return "", fmt.Errorf("%s is %d bytes long, of at most %d", flag, len(text), archive.MaxHoldText)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", fmt.Errorf("%s must be one line of plain text", flag)
	}
	return text, nil
}

// incidentHold begins a hold.
type incidentHold struct {
	onServer
	saying
	Tell       string `placeholder:"TEXT" help:"Words for the people whose pages stop, beside those that the page has itself."`
	Everything bool   `group:"What" xor:"scope" required:"" help:"Every home, at every server of this archive."`
	Server     bool   `group:"What" xor:"scope" required:"" help:"Every home, at the server of this folder alone."`
	Home       string `group:"What" xor:"scope" required:"" placeholder:"ID" help:"One home, at every server."`
	Route      string `group:"What" xor:"scope" required:"" placeholder:"ROUTE" help:"One route for everybody, by its name in the table: object, events, command …"`
}

// Help is the longer text of --help.
func (incidentHold) Help() string {
	return `A running server obeys within a second, on open pages too: what it is sending is cut
off, and the page says that whoever runs the server has stopped it, since when, and that
nothing is lost. Agents go on recording and uploading. People can still sign in and out,
and an owner can remove somebody. What is held stays so through restarts, until it is
released. The guide has the table of what goes on (docs/guide/server.md).

    latchkey incident hold --data /var/lib/latchkey/server --everything --why "crossed pictures"`
}

// Run holds.
func (c incidentHold) Run(ctx context.Context, t *terminal) error {
	return c.archive(ctx, func(a archive.Archive) error {
		h, err := c.hold(ctx, a)
		if err != nil {
			return fmt.Errorf("nothing is held: %w", err)
		}
		if h.Number, err = a.Holds.PutHold(ctx, h); errors.Is(err, archive.ErrTooMany) {
			return fmt.Errorf("nothing is held: %d holds stand, more there cannot be; hold everything in place of them", archive.MaxStanding)
		} else if err != nil {
			return fmt.Errorf("nothing is held: %w", err)
		}
		if c.JSON {
			return json.NewEncoder(t.Out).Encode(rowOf(h))
		}
		_, err = fmt.Fprintf(t.Out, `Hold %d: %s is held from now on, %s. A server that runs obeys within
a second, and cuts off what it is sending. Agents go on recording.

To release it: latchkey incident release --data %s --hold %d --why "…"
`, h.Number, scopeWords(h), clockWords(h.Since), c.Data, h.Number)
		return err
	})
}

// hold says what is to be held.
func (c incidentHold) hold(ctx context.Context, a archive.Archive) (h archive.Hold, err error) {
	if h.Who, h.Why, err = c.said(); err != nil {
		return h, err
	}
	if h.Says, err = oneLine("--tell", c.Tell); err != nil {
		return h, err
	}
	h.Since = latchkey.TimeOf(time.Now())
	switch {
	case c.Everything:
		h.Scope = api.HoldEverything
	case c.Server:
		h.Scope = api.HoldServer
		h.Server, err = serverIn(c.Data)
	case c.Home != "":
		h.Scope = api.HoldHome
		if h.Home, err = latchkey.ParseHomeID(c.Home); err != nil {
			return h, err
		}
		if _, err = a.Homes.Head(ctx, h.Home); errors.Is(err, archive.ErrNotFound) {
			err = fmt.Errorf("this server has no home %s", h.Home)
		}
	default:
		h.Scope, h.Route = api.HoldRoute, c.Route
		if _, ok := api.RouteByID(c.Route); !ok {
			err = fmt.Errorf("there is no route %.100q; they are: %s", c.Route, routeWords())
		}
	}
	return h, err
}

func serverIn(data string) (latchkey.ServerID, error) {
	folder, err := durable.OpenExisting(data)
	if err != nil {
		return latchkey.ServerID{}, err
	}
	id, err := server.ServerID(folder)
	return id, errors.Join(err, folder.Close())
}

func routeWords() string {
	var ids []string
	for _, r := range api.Routes {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, ", ")
}

// incidentRelease ends holds.
type incidentRelease struct {
	onServer
	saying
	Hold uint64 `xor:"which" required:"" placeholder:"N" help:"The hold's number."`
	All  bool   `xor:"which" required:"" help:"Every hold that stands."`
}

// Run releases.
func (c incidentRelease) Run(ctx context.Context, t *terminal) error {
	return c.archive(ctx, func(a archive.Archive) error {
		who, why, err := c.said()
		if err != nil {
			return fmt.Errorf("nothing is released: %w", err)
		}
		numbers := []uint64{c.Hold}
		if c.All {
			standing, err := a.Holds.Standing(ctx)
			if err != nil {
				return fmt.Errorf("nothing is released: %w", err)
			}
			numbers = nil
			for _, h := range standing {
				numbers = append(numbers, h.Number)
			}
		}
		for _, n := range numbers {
			switch err := a.Holds.Release(ctx, n, archive.Release{Who: who, Why: why, At: latchkey.TimeOf(time.Now())}); {
			case errors.Is(err, archive.ErrNotFound):
				return fmt.Errorf("there is no hold %d", n)
			case errors.Is(err, archive.ErrUsed):
				return fmt.Errorf("hold %d was released before", n)
			case err != nil:
				return err
			}
		}
		return c.report(ctx, t, a, numbers)
	})
}

// report says what was released and what is held still.
func (c incidentRelease) report(ctx context.Context, t *terminal, a archive.Archive, numbers []uint64) error {
	left, err := a.Holds.Standing(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(t.Out).Encode(struct {
			V        int      `json:"v"`
			Released []uint64 `json:"released"`
			Standing int      `json:"standing"`
		}{1, append([]uint64{}, numbers...), len(left)})
	}
	fmt.Fprintf(t.Out, "Released: %s.", countOf(len(numbers), "hold"))
	if len(left) == 0 {
		_, err = fmt.Fprintln(t.Out, " Nothing is held any more; open pages come back by themselves.")
		return err
	}
	fmt.Fprintf(t.Out, " %s still stand:\n\n", countOf(len(left), "hold"))
	return printHolds(t.Out, left)
}

// incidentHolds lists holds.
type incidentHolds struct {
	onServer
}

// holdRow is a hold in JSON.
type holdRow struct {
	V        int                `json:"v"`
	Hold     uint64             `json:"hold"`
	Scope    api.HoldScope      `json:"scope"`
	Home     *latchkey.HomeID   `json:"home,omitempty"`
	Server   *latchkey.ServerID `json:"server,omitempty"`
	Route    string             `json:"route,omitempty"`
	Who      string             `json:"who"`
	Why      string             `json:"why"`
	Says     string             `json:"says"`
	Since    latchkey.Time      `json:"since"`
	Released *releaseRow        `json:"released"`
}

type releaseRow struct {
	Who string        `json:"who"`
	Why string        `json:"why"`
	At  latchkey.Time `json:"at"`
}

func rowOf(h archive.Hold) holdRow {
	row := holdRow{V: 1, Hold: h.Number, Scope: h.Scope, Route: h.Route, Who: h.Who, Why: h.Why, Says: h.Says, Since: h.Since}
	switch h.Scope {
	case api.HoldHome:
		row.Home = &h.Home
	case api.HoldServer:
		row.Server = &h.Server
	}
	if r := h.Released; r != nil {
		row.Released = &releaseRow{r.Who, r.Why, r.At}
	}
	return row
}

// Run lists.
func (c incidentHolds) Run(ctx context.Context, t *terminal) error {
	return c.archive(ctx, func(a archive.Archive) error {
		all, err := a.Holds.EveryHold(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			rows := []holdRow{}
			for _, h := range all {
				rows = append(rows, rowOf(h))
			}
			return json.NewEncoder(t.Out).Encode(map[string]any{"v": 1, "holds": rows})
		}
		if len(all) == 0 {
			_, err = fmt.Fprintln(t.Out, "Nothing is held, and nothing ever was.")
			return err
		}
		return printHolds(t.Out, all)
	})
}

// printHolds prints a table, what stands marked in words.
func printHolds(out io.Writer, all []archive.Hold) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HOLD\tOF\tSINCE\tBY\tWHY\tRELEASED")
	for _, h := range all {
		released := "stands"
		if r := h.Released; r != nil {
			released = fmt.Sprintf("%s by %s: %s", clockWords(r.At), r.Who, r.Why)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", h.Number, scopeWords(h), clockWords(h.Since), h.Who, h.Why, released)
	}
	return w.Flush()
}

func scopeWords(h archive.Hold) string {
	switch h.Scope {
	case api.HoldHome:
		return "home " + h.Home.String()
	case api.HoldServer:
		return "server " + h.Server.String()
	case api.HoldRoute:
		return "route " + h.Route
	}
	return string(h.Scope)
}

func clockWords(at latchkey.Time) string { return at.Time().UTC().Format("2006-01-02 15:04:05 UTC") }
