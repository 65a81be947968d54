package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// Tombstones keeps what people of a home have had deleted. From the commit of a tombstone
// on, [Objects] knows nothing that it covers and takes nothing of it in.
type Tombstones interface {
	// PutTombstones keeps tombstones of a home behind those that are there. The caller
	// has verified them; one that is there already changes nothing. The outbox tells of it. Errors: ErrTooMany,
	// ErrNotFound (no such home).
	PutTombstones(ctx context.Context, home latchkey.HomeID, all []tombstone.Tombstone) error
	// TombstonesAbove returns those above a number, lowest first, at most max bytes of them but
	// at least one if there is one.
	TombstonesAbove(ctx context.Context, home latchkey.HomeID, above uint64, max int) ([]Tombstone, error)
	// Mark is the digest at a number; of 0 it is zero. Error: ErrNotFound.
	Mark(ctx context.Context, home latchkey.HomeID, number uint64) (Mark, error)
	// Deleted says whether a tombstone covers what the binding is of.
	Deleted(ctx context.Context, b sealed.Binding) (bool, error)
}

// Tombstone is one tombstone of a home as it is kept.
type Tombstone struct {
	Mark
	Bytes []byte
}

// Mark is a place in a home's list of tombstones. Two lists whose digests at a number are
// the same are the same up to there.
type Mark struct {
	Home   latchkey.HomeID
	Number uint64
	Digest [32]byte
}

// Next is the mark behind one more tombstone.
func (m Mark) Next(b []byte) Mark {
	m.Number, m.Digest = m.Number+1, tombstone.Next(m.Digest, tombstone.Hash(b))
	return m
}

// PutTombstones is [Tombstones]'.
func (s *SQLite) PutTombstones(ctx context.Context, home latchkey.HomeID, all []tombstone.Tombstone) error {
	return s.change(ctx, "keep tombstones", func(tx *sql.Tx) error {
		h, err := head(ctx, tx, home)
		if err != nil {
			return err
		}
		m, err := markAt(ctx, tx, home, h.Tombstones)
		if err != nil {
			return err
		}
		for _, t := range all {
			if m, err = putTombstone(ctx, tx, m, t); err != nil {
				return err
			}
		}
		if m.Number == h.Tombstones {
			return nil
		}
		return post(ctx, tx, home, latchkey.SessionID{}) // for agents at other servers
	})
}

