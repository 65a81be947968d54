package account

import (
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Reason is why a vault, an unlocker or a recovery code was refused, one word of the
// list in docs/account.md, or of those that only a server has to say.
type Reason string

// The reasons, in the order in which docs/account.md lists them.
const (
	Oversize      Reason = "oversize"       // larger than its limit
	Truncated     Reason = "truncated"      // the bytes end too early
	Malformed     Reason = "malformed"      // the bytes have another layout
	FutureVersion Reason = "future-version" // of a version that this program has not heard of
	WrongAccount  Reason = "wrong-account"  // the vault of another account
	Replayed      Reason = "replayed"       // an older vault than one that was seen
	Fork          Reason = "fork"           // a vault beside one that was seen
	Unopened      Reason = "vault"          // the vault does not open
	Content       Reason = "content"        // what is in the vault is not what should be
	Unwrapped     Reason = "wrap"           // the wrapped key does not open
	Weak          Reason = "weak"           // parameters that make guessing cheap
	Letters       Reason = "letters"        // a character that no recovery code has
	Length        Reason = "length"         // a recovery code with too many or too few characters
	Check         Reason = "check"          // a recovery code with a typing error

	LastUnlockers Reason = "last-unlockers" // too few unlockers would be left
	TooMany       Reason = "too-many"       // too many unlockers
	BadAddress    Reason = "bad-address"    // not an address for mail
)

// Error is a refusal.
type Error struct {
	Reason Reason
	Detail string // for people who look after programs; never a secret
}

// Error says why.
func (e *Error) Error() string { return "refused: " + string(e.Reason) + ": " + e.Detail }

// ReasonOf returns the reason of a refusal, "" if err is none.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}

// Refuse makes a refusal.
func Refuse(r Reason, format string, args ...any) error {
	return &Error{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// layout gives an error of the wire its reason.
func layout(err error) error {
	switch {
	case errors.Is(err, wire.ErrTruncated):
		return Refuse(Truncated, "%v", err)
	case err != nil && ReasonOf(err) == "":
		return Refuse(Malformed, "%v", err)
	}
	return err
}
