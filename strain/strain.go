// Package strain measures how hard this process leans on its machine and on what it works
// with: processors, memory, descriptors, and whatever takes time. What it says is for a
// [gate.Gate], which lets fewer in while something is under strain; 1 is as much as can be
// borne without delaying those who are in already.
//
// A measure says what is so now and remembers little, so that it is over when the strain is.
// One that this machine does not have says 0, which is no strain, and not that all is well.
package strain

import (
	"context"
	"io"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Measure says how much something is under strain.
type Measure struct {
	Name  string // in metrics: a constant
	Level func() float64
}

// Watch tells of each measure, so often, until ctx ends.
func Watch(ctx context.Context, every time.Duration, tell func(name string, level float64), measures ...Measure) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for _, m := range measures {
			tell(m.Name, m.Level())
		}
	}
}

// lateWith is how long a goroutine that could run waits for a processor, in nine of ten cases,
// when the processors are under strain. A machine that is idle has some µs, one that is busy
// and in time a millisecond.
const lateWith = 10 * time.Millisecond

// Processors is how late goroutines run that could.
func Processors() Measure {
	const latencies = "/sched/latencies:seconds"
	var before []uint64
	return Measure{"processors", func() float64 {
		sample := []metrics.Sample{{Name: latencies}}
		metrics.Read(sample)
		if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
			return 0
		}
		h := sample[0].Value.Float64Histogram()
		since := make([]uint64, len(h.Counts))
		for i, n := range h.Counts {
			since[i] = n
			if len(before) == len(h.Counts) {
				since[i] -= before[i]
			}
		}
		before = append(before[:0], h.Counts...)
		return quantile(h.Buckets, since, 0.9) / lateWith.Seconds()
	}}
}

// quantile is the upper end of the bucket in which that part of what was counted ends, 0 if
// nothing was.
func quantile(buckets []float64, counts []uint64, part float64) float64 {
	var all, seen uint64
	for _, n := range counts {
		all += n
	}
	for i, n := range counts {
		if seen += n; n > 0 && float64(seen) >= part*float64(all) {
			end := buckets[i+1]
			if math.IsInf(end, 1) {
				end = buckets[i]
			}
			return end
		}
	}
	return 0
}

// fullWith is how much of the memory, or of the descriptors, is in use under strain.
const fullWith = 0.85

// Memory is how much of the memory is in use that this process may have: of the limit that it
// was given (GOMEMLIMIT), of its control group's, or of the machine's, whichever is least.
func Memory() Measure {
	return Measure{"memory", func() float64 {
		limit := min(float64(debug.SetMemoryLimit(-1)), controlGroup(), machine())
		sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
		metrics.Read(sample)
		used := float64(sample[0].Value.Uint64()) - float64(sample[1].Value.Uint64()) - float64(sample[2].Value.Uint64())
		return used / limit / fullWith
	}}
}

// controlGroup is the limit of the control group in bytes, infinite if there is none.
func controlGroup() float64 {
	text, err := os.ReadFile("/sys/fs/cgroup/memory.max")
	if err != nil {
		return math.Inf(1)
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64) // "max" is no number
	if err != nil {
		return math.Inf(1)
	}
	return n
}

// machine is the memory of the machine in bytes, infinite if it does not say.
func machine() float64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return math.Inf(1)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "MemTotal:" {
			if n, err := strconv.ParseFloat(fields[1], 64); err == nil {
				return n * 1024
			}
		}
	}
	return math.Inf(1)
}

// countEvery is how often descriptors are counted: the system lists them one by one.
const countEvery = 2 * time.Second

// Descriptors is how many of the files and connections are open that this process may have.
func Descriptors() Measure {
	var counted time.Time
	var level float64
	return Measure{"descriptors", func() float64 {
		if time.Since(counted) < countEvery {
			return level
		}
		counted = time.Now()
		var limit syscall.Rlimit
		open, ok := opened()
		if !ok || syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
			return 0
		}
		level = float64(open) / float64(limit.Cur) / fullWith
		return level
	}}
}

// opened counts what is open, if the machine says.
func opened() (n int, ok bool) {
	d, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0, false
	}
	defer d.Close() // read only
	for {
		names, err := d.Readdirnames(4096)
		n += len(names)
		if err == io.EOF {
			return n, true
		} else if err != nil {
			return 0, false
		}
	}
}

// Times is how long something takes that is done again and again, also what is not over
// yet: it is under strain when one in ten takes too long, and several times as long as when
// little is done. A disk that is slow, and in time for a slow one, is under none. Everything
// may be used by several goroutines.
type Times struct {
	name string
	long time.Duration

	mu    sync.Mutex // protects what follows
	from  time.Time  // of took
	took  []time.Duration
	begun map[*time.Time]struct{}
	quick time.Duration // how long it takes when little is done; 0 before that is known
	at    time.Time     // when that was last looked at
}

const (
	// lately is over how long it is looked back, at least.
	lately = time.Second
	// maxTook bounds what is remembered of that time: what is more is left out.
	maxTook = 4096
	// queued is how many times as long as when little is done something takes under strain.
	queued = 8
	// forgotten is how long it takes until something may take twice as long as ever before
	// and count as quick: a disk can become slower for good.
	forgotten = 10 * time.Minute
)

// NewTimes measures what takes too long from that duration on at the earliest. The name is
// a constant.
func NewTimes(name string, long time.Duration) *Times {
	return &Times{name: name, long: long, begun: map[*time.Time]struct{}{}}
}

// Begin is called at the beginning, and what it returns at the end.
func (t *Times) Begin() (end func()) {
	began := new(time.Now())
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begun[began] = struct{}{}
	return func() {
		now := time.Now()
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.begun, began)
		if now.Sub(t.from) > lately {
			t.took, t.from = t.took[:0], now
		}
		if len(t.took) < maxTook {
			t.took = append(t.took, now.Sub(*began))
		}
	}
}

// Measure is of how long it takes.
func (t *Times) Measure() Measure {
	return Measure{t.name, func() float64 {
		now := time.Now()
		t.mu.Lock()
		defer t.mu.Unlock()
		all := make([]time.Duration, 0, len(t.took)+len(t.begun))
		if now.Sub(t.from) <= 2*lately {
			all = append(all, t.took...)
		}
		for began := range t.begun {
			all = append(all, now.Sub(*began))
		}
		if len(all) == 0 {
			return 0
		}
		slices.Sort(all)
		t.learn(now, all[len(all)/2])
		return float64(all[len(all)-1-len(all)/10]) / float64(max(t.long, queued*t.quick))
	}}
}

// learn takes what half of them took at most. Its caller holds mu.
func (t *Times) learn(now time.Time, half time.Duration) {
	if t.quick == 0 {
		t.quick, t.at = half, now
	}
	t.quick += time.Duration(float64(t.quick) * now.Sub(t.at).Seconds() / forgotten.Seconds())
	t.quick, t.at = min(t.quick, half), now
}
