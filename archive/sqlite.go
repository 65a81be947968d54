package archive

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/pressly/goose/v3"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/sqlitevfs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// SQLite is an archive in one SQLite file. Each transaction is on the disk when it
// returns: write-ahead log, synchronous FULL. One connection writes, some read.
// Several processes may have the file open.
type SQLite struct {
	write, read *sql.DB
	putSheet    *sql.Stmt // for write

	long     chan struct{}      // has one place: the log is long
	settle   context.CancelFunc // ends settling
	settling sync.WaitGroup
	forget   func() // the file system, if that is not the machine's; or nil
}

// readers is how many reads go on at once; each holds a connection with its cache.
const readers = 4

// pragmas of every connection. FULL syncs the log at each commit; with less, SQLite
// itself stays whole in a power cut but forgets what it has said to be done.
var pragmas = []string{"busy_timeout(10000)", "journal_mode(wal)", "synchronous(full)"}

// OpenSQLite opens the archive in that file, and makes it or brings it up to this
// program's schema.
func OpenSQLite(ctx context.Context, file string) (*SQLite, error) {
	folder, err := durable.OpenExisting(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	defer folder.Close() // nothing is written through it afterwards
	s := &SQLite{}
	if err := s.openWriter(ctx, file, pragmas, nil, folder); err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	if s.read, err = driver.Open(dsn(file, slices.Concat(pragmas, []string{"query_only(on)"}), nil)); err != nil {
		return nil, errors.Join(fmt.Errorf("open archive: %w", err), s.write.Close())
	}
	s.read.SetMaxOpenConns(readers)
	ctx, s.settle = context.WithCancel(context.WithoutCancel(ctx))
	s.settling.Go(func() {
		for ctx.Err() == nil {
			s.shorten(ctx)
		}
	})
	return s, nil
}

// OpenSQLiteOn opens the archive in a file of another file system than the machine's, for
// whoever wants to see what becomes of it when a disk fails. One connection writes and
// reads, and has the file for itself.
func OpenSQLiteOn(ctx context.Context, fsys durable.FS, file string) (*SQLite, error) {
	s, err := openOn(ctx, fsys, file)
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	return s, nil
}

func openOn(ctx context.Context, fsys durable.FS, file string, more ...string) (*SQLite, error) {
	vfs, forget := sqlitevfs.Register(fsys)
	s := &SQLite{forget: forget}
	return s, s.openWriter(ctx, file, slices.Concat([]string{"locking_mode(exclusive)"}, pragmas, more), url.Values{"vfs": {vfs}}, fsys)
}

// openWriter opens the connection that writes, and makes the tables. The file stands in
// that folder.
func (s *SQLite) openWriter(ctx context.Context, file string, pragmas []string, more url.Values, folder durable.FS) error {
	s.long, s.settle = make(chan struct{}, 1), func() {}
	db, err := driver.Open(dsn(file, pragmas, more), func(c *sqlite3.Conn) error {
		c.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
			if pages >= longLog {
				select {
				case s.long <- struct{}{}:
				default: // it is said already
				}
			}
			return nil
		})
		return nil
	})
	if err != nil {
		return err
	}
	s.write, s.read = db, db
	db.SetMaxOpenConns(1)
	err = anew(ctx, db, folder, path.Base(filepath.ToSlash(file))+"-wal")
	if err == nil {
		err = migrate(ctx, db)
	}
	if err == nil {
		err = durable.SyncDir(folder, ".") // SQLite does that for its log alone
	}
	if err == nil {
		s.putSheet, err = db.PrepareContext(ctx, putSheet)
	}
	if err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

// anew writes the log of an archive once more as it is, and returns when it is on the disk.
//
// A sync that fails may leave in memory what is not on the disk and never will be, because
// the system takes it for written. Whoever opens the file then reads it there, goes on from
// it, and loses all that follows in a power cut. While an archive is open that does no harm:
// what could not be synced is not part of it, and the next transaction writes over it.
func anew(ctx context.Context, db *sql.DB, folder durable.FS, log string) error {
	tx, err := db.BeginTx(ctx, nil) // nobody writes meanwhile
	if err != nil {
		return err
	}
	err = rewrite(folder, log)
	if err := errors.Join(err, ignoreDone(tx.Rollback())); err != nil {
		return fmt.Errorf("write the log anew: %w", err)
	}
	return nil
}

