package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"

	"github.com/latchkey-cam/latchkey/internal/wire"
)

// The headers of docs/wire.md, "MACs".
const (
	HeaderMAC    = "Latchkey-Mac"    // of a request with a session
	HeaderAnswer = "Latchkey-Answer" // of the JSON answer to one
)

// MACKey binds what a page asks, and what it is answered, to the page and to each other.
// The page makes it and gives it to the server when it signs in, so that a cookie or an
// answer that reaches somebody else is worth nothing there. It guards against crossing
// and not against the server, which has it too.
type MACKey [32]byte

// NewMACKey makes a key.
func NewMACKey() (k MACKey) {
	rand.Read(k[:])
	return k
}

// Format hides the key from every verb, so that no log or error shows it.
func (MACKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(MAC key)") }

// LogValue hides the key from a structured log.
func (MACKey) LogValue() slog.Value { return slog.StringValue("(MAC key)") }

// RequestMAC is the header [HeaderMAC] of a request: path is as it is sent, with what
// stands behind the question mark, and request its ID.
func (k MACKey) RequestMAC(method, path, request string, body []byte) string {
	hash := sha256.Sum256(body)
	var w wire.Writer
	w.Grow(64 + len(method) + len(path) + len(request) + len(hash))
	w.Label("latchkey request mac v1")
	w.LP16([]byte(method))
	w.LP16([]byte(path))
	w.LP16([]byte(request))
	w.Raw(hash[:])
	return k.sum(w.Bytes())
}

// AnswerMAC is the header [HeaderAnswer] of the answer to the request of that ID.
func (k MACKey) AnswerMAC(request string, status int, body []byte) string {
	hash := sha256.Sum256(body)
	var w wire.Writer
	w.Label("latchkey answer mac v1")
	w.LP16([]byte(request))
	w.U16(uint16(status))
	w.Raw(hash[:])
	return k.sum(w.Bytes())
}

func (k MACKey) sum(message []byte) string {
	h := hmac.New(sha256.New, k[:])
	h.Write(message)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// SameMAC compares two MACs, in a time that does not depend on where they differ. It
// takes no second spelling of one.
func SameMAC(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
