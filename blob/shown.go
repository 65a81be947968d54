package blob

import (
	"context"
	"errors"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Shown is a store of what lies somewhere else, to which nothing is added: it opens
// objects, as [Store] says.
type Shown func(ctx context.Context, name latchkey.Name) (Object, error)

// errShown says that nothing is put into it.
var errShown = errors.New("internal error: what is only shown is not changed")

// Open is [Store]'s.
func (s Shown) Open(ctx context.Context, name latchkey.Name) (Object, error) { return s(ctx, name) }

// Stage is [Store]'s.
func (Shown) Stage(context.Context, sealed.Header) (Staging, error) { return nil, errShown }

// Staged is [Store]'s.
func (Shown) Staged(context.Context, latchkey.Name) (Progress, error) {
	return Progress{}, ErrNotFound
}

// Remove is [Store]'s.
func (Shown) Remove(context.Context, latchkey.Name) error { return errShown }

// Sweep is [Store]'s. Nothing is ever staged.
func (Shown) Sweep(context.Context, time.Time) error { return nil }
