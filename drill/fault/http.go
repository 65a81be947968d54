package fault

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
)

// http1 is HTTP/1.1. A message is passed on when it is whole, so that an answer that
// never ends does not arrive; a connection that changes to another protocol (a
// websocket) is passed through from then on.
type http1 struct{}

func (http1) request(r *bufio.Reader, b []byte) (frame, error) {
	h, b, err := readHead(r, b)
	if err != nil {
		return frame{}, err
	}
	method, rest, _ := strings.Cut(h.first, " ")
	target, _, _ := strings.Cut(rest, " ")
	path, _, _ := strings.Cut(target, "?")
	f := frame{call: about(method[:min(len(method), maxVerb)], path)}
	if h.upgrade {
		f.call.keys = nil // no fault is for it
	}
	if h.length < 0 && !h.chunked {
		f.bytes = b
		return f, nil
	}
	f.bytes, err = h.body(r, b)
	return f, err
}

func (http1) reply(r *bufio.Reader, b []byte, asked call) (frame, error) {
	h, b, err := readHead(r, b)
	if err != nil {
		return frame{}, err
	}
	_, rest, _ := strings.Cut(h.first, " ")
	status, _, _ := strings.Cut(rest, " ")
	f := frame{bytes: b, call: asked, reply: true, last: status == "101", aside: status != "101" && strings.HasPrefix(status, "1")}
	if f.last || f.aside || status == "204" || status == "304" || asked.verb == "HEAD" {
		return f, nil
	}
	f.bytes, err = h.body(r, b)
	return f, err
}

// head is what a message's beginning says of its end.
type head struct {
	first   string // line
	length  int    // of the body, -1 if it does not say
	chunked bool
	upgrade bool
}

// readHead appends a message's beginning to b.
func readHead(r *bufio.Reader, b []byte) (head, []byte, error) {
	h, start := head{length: -1}, len(b)
	for {
		at := len(b)
		var err error
		if b, err = readLine(r, b); err != nil {
			return h, nil, err
		}
		line := strings.TrimRight(string(b[at:]), "\r\n")
		switch {
		case len(b)-start > maxLine:
			return h, nil, fmt.Errorf("read a message: %w: its head is too long", errFrame)
		case line == "" && at == start:
			return h, nil, fmt.Errorf("read a message: %w: it begins with an empty line", errFrame)
		case line == "" && h.chunked && h.length >= 0: // whose ends two programs see at different places
			return h, nil, fmt.Errorf("read a message: %w: it has two lengths", errFrame)
		case line == "":
			return h, b, nil
		case at == start:
			h.first = line
		default:
			if err := h.heed(line); err != nil {
				return h, nil, err
			}
		}
	}
}

func (h *head) heed(line string) error {
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch strings.ToLower(name) {
	case "content-length":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > maxFrame || h.length >= 0 && h.length != n {
			return fmt.Errorf("read a message: %w: length %.20q", errFrame, value)
		}
		h.length = n
	case "transfer-encoding":
		h.chunked = strings.EqualFold(value, "chunked")
		if !h.chunked {
			return fmt.Errorf("read a message: %w: transfer encoding %.20q", errFrame, value)
		}
	case "upgrade":
		h.upgrade = true
	}
	return nil
}

// body appends what belongs to the head.
func (h head) body(r *bufio.Reader, b []byte) ([]byte, error) {
	if h.length >= 0 {
		return readBytes(r, b, h.length)
	}
	if !h.chunked { // it ends with the connection
		for {
			if _, err := r.Peek(1); err == io.EOF {
				return b, nil
			} else if err != nil {
				return nil, err
			}
			var err error
			if b, err = readBytes(r, b, r.Buffered()); err != nil {
				return nil, err
			}
		}
	}
	for {
		at := len(b)
		var err error
		if b, err = readLine(r, b); err != nil {
			return nil, err
		}
		size, _, _ := strings.Cut(strings.TrimRight(string(b[at:]), "\r\n"), ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 31)
		if err != nil {
			return nil, fmt.Errorf("read a message: %w: chunk of %.20q", errFrame, size)
		}
		if n == 0 {
			return readTrailer(r, b)
		}
		if b, err = readBytes(r, b, int(n)+2); err != nil {
			return nil, err
		} else if !bytes.HasSuffix(b, []byte("\r\n")) {
			return nil, fmt.Errorf("read a message: %w: a chunk is longer than it says", errFrame)
		}
	}
}

// readTrailer appends lines until an empty one.
func readTrailer(r *bufio.Reader, b []byte) ([]byte, error) {
	for {
		at := len(b)
		var err error
		if b, err = readLine(r, b); err != nil || len(bytes.TrimRight(b[at:], "\r\n")) == 0 {
			return b, err
		}
	}
}

// Disorder has an answer be lost and its connection with it, come twice, come late, or
// have one bit of what it says turned over.
func (p *Proxy) Disorder(s Schedule, rng *rand.Rand) *Injection {
	return p.faults.put(s, rng, rule{delay: late, act: func(in *Injection, f *frame) action {
		if !f.reply || f.aside || f.last || len(f.call.keys) == 0 || !in.strikes() {
			return pass
		}
		switch in.draw(4) {
		case 0:
			return sever
		case 1:
			return twice
		case 2:
			return hold
		}
		if says := content(f.bytes); len(says) > 0 {
			copy(says, rotten(in, says))
		}
		return pass
	}})
}

// ByPath answers with the first good answer that a path had since the fault was put in,
// whoever asks: a cache in front that heeds neither who asks nor what the answer says
// about being kept, and does not ask again whether they may.
func (p *Proxy) ByPath(s Schedule, rng *rand.Rand) *Injection {
	var seen firsts
	return p.faults.put(s, rng, rule{act: func(in *Injection, f *frame) action {
		if !f.reply || f.call.verb != "GET" || len(f.call.keys) == 0 {
			return pass
		}
		var good []byte
		if bytes.HasPrefix(f.bytes, []byte("HTTP/1.1 200 ")) {
			good = f.bytes
		}
		first := seen.of(f.call.keys[0], good)
		if first != nil && !bytes.Equal(content(first), content(f.bytes)) && in.strikes() {
			f.bytes = append(f.bytes[:0], first...)
		}
		return pass
	}})
}

func content(message []byte) []byte {
	_, b, _ := bytes.Cut(message, []byte("\r\n\r\n"))
	return b
}
