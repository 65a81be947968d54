package attic

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/server"
)

// Config is what [Run] must know.
type Config struct {
	// Attic is what is shown. It stays the caller's to close, after the show.
	Attic *Attic
	// Vault is a file with the person's vault. Empty: the one in the export.
	Vault string
	// App is the app's pages.
	App http.Handler
	// Log is [server.Config]'s.
	Log *slog.Logger
}

// Show is an attic that is shown to somebody at this machine.
type Show struct {
	// Link opens it. What stands behind its # is the secret without which nobody at this
	// machine is answered; browsers send it nowhere by themselves.
	Link string

	server  *server.Server
	archive *archive.SQLite
	http    *http.Server
	folder  string // what is written meanwhile; removed at the end
	failed  chan error
}

// Run shows an attic, on a free port of 127.0.0.1, until Close.
func Run(ctx context.Context, c Config) (*Show, error) {
	s := &Show{failed: make(chan error, 1)}
	if err := s.start(ctx, c); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Show) start(ctx context.Context, c Config) error {
	vault, err := c.vault()
	if err != nil {
		return err
	}
	if s.folder, err = os.MkdirTemp("", "latchkey-app-"); err != nil {
		return err
	}
	if s.archive, err = server.OpenArchive(ctx, s.folder); err != nil {
		return err
	}
	index, err := c.Attic.fill(ctx, s.archive.Archive(), vault)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	host, token := listener.Addr().String(), rand.Text()
	s.server, err = server.New(ctx, server.Config{
		Archive: index, Blobs: blob.Shown(c.Attic.open), Origin: "http://" + host, App: c.App, Log: c.Log, Copy: true,
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s.Link = "http://" + host + "/#open=" + token
	s.http = server.HTTPServer(guard{host: host, token: sha256.Sum256([]byte(token)), next: s.server.Handler()})
	go func() {
		if err := s.http.Serve(server.Gathering(listener)); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("serve: %w", err)
		}
	}()
	return nil
}

// vault reads the person's vault.
func (c Config) vault() (Vault, error) {
	b, err := []byte(nil), error(nil)
	if c.Vault != "" {
		b, err = os.ReadFile(c.Vault)
	} else {
		b, err = c.Attic.read(vaultFile, maxVaultFile)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return Vault{}, errors.New("there is no vault with the export, which holds the keys to it. Make the export with --app, or name a vault with --vault")
	} else if err != nil {
		return Vault{}, err
	}
	return ParseVault(b)
}

// fill puts the home, its settings and the person's account into a fresh archive, whose
// objects are then the attic's.
func (a *Attic) fill(ctx context.Context, to archive.Archive, v Vault) (archive.Archive, error) {
	if err := server.Plant(ctx, to, a.Title, a.settings); err != nil {
		return to, err
	}
	is := archive.Account{ID: v.Account, Address: v.Address, Created: latchkey.TimeOf(time.Now())}
	if err := to.Accounts.SignUp(ctx, is, []archive.Unlocker{v.Unlocker}, archive.Vault{Account: v.Account, Bytes: v.Bytes}); err != nil {
		return to, err
	}
	to.Objects = a.index()
	return to, nil
}

// Failed tells if the show stops by itself.
func (s *Show) Failed() <-chan error { return s.failed }

// Close ends the show, and removes what was written meanwhile.
func (s *Show) Close() error {
	var errs []error
	if s.http != nil {
		errs = append(errs, s.http.Close())
	}
	if s.server != nil {
		errs = append(errs, s.server.Close())
	}
	if s.archive != nil {
		errs = append(errs, s.archive.Close())
	}
	if s.folder != "" {
		errs = append(errs, os.RemoveAll(s.folder))
	}
	return errors.Join(errs...)
}
