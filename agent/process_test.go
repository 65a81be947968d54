package agent_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"
)

// process is a program that runs beside the test, and what it has said.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // how it ended, once ended is closed

	mu   sync.Mutex // protects said
	said bytes.Buffer
}

// start starts a program. What it says is kept.
func start(t *testing.T, env []string, program string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p
}

// Write takes what the program says.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.said.Len() < 1<<20 {
		p.said.Write(b)
	}
	return len(b), nil
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// tail is the end of what the program said.
func (p *process) tail() string {
	s := p.text()
	return s[max(0, len(s)-2000):]
}

// kill ends the program with SIGKILL and waits for its end.
func (p *process) kill() {
	if p == nil {
		return
	}
	p.cmd.Process.Kill() // an error says that it has ended
	<-p.ended
}

// how says how the program ended.
func (p *process) how() string {
	<-p.ended
	if p.err == nil {
		return "exit 0"
	}
	return p.err.Error()
}

// soon is how for a program that has to end by itself.
func (p *process) soon() string {
	defer time.AfterFunc(20*time.Second, func() { p.cmd.Process.Kill() }).Stop()
	return p.how()
}

// expect waits for the program to say something, and returns the first group.
func (p *process) expect(what *regexp.Regexp) string {
	p.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if m := what.FindStringSubmatch(p.text()); m != nil {
			return m[1]
		}
		select {
		case <-p.ended:
			p.t.Fatalf("the program ended (%s) and said %s", p.how(), p.tail())
		default:
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the program does not say %v: %s", what, p.tail())
		}
	}
}
