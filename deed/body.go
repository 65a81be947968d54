package deed

import (
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Type says which statement a deed makes.
type Type uint8

// The statements. Numbers are never used again for something else; 5 and 9 are none.
const (
	Found         Type = 1 // founds a home and makes its signer the first owner
	NewEpoch      Type = 2 // gives the key of those who see the whole home
	PlaceAgent    Type = 3 // takes an agent into the home
	PlaceCamera   Type = 4 // takes a camera into the home, with its agent
	Withdraw      Type = 6 // ends an invitation
	Admit         Type = 7 // takes a person into the home who answered an invitation
	Change        Type = 8 // gives a person another role or other rights
	Dismiss       Type = 10
	NewDevice     Type = 11 // a further device of the signer
	Strike        Type = 12 // ends a device
	Rekey         Type = 13 // gives a person new keys
	ReplaceAgent  Type = 14 // gives an agent new keys
	ReleaseAgent  Type = 15 // an agent and its cameras leave
	ReleaseCamera Type = 16
	HandHomeOver  Type = 17 // dismisses everybody for one new owner
	Lend          Type = 18 // makes a link
	Freeze        Type = 19 // no media leaves the home
	Thaw          Type = 20
	Retain        Type = 21 // says how long and how much recordings are kept
	NewInvite     Type = 22 // makes an invitation
)

// statement is what the package knows of a type: its name in docs/deed.md, and how a
// body is read.
type statement struct {
	name string
	read func(*wire.Reader) Body
}

// statements is the table of docs/deed.md.
var statements = map[Type]statement{
	Found:         {"found", reading(readFound)},
	NewEpoch:      {"epoch", reading(readEpoch)},
	PlaceAgent:    {"place agent", reading(readAgent)},
	PlaceCamera:   {"place camera", reading(readCamera)},
	Withdraw:      {"withdraw", reading(readWithdraw)},
	Admit:         {"admit", reading(readAdmit)},
	Change:        {"change", reading(readChange)},
	Dismiss:       {"dismiss", reading(readDismiss)},
	NewDevice:     {"device", reading(readDeviceBody)},
	Strike:        {"strike", reading(readStrike)},
	Rekey:         {"rekey", reading(readRekey)},
	ReplaceAgent:  {"replace agent", reading(readReplaceAgent)},
	ReleaseAgent:  {"release agent", reading(readReleaseAgent)},
	ReleaseCamera: {"release camera", reading(readReleaseCamera)},
	HandHomeOver:  {"hand over", reading(readHandOver)},
	Lend:          {"lend", reading(readLend)},
	Freeze:        {"freeze", reading(func(*wire.Reader) FreezeBody { return FreezeBody{} })},
	Thaw:          {"thaw", reading(func(*wire.Reader) ThawBody { return ThawBody{} })},
	Retain:        {"retain", reading(readRetain)},
	NewInvite:     {"invite", reading(readInvite)},
}

// reading makes of the reader of one body one of any body.
func reading[B Body](read func(*wire.Reader) B) func(*wire.Reader) Body {
	return func(r *wire.Reader) Body { return read(r) }
}

// String returns the statement's name in docs/deed.md.
func (t Type) String() string {
	if s, ok := statements[t]; ok {
		return s.name
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// Body is what a deed states: a [FoundBody], an [EpochBody] and so on, one type for each
// statement.
type Body interface {
	// Type is the statement's.
	Type() Type
	appendTo(w *wire.Writer)
}

// FoundBody founds a home.
type FoundBody struct {
	Salt       [32]byte // makes the home's ID unguessable from its founder's keys
	MinVersion uint8    // the lowest version of objects that readers of this home take; 1
	Person     Person   // the founder, with exactly one device
}

// EpochBody gives the key of an epoch. It is a statement of its own, and the turn of
// every statement that changes who sees the whole home.
type EpochBody struct {
	Number latchkey.Epoch
	Key    Key
	Wraps  []Wrap // ascending by person
}

// Wrap is an epoch's private key, sealed to one person.
type Wrap struct {
	Person latchkey.PersonID
	Key    latchkey.KeyID // of the person's KEM key
	Sealed []byte
}

// Type is [Found].
func (FoundBody) Type() Type { return Found }

// Type is [NewEpoch].
func (EpochBody) Type() Type { return NewEpoch }

func (b FoundBody) appendTo(w *wire.Writer) {
	w.Raw(b.Salt[:])
	w.U8(b.MinVersion)
	b.Person.appendTo(w)
}

func readFound(r *wire.Reader) FoundBody {
	var b FoundBody
	r.Into(b.Salt[:])
	b.MinVersion = r.U8()
	if b.MinVersion == 0 {
		r.Fail(fmt.Errorf("%w: lowest version 0", wire.ErrMalformed))
	}
	b.Person = readPerson(r)
	return b
}

func (b EpochBody) appendTo(w *wire.Writer) {
	w.U64(uint64(b.Number))
	b.Key.appendTo(w)
	w.U16(uint16(len(b.Wraps)))
	for _, p := range b.Wraps {
		w.Raw(p.Person[:])
		w.Raw(p.Key[:])
		w.LP16(p.Sealed)
	}
}

func readEpoch(r *wire.Reader) EpochBody {
	b := EpochBody{Number: latchkey.Epoch(r.U64()), Key: readKey(r, XWing)}
	n := int(r.U16())
	if n > MaxWraps {
		r.Fail(refuse(TooMany, "%d wraps, at most %d", n, MaxWraps))
	}
	for i := 0; i < n && r.Err() == nil; i++ {
		var p Wrap
		r.Into(p.Person[:])
		r.Into(p.Key[:])
		p.Sealed = r.LP16(MaxDeed)
		if len(p.Sealed) != wrapSize {
			r.Fail(fmt.Errorf("%w: wrap of %d bytes, want %d", wire.ErrMalformed, len(p.Sealed), wrapSize))
		}
		b.Wraps = append(b.Wraps, p)
	}
	return b
}

// appendTurn writes the new epoch that a statement brings, or that it brings none.
func appendTurn(w *wire.Writer, turn *EpochBody) {
	w.U8(flag(turn != nil))
	if turn != nil {
		turn.appendTo(w)
	}
}

func readTurn(r *wire.Reader) *EpochBody {
	if !readFlag(r) {
		return nil
	}
	b := readEpoch(r)
	return &b
}
