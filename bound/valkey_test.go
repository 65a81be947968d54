package bound_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/bound"
)

// redis starts a server of its own for a test and returns where it listens. It ends with the
// test, and with the process, which some of these tests end by a panic of the client.
func redis(t testing.TB) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(address)
	server := exec.Command("sh", "-c", `redis-server "$@" & read _; kill -KILL $!`, "sh",
		"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	end, err := server.StdinPipe() // which ends when this process does
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = end.Close()
		_ = server.Wait()
	})
	for range 500 {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return address
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("redis-server, which scripts/setup installs, does not listen")
	return ""
}

func keysFile(t testing.TB, lines ...string) *bound.Keys {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys")
	var text []byte
	for _, line := range lines {
		text = fmt.Appendln(text, line)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := bound.ReadKeys(file)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// Three secrets of the tests.
const (
	secretA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	secretB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	secretC = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
)

// until waits for something that happens beside the test.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for range 500 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("after 5 s still not: %s", what)
}

// TestServersShareAnswers: what one has read the other knows, through a rolling change
// of keys, during which nobody raises an alarm.
func TestServersShareAnswers(t *testing.T) {
	url := "redis://" + redis(t)
	o, alarms := &table{}, &log{}
	server := func(secrets ...string) *bound.Cache {
		return open(t, bound.Config{Keys: keysFile(t, secrets...), Tiers: []bound.Tier{bound.Valkey(bound.ValkeyConfig{URL: url})}, Alarm: alarms.add})
	}
	reads := func(n int64) {
		t.Helper()
		if got := o.reads.Load(); got != n {
			t.Errorf("the origin was read %d times, want %d", got, n)
		}
	}
	before, next, after := server(secretA), server(secretB, secretA), server(secretC, secretB)
	want(t, before, thumbnails, o.read, 0)
	until(t, "the value is stored", func() bool {
		want(t, before, thumbnails, o.read, 0)
		return before.Stats().Tiers[0].Hits > 0
	})
	want(t, next, thumbnails, o.read, 0)
	reads(1)
	want(t, after, thumbnails, o.read, 0) // does not know that key, and puts its own
	reads(2)
	until(t, "the value is stored anew", func() bool {
		want(t, after, thumbnails, o.read, 0)
		return after.Stats().Tiers[0].Hits > 0
	})
	want(t, next, thumbnails, o.read, 0) // does not know the newest
	reads(3)
	for _, c := range []*bound.Cache{before, next, after} {
		if s := c.Stats().Tiers[0]; s.Damaged+s.Misrouted+s.Replaced != 0 || s.State != bound.Healthy {
			t.Errorf("a change of keys is taken for a fault: %+v", s)
		}
	}
}

func TestForgetInValkey(t *testing.T) {
	o := &table{}
	c := open(t, bound.Config{Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{}), bound.Valkey(bound.ValkeyConfig{URL: "redis://" + redis(t)})}})
	for epoch := range uint64(5) {
		o.epoch.Store(epoch)
		if err := c.Forget(t.Context(), thumbnails); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			want(t, c, thumbnails, o.read, epoch)
		}
	}
}

// TestNoServer: a cache whose server is not there answers from the origin, as long as the
// budget lasts.
func TestNoServer(t *testing.T) {
	o, now := &table{}, time.Now()
	c := open(t, bound.Config{Now: func() time.Time { return now }, BudgetRate: 1, BudgetBurst: 3, Tiers: []bound.Tier{bound.Valkey(bound.ValkeyConfig{
		URL:  "redis://nobody",
		Dial: func(context.Context, string, string) (net.Conn, error) { return nil, os.ErrNotExist },
	})}})
	for i := range 3 {
		want(t, c, bound.Question{Scope: "home/1", Key: fmt.Sprint(i)}, o.read, 0)
	}
	if _, err := c.Get(t.Context(), thumbnails, o.read); !errors.Is(err, bound.ErrBusy) {
		t.Errorf("above the budget: %v", err)
	}
	if err := c.Forget(t.Context(), thumbnails); err == nil {
		t.Error("what a server may keep that is not there is said to be forgotten")
	}
	if s := c.Stats().Tiers[0].State; s != bound.Replacing {
		t.Errorf("the tier is %s, want %s", s, bound.Replacing)
	}
}
