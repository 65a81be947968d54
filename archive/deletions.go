package archive

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// Deletions takes out of the index what is deleted, or was kept for as long as its home
// wants it kept, and remembers whose bytes are to be removed until they have been. Each
// call is a bounded step: what is broken off goes on with the next.
type Deletions interface {
	// HomesAfter returns at most max homes above one that have something in the index, in
	// their order.
	HomesAfter(ctx context.Context, home latchkey.HomeID, max int) ([]latchkey.HomeID, error)
	// Unlist takes at most max objects out of the index that the tombstones of one home
	// cover, and says which home that was; zero if there is no more to be done. Of a home
	// that was deleted everything goes but its deeds, tombstones and receipts.
	Unlist(ctx context.Context, max int) (latchkey.HomeID, error)
	// Expire takes at most max objects out of the index that were stored before that time,
	// or are the oldest of more than so many bytes (0 for no bound), and returns how many.
	Expire(ctx context.Context, home latchkey.HomeID, before latchkey.Time, bytes uint64, max int) (int, error)
	// Leaving returns names that are not in the index any more and whose bytes may be there.
	Leaving(ctx context.Context, max int) ([]latchkey.Name, error)
	// Left forgets a name whose bytes are gone.
	Left(ctx context.Context, name latchkey.Name) error
}

// HomesAfter is [Deletions]'.
func (s *SQLite) HomesAfter(ctx context.Context, home latchkey.HomeID, max int) (all []latchkey.HomeID, err error) {
	err = s.look(ctx, "list homes", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT home FROM homes WHERE home > ? AND objects > removed ORDER BY home LIMIT ?`, home[:], max)
		if err != nil {
			return err
		}
		defer rows.Close() // read only
		for rows.Next() {
			var h latchkey.HomeID
			if err := rows.Scan(id{h[:]}); err != nil {
				return err
			}
			all = append(all, h)
		}
		return rows.Err()
	})
	return all, err
}

// Unlist is [Deletions]'.
func (s *SQLite) Unlist(ctx context.Context, max int) (home latchkey.HomeID, err error) {
	err = s.change(ctx, "take out what was deleted", func(tx *sql.Tx) error {
		var number int64
		var b []byte
		err := tx.QueryRowContext(ctx, `SELECT home, number, tombstone FROM tombstones WHERE done = 0 ORDER BY home, number LIMIT 1`).Scan(id{home[:]}, &number, &b)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		t, err := tombstone.Parse(b)
		if err != nil {
			return err
		}
		found, err := covered(ctx, tx, t, max)
		if err != nil {
			return err
		}
		if len(found) < max {
			if _, err := tx.ExecContext(ctx, `UPDATE tombstones SET done = 1 WHERE home = ? AND number = ?`, home[:], number); err != nil {
				return err
			}
			if t.Scope == tombstone.Home {
				if err := empty(ctx, tx, home); err != nil {
					return err
				}
			}
		}
		return takeOut(ctx, tx, found)
	})
	return home, err
}

// empty removes what is kept of a home that was deleted, besides its objects.
func empty(ctx context.Context, tx *sql.Tx, home latchkey.HomeID) error {
	for _, table := range []string{"settings", "conditions", "sessions", "joins", "asks", "agents", "reviews"} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE home = ?`, home[:]); err != nil {
			return err
		}
	}
	return nil
}

// covered returns at most max objects that a tombstone covers.
func covered(ctx context.Context, tx *sql.Tx, t tombstone.Tombstone, max int) (found []kept, err error) {
	where, args := `WHERE home = ?`, []any{t.Home[:]}
	switch t.Scope {
	case tombstone.Events:
		where += ` AND event IN (?` + strings.Repeat(`, ?`, len(t.Events)-1) + `)`
		for _, e := range t.Events {
			args = append(args, e[:])
		}
	case tombstone.Span:
		where += ` AND camera = ? AND day BETWEEN ? AND ?`
		args = append(args, t.Camera[:], string(t.From.Day()), string(t.To.Day()))
	}
	rows, err := tx.QueryContext(ctx, selectKept+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // read only
	for len(found) < max && rows.Next() {
		k, err := scanKept(rows)
		if err != nil {
			return nil, err
		}
		if h, err := sealed.ParseHeader(k.Header); err == nil && k.fits(h) && t.Covers(h.Binding) {
			found = append(found, k)
		}
	}
	return found, rows.Err()
}

// Expire is [Deletions]'.
func (s *SQLite) Expire(ctx context.Context, home latchkey.HomeID, before latchkey.Time, bytes uint64, max int) (n int, err error) {
	err = s.change(ctx, "take out what was kept for long enough", func(tx *sql.Tx) error {
		found, err := expired(ctx, tx, home, before, bytes, max)
		n = len(found)
		if err == nil {
			err = takeOut(ctx, tx, found)
		}
		return err
	})
	return n, err
}

// expired returns the oldest objects of a home: those from before that time, and as many
// as it takes to have no more than so many bytes.
func expired(ctx context.Context, tx *sql.Tx, home latchkey.HomeID, before latchkey.Time, bytes uint64, max int) (found []kept, err error) {
	var used int64
	if err := tx.QueryRowContext(ctx, `SELECT bytes FROM homes WHERE home = ?`, home[:]).Scan(&used); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `
		SELECT home, camera, object, day, kind, event, agent_key, incarnation, sequence, header, bytes, stored
		FROM objects WHERE home = ? ORDER BY stored LIMIT ?`, home[:], max)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // read only
	for rows.Next() {
		var size, stored int64
		k, err := scanKept(alsoScan{rows, []any{&size, &stored}})
		if err != nil {
			return nil, err
		}
		if latchkey.Time(stored) >= before && (bytes == 0 || uint64(used) <= bytes) {
			break
		}
		used -= size
		found = append(found, k)
	}
	return found, rows.Err()
}

