package bound_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey/bound"
	"github.com/latchkey-cam/latchkey/internal/vectors"
)

// vector is one value and what a reader makes of it (README.md, "Vectors").
type vector struct {
	Name   string    `json:"name"`
	Says   string    `json:"says"`
	Keys   []string  `json:"keys"` // the reader's, the current one first
	Scope  string    `json:"scope"`
	Key    string    `json:"key"`
	Codec  uint16    `json:"codec"`
	Floor  uint64    `json:"floor"`
	Now    time.Time `json:"now"`
	Life   string    `json:"life"`
	Value  string    `json:"value"` // hexadecimal
	Expect string    `json:"expect"`
	Bytes  string    `json:"bytes,omitempty"` // of the answer, hexadecimal
}

const vectorsFile = "testdata/values.json"

var then = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// spelled writes a value from README.md alone. What is nil is as it should be.
type spelled struct {
	secret, magic, scope, key string
	codec                     uint16
	epoch                     uint64
	stored                    uint64
	bytes                     string
	length                    int // beside the bytes' own
	mac                       []byte
}

// genuine is what most vectors are made of.
func genuine() spelled {
	return spelled{secret: secretA, magic: "lkb\x01", scope: "home/1", key: "thumbnails", codec: 1, epoch: 7,
		stored: uint64(then.Add(-10 * time.Second).UnixMicro()), bytes: "the bytes"}
}

func macOf(secret string, text []byte) []byte {
	key, _ := hex.DecodeString(secret)
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}

func (s spelled) value() []byte {
	lp16 := func(b []byte, text string) []byte {
		return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...)
	}
	b := []byte(s.magic)
	b = append(b, macOf(s.secret, []byte("latchkey bound key v1\x00"))[:8]...)
	b = binary.BigEndian.AppendUint16(b, s.codec)
	b = binary.BigEndian.AppendUint64(b, s.epoch)
	b = binary.BigEndian.AppendUint64(b, s.stored)
	b = lp16(lp16(b, s.scope), s.key)
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.bytes)+s.length))
	b = append(b, s.bytes...)
	if s.mac != nil {
		return append(b, s.mac...)
	}
	return append(b, macOf(s.secret, b)...)
}

// made are the vectors as this test makes them.
func made() (all []vector) {
	add := func(name, expect, says string, alter func(*spelled)) {
		s := genuine()
		alter(&s)
		v := asked(name, expect, says, s.value())
		if expect == "hit" {
			v.Bytes = hex.EncodeToString([]byte(s.bytes))
		}
		all = append(all, v)
	}
	at := func(after time.Duration) func(*spelled) {
		return func(s *spelled) { s.stored = uint64(then.Add(after).UnixMicro()) }
	}
	add("genuine", "hit", "a value as it should be", func(*spelled) {})
	add("empty", "hit", "no bytes are bytes, too", func(s *spelled) { s.bytes = "" })
	add("former-key", "hit", "the former key still opens", func(s *spelled) { s.secret = secretB })
	add("unknown-key", "unknown", "a key that the reader does not have yet, or no more", func(s *spelled) { s.secret = secretC })
	add("later-version", "unknown", "a later version", func(s *spelled) { s.magic = "lkb\x02" })
	add("version-zero", "damaged", "there is no version 0", func(s *spelled) { s.magic = "lkb\x00" })
	add("other-magic", "damaged", "something else under the value's name", func(s *spelled) { s.magic = "lkc\x01" })
	add("other-scope", "misrouted", "the value of another home", func(s *spelled) { s.scope = "home/2" })
	add("other-key", "misrouted", "another value of the same home", func(s *spelled) { s.key = "deeds" })
	add("other-codec", "misrouted", "written in another way", func(s *spelled) { s.codec = 2 })
	add("moved-border", "misrouted", "scope and key together are the same text", func(s *spelled) { s.scope, s.key = "home/1t", "humbnails" })
	add("below-the-floor", "old", "an epoch that has passed", func(s *spelled) { s.epoch = 4 })
	add("at-the-floor", "hit", "the floor's own epoch", func(s *spelled) { s.epoch = 5 })
	add("expired", "expired", "its life has just ended", at(-time.Minute))
	add("about-to-expire", "hit", "its life ends in a microsecond", at(-time.Minute+time.Microsecond))
	add("from-the-future", "expired", "stored further ahead than clocks may differ", at(5*time.Second+time.Microsecond))
	add("clock-ahead", "hit", "stored by a server whose clock is ahead", at(5*time.Second))
	add("beyond-time", "damaged", "no time at all", func(s *spelled) { s.stored = math.MaxInt64 + 1 })
	add("other-mac", "damaged", "another MAC", func(s *spelled) { s.mac = make([]byte, 32) })
	add("mac-of-another-key", "damaged", "sealed by somebody who has another key and claims this one", func(s *spelled) {
		whole := s.value()
		s.mac = macOf(secretC, whole[:len(whole)-32])
	})
	add("no-scope", "damaged", "whose value it is must be said", func(s *spelled) { s.scope = "" })
	add("no-key", "damaged", "what of it must be said", func(s *spelled) { s.key = "" })
	add("long-scope", "damaged", "a scope above the limit", func(s *spelled) { s.scope = strings.Repeat("s", 257) })
	add("long-key", "damaged", "a key above the limit", func(s *spelled) { s.key = strings.Repeat("k", 1025) })
	add("length-short", "damaged", "more bytes than their length says", func(s *spelled) { s.length = -1 })
	add("length-long", "damaged", "fewer bytes than their length says", func(s *spelled) { s.length = 1 })
	whole := genuine().value()
	all = append(all,
		asked("nothing", "damaged", "no bytes at all", nil),
		asked("cut-short", "damaged", "the last byte is missing", whole[:len(whole)-1]),
		asked("cut-in-the-scope", "damaged", "it ends within the scope", whole[:36]),
		asked("one-more", "damaged", "a byte too many", append(slices.Clip(whole), 0)),
		asked("a-word", "damaged", "what another command is answered with", []byte("OK")))
	return all
}

