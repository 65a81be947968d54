package gate

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Place is somebody's place among those who were told to come back. It is the gate's word,
// under a MAC, so that the gate need not remember them; whoever has it may use it, once.
type Place string

// A place is the base64url of: rank u8 | number u64 | MAC [16]. Integers are big-endian.
// The MAC is HMAC-SHA256 of what is before it after the label, cut to 16 bytes.
const (
	labelPlace = "latchkey place v1\x00"
	placeMAC   = 16
	placeSize  = 1 + 8 + placeMAC
)

func seal(key *[32]byte, rank Rank, number uint64) Place {
	b := append(make([]byte, 0, placeSize), byte(rank))
	b = binary.BigEndian.AppendUint64(b, number)
	return Place(base64.RawURLEncoding.EncodeToString(append(b, sign(key, b)...)))
}

func sign(key *[32]byte, b []byte) []byte {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte(labelPlace))
	h.Write(b)
	return h.Sum(nil)[:placeMAC]
}

// open returns the number of a place that this gate has given to somebody of that rank.
func (p Place) open(key *[32]byte, rank Rank) (number uint64, ok bool) {
	if len(p) != base64.RawURLEncoding.EncodedLen(placeSize) {
		return 0, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(string(p))
	if err != nil || len(b) != placeSize || b[0] != byte(rank) || !hmac.Equal(b[9:], sign(key, b[:9])) {
		return 0, false
	}
	return binary.BigEndian.Uint64(b[1:9]), true
}
