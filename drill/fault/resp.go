package fault

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxFrame is the longest message that is passed on: one is held in memory whole.
	maxFrame = 16 << 20
	// maxLine is how long a line of a protocol may be, as at Redis.
	maxLine = 64 << 10
	// maxDepth is how deep replies may be nested. What a cache says is two deep.
	maxDepth = 16
	// maxVerb is how long a command's first word may be to be one that we know.
	maxVerb = 16
)

var errFrame = errors.New("not a message of the protocol")

// resp is the protocol of Redis and Valkey, versions 2 and 3.
type resp struct{}

// transparent are the commands after which not every request has one reply. From then
// on the connection is passed through and not understood.
var transparent = []string{"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "SYNC", "PSYNC"}

func (resp) request(r *bufio.Reader, b []byte) (frame, error) {
	first, err := r.Peek(1)
	if err != nil {
		return frame{}, err
	}
	if first[0] != '*' { // somebody at a terminal
		b, err = readLine(r, b)
		return frame{bytes: b, call: call{verb: "inline"}}, err
	}
	if b, err = readRESP(r, b, 0); err != nil {
		return frame{}, err
	}
	args := respArgs(b)
	if len(args) == 0 {
		return frame{bytes: b}, nil
	}
	verb := strings.ToUpper(string(args[0][:min(len(args[0]), maxVerb)]))
	var keys []string
	for _, i := range keysAt(verb, args) {
		keys = append(keys, string(args[i]))
	}
	quiet := verb == "CLIENT" && len(args) > 1 && strings.EqualFold(string(args[1]), "REPLY")
	return frame{bytes: b, call: about(verb, keys...), last: quiet || slices.Contains(transparent, verb)}, nil
}

func (resp) reply(r *bufio.Reader, b []byte, asked call) (frame, error) {
	b, err := readRESP(r, b, 0)
	if err != nil {
		return frame{}, err
	}
	return frame{bytes: b, call: asked, reply: true, aside: b[0] == '>'}, nil
}

// readRESP appends one value to b, as it came.
func readRESP(r *bufio.Reader, b []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("read a reply: %w: nested too deep", errFrame)
	}
	start := len(b)
	b, err := readLine(r, b)
	if err != nil {
		return nil, err
	}
	line := bytes.TrimSuffix(b[start:], []byte("\r\n"))
	if len(line) == 0 || len(line)+2 != len(b)-start {
		return nil, fmt.Errorf("read a reply: %w: a line that ends otherwise", errFrame)
	}
	values := 0
	switch line[0] {
	case '+', '-', ':', '_', ',', '#', '(':
		return b, nil
	case '$', '!', '=', '*', '~', '>', '%', '|':
		n, err := strconv.Atoi(string(line[1:]))
		if err != nil || n < -1 || n > maxFrame {
			return nil, fmt.Errorf("read a reply: %w: length %.20q", errFrame, line[1:])
		}
		switch {
		case n == -1: // nothing
			return b, nil
		case strings.IndexByte("$!=", line[0]) >= 0:
			if b, err = readBytes(r, b, n+2); err == nil && !bytes.HasSuffix(b, []byte("\r\n")) {
				err = fmt.Errorf("read a reply: %w: longer than it says", errFrame)
			}
			return b, err
		case line[0] == '%':
			values = 2 * n
		case line[0] == '|': // remarks on the value that follows
			values = 2*n + 1
		default:
			values = n
		}
	default:
		return nil, fmt.Errorf("read a reply: %w: it begins with %q", errFrame, line[0])
	}
	for range values {
		if b, err = readRESP(r, b, depth+1); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// readLine appends a line and its end to b.
func readLine(r *bufio.Reader, b []byte) ([]byte, error) {
	for n := 0; ; {
		part, err := r.ReadSlice('\n')
		b, n = append(b, part...), n+len(part)
		switch {
		case n > maxLine || len(b) > maxFrame:
			return nil, fmt.Errorf("read a line: %w: too long", errFrame)
		case err == nil:
			return b, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// readBytes appends n bytes to b. Memory is taken as they come, not as they are promised.
func readBytes(r *bufio.Reader, b []byte, n int) ([]byte, error) {
	if len(b)+n > maxFrame {
		return nil, fmt.Errorf("read a message: %w: too long", errFrame)
	}
	for n > 0 {
		if _, err := r.Peek(1); err != nil {
			return nil, err
		}
		part, err := r.Peek(min(n, r.Buffered()))
		if err != nil {
			return nil, err
		}
		b, n = append(b, part...), n-len(part)
		if _, err := r.Discard(len(part)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// respArgs returns the strings of an array of strings, in place; nil if it is another
// value.
func respArgs(b []byte) (args [][]byte) {
	head, rest, _ := bytes.Cut(b, []byte("\r\n"))
	if len(head) == 0 || head[0] != '*' {
		return nil
	}
	for len(rest) > 0 {
		head, tail, _ := bytes.Cut(rest, []byte("\r\n"))
		n, err := strconv.Atoi(string(head[1:]))
		if head[0] != '$' || err != nil || n < 0 {
			return nil
		}
		args, rest = append(args, tail[:n:n]), tail[n+2:]
	}
	return args
}

// respCommand is an array of strings.
func respCommand(args [][]byte) []byte {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, a := range args {
		b = append(b, respString(a)...)
	}
	return b
}

func respString(s []byte) []byte {
	return append(append(fmt.Appendf(nil, "$%d\r\n", len(s)), s...), "\r\n"...)
}

// respValue returns the string that a reply is, in place; nil if it is another value.
func respValue(reply []byte) []byte {
	head, rest, _ := bytes.Cut(reply, []byte("\r\n"))
	if head[0] != '$' || len(rest) < 2 {
		return nil
	}
	return rest[: len(rest)-2 : len(rest)-2]
}

// keysAt says which of a command's words are keys. Commands that are not here have none
// for us, and pass.
func keysAt(verb string, args [][]byte) (at []int) {
	switch verb {
	case "GET", "SET", "SETEX", "PSETEX", "SETNX", "GETSET", "GETEX", "GETDEL", "EXPIRE", "PEXPIRE", "TTL", "PTTL",
		"STRLEN", "HGET", "HSET", "HDEL", "HGETALL", "HMGET", "DUMP", "RESTORE":
		if len(args) > 1 {
			at = append(at, 1)
		}
	case "MGET", "DEL", "UNLINK", "EXISTS":
		for i := 1; i < len(args); i++ {
			at = append(at, i)
		}
	case "MSET":
		for i := 1; i < len(args); i += 2 {
			at = append(at, i)
		}
	case "EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO":
		if len(args) > 2 {
			n, err := strconv.Atoi(string(args[2]))
			for i := 3; err == nil && i < min(3+n, len(args)); i++ {
				at = append(at, i)
			}
		}
	}
	return at
}
