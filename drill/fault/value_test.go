package fault_test

import (
	"fmt"
	"math/bits"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/latchkey-cam/latchkey/drill/fault"
)

func set(key, value string) string {
	return fmt.Sprintf("*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(key), key, len(value), value)
}

var (
	once  = fault.Schedule{At: 1}
	every = fault.Schedule{Rate: 1}
)

func TestReplay(t *testing.T) {
	p := cache(t)
	in := p.Replay(every, seeded())
	c := dial(t, p.Addr())
	c.say(get("k1"), set("k1", "new"), get("k1"), "*2\r\n$3\r\nDEL\r\n$2\r\nk1\r\n", get("k1"), get("k2"))
	if got := c.hears(); got != "k1 +OK k1 :1 k1 k2" || in.Injected() != 2 || in.Chances() != 2 {
		t.Errorf("after a change and a removal the cache says %q, %d of %d are counted", got, in.Injected(), in.Chances())
	}
}

func TestReuse(t *testing.T) {
	p := cache(t)
	in := p.Reuse(every, seeded())
	c := dial(t, p.Addr())
	c.say(set("k1", "short"), set("k2", "longer value"), get("k2"), get("k1"), get("k2"), get("k3"))
	if got := c.hears(); got != "+OK +OK longer value longe shortr value longer valu" || in.Injected() != 3 {
		t.Errorf("the cache says %q, %d are counted", got, in.Injected())
	}
}

func TestRot(t *testing.T) {
	p := cache(t)
	in := p.Rot(once, seeded())
	c := dial(t, p.Addr())
	c.say(set("k1", "AAAAAAAA"), get("k1"))
	got := strings.TrimPrefix(c.hears(), "+OK ")
	differ := 0
	for i := range got {
		differ += bits.OnesCount8(got[i] ^ 'A')
	}
	if len(got) != 8 || differ != 1 || in.Injected() != 1 {
		t.Errorf("the cache says %q: %d bits differ, %d are counted", got, differ, in.Injected())
	}
}

func TestRecode(t *testing.T) {
	p := cache(t)
	in := p.Recode(fault.Schedule{After: 1, Rate: 1}, seeded())
	c := dial(t, p.Addr())
	c.say(set("k1", "0123456789"), set("k2", "0123456789"), get("k1"), get("k2"))
	if got := c.hears(); got != "+OK +OK 0123456789 7654321098" || in.Injected() != 1 {
		t.Errorf("the cache holds %q, %d are counted", got, in.Injected())
	}
}

func TestMisaddress(t *testing.T) {
	m := miniredis.RunT(t)
	p := proxy(t, m.Addr(), fault.RESP)
	if err := m.Set("home-a", "a's"); err != nil {
		t.Fatal(err)
	}
	if err := m.Set("home-b", "b's"); err != nil {
		t.Fatal(err)
	}
	c := dial(t, p.Addr())
	c.say("*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n", get("home-a"))
	if got := c.hears(); got != "+OK $-1" {
		t.Errorf("another database says %q", got)
	}
	in := p.Misaddress(every, seeded())
	c = dial(t, p.Addr())
	c.say("*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n", get("home-a"), get("home-b"), get("home-b"), get("a longer key"))
	if got := c.hears(); got != "+OK a's a's a's $-1" || in.Injected() != 3 {
		t.Errorf("the cache says %q, %d are counted", got, in.Injected())
	}
}

func TestCollide(t *testing.T) {
	m := miniredis.RunT(t)
	p := proxy(t, m.Addr(), fault.RESP)
	in := p.Collide(every, seeded())
	c := dial(t, p.Addr())
	for i := range 2000 {
		c.say(set(fmt.Sprintf("drill:key-%d", i), "v"))
	}
	c.hears()
	names := m.Keys()
	if len(names) < 200 || len(names) > 256 || in.Injected() != 2000 || !strings.HasPrefix(names[0], "drill:") || len(names[0]) != len("drill:00") {
		t.Errorf("2,000 keys are %d in the cache, such as %q; %d are counted", len(names), names[0], in.Injected())
	}
}

// TestSeed draws twice from one seed, and once from another.
func TestSeed(t *testing.T) {
	rot := func(seed uint64) string {
		p := cache(t)
		in := p.Rot(fault.Schedule{Rate: 0.3}, source(seed))
		c := dial(t, p.Addr())
		for range 30 {
			c.say(get("k1"))
		}
		return fmt.Sprint(c.hears(), in.Injected())
	}
	first, again, other := rot(7), rot(7), rot(8)
	if first != again {
		t.Errorf("the same seed does %q, then %q", first, again)
	}
	if first == other {
		t.Error("two seeds do the same")
	}
}
