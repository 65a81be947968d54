package archive

import (
	"context"
	"net/url"
)

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
