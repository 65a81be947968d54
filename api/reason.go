package api

import (
	"errors"
	"fmt"
	"time"
)

// Reason is why a request was refused, for programs. A refusal of an object or of
// deeds has the reason of package sealed or deed instead; the words do not overlap in
// meaning.
type Reason string

// The reasons of the wire itself.
const (
	NotFound      Reason = "not-found"      // not there, or not the asker's: the same answer
	SignedOut     Reason = "signed-out"     // no session of that home, or one that has ended, or another page's MAC
	SignInRefused Reason = "refused"        // the signature is not of a device of that home, or what should prove an account does not
	WrongOrigin   Reason = "origin"         // sent by another site's page
	Malformed     Reason = "malformed"      // the request is not of the form that it must have
	FutureVersion Reason = "future-version" // of a version that this server does not talk
	Oversize      Reason = "oversize"       // larger than its limit
	WrongHome     Reason = "wrong-home"     // the body names another home than the address
	Expired       Reason = "expired"        // a secret or slot that ran out, or was used
	Conflict      Reason = "conflict"       // somebody else was first; what was missed is with the answer
	UnknownHead   Reason = "unknown-head"   // the server does not have the deeds that the asker names
	OldEpoch      Reason = "old-epoch"      // the envelopes are of an epoch that has passed
	Offset        Reason = "offset"         // an upload goes on elsewhere
	Different     Reason = "different"      // the same name with other bytes
	UnknownAgent  Reason = "unknown-agent"  // no such agent stands in the home's deeds
	WrongAgent    Reason = "wrong-agent"    // the camera is another agent's
	Cloned        Reason = "cloned"         // a copy of an agent, or a restored one
	Replayed      Reason = "replayed"       // this very request came before
	AgentAway     Reason = "agent-away"     // the agent is not connected
	Unwanted      Reason = "unwanted"       // nobody watches the stream that an agent brings
	AgentRefused  Reason = "agent-refused"  // the agent cannot read a command
	Stale         Reason = "stale"          // a command for an earlier start of the agent: read its condition again
	TooMany       Reason = "too-many"       // a bound of the home is reached
	Busy          Reason = "busy"           // come back later
	Turn          Reason = "turn"           // come back at the time that is said, with the place that is given: then it is your turn
	Spared        Reason = "spared"         // left out while the server has a lot to do: come back later, others first
	Full          Reason = "full"           // the server's disk is full
	Closed        Reason = "closed"         // the home, since the server was restored from a backup
	Frozen        Reason = "frozen"         // somebody who lives there has closed the home
	Held          Reason = "held"           // whoever runs the server has stopped it; what is said of that is with the answer
	Copied        Reason = "copy"           // this is a copy of a home, in which nothing is changed
	OnPorch       Reason = "porch"          // only the home's own server does that, and it cannot be reached
	HandedOver    Reason = "handed-over"    // recorded for those who lived there before
	Deleted       Reason = "deleted"        // people of the home have had it deleted
	HomeDeleted   Reason = "home-deleted"   // an owner has deleted the home itself
	AccountEnded  Reason = "account-ended"  // its person has deleted the account
	Misroute      Reason = "misroute"       // what is stored does not answer the name
	Corrupt       Reason = "corrupt"        // what is stored is damaged
	NoPasskeys    Reason = "no-passkeys"    // browsers use no passkeys at this server's address
	LastUnlockers Reason = "last-unlockers" // too few unlockers would be left
	ProveAgain    Reason = "prove-again"    // the session began too long ago for this: sign in once more
	WrongAccount  Reason = "wrong-account"  // the body is about another account than the asker's
	Internal      Reason = "internal"       // the server's fault; its log says more
)

// Problem is the part of a refusal that says why.
type Problem struct {
	Reason       Reason `json:"reason" doc:"for programs"`
	Message      string `json:"message" doc:"for people: what happened, and what to do next"`
	RetryAfterMS int64  `json:"retry_after_ms" doc:"when to come back, 0 if that does not help"`
}

// Refusal is the answer to a request that was refused.
type Refusal struct {
	V        V         `json:"v"`
	Request  string    `json:"request"`
	Error    Problem   `json:"error"`
	Home     string    `json:"home,omitempty" doc:"with a conflict or old epoch"`
	Head     *Head     `json:"head,omitempty" doc:"with a conflict or old epoch: the newest"`
	Deeds    [][]byte  `json:"deeds,omitempty" doc:"with a conflict or old epoch: those that were missed"`
	Document []byte    `json:"document,omitempty" doc:"with a conflict of settings: the newer document"`
	Hold     *HoldSaid `json:"hold,omitempty" doc:"with held"`
}

// Error is a refusal as the client returns it.
type Error struct {
	Status  int // of HTTP, 0 for a websocket message
	Refusal Refusal
	Offset  uint64 // with reason [Offset]: where to go on
	Place   string // with reason [Turn]: to be shown when coming back; may be empty
}

// Error says what the server said.
func (e *Error) Error() string {
	return fmt.Sprintf("the server refused (%s): %s", e.Refusal.Error.Reason, e.Refusal.Error.Message)
}

// RetryAfter is when the server wants to be asked again, 0 if it did not say.
func (e *Error) RetryAfter() time.Duration {
	return time.Duration(e.Refusal.Error.RetryAfterMS) * time.Millisecond
}

// ReasonOf returns the reason for which the server refused, "" if err is no refusal.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Refusal.Error.Reason
	}
	return ""
}
