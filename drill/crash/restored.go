package crash

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/latchkey-cam/latchkey/server"
)

// house is a machine with a server in a real folder, which is backed up and lost.
type house struct {
	dir string
	n   int // so many servers have been restored

	mu     sync.Mutex // protects what follows
	server *server.Local
}

func (h *house) data() string { return filepath.Join(h.dir, fmt.Sprintf("server-%d", h.n)) }

func (h *house) begin(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var err error
	h.server, err = server.Run(ctx, server.LocalConfig{
		Data: h.data(), Listen: "127.0.0.1:0", Origin: origin, Log: slog.New(slog.DiscardHandler),
	})
	return err
}

func (h *house) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server == nil {
		return nil
	}
	err := h.server.Close()
	h.server = nil
	return err
}

// Dial is [dialler]'s.
func (h *house) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	h.mu.Lock()
	s := h.server
	h.mu.Unlock()
	if s == nil {
		return nil, errors.New("connection refused")
	}
	return (&net.Dialer{}).DialContext(ctx, network, s.Address)
}

func (h *house) mint(ctx context.Context) (string, error) { return h.server.MintSetup(ctx) }

func (h *house) again(ctx context.Context) error { return errors.Join(h.close(), h.begin(ctx)) }

func (h *house) check(ctx context.Context, found func(server.Finding)) error {
	_, err := server.Check(ctx, server.CheckConfig{Data: h.data(), Found: found})
	return err
}

// restored lets a home live on a server that is backed up, goes on, is lost, and is
// restored from the backup, while the agent goes on.
func restored(ctx context.Context, dir string, seed uint64) (l lived, err error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	h := &house{dir: dir}
	t, err := newTrial(h, seed)
	if err == nil {
		err = h.begin(ctx)
	}
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if err := t.settle(ctx, rand.New(rand.NewPCG(seed, 3))); err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, t.box.end()) }()
	l = lived{trial: t, restored: true}
	var stays *outsider // until the backup was made
	for _, phase := range []step{
		func(ctx context.Context) error {
			return t.through(ctx, []step{t.record, t.record, t.removal, t.signOut, t.deletion})
		},
		func(ctx context.Context) (err error) {
			stays, err = t.admit(ctx)
			return err
		},
		t.arrived,
		func(ctx context.Context) error { return t.lose(ctx, h, stays) },
		func(ctx context.Context) error { return t.through(ctx, []step{t.record, t.look, t.box.again}) },
		t.end,
	} {
		if err := phase(ctx); err != nil {
			return l, err
		}
	}
	return l, nil
}

// lose backs the server up, goes on, also without one of those who lived there, loses it, and
// puts the backup in its place. What it has taken since and the agent has no more is lost
// with it; nothing else is.
func (t *trial) lose(ctx context.Context, h *house, leaves *outsider) error {
	backup := filepath.Join(h.dir, "backup")
	had := len(t.book.order)
	if _, lost, err := server.BackUp(ctx, server.BackupConfig{Data: h.data(), To: backup}); err != nil || lost.Count > 0 {
		return errors.Join(fmt.Errorf("back up: %d objects lost", lost.Count), err)
	}
	dismissal := func(ctx context.Context) error { return t.dismiss(ctx, leaves) }
	if err := t.through(ctx, []step{t.record, dismissal, t.removal, t.signOut, t.deletion}); err != nil {
		return err
	}
	if err := t.arrived(ctx); err != nil { // the agent knows who is gone
		return err
	}
	if err := h.close(); err != nil {
		return err
	}
	if err := t.record(ctx); err != nil { // and records while nobody is there
		return err
	}
	t.book.lose(had, t.box.waits)
	if err := t.box.end(); err != nil { // so that nobody who remembers is there at first
		return err
	}
	h.n++
	if _, lost, err := server.Restore(ctx, server.RestoreConfig{From: backup, Data: h.data()}); err != nil || lost.Count > 0 {
		return errors.Join(fmt.Errorf("restore: %d objects lost", lost.Count), err)
	}
	if err := h.begin(ctx); err != nil {
		return err
	}
	if err := t.shutOut(ctx); err != nil {
		return err
	}
	if err := t.box.begin(ctx); err != nil {
		return err
	}
	return insist(ctx, func() (err error) {
		t.session, err = t.signIn(ctx)
		return err
	})
}
