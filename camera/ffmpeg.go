package camera

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// oldest is the first version of ffmpeg that knows all arguments that it is given: the
// one that came with -fps_mode.
const oldest = "5.1"

// FFmpegError is what is wrong with ffmpeg, the program that decodes.
type FFmpegError struct {
	says  string
	cause error
}

// Error returns what happened, for logs.
func (e *FFmpegError) Error() string { return e.cause.Error() }

// Unwrap returns the cause.
func (e *FFmpegError) Unwrap() error { return e.cause }

// Says returns a sentence for people: what happened, and what to do.
func (e *FFmpegError) Says() string { return e.says }

// diagnose says why a child that was started failed. Only then is it worth asking which
// version it is.
func diagnose(ctx context.Context, program string, err error) error {
	says := "ffmpeg breaks off or is killed; it is started again. If this goes on, look whether the machine runs out of memory, and see the log."
	if errors.Is(err, errStuck) {
		says = "ffmpeg does not answer; it is started again. If this goes on, look whether the machine has too much to do, and see the log."
	}
	if v := version(ctx, program); v != "" && older(v, oldest) {
		says = fmt.Sprintf("ffmpeg %s is installed, which is too old. Install ffmpeg %s or later.", v, oldest)
		err = fmt.Errorf("ffmpeg %s is older than %s: %w", v, oldest, err)
	}
	return &FFmpegError{says, err}
}

// released is the first line of a released ffmpeg; one that somebody built from a
// snapshot has a number of another kind, and is taken to be new.
var released = regexp.MustCompile(`^ffmpeg version n?(\d{1,4}\.\d{1,4}(?:\.\d{1,4})?)`)

// version asks ffmpeg for its version. It returns nothing if there is no good answer.
func version(ctx context.Context, program string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if program == "" {
		program = "ffmpeg"
	}
	cmd := exec.CommandContext(ctx, program, "-version")
	cmd.Env = []string{"LC_ALL=C"}
	cmd.WaitDelay = killAfter
	head := &beginning{}
	cmd.Stdout = head
	if cmd.Run() != nil {
		return ""
	}
	if m := released.FindSubmatch(head.text); m != nil {
		return string(m[1])
	}
	return ""
}

// older compares versions number by number.
func older(a, b string) bool {
	numbers := regexp.MustCompile(`\d+`)
	x, y := numbers.FindAllString(a, -1), numbers.FindAllString(b, -1)
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if m != n {
			return m < n
		}
	}
	return false
}

// beginning keeps the first words of a child.
type beginning struct{ text []byte }

func (b *beginning) Write(p []byte) (int, error) {
	b.text = append(b.text, p[:min(len(p), maxTail-len(b.text))]...)
	return len(p), nil
}
