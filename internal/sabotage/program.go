package sabotage

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// Program is the tests of the package in the working directory, built once for all
// controls of that package: they say what they lack before they call t.Parallel, which
// returns when all of them have.
type Program struct {
	Root string // the module's

	mu      sync.Mutex // protects what follows
	lacking map[string][]Cut
	running int // controls that have not ended
	dir     string
	said    []byte // by the compiler
	err     error
}

// Control is a program that lacks something, for one control.
type Control struct {
	program *Program
	name    string
}

// Without is the program without some of its checks.
func (p *Program) Without(t *testing.T, cuts ...Cut) Control {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir != "" {
		t.Fatal("the controls' program is built already: say what it lacks before t.Parallel")
	}
	if p.lacking == nil {
		p.lacking = map[string][]Cut{}
	}
	c := Control{p, strconv.Itoa(len(p.lacking) + 1)}
	p.lacking[c.name] = cuts
	p.running++
	t.Cleanup(p.ended)
	return c
}

// ended throws the program away when no control needs it any more.
func (p *Program) ended() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running--; p.running == 0 {
		_ = os.RemoveAll(p.dir)
		p.lacking, p.dir, p.said, p.err = nil, "", nil, nil
	}
}

// Tests runs those tests in a process that lacks what the control says, and returns what
// they say.
func (c Control) Tests(ctx context.Context, run string, flags ...string) ([]byte, error) {
	binary, said, err := c.program.built(ctx)
	if err != nil {
		return said, err
	}
	test := exec.CommandContext(ctx, binary, append([]string{"-test.timeout", "10m", "-test.run", run}, flags...)...)
	test.Env = append(os.Environ(), Switch+"="+c.name)
	return test.CombinedOutput()
}

// built builds the program if nobody has. The compiler does not optimise the package, so
// that it takes half the time.
func (p *Program) built(ctx context.Context) (binary string, said []byte, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir == "" {
		p.said, p.err = p.build(ctx)
	}
	return p.binary(), p.said, p.err
}

func (p *Program) binary() string { return filepath.Join(p.dir, "controls.test") }

func (p *Program) build(ctx context.Context) (said []byte, err error) {
	if p.dir, err = os.MkdirTemp("", "controls"); err != nil {
		return nil, err
	}
	overlay, err := Switched(p.Root, p.dir, p.lacking)
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-gcflags=-N -l", "-ldflags=-s -w", "-overlay", overlay, "-o", p.binary(), ".").CombinedOutput()
}
