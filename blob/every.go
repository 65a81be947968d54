package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

// Lister is a [Store] that can say what it holds, so that what nobody knows of is found.
type Lister interface {
	// Every calls do with what is stored, in no order, until do returns an error.
	Every(ctx context.Context, do func(Held) error) error
	// Drop removes what is stored under a name, unless it is claimed. It asks that while
	// nobody can upload an object of that name, and drops nothing that is being uploaded.
	Drop(ctx context.Context, name latchkey.Name, claimed func() (bool, error)) (dropped bool, err error)
}

// Held is something that is stored.
type Held struct {
	Name  latchkey.Name // zero for what is no object's
	At    string        // where it is, for people
	Since time.Time
}

var _ Lister = (*Disk)(nil)

// Every is [Lister]'s.
func (d *Disk) Every(ctx context.Context, do func(Held) error) error {
	return d.walk(ctx, "objects", do)
}

func (d *Disk) walk(ctx context.Context, dir string, do func(Held) error) error {
	entries, err := durable.List(d.fs, dir)
	if err != nil {
		return fmt.Errorf("list objects: %w", err)
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := path.Join(dir, e.Name())
		if e.IsDir() {
			err = d.walk(ctx, at, do)
		} else {
			name, _ := latchkey.ParseName(strings.TrimPrefix(at, "objects/")) // the zero name if it is none
			err = do(Held{name, at, changed(e)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Drop is [Lister]'s.
func (d *Disk) Drop(ctx context.Context, name latchkey.Name, claimed func() (bool, error)) (bool, error) {
	at, err := objectPath(name)
	if err != nil {
		return false, err
	}
	if !d.take(name) {
		return false, nil
	}
	defer d.release(name)
	if is, err := claimed(); is || err != nil {
		return false, err
	}
	switch err := durable.Remove(d.fs, at); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("drop object: %w", err)
	}
	return true, nil
}
