package sealed

import (
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Reason is why an object was refused, one word of the list in docs/seal.md. The
// other implementations give the same word for the same bytes.
type Reason string

// The reasons, in the order in which docs/seal.md lists them. Those after WrongHash
// are for whoever opens; they stand here because the list is one.
const (
	Malformed     Reason = "malformed"      // the bytes have another layout
	Truncated     Reason = "truncated"      // the bytes end too early
	Trailing      Reason = "trailing"       // bytes follow the end of the body
	Oversize      Reason = "oversize"       // a part is larger than its limit
	FutureVersion Reason = "future-version" // of a version that this program has not heard of
	UnknownSuite  Reason = "unknown-suite"  // of a suite that this program has not heard of
	OldVersion    Reason = "old-version"    // of a version that the home takes no more
	WrongHome     Reason = "wrong-home"     // an object of another home than was asked for
	WrongCamera   Reason = "wrong-camera"   // an object of another camera than was asked for
	WrongDay      Reason = "wrong-day"      // an object of another day than was asked for
	WrongKind     Reason = "wrong-kind"     // an object of another kind than was asked for
	WrongObject   Reason = "wrong-object"   // another object than was asked for
	UnknownHead   Reason = "unknown-head"   // its head is not on the reader's chain
	UnknownSigner Reason = "unknown-signer" // its key is no agent's of the home
	WrongAgent    Reason = "wrong-agent"    // its camera is not placed with its agent
	FormerSigner  Reason = "former-signer"  // its key did not sign any more when it was made
	BadSignature  Reason = "bad-signature"  // the agent's signature does not verify
	WrongHash     Reason = "wrong-hash"     // the body is not the one that was signed
	NoEnvelope    Reason = "no-envelope"    // no envelope is for a key that the reader holds
	UnknownEpoch  Reason = "unknown-epoch"  // the envelope's key is not the one of its epoch
	OldEpoch      Reason = "old-epoch"      // the envelope's epoch is older than the object
	BadEnvelope   Reason = "envelope"       // the envelope does not open
	Commitment    Reason = "commitment"     // the envelope's key is not the body's
	BadChunk      Reason = "chunk"          // a chunk of the body does not open
)

// The reasons that a settings document (docs/deed.md, "Settings") and a letter
// (docs/letter.md) are refused for, and no object.
const (
	NotAllowed      Reason = "not-allowed"      // signed by somebody who may not
	WrongRecipients Reason = "wrong-recipients" // not sealed to exactly those whom it is for
	Replayed        Reason = "replayed"         // older than one that the reader has seen, or seen before
	Fork            Reason = "fork"             // another one of the same number was seen
	BadContent      Reason = "content"          // it opens, and what it says is not what it should be
)

// The reasons that only a letter is refused for (docs/letter.md).
const (
	WrongCommand Reason = "wrong-command" // it answers another command than was sent
	Stale        Reason = "stale"         // for another incarnation of the agent
	Expired      Reason = "expired"       // a command from too long ago, or from the future
)

// The reasons that only what belongs to live view is refused for (docs/live.md).
const (
	WrongStream Reason = "wrong-stream" // of another stream of the camera than was asked for
	WrongKnock  Reason = "wrong-knock"  // a grant for another knock
	WrongRun    Reason = "wrong-run"    // a fragment of a run that is not, or no longer, watched
	Frozen      Reason = "frozen"       // the home has stopped it
)

// The three words for what went wrong. Only the first is a privacy alarm.
const (
	Misroute   = "misroute"    // a genuine object that reached somebody who did not ask for it
	UnknownKey = "unknown-key" // the right object without an envelope for the reader
	Corrupt    = "corrupt"     // everything else
)

// Error is the refusal of an object, of a settings document, of a letter or of a message
// of live view.
type Error struct {
	Reason Reason
	Detail string // for people who look after programs; never a secret
}

// Error says why.
func (e *Error) Error() string {
	if e.Detail == "" {
		return "refused: " + string(e.Reason)
	}
	return "refused: " + string(e.Reason) + ": " + e.Detail
}

// Refuse returns an [*Error].
func Refuse(r Reason, format string, args ...any) error {
	return &Error{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// ReasonOf returns the reason for which an object was refused, "" if err is no such
// refusal.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}

// Word returns [Misroute], [UnknownKey] or [Corrupt] for the refusal of an object,
// "" for an error that is none.
func Word(err error) string {
	switch ReasonOf(err) {
	case "":
		return ""
	case WrongHome, WrongCamera, WrongDay, WrongKind, WrongObject, WrongCommand, WrongStream, WrongKnock:
		return Misroute
	case NoEnvelope:
		return UnknownKey
	}
	return Corrupt
}

// layout gives an error of the wire its reason.
func layout(what string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	for reason, is := range map[Reason]error{Truncated: wire.ErrTruncated, Malformed: wire.ErrMalformed, Oversize: wire.ErrOversize} {
		if errors.Is(err, is) {
			return Refuse(reason, "%s: %v", what, err)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}
