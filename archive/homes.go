package archive

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey"
)

// Found is [Homes]'.
func (s *SQLite) Found(ctx context.Context, secret Secret, now latchkey.Time, g Growth) error {
	return s.change(ctx, "found home", func(tx *sql.Tx) error {
		var expires int64
		var used []byte
		err := tx.QueryRowContext(ctx, `SELECT expires, home FROM setups WHERE secret = ?`, secret[:]).Scan(&expires, &used)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return ErrUsed
		case err != nil:
			return err
		case bytes.Equal(used, g.Home[:]):
			return sameDeeds(ctx, tx, g)
		case used != nil, expires < int64(now):
			return ErrUsed
		}
		if _, err := head(ctx, tx, g.Home); !errors.Is(err, sql.ErrNoRows) {
			return errors.Join(ErrConflict, err)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE setups SET home = ? WHERE secret = ?`, g.Home[:], secret[:]); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO homes (home, seq, hash, epoch, founded) VALUES (?, ?, ?, ?, ?)`,
			g.Home[:], int64(g.Head.Seq), g.Head.Hash[:], int64(g.Epoch), int64(now))
		if err != nil {
			return err
		}
		return insertDeeds(ctx, tx, 0, g)
	})
}

// sameDeeds accepts the founding of a home again whose answer was lost.
func sameDeeds(ctx context.Context, tx *sql.Tx, g Growth) error {
	for i, d := range g.Deeds {
		var is []byte
		err := tx.QueryRowContext(ctx, `SELECT deed FROM deeds WHERE home = ? AND seq = ?`, g.Home[:], i).Scan(&is)
		if errors.Is(err, sql.ErrNoRows) || err == nil && !bytes.Equal(is, d) {
			return ErrUsed
		} else if err != nil {
			return err
		}
	}
	return nil
}

func insertDeeds(ctx context.Context, tx *sql.Tx, from uint64, g Growth) error {
	for i, d := range g.Deeds {
		_, err := tx.ExecContext(ctx, `INSERT INTO deeds (home, seq, deed) VALUES (?, ?, ?)`, g.Home[:], int64(from)+int64(i), d)
		if err != nil {
			return err
		}
	}
	return nil
}

// head returns sql.ErrNoRows if there is no such home.
func head(ctx context.Context, tx *sql.Tx, home latchkey.HomeID) (h HomeHead, err error) {
	var seq, moved, signIns, objects, tombstones, removed int64
	err = tx.QueryRowContext(ctx, `SELECT home, seq, hash, closed, moved, sign_ins, objects, tombstones, removed, deleted >= 0 FROM homes WHERE home = ?`, home[:]).
		Scan(id{h.Home[:]}, &seq, id{h.Head.Hash[:]}, &h.Closed, &moved, &signIns, &objects, &tombstones, &removed, &h.Ended)
	h.Head.Seq, h.Moved, h.SignIns, h.Objects = uint64(seq), uint64(moved), uint64(signIns), uint64(objects)
	h.Tombstones, h.Gone = uint64(tombstones), uint64(tombstones+removed)
	return h, err
}

// Head is [Homes]'.
func (s *SQLite) Head(ctx context.Context, home latchkey.HomeID) (h HomeHead, err error) {
	err = s.look(ctx, "read head", func(tx *sql.Tx) error {
		h, err = head(ctx, tx, home)
		return err
	})
	return h, err
}

// Deeds is [Homes]'.
func (s *SQLite) Deeds(ctx context.Context, home latchkey.HomeID, from uint64, max int) (deeds []Deed, err error) {
	err = s.look(ctx, "read deeds", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT home, seq, deed FROM deeds WHERE home = ? AND seq >= ? ORDER BY seq`, home[:], int64(from))
		if err != nil {
			return err
		}
		defer rows.Close() // read only
		size := 0
		for rows.Next() {
			var seq int64
			var d Deed
			if err := rows.Scan(id{d.Home[:]}, &seq, &d.Bytes); err != nil {
				return err
			}
			d.Seq = uint64(seq)
			if want := int64(from) + int64(len(deeds)); seq != want {
				return fmt.Errorf("deed %d of home %s is missing", want, home)
			}
			if size += len(d.Bytes); size > max && len(deeds) > 0 {
				return nil
			}
			deeds = append(deeds, d)
		}
		return rows.Err()
	})
	return deeds, err
}

// Append is [Homes]'.
func (s *SQLite) Append(ctx context.Context, onto latchkey.Head, g Growth) error {
	return s.change(ctx, "append deeds", func(tx *sql.Tx) error {
		switch is, err := head(ctx, tx, g.Home); {
		case err != nil:
			return err
		case is.Home != g.Home || is.Head != onto || is.Ended:
			return ErrConflict
		}
		_, err := tx.ExecContext(ctx, `UPDATE homes SET seq = ?, hash = ?, epoch = ? WHERE home = ?`,
			int64(g.Head.Seq), g.Head.Hash[:], int64(g.Epoch), g.Home[:])
		if err != nil {
			return err
		}
		if err := g.cutOff(ctx, tx); err != nil {
			return err
		}
		if err := insertDeeds(ctx, tx, onto.Seq+1, g); err != nil {
			return err
		}
		return post(ctx, tx, g.Home, latchkey.SessionID{})
	})
}

// cutOff ends what the deeds have ended: asks that were answered, sessions of those who
// are gone, what was kept of agents that are not the same any more.
func (g Growth) cutOff(ctx context.Context, tx *sql.Tx) error {
	for _, camera := range g.Placed {
		if _, err := tx.ExecContext(ctx, `DELETE FROM asks WHERE home = ? AND camera = ?`, g.Home[:], camera[:]); err != nil {
			return err
		}
	}
	for _, gone := range g.Gone {
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE home = ? AND person = ? AND device = ?`, g.Home[:], gone.Person[:], gone.Device[:])
		if err != nil {
			return err
		}
	}
	for _, agent := range g.Renewed {
		for _, table := range []string{"agents", "conditions", "asks"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE home = ? AND agent = ?`, g.Home[:], agent[:]); err != nil {
				return err
			}
		}
	}
	return nil
}
