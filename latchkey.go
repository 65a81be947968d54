// Package latchkey holds the words of the house as Go types: homes, cameras,
// objects, epochs and heads. It does no I/O and imports nothing of ours; every
// other package speaks in these types.
//
// Each kind of identifier is a type of its own, because mixing up identifiers is
// how one home is shown to another. Nothing in Latchkey takes a bare object ID:
// what is asked for is a [Name], which begins with its [HomeID].
//
// All identifiers are written in text as lower-case base32 (RFC 4648, no padding)
// and are refused in any other spelling, so that two texts are equal exactly when
// the identifiers are. docs/words.md is the full vocabulary.
package latchkey

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// HomeID names a home: the SHA-256 of its first deed (docs/deed.md, "found").
// Nobody can choose it, and a chain of deeds that does not begin with that deed
// is another home's.
type HomeID [32]byte

// CameraID names one camera of one home. It is random and says nothing.
type CameraID [16]byte

// AgentID names one agent, the program in the home.
type AgentID [16]byte

// EventID joins the objects of one event: its thumbnail, clip and description.
type EventID [16]byte

// ObjectID names one sealed object. It means nothing without its home; see [Name].
type ObjectID [16]byte

// PersonID names a person in a home, whatever keys the person has at the time.
type PersonID [16]byte

// DeviceID names one browser or phone of a person.
type DeviceID [16]byte

// AccountID names a person's account at a server. It says nothing of homes: which
// homes somebody is in, no server knows by account.
type AccountID [16]byte

// UnlockerID names one of the things that open an account's vault.
type UnlockerID [16]byte

// SessionID names a session at a server. It is no secret.
type SessionID [16]byte

// ServerID names one server among those of an archive. It lies in the server's folder.
type ServerID [16]byte

// InviteID names an invitation of a home.
type InviteID [16]byte

// LetterID names a letter.
type LetterID [16]byte

// BootID names one run of a machine's monotonic clock.
type BootID [16]byte

// RunID names a run: the fragments of one stream under one key.
type RunID [16]byte

// KeyID names a public key: the SHA-256 of a label, its algorithm and its bytes
// (docs/deed.md, "Keys").
type KeyID [32]byte

// NewCameraID returns a random CameraID.
func NewCameraID() CameraID { return random[CameraID]() }

// NewAgentID returns a random AgentID.
func NewAgentID() AgentID { return random[AgentID]() }

// NewEventID returns a random EventID.
func NewEventID() EventID { return random[EventID]() }

// NewObjectID returns a random ObjectID.
func NewObjectID() ObjectID { return random[ObjectID]() }

// NewPersonID returns a random PersonID.
func NewPersonID() PersonID { return random[PersonID]() }

// NewDeviceID returns a random DeviceID.
func NewDeviceID() DeviceID { return random[DeviceID]() }

// NewAccountID returns a random AccountID.
func NewAccountID() AccountID { return random[AccountID]() }

// NewUnlockerID returns a random UnlockerID.
func NewUnlockerID() UnlockerID { return random[UnlockerID]() }

// NewSessionID returns a random SessionID.
func NewSessionID() SessionID { return random[SessionID]() }

// NewServerID returns a random ServerID.
func NewServerID() ServerID { return random[ServerID]() }

// NewInviteID returns a random InviteID.
func NewInviteID() InviteID { return random[InviteID]() }

// NewLetterID returns a random LetterID.
func NewLetterID() LetterID { return random[LetterID]() }

// NewBootID returns a random BootID.
func NewBootID() BootID { return random[BootID]() }

// NewRunID returns a random RunID.
func NewRunID() RunID { return random[RunID]() }

func random[T ~[16]byte]() T {
	var id [16]byte
	rand.Read(id[:]) // never fails: it ends the process instead
	return T(id)
}

// Epoch is a generation of the key of those who see the whole home, counted from 1.
type Epoch uint64

// MaxInt is the largest integer that any format or message of Latchkey carries
// (2^53-1), so that JavaScript reads every one of them exactly.
const MaxInt = 1<<53 - 1

// Head is a place in a home's chain of deeds: the newest deed that somebody knew.
// Everything that is signed names one, so that a server which forks or rolls back
// the chain is found out by whoever reads it next.
type Head struct {
	Seq  uint64   // of the deed; the first deed of a home is 0
	Hash [32]byte // SHA-256 of the deed's bytes
}

// String returns the head as "SEQ:HASH", the hash in hexadecimal.
func (h Head) String() string { return fmt.Sprintf("%d:%s", h.Seq, hex.EncodeToString(h.Hash[:])) }

// ParseHead is the inverse of [Head.String]; it takes no other spelling.
func ParseHead(s string) (Head, error) {
	var h Head
	seq, hash, _ := strings.Cut(s, ":")
	n, err := strconv.ParseUint(seq, 10, 64)
	if err != nil || n > MaxInt || len(hash) != 2*len(h.Hash) {
		return h, fmt.Errorf("%.80q is no head: want SEQ:HASH", s)
	}
	h.Seq = n
	if _, err := hex.Decode(h.Hash[:], []byte(hash)); err != nil || h.String() != s {
		return Head{}, fmt.Errorf("%.80q is no head: want SEQ:HASH", s)
	}
	return h, nil
}