func asked(name, expect, says string, value []byte) vector {
	v := vector{Name: name, Says: says, Keys: []string{secretA, secretB}, Scope: "home/1", Key: "thumbnails", Codec: 1, Floor: 5,
		Now: then, Life: "1m", Value: hex.EncodeToString(value), Expect: expect}
	return v
}

// strays are the questions that misrouted vectors answer, their epoch in the floor's place.
var strays = map[string]bound.Question{
	"other-scope": {Scope: "home/2", Key: "thumbnails", Codec: 1, Floor: 7}, "other-key": {Scope: "home/1", Key: "deeds", Codec: 1, Floor: 7},
	"other-codec": {Scope: "home/1", Key: "thumbnails", Codec: 2, Floor: 7}, "moved-border": {Scope: "home/1t", Key: "humbnails", Codec: 1, Floor: 7},
}

// TestVectors puts each value where the answer to its question is looked for.
func TestVectors(t *testing.T) {
	if vectors.Missing(vectorsFile) {
		text, err := json.MarshalIndent(made(), "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorsFile, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	all := readVectors(t)
	by := map[string]int{}
	for _, v := range all {
		by[v.Expect]++
		t.Run(v.Name, func(t *testing.T) { try(t, v) })
	}
	want := map[string]int{"hit": 6, "unknown": 2, "old": 1, "expired": 2, "misrouted": 4, "damaged": 16}
	if !maps.Equal(by, want) {
		t.Errorf("the vectors expect %v, want %v", by, want)
	}
}

func readVectors(t testing.TB) (all []vector) {
	t.Helper()
	text, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func try(t *testing.T, v vector) {
	synctest.Test(t, func(t *testing.T) {
		value, err := hex.DecodeString(v.Value)
		if err != nil {
			t.Fatal(err)
		}
		life, err := time.ParseDuration(v.Life)
		if err != nil {
			t.Fatal(err)
		}
		s, o, alarms := newServer(), &table{}, &log{}
		o.epoch.Store(v.Floor)
		q := bound.Question{Scope: v.Scope, Key: v.Key, Codec: v.Codec, Floor: v.Floor}
		s.hurt = func(command []string, reply []byte) []byte {
			if command[0] == "GET" {
				return fmt.Appendf(nil, "$%d\r\n%s\r\n", len(value), value)
			}
			return reply
		}
		c := open(t, bound.Config{Keys: keysFile(t, v.Keys...), Tiers: []bound.Tier{s.tier()}, Life: life, Alarm: alarms.add, Now: func() time.Time { return v.Now }})
		a, err := c.Get(t.Context(), q, o.read)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if v.Expect == "hit" {
			if hex.EncodeToString(a.Bytes) != v.Bytes || a.Scope != v.Scope || a.Key != v.Key || a.Codec != v.Codec || o.reads.Load() != 0 {
				t.Errorf("answered %+v after %d reads of the origin", a, o.reads.Load())
			}
		} else if string(a.Bytes) != string(truth(q, v.Floor).Bytes) || o.reads.Load() != 1 {
			t.Errorf("answered %+v after %d reads of the origin, want the origin's answer", a, o.reads.Load())
		}
		counted(t, c, v.Expect)
		loud := v.Expect == "misrouted" || v.Expect == "damaged"
		if told := len(alarms.list) > 0; told != loud || loud && string(alarms.list[0].Kind) != v.Expect {
			t.Errorf("told of %+v", alarms.list)
		}
		if found, ok := strays[v.Name]; ok && (alarms.list[0].Asked != q || alarms.list[0].Found != found) {
			t.Errorf("told of %+v, want what was found to be %+v", alarms.list, found)
		}
		if (tell(t, c).Replaced == 1) != loud {
			t.Errorf("%+v: a client is replaced if its value was wrong, and only then", tell(t, c))
		}
	})
}

// counted wants one read counted, as that.
func counted(t *testing.T, c *bound.Cache, as string) {
	t.Helper()
	s := tell(t, c)
	got := map[string]uint64{"hit": s.Hits, "unknown": s.UnknownKey, "old": s.Old, "expired": s.Expired, "misrouted": s.Misrouted, "damaged": s.Damaged}
	for what, n := range got {
		if n != 0 && what != as || n != 1 && what == as {
			t.Errorf("counted %d as %s, want one as %s", n, what, as)
		}
	}
}

// TestEveryBitCounts: a value with any of its bits changed is no answer.
func TestEveryBitCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := newServer(), &table{}
		whole := genuine().value()
		bit, began := 0, time.Now()
		s.hurt = func(command []string, reply []byte) []byte {
			if command[0] != "GET" {
				return reply
			}
			value := slices.Clone(whole)
			value[bit/8] ^= 1 << (bit % 8)
			return bulk(value)
		}
		c := open(t, bound.Config{Keys: keysFile(t, secretA), Tiers: []bound.Tier{s.tier()}, Now: func() time.Time { return then.Add(time.Since(began)) }})
		for bit = range 8 * len(whole) {
			want(t, c, thumbnails, o.read, 0)
			synctest.Wait()
			time.Sleep(3 * time.Second) // so that there is no quarantine
		}
		if st := tell(t, c); st.Hits != 0 || st.Damaged+st.UnknownKey < uint64(8*len(whole)) {
			t.Errorf("of %d changed bits: %+v", 8*len(whole), st)
		}
	})
}
