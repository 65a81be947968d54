package server

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
)

// maxNonces bounds the memory of nonces that were used. What comes beyond it is refused
// until the first run out, which is a minute or two.
const maxNonces = 200_000

// nonces makes nonces for sign-in and remembers which were used.
//
// A challenge is given to anybody who asks, so it costs no memory: it is a time, some
// chance and a MAC. Only a nonce that came back with a genuine signature is kept, until
// it would have run out anyway. A restart makes a new key, and all challenges void.
type nonces struct {
	key [32]byte

	mu    sync.Mutex // protects what follows
	used  map[[32]byte]latchkey.Time
	sweep latchkey.Time // when to look through used again
}

func newNonces() *nonces {
	n := &nonces{used: map[[32]byte]latchkey.Time{}}
	rand.Read(n.key[:])
	return n
}

func (n *nonces) mac(b []byte, about string) []byte {
	m := hmac.New(sha256.New, n.key[:])
	m.Write(b)
	m.Write([]byte(about))
	return m.Sum(nil)[:16]
}

// What a challenge is about, so that none is good for anything else.
const aboutPasskey = "passkey"

func aboutNewPasskey(id latchkey.AccountID) string { return "new passkey of " + string(id[:]) }

func aboutDevice(home latchkey.HomeID, device latchkey.DeviceID) string {
	return "device of " + string(home[:]) + string(device[:])
}

// challenge makes a nonce about something.
func (n *nonces) challenge(about string, life time.Duration, now time.Time) ([]byte, latchkey.Time) {
	expires := timeOf(now.Add(life))
	b := binary.BigEndian.AppendUint64(nil, uint64(expires))
	b = append(b, make([]byte, 8)...)
	rand.Read(b[8:])
	return append(b, n.mac(b, about)...), expires
}

// genuine says whether this server made the nonce about that, and it holds still.
func (n *nonces) genuine(nonce []byte, about string, now time.Time) bool {
	if len(nonce) != 32 || !hmac.Equal(nonce[16:], n.mac(nonce[:16], about)) {
		return false
	}
	return latchkey.Time(binary.BigEndian.Uint64(nonce)) >= timeOf(now)
}

// spend uses a nonce up; it is false the second time.
func (n *nonces) spend(nonce []byte, now time.Time) bool {
	return n.once([32]byte(nonce), latchkey.Time(binary.BigEndian.Uint64(nonce)), timeOf(now))
}

// fresh says whether an agent's request came for the first time. The nonce counts for
// its agent alone, so that one agent cannot use up another's.
func (n *nonces) fresh(r api.SignedAgentRequest, now time.Time) bool {
	h := sha256.New()
	h.Write(r.Home[:])
	h.Write(r.Agent[:])
	h.Write(r.Nonce[:])
	return n.once([32]byte(h.Sum(nil)), r.Expires, timeOf(now))
}

func (n *nonces) once(nonce [32]byte, expires, now latchkey.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now >= n.sweep || len(n.used) >= maxNonces {
		for k, until := range n.used {
			if until < now {
				delete(n.used, k)
			}
		}
		n.sweep = now + latchkey.Time(time.Minute.Microseconds())
	}
	if _, used := n.used[nonce]; used || len(n.used) >= maxNonces {
		return false
	}
	n.used[nonce] = expires
	return true
}
