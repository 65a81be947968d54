package archive

import (
	"context"

	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Kept and KeptEnvelope are rows as a database gives them.
type (
	Kept         = kept
	KeptEnvelope = keptEnvelope
)

// RowOf is what is handed out of the rows of an object, and of its first envelope, that
// were changed behind the archive's back: what is wrong, and how many envelopes.
func RowOf(f sealed.File, row func(k *Kept), envelope func(e *KeptEnvelope)) (problem string, envelopes int) {
	k, first := keptOf(f.Header), f.Envelopes[0]
	e := keptEnvelope{k.Home, k.Camera, k.Object, first.Recipient, first.Key, first.Epoch, first.Bytes()}
	if row != nil {
		row(&k)
		e.Home, e.Camera, e.Object = k.Home, k.Camera, k.Object
	}
	if envelope != nil {
		envelope(&e)
	}
	r := k.row([]keptEnvelope{e})
	return r.Problem, len(r.Envelopes)
}

// OpenSQLiteSyncing is [OpenSQLiteOn] of an archive that syncs otherwise, unless
// synchronous is empty.
func OpenSQLiteSyncing(ctx context.Context, fsys durable.FS, file, synchronous string) (*SQLite, error) {
	if synchronous == "" {
		return OpenSQLiteOn(ctx, fsys, file)
	}
	return openOn(ctx, fsys, file, "synchronous("+synchronous+")")
}

// Shorten brings the log into the file, however long it is.
func (s *SQLite) Shorten(ctx context.Context) {
	s.long <- struct{}{}
	s.shorten(ctx)
}
