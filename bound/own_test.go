package bound

import (
	"bytes"
	"testing"
	"time"
)

// TestOwnKey: what stays within the process is judged like anything else: a value with
// any bit flipped is damaged, or says nothing that anybody has asked; and no nonce comes
// twice, on which GMAC depends.
func TestOwnKey(t *testing.T) {
	keys := &Keys{current: newOwnKey()}
	now := time.Unix(1_700_000_000, 0)
	q := Question{Scope: "home/1", Key: "deeds", Codec: 1, Floor: 7}
	a := Answer{Scope: q.Scope, Key: q.Key, Codec: q.Codec, Epoch: 7, Stored: now, Bytes: []byte("of home 1")}
	judged := func(keys *Keys, value []byte) verdict {
		var r record
		if parse(value, keys.current.size(), &r) != nil {
			return damaged
		}
		return keys.judge(q, &r, now, time.Minute)
	}
	value := keys.seal(a)
	if v := judged(keys, value); v != fresh {
		t.Fatalf("a value as it was sealed is %d", v)
	}
	if v := judged(&Keys{current: newOwnKey()}, value); v != damaged {
		t.Errorf("a value of another process is %d, want damaged", v)
	}
	for i := range len(value) * 8 {
		flipped := bytes.Clone(value)
		flipped[i/8] ^= 1 << (i % 8)
		if v := judged(keys, flipped); v != damaged && v != unknown {
			t.Errorf("with bit %d flipped it is %d", i, v)
		}
	}
	nonces := map[string]bool{}
	for range 1000 {
		value := keys.seal(a)
		nonces[string(value[len(value)-keys.current.size():][:12])] = true
	}
	if len(nonces) != 1000 {
		t.Errorf("%d nonces for 1000 values", len(nonces))
	}
}
