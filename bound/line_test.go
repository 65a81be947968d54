package bound_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
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

// TestForgottenIsNotStored: what was being read when it was forgotten is stored nowhere,
// also if nobody has read anything newer.
func TestForgottenIsNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, o, release := forgottenWhileRead(t)
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
		reportedOnce(t, c, home(2), alarms, bound.Misrouted)
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
