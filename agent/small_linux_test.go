package agent_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
)

// TestSmallMachine runs a real agent as on a machine with one processor and 256 MB, with
// four cameras in each of which something moves, until each has had an event
// uploaded, and prints how much memory it took.
func TestSmallMachine(t *testing.T) {
	t.Parallel()
	const most = 200 << 10 // KiB; the rest is the system's and ffmpeg's
	film := cameratest.Encode(t, cameratest.Mover(640, 360, 30, 4, 7))
	h := newHouse(t).joined()
	state, err := agent.OpenState(h.folder)
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	for i := range 4 {
		c := cameratest.Serve(t, film, nil)
		c.Play(t, film, film)
		if _, _, err := state.AddCamera(agent.Camera{Name: fmt.Sprint("Camera ", i), Main: c.Address()}); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, []string{crashingFolder + "=" + h.folder, crashingJournal + "=" + realCameras, "GOMAXPROCS=1", "GOMEMLIMIT=160MiB"}, os.Args[0])
	t.Cleanup(p.kill)
	h.until("each camera has an event", func() bool {
		if _, err := h.owner.placeAsked(h.ctx); err != nil {
			t.Fatal(err)
		}
		select {
		case <-p.ended:
			t.Fatalf("the agent ended (%s): %s", p.how(), p.tail())
		default:
		}
		all, err := h.owner.look(h.ctx)
		if err != nil {
			t.Fatal(err)
		}
		cameras := map[any]bool{}
		for _, objects := range all {
			if len(objects) == 3 {
				cameras[objects[0].binding.Camera] = true
			}
		}
		return len(cameras) == 4
	})
	said, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(said)
	if line == nil {
		t.Fatalf("the system does not say how much memory a process took: %s", said)
	}
	took, err := strconv.Atoi(string(line[1]))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("with four cameras the agent took %d MiB at most", took>>10)
	if took > most {
		t.Errorf("the agent took %d MiB, more than %d", took>>10, most>>10)
	}
}
