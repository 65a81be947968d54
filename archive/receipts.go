package archive

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/latchkey-cam/latchkey"
)

// Of all that is written here, sheets are written most: one statement, prepared once, that
// is a transaction of its own.
const putSheet = `INSERT INTO sheets (number, time, marks, list) SELECT coalesce(max(number), 0) + ?, ?, ?, ? FROM sheets`

// PutReceipts is [Receipts]'. They are one row.
func (s *SQLite) PutReceipts(ctx context.Context, all []Receipt) error {
	if len(all) == 0 {
		return nil
	}
	list, err := writeSheet(all)
	if err != nil {
		return failed("write receipts", err)
	}
	var latest latchkey.Time
	marks := make([]byte, 0, len(mark{})*len(all))
	for _, r := range all {
		m := markOf(r.Session, r.Request)
		marks, latest = append(marks, m[:]...), max(latest, r.Time)
	}
	done, err := s.putSheet.ExecContext(ctx, len(all), int64(latest), marks, list)
	if err != nil {
		return failed("write receipts", err)
	}
	number, err := done.LastInsertId()
	if err != nil {
		return failed("write receipts", err)
	}
	if number>>lotBits == (number-int64(len(all)))>>lotBits {
		return nil
	}
	return s.change(ctx, "index receipts", func(tx *sql.Tx) error {
		_, err := fillLot(ctx, tx)
		return err
	})
}

// fillLot writes down where the receipts are of the first lot that is full and of which
// that is not known; without one it returns false.
func fillLot(ctx context.Context, tx *sql.Tx) (bool, error) {
	var lot, open int64
	err := tx.QueryRowContext(ctx, `
		SELECT coalesce((SELECT max(lot) + 1 FROM lots WHERE part = 0), min(number) >> ?1, 0), coalesce(max(number) >> ?1, 0)
		FROM sheets`, lotBits).Scan(&lot, &open)
	if err != nil || lot >= open {
		return false, err
	}
	parts, err := entries(ctx, tx, lot)
	if err != nil {
		return false, err
	}
	for part, of := range parts {
		if _, err := tx.ExecContext(ctx, `INSERT INTO lots (part, lot, entries) VALUES (?, ?, ?)`, part, lot, append([]byte{}, of...)); err != nil {
			return false, err
		}
	}
	return true, nil
}

var errMarks = errors.New("a column of marks that is no list of them")

// entries are what a lot's parts are made of.
func entries(ctx context.Context, tx *sql.Tx, lot int64) (parts [lotParts][]byte, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT number, marks FROM sheets WHERE number >= ? AND number < ? ORDER BY number`, lot<<lotBits, (lot+1)<<lotBits)
	if err != nil {
		return parts, err
	}
	defer rows.Close() // read only
	for rows.Next() {
		var number int64
		var marks sql.RawBytes
		if err := rows.Scan(&number, &marks); err != nil {
			return parts, err
		}
		for m := range slices.Chunk(marks, len(mark{})) {
			if len(m) != len(mark{}) {
				return parts, errMarks
			}
			p := &parts[mark(m).part()]
			*p = binary.BigEndian.AppendUint16(append(*p, m...), uint16(number&(1<<lotBits-1)))
		}
	}
	return parts, rows.Err()
}

// mostSheets is how many sheets are read for one question. There are few with the same
// mark, unless a session gives the same ID to request after request.
const mostSheets = 1000

// Receipts is [Receipts]'.
func (s *SQLite) Receipts(ctx context.Context, home latchkey.HomeID, session Secret, request string) (all []Receipt, err error) {
	err = s.look(ctx, "read receipts", func(tx *sql.Tx) error {
		numbers, err := marked(ctx, tx, markOf(session, request))
		if err != nil {
			return err
		}
		for _, number := range numbers {
			var list []byte
			err := tx.QueryRowContext(ctx, `SELECT list FROM sheets WHERE number = ?`, number).Scan(&list)
			if errors.Is(err, sql.ErrNoRows) {
				continue // its lot is not swept yet
			}
			if err != nil {
				return err
			}
			of, err := readSheet(list)
			if err != nil {
				return err
			}
			for _, r := range of {
				if r.Home == home && r.Session == session && r.Request == request {
					all = append(all, r)
				}
			}
		}
		return nil
	})
	return all, err
}

// marked are the numbers of the sheets with a receipt of that mark, the earliest first.
func marked(ctx context.Context, tx *sql.Tx, m mark) (numbers []int64, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT lot, entries FROM lots WHERE part = ? AND instr(entries, ?) > 0 ORDER BY lot`, m.part(), m[:])
	if err != nil {
		return nil, err
	}
	defer rows.Close() // read only
	for rows.Next() {
		var lot int64
		var entries sql.RawBytes
		if err := rows.Scan(&lot, &entries); err != nil {
			return nil, err
		}
		for e := range slices.Chunk(entries, lotEntry) {
			if len(e) != lotEntry {
				return nil, errMarks
			}
			if mark(e[:len(m)]) == m {
				numbers = append(numbers, lot<<lotBits|int64(binary.BigEndian.Uint16(e[len(m):])))
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	numbers, err = loose(ctx, tx, m, numbers)
	numbers = slices.Compact(numbers)
	return numbers[:min(len(numbers), mostSheets)], err
}

// loose appends those of the sheets that are in no lot yet.
func loose(ctx context.Context, tx *sql.Tx, m mark, numbers []int64) ([]int64, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT number FROM sheets
		WHERE number >= coalesce((SELECT (max(lot) + 1) << ? FROM lots WHERE part = 0), 0) AND instr(marks, ?) > 0
		ORDER BY number LIMIT ?`, lotBits, m[:], mostSheets)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // read only
	for rows.Next() {
		var number int64
		if err := rows.Scan(&number); err != nil {
			return nil, err
		}
		numbers = append(numbers, number)
	}
	return numbers, rows.Err()
}

// Sweep is [Receipts]'.
func (s *SQLite) Sweep(ctx context.Context, now, receipts latchkey.Time) error {
	err := s.change(ctx, "sweep archive", func(tx *sql.Tx) error {
		for _, table := range []string{"sessions", "account_sessions", "joins", "setups"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE expires < ?`, int64(now)); err != nil {
				return err
			}
		}
		if err := sweepSheets(ctx, tx, receipts); err != nil {
			return err
		}
		return sweepOutbox(ctx, tx)
	})
	for more := true; more && err == nil; { // those of an archive that had none
		err = s.change(ctx, "index receipts", func(tx *sql.Tx) (err error) {
			more, err = fillLot(ctx, tx)
			return err
		})
	}
	return err
}

// sweepSheets removes what was written before that time. Sheets were written in the order
// of time: those before the first that stays go, and the lots of which none is left.
func sweepSheets(ctx context.Context, tx *sql.Tx, before latchkey.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM sheets WHERE number <
		coalesce((SELECT number FROM sheets WHERE time >= ? ORDER BY number LIMIT 1), 1 << 62)`, int64(before))
	if err != nil {
		return err
	}
	for part := range lotParts {
		_, err := tx.ExecContext(ctx, `DELETE FROM lots WHERE part = ? AND lot < coalesce((SELECT min(number) >> ? FROM sheets), 1 << 62)`, part, lotBits)
		if err != nil {
			return err
		}
	}
	return nil
}
