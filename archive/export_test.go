package archive

import (
	"context"
	"net/url"

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

// OpenSQLiteIn opens an archive in a file system of the test's, which has no memory to
// share between connections: one connection, with the same pragmas but for how it
// syncs, if synchronous is not empty.
func OpenSQLiteIn(ctx context.Context, file, vfs, synchronous string) (*SQLite, error) {
	p := append([]string{"locking_mode(exclusive)"}, pragmas...)
	if synchronous != "" {
		p = append(p, "synchronous("+synchronous+")")
	}
	return openWriter(ctx, file, p, url.Values{"vfs": {vfs}})
}

// Shorten brings the log into the file, however long it is.
func (s *SQLite) Shorten(ctx context.Context) {
	s.long <- struct{}{}
	s.shorten(ctx)
}
