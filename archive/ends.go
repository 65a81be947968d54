package archive

import (
	"context"
	"database/sql"
	"errors"

	"github.com/latchkey-cam/latchkey"
)

// AccountEnds keeps which accounts their people have deleted: their IDs, for ever, and
// nothing else of them.
type AccountEnds interface {
	// EndAccount removes all that is kept of an account (address, unlockers, vault,
	// sessions) and keeps that it has ended, in one transaction. It makes no difference
	// whether there is such an account, or whether it has ended before. From its commit
	// on nothing of that ID is kept any more, and [Accounts.SignUp] refuses it.
	EndAccount(ctx context.Context, e AccountEnd) error
	// AccountEnd returns the end of an account. Error: ErrNotFound.
	AccountEnd(ctx context.Context, id latchkey.AccountID) (AccountEnd, error)
}

// AccountEnd is that an account has ended, and when.
type AccountEnd struct {
	Account latchkey.AccountID
	Time    latchkey.Time
}

// EndAccount is [AccountEnds]'.
func (s *SQLite) EndAccount(ctx context.Context, e AccountEnd) error {
	return s.change(ctx, "end account", func(tx *sql.Tx) error {
		for _, table := range []string{"account_sessions", "vaults", "unlockers", "accounts"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE account = ?`, e.Account[:]); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO account_ends (account, ended) VALUES (?, ?)`, e.Account[:], int64(e.Time))
		return err
	})
}

// AccountEnd is [AccountEnds]'.
func (s *SQLite) AccountEnd(ctx context.Context, account latchkey.AccountID) (e AccountEnd, err error) {
	err = s.look(ctx, "read end of account", func(tx *sql.Tx) error {
		e, err = accountEnd(ctx, tx, account)
		return err
	})
	return e, err
}

func accountEnd(ctx context.Context, tx *sql.Tx, account latchkey.AccountID) (e AccountEnd, err error) {
	var ended int64
	err = tx.QueryRowContext(ctx, `SELECT account, ended FROM account_ends WHERE account = ?`, account[:]).Scan(id{e.Account[:]}, &ended)
	e.Time = latchkey.Time(ended)
	return e, err
}

// mayBegin refuses an ID that has an account, or had one.
func mayBegin(ctx context.Context, tx *sql.Tx, account latchkey.AccountID) error {
	if _, err := accountBy(ctx, tx, "account", account[:]); !errors.Is(err, sql.ErrNoRows) {
		return errors.Join(err, ErrConflict)
	}
	if _, err := accountEnd(ctx, tx, account); !errors.Is(err, sql.ErrNoRows) {
		return errors.Join(err, ErrConflict)
	}
	return nil
}
