package server

import (
	"context"
	"errors"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
)

// An upload in which the server ended between the bytes and the row leaves bytes that no
// index names. The agent brings it again; unless the agent is gone, or what it is of was
// deleted before it came. Then nobody is ever shown it, and nobody can delete it.

// dropEvery is how often it is looked for such bytes: all that is stored is listed for that.
const dropEvery = 24 * time.Hour

// drop removes them, once a day, when they are as old as an upload that was broken off.
func (d *deletions) drop(ctx context.Context) error {
	s, now := d.server, d.server.now()
	blobs, lists := s.config.Blobs.(blob.Lister)
	if !lists || now.Sub(d.dropped) < dropEvery {
		return nil
	}
	n, err := dropUnindexed(ctx, s.config.Archive.Objects, blobs, now.Add(-stagingLife))
	if n > 0 {
		s.log.Warn("dropped what is in no index", "objects", n)
	}
	if err == nil {
		d.dropped = now
	}
	return err
}

// indexed says whether the index names an object.
func indexed(ctx context.Context, index archive.Objects, name latchkey.Name) (bool, error) {
	_, err := index.Object(ctx, name)
	if errors.Is(err, archive.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// dropUnindexed removes what has been stored since before that time and is in no index.
func dropUnindexed(ctx context.Context, index archive.Objects, blobs blob.Lister, before time.Time) (dropped int, err error) {
	err = blobs.Every(ctx, func(h blob.Held) error {
		if h.Name == (latchkey.Name{}) || !h.Since.Before(before) {
			return nil
		}
		gone, err := blobs.Drop(ctx, h.Name, func() (bool, error) { return indexed(ctx, index, h.Name) })
		if gone {
			dropped++
		}
		return err
	})
	return dropped, err
}
