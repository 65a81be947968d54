package server_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
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

// openReceipts keeps beside the register what was written into it last.
type openReceipts struct {
	register
	last *atomic.Pointer[archive.Receipt]
}

func (r openReceipts) PutReceipts(ctx context.Context, all []archive.Receipt) error {
	r.last.Store(&all[len(all)-1])
	return r.register.PutReceipts(ctx, all)
}

// TestReceiptsSayWhatWas: who asked in which session for what, what there was under that
// name, and when: of what is handed out and of what is not.
func TestReceiptsSayWhatWas(t *testing.T) {
	var last atomic.Pointer[archive.Receipt]
	h := openHouse(t, uncached, func(c *server.Config) { c.Archive.Receipts = openReceipts{c.Archive.Receipts, &last} })
	m, other := h.found(t), h.found(t)
	device, _ := m.owner.Device()
	_, cookie, _ := strings.Cut(m.member.Cookie(), "=")
	ask := func(o keytest.Object, what string, want archive.Receipt) {
		t.Helper()
		_, body := h.do(t, raw{method: "GET", path: objectPath(o.Name()), header: m.asPage(), mac: m.mac()})
		want.Home, want.Device, want.Session, want.Request = m.owner.Home(), device, sha256.Sum256([]byte(cookie)), "test"
		want.Asked, want.Time = o.Name().String(), latchkey.Time(h.time().UnixMicro())
		if want.Outcome == archive.Delivered {
			want.Bytes = uint64(len(body))
		}
		if got := *last.Load(); got != want {
			t.Errorf("%s (-want +got):\n%s", what, cmp.Diff(want, got))
		}
	}
	mine, moved, theirs := m.stored(latchkey.Thumbnail, "mine"), m.stored(latchkey.Thumbnail, "moved"), other.stored(latchkey.Thumbnail, "theirs")
	header := func(o keytest.Object) [32]byte { return sha256.Sum256(o.File.Header.Bytes()) }
	ask(mine, "what is handed out", archive.Receipt{Sent: mine.Name().String(), Header: header(mine), Outcome: archive.Delivered})

	h.crossBlobs(t, moved.Name(), theirs.Name())
	ask(moved, "another home's object", archive.Receipt{
		Sent: theirs.Name().String(), Header: header(theirs), Bytes: uint64(len(sealed.File{Header: theirs.File.Header}.Bytes()) + len(theirs.Body)), Outcome: archive.Misrouted,
	})
	beyond := m.asPage()
	beyond.Set("Range", "bytes=1000000-")
	if answer, text := h.do(t, raw{method: "GET", path: objectPath(moved.Name()), header: beyond, mac: m.mac()}); answer.StatusCode != 502 || last.Load().Outcome != archive.Misrouted {
		t.Errorf("a part of another home's object that it does not have: %d %s", answer.StatusCode, text)
	}
	h.crossRows(t, mine.Name(), theirs.Name())
	ask(mine, "another home's row", archive.Receipt{Sent: theirs.Name().String(), Outcome: archive.Misrouted})

	gone := m.stored(latchkey.Thumbnail, "gone")
	if err := os.Remove(filepath.Join(h.blobs, "objects", filepath.FromSlash(gone.Name().String()))); err != nil {
		t.Fatal(err)
	}
	ask(gone, "nothing", archive.Receipt{Outcome: archive.Damaged})
}

func TestNoReceiptNoBytesControl(t *testing.T) {
	written := controls.Without(t, sabotage.Cut{File: "server/clerk.go", Old: "	if s.err != nil {", New: "	if false {"})
	waited := controls.Without(t, sabotage.Cut{File: "server/door.go", Old: "return err // no receipt, no bytes", New: "_ = err"})
	t.Parallel()
	sees(t, written, "TestNoReceiptNoBytes", "200 latchkey object")
	sees(t, waited, "TestNoReceiptNoBytes", "200 latchkey object")
}
