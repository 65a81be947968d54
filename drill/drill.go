// Package drill rehearses disasters. It starts a cloud in this process, with its real
// archive, blobs, servers and sockets, hurts it, and says in figures whether the
// promises held.
//
// [Revoke] takes people out of their homes while they read, slowly, and measures until
// when anything still reaches them.
package drill

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/server"
)

// cloud is two servers of one archive on loopback. What is changed at one the other
// learns by the bus.
type cloud struct {
	archive *archive.SQLite
	folder  *durable.Dir // of the blobs
	bus     *bus.Local
	commits *commits
	lost    atomic.Bool // the second server reaches the archive no more
	places  [2]*Place
}

// open starts a cloud that keeps everything in dir.
func open(ctx context.Context, dir string) (c *cloud, err error) {
	c = &cloud{bus: bus.NewLocal()}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start a cloud: %w", err), c.close())
		}
	}()
	if c.archive, err = archive.OpenSQLite(ctx, filepath.Join(dir, "archive.db")); err != nil {
		return c, err
	}
	if c.folder, err = durable.Open(filepath.Join(dir, "blobs")); err != nil {
		return c, err
	}
	blobs, err := blob.NewDisk(c.folder)
	if err != nil {
		return c, err
	}
	first := c.archive.Archive()
	c.commits = &commits{Homes: first.Homes, at: map[latchkey.Head]time.Time{}}
	first.Homes = c.commits
	second := first
	second.Homes, second.Sessions, second.Outbox = lostHomes{c.commits, &c.lost}, lostSessions{first.Sessions, &c.lost}, lostOutbox{first.Outbox, &c.lost}
	for i, a := range []archive.Archive{first, second} {
		if c.places[i], err = Serve(ctx, server.Config{Archive: a, Blobs: blobs, Bus: c.bus, Log: slog.New(slog.DiscardHandler)}); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c *cloud) close() error {
	var errs []error
	for _, p := range c.places {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	if c.archive != nil {
		errs = append(errs, c.archive.Close())
	}
	if c.folder != nil {
		errs = append(errs, c.folder.Close())
	}
	return errors.Join(errs...)
}

// commits notes when the archive's commit of each append has returned. That is when a
// removal takes effect, and where the drill's clock starts.
type commits struct {
	archive.Homes

	mu sync.Mutex // protects at
	at map[latchkey.Head]time.Time
}

// Append is [archive.Homes]'.
func (c *commits) Append(ctx context.Context, onto latchkey.Head, g archive.Growth) error {
	err := c.Homes.Append(ctx, onto, g)
	if err == nil {
		now := time.Now()
		c.mu.Lock()
		c.at[g.Head] = now
		c.mu.Unlock()
	}
	return err
}

func (c *commits) of(h latchkey.Head) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at[h]
}

// An archive that is lost answers nothing, and has no error to say so.
type (
	lostHomes struct {
		archive.Homes
		lost *atomic.Bool
	}
	lostSessions struct {
		archive.Sessions
		lost *atomic.Bool
	}
	lostOutbox struct {
		archive.Outbox
		lost *atomic.Bool
	}
)

// waiting waits for an answer of a lost archive.
func waiting(ctx context.Context, lost *atomic.Bool) error {
	if !lost.Load() {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// Head is [archive.Homes]'.
func (l lostHomes) Head(ctx context.Context, home latchkey.HomeID) (archive.HomeHead, error) {
	if err := waiting(ctx, l.lost); err != nil {
		return archive.HomeHead{}, err
	}
	return l.Homes.Head(ctx, home)
}

// Session is [archive.Sessions]'.
func (l lostSessions) Session(ctx context.Context, home latchkey.HomeID, secret archive.Secret) (archive.Session, error) {
	if err := waiting(ctx, l.lost); err != nil {
		return archive.Session{}, err
	}
	return l.Sessions.Session(ctx, home, secret)
}

// Moves is [archive.Outbox]'s.
func (l lostOutbox) Moves(ctx context.Context, above uint64, max int) ([]archive.Move, error) {
	if err := waiting(ctx, l.lost); err != nil {
		return nil, err
	}
	return l.Outbox.Moves(ctx, above, max)
}
