package bound_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey/bound"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// hostile are replies that no server should give. The client by itself panics at some of
// them in a goroutine of its own, and believes others.
var hostile = map[string]string{
	"a length below zero":     "$-2\r\n",
	"a length without end":    "$99999999999999999999\r\n",
	"a gigabyte":              "$1073741824\r\n",
	"a million elements":      "*1000000\r\n",
	"a map below zero":        "%-1\r\n",
	"deep":                    strings.Repeat("*1\r\n", 10000),
	"a push":                  ">2\r\n+invalidate\r\n*0\r\n",
	"a chunked string":        "$?\r\n;4\r\nabcd\r\n;0\r\n",
	"an attribute":            "|1\r\n+ttl\r\n:1\r\n$1\r\na\r\n",
	"a line without end":      "+" + strings.Repeat("x", 1<<20),
	"a line with half an end": "+OK\n",
	"no kind":                 "hello\r\n",
	"a number":                ":5\r\n",
	"a list":                  "*1\r\n$1\r\na\r\n",
	"a map":                   "%1\r\n$1\r\na\r\n$1\r\nb\r\n",
	"a word":                  "+OK\r\n",
	"queued":                  "+QUEUED\r\n",
	"three replies":           "+OK\r\n+OK\r\n+OK\r\n",
	"zeroes":                  strings.Repeat("\x00", 100),
}

// TestHostileReplies: whatever a server replies, who asks gets the origin's answer, the
// client is replaced, and the next reads are answered as ever.
func TestHostileReplies(t *testing.T) {
	for name, reply := range hostile {
		for _, command := range []string{"GET", "SET", "DEL"} {
			t.Run(command+" "+name, func(t *testing.T) { provoke(t, command, reply) })
		}
	}
}

func provoke(t *testing.T, command, reply string) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newServer(), &table{}
		c := open(t, bound.Config{Tiers: []bound.Tier{s.tier()}, Life: time.Hour})
		want(t, c, thumbnails, o.read, 0)
		synctest.Wait()
		var once sync.Once
		s.set(func() {
			s.hurt = func(did []string, honest []byte) []byte {
				if did[0] == command {
					once.Do(func() { honest = []byte(reply) })
				}
				return honest
			}
		})
		o.epoch.Store(1)
		q := thumbnails
		q.Floor = 1
		if command == "DEL" {
			_ = c.Forget(t.Context(), q)
		}
		want(t, c, q, o.read, 1)
		synctest.Wait()
		time.Sleep(time.Second)
		want(t, c, q, o.read, 1)
		synctest.Wait()
		if n := tell(t, c).Replaced; n == 0 && reply != "+OK\r\n" && !(command == "DEL" && reply == ":5\r\n") {
			t.Errorf("nothing was replaced: %+v", tell(t, c))
		}
		reads := o.reads.Load()
		want(t, c, q, o.read, 1)
		if o.reads.Load() != reads || tell(t, c).State != bound.Healthy {
			t.Errorf("it does not heal: %+v", tell(t, c))
		}
	})
}

// FuzzReplies: no reply ends the process, and none is believed.
func FuzzReplies(f *testing.F) {
	for _, reply := range hostile {
		f.Add([]byte(reply))
	}
	value := genuine().value()
	f.Add(bulk(value))
	f.Add(bytes.Repeat(bulk(value), 2))
	f.Fuzz(func(t *testing.T, reply []byte) {
		if len(reply) == 0 {
			return // silence is another test's
		}
		s, o := newServer(), &table{}
		s.hurt = func([]string, []byte) []byte { return reply }
		c, err := bound.New(bound.Config{Keys: keysFile(t, secretB), Tiers: []bound.Tier{bound.Valkey(bound.ValkeyConfig{
			URL: "redis://server", Dial: s.dial, Patience: 5 * time.Millisecond,
		})}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		want(t, c, thumbnails, o.read, 0)
		_ = c.Forget(context.Background(), thumbnails)
	})
}

// TestFaultsWithoutADefence is the control of the tests of faults: in a program that
// lacks a defence they fail, and without the turnstile the process ends. LATCHKEY_LONG
// takes away what only heals, too.
func TestFaultsWithoutADefence(t *testing.T) {
	program := &sabotage.Program{Root: ".."}
	for _, c := range []struct {
		name, test, says string
		cut              sabotage.Cut
		long             bool
	}{
		{"the question is not compared", "TestWireFaults/dropped_by_redis", "wrong answers", sabotage.Cut{
			File: "bound/value.go", Old: "string(r.scope) != q.Scope {", New: "string(r.scope) != q.Scope && false {",
		}, false},
		{"the client is not replaced", "TestWireFaults/dropped_by_redis", "reads of the origin, want at most", sabotage.Cut{
			File: "bound/tier.go", Old: "	if !t.store.replace(from) {", New: "	if true {",
		}, true},
		{"replies are not counted", "TestWireFaults/duplicated_by_redis", "protocol bug, message handled out of order", sabotage.Cut{
			File: "bound/turnstile.go", Old: "		if t.owed == 0 {", New: "		if false {",
		}, false},
	} {
		if c.long && os.Getenv("LATCHKEY_LONG") == "" {
			continue
		}
		control := program.Without(t, c.cut)
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // when all have said what they lack
			out, err := []byte(nil), error(nil)
			for tries := 0; err == nil && tries < 5; tries++ { // whether a fault does harm is chance
				out, err = control.Tests(t.Context(), "^"+strings.ReplaceAll(c.test, "/", "$/^")+"$", "-test.timeout", "60s")
			}
			if err == nil || !strings.Contains(string(out), c.says) {
				t.Errorf("%s says %v, want %q:\n%s", c.test, err, c.says, fmt.Sprintf("%.2000s", out))
			}
		})
	}
}
