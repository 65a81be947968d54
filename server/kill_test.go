package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// TestMain lets a test run this program again as a server that is to be killed.
func TestMain(m *testing.M) {
	if folder := os.Getenv("LATCHKEY_TEST_SERVE"); folder != "" {
		serve(folder, os.Getenv("LATCHKEY_TEST_LISTEN"))
	}
	os.Exit(m.Run())
}

// childHello is what a child says when it is up.
type childHello struct{ Setup string }

func serve(folder, listen string) {
	l, err := server.Run(context.Background(), server.LocalConfig{Data: folder, Listen: listen})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	setup := must(l.MintSetup(context.Background()))
	fmt.Println(string(must(json.Marshal(childHello{setup}))))
	panic(<-l.Failed())
}

// victim is a server in a process of its own, over and over.
type victim struct {
	binary, folder, listen string
	process                *exec.Cmd
	setup                  string
}

// start runs the server; crash is where it is to kill itself, or empty.
func (v *victim) start(t *testing.T, crash string) {
	t.Helper()
	v.process = exec.Command(v.binary, "-test.run=^$")
	v.process.Env = append(os.Environ(), "LATCHKEY_TEST_SERVE="+v.folder, "LATCHKEY_TEST_LISTEN="+v.listen, "LATCHKEY_CRASH="+crash)
	v.process.Stderr = os.Stderr
	out := must(v.process.StdoutPipe())
	if err := v.process.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not come up: %v", err)
	}
	var h childHello
	if err := json.Unmarshal([]byte(line), &h); err != nil {
		t.Fatal(err)
	}
	v.setup = h.Setup
}

// die waits until the server has killed itself.
func (v *victim) die(t *testing.T) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- v.process.Wait() }()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("the server ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		_ = v.process.Process.Kill()
		t.Fatal("the server never reached its point")
	}
}

func (v *victim) kill() {
	_ = v.process.Process.Kill()
	_ = v.process.Wait()
}

// TestKilled kills a server with SIGKILL at every step between the receipt of an object
// and its acknowledgement. Whatever was acknowledged is there when it comes back, what
// was not is taken when it is sent again, and nothing is there twice.
func TestKilled(t *testing.T) {
	t.Parallel()
	free := must(net.Listen("tcp", "127.0.0.1:0"))
	v := &victim{binary: filepath.Join(t.TempDir(), "server"), folder: t.TempDir(), listen: free.Addr().String()}
	free.Close()
	if out, err := exec.Command("go", "test", "-c", "-tags", "crashpoints", "-o", v.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, port, _ := net.SplitHostPort(v.listen)
	m := &home{t: t, owner: keytest.NewOwner()}
	h := &house{origin: "http://localhost:" + port, client: must(api.NewClient("http://localhost:"+port, nil))}
	m.house = h
	v.start(t, "")
	must(h.client.Found(t.Context(), v.setup, m.owner.Found()))
	m.member = m.signIn()
	before := m.owner.Title().Head()
	m.agent = m.owner.PlaceAgent()
	m.camera = m.owner.PlaceCamera(m.agent)
	m.append(before)
	m.upload = h.client.Agent(m.owner.Home(), m.agent.Keys.Agent, m.agent.Keys.Signing)

	contents := map[latchkey.Name]string{}
	acknowledged := 0
	for round := range 2 {
		for _, point := range []string{
			"server.upload.checked", "server.upload.part", "server.upload.part:2", "server.upload.part:4", "server.upload.staged",
			"server.upload.committed", "server.upload.indexed", "server.upload.answered", "server.upload.indexed:2",
		} {
			v.kill()
			v.start(t, point)
			content := strings.Repeat(fmt.Sprint(round, point), 10_000)
			o := m.object(latchkey.Clip, content)
			contents[o.Name()] = content
			if strings.HasSuffix(point, "indexed:2") { // one is acknowledged before the next dies
				first := m.stored(latchkey.Thumbnail, "acknowledged")
				contents[first.Name()] = "acknowledged"
				acknowledged++
			}
			if m.put(o) == nil {
				acknowledged++
				contents[o.Name()] = content
			}
			v.die(t)
			v.start(t, "")
			offset := m.offset(o)
			if offset.Stored {
				offset.Held = uint64(len(o.Body))
			}
			err := m.putFrom(o, int(offset.Held), len(o.Body))
			if api.ReasonOf(err) == api.Offset { // what was not synced is damaged or gone
				err = m.putFrom(o, 0, len(o.Body))
			}
			if err != nil {
				t.Fatalf("killed at %s, sent again from %d: %v", point, offset.Held, err)
			}
		}
	}
	defer v.kill()
	if acknowledged < 2 {
		t.Errorf("%d objects were acknowledged before a death, want 2 at least", acknowledged)
	}
	page := must(m.member.Events(t.Context(), "", 0))
	if len(page.Events) != len(contents) {
		t.Errorf("%d events are listed, %d were sent", len(page.Events), len(contents))
	}
	for name, content := range contents {
		if got, err := m.see(name); err != nil || got != content {
			t.Errorf("%s opens as %d bytes, %v", name, len(got), err)
		}
	}
}
