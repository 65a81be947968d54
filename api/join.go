package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// The limits of what lies in a slot.
const (
	announcementSize = 32 + 40 + 8 + sha256.Size
	// MaxJoinAnswer is an agent's ID and keys and an HMAC, and some room for a second
	// signing key.
	MaxJoinAnswer = 8 << 10
)

// ErrProof says that the HMAC of an announcement or answer is not of the link's secret.
var ErrProof = errors.New("the proof is not of this link's secret")

// JoinSecret is what a join link carries in its fragment. Who has it can join, or
// answer for the home; a server never sees it.
type JoinSecret [16]byte

// NewJoinSecret makes a secret.
func NewJoinSecret() (s JoinSecret) {
	rand.Read(s[:])
	return s
}

// String hides the secret, so that no log or error shows it; [JoinSecret.Text] does not.
func (JoinSecret) String() string { return "(join secret)" }

// GoString is [JoinSecret.String].
func (JoinSecret) GoString() string { return "(join secret)" }

// Text is the secret as it stands in a link.
func (s JoinSecret) Text() string { return text16(s) }

// Slot names the place at a server where home and agent meet. It is derived from the
// secret, and nothing of the secret can be told from it.
type Slot [16]byte

// String returns the slot in base32.
func (s Slot) String() string { return text16(s) }

// MarshalText is [Slot.String] for encoders.
func (s Slot) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is [ParseSlot] for decoders.
func (s *Slot) UnmarshalText(text []byte) error {
	parsed, err := ParseSlot(string(text))
	*s = parsed
	return err
}

// ParseSlot is the inverse of [Slot.String]; it takes no other spelling.
func ParseSlot(s string) (Slot, error) {
	b, err := parse16("a join slot", s)
	return Slot(b), err
}

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func text16(b [16]byte) string { return base32Lower.EncodeToString(b[:]) }

// parse16 never quotes what it was given: it may be a secret.
func parse16(what, s string) (b [16]byte, err error) {
	p, _ := base32Lower.DecodeString(s) // what does not decode is not written back the same
	if len(p) != len(b) || base32Lower.EncodeToString(p) != s {
		return b, fmt.Errorf("not %s: want 26 letters and digits", what)
	}
	return [16]byte(p), nil
}

func (s JoinSecret) derive(label string) []byte {
	m := hmac.New(sha256.New, s[:])
	m.Write([]byte(label))
	return m.Sum(nil)
}

// Slot is the slot of the secret's link.
func (s JoinSecret) Slot() Slot { return Slot(s.derive("latchkey join slot v1")[:16]) }

func (s JoinSecret) prove(whose string, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, s.derive("latchkey join "+whose+" v1"))
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

// Announcement is what the home's owner says in a slot.
type Announcement struct {
	Home    latchkey.HomeID
	Head    latchkey.Head
	Expires latchkey.Time
}

func (a Announcement) bytes() []byte {
	var w wire.Writer
	w.Raw(a.Home[:])
	w.Head(a.Head)
	w.U64(uint64(a.Expires))
	return w.Bytes()
}

// Announce proves an announcement with the link's secret.
func (s JoinSecret) Announce(a Announcement) []byte {
	b := a.bytes()
	return append(b, s.prove("owner", b)...)
}

// ParseAnnouncement reads an announcement without its proof, as a server does.
func ParseAnnouncement(b []byte) (Announcement, error) {
	var a Announcement
	r := wire.NewReader(b)
	r.Into(a.Home[:])
	a.Head = r.Head()
	a.Expires = latchkey.Time(r.U64())
	r.Raw(sha256.Size)
	if err := r.Done(); err != nil {
		return Announcement{}, fmt.Errorf("%w: announcement: %w", ErrMalformed, err)
	}
	return a, nil
}

// CheckAnnouncement reads an announcement and checks that whoever has the link's
// secret made it, and that it has not expired.
func (s JoinSecret) CheckAnnouncement(b []byte, now time.Time) (Announcement, error) {
	a, err := ParseAnnouncement(b)
	if err != nil {
		return a, err
	}
	body, proof := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if !hmac.Equal(proof, s.prove("owner", body)) {
		return Announcement{}, fmt.Errorf("announcement: %w", ErrProof)
	}
	if a.Expires < latchkey.TimeOf(now) {
		return Announcement{}, fmt.Errorf("announcement: %w", ErrExpired)
	}
	return a, nil
}

