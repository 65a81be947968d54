package api

import (
	"crypto"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// TicketLife is how long a device's word holds that its person may sign up.
const TicketLife = 2 * time.Minute

const ticketSize = 32 + 16 + 8

// Ticket is a device's word, for a server at which its home is, that its person may sign
// up there.
type Ticket struct {
	Home    latchkey.HomeID
	Device  latchkey.DeviceID
	Expires latchkey.Time
}

func (t Ticket) bytes() []byte {
	var w wire.Writer
	w.Raw(t.Home[:])
	w.Raw(t.Device[:])
	w.U64(uint64(t.Expires))
	return w.Bytes()
}

func (t Ticket) message() []byte {
	var w wire.Writer
	w.Label("latchkey ticket v1")
	w.Raw(t.bytes())
	return w.Bytes()
}

// Sign returns the ticket as text.
func (t Ticket) Sign(device crypto.Signer) (string, error) {
	signature, err := sign(device, t.message())
	if err != nil {
		return "", fmt.Errorf("sign ticket: %w", err)
	}
	return base64.StdEncoding.EncodeToString(append(t.bytes(), signature...)), nil
}

// SignedTicket is a ticket that was parsed, and nothing more.
type SignedTicket struct {
	Ticket
	Signature []byte
}

// ParseTicket reads a ticket that a device has signed. The error is [ErrMalformed].
func ParseTicket(text string) (SignedTicket, error) {
	var t SignedTicket
	if len(text) > 2*(ticketSize+signatureSize) {
		return t, fmt.Errorf("%w: ticket of %d characters", ErrMalformed, len(text))
	}
	b, _ := base64.StdEncoding.Strict().DecodeString(text)
	if base64.StdEncoding.EncodeToString(b) != text { // it does not decode, or has line ends, which the decoder skips
		return t, fmt.Errorf("%w: ticket is not base64", ErrMalformed)
	}
	r := wire.NewReader(b)
	r.Into(t.Home[:])
	r.Into(t.Device[:])
	t.Expires = latchkey.Time(r.U64())
	t.Signature = r.Raw(signatureSize)
	if err := r.Done(); err != nil {
		return SignedTicket{}, fmt.Errorf("%w: ticket: %w", ErrMalformed, err)
	}
	return t, nil
}

// Verify checks the signature with the device's keys, and that the ticket holds now.
func (t SignedTicket) Verify(keys []deed.Key, now time.Time) error {
	if t.Expires < latchkey.TimeOf(now) || t.Expires > latchkey.TimeOf(now.Add(2*TicketLife)) { // clocks differ
		return fmt.Errorf("ticket: %w", ErrExpired)
	}
	return verify(keys, t.message(), t.Signature)
}