func rewrite(folder durable.FS, name string) error {
	f, err := folder.OpenFile(name, os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer f.Close() // synced, or failed already
	b := make([]byte, 64<<10)
	for at := int64(0); ; {
		n, err := io.ReadFull(f, b)
		if n == 0 {
			if errors.Is(err, io.EOF) {
				return f.Sync()
			}
			return err
		}
		if _, err := f.Seek(at, io.SeekStart); err != nil {
			return err
		}
		if _, err := f.Write(b[:n]); err != nil {
			return err
		}
		at += int64(n)
	}
}

// longLog is with how many pages of 4 KiB the write-ahead log is long: SQLite's own bound.
const longLog = 1000

// shorten waits until the log is long, and brings what is in it into the file. SQLite
// itself does so within a commit, and whoever waits for that one waits for all of it. Here
// it is done beside those who write; then between two of them for what they have written
// meanwhile, so that the log begins anew. When it fails the log grows, nothing is lost, and
// the next commit asks for it again.
func (s *SQLite) shorten(ctx context.Context) {
	select {
	case <-s.long:
	case <-ctx.Done():
		return
	}
	for _, db := range []*sql.DB{s.read, s.write} {
		_, _ = db.ExecContext(ctx, `PRAGMA wal_checkpoint(passive)`)
	}
}

func dsn(file string, pragmas []string, more url.Values) string {
	q := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}
	maps.Copy(q, more)
	u := url.URL{Scheme: "file", Opaque: url.PathEscape(file), RawQuery: q.Encode()}
	return u.String()
}

func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the archive's version: %w", err)
	}
	if have > want {
		return fmt.Errorf("the archive is of version %d and this program knows up to %d: use a newer latchkey", have, want)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring the archive up to date: %w", err)
	}
	return nil
}

// Close closes the archive.
func (s *SQLite) Close() error {
	s.settle()
	s.settling.Wait()
	err := errors.Join(s.read.Close(), s.write.Close())
	if s.forget != nil {
		for s.write.Stats().OpenConnections > 0 { // whoever has one gives it back
			time.Sleep(time.Millisecond)
		}
		s.forget()
	}
	return err
}

// Archive is the archive by its nouns.
func (s *SQLite) Archive() Archive {
	return Archive{Setups: s, Homes: s, Outbox: s, Objects: s, Sessions: s, Joins: s, Asks: s, Settings: s, Agents: s, Conditions: s, Receipts: s, Restores: s, Holds: s, Tombstones: s, Deletions: s, Reviews: s,
		Accounts: s, Unlockers: s, Codes: s, Vaults: s, AccountSessions: s, AccountEnds: s,
	}
}

// change runs do in a transaction that holds the write lock from its beginning.
func (s *SQLite) change(ctx context.Context, what string, do func(tx *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return failed(what, err)
	}
	if err := do(tx); err != nil {
		return errors.Join(failed(what, err), ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return failed(what, err)
	}
	return nil
}

// look runs do in a transaction that sees one state of the archive.
func (s *SQLite) look(ctx context.Context, what string, do func(tx *sql.Tx) error) error {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return failed(what, err)
	}
	return failed(what, errors.Join(do(tx), ignoreDone(tx.Rollback())))
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil // the context ended it
	}
	return err
}

// failed says what was being done, and translates what callers branch on.
func failed(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		err = ErrNotFound
	case errors.Is(err, sqlite3.FULL), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		err = errors.Join(ErrFull, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// id reads a column into an identifier of fixed length; other lengths are an error,
// never cut or padded.
type id struct{ to []byte }

func (i id) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(i.to) {
		return fmt.Errorf("a column of %d bytes where %d belong", len(b), len(i.to))
	}
	copy(i.to, b)
	return nil
}

// MintSetup is [Setups]'.
func (s *SQLite) MintSetup(ctx context.Context, secret Secret, expires latchkey.Time) error {
	return s.change(ctx, "mint set-up secret", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO setups (secret, expires) VALUES (?, ?)`, secret[:], int64(expires))
		return err
	})
}

// OpenSetup is [Setups]'.
func (s *SQLite) OpenSetup(ctx context.Context, secret Secret, now latchkey.Time) (is Secret, err error) {
	err = s.look(ctx, "look at set-up secret", func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT secret FROM setups WHERE secret = ? AND home IS NULL AND expires >= ?`,
			secret[:], int64(now)).Scan(id{is[:]})
		if errors.Is(err, sql.ErrNoRows) {
			return ErrUsed
		}
		return err
	})
	return is, err
}

// AnyHome is [Setups]'.
func (s *SQLite) AnyHome(ctx context.Context) (any bool, err error) {
	err = s.look(ctx, "look for homes", func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM homes)`).Scan(&any)
	})
	return any, err
}
