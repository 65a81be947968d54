package crossed

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// A control arm's server is a process of its own: a client that meets what it believes
// impossible ends the process that it is in. Its first line on standard input is a
// [plainConfig], and each after it a [plainOrder]. On standard output it says where it
// listens and what it has counted, ten times a second.

// plainOrder is what the server shall do.
type plainOrder struct {
	// Cross makes that share of the database's answers change places, drawn from Seed.
	Cross *float64 `json:"cross,omitempty"`
	Seed  uint64   `json:"seed,omitempty"`
	// Lose has those be lost, or late, instead.
	Lose bool `json:"lose,omitempty"`
	// Live has it be live pictures instead.
	Live bool `json:"live,omitempty"`
	// Report asks for the counts at once, under this number.
	Report int64 `json:"report,omitempty"`
}

// plainReport is a line of the server's.
type plainReport struct {
	Address     string `json:"address"`
	Report      int64  `json:"report,omitempty"`
	Misses      int64  `json:"misses"`
	OriginReads int64  `json:"origin_reads"`
	Alarms      int64  `json:"alarms"`
	FirstAlarm  int64  `json:"first_alarm,omitempty"` // µs
	Crossed     int64  `json:"crossed"`
}

// ServeArm is the server of a control arm, until in ends.
func ServeArm(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	lines := bufio.NewScanner(in)
	var c plainConfig
	if !lines.Scan() {
		return errors.Join(errors.New("serve a control arm: no configuration"), lines.Err())
	}
	if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
		return fmt.Errorf("serve a control arm: %w", err)
	}
	p, err := openPlain(ctx, c)
	if err != nil {
		return fmt.Errorf("serve a control arm: %w", err)
	}
	defer p.close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve a control arm: %w", err)
	}
	front := &http.Server{Handler: p.handler(), ReadHeaderTimeout: 10 * time.Second}
	defer front.Close() // nobody waits any more
	go front.Serve(listener)
	r := &reporter{plain: p, address: listener.Addr().String(), out: json.NewEncoder(out)}
	go r.often(ctx)
	for lines.Scan() {
		var o plainOrder
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return fmt.Errorf("serve a control arm: %w", err)
		}
		if o.Cross != nil {
			at := &p.cross
			if o.Live {
				at = &p.live.cross
			}
			at.order(*o.Cross, o.Seed, o.Lose)
		}
		if o.Report != 0 {
			r.say(plainReport{Report: o.Report})
		}
	}
	return lines.Err()
}

// reporter writes what the server has counted.
type reporter struct {
	plain   *plain
	address string

	mu  sync.Mutex // protects out
	out *json.Encoder
}

func (r *reporter) often(ctx context.Context) {
	for ctx.Err() == nil {
		r.say(plainReport{})
		pause(ctx, 100*time.Millisecond)
	}
}

func (r *reporter) say(p plainReport) {
	c := &r.plain.counts
	p.Address, p.Misses, p.OriginReads, p.Alarms = r.address, c.misses.Load(), c.originReads.Load(), c.alarms.Load()
	p.FirstAlarm, p.Crossed = c.firstAlarm.Load(), r.plain.cross.done.Load()+r.plain.live.cross.done.Load()
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.out.Encode(p) // a drill that has gone needs none
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
