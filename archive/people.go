package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
)

// OpenJoin is [Joins]'.
func (s *SQLite) OpenJoin(ctx context.Context, j Join, now latchkey.Time) error {
	return s.change(ctx, "open join", func(tx *sql.Tx) error {
		is, err := join(ctx, tx, j.Slot)
		if err == nil {
			if is.Home != j.Home || is.Person != j.Person || !bytes.Equal(is.Announcement, j.Announcement) {
				return ErrUsed
			}
			return nil
		} else if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM joins WHERE home = ? AND expires < ?`, j.Home[:], int64(now)); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM joins WHERE home = ?`, j.Home[:]).Scan(&n); err != nil {
			return err
		}
		if n >= MaxJoins {
			return ErrTooMany
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO joins (home, slot, person, announcement, expires, answer) VALUES (?, ?, ?, ?, ?, x'')`,
			j.Home[:], j.Slot[:], j.Person, j.Announcement, int64(j.Expires))
		return err
	})
}

func join(ctx context.Context, tx *sql.Tx, slot api.Slot) (j Join, err error) {
	var expires int64
	err = tx.QueryRowContext(ctx, `SELECT home, slot, person, announcement, expires, answer, reveal FROM joins WHERE slot = ?`, slot[:]).
		Scan(id{j.Home[:]}, id{j.Slot[:]}, &j.Person, &j.Announcement, &expires, &j.Answer, &j.Reveal)
	j.Expires = latchkey.Time(expires)
	return j, err
}

// Join is [Joins]'.
func (s *SQLite) Join(ctx context.Context, slot api.Slot) (j Join, err error) {
	err = s.look(ctx, "read join", func(tx *sql.Tx) error {
		j, err = join(ctx, tx, slot)
		return err
	})
	return j, err
}

// AnswerJoin is [Joins]'.
func (s *SQLite) AnswerJoin(ctx context.Context, slot api.Slot, answer []byte, now latchkey.Time) error {
	return s.change(ctx, "answer join", func(tx *sql.Tx) error {
		j, err := join(ctx, tx, slot)
		switch {
		case err != nil:
			return err
		case bytes.Equal(j.Answer, answer):
			return nil
		case len(j.Answer) > 0 || j.Expires < now:
			return ErrUsed
		}
		_, err = tx.ExecContext(ctx, `UPDATE joins SET answer = ? WHERE home = ? AND slot = ?`, answer, j.Home[:], slot[:])
		return err
	})
}

// RevealJoin is [Joins]'.
func (s *SQLite) RevealJoin(ctx context.Context, home latchkey.HomeID, slot api.Slot, reveal []byte) error {
	return s.change(ctx, "reveal to whoever answered", func(tx *sql.Tx) error {
		j, err := join(ctx, tx, slot)
		switch {
		case err != nil:
			return err
		case j.Home != home:
			return ErrNotFound
		case bytes.Equal(j.Reveal, reveal):
			return nil
		case len(j.Answer) == 0 || len(j.Reveal) > 0:
			return ErrUsed
		}
		_, err = tx.ExecContext(ctx, `UPDATE joins SET reveal = ? WHERE home = ? AND slot = ?`, reveal, home[:], slot[:])
		return err
	})
}

// CloseJoin is [Joins]'.
func (s *SQLite) CloseJoin(ctx context.Context, home latchkey.HomeID, slot api.Slot) error {
	return s.change(ctx, "close join", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM joins WHERE home = ? AND slot = ?`, home[:], slot[:])
		return err
	})
}

// PutAsk is [Asks]'.
func (s *SQLite) PutAsk(ctx context.Context, a Ask) error {
	return s.change(ctx, "keep ask", func(tx *sql.Tx) error {
		var n int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM asks WHERE home = ? AND camera <> ?`, a.Home[:], a.Camera[:]).Scan(&n)
		if err != nil {
			return err
		}
		if n >= MaxAsks {
			return ErrTooMany
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO asks (home, camera, agent, ask) VALUES (?, ?, ?, ?)
			ON CONFLICT (home, camera) DO UPDATE SET agent = excluded.agent, ask = excluded.ask`,
			a.Home[:], a.Camera[:], a.Agent[:], a.Ask)
		return err
	})
}

