// Package blob keeps sealed bytes by name. What it stores under a
// [latchkey.Name] is the object file without envelopes (docs/wire.md, "Object"), so
// that the stored bytes say themselves what they are an answer to: [Store.Open] reads
// that from the bytes, never from the name, and the caller compares.
//
// An object arrives in a [Staging], which survives a lost connection and a crash, and
// stands under its name only when it is whole, has the hash that its header gives and
// is on the disk.
//
// The disk store is our own code on internal/durable. The file driver of the usual
// blob library writes, renames and returns without a sync of file or folder: after a
// power cut an object that was acknowledged can be empty or gone.
package blob

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// What a caller branches on.
var (
	// ErrNotFound says that nothing is stored, or staged, under the name.
	ErrNotFound = errors.New("no such object")
	// ErrDifferent says that other bytes are stored under the name already.
	ErrDifferent = errors.New("other bytes are stored under this name")
	// ErrBusy says that somebody is uploading the object at this moment.
	ErrBusy = errors.New("the object is being uploaded")
)

// Store keeps objects. It may be used by several goroutines; on disk it may be read by
// several processes and written to by one at a time. What Open returns was on the disk before the Commit that put
// it there returned, and is never replaced.
type Store interface {
	// Open returns what is stored under name, or ErrNotFound. It does not vouch for
	// it: the caller MUST compare the header's name with the one that it asked for.
	// A stored file that is damaged is a [sealed.Error].
	Open(ctx context.Context, name latchkey.Name) (Object, error)
	// Stage begins an upload, or goes on with one that was broken off. It returns
	// ErrDifferent, and ErrBusy while another Staging of that name is open.
	Stage(ctx context.Context, h sealed.Header) (Staging, error)
	// Staged says how much of an object's body is held, or ErrNotFound.
	Staged(ctx context.Context, name latchkey.Name) (Progress, error)
	// Remove removes what is stored, or staged, under a name, and returns when it cannot
	// come back; it is nothing if there is nothing. It returns [ErrBusy] while a Staging
	// of that name is open.
	Remove(ctx context.Context, name latchkey.Name) error
	// Sweep removes what was staged and not touched since before.
	Sweep(ctx context.Context, before time.Time) error
}

// Object is a stored object: its header, and its body from the first byte on. Whoever
// opened it closes the body.
type Object struct {
	Header sealed.Header
	Body   io.ReadCloser
}

// Staging is an upload under way. It is used by one goroutine.
type Staging interface {
	// Held is how many bytes of the body are there, those of earlier attempts
	// included. Writing goes on from there. If the object is stored already it is
	// the whole length.
	Held() uint64
	// Write adds to the body. More than the header's length is refused as
	// [sealed.Trailing], and nothing of it is kept.
	io.Writer
	// Commit puts the object under its name. It returns a [sealed.Truncated] refusal
	// while bytes are missing, and [sealed.WrongHash] if the body is not the one that
	// the header gives: then what was staged is gone, and Held is 0.
	Commit(ctx context.Context) error
	// Close keeps what was written for the next Stage.
	Close() error
}

// Progress is how far an upload has come.
type Progress struct {
	Header sealed.Header
	Held   uint64
}
