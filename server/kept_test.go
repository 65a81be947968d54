package server_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/server"
)

// counted counts what is asked of the archive and of the blobs.
type counted struct {
	n atomic.Int64

	archive.Homes
	archive.Objects
	archive.Sessions
	blob.Store
}

func (c *counted) Head(ctx context.Context, home latchkey.HomeID) (archive.HomeHead, error) {
	c.n.Add(1)
	return c.Homes.Head(ctx, home)
}

func (c *counted) Deeds(ctx context.Context, home latchkey.HomeID, from uint64, max int) ([]archive.Deed, error) {
	c.n.Add(1)
	return c.Homes.Deeds(ctx, home, from, max)
}

func (c *counted) Session(ctx context.Context, home latchkey.HomeID, secret archive.Secret) (archive.Session, error) {
	c.n.Add(1)
	return c.Sessions.Session(ctx, home, secret)
}

func (c *counted) Object(ctx context.Context, name latchkey.Name) (archive.Row, error) {
	c.n.Add(1)
	return c.Objects.Object(ctx, name)
}

func (c *counted) Events(ctx context.Context, home latchkey.HomeID, before archive.Cursor, limit int) (archive.Page, error) {
	c.n.Add(1)
	return c.Objects.Events(ctx, home, before, limit)
}

func (c *counted) Open(ctx context.Context, name latchkey.Name) (blob.Object, error) {
	c.n.Add(1)
	return c.Store.Open(ctx, name)
}

// TestKept: what was asked for is not read again, but for the head if there are other
// servers; what has changed is.
func TestKept(t *testing.T) {
	for name, tt := range map[string]struct {
		change  func(c *server.Config)
		page    int64 // reads of a page of events that is kept
		picture int64 // and of a thumbnail
	}{
		"one server":      {func(*server.Config) {}, 0, 0},
		"one of several":  {func(c *server.Config) { c.Bus = bus.NewLocal() }, 1, 2},
		"without a cache": {uncached, 3, 5},
	} {
		t.Run(name, func(t *testing.T) {
			c := &counted{}
			h := openHouse(t, tt.change, func(config *server.Config) {
				a := &config.Archive
				c.Homes, c.Objects, c.Sessions, c.Store = a.Homes, a.Objects, a.Sessions, config.Blobs
				a.Homes, a.Objects, a.Sessions, config.Blobs = c, c, c, c
			})
			m := h.found(t)
			picture := m.stored(latchkey.Thumbnail, "a picture").Name()
			page, thumbnail := m.path("/events"), objectPath(picture)
			asks := func(path string) (int64, http.Header, string) {
				before := c.n.Load()
				answer, text := h.do(t, raw{method: "GET", path: path, header: m.asPage(), mac: m.mac()})
				if answer.StatusCode != 200 {
					t.Fatalf("%s: %s", path, answer.Status)
				}
				return c.n.Load() - before, answer.Header, text
			}
			asks(page)
			asks(thumbnail)
			for path, most := range map[string]int64{page: tt.page, thumbnail: tt.picture} {
				if n, _, _ := asks(path); n != most {
					t.Errorf("%s: %d reads, want %d", path, n, most)
				}
			}
			_, _, before := asks(page)
			m.stored(latchkey.Thumbnail, "another")
			if n, _, after := asks(page); after == before || n == 0 {
				t.Errorf("a new picture is not in the list after %d reads", n)
			}
		})
	}
}

// TestKeptLargePictures: a picture that is too large to be kept whole is handed out whole.
func TestKeptLargePictures(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	large := strings.Repeat("a picture", 10_000)
	name := m.stored(latchkey.Thumbnail, large).Name()
	for range 2 {
		if content, err := m.see(name); content != large || err != nil {
			t.Errorf("%d bytes of %d, %v", len(content), len(large), err)
		}
	}
	if n := h.metric(t, "latchkey_corrupt_total"); n != 0 {
		t.Errorf("%v are counted as damaged", n)
	}
}