// putTombstone keeps one behind the mark, and returns the mark then.
func putTombstone(ctx context.Context, tx *sql.Tx, m Mark, t tombstone.Tombstone) (Mark, error) {
	b := t.Bytes()
	hash := tombstone.Hash(b)
	var there bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM tombstones WHERE home = ? AND hash = ?)`, m.Home[:], hash[:]).Scan(&there)
	if err != nil || there {
		return m, err
	}
	if t.Home != m.Home {
		return m, fmt.Errorf("a tombstone of home %s among those of home %s", t.Home, m.Home)
	}
	if err := cover(ctx, tx, t); err != nil {
		return m, err
	}
	m = m.Next(b)
	if _, err := tx.ExecContext(ctx, `INSERT INTO tombstones (home, number, hash, digest, tombstone) VALUES (?, ?, ?, ?, ?)`,
		m.Home[:], int64(m.Number), hash[:], m.Digest[:], b); err != nil {
		return m, err
	}
	var size int64
	err = tx.QueryRowContext(ctx, `UPDATE homes SET tombstones = ?, tombstone_bytes = tombstone_bytes + ? WHERE home = ? RETURNING tombstone_bytes`,
		int64(m.Number), len(b), m.Home[:]).Scan(&size)
	if err == nil && (m.Number > tombstone.MaxInHome || size > tombstone.MaxBytes) {
		err = ErrTooMany
	}
	return m, err
}

// cover writes down what a tombstone covers, so that it is found by an object.
func cover(ctx context.Context, tx *sql.Tx, t tombstone.Tombstone) error {
	switch t.Scope {
	case tombstone.Events:
		for _, e := range t.Events {
			if _, err := tx.ExecContext(ctx, `INSERT INTO deleted_events (home, event) VALUES (?, ?) ON CONFLICT DO NOTHING`, t.Home[:], e[:]); err != nil {
				return err
			}
		}
		return nil
	case tombstone.Span:
		_, err := tx.ExecContext(ctx, `INSERT INTO deleted_spans (home, camera, begins, ends) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			t.Home[:], t.Camera[:], int64(t.From), int64(t.To))
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE homes SET deleted = max(deleted, ?) WHERE home = ?`, int64(t.Head.Seq), t.Home[:])
	return err
}

func markAt(ctx context.Context, tx *sql.Tx, home latchkey.HomeID, number uint64) (m Mark, err error) {
	if number == 0 {
		return Mark{Home: home}, nil
	}
	var is int64
	err = tx.QueryRowContext(ctx, `SELECT home, number, digest FROM tombstones WHERE home = ? AND number = ?`, home[:], int64(number)).
		Scan(id{m.Home[:]}, &is, id{m.Digest[:]})
	m.Number = uint64(is)
	return m, err
}

// Mark is [Tombstones]'.
func (s *SQLite) Mark(ctx context.Context, home latchkey.HomeID, number uint64) (m Mark, err error) {
	err = s.look(ctx, "read mark of tombstones", func(tx *sql.Tx) error {
		m, err = markAt(ctx, tx, home, number)
		return err
	})
	return m, err
}

// TombstonesAbove is [Tombstones]'.
func (s *SQLite) TombstonesAbove(ctx context.Context, home latchkey.HomeID, above uint64, max int) (all []Tombstone, err error) {
	err = s.look(ctx, "read tombstones", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT home, number, digest, tombstone FROM tombstones WHERE home = ? AND number > ? ORDER BY number`, home[:], int64(above))
		if err != nil {
			return err
		}
		defer rows.Close() // read only
		size := 0
		for rows.Next() {
			var t Tombstone
			var number int64
			if err := rows.Scan(id{t.Home[:]}, &number, id{t.Digest[:]}, &t.Bytes); err != nil {
				return err
			}
			t.Number = uint64(number)
			if size += len(t.Bytes); size > max && len(all) > 0 {
				return nil
			}
			all = append(all, t)
		}
		return rows.Err()
	})
	return all, err
}

// Deleted is [Tombstones]'.
func (s *SQLite) Deleted(ctx context.Context, b sealed.Binding) (gone bool, err error) {
	err = s.look(ctx, "look for a tombstone", func(tx *sql.Tx) error {
		gone, err = deleted(ctx, tx, b)
		return err
	})
	return gone, err
}

// deleted is the one question on which it depends that nothing deleted is handed out,
// listed or taken in again.
func deleted(ctx context.Context, tx *sql.Tx, b sealed.Binding) (gone bool, err error) {
	err = tx.QueryRowContext(ctx, `
		SELECT tombstones > 0 AND (deleted >= 0
			OR EXISTS (SELECT 1 FROM deleted_events WHERE home = homes.home AND event = ?)
			OR EXISTS (SELECT 1 FROM deleted_spans WHERE home = homes.home AND camera = ? AND begins <= ? AND ends > ?))
		FROM homes WHERE home = ?`,
		b.Event[:], b.Camera[:], int64(b.Time), int64(b.Time), b.Home[:]).Scan(&gone)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil // whoever keeps something for no home finds that out
	}
	return gone, err
}

// hidden says whether what a row is of was deleted. A row that does not fit is judged as
// what it is kept as would be: it is no object that anybody could name.
func (k kept) hidden(ctx context.Context, tx *sql.Tx) (bool, error) {
	h, err := sealed.ParseHeader(k.Header)
	if err != nil || !k.fits(h) {
		return false, nil
	}
	return deleted(ctx, tx, h.Binding)
}
