package agent_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/sealed"
)

// crashingBin names, in the environment of a test that runs apart, the folder of the programs
// that were built before.
const crashingBin = "LATCHKEY_TEST_PROGRAMS"

// recording is the program `latchkey agent run` that records a real camera onto a stick.
type recording struct {
	*house
	stick  *stick
	agent  latchkey.AgentID
	camera latchkey.CameraID
	began  latchkey.Time
	p      *process
}

// start starts the program.
func (r *recording) start() {
	r.t.Helper()
	before := time.Now()
	r.p = start(r.t, nil, os.Getenv(crashingBin)+"/latchkey", "agent", "--data", r.folder, "run", "--footage", r.stick.mount, "--footage-free", "1")
	r.t.Cleanup(r.p.kill)
	r.until("the agent is connected", func() bool {
		s := r.status()
		return s.Running && s.Started.After(before) && s.Uplink.State == uplink.Connected && len(s.Cameras) == 1
	})
}

func (r *recording) status() agent.Status {
	r.t.Helper()
	select {
	case <-r.p.ended:
		r.t.Fatalf("the agent ended (%s): %s", r.p.how(), r.p.tail())
	default:
	}
	if _, err := r.owner.placeAsked(r.ctx); err != nil {
		r.t.Fatal(err)
	}
	s, err := agent.ReadStatus(r.folder)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// becomes waits until the footage's disk is in a state, the agent has told its home so, and
// the timeline says that something is missing.
func (r *recording) becomes(want footage.Health) {
	r.t.Helper()
	began := time.Now()
	r.until("the footage is "+string(want), func() bool { return r.status().Footage.Health == want })
	r.until("the home is told that it is "+string(want), func() bool {
		said, _, _, err := r.owner.condition(r.ctx, r.agent)
		return err == nil && said.Footage != nil && said.Footage.State == string(want) && said.Footage.Says == want.Says()
	})
	if want != footage.HealthOK {
		r.until("the timeline says "+string(want), func() bool {
			return slices.ContainsFunc(r.line().Holes, func(h letter.Hole) bool { return h.Reason == string(want) })
		})
		if !strings.Contains(r.p.text(), "health="+string(want)) {
			r.t.Errorf("the log does not say %s: %s", want, r.p.tail())
		}
	}
	r.t.Logf("%s after %s", want, time.Since(began).Round(time.Millisecond))
}

// shows wants live view to go on.
func (r *recording) shows() {
	r.t.Helper()
	_, device := r.owner.Device()
	s := r.watch(r.owner, device, r.camera, sealed.MainStream)
	s.plays(5)
	s.socket.Close()
}

func (r *recording) thumbnails() (n int) {
	r.t.Helper()
	all, err := r.owner.look(r.ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, objects := range all {
		for _, o := range objects {
			if o.binding.Kind == latchkey.Thumbnail {
				n++
			}
		}
	}
	return n
}

// line is what the timeline says of the main track since the beginning.
func (r *recording) line() letter.CameraTimeline {
	r.t.Helper()
	reply, err := r.owner.command(r.ctx, r.agent, letter.Timeline{
		Cameras: []latchkey.CameraID{r.camera}, Track: "main", Stretch: letter.Stretch{From: r.began, Until: now()},
	})
	all, ok := reply.(letter.Timelines)
	if err != nil || !ok || len(all.Cameras) != 1 {
		r.t.Fatalf("timeline: %+v, %v", reply, err)
	}
	return all.Cameras[0]
}

// records waits until there are new pictures.
func (r *recording) records() {
	r.t.Helper()
	from := now()
	r.until("it records", func() bool {
		return slices.ContainsFunc(r.line().Pictures, func(s letter.Stretch) bool { return s.Until > from })
	})
}

// TestIllDisks has the real program record a real camera onto a real disk that becomes full to
// the last byte, under whose agent the plug is pulled, and that can only be read when it is
// back. Each has its name in the status, the home is told, everything else goes on, it records
// again by itself, the timeline says in red why something is missing, and in the end all that
// there is opens.
func TestIllDisks(t *testing.T) {
	t.Parallel()
	if !apart(t, func() []string { return []string{crashingBin + "=" + crashing(t)} }) {
		return
	}
	r := &recording{house: newHouse(t).joined(), stick: newStick(t, "4m"), began: now()}
	film := cameratest.Encode(t, cameratest.Mover(320, 180, 12, 1, 2))
	c := cameratest.Serve(t, film, nil)
	c.Play(t, slices.Repeat([]cameratest.Film{film}, 20)...)
	state, err := agent.OpenState(r.folder)
	if err != nil {
		t.Fatal(err)
	}
	added, _, err := state.AddCamera(agent.Camera{Name: "Yard", Main: c.Address()})
	if err != nil {
		t.Fatal(err)
	}
	state.Close()
	r.agent, r.camera = r.owner.Title().Agents()[0].ID, added.ID

	r.start()
	r.becomes(footage.HealthOK)
	r.records()

	empty := r.stick.fill()
	r.becomes(footage.HealthDiskFull)
	r.shows()
	r.p.kill()
	r.start()
	r.becomes(footage.HealthDiskFull)
	empty()
	r.becomes(footage.HealthOK)
	r.records()

	before := r.thumbnails()
	r.stick.pull()
	r.becomes(footage.HealthAway)
	r.shows()
	if left, err := os.ReadDir(r.stick.mount); err != nil || len(left) != 0 {
		t.Errorf("where the disk was mounted there is %v, %v", left, err)
	}
	r.stick.again()
	r.stick.protect()
	r.stick.put()
	r.becomes(footage.HealthReadOnly)
	r.shows()
	r.until("another event is uploaded", func() bool { return r.thumbnails() > before })
	r.stick.unprotect()
	r.becomes(footage.HealthOK)
	r.records()

	r.says("disk-full", "away", "read-only")
	if err := r.p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if how := r.p.soon(); how != "exit 0" {
		t.Errorf("the agent ended with %s: %s", how, r.p.tail())
	}
	r.check()
}

// says wants the timeline to have red holes for those reasons, in that order, and pictures
// after each.
func (r *recording) says(reasons ...string) {
	r.t.Helper()
	l := r.line()
	said := ""
	for _, h := range l.Holes {
		said += fmt.Sprintf("%s %s: %s (loss %t)\n", time.Duration(h.From-r.began)*time.Microsecond, time.Duration(h.Until-r.began)*time.Microsecond, h.Reason, h.Loss)
	}
	from := latchkey.Time(0)
	for _, reason := range reasons {
		i := slices.IndexFunc(l.Holes, func(h letter.Hole) bool { return h.Reason == reason && h.From >= from && h.Loss && h.Says != "" })
		if i < 0 {
			r.t.Fatalf("there is no %s in\n%s", reason, said)
		}
		from = l.Holes[i].Until
		if !slices.ContainsFunc(l.Pictures, func(s letter.Stretch) bool { return s.From >= from }) {
			r.t.Errorf("there are no pictures after %s in\n%s", reason, said)
		}
	}
	r.t.Logf("%s", said)
}

// check has `latchkey agent check` open everything that is there.
func (r *recording) check() {
	r.t.Helper()
	out, err := exec.Command(filepath.Join(os.Getenv(crashingBin), "latchkey"), "agent", "--data", r.folder, "check", "--footage", r.stick.mount, "--json").Output()
	var report agent.FootageCheck
	if e := json.Unmarshal(out, &report); err != nil || e != nil || !report.Whole() || report.Repaired != 0 || report.Groups == 0 {
		r.t.Errorf("check: %+v, %v, %v", report, err, e)
	}
}

// TestRoomOfADiskThatIsGone: how much is free is asked of the disk that is open. Its path
// leads to the machine's own as soon as it is pulled out, and if that has no room everything
// would be removed to make some.
func TestRoomOfADiskThatIsGone(t *testing.T) {
	t.Parallel()
	if !apart(t, nil) {
		return
	}
	s := newStick(t, "4m")
	if free, err := agent.Free(s.mount, s.pull); err != nil || free > 4<<20 {
		t.Errorf("of a disk of 4 MiB %d bytes are free, %v", free, err)
	}
}
