package server_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/server"
)

// register has another name than its method Receipts, so that it can be embedded.
type register = archive.Receipts

// brokenReceipts is a register that cannot be written.
type brokenReceipts struct{ register }

func (brokenReceipts) PutReceipts(context.Context, []archive.Receipt) error {
	return errors.New("the pen has dried")
}

// TestNoReceiptNoBytes: what cannot be written down is not handed out.
func TestNoReceiptNoBytes(t *testing.T) {
	h := openHouse(t, func(c *server.Config) { c.Archive.Receipts = brokenReceipts{c.Archive.Receipts} })
	m := h.found(t)
	o := m.stored(latchkey.Thumbnail, "a picture")
	answer, body := h.do(t, raw{method: "GET", path: objectPath(o.Name()), header: m.asPage(), mac: m.mac()})
	if answer.StatusCode != 500 || strings.Contains(body, "latchkey object") || strings.Contains(body, "pen") {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	if len(h.logs.lines(t, "request")) != 1 {
		t.Errorf("the log does not say why: %s", h.logs.text())
	}
}

func TestNoReceiptNoBytesControl(t *testing.T) {
	written := controls.Without(t, sabotage.Cut{File: "server/clerk.go", Old: "	if s.err != nil {", New: "	if false {"})
	waited := controls.Without(t, sabotage.Cut{File: "server/door.go", Old: "return err // no receipt, no bytes", New: "_ = err"})
	t.Parallel()
	sees(t, written, "TestNoReceiptNoBytes", "200 latchkey object")
	sees(t, waited, "TestNoReceiptNoBytes", "200 latchkey object")
}
