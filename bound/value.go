package bound

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"
)

// A value as it is stored; README.md says the same in words. Integers are big-endian.
//
//	"lkb" 1 | key ID [8] | codec u16 | epoch u64 | stored u64 | scope lp16 | key lp16 | bytes lp32 | MAC [32]
//
// The MAC is of everything before it; magic and version are its label. What stays within
// the process has one of another kind ([ownKey]): nonce [12] | tag [16].
const (
	magic     = "lkb"
	version   = 1
	fixedSize = len(magic) + 1 + len(keyID{}) + 2 + 8 + 8
	least     = fixedSize + 2 + 2 + 4 // of a value without its MAC
	overhead  = least + sha256.Size
)

// skew is how far ahead the clock of the server that stored a value may be.
const skew = 5 * time.Second

// record is a value taken apart. Its parts are the value's own bytes.
type record struct {
	keyID  keyID
	codec  uint16
	epoch  uint64
	stored uint64 // microseconds since 1970
	scope  []byte
	key    []byte
	bytes  []byte
	signed []byte // all that the MAC is of
	mac    []byte
}

// verdict is what became of looking for an answer in a tier.
type verdict int

const (
	fresh     verdict = iota // it is the answer
	absent                   // there is nothing
	unasked                  // it was not asked, or says too late
	unknown                  // sealed under a key that is not ours, or in a later version
	old                      // below the floor
	expired                  // stored too long ago, or after now
	misrouted                // genuine, and the answer to something else; from here on the client is replaced
	damaged                  // not what was stored
	failed                   // the tier could not be asked
	panicked                 // its client has panicked
	verdicts
)

// seal writes a value. It is the caller's own.
func (k *Keys) seal(a Answer) []byte {
	b := make([]byte, 0, overhead+len(a.Scope)+len(a.Key)+len(a.Bytes))
	b = append(b, magic...)
	b = append(b, version)
	id := k.current.id()
	b = append(b, id[:]...)
	b = binary.BigEndian.AppendUint16(b, a.Codec)
	b = binary.BigEndian.AppendUint64(b, a.Epoch)
	b = binary.BigEndian.AppendUint64(b, uint64(a.Stored.UnixMicro()))
	b = binary.BigEndian.AppendUint16(b, uint16(len(a.Scope)))
	b = append(b, a.Scope...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(a.Key)))
	b = append(b, a.Key...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(a.Bytes)))
	b = append(b, a.Bytes...)
	return k.current.appendMAC(b, b)
}

// What is wrong with bytes that are no value.
var (
	errMalformed = errors.New("the bytes are no bound value")
	errVersion   = errors.New("the value is of a later version")
)

// parse takes a value apart whose MAC has that size. It believes nothing: that is
// [Keys.judge]'s.
func parse(v []byte, size int, r *record) (err error) {
	if len(v) < len(magic)+1 || string(v[:len(magic)]) != magic || v[len(magic)] == 0 {
		return errMalformed
	}
	if v[len(magic)] > version {
		return errVersion
	}
	if len(v) < least+size {
		return errMalformed
	}
	signed := v[:len(v)-size]
	r.signed, r.mac = signed, v[len(signed):]
	rest := signed[len(magic)+1:]
	copy(r.keyID[:], rest)
	rest = rest[len(r.keyID):]
	r.codec, rest = binary.BigEndian.Uint16(rest), rest[2:]
	r.epoch, rest = binary.BigEndian.Uint64(rest), rest[8:]
	r.stored, rest = binary.BigEndian.Uint64(rest), rest[8:]
	if r.scope, rest, err = cut16(rest, maxScope); err != nil {
		return err
	}
	if r.key, rest, err = cut16(rest, maxKey); err != nil {
		return err
	}
	if len(rest) < 4 || uint64(binary.BigEndian.Uint32(rest)) != uint64(len(rest)-4) || r.stored > math.MaxInt64 {
		return errMalformed
	}
	r.bytes = slices.Clip(rest[4:]) // what is appended to them does not run into the MAC
	return nil
}

// cut16 takes from b what its length goes before, at most limit bytes and at least one.
func cut16(b []byte, limit int) (part, rest []byte, err error) {
	if len(b) < 2 {
		return nil, nil, errMalformed
	}
	n, b := int(binary.BigEndian.Uint16(b)), b[2:]
	if n == 0 || n > limit || n > len(b) {
		return nil, nil, errMalformed
	}
	return b[:n], b[n:], nil
}

// judge says what r is to somebody who asks q at that time. Only what it calls fresh may
// be handed out.
func (k *Keys) judge(q Question, r *record, now time.Time, life time.Duration) verdict {
	key := k.find(r.keyID)
	if key == nil {
		return unknown
	}
	if !key.authentic(r.signed, r.mac) {
		return damaged
	}
	if string(r.scope) != q.Scope {
		return misrouted
	}
	if string(r.key) != q.Key {
		return misrouted
	}
	if r.codec != q.Codec {
		return misrouted
	}
	if r.epoch < q.Floor {
		return old
	}
	age := now.Sub(r.time())
	if age < -skew {
		return expired
	}
	if age >= life {
		return expired
	}
	return fresh
}

func (r *record) time() time.Time { return time.UnixMicro(int64(r.stored)).UTC() }

// answer is what r says, for whoever has had it judged. Scope and key are the
// question's, which are the same.
func (r *record) answer(q Question) Answer {
	return Answer{Scope: q.Scope, Key: q.Key, Codec: r.codec, Epoch: r.epoch, Stored: r.time(), Bytes: r.bytes}
}

// question is what r says that it answers.
func (r *record) question() Question {
	return Question{string(r.scope), string(r.key), r.codec, r.epoch}
}
