package porch

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Unsent is what the agent has recorded, and the home's server has not taken yet.
type Unsent interface {
	// List gives a header for each object, of which name, event, time and length hold.
	List() []sealed.Header
	// Changed is closed when something has been added since the call.
	Changed() <-chan struct{}
	// Open opens an object, with envelopes for those who live in the home now. Whoever
	// opened it closes the body. It returns [fs.ErrNotExist] if the object is not there any
	// more, or nothing that an agent of the home may have made.
	Open(name latchkey.Name) (sealed.File, io.ReadCloser, error)
}

// shelf shows what waits as a server's index and blobs. It keeps nothing: what is deleted
// at the agent is gone here.
type shelf struct{ of Unsent }

func (s shelf) lying() archive.Happenings { return archive.Gather(s.of.List()) }

func (s shelf) row(name latchkey.Name) (archive.Row, error) {
	o, body, err := s.of.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return archive.Row{}, archive.ErrNotFound
	} else if err != nil {
		return archive.Row{}, err
	}
	defer body.Close() // read only
	return archive.Row{Name: o.Header.Name(), Event: o.Header.Binding.Event, Header: o.Header.Bytes(), Envelopes: o.Envelopes}, nil
}

func (s shelf) open(_ context.Context, name latchkey.Name) (blob.Object, error) {
	o, body, err := s.of.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return blob.Object{}, blob.ErrNotFound
	}
	return blob.Object{Header: o.Header, Body: body}, err
}
