package bound_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/latchkey-cam/latchkey/bound"
)

// wire is a proxy before a server that hurts one reply to a GET.
type wire struct {
	server string
	hurt   func(n int64, reply []byte, next func() []byte) (out [][]byte, wait time.Duration)
	armed  atomic.Bool
	seen   atomic.Int64 // replies since it was armed
	hurtAt atomic.Int64
	done   sync.WaitGroup
}

// through starts a proxy before the server at that address.
func (w *wire) through(t testing.TB) (dial func(context.Context, string, string) (net.Conn, error)) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.Close()
		w.done.Wait()
	})
	w.done.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", w.server)
			if err != nil {
				_ = near.Close()
				continue
			}
			w.done.Go(func() {
				_, _ = io.Copy(far, near)
				_ = far.Close()
			})
			w.done.Go(func() {
				w.carry(near, far)
				_ = near.Close()
				_ = far.Close()
			})
		}
	})
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}
}

// carry passes replies on, one by one.
func (w *wire) carry(near io.Writer, far io.Reader) {
	r := bufio.NewReader(far)
	next := func() []byte {
		b, err := frame(r)
		if err != nil {
			return nil
		}
		return b
	}
	for {
		reply := next()
		if reply == nil {
			return
		}
		out := [][]byte{reply}
		if w.armed.Load() && reply[0] == '$' {
			var wait time.Duration
			out, wait = w.hurt(w.seen.Add(1), reply, next)
			if len(out) != 1 || &out[0][0] != &reply[0] || wait > 0 {
				w.hurtAt.CompareAndSwap(0, time.Now().UnixNano())
			}
			time.Sleep(wait)
		}
		for _, b := range out {
			if _, err := near.Write(b); err != nil {
				return
			}
		}
	}
}

// frame reads one reply.
func frame(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(line[1:])))
	switch line[0] {
	case '$':
		if n < 0 {
			return line, nil
		}
		body := make([]byte, n+2)
		_, err = io.ReadFull(r, body)
		return append(line, body...), err
	case '*', '%':
		if line[0] == '%' {
			n *= 2
		}
		for range n {
			part, err := frame(r)
			if err != nil {
				return nil, err
			}
			line = append(line, part...)
		}
	}
	return line, nil
}

// faults hurt the 50th reply.
var faults = map[string]func(n int64, reply []byte, next func() []byte) ([][]byte, time.Duration){
	"dropped": func(n int64, reply []byte, _ func() []byte) ([][]byte, time.Duration) {
		if n == 50 {
			return nil, 0
		}
		return [][]byte{reply}, 0
	},
	"duplicated": func(n int64, reply []byte, _ func() []byte) ([][]byte, time.Duration) {
		if n == 50 {
			return [][]byte{reply, reply}, 0
		}
		return [][]byte{reply}, 0
	},
	"swapped": func(n int64, reply []byte, next func() []byte) ([][]byte, time.Duration) {
		if n == 50 {
			return [][]byte{next(), reply}, 0
		}
		return [][]byte{reply}, 0
	},
	"held": func(n int64, reply []byte, _ func() []byte) ([][]byte, time.Duration) {
		if n == 50 {
			return [][]byte{reply}, time.Second
		}
		return [][]byte{reply}, 0
	},
}

const (
	workers = 8
	total   = 4000
	homes   = 64
)

// TestWireFaults hurts one reply of a server while eight read through the real client:
// nobody is given a wrong answer, somebody is told, the client is replaced within 100 ms,
// and it costs no more misses than there are readers.
func TestWireFaults(t *testing.T) {
	second := miniredis.RunT(t)
	for of, address := range map[string]string{"redis": redis(t), "miniredis": second.Addr()} {
		for name, hurt := range faults {
			t.Run(name+" by "+of, func(t *testing.T) {
				allowed, patience := 100*time.Millisecond, 5*time.Second
				if name == "held" {
					patience = 500 * time.Millisecond
					allowed += patience
				}
				var took time.Duration
				for range 3 { // a machine that is busy with something else may be slower
					if took = endure(t, name, patience, &wire{server: address, hurt: hurt}); took <= allowed || t.Failed() {
						return
					}
				}
				t.Errorf("replaced after %v, want at most %v", took, allowed)
			})
		}
	}
}

// endure hurts one reply and says how long it was until the client was replaced.
func endure(t *testing.T, name string, patience time.Duration, w *wire) time.Duration {
	o, alarms := &table{}, &log{}
	c := open(t, bound.Config{Alarm: alarms.add, Tiers: []bound.Tier{bound.Valkey(bound.ValkeyConfig{URL: "redis://" + w.server, Prefix: name, Patience: patience, Dial: w.through(t)})}})
	for i := range homes {
		want(t, c, home(i), o.read, 0)
	}
	until(t, "everything is stored", func() bool { return stored(t, w.server, name) == homes })
	before := o.reads.Load()
	w.armed.Store(true)
	healed := make(chan time.Time, 1)
	go func() {
		for range 3000 {
			if s := tell(t, c); s.Replaced > 0 && s.State == bound.Healthy {
				break
			}
			time.Sleep(time.Millisecond)
		}
		healed <- time.Now()
	}()
	if wrong := race(t, c, o); wrong != 0 {
		t.Errorf("%d wrong answers", wrong)
	}
	took := (<-healed).Sub(time.Unix(0, w.hurtAt.Load()))
	if misses := o.reads.Load() - before; misses > workers {
		t.Errorf("%d reads of the origin, want at most %d", misses, workers)
	}
	if s := tell(t, c); s.Replaced != 1 || s.State != bound.Healthy {
		t.Errorf("replaced %d times and %s, want once and healthy", s.Replaced, s.State)
	}
	if name != "held" {
		until(t, "somebody is told", func() bool { return len(alarms.of(bound.Misrouted))+len(alarms.of(bound.OutOfStep)) > 0 })
	}
	return took
}

// race has workers ask, and says how many answers were wrong.
func race(t *testing.T, c *bound.Cache, o *table) int64 {
	var all sync.WaitGroup
	var wrong atomic.Int64
	for worker := range workers {
		all.Go(func() {
			for i := range total / workers {
				q := home((i*7 + worker*13) % homes)
				a, err := c.Get(t.Context(), q, o.read)
				if err != nil {
					t.Errorf("%v: %v", q, err)
				} else if string(a.Bytes) != string(truth(q, 0).Bytes) {
					wrong.Add(1)
				}
			}
		})
	}
	all.Wait()
	return wrong.Load()
}

func home(i int) bound.Question {
	return bound.Question{Scope: fmt.Sprintf("home/%d", i), Key: "thumbnails", Codec: 1}
}

// stored is how many values a server keeps under a prefix.
func stored(t testing.TB, server, prefix string) int {
	conn, err := net.Dial("tcp", server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "*2\r\n$4\r\nKEYS\r\n$%d\r\n%s:*\r\n", len(prefix)+2, prefix)
	reply, err := frame(bufio.NewReader(conn))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(reply), prefix+":")
}
