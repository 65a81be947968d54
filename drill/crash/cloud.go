package crash

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/internal/pipes"
	"github.com/latchkey-cam/latchkey/server"
)

// origin is where the cloud is, for those who dial through it.
const origin = "http://cloud.invalid"

// cloud is a machine with a server on it, the real one, whose archive and blobs are on one
// disk that forgets.
type cloud struct {
	disk   *durabletest.Forgetful
	fuse   *fuse
	random *rand.Rand // of what its disk keeps

	listener atomic.Pointer[pipes.Listener] // nil while nobody is there

	mu       sync.Mutex // held while it starts and ends
	db       *archive.SQLite
	blobs    *blob.Disk
	server   *server.Server
	front    *http.Server
	handlers sync.WaitGroup
}

func newCloud(disk *durabletest.Forgetful, random *rand.Rand) *cloud {
	return &cloud{disk: disk, fuse: newFuse(), random: random}
}

// Dial reaches the server, if it is there.
func (c *cloud) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	l := c.listener.Load()
	if l == nil {
		return nil, errors.New("connection refused")
	}
	return l.Dial(ctx, network, address)
}

// begin starts the server for the first time.
func (c *cloud) begin(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.start(ctx)
}

// start starts the server, as often as it takes, like a service manager. Its caller holds mu.
func (c *cloud) start(ctx context.Context) error {
	return starting(ctx, "server", func() error {
		c.disk.Before(c.fuse.before)
		err := c.open(ctx)
		if err == nil {
			c.fuse.serve()
			return nil
		}
		ended := c.fuse.release()
		err = errors.Join(err, c.close())
		if ended {
			c.darken()
		}
		return err
	})
}

// mostStarts is how often a service manager tries, more often than a disk is harmed.
const mostStarts = 100

func starting(ctx context.Context, what string, start func() error) (err error) {
	for range mostStarts {
		if err = start(); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return fmt.Errorf("start the %s: %w", what, err)
}

func (c *cloud) open(ctx context.Context) (err error) {
	if c.db, err = archive.OpenSQLiteOn(ctx, c.disk, "archive.db"); err != nil {
		return err
	}
	if c.blobs, err = blob.NewDisk(c.disk); err != nil {
		return err
	}
	c.server, err = server.New(ctx, server.Config{
		Archive: c.db.Archive(), Blobs: c.blobs, Origin: origin, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	handler := c.server.Handler()
	c.front = server.HTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.handlers.Add(1)
		defer c.handlers.Done()
		handler.ServeHTTP(w, r)
	}))
	l := pipes.Listen()
	c.listener.Store(l)
	go c.front.Serve(l) // until close
	return nil
}

// close ends what there is of a server, and waits for it. Its caller holds mu, and has
// released the fuse.
func (c *cloud) close() error {
	c.listener.Store(nil)
	var errs []error
	if c.front != nil {
		errs = append(errs, c.front.Close())
	}
	if c.server != nil {
		errs = append(errs, c.server.Close())
	}
	c.handlers.Wait()
	if c.db != nil {
		errs = append(errs, c.db.Close())
	}
	c.db, c.server, c.front = nil, nil, nil
	return errors.Join(errs...)
}

// darken is what the end of the machine does to the disk. Its caller holds mu.
func (c *cloud) darken() {
	crash(c.disk, c.fuse.mend(), c.random)
}

// again ends the server and starts it again: as somebody does who stops it, or as the end
// of its machine if that has come meanwhile.
func (c *cloud) again(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listener.Store(nil)
	if c.front != nil {
		_ = c.front.Close() // nobody hears of the end
	}
	ended := c.fuse.release()
	err := c.close()
	if c.fuse.release() || ended { // it may have ended while it was being stopped
		c.darken()
	} else if err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	return c.start(ctx)
}

func (c *cloud) mint(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server.MintSetup(ctx)
}

func (c *cloud) check(ctx context.Context, found func(server.Finding)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return server.CheckObjects(ctx, c.db, c.blobs, time.Now(), found)
}

// cut cuts the power and switches it on again.
func (c *cloud) cut(ctx context.Context) error {
	c.mu.Lock()
	c.fuse.lay(strike{harm: dark, at: 1})
	c.mu.Unlock()
	return c.again(ctx)
}

// end ends it for good.
func (c *cloud) end() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fuse.release()
	return c.close()
}
