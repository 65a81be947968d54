package attic

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/sealed"
)

// blobs are the attic as a server's blobs.
type blobs struct{ *Attic }

// Open is [blob.Store]'s.
func (x blobs) Open(_ context.Context, name latchkey.Name) (blob.Object, error) {
	file, ok := x.items[name]
	if !ok {
		return blob.Object{}, blob.ErrNotFound
	}
	f, err := x.root.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return blob.Object{}, blob.ErrNotFound
	} else if err != nil {
		return blob.Object{}, err
	}
	o, err := sealed.ReadFile(f)
	if err != nil {
		_ = f.Close() // read only
		return blob.Object{}, err
	}
	return blob.Object{Header: o.Header, Body: f}, nil
}

// Stage is [blob.Store]'s.
func (blobs) Stage(context.Context, sealed.Header) (blob.Staging, error) { return nil, errCopy }

// Staged is [blob.Store]'s.
func (blobs) Staged(context.Context, latchkey.Name) (blob.Progress, error) {
	return blob.Progress{}, blob.ErrNotFound
}

// Remove is [blob.Store]'s.
func (blobs) Remove(context.Context, latchkey.Name) error { return errCopy }

// Sweep is [blob.Store]'s. Nothing is ever staged.
func (blobs) Sweep(context.Context, time.Time) error { return nil }
