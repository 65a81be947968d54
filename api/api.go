// Package api is what agent, browser and server say to each other (docs/wire.md): the
// table of routes, the messages, what is signed and what is MACed, and a client.
//
// It is for everybody and so it can open nothing: sign-in, requests and hellos are
// signed through [crypto.Signer], a join is proven by HMACs, and a camera's name in an
// ask is ciphertext here.
package api

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/latchkey-cam/latchkey"
)

// The headers of docs/wire.md.
const (
	HeaderRequest = "Latchkey-Request" // the request's ID, in request and answer
	HeaderAgent   = "Latchkey-Agent"   // who uploads
	HeaderOffset  = "Latchkey-Offset"  // where an upload goes on
	HeaderStored  = "Latchkey-Stored"  // the name of the object, if nothing of it is missing
	HeaderReason  = "Latchkey-Reason"  // of a refusal, for answers that have no body
	HeaderPlace   = "Latchkey-Place"   // of a refusal whose reason is [Turn], and of the request that comes back
)

// CookieName names the cookie of a session at a home. Each home has its own, so that
// several live in one browser.
func CookieName(home latchkey.HomeID) string { return "latchkey_" + home.String() }

// The limits of messages. Those of what is in them are deed's and sealed's.
const (
	MaxJSON   = 1 << 20 // bytes of a JSON body
	MaxSocket = 4 << 20 // bytes of a websocket message
	MaxEvents = 100     // events in a page
)

// How long things hold.
const (
	SetupLife     = 30 * time.Minute
	ChallengeLife = 2 * time.Minute
	SessionLife   = 30 * 24 * time.Hour
	JoinLife      = 30 * time.Minute
	RequestLife   = 60 * time.Second // an agent's request header
	CommandLife   = 2 * time.Minute  // the wait for the replies to a command
)

// ErrVersion says that a message is of another version than 1.
var ErrVersion = errors.New("a message of another version")

// V is the member "v" of every message: it is written as 1, and nothing else is read.
type V struct{}

// MarshalJSON writes the version.
func (V) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

// UnmarshalJSON returns [ErrVersion] for any other.
func (V) UnmarshalJSON(b []byte) error {
	if string(b) != "1" {
		return fmt.Errorf("%w: %.20s", ErrVersion, b)
	}
	return nil
}

// Head is a [latchkey.Head] that is written as text, "SEQ:HEX".
type Head latchkey.Head

// MarshalText writes the head.
func (h Head) MarshalText() ([]byte, error) { return []byte(latchkey.Head(h).String()), nil }

// UnmarshalText is [latchkey.ParseHead].
func (h *Head) UnmarshalText(text []byte) error {
	parsed, err := latchkey.ParseHead(string(text))
	*h = Head(parsed)
	return err
}

// NewRequestID makes the ID of a request.
func NewRequestID() string { return rand.Text() }

// CheckRequestID says whether s may be the ID of a request: 1 to 64 of A-Za-z0-9_-.
func CheckRequestID(s string) error {
	if len(s) < 1 || len(s) > 64 {
		return fmt.Errorf("a request's ID has 1 to 64 characters, not %d", len(s))
	}
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return fmt.Errorf("%q may not stand in a request's ID", c)
		}
	}
	return nil
}
