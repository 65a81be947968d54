package bound_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey/bound"
)

// TestLengthsThatLie: a value whose lengths leave too little for what follows is damaged,
// and nothing worse happens.
func TestLengthsThatLie(t *testing.T) {
	start := genuine().value()[:4+8+2+8+8]
	piece := func(n int) []byte {
		return append(binary.BigEndian.AppendUint16(nil, uint16(n)), bytes.Repeat([]byte("x"), n)...)
	}
	for name, rest := range map[string][]byte{
		"one byte for the key":     append(piece(60), 0),
		"nothing for the key":      piece(60),
		"three bytes for a length": slices.Concat(piece(6), piece(60), []byte{0, 0, 0}),
		"nothing for a length":     slices.Concat(piece(6), piece(60)),
	} {
		value := slices.Concat(start, rest, make([]byte, 32))
		t.Run(name, func(t *testing.T) {
			try(t, vector{Keys: []string{secretA}, Scope: "home/1", Key: "thumbnails", Codec: 1, Now: then, Life: "1m", Value: hex.EncodeToString(value), Expect: "damaged"})
		})
	}
}

// TestKeysAreKeys: one or two lines of 64 hexadecimal digits, and no key twice.
func TestKeysAreKeys(t *testing.T) {
	a, b := strings.Repeat("0a", 32), strings.Repeat("0b", 32)
	for text, ok := range map[string]bool{
		a: true, a + "\n": true, a + "\n" + b + "\n": true,
		"": false, a + "\n" + a: false, a + "\n" + b + "\n" + strings.Repeat("0c", 32): false, a[:62]: false, a + "0": false, a + "0a": false, "zz" + a[2:]: false, a[:63]: false,
	} {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := bound.ReadKeys(path)
		if (err == nil) != ok || (k != nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && text != "" && strings.Contains(err.Error(), text[:8]) {
			t.Errorf("the error tells the key: %v", err)
		}
	}
	if k, err := bound.ReadKeys(filepath.Join(t.TempDir(), "none")); err == nil || k != nil {
		t.Error("keys were read from no file")
	}
}

// TestForgottenIsNotStored: what was being read when it was forgotten is stored nowhere,
// also if nobody has read anything newer.
func TestForgottenIsNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, release := &table{}, make(chan struct{})
		c := open(t, bound.Config{Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{})}})
		go func() {
			_, err := c.Get(t.Context(), thumbnails, func(ctx context.Context, q bound.Question) (bound.Answer, error) {
				a, err := o.read(ctx, q)
				<-release
				return a, err
			})
			if err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		o.epoch.Store(1)
		if err := c.Forget(t.Context(), thumbnails); err != nil {
			t.Fatal(err)
		}
		close(release)
		synctest.Wait()
		want(t, c, thumbnails, o.read, 1)
	})
}

// TestNothingIsLeftToMisroute: a genuine value under another's name is removed where the
// origin knows nothing to put over it.
func TestNothingIsLeftToMisroute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o, alarms := newServer(), &table{}, &log{}
		c := open(t, bound.Config{Tiers: []bound.Tier{s.tier()}, Alarm: alarms.add})
		want(t, c, home(1), o.read, 0)
		synctest.Wait()
		s.set(func() {
			for name, value := range s.values {
				s.values[strings.Replace(name, home(1).Scope, home(2).Scope, 1)] = value
			}
		})
		missing := errors.New("no such row")
		for range 10 {
			_, err := c.Get(t.Context(), home(2), func(context.Context, bound.Question) (bound.Answer, error) { return bound.Answer{}, missing })
			if !errors.Is(err, missing) {
				t.Error(err)
			}
			synctest.Wait()
		}
		if n := len(alarms.of(bound.Misrouted)); n != 1 || tell(t, c).Replaced != 1 {
			t.Errorf("one value under another's name is reported %d times and %+v", n, tell(t, c))
		}
	})
}

// TestHavingNothingIsHealthy: a tier that has nothing and says so is in order.
func TestHavingNothingIsHealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newServer(), &table{}
		c := open(t, bound.Config{Tiers: []bound.Tier{s.tier()}})
		for i := range homes {
			want(t, c, home(i), o.read, 0)
		}
		synctest.Wait()
		s.set(func() { s.hurt = crossed(s) })
		for i := 0; tell(t, c).State == bound.Healthy && i < 20; i++ {
			want(t, c, home(i%homes), o.read, 0)
			synctest.Wait()
		}
		s.set(func() { s.hurt = nil; clear(s.values) })
		time.Sleep(time.Minute)
		for i := range 8 {
			want(t, c, home(i), o.read, 0)
			synctest.Wait()
			s.set(func() { clear(s.values) })
		}
		if state := tell(t, c).State; state != bound.Healthy {
			t.Errorf("after 8 probes that found nothing the tier is %s", state)
		}
	})
}
