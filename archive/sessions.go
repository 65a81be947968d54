package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
)

// macKeySize is the length of one key in the column of keys.
const macKeySize = len(api.MACKey{})

// StartSession is [Sessions]'.
func (s *SQLite) StartSession(ctx context.Context, n Session) error {
	return s.change(ctx, "start session", func(tx *sql.Tx) error {
		var older []byte
		err := tx.QueryRowContext(ctx, `SELECT keys FROM sessions WHERE home = ? AND session = ?`, n.Home[:], n.ID[:]).Scan(&older)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		keys := append(joinKeys(n.Keys), older...)
		_, err = tx.ExecContext(ctx, `INSERT INTO sessions (home, session, secret, keys, device, person, browser, started, seen, expires)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (home, session) DO UPDATE SET
				keys = excluded.keys, browser = excluded.browser, seen = excluded.seen, expires = excluded.expires`,
			n.Home[:], n.ID[:], n.Secret[:], keys[:min(len(keys), MaxPages*macKeySize)], n.Device[:], n.Person[:], n.Browser,
			int64(n.Started), int64(n.Seen), int64(n.Expires))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE homes SET sign_ins = sign_ins + 1 WHERE home = ?`, n.Home[:]); err != nil {
			return err
		}
		return end(ctx, tx, n.Home, `device = ?2 AND session NOT IN (
			SELECT session FROM sessions WHERE home = ?1 AND device = ?2 ORDER BY session = ?3 DESC, seen DESC LIMIT ?4)`,
			n.Device[:], n.ID[:], MaxDeviceSessions)
	})
}

// end ends the sessions of a home of which a condition is true, and tells of each. The
// home is the condition's first argument.
func end(ctx context.Context, tx *sql.Tx, home latchkey.HomeID, condition string, args ...any) error {
	rows, err := tx.QueryContext(ctx, `DELETE FROM sessions WHERE home = ?1 AND `+condition+` RETURNING session`, append([]any{home[:]}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close() // read to the end, or failed already
	var ended []latchkey.SessionID
	for rows.Next() {
		var s latchkey.SessionID
		if err := rows.Scan(id{s[:]}); err != nil {
			return err
		}
		ended = append(ended, s)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, s := range ended {
		if err := post(ctx, tx, home, s); err != nil {
			return err
		}
	}
	return nil
}

const sessionColumns = `home, session, secret, keys, device, person, browser, started, seen, expires`

func scanSession(row interface{ Scan(to ...any) error }) (n Session, err error) {
	var keys []byte
	var started, seen, expires int64
	err = row.Scan(id{n.Home[:]}, id{n.ID[:]}, id{n.Secret[:]}, &keys, id{n.Device[:]}, id{n.Person[:]}, &n.Browser, &started, &seen, &expires)
	if err != nil {
		return n, err
	}
	n.Started, n.Seen, n.Expires = latchkey.Time(started), latchkey.Time(seen), latchkey.Time(expires)
	n.Keys, err = splitKeys(keys)
	return n, err
}

// Session is [Sessions]'.
func (s *SQLite) Session(ctx context.Context, home latchkey.HomeID, secret Secret) (n Session, err error) {
	err = s.look(ctx, "read session", func(tx *sql.Tx) error {
		n, err = scanSession(tx.QueryRowContext(ctx, `SELECT `+sessionColumns+` FROM sessions WHERE home = ? AND secret = ?`, home[:], secret[:]))
		return err
	})
	return n, err
}

// SessionsOf is [Sessions]'.
func (s *SQLite) SessionsOf(ctx context.Context, home latchkey.HomeID) (all []Session, err error) {
	err = s.look(ctx, "list sessions", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+sessionColumns+` FROM sessions WHERE home = ? ORDER BY started, session`, home[:])
		if err != nil {
			return err
		}
		defer rows.Close() // read to the end, or failed already
		for rows.Next() {
			n, err := scanSession(rows)
			if err != nil {
				return err
			}
			all = append(all, n)
		}
		return rows.Err()
	})
	return all, err
}

// SeeSession is [Sessions]'.
func (s *SQLite) SeeSession(ctx context.Context, home latchkey.HomeID, session latchkey.SessionID, at latchkey.Time) error {
	return s.change(ctx, "see session", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sessions SET seen = ? WHERE home = ? AND session = ? AND seen <= ?`,
			int64(at), home[:], session[:], int64(at-SeenEvery))
		return err
	})
}

// EndSession is [Sessions]'.
func (s *SQLite) EndSession(ctx context.Context, home latchkey.HomeID, session latchkey.SessionID) error {
	return s.change(ctx, "end session", func(tx *sql.Tx) error {
		return end(ctx, tx, home, `session = ?2`, session[:])
	})
}

func joinKeys(keys []api.MACKey) (b []byte) {
	for _, k := range keys {
		b = append(b, k[:]...)
	}
	return b
}

func splitKeys(b []byte) (keys []api.MACKey, err error) {
	if len(b) == 0 || len(b)%macKeySize != 0 {
		return nil, fmt.Errorf("%d bytes of MAC keys", len(b))
	}
	for ; len(b) > 0; b = b[macKeySize:] {
		keys = append(keys, api.MACKey(b[:macKeySize]))
	}
	return keys, nil
}
