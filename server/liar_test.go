package server_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/bound"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/drill/fault"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// lair is two homes on a server whose cache is a real Redis, behind a proxy. The test has
// a way of its own into that Redis.
type lair struct {
	*house
	proxy *fault.Proxy
	redis *redis.Client
	cache *bound.Cache
	homes [2]*home
	names [2]latchkey.Name // of a thumbnail in each
	marks [2][][]byte      // what only answers about each have in them
}

// openLair starts it. What is kept lies in Redis alone, and is everything but heads. The
// budget is how many reads a second the archive allows while Redis is out of order.
func openLair(t *testing.T, budget int, change ...func(c *server.Config)) *lair {
	t.Helper()
	address := startRedis(t)
	l := &lair{proxy: must(fault.NewProxy(t.Context(), fault.ProxyConfig{Upstream: address, Protocol: fault.RESP}))}
	l.redis = redis.NewClient(&redis.Options{Addr: address})
	l.cache = must(bound.New(bound.Config{
		Keys: bound.NewKeys(), Tiers: []bound.Tier{bound.Valkey(bound.ValkeyConfig{URL: "redis://" + l.proxy.Addr()})}, BudgetRate: budget,
	}))
	t.Cleanup(func() {
		for _, c := range []io.Closer{l.redis, l.cache, l.proxy} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	l.house = openHouse(t, append(change, func(c *server.Config) { c.Cache = l.cache })...)
	for i := range l.homes {
		l.homes[i] = l.found(t)
		o := l.homes[i].stored(latchkey.Thumbnail, "a picture")
		header := o.File.Header.Bytes()
		l.names[i] = o.Name()
		l.marks[i] = [][]byte{header, []byte(base64.StdEncoding.EncodeToString(header)), []byte(l.homes[i].owner.Home().String())}
		for _, d := range l.homes[i].owner.Deeds() {
			l.marks[i] = append(l.marks[i], []byte(base64.StdEncoding.EncodeToString(d)))
		}
	}
	l.warm(t)
	return l
}

func startRedis(t *testing.T) (address string) {
	t.Helper()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	address = listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	run := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	if err := run.Start(); err != nil {
		t.Fatalf("redis-server, which scripts/setup installs: %v", err)
	}
	t.Cleanup(func() {
		_ = run.Process.Kill()
		_ = run.Wait()
	})
	eventually(t, "redis-server listens", func() bool {
		c, err := net.Dial("tcp", address)
		return err == nil && c.Close() == nil
	})
	return address
}

// paths are what the member of a home asks for.
func (l *lair) paths(i int) []string {
	return []string{objectPath(l.names[i]), l.homes[i].path("/events"), l.homes[i].path("/deeds")}
}

// ask asks as the member of a home, and says what came and whether any of it is the other
// home's.
func (l *lair) ask(ctx context.Context, i int, path string) (status int, foreign string, err error) {
	m := l.homes[i]
	r, err := http.NewRequestWithContext(ctx, "GET", l.origin+path, nil)
	if err != nil {
		return 0, "", err
	}
	prove(m.member, r)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	for _, mark := range l.marks[1-i] {
		if bytes.Contains(b, mark) {
			foreign = string(mark)
		}
	}
	return answer.StatusCode, foreign, err
}

// warm asks until everything comes from the cache.
func (l *lair) warm(t *testing.T) {
	t.Helper()
	for range 2 {
		for i := range l.homes {
			for _, path := range l.paths(i) {
				if status, foreign, err := l.ask(t.Context(), i, path); status != 200 || foreign != "" || err != nil {
					t.Fatalf("%s: %d, %q, %v", path, status, foreign, err)
				}
			}
		}
	}
	eventually(t, "everything is kept", func() bool { return len(l.keys(t, "/object/")) == 2 && len(l.keys(t, "/events/")) == 2 })
}

// keys are the names in Redis that have a word in them.
func (l *lair) keys(t *testing.T, word string) (keys []string) {
	t.Helper()
	for _, k := range must(l.redis.Keys(t.Context(), "*").Result()) {
		if strings.Contains(k, word) {
			keys = append(keys, k)
		}
	}
	return keys
}

// misroutes is how often the server has noticed.
func (l *lair) misroutes(t *testing.T) float64 {
	return l.metric(t, "latchkey_misroutes_total", "where=cache")
}

// healthy waits until the cache is asked, which it is not for a while after it has lied
// often.
func (l *lair) healthy(t *testing.T) {
	t.Helper()
	eventually(t, "the cache is asked", func() bool {
		hits := func() float64 { return l.metric(t, "latchkey_cache_reads_total", "outcome=hit") }
		before := hits()
		for i := range l.homes {
			for _, path := range l.paths(i) {
				if status, foreign, err := l.ask(t.Context(), i, path); status != 200 || foreign != "" || err != nil {
					t.Fatalf("%s: %d, %q, %v", path, status, foreign, err)
				}
			}
		}
		return hits() >= before+8 // a session each time, an object and a list for each home
	})
}

// cross puts what is kept of one kind for each home under the other's name.
func (l *lair) cross(t *testing.T, kind string) {
	t.Helper()
	keys := l.keys(t, kind)
	var values []string
	for _, k := range keys {
		values = append(values, must(l.redis.Get(t.Context(), k).Result()))
	}
	for n, k := range keys {
		must(l.redis.Set(t.Context(), k, values[(n+1)%len(keys)], 0).Result())
	}
}

// TestCacheCrossesHomes: the cache answers each home with what is kept of the other. All
// of it is genuine, and nobody sees any.
func TestCacheCrossesHomes(t *testing.T) {
	l := openLair(t, 1000)
	for kind, path := range map[string]int{"/object/": 0, "/events/": 1, "/session/": 2} {
		for i := range l.homes {
			l.healthy(t)
			l.cross(t, kind)
			before := l.misroutes(t)
			status, foreign, err := l.ask(t.Context(), i, l.paths(i)[path])
			if status != 200 || err != nil {
				t.Errorf("%s crossed: %d, %v", kind, status, err)
			}
			if foreign != "" {
				t.Errorf("%s crossed: home %d is shown %q of another", kind, i, foreign)
			}
			if !t.Failed() {
				eventually(t, "an alarm", func() bool { return l.misroutes(t) > before })
			}
			must(l.redis.FlushAll(t.Context()).Result()) // the other that is crossed
		}
	}
	if len(l.logs.lines(t, "misroute")) == 0 {
		t.Errorf("the log: %s", l.logs.text())
	}
}

// TestCacheCrossesHomesControl cuts out what compares a value with its question, in the
// cache and at the door, and what asks there whether it was made for the asker.
func TestCacheCrossesHomesControl(t *testing.T) {
	control(t, "TestCacheCrossesHomes", []string{"is shown "},
		sabotage.Cut{File: "bound/value.go", Old: "if string(r.scope) != q.Scope {", New: "if false {"},
		sabotage.Cut{File: "bound/value.go", Old: "if string(r.key) != q.Key {", New: "if false {"},
		sabotage.Cut{File: "server/door.go", Old: "fault := compare(q.Name, x.row, object.Header)", New: "fault := archive.Delivered"},
		sabotage.Cut{File: "server/door.go", Old: "if !own && x.kept {", New: "if !own && false {"},
		sabotage.Cut{File: "server/door.go", Old: "if !own && fault == archive.Delivered {", New: "if !own && false {"},
	)
}

// TestCacheRemembersTheRemoved: the cache puts back what it kept before somebody was
// signed out, removed or had their time run out. They get nothing.
func TestCacheRemembersTheRemoved(t *testing.T) {
	for name, alone := range map[string]bool{"one server": true, "one of several": false} {
		t.Run(name, func(t *testing.T) { remembersTheRemoved(t, alone) })
	}
}

func remembersTheRemoved(t *testing.T, alone bool) {
	l := openLair(t, 1000, func(c *server.Config) {
		if !alone {
			c.Bus = bus.NewLocal()
		}
	})
	m := l.homes[0]
	before := m.owner.Title().Head()
	person := m.owner.Join(keytest.NewPerson(), keytest.AsResident)
	m.append(before)
	path := objectPath(m.stored(latchkey.Thumbnail, "for them too").Name())
	for what, end := range map[string]func(page *api.Home){
		"removed": func(*api.Home) {
			before := m.owner.Title().Head()
			m.owner.Dismiss(person)
			m.append(before)
		},
		"signed out": func(page *api.Home) {
			if err := page.SignOut(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"signed out by somebody else": func(page *api.Home) {
			if err := m.member.EndSession(t.Context(), page.Session()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		page := m.signIn()
		if what == "removed" {
			page = m.page(person)
		}
		of := m.as(page)
		answer, _ := l.do(t, raw{method: "GET", path: path, header: of.asPage(), mac: of.mac()})
		if answer.StatusCode != 200 {
			t.Fatalf("%s: before, %s", what, answer.Status)
		}
		kept := map[string]string{}
		eventually(t, "the session is kept", func() bool {
			for _, k := range l.keys(t, "/") {
				kept[k] = must(l.redis.Get(t.Context(), k).Result())
			}
			return len(l.keys(t, "/session/")) >= 2
		})
		end(page)
		for k, v := range kept {
			must(l.redis.Set(t.Context(), k, v, 0).Result())
		}
		answer, text := l.do(t, raw{method: "GET", path: path, header: of.asPage(), mac: of.mac()})
		if answer.StatusCode != 401 {
			t.Errorf("%s is served: %d %.100q", what, answer.StatusCode, text)
		}
	}
}

// TestCacheRemembersTheRemovedControl cuts the floor out.
func TestCacheRemembersTheRemovedControl(t *testing.T) {
	control(t, "TestCacheRemembersTheRemoved", []string{"is served: 200"},
		sabotage.Cut{File: "bound/value.go", Old: "if r.epoch < q.Floor {", New: "if false {"})
}

// TestCacheOutlivesARestore: nothing that was kept before the server was put back to an
// earlier day answers afterwards, although all numbers are as they were.
func TestCacheOutlivesARestore(t *testing.T) {
	l := openLair(t, 1000)
	put := l.backUp(t)
	for i := range l.homes { // nothing has changed since the backup
		if status, _, err := l.ask(t.Context(), i, l.homes[i].path("/deeds")); status != 200 || err != nil {
			t.Fatal(status, err)
		}
	}
	before := l.metric(t, "latchkey_cache_reads_total", "outcome=hit")
	r := put(func(c *server.Config) { c.Cache = l.cache })
	for i, m := range l.homes {
		answer, _ := r.do(t, raw{method: "GET", path: m.path("/deeds"), header: m.asPage(), mac: m.mac()})
		if answer.StatusCode != 401 {
			t.Errorf("home %d: a session of before is served: %d", i, answer.StatusCode)
		}
	}
	if hits := l.metric(t, "latchkey_cache_reads_total", "outcome=hit"); hits != before {
		t.Errorf("%v answers are of before the restore", hits-before)
	}
}

// TestCacheOutlivesARestoreControl leaves the restore out of the questions.
func TestCacheOutlivesARestoreControl(t *testing.T) {
	control(t, "TestCacheOutlivesARestore", []string{"is served: 200"},
		sabotage.Cut{File: "server/kept.go", Old: "k.generation + what", New: `"0/" + what`})
}

// TestCacheIsAway: the cache cannot be reached, and too many ask at once. Those whom the
// budget leaves out are told when to come back.
func TestCacheIsAway(t *testing.T) {
	l := openLair(t, 3)
	l.proxy.Down(true)
	refused := 0
	eventually(t, "the budget is spent", func() bool {
		answer, text := l.do(t, raw{method: "GET", path: objectPath(l.names[0]), header: l.homes[0].asPage(), mac: l.homes[0].mac()})
		if answer.StatusCode == 503 {
			refused++
			if !strings.Contains(text, `"reason":"busy"`) || answer.Header.Get("Retry-After") == "" {
				t.Errorf("%v %s", answer.Header, text)
			}
		} else if answer.StatusCode != 200 {
			t.Errorf("%d %s", answer.StatusCode, text)
		}
		return refused > 3
	})
	if n := l.metric(t, "latchkey_cache_origin_total", "outcome=refused"); n < 3 {
		t.Errorf("%v reads were refused, by the counter", n)
	}
}

// TestCacheOutOfStep: the wire to the cache loses replies, doubles, swaps, holds and
// crosses them while both homes are looked at by many. Nobody sees the other home, it is
// noticed, and soon all is well again.
func TestCacheOutOfStep(t *testing.T) {
	l := openLair(t, 1000)
	rng := rand.New(rand.NewPCG(1, 2))
	for what, inject := range map[string]func(s fault.Schedule) *fault.Injection{
		"lost":    func(s fault.Schedule) *fault.Injection { return l.proxy.Drop(s, rng) },
		"doubled": func(s fault.Schedule) *fault.Injection { return l.proxy.Duplicate(s, rng) },
		"swapped": func(s fault.Schedule) *fault.Injection { return l.proxy.Swap(s, rng) },
		"glued":   func(s fault.Schedule) *fault.Injection { return l.proxy.Glue(s, rng) },
		"held":    func(s fault.Schedule) *fault.Injection { return l.proxy.Hold(s, rng, 400*time.Millisecond) },
	} {
		t.Run(what, func(t *testing.T) {
			injection := inject(fault.Schedule{At: 50})
			shown := l.rush(t, 40)
			injection.End()
			if what != "glued" && what != "swapped" && injection.Injected() == 0 { // which need neighbours
				t.Errorf("nothing was injected in %d chances", injection.Chances())
			}
			if shown == 0 {
				t.Error("nobody was shown anything")
			}
			eventually(t, "all is well", func() bool {
				for i := range l.homes {
					for _, path := range l.paths(i) {
						if status, foreign, err := l.ask(t.Context(), i, path); status != 200 || foreign != "" || err != nil {
							return false
						}
					}
				}
				return true
			})
		})
	}
	if l.metric(t, "latchkey_cache_clients_total", "what=replaced") == 0 {
		t.Error("no connection to the cache was replaced")
	}
}

// rush has eight people look at each home at once, and says how often they were shown
// something. None of it is the other home's.
func (l *lair) rush(t *testing.T, each int) (shown int) {
	t.Helper()
	var mu sync.Mutex // protects shown
	var all sync.WaitGroup
	for n := range 16 {
		all.Go(func() {
			i := n % 2
			paths := l.paths(i)
			for k := range each {
				status, foreign, err := l.ask(t.Context(), i, paths[k%len(paths)])
				if foreign != "" {
					t.Errorf("home %d is shown %q of another", i, foreign)
				}
				switch {
				case err != nil:
					t.Error(err)
				case status == 200:
					mu.Lock()
					shown++
					mu.Unlock()
				case status != 503:
					t.Errorf("%s: %d", paths[k%len(paths)], status)
				}
			}
		})
	}
	all.Wait()
	return shown
}

// TestDamagedCache: what is kept is damaged. It is read anew.
func TestDamagedCache(t *testing.T) {
	l := openLair(t, 1000)
	for _, word := range []string{"/object/", "/session/", "/deeds/", "/events/"} {
		for _, k := range l.keys(t, word) {
			n := must(l.redis.StrLen(t.Context(), k).Result())
			must(l.redis.SetRange(t.Context(), k, n-40, "damaged").Result())
		}
		for i := range l.homes {
			for _, path := range l.paths(i) {
				if status, foreign, err := l.ask(t.Context(), i, path); status != 200 || foreign != "" || err != nil {
					t.Errorf("%s damaged: %s: %d, %q, %v", word, path, status, foreign, err)
				}
			}
		}
	}
	if n := l.metric(t, "latchkey_cache_reads_total", "outcome=damaged"); n == 0 {
		t.Error("nothing damaged was counted")
	}
	if n := l.misroutes(t); n != 0 {
		t.Errorf("%v misroutes: what is damaged is another thing", n)
	}
}
