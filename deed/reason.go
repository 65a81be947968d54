package deed

import (
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Reason is why a deed was refused, one word of the list in docs/deed.md. The other
// implementations give the same word for the same bytes.
type Reason string

// The reasons, in the order in which docs/deed.md lists them.
const (
	Oversize      Reason = "oversize"       // a deed, or a part of one, is larger than its limit
	Malformed     Reason = "malformed"      // the bytes are no deed
	FutureVersion Reason = "future-version" // a deed of a version that this program has not heard of
	UnknownType   Reason = "unknown-type"   // a statement that this program does not understand
	WrongHome     Reason = "wrong-home"     // a deed of another home
	Replayed      Reason = "replayed"       // a deed that the chain has already passed
	Gap           Reason = "gap"            // deeds are missing before this one
	Fork          Reason = "fork"           // this deed follows another one than the chain's last
	Backdated     Reason = "backdated"      // earlier than the deed before it, by more than clocks differ
	UnknownSigner Reason = "unknown-signer" // signed by a key that the chain does not know
	FormerSigner  Reason = "former-signer"  // signed by a person's key that has been taken back
	NotAllowed    Reason = "not-allowed"    // signed by somebody who may not say this
	BadSignature  Reason = "bad-signature"  // the signature does not verify
	BadKey        Reason = "bad-key"        // a key of an algorithm or length that has no place there
	NotFound      Reason = "not-found"      // the first deed is not "found"
	WrongEpoch    Reason = "wrong-epoch"    // an epoch of another number than is next, a turn that is missing or has no place
	WrongWraps    Reason = "wrong-wraps"    // the epoch is not wrapped for exactly those who see the whole home
	WrongPast     Reason = "wrong-past"     // a past that the signer cannot give, or the person cannot be given
	ReusedKey     Reason = "reused-key"     // a key that stood in the chain before
	AlreadyPlaced Reason = "already-placed" // an ID that stood in the chain before
	UnknownAgent  Reason = "unknown-agent"  // an agent that does not stand in the home
	UnknownCamera Reason = "unknown-camera" // a camera that does not stand in the home, or not with that agent
	UnknownPerson Reason = "unknown-person" // a person who does not stand in the home, or is a link
	UnknownDevice Reason = "unknown-device" // a device that does not stand in the home
	UnknownInvite Reason = "unknown-invite" // an invitation that is not open, or is for something else
	BadProof      Reason = "bad-proof"      // the keys are not those of whoever holds the invitation's link
	Expired       Reason = "expired"        // an end that has passed
	LastOwner     Reason = "last-owner"     // the home would be without an owner
	WrongState    Reason = "wrong-state"    // a freeze of a frozen home, or a thaw of another
	TooMany       Reason = "too-many"       // more of something than a home may have
)

// Error is the refusal of a deed.
type Error struct {
	Reason Reason
	At     int    // which of the deeds that were given, from 0; that deed and all after it were refused
	Detail string // for people who look after programs; the reason says it all to a program
}

// Error says which deed was refused and why.
func (e *Error) Error() string {
	s := fmt.Sprintf("deed %d refused: %s", e.At, e.Reason)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// ReasonOf returns the reason for which a deed was refused, "" if err is no such refusal.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}

func refuse(r Reason, format string, args ...any) error {
	return &Error{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// layout gives an error of the wire its reason: whatever is wrong with the layout of
// a deed is malformed, because a deed comes whole or not at all.
func layout(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	if errors.Is(err, wire.ErrOversize) || errors.Is(err, wire.ErrTruncated) || errors.Is(err, wire.ErrMalformed) {
		return refuse(Malformed, "%v", err)
	}
	return err
}
