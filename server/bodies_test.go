package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

// crossedBlobs is a store behind a connection that has lost count.
type crossedBlobs struct {
	blob.Store
	open   atomic.Pointer[func(ctx context.Context, name latchkey.Name) (blob.Object, error)]
	staged latchkey.Name // is answered for, if it is not zero
}

func (c *crossedBlobs) Open(ctx context.Context, name latchkey.Name) (blob.Object, error) {
	if open := c.open.Load(); open != nil {
		return (*open)(ctx, name)
	}
	return c.Store.Open(ctx, name)
}

func (c *crossedBlobs) Staged(ctx context.Context, name latchkey.Name) (blob.Progress, error) {
	if c.staged != (latchkey.Name{}) {
		name = c.staged
	}
	return c.Store.Staged(ctx, name)
}

// TestCrossedBodies: what the store gives is another object, or begins as the right one
// and goes on as another. The door sends nothing of the first; of the second nothing
// opens, because the signed header has the hash of its body.
func TestCrossedBodies(t *testing.T) {
	c := &crossedBlobs{}
	h := openHouse(t, func(config *server.Config) { c.Store, config.Blobs = config.Blobs, c })
	m, other := h.found(t), h.found(t)
	mine, another, theirs := m.stored(latchkey.Thumbnail, "a picture").Name(), m.stored(latchkey.Thumbnail, "a lecture").Name(), other.stored(latchkey.Thumbnail, "a foreign").Name()
	instead := func(name latchkey.Name) func(context.Context, latchkey.Name) (blob.Object, error) {
		return func(ctx context.Context, _ latchkey.Name) (blob.Object, error) { return c.Store.Open(ctx, name) }
	}
	// as is the asked object with another body.
	as := func(body func(own, foreign []byte) []byte, name latchkey.Name) func(context.Context, latchkey.Name) (blob.Object, error) {
		return func(ctx context.Context, asked latchkey.Name) (blob.Object, error) {
			own, foreign := must(c.Store.Open(ctx, asked)), must(c.Store.Open(ctx, name))
			b := body(must(io.ReadAll(own.Body)), must(io.ReadAll(foreign.Body)))
			return blob.Object{Header: own.Header, Body: io.NopCloser(bytes.NewReader(b))}, errors.Join(own.Body.Close(), foreign.Body.Close())
		}
	}
	theOther := func(_, foreign []byte) []byte { return foreign }
	for name, tt := range map[string]struct {
		open   func(context.Context, latchkey.Name) (blob.Object, error)
		refuse api.Reason    // by the door
		reason sealed.Reason // by whoever opens
	}{
		"another home's object":               {instead(theirs), api.Misroute, ""},
		"another object of the camera":        {instead(another), api.Misroute, ""},
		"another home's body":                 {as(theOther, theirs), "", sealed.WrongHash},
		"another body of the camera":          {as(theOther, another), "", sealed.WrongHash},
		"half of the body":                    {as(func(own, _ []byte) []byte { return own[:len(own)/2] }, theirs), "", ""},
		"the body and another's behind it":    {as(func(own, foreign []byte) []byte { return append(own, foreign...) }, theirs), "", ""},
		"half of the body and half another's": {as(func(own, foreign []byte) []byte { return append(own[:len(own)/2], foreign[len(own)/2:]...) }, another), "", sealed.WrongHash},
	} {
		c.open.Store(&tt.open)
		content, err := m.see(mine)
		c.open.Store(nil)
		if content != "" || err == nil || api.ReasonOf(err) != tt.refuse || sealed.ReasonOf(err) != tt.reason {
			t.Errorf("%s: %q, %v, want it refused as %q or %q", name, content, err, tt.refuse, tt.reason)
		}
	}
	if n := h.metric(t, "latchkey_misroutes_total", "where=blob", "confirmed=true"); n != 2 {
		t.Errorf("%v alarms, want 2", n)
	}
	if content, err := m.see(mine); content != "a picture" || err != nil {
		t.Errorf("afterwards: %q, %v", content, err)
	}

	// A part of an object has no hash of its own: whoever gets it compares.
	header := m.asPage()
	header.Set("Range", "bytes=5-9")
	_, whole := h.do(t, raw{method: "GET", path: objectPath(mine), header: m.asPage(), mac: m.mac()})
	if part, text := h.do(t, raw{method: "GET", path: objectPath(mine), header: header, mac: m.mac()}); part.StatusCode != http.StatusPartialContent || text != whole[5:10] {
		t.Errorf("asked for a part: %s, %q", part.Status, text)
	}

	c.staged = another
	path := objectPath(m.object(latchkey.Thumbnail, "new").Name())
	if answer, _ := h.do(t, raw{method: "HEAD", path: path, header: m.asAgent("HEAD", path)}); answer.StatusCode != http.StatusBadGateway {
		t.Errorf("another upload's progress: %s", answer.Status)
	}
	if n := h.metric(t, "latchkey_misroutes_total", "where=staged"); n != 1 {
		t.Errorf("%v alarms of a crossed upload", n)
	}
}
