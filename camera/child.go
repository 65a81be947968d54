package camera

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

// killAfter is how long a child that was told to end may take to do so.
const killAfter = 2 * time.Second

// child is an ffmpeg that is fed on its standard input and read from its standard
// output. It is given nothing else: no address, no password, no environment, no
// protocol but pipes. It ends when its input does, and so with the agent, however
// that ends.
type child struct {
	in, out *os.File // ours; both have deadlines
	cmd     *exec.Cmd
	stderr  *tail
}

// start starts program with those arguments. The child is killed when ctx ends.
func start(ctx context.Context, program string, args []string) (*child, error) {
	if program == "" {
		program = "ffmpeg"
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, &FFmpegError{"ffmpeg is not installed, or is not where it was said to be. Install it: apt install ffmpeg, or brew install ffmpeg.",
			fmt.Errorf("start decoder: %s is not installed (apt install ffmpeg, or brew install ffmpeg): %w", program, err)}
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start decoder: %w", err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		theirIn.Close()
		in.Close()
		return nil, fmt.Errorf("start decoder: %w", err)
	}
	c := &child{in: in, out: out, stderr: &tail{}}
	c.cmd = exec.CommandContext(ctx, path, args...)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = theirIn, theirOut, c.stderr
	c.cmd.Env = []string{"LC_ALL=C"}
	c.cmd.WaitDelay = killAfter
	err = c.cmd.Start()
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		in.Close()
		out.Close()
		return nil, &FFmpegError{"ffmpeg cannot be started. Install it anew, see whether it may be run, and see the log.", fmt.Errorf("start decoder: %w", err)}
	}
	return c, nil
}

// end closes the child's input, waits until it has ended, by force if it takes too
// long, and returns what was wrong with it if anything was.
func (c *child) end() error {
	c.in.Close()
	kill := time.AfterFunc(killAfter, func() { c.cmd.Process.Kill() })
	err := c.cmd.Wait()
	kill.Stop()
	c.out.Close()
	if complaint := c.stderr.String(); complaint != "" {
		return errors.Join(err, fmt.Errorf("ffmpeg: %.300q", complaint))
	}
	return err
}

// input returns the arguments by which ffmpeg reads video without waiting to see more of
// it: it looks at as little as it can before it begins, and keeps nothing back. The
// single thread, here and for the output, is part of that: threads hold frames.
func input(p *media.Parameters) []string {
	stream := "h264"
	if p.H265() {
		stream = "hevc"
	}
	return []string{
		"-hide_banner", "-loglevel", "error", "-protocol_whitelist", "pipe",
		"-threads", "1", "-probesize", "32", "-analyzeduration", "1", "-flags", "low_delay",
		"-f", stream, "-i", "pipe:0",
		"-map", "0:v:0", "-fps_mode", "passthrough", "-threads", "1", "-filter_threads", "1",
	}
}

// delimiter returns what tells ffmpeg's parser that a unit is whole; without it, it would
// wait for the next unit.
func delimiter(p *media.Parameters) []byte {
	if p.H265() {
		return []byte{0, 0, 0, 1, 35 << 1, 1, 0x50}
	}
	return []byte{0, 0, 0, 1, 9, 0xf0}
}

// tail keeps the last words of a child.
type tail struct {
	mu   sync.Mutex // protects text
	text []byte
}

const maxTail = 2048

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[max(0, len(p)-maxTail):]...)
	t.text = append([]byte(nil), t.text[max(0, len(t.text)-maxTail):]...)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