// alsoScan scans some columns more.
type alsoScan struct {
	rows *sql.Rows
	more []any
}

// Scan is [sql.Rows]'.
func (a alsoScan) Scan(dest ...any) error { return a.rows.Scan(append(dest, a.more...)...) }

// takeOut takes objects out of the index. Their names stay until the bytes are gone: a
// name without bytes is of no harm, bytes without a name would lie there for ever.
func takeOut(ctx context.Context, tx *sql.Tx, all []kept) error {
	for _, k := range all {
		if _, err := tx.ExecContext(ctx, `INSERT INTO leaving (home, camera, object, day, kind) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			k.Home[:], k.Camera[:], k.Object[:], k.Day, int64(k.Kind)); err != nil {
			return err
		}
		var size int64
		if err := tx.QueryRowContext(ctx, `DELETE FROM objects WHERE home = ? AND camera = ? AND object = ? RETURNING bytes`, k.Home[:], k.Camera[:], k.Object[:]).Scan(&size); err != nil {
			return err
		}
		for _, c := range []struct {
			change string
			args   []any
		}{
			{`DELETE FROM envelopes WHERE home = ? AND camera = ? AND object = ?`, []any{k.Home[:], k.Camera[:], k.Object[:]}},
			{`DELETE FROM events WHERE home = ?1 AND event = ?2 AND NOT EXISTS (SELECT 1 FROM objects WHERE home = ?1 AND event = ?2)`, []any{k.Home[:], k.Event[:]}},
			{`DELETE FROM reviews WHERE home = ?1 AND event = ?2 AND NOT EXISTS (SELECT 1 FROM events WHERE home = ?1 AND event = ?2)`, []any{k.Home[:], k.Event[:]}},
			{`UPDATE homes SET removed = removed + 1, bytes = bytes - ? WHERE home = ?`, []any{size, k.Home[:]}},
		} {
			if _, err := tx.ExecContext(ctx, c.change, c.args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// Leaving is [Deletions]'.
func (s *SQLite) Leaving(ctx context.Context, max int) (all []latchkey.Name, err error) {
	err = s.look(ctx, "list what leaves", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT home, camera, object, day, kind FROM leaving LIMIT ?`, max)
		if err != nil {
			return err
		}
		defer rows.Close() // read only
		for rows.Next() {
			var n latchkey.Name
			var day string
			var kind int64
			if err := rows.Scan(id{n.Home[:]}, id{n.Camera[:]}, id{n.Object[:]}, &day, &kind); err != nil {
				return err
			}
			n.Day, n.Kind = latchkey.Day(day), latchkey.Kind(kind)
			all = append(all, n)
		}
		return rows.Err()
	})
	return all, err
}

// Left is [Deletions]'.
func (s *SQLite) Left(ctx context.Context, n latchkey.Name) error {
	return s.change(ctx, "forget what has left", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM leaving WHERE home = ? AND camera = ? AND object = ?`, n.Home[:], n.Camera[:], n.Object[:])
		return err
	})
}

// Forget takes objects out of the index of an archive that nobody serves: a backup's, of
// what was deleted at its server while it was made.
func (s *SQLite) Forget(ctx context.Context, names []latchkey.Name) error {
	return s.change(ctx, "forget objects", func(tx *sql.Tx) error {
		for _, n := range names {
			k, err := scanKept(tx.QueryRowContext(ctx, selectKept+`WHERE home = ? AND camera = ? AND object = ?`, n.Home[:], n.Camera[:], n.Object[:]))
			if err != nil {
				return err
			}
			if err := takeOut(ctx, tx, []kept{k}); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM leaving`)
		return err
	})
}

// leaves says whether the bytes of an object are about to be removed.
func leaves(ctx context.Context, tx *sql.Tx, k kept) (is bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM leaving WHERE home = ? AND camera = ? AND object = ?)`, k.Home[:], k.Camera[:], k.Object[:]).Scan(&is)
	return is, err
}
