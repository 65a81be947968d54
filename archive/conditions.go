package archive

import (
	"bytes"
	"context"
	"database/sql"
	"errors"

	"github.com/latchkey-cam/latchkey"
)

// PutCondition is [Conditions]'.
func (s *SQLite) PutCondition(ctx context.Context, c Condition) error {
	return s.change(ctx, "keep condition", func(tx *sql.Tx) error {
		var incarnation, number int64
		var letter []byte
		err := tx.QueryRowContext(ctx, `SELECT incarnation, number, letter FROM conditions WHERE home = ? AND agent = ?`, c.Home[:], c.Agent[:]).
			Scan(&incarnation, &number, &letter)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		case bytes.Equal(letter, c.Letter):
			return nil
		case uint64(incarnation) > c.Incarnation, uint64(incarnation) == c.Incarnation && uint64(number) >= c.Number:
			return ErrConflict
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO conditions (home, agent, incarnation, number, letter, received) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (home, agent) DO UPDATE SET
			incarnation = excluded.incarnation, number = excluded.number, letter = excluded.letter, received = excluded.received`,
			c.Home[:], c.Agent[:], int64(c.Incarnation), int64(c.Number), c.Letter, int64(c.Received))
		return err
	})
}

// Conditions is [Conditions]'.
func (s *SQLite) Conditions(ctx context.Context, home latchkey.HomeID) (all []Condition, err error) {
	err = s.look(ctx, "list conditions", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT home, agent, incarnation, number, letter, received FROM conditions WHERE home = ? ORDER BY agent`, home[:])
		if err != nil {
			return err
		}
		defer rows.Close() // read only
		for rows.Next() {
			var c Condition
			var incarnation, number, received int64
			if err := rows.Scan(id{c.Home[:]}, id{c.Agent[:]}, &incarnation, &number, &c.Letter, &received); err != nil {
				return err
			}
			c.Incarnation, c.Number, c.Received = uint64(incarnation), uint64(number), latchkey.Time(received)
			all = append(all, c)
		}
		return rows.Err()
	})
	return all, err
}
