package crossed

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// Child makes the command of a control arm's server, which is this program again and
// calls [ServeArm].
type Child func(ctx context.Context) *exec.Cmd

// restartAfter is how long a process that has crashed is down, as with a usual keeper of
// services.
const restartAfter = 500 * time.Millisecond

// keeper keeps the server of a control arm running.
type keeper struct {
	child  Child
	config plainConfig
	lead   func(address string) // people to the server that runs; empty: none does
	stop   context.CancelFunc
	done   sync.WaitGroup
	number atomic.Int64 // of reports

	mu       sync.Mutex // protects what follows
	in       io.Writer  // of the server that runs
	address  string     // where it listens; empty: nowhere yet, or no more
	was, now plainReport
	crashes  int64
	first    int64            // µs, of the first alarm of all
	reports  chan plainReport // asked for
	failed   error
}

// keep starts the server, and returns when people are led to it.
func keep(ctx context.Context, child Child, c plainConfig, lead func(address string)) (*keeper, error) {
	k := &keeper{child: child, config: c, lead: lead, reports: make(chan plainReport, 1)}
	ctx, k.stop = context.WithCancel(context.WithoutCancel(ctx))
	k.done.Go(func() { k.run(ctx) })
	for range 600 {
		k.mu.Lock()
		up := k.address != ""
		k.mu.Unlock()
		if up {
			return k, nil
		}
		pause(ctx, 50*time.Millisecond)
	}
	k.close()
	return nil, errors.Join(errors.New("start a control arm: it does not listen"), k.failed)
}

func (k *keeper) close() {
	k.stop()
	k.done.Wait()
}

// run starts the server again and again until it is told to stop.
func (k *keeper) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := k.once(ctx)
		if ctx.Err() != nil {
			return
		}
		k.mu.Lock()
		k.moved("")
		k.crashes, k.failed = k.crashes+1, err
		k.was = add(k.was, k.now)
		k.now = plainReport{}
		k.mu.Unlock()
		pause(ctx, restartAfter)
	}
}

func add(a, b plainReport) plainReport {
	return plainReport{
		Misses: a.Misses + b.Misses, OriginReads: a.OriginReads + b.OriginReads, Alarms: a.Alarms + b.Alarms, Crossed: a.Crossed + b.Crossed,
	}
}

// once runs one process to its end.
func (k *keeper) once(ctx context.Context) error {
	cmd := k.child(ctx)
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start a control arm: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start a control arm: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start a control arm: %w", err)
	}
	k.mu.Lock()
	k.in = in
	k.mu.Unlock()
	if err := json.NewEncoder(in).Encode(k.config); err == nil {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			k.heed(lines.Bytes())
		}
	}
	return cmd.Wait()
}

// heed takes a line of the server's.
func (k *keeper) heed(line []byte) {
	var r plainReport
	if json.Unmarshal(line, &r) != nil {
		return // of a process that crashed while it wrote
	}
	k.mu.Lock()
	k.now = r
	k.moved(r.Address)
	if k.first == 0 {
		k.first = r.FirstAlarm
	}
	k.mu.Unlock()
	if r.Report == k.number.Load() && r.Report != 0 {
		select {
		case k.reports <- r:
		default:
		}
	}
}

// moved leads people to where the server listens now. The caller holds mu.
func (k *keeper) moved(address string) {
	if k.address != address {
		k.address = address
		k.lead(address)
	}
}

// order gives the server something to do, if it is there.
func (k *keeper) order(o plainOrder) error {
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	_, err = k.in.Write(append(b, '\n'))
	return err
}

// total is what all processes of this server have counted, and when the first alarm was.
// What one counted in the last moment before its crash nobody knows.
func (k *keeper) total(ctx context.Context) (r plainReport, crashes int64, alarm time.Time) {
	n := k.number.Add(1)
	if k.order(plainOrder{Report: n}) == nil {
		select {
		case <-k.reports:
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.first != 0 {
		alarm = time.UnixMicro(k.first)
	}
	return add(k.was, k.now), k.crashes, alarm
}
