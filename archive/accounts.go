package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
)

// SignUp is [Accounts]'.
func (s *SQLite) SignUp(ctx context.Context, a Account, unlockers []Unlocker, v Vault) error {
	return s.change(ctx, "sign up", func(tx *sql.Tx) error {
		if err := mayBegin(ctx, tx, a.ID); err != nil {
			return err
		}
		if _, err := accountBy(ctx, tx, "address", string(a.Address)); !errors.Is(err, sql.ErrNoRows) {
			return errors.Join(err, ErrTaken)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO accounts (account, address, verified, code, codes, step, created) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			a.ID[:], string(a.Address), a.Verified, blob(a.Code), a.Codes, int64(a.Step), int64(a.Created))
		if err != nil {
			return err
		}
		for _, u := range unlockers {
			if err := insertUnlocker(ctx, tx, u); err != nil {
				return err
			}
		}
		hash := sha256.Sum256(v.Bytes)
		_, err = tx.ExecContext(ctx, `INSERT INTO vaults (account, hash, vault) VALUES (?, ?, ?)`, v.Account[:], hash[:], v.Bytes)
		return err
	})
}

// blob is b as a column that may not be NULL takes it.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// accountBy reads the account in which a column, one of ours, has that value.
func accountBy(ctx context.Context, tx *sql.Tx, column string, value any) (a Account, err error) {
	var step, created int64
	err = tx.QueryRowContext(ctx, `SELECT account, address, verified, code, codes, step, created FROM accounts WHERE `+column+` = ?`, value).
		Scan(id{a.ID[:]}, &a.Address, &a.Verified, &a.Code, &a.Codes, &step, &created)
	a.Step, a.Created = uint64(step), latchkey.Time(created)
	return a, err
}

// Account is [Accounts]'.
func (s *SQLite) Account(ctx context.Context, id latchkey.AccountID) (a Account, err error) {
	err = s.look(ctx, "read account", func(tx *sql.Tx) error {
		a, err = accountBy(ctx, tx, "account", id[:])
		return err
	})
	return a, err
}

// AccountOf is [Accounts]'.
func (s *SQLite) AccountOf(ctx context.Context, address account.Address) (a Account, err error) {
	err = s.look(ctx, "find account", func(tx *sql.Tx) error {
		a, err = accountBy(ctx, tx, "address", string(address))
		return err
	})
	return a, err
}

// SetAddress is [Accounts]'.
func (s *SQLite) SetAddress(ctx context.Context, id latchkey.AccountID, address account.Address, verified bool) error {
	return s.change(ctx, "change address", func(tx *sql.Tx) error {
		switch has, err := accountBy(ctx, tx, "address", string(address)); {
		case err != nil && !errors.Is(err, sql.ErrNoRows):
			return err
		case err == nil && has.ID != id:
			return ErrTaken
		}
		return one(tx.ExecContext(ctx, `UPDATE accounts SET address = ?, verified = ? WHERE account = ?`, string(address), verified, id[:]))
	})
}

// one wants that a change has found its row.
func one(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, sql.ErrNoRows)
	}
	return nil
}

// AccountsKey is [Accounts]'.
func (s *SQLite) AccountsKey(ctx context.Context, fresh [32]byte) (key [32]byte, err error) {
	err = s.change(ctx, "read accounts' key", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO accounts_key (key) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM accounts_key)`, fresh[:]); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT key FROM accounts_key`).Scan(id{key[:]})
	})
	return key, err
}

// SetCode is [Codes]'.
func (s *SQLite) SetCode(ctx context.Context, id latchkey.AccountID, code []byte) error {
	return s.change(ctx, "change code secret", func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `UPDATE accounts SET code = ?, codes = 0, step = 0 WHERE account = ?`, blob(code), id[:]))
	})
}

// UseCode is [Codes]'.
func (s *SQLite) UseCode(ctx context.Context, id latchkey.AccountID, step uint64) error {
	return s.change(ctx, "use code", func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, `UPDATE accounts SET codes = 1, step = ?1 WHERE account = ?2 AND step < ?1 AND code <> x''`, int64(step), id[:]))
		if errors.Is(err, sql.ErrNoRows) {
			return ErrUsed
		}
		return err
	})
}