// Answer is what an agent says to an announcement: its ID and keys, with the proof
// that it has the link's secret and answers that very announcement.
func (s JoinSecret) Answer(announcement []byte, agent deed.AgentBody) ([]byte, error) {
	if len(announcement) != announcementSize {
		return nil, fmt.Errorf("%w: announcement of %d bytes", ErrMalformed, len(announcement))
	}
	w := agent.AgentBytes()
	return append(w, s.prove("agent", announcement[:announcementSize-sha256.Size], w)...), nil
}

// ParseAnswer reads an answer without its proof, as a server does.
func ParseAnswer(b []byte) (deed.AgentBody, error) {
	if len(b) < sha256.Size || len(b) > MaxJoinAnswer {
		return deed.AgentBody{}, fmt.Errorf("%w: answer of %d bytes", ErrMalformed, len(b))
	}
	agent, err := deed.ParseAgent(b[:len(b)-sha256.Size])
	if err != nil {
		return deed.AgentBody{}, fmt.Errorf("%w: answer: %w", ErrMalformed, err)
	}
	return agent, nil
}

// CheckAnswer reads an answer and checks that whoever has the link's secret made it
// for that announcement.
func (s JoinSecret) CheckAnswer(announcement, b []byte) (deed.AgentBody, error) {
	agent, err := ParseAnswer(b)
	if err != nil {
		return agent, err
	}
	if len(announcement) != announcementSize {
		return deed.AgentBody{}, fmt.Errorf("%w: announcement of %d bytes", ErrMalformed, len(announcement))
	}
	w, proof := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if !hmac.Equal(proof, s.prove("agent", announcement[:announcementSize-sha256.Size], w)) {
		return deed.AgentBody{}, fmt.Errorf("answer: %w", ErrProof)
	}
	return agent, nil
}

// Link is a join link. Home and Head are nil in a link that was made before there was
// a home.
type Link struct {
	Origin string // https://HOST[:PORT], or http:// for a machine of one's own
	Secret JoinSecret
	Home   *latchkey.HomeID
	Head   *latchkey.Head

	// Trust is the fingerprint of the server's own root certificate, as package
	// certificate writes it; empty if the server has a public one.
	Trust string
}

// Text is the link. It holds the secret.
func (l Link) Text() string {
	s := l.Origin + "/#join=" + l.Secret.Text()
	if l.Home != nil {
		s += "&home=" + l.Home.String()
	}
	if l.Head != nil {
		s += "&head=" + l.Head.String()
	}
	if l.Trust != "" {
		s += "&trust=" + l.Trust
	}
	return s
}

// String hides the secret.
func (l Link) String() string { return "join link of " + l.Origin }

// ParseLink reads a join link. Its errors say nothing of the secret.
func ParseLink(s string) (Link, error) {
	bad := errors.New("this is no join link: want ORIGIN/#join=…, copied whole")
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		return Link{}, bad
	}
	l := Link{Origin: u.Scheme + "://" + u.Host}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(u.Fragment, "&") {
		name, value, _ := strings.Cut(part, "=")
		if seen[name] {
			return Link{}, bad
		}
		seen[name] = true
		if err := l.take(name, value); err != nil {
			return Link{}, fmt.Errorf("%w (%w)", bad, err)
		}
	}
	if !seen["join"] {
		return Link{}, bad
	}
	return l, nil
}

func (l *Link) take(name, value string) error {
	switch name {
	case "join":
		b, err := parse16("a join secret", value)
		l.Secret = b
		return err
	case "home":
		home, err := latchkey.ParseHomeID(value)
		l.Home = &home
		return err
	case "head":
		head, err := latchkey.ParseHead(value)
		l.Head = &head
		return err
	case "trust":
		if b, _ := hex.DecodeString(value); len(b) != sha256.Size || hex.EncodeToString(b) != value {
			return errors.New("its fingerprint is not one")
		}
		l.Trust = value
	}
	return nil // a later version's; the secret decides what it opens
}
