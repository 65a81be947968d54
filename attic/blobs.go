package attic

import (
	"context"
	"errors"
	"io/fs"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/sealed"
)

// open opens an object as a server's blobs do.
func (a *Attic) open(_ context.Context, name latchkey.Name) (blob.Object, error) {
	file, ok := a.items[name]
	if !ok {
		return blob.Object{}, blob.ErrNotFound
	}
	f, err := a.root.Open(file)
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