func insertUnlocker(ctx context.Context, tx *sql.Tx, u Unlocker) error {
	if u.Kind == account.RecoveryCode {
		switch _, err := located(ctx, tx, account.Locator(u.Params)); {
		case err == nil:
			return ErrConflict
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO unlockers (account, unlocker, kind, params, wrapped, verifier, added, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		u.Account[:], u.ID[:], u.Kind, u.Params, u.Wrapped, u.Verifier, int64(u.Added), int64(u.Used))
	return err
}

const unlockerColumns = `account, unlocker, kind, params, wrapped, verifier, added, used`

func scanUnlocker(row interface{ Scan(to ...any) error }) (u Unlocker, err error) {
	var added, used int64
	err = row.Scan(id{u.Account[:]}, id{u.ID[:]}, &u.Kind, &u.Params, &u.Wrapped, &u.Verifier, &added, &used)
	u.Added, u.Used = latchkey.Time(added), latchkey.Time(used)
	return u, err
}

func unlockers(ctx context.Context, tx *sql.Tx, id latchkey.AccountID) (all []Unlocker, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+unlockerColumns+` FROM unlockers WHERE account = ? ORDER BY added, unlocker`, id[:])
	if err != nil {
		return nil, err
	}
	defer rows.Close() // read only
	for rows.Next() {
		u, err := scanUnlocker(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	return all, rows.Err()
}

// Unlockers is [Unlockers]'.
func (s *SQLite) Unlockers(ctx context.Context, id latchkey.AccountID) (all []Unlocker, err error) {
	err = s.look(ctx, "list unlockers", func(tx *sql.Tx) error {
		all, err = unlockers(ctx, tx, id)
		return err
	})
	return all, err
}

func located(ctx context.Context, tx *sql.Tx, locator account.Locator) (Unlocker, error) {
	return scanUnlocker(tx.QueryRowContext(ctx, `SELECT `+unlockerColumns+` FROM unlockers WHERE kind = 3 AND params = ?`, locator[:]))
}

// Located is [Unlockers]'.
func (s *SQLite) Located(ctx context.Context, locator account.Locator) (u Unlocker, err error) {
	err = s.look(ctx, "find recovery code", func(tx *sql.Tx) error {
		u, err = located(ctx, tx, locator)
		return err
	})
	return u, err
}

// PutUnlocker is [Unlockers]'.
func (s *SQLite) PutUnlocker(ctx context.Context, u Unlocker) error {
	return s.change(ctx, "add unlocker", func(tx *sql.Tx) error {
		if _, err := accountBy(ctx, tx, "account", u.Account[:]); err != nil {
			return err
		}
		all, err := unlockers(ctx, tx, u.Account)
		if err != nil {
			return err
		}
		for _, is := range all {
			if is.ID == u.ID {
				if is.Kind == u.Kind && bytes.Equal(is.Params, u.Params) && bytes.Equal(is.Wrapped, u.Wrapped) {
					return nil
				}
				return ErrConflict
			}
		}
		if u.Kind.Single() {
			if _, err := tx.ExecContext(ctx, `DELETE FROM unlockers WHERE account = ? AND kind = ?`, u.Account[:], u.Kind); err != nil {
				return err
			}
			all = slices.DeleteFunc(all, func(is Unlocker) bool { return is.Kind == u.Kind })
		}
		if len(all) >= account.MaxUnlockers {
			return ErrTooMany
		}
		return insertUnlocker(ctx, tx, u)
	})
}

// DropUnlocker is [Unlockers]'.
func (s *SQLite) DropUnlocker(ctx context.Context, id latchkey.AccountID, unlocker latchkey.UnlockerID) error {
	return s.change(ctx, "remove unlocker", func(tx *sql.Tx) error {
		all, err := unlockers(ctx, tx, id)
		if err != nil {
			return err
		}
		var left []account.Kind
		for _, u := range all {
			if u.ID != unlocker {
				left = append(left, u.Kind)
			}
		}
		if len(left) == len(all) {
			return ErrNotFound
		}
		if account.CheckKinds(left) != nil {
			return ErrTooFew
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM unlockers WHERE account = ? AND unlocker = ?`, id[:], unlocker[:])
		return err
	})
}

// UseUnlocker is [Unlockers]'.
func (s *SQLite) UseUnlocker(ctx context.Context, u Unlocker, verifier []byte, at latchkey.Time) error {
	return s.change(ctx, "use unlocker", func(tx *sql.Tx) error {
		err := one(tx.ExecContext(ctx, `UPDATE unlockers SET verifier = ?, used = ? WHERE account = ? AND unlocker = ? AND verifier = ?`,
			verifier, int64(at), u.Account[:], u.ID[:], u.Verifier))
		if errors.Is(err, sql.ErrNoRows) {
			return ErrConflict
		}
		return err
	})
}