// Asks is [Asks]'.
func (s *SQLite) Asks(ctx context.Context, home latchkey.HomeID) (all []Ask, err error) {
	err = s.look(ctx, "list asks", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT home, camera, agent, ask FROM asks WHERE home = ? ORDER BY rowid`, home[:])
		if err != nil {
			return err
		}
		defer rows.Close() // read only
		for rows.Next() {
			var a Ask
			if err := rows.Scan(id{a.Home[:]}, id{a.Camera[:]}, id{a.Agent[:]}, &a.Ask); err != nil {
				return err
			}
			all = append(all, a)
		}
		return rows.Err()
	})
	return all, err
}

// DropAsk is [Asks]'.
func (s *SQLite) DropAsk(ctx context.Context, home latchkey.HomeID, camera latchkey.CameraID) error {
	return s.change(ctx, "drop ask", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM asks WHERE home = ? AND camera = ?`, home[:], camera[:])
		return err
	})
}

// Settings is [Settings]'.
func (s *SQLite) Settings(ctx context.Context, home latchkey.HomeID) (d Document, err error) {
	err = s.look(ctx, "read settings", func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT home, document FROM settings WHERE home = ?`, home[:]).Scan(id{d.Home[:]}, &d.Bytes)
	})
	return d, err
}

// PutSettings is [Settings]'.
func (s *SQLite) PutSettings(ctx context.Context, prev [32]byte, d Document) error {
	return s.change(ctx, "keep settings", func(tx *sql.Tx) error {
		hash := sha256.Sum256(d.Bytes)
		var is [32]byte
		err := tx.QueryRowContext(ctx, `SELECT hash FROM settings WHERE home = ?`, d.Home[:]).Scan(id{is[:]})
		switch {
		case err != nil && !errors.Is(err, sql.ErrNoRows):
			return err
		case err == nil && is == hash:
			return nil
		case is != prev:
			return ErrConflict
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO settings (home, hash, document) VALUES (?, ?, ?)
			ON CONFLICT (home) DO UPDATE SET hash = excluded.hash, document = excluded.document`, d.Home[:], hash[:], d.Bytes)
		return err
	})
}

// Arrive is [Agents]'.
func (s *SQLite) Arrive(ctx context.Context, a Arrival) error {
	cloned := false
	err := s.change(ctx, "take agent's start", func(tx *sql.Tx) error {
		var incarnation int64
		var token Secret
		var restored bool
		err := tx.QueryRowContext(ctx, `SELECT incarnation, token, restored FROM agents WHERE home = ? AND agent = ?`, a.Home[:], a.Agent[:]).
			Scan(&incarnation, id{token[:]}, &restored)
		first := errors.Is(err, sql.ErrNoRows)
		next := token == a.Token && a.Incarnation > uint64(incarnation)
		again := token == a.Next && a.Incarnation == uint64(incarnation)
		anew := restored && a.Incarnation >= uint64(incarnation)
		switch {
		case err != nil && !first:
			return err
		case !first && !next && !again && !anew:
			cloned = true
			_, err = tx.ExecContext(ctx, `UPDATE agents SET cloned = ? WHERE home = ? AND agent = ?`, int64(a.Time), a.Home[:], a.Agent[:])
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO agents (home, agent, incarnation, token, seen) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (home, agent) DO UPDATE SET incarnation = excluded.incarnation, token = excluded.token, seen = excluded.seen, restored = 0`,
			a.Home[:], a.Agent[:], int64(a.Incarnation), a.Next[:], int64(a.Time))
		return err
	})
	if err == nil && cloned {
		return ErrCloned
	}
	return err
}

// Copies is [Agents]'.
func (s *SQLite) Copies(ctx context.Context, home latchkey.HomeID) (copies []Copy, err error) {
	err = s.look(ctx, "list copies of agents", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT home, agent, cloned FROM agents WHERE home = ? AND cloned > 0 ORDER BY agent`, home[:])
		if err != nil {
			return err
		}
		defer rows.Close() // read only
		for rows.Next() {
			var c Copy
			var at int64
			if err := rows.Scan(id{c.Home[:]}, id{c.Agent[:]}, &at); err != nil {
				return err
			}
			c.Time = latchkey.Time(at)
			copies = append(copies, c)
		}
		return rows.Err()
	})
	return copies, err
}
