package fault_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"
	"github.com/valkey-io/valkey-go"

	"github.com/latchkey-cam/latchkey/drill/fault"
)

// reads is how often a client reads, by eight callers, and keys of how many.
const reads, keys = 4000, 1000

// getter reads a key with somebody else's client, unmodified.
type getter func(ctx context.Context, key string) (string, error)

// clients are the clients that the figures are about, each made to reach addr.
var clients = map[string]func(t *testing.T, addr string) getter{
	"valkey-go": func(t *testing.T, addr string) getter {
		c, err := valkey.NewClient(valkey.ClientOption{
			InitAddress: []string{addr}, ForceSingleClient: true, DisableCache: true, PipelineMultiplex: -1, DisableRetry: true, ConnWriteTimeout: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return func(ctx context.Context, key string) (string, error) {
			return c.Do(ctx, c.B().Get().Key(key).Build()).ToString()
		}
	},
	"go-redis": func(t *testing.T, addr string) getter {
		c := goredis.NewClient(&goredis.Options{Addr: addr, PoolSize: 4, MaxRetries: -1, ReadTimeout: time.Second})
		t.Cleanup(func() { c.Close() })
		return func(ctx context.Context, key string) (string, error) { return c.Get(ctx, key).Result() }
	},
	"redigo": func(t *testing.T, addr string) getter {
		pool := &redis.Pool{MaxActive: 4, MaxIdle: 4, Wait: true, Dial: func() (redis.Conn, error) {
			return redis.Dial("tcp", addr, redis.DialReadTimeout(time.Second))
		}}
		t.Cleanup(func() { pool.Close() })
		return func(ctx context.Context, key string) (string, error) {
			c, err := pool.GetContext(ctx)
			if err != nil {
				return "", err
			}
			defer c.Close()
			return redis.String(c.Do("GET", key))
		}
	},
}

// read has eight callers read, and counts the answers to other questions.
func read(ctx context.Context, get getter) (wrong, failed int64) {
	var w, f atomic.Int64
	var work sync.WaitGroup
	for worker := range 8 {
		work.Go(func() {
			for i := range reads / 8 {
				key := fmt.Sprintf("k%d", (i*8+worker)%keys)
				switch v, err := get(ctx, key); {
				case err != nil:
					f.Add(1)
				case v != "value of "+key:
					w.Add(1)
				}
			}
		})
	}
	work.Wait()
	return w.Load(), f.Load()
}

// TestStockClients is why all this is: a single fault on the wire, and what today's
// clients make of it without a word.
func TestStockClients(t *testing.T) {
	addr := server(t)
	for _, tt := range []struct {
		client, fault string
		put           func(p *fault.Proxy) *fault.Injection
		atLeast       int64 // of 4,000 answers are another question's
		atMost        int64
	}{
		{"valkey-go", "none", nil, 0, 0},
		{"valkey-go", "drop", func(p *fault.Proxy) *fault.Injection { return p.Drop(fault.Schedule{At: 1000}, seeded()) }, reads / 2, reads},
		{"valkey-go", "swap", func(p *fault.Proxy) *fault.Injection { return p.Swap(fault.Schedule{At: 1000}, seeded()) }, 2, 2},
		{"go-redis", "drop", func(p *fault.Proxy) *fault.Injection { return p.Drop(fault.Schedule{At: 1000}, seeded()) }, 0, 0},
		{"go-redis", "duplicate", func(p *fault.Proxy) *fault.Injection { return p.Duplicate(fault.Schedule{At: 1000}, seeded()) }, 0, 1},
		{"go-redis", "hold", func(p *fault.Proxy) *fault.Injection {
			return p.Hold(fault.Schedule{At: 1000}, seeded(), 1500*time.Millisecond)
		}, 0, 0},
		{"redigo", "drop", func(p *fault.Proxy) *fault.Injection { return p.Drop(fault.Schedule{At: 1000}, seeded()) }, 0, 0},
		{"redigo", "duplicate", func(p *fault.Proxy) *fault.Injection { return p.Duplicate(fault.Schedule{At: 1000}, seeded()) }, reads / 20, reads},
	} {
		t.Run(tt.client+" "+tt.fault, func(t *testing.T) {
			p := proxy(t, addr, fault.RESP)
			get := clients[tt.client](t, p.Addr())
			var in *fault.Injection
			if tt.put != nil {
				in = tt.put(p)
			}
			wrong, failed := read(t.Context(), get)
			t.Logf("of %d reads %d were answered with another's value, %d failed", reads, wrong, failed)
			if wrong < tt.atLeast || wrong > tt.atMost || in != nil && in.Injected() != 1 {
				t.Errorf("%d wrong answers, want %d to %d", wrong, tt.atLeast, tt.atMost)
			}
		})
	}
}

// TestDuplicateEndsTheProcess has valkey-go meet a reply too many, in a process of its
// own: it panics where nobody can recover.
func TestDuplicateEndsTheProcess(t *testing.T) {
	if addr := os.Getenv("FAULT_TEST_ADDR"); addr != "" {
		wrong, failed := read(t.Context(), clients["valkey-go"](t, addr))
		t.Logf("lived: %d wrong, %d failed", wrong, failed)
		return
	}
	p := proxy(t, server(t), fault.RESP)
	in := p.Duplicate(fault.Schedule{At: 1000}, seeded())
	child := exec.Command(os.Args[0], "-test.run=^TestDuplicateEndsTheProcess$", "-test.v")
	child.Env = append(os.Environ(), "FAULT_TEST_ADDR="+p.Addr())
	out, err := child.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic: protocol bug") || in.Injected() != 1 {
		t.Errorf("%v after %d duplicates: %s", err, in.Injected(), out)
	}
}

// server is a real Redis of its own, with values that name their keys.
func server(t *testing.T) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(socket.Addr().String())
	if err := socket.Close(); err != nil {
		t.Fatal(err)
	}
	run := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(), "--logfile", filepath.Join(t.TempDir(), "log"))
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = run.Process.Kill()
		_ = run.Wait() // killed
	})
	addr := "127.0.0.1:" + port
	for range 200 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			fill(t, conn)
			return addr
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("redis-server does not answer")
	return ""
}

func fill(t *testing.T, conn net.Conn) {
	t.Helper()
	defer conn.Close()
	for i := range keys {
		key := fmt.Sprintf("k%d", i)
		if _, err := fmt.Fprintf(conn, "SET %s \"value of %s\"\r\n", key, key); err != nil {
			t.Fatal(err)
		}
	}
	ok := make([]byte, 5*keys)
	if _, err := io.ReadFull(conn, ok); err != nil || strings.Count(string(ok), "+OK\r\n") != keys {
		t.Fatal(err)
	}
}
