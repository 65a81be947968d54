package archive

import (
	"context"
	"database/sql"

	"github.com/latchkey-cam/latchkey"
)

// insertReceipt is prepared once: of all that is written here, receipts are written most.
const insertReceipt = `
	INSERT INTO receipts (home, session, request, device, asked, sent, header, bytes, outcome, time)
	VALUES (?, ?, ?, ?, ?, nullif(?, ?5), ?, ?, ?, ?)`

// PutReceipts is [Receipts]'.
func (s *SQLite) PutReceipts(ctx context.Context, all []Receipt) error {
	return s.change(ctx, "write receipts", func(tx *sql.Tx) error {
		insert := tx.StmtContext(ctx, s.insertReceipt)
		for _, r := range all {
			_, err := insert.ExecContext(ctx, r.Home[:], r.Session[:], r.Request, r.Device[:], r.Asked, r.Sent, r.Header[:], int64(r.Bytes), string(r.Outcome), int64(r.Time))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Receipts is [Receipts]'.
func (s *SQLite) Receipts(ctx context.Context, home latchkey.HomeID, session Secret, request string) (all []Receipt, err error) {
	err = s.look(ctx, "read receipts", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			WITH RECURSIVE lots(lot) AS (
				SELECT min(number) >> 12 FROM receipts
				UNION ALL SELECT lot + 1 FROM lots WHERE lot < (SELECT max(number) >> 12 FROM receipts))
			SELECT home, session, request, device, asked, coalesce(sent, asked), header, bytes, outcome, time
			FROM lots CROSS JOIN receipts ON number >> 12 = lot AND request = ?3
			WHERE home = ?1 AND session = ?2 ORDER BY number LIMIT 1000`, home[:], session[:], request)
		if err != nil {
			return err
		}
		defer rows.Close() // read only
		for rows.Next() {
			var r Receipt
			var size, at int64
			err := rows.Scan(id{r.Home[:]}, id{r.Session[:]}, &r.Request, id{r.Device[:]}, &r.Asked, &r.Sent, id{r.Header[:]}, &size, &r.Outcome, &at)
			if err != nil {
				return err
			}
			r.Bytes, r.Time = uint64(size), latchkey.Time(at)
			all = append(all, r)
		}
		return rows.Err()
	})
	return all, err
}

// Sweep is [Receipts]'.
func (s *SQLite) Sweep(ctx context.Context, now, receipts latchkey.Time) error {
	return s.change(ctx, "sweep archive", func(tx *sql.Tx) error {
		for _, table := range []string{"sessions", "account_sessions", "joins", "setups"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE expires < ?`, int64(now)); err != nil {
				return err
			}
		}
		// They were written in the order of time: those before the first that stays go.
		_, err := tx.ExecContext(ctx, `DELETE FROM receipts WHERE number <
			coalesce((SELECT number FROM receipts WHERE time >= ? ORDER BY number LIMIT 1), 1 << 62)`, int64(receipts))
		if err != nil {
			return err
		}
		return sweepOutbox(ctx, tx)
	})
}
