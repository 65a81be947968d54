package archive

import (
	"context"
	"database/sql"

	"github.com/latchkey-cam/latchkey"
)

// post puts a row into the outbox in the transaction of the change that it tells of: a
// change that is not told of is none.
func post(ctx context.Context, tx *sql.Tx, home latchkey.HomeID, ended latchkey.SessionID) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO outbox (home, seq, hash, ended, posted)
		SELECT home, seq, hash, ?, unixepoch() FROM homes WHERE home = ?`, ended[:], home[:])
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE homes SET moved = (SELECT max(number) FROM outbox) WHERE home = ?`, home[:])
	return err
}

// postHold tells of a hold, or of its release.
func postHold(ctx context.Context, tx *sql.Tx, hold uint64) error {
	var none Move
	_, err := tx.ExecContext(ctx, `INSERT INTO outbox (home, seq, hash, ended, posted, hold) VALUES (?, 0, ?, ?, unixepoch(), ?)`,
		none.Home[:], none.Head.Hash[:], none.Ended[:], int64(hold))
	return err
}

// sweepOutbox removes what every server has long read: rows of more than a day ago.
func sweepOutbox(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM outbox
		WHERE posted < unixepoch() - 86400 AND number < (SELECT max(number) FROM outbox)`)
	return err
}

// Moves is [Outbox]'s.
func (s *SQLite) Moves(ctx context.Context, above uint64, max int) (all []Move, err error) {
	err = s.look(ctx, "read outbox", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT number, home, seq, hash, ended, hold FROM outbox WHERE number > ? ORDER BY number LIMIT ?`, int64(above), max)
		if err != nil {
			return err
		}
		defer rows.Close() // read only
		for rows.Next() {
			var m Move
			var number, seq, hold int64
			if err := rows.Scan(&number, id{m.Home[:]}, &seq, id{m.Head.Hash[:]}, id{m.Ended[:]}, &hold); err != nil {
				return err
			}
			m.Number, m.Head.Seq, m.Hold = uint64(number), uint64(seq), uint64(hold)
			all = append(all, m)
		}
		return rows.Err()
	})
	return all, err
}

// LastMove is [Outbox]'s.
func (s *SQLite) LastMove(ctx context.Context) (number uint64, err error) {
	err = s.look(ctx, "read outbox", func(tx *sql.Tx) error {
		var last int64
		err := tx.QueryRowContext(ctx, `SELECT coalesce(max(number), 0) FROM outbox`).Scan(&last)
		number = uint64(last)
		return err
	})
	return number, err
}
