package strain_test

import (
	"context"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey/strain"
)

// TestProcessors: more that could run than processors is a strain, and is over when they have
// run.
func TestProcessors(t *testing.T) {
	m := strain.Processors()
	m.Level()
	time.Sleep(100 * time.Millisecond)
	quiet := m.Level()
	ctx, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	for range 40 * runtime.GOMAXPROCS(0) {
		busy.Go(func() {
			for ctx.Err() == nil {
			}
		})
	}
	time.Sleep(time.Second)
	m.Level()
	time.Sleep(time.Second)
	loaded := m.Level()
	stop()
	busy.Wait()
	m.Level()
	over := 2.0
	for deadline := time.Now().Add(10 * time.Second); over >= 1 && time.Now().Before(deadline); over = m.Level() {
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("quiet %.3f, loaded %.3f, over %.3f", quiet, loaded, over)
	if loaded < 1 || over >= 1 {
		t.Errorf("under load the level is %.3f, afterwards %.3f; want at least 1, and less", loaded, over)
	}
}

func TestMemory(t *testing.T) {
	m := strain.Memory()
	if level := m.Level(); level <= 0 || level >= 1 {
		t.Errorf("with next to nothing in use the level is %.3f", level)
	}
	before := debug.SetMemoryLimit(128 << 20)
	defer debug.SetMemoryLimit(before)
	held := make([]byte, 120<<20)
	for i := 0; i < len(held); i += 4096 {
		held[i] = 1
	}
	if level := m.Level(); level < 1 {
		t.Errorf("with 120 of 128 MiB in use the level is %.3f", level)
	}
	runtime.KeepAlive(held)
}

func TestDescriptors(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	before := limit
	limit.Cur = 200
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)
	if level := strain.Descriptors().Level(); level <= 0 || level >= 1 {
		t.Errorf("with next to nothing open the level is %.3f", level)
	}
	for range 175 {
		f, err := os.Open("/dev/null")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	if level := strain.Descriptors().Level(); level < 1 {
		t.Errorf("with more than 175 of 200 open the level is %.3f", level)
	}
}

func TestWatch(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	told := map[string]int{}
	n := 0.0
	strain.Watch(ctx, time.Millisecond, func(name string, level float64) {
		told[name]++
		if name == "two" && level == 3 {
			stop()
		}
	}, strain.Measure{Name: "one", Level: func() float64 { return 0 }}, strain.Measure{Name: "two", Level: func() float64 { n++; return n }})
	if told["one"] != 3 || told["two"] != 3 {
		t.Errorf("told %v, want each three times", told)
	}
}

// TestTimes: one in ten that takes too long is a strain, also before it is over; when it is
// over, so is the strain.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		times := strain.NewTimes("test", 100*time.Millisecond)
		m := times.Measure()
		take := func(n int, d time.Duration) {
			for range n {
				end := times.Begin()
				time.Sleep(d)
				end()
			}
		}
		for _, c := range []struct {
			says string
			do   func()
			want float64
		}{
			{"nothing was done", func() {}, 0},
			{"all are quick", func() { take(20, 10*time.Millisecond) }, 0.1},
			{"one in twenty is slow", func() { take(1, 300*time.Millisecond) }, 0.1},
			{"two more are", func() { take(2, 150*time.Millisecond) }, 1.5},
			{"a while later", func() { time.Sleep(3 * time.Second) }, 0},
			{"one goes on and on", func() { times.Begin(); time.Sleep(time.Second) }, 10},
			{"and on", func() { time.Sleep(time.Second) }, 20},
		} {
			c.do()
			if got := m.Level(); math.Abs(got-c.want) > 0.03*max(1, c.want) {
				t.Errorf("%s: the level is %.2f, want %.2f", c.says, got, c.want)
			}
		}
		// What is slow by itself may take several times as long.
		times = strain.NewTimes("test", 100*time.Millisecond)
		m = times.Measure()
		for _, c := range []struct {
			says string
			do   func()
			want float64
		}{
			{"all are slow", func() { take(4, 50*time.Millisecond) }, 50. / 400},
			{"they wait for each other", func() { time.Sleep(3 * time.Second); take(4, 200*time.Millisecond) }, 0.5},
			{"and more of them", func() { time.Sleep(3 * time.Second); take(4, 400*time.Millisecond) }, 1},
			{"for an hour", func() {
				for range 3600 {
					take(1, 400*time.Millisecond)
					m.Level()
					time.Sleep(600 * time.Millisecond)
				}
			}, 400. / 3200},
		} {
			c.do()
			if got := m.Level(); math.Abs(got-c.want) > 0.03*max(1, c.want) {
				t.Errorf("%s: the level is %.2f, want %.2f", c.says, got, c.want)
			}
		}
	})
}
