package bound

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"runtime"
	"sync"
	"time"
)

// turnstile is a connection to a Valkey server on which no more replies come in than
// requests went out, each whole, of a kind that our requests are answered with, and in
// time. Otherwise the connection ends.
//
// It is there because the client reads in a goroutine of its own and panics in it, where
// nobody can recover: when a reply comes that no request waits for, and when a length
// makes no sense. Behind the turnstile it sees neither. What passes can still be the
// reply to another request; that is what the MACs are for.
type turnstile struct {
	net.Conn
	patience  time.Duration // for the next reply
	outOfStep func(error)
	gone      func()

	mu      sync.Mutex // protects what follows
	out, in frames
	owed    int       // requests that went out and have no reply yet
	since   time.Time // the last reply came, or the first of the owed was asked for
	armed   bool      // the connection has a deadline for reading
}

// Close ends the connection.
func (t *turnstile) Close() error {
	t.gone()
	return t.Conn.Close()
}

// Write counts the requests in p. The client writes from one goroutine, and all that was
// asked meanwhile in one piece: those who are about to ask do so before it goes on, which
// saves system calls when many ask, and costs nothing when few do.
func (t *turnstile) Write(p []byte) (int, error) {
	if err := t.note(p); err != nil {
		return 0, err
	}
	n, err := t.Conn.Write(p)
	runtime.Gosched()
	return n, err
}

func (t *turnstile) note(p []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	idle := t.owed == 0
	for len(p) > 0 {
		n, whole, err := t.out.next(p)
		if err != nil {
			return fmt.Errorf("internal error: the client writes what is no request: %w", err)
		}
		if whole {
			t.owed++
		}
		p = p[n:]
	}
	if idle && t.owed > 0 {
		t.since = time.Now()
		if !t.armed {
			t.armed = true
			return t.Conn.SetReadDeadline(t.since.Add(t.patience))
		}
	}
	return nil
}

// Read counts the replies in what comes, and lets nothing of it through if one of them
// has no request.
func (t *turnstile) Read(p []byte) (int, error) {
	for {
		n, err := t.Conn.Read(p)
		if n > 0 {
			if wrong := t.admit(p[:n]); wrong != nil {
				_ = t.Close()
				t.outOfStep(wrong)
				return 0, wrong
			}
		}
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			if err = t.late(); err == nil {
				continue
			}
		}
		return n, err
	}
}

func (t *turnstile) admit(p []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(p) > 0 {
		if t.owed == 0 {
			return fmt.Errorf("%w: a reply without a request", errOutOfStep)
		}
		n, whole, err := t.in.next(p)
		if err != nil {
			return fmt.Errorf("%w: %w", errOutOfStep, err)
		}
		if whole {
			t.owed--
		}
		p = p[n:]
	}
	t.since = time.Now()
	return nil
}

// late is asked at a deadline. Replies do not move it, which would cost more than
// looking here whether one is late at all.
func (t *turnstile) late() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.owed == 0 {
		t.armed = false
		return t.Conn.SetReadDeadline(time.Time{})
	}
	if due := t.since.Add(t.patience); time.Now().Before(due) {
		return t.Conn.SetReadDeadline(due)
	}
	return fmt.Errorf("no reply within %v: %w", t.patience, os.ErrDeadlineExceeded)
}

// SetDeadline is for writing alone: when a reply is late the turnstile says.
func (t *turnstile) SetDeadline(at time.Time) error { return t.Conn.SetWriteDeadline(at) }

// SetReadDeadline does nothing, for the same reason.
func (t *turnstile) SetReadDeadline(time.Time) error { return nil }

// Bounds of a frame. A reply to what we ask is a value, a word or a number; that to
// HELLO is a map with a list of modules in it.
const (
	maxLine     = 4 << 10
	maxElements = 256
	maxDepth    = 4
)

// frames finds the ends of RESP frames in bytes that come in pieces, by the rules that
// the client reads by, or stricter ones. It keeps no more than a line.
type frames struct {
	bulk  int    // the longest string
	line  []byte // the beginning of a line that has not ended
	skip  int    // bytes left of a string, its line end included
	depth int
	left  [maxDepth]int // elements that are missing at each depth
}

// next takes from p, which is not empty, up to the end of a frame or all of it, and says
// how much and whether a frame ended.
func (f *frames) next(p []byte) (n int, whole bool, err error) {
	for n < len(p) {
		if f.skip > 0 {
			k := min(f.skip, len(p)-n)
			n += k
			if f.skip -= k; f.skip > 0 {
				return n, false, nil
			}
			if f.ended() {
				return n, true, nil
			}
			continue
		}
		end := bytes.IndexByte(p[n:], '\n')
		if end < 0 {
			f.line = append(f.line, p[n:]...)
			if len(f.line) > maxLine {
				return n, false, errLine
			}
			return len(p), false, nil
		}
		line := p[n : n+end+1]
		if len(f.line) > 0 {
			f.line = append(f.line, line...)
			line = f.line
		}
		n += end + 1
		whole, err := f.head(line)
		f.line = f.line[:0]
		if whole || err != nil {
			return n, whole, err
		}
	}
	return n, false, nil
}

// What is wrong with a frame.
var (
	errLine   = errors.New("a line that no reply has")
	errLength = errors.New("a length that no reply has")
	errFrame  = errors.New("a kind of reply that nothing is answered with")
)

// head reads the line that a frame or an element begins with, and says whether a frame
// ended with it.
func (f *frames) head(line []byte) (whole bool, err error) {
	if len(line) < 3 || len(line) > maxLine || line[len(line)-2] != '\r' {
		return false, errLine
	}
	kind, text := line[0], line[1:len(line)-2]
	switch kind {
	case '+', '-':
		return f.ended(), nil
	case '_':
		if len(text) != 0 {
			return false, errLine
		}
		return f.ended(), nil
	case ':':
		if len(text) > 1 && text[0] == '-' {
			text = text[1:]
		}
		_, err := number(text, math.MaxInt)
		return f.ended(), err
	case '$':
		if string(text) == "-1" {
			return f.ended(), nil
		}
		n, err := number(text, f.bulk)
		f.skip = n + 2
		return false, err
	case '*', '%':
		n, err := number(text, maxElements)
		if kind == '%' {
			n *= 2
		}
		if n == 0 || err != nil {
			return f.ended(), err
		}
		if f.depth == maxDepth {
			return false, errLength
		}
		f.left[f.depth] = n
		f.depth++
		return false, nil
	}
	return false, errFrame
}

// ended says whether, with the element that has just ended, a whole frame has.
func (f *frames) ended() bool {
	for f.depth > 0 {
		if f.left[f.depth-1]--; f.left[f.depth-1] > 0 {
			return false
		}
		f.depth--
	}
	return true
}

// number reads a number without a sign, which is at most limit.
func number(text []byte, limit int) (n int, err error) {
	if len(text) == 0 || len(text) > 19 {
		return 0, errLength
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, errLength
		}
		if n = 10*n + int(c-'0'); n > limit || n < 0 {
			return 0, errLength
		}
	}
	return n, nil
}
