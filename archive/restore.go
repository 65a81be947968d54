package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"

	"github.com/ncruces/go-sqlite3/driver"

	"github.com/latchkey-cam/latchkey"
)

// Restored is [Restores]'.
func (s *SQLite) Restored(ctx context.Context, now latchkey.Time) error {
	return s.change(ctx, "mark archive as restored", func(tx *sql.Tx) error {
		last, err := generation(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO restores (time) VALUES (?)`, int64(max(now, last+1))); err != nil {
			return err
		}
		// What was given out for a while has been used, ended or taken back since, for all
		// that anybody knows here.
		for _, change := range []string{
			`UPDATE homes SET closed = 1`, `UPDATE agents SET restored = 1`,
			`DELETE FROM sessions`, `DELETE FROM account_sessions`, `DELETE FROM joins`, `DELETE FROM setups`,
		} {
			if _, err := tx.ExecContext(ctx, change); err != nil {
				return err
			}
		}
		return nil
	})
}

// Generation is [Restores]'.
func (s *SQLite) Generation(ctx context.Context) (at latchkey.Time, err error) {
	err = s.look(ctx, "read generation", func(tx *sql.Tx) error {
		at, err = generation(ctx, tx)
		return err
	})
	return at, err
}

func generation(ctx context.Context, tx *sql.Tx) (latchkey.Time, error) {
	var at int64
	err := tx.QueryRowContext(ctx, `SELECT coalesce(max(time), 0) FROM restores`).Scan(&at)
	return latchkey.Time(at), err
}

// Reopen is [Homes]'.
func (s *SQLite) Reopen(ctx context.Context, home latchkey.HomeID, confirmed latchkey.Head) error {
	return s.change(ctx, "open home again", func(tx *sql.Tx) error {
		switch is, err := head(ctx, tx, home); {
		case err != nil:
			return err
		case is.Home != home || is.Head != confirmed:
			return ErrConflict
		}
		_, err := tx.ExecContext(ctx, `UPDATE homes SET closed = 0 WHERE home = ?`, home[:])
		return err
	})
}

// BackUpSQLite writes an archive as it is at one moment into a new file, while a server
// writes to it, and returns when the file is on the disk. The new file is an archive
// itself, of the version that the old one has.
func BackUpSQLite(ctx context.Context, from, to string) error {
	db, err := driver.Open(dsn(from, pragmas[:1], url.Values{"mode": {"rw"}})) // never makes one
	if err != nil {
		return failed("back up archive", err)
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, to)
	if err = errors.Join(err, db.Close()); err != nil {
		return failed("back up archive", err)
	}
	f, err := os.OpenFile(to, os.O_RDWR, 0)
	if err != nil {
		return failed("back up archive", err)
	}
	return failed("back up archive", errors.Join(f.Chmod(0o600), f.Sync(), f.Close()))
}

// Sums is how much an archive says that it holds.
type Sums struct {
	Homes   int    `json:"homes"`
	Deeds   int    `json:"deeds"`
	Objects int    `json:"objects"`
	Bytes   uint64 `json:"bytes"` // of the objects' bodies
}

// Check looks through the whole file for damage and returns what it holds.
func (s *SQLite) Check(ctx context.Context) (n Sums, err error) {
	err = s.look(ctx, "check archive", func(tx *sql.Tx) error {
		var says string
		if err := tx.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&says); err != nil {
			return err
		}
		if says != "ok" {
			return fmt.Errorf("the file is damaged: %.200s", says)
		}
		return tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM homes), (SELECT count(*) FROM deeds),
			(SELECT count(*) FROM objects), (SELECT coalesce(sum(bytes), 0) FROM objects)`).Scan(&n.Homes, &n.Deeds, &n.Objects, &n.Bytes)
	})
	return n, err
}

// everyBatch is how many rows are read at a time, so that no read goes on for hours.
const everyBatch = 500

// Every calls do with the row of every object, without its envelopes, until one returns
// an error.
func (s *SQLite) Every(ctx context.Context, do func(r Row) error) error {
	for after := int64(math.MinInt64); ; {
		batch, last, err := s.batch(ctx, after)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			return nil
		}
		for _, r := range batch {
			if err := do(r); err != nil {
				return err
			}
		}
		after = last
	}
}

// batch returns the next rows, and the number of the last of them.
func (s *SQLite) batch(ctx context.Context, after int64) (batch []Row, last int64, err error) {
	err = s.look(ctx, "list objects", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT rowid, home, camera, object, day, kind, event, agent_key, incarnation, sequence, header
			FROM objects WHERE rowid > ? ORDER BY rowid LIMIT ?`, after, everyBatch)
		if err != nil {
			return err
		}
		defer rows.Close() // read only
		for rows.Next() {
			k, err := scanKept(numbered{rows, &last})
			if err != nil {
				return err
			}
			batch = append(batch, k.row(nil))
		}
		return rows.Err()
	})
	return batch, last, err
}

// numbered scans a row whose number stands before the rest.
type numbered struct {
	rows *sql.Rows
	at   *int64
}

func (n numbered) Scan(to ...any) error { return n.rows.Scan(append([]any{n.at}, to...)...) }
