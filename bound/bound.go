// Package bound keeps answers beside the database that they came from, so that none is
// ever taken for the answer to another question.
//
// A cache, its client and the wire between them can be out of step: a reply is lost,
// comes twice, or reaches who asked for something else. The protocol of Redis has no
// number by which anybody would notice. A value is therefore stored with its question
// (whose it is, what of it, how its bytes are written, at which epoch, since when) under
// a MAC whose key the cache does not know ([README.md] gives the bytes), and [Cache.Get]
// compares it with what was asked. No function returns a value that was not compared.
//
// A value that answers something else is a miss, and an incident: the client that
// brought it is replaced at once, because after one lost reply each later one is wrong,
// too. If it goes on, the tier is left alone for a while, and what is then asked of the
// [Origin] keeps to a budget, so that the cache's fault does not become the database's
// outage.
//
// What is cached are documents, never verdicts: the bytes of a home's deeds and not "may
// look". Whoever reads them verifies and folds them. A MAC here says that this
// deployment has stored the value as the answer to that question. It guards against
// mix-ups and against a hostile cache, not against whoever has the keys.
//
// [README.md]: https://github.com/latchkey-cam/latchkey/blob/main/bound/README.md
package bound

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limits of a question. An identifier fits, a document does not.
const (
	maxScope = 256
	maxKey   = 1024
)

// Question is what somebody wants to know. All of it is compared, and all of it is what
// callers have to have in common before they are given the same answer.
type Question struct {
	Scope string // whose value it is: "home/<id>"
	Key   string // what of it: "deeds"
	Codec uint16 // how the bytes are written; another format has another number
	Floor uint64 // the oldest epoch that may answer; 0: any
}

// name is what a value is stored under: the question without the floor.
type name struct {
	scope, key string
	codec      uint16
}

func (q Question) name() name { return name{q.Scope, q.Key, q.Codec} }

// check refuses what no value could be stored under.
func (q Question) check() error {
	if q.Scope == "" || len(q.Scope) > maxScope || q.Key == "" || len(q.Key) > maxKey {
		return fmt.Errorf("%w: scope of %d bytes (1 to %d), key of %d (1 to %d)", ErrQuestion, len(q.Scope), maxScope, len(q.Key), maxKey)
	}
	return nil
}

// Answer is what is known, and what it is an answer to.
type Answer struct {
	Scope  string
	Key    string
	Codec  uint16
	Epoch  uint64    // that the bytes are true of
	Stored time.Time // when the origin was asked; the cache fills it in
	Bytes  []byte    // not to be changed: others may be reading them
}

// answers says whether a is an answer to q, whatever its epoch.
func (a Answer) answers(q Question) bool {
	if a.Scope != q.Scope {
		return false
	}
	if a.Key != q.Key {
		return false
	}
	return a.Codec == q.Codec
}

// question is what a says that it answers; its epoch takes the floor's place.
func (a Answer) question() Question { return Question{a.Scope, a.Key, a.Codec, a.Epoch} }

// Origin reads the answer where it is kept. It fills in Scope, Key, Codec and Epoch from
// what it has read, not from q: a row that went astray is then found out. What it
// returns depends on q alone, because everybody who asks q meanwhile is given it; ctx is
// the cache's and carries nothing of any caller. What does not exist is an error, and
// errors are not cached.
type Origin func(ctx context.Context, q Question) (Answer, error)

// What a caller branches on.
var (
	// ErrQuestion says that a scope or key is empty or too long.
	ErrQuestion = errors.New("no such question can be asked")
	// ErrCrossed says that the origin answered another question. Nothing is handed out.
	ErrCrossed = errors.New("the origin has answered another question")
	// ErrOld says that the origin's answer is of an epoch below the floor.
	ErrOld = errors.New("the origin's answer is older than what is known already")
	// ErrBusy says that the origin is not asked now: a tier is out of order and the
	// budget is spent, or too many questions are under way. It is a [BusyError].
	ErrBusy = errors.New("the origin is asked as often as it may be")
	// ErrClosed says that the cache has been closed.
	ErrClosed = errors.New("the cache is closed")
)

// BusyError is an [ErrBusy] that says when to come back.
type BusyError struct{ After time.Duration }

// Error says when to come back.
func (e *BusyError) Error() string { return fmt.Sprintf("%v: come back in %v", ErrBusy, e.After) }

// Is says that it is an [ErrBusy].
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// Kind is what happened in an [Incident].
type Kind string

// The kinds of incidents.
const (
	Misrouted   Kind = "misrouted"   // a genuine value answers another question
	Damaged     Kind = "damaged"     // a value is not what was stored, or no value at all
	Crossed     Kind = "crossed"     // the origin answered another question
	OutOfStep   Kind = "out of step" // a tier sent what nobody had asked for
	Panicked    Kind = "panicked"    // the client of a tier, or an origin, has panicked
	Quarantined Kind = "quarantined" // a tier is left alone for a while
)

// Incident is something that must not happen and that nobody was shown.
type Incident struct {
	Kind  Kind
	Tier  string // that it happened in; "origin" for the origin
	Time  time.Time
	Asked Question // zero if nobody was asking
	Found Question // what the value says it answers, its epoch in place of the floor; zero if it says nothing
	Err   error    // what else is known
}
