package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/latchkey-cam/latchkey/bench/role"
	"github.com/latchkey-cam/latchkey/bench/used"
)

// load is connections that are kept alive, each with one request under way, and how many
// requests a second come: each waits from when it came. Zero: the next comes when one is
// answered, as fast as that goes.
type load struct {
	connections int
	rate        float64
}

// A round ends after that time, or when so many requests as were made ready have been sent.
const (
	roundLasts = time.Second
	ofRound    = 60_000
)

// round is what one server did in one round.
type round struct {
	rate   float64         // requests a second
	took   []time.Duration // for each
	server float64         // CPU time of the server's processes for a request, in µs
	load   float64         // and this program's
}

// cost is the CPU time of both for a request, in µs.
func (r round) cost() float64 { return r.server + r.load }

// target is a server under load.
type target struct {
	name    string
	address string
	by      []*role.Process // that answer
	// ask appends the bytes of the n-th request of a round.
	ask func(b []byte, n int) []byte
	// want is the body that belongs to the n-th request.
	want func(n int) []byte
	// ready is called before a round, with the clock stopped: it makes what can be made
	// beforehand. Nil: nothing.
	ready func()
}

// bear runs one round. What comes back must be what was asked for, or there is no figure.
func (t target) bear(l load) (round, error) {
	if t.ready != nil {
		t.ready()
	}
	conns, err := t.dial(l.connections)
	if err != nil {
		return round{}, err
	}
	var (
		next atomic.Int64
		took = make([][]time.Duration, l.connections)
		errs = make([]error, l.connections)
		done sync.WaitGroup
	)
	before, err := t.used()
	if err != nil {
		return round{}, err
	}
	began := time.Now()
	for i, c := range conns {
		done.Go(func() {
			defer c.Close() // it was read to the end
			took[i], errs[i] = t.ride(c, &next, 2*ofRound/l.connections, began, l.rate)
		})
	}
	done.Wait()
	lasted := time.Since(began)
	after, err := t.used()
	if err != nil {
		return round{}, err
	}
	if err := errors.Join(errs...); err != nil {
		return round{}, fmt.Errorf("%s: %w", t.name, err)
	}
	all := slices.Concat(took...)
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(len(all)) }
	return round{float64(len(all)) / lasted.Seconds(), all, each(after.server - before.server), each(after.load - before.load)}, nil
}

// spent is CPU time.
type spent struct{ server, load time.Duration }

func (t target) used() (s spent, err error) {
	for _, p := range t.by {
		cpu, _, err := used.By(p.Pid())
		if err != nil {
			return s, err
		}
		s.server += cpu
	}
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return s, fmt.Errorf("getrusage: %w", err)
	}
	s.load = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	return s, nil
}

func (t target) dial(connections int) (conns []net.Conn, err error) {
	for range connections {
		c, err := net.Dial("tcp", t.address)
		if err != nil {
			return nil, errors.Join(err, closeAll(conns))
		}
		conns = append(conns, c)
	}
	return conns, nil
}

func closeAll(conns []net.Conn) (err error) {
	for _, c := range conns {
		err = errors.Join(err, c.Close())
	}
	return err
}

// ride takes requests as long as there are any, and sends them one after the other. There
// is room to note how long that many take.
func (t target) ride(c net.Conn, next *atomic.Int64, room int, round time.Time, rate float64) (took []time.Duration, err error) {
	took = make([]time.Duration, 0, room)
	out, in := make([]byte, 0, 1024), make([]byte, 32<<10)
	for {
		n := int(next.Add(1)) - 1
		came := time.Now()
		if rate > 0 {
			came = round.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		}
		if n >= ofRound || came.Sub(round) > roundLasts {
			return took, nil
		}
		time.Sleep(time.Until(came))
		out = t.ask(out[:0], n)
		if _, err := c.Write(out); err != nil {
			return nil, err
		}
		body, err := answer(c, in)
		if err != nil {
			return nil, err
		}
		took = append(took, time.Since(came))
		if !bytes.Equal(body, t.want(n)) {
			return nil, errors.New("an answer that is not what was asked for")
		}
	}
}

var (
	good   = []byte("HTTP/1.1 200 ")
	length = []byte("\r\nContent-Length: ")
	blank  = []byte("\r\n\r\n")
)

// answer reads one answer into b and returns its body.
func answer(c net.Conn, b []byte) ([]byte, error) {
	have, whole, begin := 0, -1, 0
	for whole < 0 || have < whole {
		n, err := c.Read(b[have:])
		if err != nil {
			return nil, err
		}
		have += n
		if end := bytes.Index(b[:have], blank); whole < 0 && end >= 0 {
			begin = end + len(blank)
			size, err := bodyLength(b[:end+2])
			if err != nil {
				return nil, err
			}
			if whole = begin + size; whole > len(b) {
				return nil, fmt.Errorf("an answer of %d bytes", whole)
			}
		}
	}
	if have > whole {
		return nil, errors.New("more than was asked for")
	}
	return b[begin:whole], nil
}

func bodyLength(head []byte) (int, error) {
	if !bytes.HasPrefix(head, good) {
		line, _, _ := bytes.Cut(head, []byte("\r\n"))
		return 0, fmt.Errorf("the answer %q", line)
	}
	_, rest, ok := bytes.Cut(head, length)
	text, _, _ := bytes.Cut(rest, []byte("\r\n"))
	if !ok {
		return 0, errors.New("an answer without a length")
	}
	return strconv.Atoi(string(text))
}