// Kind says what an object is.
type Kind uint8

// The kinds of objects. Numbers are never used again for something else.
const (
	Thumbnail   Kind = 1 // a JPEG picture, at most 1 MiB sealed
	Clip        Kind = 2 // a fragmented MP4, at most 256 MiB sealed
	Description Kind = 3 // JSON (docs/seal.md, "Description"), at most 64 KiB sealed
)

var kindNames = map[Kind]string{Thumbnail: "thumbnail", Clip: "clip", Description: "description"}

// String returns the kind's name as it stands in a [Name].
func (k Kind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return fmt.Sprintf("kind-%d", uint8(k))
}

// ParseKind returns the kind of that name.
func ParseKind(s string) (Kind, error) {
	for k, name := range kindNames {
		if s == name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("unknown kind %.32q: want thumbnail, clip or description", s)
}

// MaxBody is the largest sealed body of this kind in bytes, 0 for an unknown kind.
// The figures are docs/seal.md's, "Limits".
func (k Kind) MaxBody() uint64 {
	switch k {
	case Thumbnail:
		return 1 << 20
	case Clip:
		return 256 << 20
	case Description:
		return 64 << 10
	}
	return 0
}

// Time is a moment in UTC, in microseconds since 1970-01-01. It is at most [MaxInt]
// (the year 2255).
type Time uint64

// TimeOf returns t as a Time; a moment before 1970 is 0, one past 2255 is [MaxInt].
func TimeOf(t time.Time) Time {
	us := t.UnixMicro()
	switch {
	case us < 0:
		return 0
	case us > MaxInt:
		return MaxInt
	}
	return Time(us)
}

// Time returns t as a standard time in UTC.
func (t Time) Time() time.Time { return time.UnixMicro(int64(min(t, MaxInt))).UTC() }

// Day returns the day in UTC that holds t.
func (t Time) Day() Day { return Day(t.Time().Format(time.DateOnly)) }

// Day is a day in UTC, written as 2006-01-02.
type Day string

// ParseDay returns the day that s spells; only the spelling of [Time.Day] is taken.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Format(time.DateOnly) != s {
		return "", fmt.Errorf("%.32q is no day: want YYYY-MM-DD", s)
	}
	return Day(s), nil
}

// Name is the whole name of a stored object. It is what a reader asks for, what the
// object is stored under, what its address ends with, and what its binding must
// answer: two names are the same object exactly when they are ==.
type Name struct {
	Home   HomeID
	Camera CameraID
	Day    Day // in UTC, of the binding's time
	Kind   Kind
	Object ObjectID
}

// String returns v1/<home>/<camera>/<day>/<kind>/<object>.
func (n Name) String() string {
	return strings.Join([]string{"v1", n.Home.String(), n.Camera.String(), string(n.Day), n.Kind.String(), n.Object.String()}, "/")
}

// ParseName is the inverse of [Name.String]; it takes no other spelling.
func ParseName(s string) (Name, error) {
	var n Name
	p := strings.Split(s, "/")
	if len(p) != 6 || p[0] != "v1" {
		return n, errors.New("not an object's name: want v1/HOME/CAMERA/DAY/KIND/OBJECT")
	}
	var err error
	if n.Home, err = ParseHomeID(p[1]); err != nil {
		return Name{}, err
	}
	if n.Camera, err = ParseCameraID(p[2]); err != nil {
		return Name{}, err
	}
	if n.Day, err = ParseDay(p[3]); err != nil {
		return Name{}, err
	}
	if n.Kind, err = ParseKind(p[4]); err != nil {
		return Name{}, err
	}
	if n.Object, err = ParseObjectID(p[5]); err != nil {
		return Name{}, err
	}
	return n, nil
}

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// longest is how many letters the longest ID has.
const longest = 52

// spell writes an ID in letters.
func spell(id []byte) string {
	var letters [longest]byte
	base32Lower.Encode(letters[:], id)
	return string(letters[:base32Lower.EncodedLen(len(id))])
}

// parse decodes s into id and refuses every spelling but the one that is written:
// base32 leaves spare bits in the last letter, and they must be zero.
func parse(id []byte, what, s string) error {
	n := base32Lower.EncodedLen(len(id))
	if len(s) != n {
		return fmt.Errorf("not %s: want %d letters, have %d", what, n, len(s))
	}
	var letters, again [longest]byte
	copy(letters[:], s)
	if _, err := base32Lower.Decode(id, letters[:n]); err != nil {
		clear(id)
		return fmt.Errorf("%.64q is not %s", s, what)
	}
	base32Lower.Encode(again[:], id)
	if again != letters {
		clear(id)
		return fmt.Errorf("%.64q is not %s", s, what)
	}
	return nil
}
