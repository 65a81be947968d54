package archive

import (
	"context"
	"crypto/sha256"
	"database/sql"

	"github.com/latchkey-cam/latchkey"
)

// Vault is [Vaults]'.
func (s *SQLite) Vault(ctx context.Context, account latchkey.AccountID) (v Vault, err error) {
	err = s.look(ctx, "read vault", func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT account, vault FROM vaults WHERE account = ?`, account[:]).Scan(id{v.Account[:]}, &v.Bytes)
	})
	return v, err
}

// PutVault is [Vaults]'.
func (s *SQLite) PutVault(ctx context.Context, prev [32]byte, v Vault) error {
	return s.change(ctx, "keep vault", func(tx *sql.Tx) error {
		var is [32]byte
		err := tx.QueryRowContext(ctx, `SELECT hash FROM vaults WHERE account = ?`, v.Account[:]).Scan(id{is[:]})
		hash := sha256.Sum256(v.Bytes)
		switch {
		case err != nil:
			return err
		case is == hash:
			return nil
		case is != prev:
			return ErrConflict
		}
		_, err = tx.ExecContext(ctx, `UPDATE vaults SET hash = ?, vault = ? WHERE account = ?`, hash[:], v.Bytes, v.Account[:])
		return err
	})
}

// StartAccountSession is [AccountSessions]'.
func (s *SQLite) StartAccountSession(ctx context.Context, n AccountSession) error {
	return s.change(ctx, "start account session", func(tx *sql.Tx) error {
		_, err := accountBy(ctx, tx, "account", n.Account[:])
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO account_sessions (account, session, secret, key, browser, started, seen, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			n.Account[:], n.ID[:], n.Secret[:], n.Key[:], n.Browser, int64(n.Started), int64(n.Seen), int64(n.Expires))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM account_sessions WHERE account = ?1 AND session NOT IN (
			SELECT session FROM account_sessions WHERE account = ?1 ORDER BY session = ?2 DESC, seen DESC LIMIT ?3)`,
			n.Account[:], n.ID[:], MaxAccountSessions)
		return err
	})
}

const accountSessionColumns = `account, session, secret, key, browser, started, seen, expires`

func scanAccountSession(row interface{ Scan(to ...any) error }) (n AccountSession, err error) {
	var started, seen, expires int64
	err = row.Scan(id{n.Account[:]}, id{n.ID[:]}, id{n.Secret[:]}, id{n.Key[:]}, &n.Browser, &started, &seen, &expires)
	n.Started, n.Seen, n.Expires = latchkey.Time(started), latchkey.Time(seen), latchkey.Time(expires)
	return n, err
}

// AccountSession is [AccountSessions]'.
func (s *SQLite) AccountSession(ctx context.Context, account latchkey.AccountID, secret Secret) (n AccountSession, err error) {
	err = s.look(ctx, "read account session", func(tx *sql.Tx) error {
		n, err = scanAccountSession(tx.QueryRowContext(ctx, `SELECT `+accountSessionColumns+` FROM account_sessions WHERE account = ? AND secret = ?`, account[:], secret[:]))
		return err
	})
	return n, err
}

// AccountSessionsOf is [AccountSessions]'.
func (s *SQLite) AccountSessionsOf(ctx context.Context, account latchkey.AccountID) (all []AccountSession, err error) {
	err = s.look(ctx, "list account sessions", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+accountSessionColumns+` FROM account_sessions WHERE account = ? ORDER BY started, session`, account[:])
		if err != nil {
			return err
		}
		defer rows.Close() // read only
		for rows.Next() {
			n, err := scanAccountSession(rows)
			if err != nil {
				return err
			}
			all = append(all, n)
		}
		return rows.Err()
	})
	return all, err
}

// SeeAccountSession is [AccountSessions]'.
func (s *SQLite) SeeAccountSession(ctx context.Context, account latchkey.AccountID, session latchkey.SessionID, at latchkey.Time) error {
	return s.change(ctx, "see account session", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE account_sessions SET seen = max(seen, ?) WHERE account = ? AND session = ?`, int64(at), account[:], session[:])
		return err
	})
}

// EndAccountSession is [AccountSessions]'.
func (s *SQLite) EndAccountSession(ctx context.Context, account latchkey.AccountID, session latchkey.SessionID) error {
	return s.change(ctx, "end account session", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM account_sessions WHERE account = ? AND session = ?`, account[:], session[:])
		return err
	})
}
