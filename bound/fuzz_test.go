package bound

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"
)

// FuzzValue: whatever bytes are taken for a value, they are refused, or they are what
// sealing the answer in them gives.
func FuzzValue(f *testing.F) {
	text, err := os.ReadFile("testdata/values.json")
	if err != nil {
		f.Fatal(err)
	}
	var vectors []struct{ Value string }
	if err := json.Unmarshal(text, &vectors); err != nil {
		f.Fatal(err)
	}
	if len(vectors) < 31 {
		f.Fatalf("%d vectors, want 31 or more", len(vectors))
	}
	for _, v := range vectors {
		value, err := hex.DecodeString(v.Value)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(value, false)
		f.Add(value, true)
	}
	keys, err := ParseKeys(bytes.Repeat([]byte("a"), 64))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value []byte, sign bool) {
		if sign && len(value) >= overhead { // so that what lies behind the MAC is tried, too
			id := keys.current.id()
			copy(value[len(magic)+1:], id[:])
			signed := value[:len(value)-32]
			value = keys.current.appendMAC(bytes.Clone(signed), signed)
		}
		var r record
		if parse(value, keys.current.size(), &r) != nil {
			return
		}
		q := Question{string(r.scope), string(r.key), r.codec, r.epoch}
		if keys.judge(q, &r, r.time(), time.Minute) != fresh {
			if sign {
				t.Errorf("%x is refused by whoever asks just that", value)
			}
			return
		}
		if !bytes.Equal(keys.seal(r.answer(q)), value) {
			t.Errorf("%x is read, and written in another way", value)
		}
	})
}

// FuzzFrames: however replies come in pieces, they end in the same places.
func FuzzFrames(f *testing.F) {
	for _, s := range []string{
		"+OK\r\n", "-ERR no\r\n", ":-12\r\n", "$3\r\nabc\r\n+x\r\n", "$-1\r\n", "_\r\n", "*2\r\n$1\r\na\r\n*0\r\n", "%1\r\n+a\r\n*1\r\n:1\r\n",
		"$-2\r\n", "$99999999999999999999\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", ">2\r\n+a\r\n+b\r\n", "*-1\r\n", "+\n", "$?\r\n",
	} {
		f.Add([]byte(s), uint8(1))
	}
	f.Fuzz(func(t *testing.T, stream []byte, step uint8) {
		whole, err := ends(stream, len(stream)+1)
		pieces, errOfPieces := ends(stream, int(step)+1)
		if (err == nil) != (errOfPieces == nil) || !slices.Equal(whole, pieces) {
			t.Errorf("%q ends at %v (%v), in pieces of %d at %v (%v)", stream, whole, err, int(step)+1, pieces, errOfPieces)
		}
	})
}

// ends says where frames end in a stream that comes in pieces.
func ends(stream []byte, step int) (at []int, err error) {
	f := frames{bulk: 64}
	for begin := 0; begin < len(stream); begin += step {
		piece := stream[begin:min(begin+step, len(stream))]
		for done := 0; done < len(piece); {
			n, whole, err := f.next(piece[done:])
			if err != nil {
				return at, err
			}
			if done += n; whole {
				at = append(at, begin+done)
			}
		}
	}
	return at, nil
}
