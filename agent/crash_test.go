package agent_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// crashingFolder and crashingJournal are in the environment of a test binary that is
// to be an agent: its folder, and where it notes what was acknowledged. With no journal
// nothing happens on its camera; it only uploads what is left.
const (
	crashingFolder  = "LATCHKEY_TEST_AGENT"
	crashingJournal = "LATCHKEY_TEST_JOURNAL"
	realCameras     = "real" // in the journal's place: cameras that are watched as ever

	// crashingLink is in the environment of one that is to get new keys with this link, or
	// to be founded again.
	crashingLink = "LATCHKEY_TEST_LINK"
	foundAgain   = "found-again"
)

// TestMain lets this binary be an agent whose camera is a generator of events.
func TestMain(m *testing.M) {
	if folder := os.Getenv(crashingFolder); folder != "" {
		be := func() error { return beAgent(folder, os.Getenv(crashingJournal)) }
		switch link := os.Getenv(crashingLink); link {
		case "":
		case foundAgain:
			be = func() error {
				_, err := agent.FoundAgain(context.Background(), agent.FoundAgainConfig{Folder: folder, Link: func(s string) { fmt.Println(s) }, Retry: 10 * time.Millisecond})
				return err
			}
		default:
			be = func() error {
				_, err := agent.Join(context.Background(), agent.JoinConfig{Folder: folder, Link: link, Replace: true, Retry: 10 * time.Millisecond})
				return err
			}
		}
		if err := be(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	_ = os.RemoveAll(crashingPrograms)
	os.Exit(code)
}

func beAgent(folder, journal string) error {
	ctx := context.Background()
	a, err := agent.New(ctx, agent.Config{
		Folder: folder, Retry: 20 * time.Millisecond, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Watch: func(ctx context.Context, c event.Config) error {
			switch journal {
			case "":
				<-ctx.Done()
				return nil
			case realCameras:
				return event.Watch(ctx, c)
			}
			return generate(ctx, c, journal)
		},
	})
	if err != nil {
		return err
	}
	return errors.Join(a.Run(ctx), a.Close())
}

// generate makes one event after the other. Only after the sink has returned is it
// noted as acknowledged; a process that is killed in between has promised nothing.
func generate(ctx context.Context, c event.Config, journal string) error {
	f, err := os.OpenFile(journal, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	noting := noted{Sink: c.Sink, f: f}
	c.Sink = noting
	for ctx.Err() == nil {
		if _, began, ended := happen(ctx, c); began != nil || ended != nil {
			return errors.Join(began, ended)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(rand.IntN(30)) * time.Millisecond):
		}
	}
	return nil
}

// noted is a sink whose acknowledgements are noted.
type noted struct {
	event.Sink
	f *os.File
}

func (n noted) Begin(ctx context.Context, e event.Event, thumbnail []byte) error {
	if err := n.Sink.Begin(ctx, e, thumbnail); err != nil {
		return err
	}
	_, err := fmt.Fprintf(n.f, "began %s\n", e.ID)
	return err
}

func (n noted) End(ctx context.Context, e event.Event, clip func(io.Writer) error) error {
	if err := n.Sink.End(ctx, e, clip); err != nil {
		return err
	}
	_, err := fmt.Fprintf(n.f, "ended %s\n", e.ID)
	return err
}

// TestCrash kills real processes, agent and server, again and again: at every named
// point between the camera and the acknowledgement, and at random times. Then
// everything drains, and an owner looks: every event that was acknowledged to the
// camera is listed once, whole, and opens; none is there twice; the spool is empty.
//
// LATCHKEY_LONG does it 1500 times.
func TestCrash(t *testing.T) {
	t.Parallel()
	kills := 90
	if os.Getenv("LATCHKEY_LONG") != "" {
		kills = 1500
	}
	r := crash(t, kills, crashing(t))
	t.Logf("%d kills (%d of them at %d named points), %d events acknowledged, %d objects listed, in %v",
		r.kills, r.atPoints, len(r.points), r.events, r.objects, r.took.Round(time.Second))
	for _, complaint := range r.complaints {
		t.Error(complaint)
	}
	for point, n := range r.points {
		if n == 0 {
			t.Errorf("no process was killed at %s: is that point still on the way of an object?", point)
		}
	}
	if r.events < r.kills/4 {
		t.Errorf("only %d events were acknowledged among %d kills", r.events, r.kills)
	}
}

// TestCrashNotices is the control: an agent that acknowledges before the record is on
// the disk loses events, and one that forgets before the server has acknowledged too;
// the same test must say so.
func TestCrashNotices(t *testing.T) {
	t.Parallel()
	overlay, err := sabotage.Switched("..", t.TempDir(), map[string][]sabotage.Cut{
		"acknowledges before it is durable": {{File: "agent/spool/spool.go",
			Old: "return h, durable.WriteBytes(s.fs, recordName(b.Object), s.key.encode(h, result.Key))",
			New: "go func() { time.Sleep(20 * time.Millisecond); durable.WriteBytes(s.fs, recordName(b.Object), s.key.encode(h, result.Key)) }(); return h, nil"}},
		"forgets before it is acknowledged": {{File: "agent/uplink/put.go",
			Old: "	crash.Point(\"uplink.put\")\n",
			New: "	u.config.Spool.Remove(item)\n	crash.Point(\"uplink.put\")\n"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	programs := t.TempDir()
	if err := buildCrashing(programs, "-overlay", overlay); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"acknowledges before it is durable", "forgets before it is acknowledged"} {
		t.Run(name, func(t *testing.T) {
			r := crash(t, 30, programs, sabotage.Switch+"="+name)
			lost := slices.ContainsFunc(r.complaints, func(s string) bool { return strings.Contains(s, "lost") })
			if !lost {
				t.Errorf("an agent that %s lost nothing of %d events in %d kills: %q", name, r.events, r.kills, r.complaints)
			}
		})
	}
}

// crashed is what came of killing.
type crashed struct {
	kills, atPoints int
	points          map[string]int // kills at each named point
	events, objects int
	complaints      []string
	took            time.Duration
}

// cruelty is the processes that are killed, and who looks on.
type cruelty struct {
	t        *testing.T
	dir      string
	programs string   // the folder that they are in
	env      []string // what they all have in their environment
	address  string
	owner    *owner
	points   []string // names of all crash points on the way
	result   crashed
	server   *process
	agent    *process
}

// crash kills agents and servers, the programs in that folder with this in their
// environment, and looks at what is left.
func crash(t *testing.T, kills int, programs string, env ...string) crashed {
	t.Helper()
	began := time.Now()
	c := &cruelty{t: t, dir: t.TempDir(), programs: programs, env: env, points: crashPoints(t)}
	c.result.points = map[string]int{}
	for _, p := range c.points {
		c.result.points[p] = 0
	}
	ctx := t.Context() // every wait below has an end of its own
	c.settle(ctx)
	random := rand.New(rand.NewPCG(1, uint64(kills)))
	var deck []int // every point comes up once before one comes again
	for c.result.kills < kills {
		if len(deck) == 0 {
			deck = random.Perm(len(c.points) + 4)
		}
		c.kill(deck[0], random)
		deck = deck[1:]
	}
	c.drain(ctx)
	c.look(ctx)
	c.result.took = time.Since(began)
	return c.result
}

// crashPoints reads from the source which points there are.
func crashPoints(t *testing.T) (names []string) {
	call := regexp.MustCompile(`crash\.Point\("([^"]+)"\)`)
	for _, folder := range []string{"spool", "uplink", "../server", "../blob", "../archive"} {
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range call.FindAllSubmatch(text, -1) {
				if !strings.HasSuffix(file, "_test.go") {
					names = append(names, string(m[1]))
				}
			}
		}
	}
	if len(names) < 10 {
		t.Fatalf("%d crash points are on the way: %q", len(names), names)
	}
	return names
}

func (c *cruelty) path(name string) string { return filepath.Join(c.dir, name) }

// settle founds a home at a first server, has the agent join, and places its camera.
func (c *cruelty) settle(ctx context.Context) {
	c.t.Helper()
	c.address = freeAddress(c.t)
	c.startServer("")
	c.t.Cleanup(func() { c.server.kill(); c.agent.kill() })
	setup := c.server.expect(regexp.MustCompile(`#setup=([A-Z0-9a-z]+)`))
	_, port, err := net.SplitHostPort(c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.owner, err = found(ctx, "http://localhost:"+port, setup, nil); err != nil {
		c.t.Fatal(err)
	}
	if err := c.owner.join(ctx, c.path("agent")); err != nil {
		c.t.Fatal(err)
	}
	state, err := agent.OpenState(c.path("agent"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer state.Close()
	camera, _, err := state.AddCamera(agent.Camera{Name: "Generator", Main: "rtsp://127.0.0.1/generator"})
	if err != nil {
		c.t.Fatal(err)
	}
	by := c.owner.Title().Agents()[0].ID
	if err := c.owner.say(ctx, deed.CameraBody{Camera: camera.ID, Agent: by}); err != nil {
		c.t.Fatal(err)
	}
	c.startAgent("", c.path("journal"))
}

// freeAddress is one that stays free between two servers: the system gives outgoing
// connections ports from 32768 on.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (c *cruelty) startServer(point string) {
	c.server = start(c.t, append([]string{"LATCHKEY_CRASH=" + point}, c.env...),
		filepath.Join(c.programs, "latchkey"), "server", "--data", c.path("server"), "--listen", c.address)
}

func (c *cruelty) startAgent(point, journal string) {
	c.agent = start(c.t, append([]string{
		"LATCHKEY_CRASH=" + point, crashingFolder + "=" + c.path("agent"), crashingJournal + "=" + journal,
	}, c.env...), filepath.Join(c.programs, "agent.test"))
}

// patience is how long a process has to reach its point.
const patience = 4 * time.Second

// kill ends one process and starts it again with the next point to end at, or ends
// agent, server or both at a random time.
func (c *cruelty) kill(which int, random *rand.Rand) {
	c.result.kills++
	if which < len(c.points) {
		point := c.points[which]
		nth := fmt.Sprintf("%s:%d", point, 1+random.IntN(4))
		if strings.HasPrefix(point, "server") || strings.HasPrefix(point, "blob") || strings.HasPrefix(point, "archive") {
			c.server.kill()
			c.startServer(nth)
			c.died(c.server, point)
			c.startServer("")
		} else {
			c.agent.kill()
			c.startAgent(nth, c.path("journal"))
			c.died(c.agent, point)
			c.startAgent("", c.path("journal"))
		}
		return
	}
	time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
	if which%2 == 0 || which == len(c.points)+3 {
		c.agent.kill()
		c.startAgent("", c.path("journal"))
	}
	if which%2 == 1 {
		c.server.kill()
		c.startServer("")
	}
}

// died waits until a process has killed itself at its point.
func (c *cruelty) died(p *process, point string) {
	select {
	case <-p.ended:
		if !strings.Contains(p.how(), "killed") {
			c.complain("a process ended by itself (%s): %s", p.how(), p.tail())
			return
		}
		c.result.points[point]++
		c.result.atPoints++
	case <-time.After(patience):
		p.kill()
	}
}

func (c *cruelty) complain(format string, args ...any) {
	c.result.complaints = append(c.result.complaints, fmt.Sprintf(format, args...))
}

// drain lets everything that is left be uploaded by processes that nobody kills.
func (c *cruelty) drain(ctx context.Context) {
	c.agent.kill()
	c.server.kill()
	c.startServer("")
	began := time.Now()
	c.startAgent("", "")
	for deadline := began.Add(5 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		s, err := agent.ReadStatus(c.path("agent"))
		fresh := err == nil && s.Running && s.Started.After(began)
		if fresh && s.Uplink.State == uplink.Connected && s.Spool.Objects == 0 {
			if s.Spool.Damaged > 0 || s.Spool.Refused > 0 {
				c.complain("%d damaged, %d refused", s.Spool.Damaged, s.Spool.Refused)
			}
			return
		}
		if time.Now().After(deadline) {
			c.complain("the spool does not become empty: %+v %v\n%s", s, err, c.agent.tail())
			return
		}
	}
}

// look compares what the camera was told with what a member of the home sees.
func (c *cruelty) look(ctx context.Context) {
	c.t.Helper()
	device, signing := c.owner.Device()
	var err error
	if c.owner.home, err = c.owner.client.SignIn(ctx, c.owner.Home(), device, signing, c.owner.Title().Head()); err != nil {
		c.t.Fatal(err)
	}
	all, err := c.owner.look(ctx)
	if err != nil {
		c.complain("%v", err)
		return
	}
	acknowledged := c.journal()
	c.result.events = len(acknowledged)
	for id, kinds := range acknowledged {
		if err := whole(id, all[id], kinds...); err != nil {
			c.complain("%v", err)
		}
	}
	type number struct{ incarnation, sequence uint64 }
	numbers := map[number]bool{}
	for id, objects := range all {
		if err := whole(id, objects); err != nil && acknowledged[id] == nil {
			c.complain("never acknowledged: %v", err)
		}
		for _, o := range objects {
			n := number{o.binding.Incarnation, o.binding.Sequence}
			if numbers[n] {
				c.complain("incarnation %d, sequence %d was used twice", n.incarnation, n.sequence)
			}
			numbers[n] = true
			c.result.objects++
		}
	}
	left, err := filepath.Glob(c.path("agent/spool/*.*"))
	if err != nil || len(left) > 0 {
		c.complain("the spool still holds %d files, %v", len(left), err)
	}
}

// journal is what was acknowledged of each event.
func (c *cruelty) journal() map[latchkey.EventID][]latchkey.Kind {
	f, err := os.Open(c.path("journal"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	all := map[latchkey.EventID][]latchkey.Kind{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		what, text, _ := strings.Cut(lines.Text(), " ")
		id, err := latchkey.ParseEventID(text)
		if err != nil {
			continue // the last line of a process that was killed while it wrote
		}
		if what == "began" {
			all[id] = append(all[id], latchkey.Thumbnail)
		} else {
			all[id] = append(all[id], latchkey.Clip, latchkey.Description)
		}
	}
	return all
}
