package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/latchkey-cam/latchkey/sealed"
)

// Copy puts the object with that header from one store into another. What stands there
// already is not read again. It returns [ErrNotFound] if from has no such object,
// [ErrDifferent] if either has another one under the name, and a [sealed.Error] if it
// is damaged in from.
func Copy(ctx context.Context, from, to Store, h sealed.Header) error {
	staged, err := to.Stage(ctx, h)
	if err != nil {
		return err
	}
	held := staged.Held()
	err = pour(ctx, from, staged, h)
	if sealed.ReasonOf(err) == sealed.WrongHash && held > 0 { // an attempt that was broken off left it so
		err = pour(ctx, from, staged, h)
	}
	return errors.Join(err, staged.Close())
}

// pour adds what a staging lacks, and commits it.
func pour(ctx context.Context, from Store, staged Staging, h sealed.Header) error {
	if held := staged.Held(); held < h.BodyLength {
		o, err := from.Open(ctx, h.Name())
		if err != nil {
			return err
		}
		defer o.Body.Close() // read only
		if !bytes.Equal(o.Header.Bytes(), h.Bytes()) {
			return ErrDifferent
		}
		if _, err := io.CopyN(io.Discard, o.Body, int64(held)); err != nil {
			return fmt.Errorf("copy object: %w", err)
		}
		if _, err := io.Copy(staged, o.Body); err != nil {
			return fmt.Errorf("copy object: %w", err)
		}
	}
	return staged.Commit(ctx)
}
