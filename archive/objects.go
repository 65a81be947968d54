package archive

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Index is [Objects]'.
func (s *SQLite) Index(ctx context.Context, e Entry) error {
	return s.change(ctx, "index object", func(tx *sql.Tx) error {
		k := keptOf(e.Header)
		if gone, err := deleted(ctx, tx, e.Header.Binding); err != nil {
			return err
		} else if gone {
			return ErrDeleted
		}
		known, err := indexed(ctx, tx, k)
		if err != nil || known {
			return err
		}
		if err := e.current(ctx, tx, k.Home); err != nil {
			return err
		}
		if going, err := leaves(ctx, tx, k); err != nil {
			return err
		} else if going {
			return ErrConflict
		}
		if err := insertEvent(ctx, tx, k, e.Header.Binding.Time); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO objects (home, camera, object, day, kind, event, agent_key, incarnation, sequence, header, bytes, stored)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			k.Home[:], k.Camera[:], k.Object[:], k.Day, int64(k.Kind), k.Event[:], k.AgentKey[:],
			int64(k.Incarnation), int64(k.Sequence), k.Header, int64(e.Header.BodyLength), int64(e.Stored))
		if err != nil {
			return err
		}
		for _, v := range e.Envelopes {
			_, err := tx.ExecContext(ctx, `
				INSERT INTO envelopes (home, camera, object, recipient, key, epoch, envelope)
				VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				k.Home[:], k.Camera[:], k.Object[:], int64(v.Recipient), v.Key[:], int64(v.Epoch), v.Bytes())
			if err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE homes SET objects = objects + 1, bytes = bytes + ? WHERE home = ?`,
			int64(e.Header.BodyLength), k.Home[:])
		return err
	})
}

// indexed says whether this very header is kept, and ErrDifferent if another one has
// its name or its sequence number.
func indexed(ctx context.Context, tx *sql.Tx, k kept) (bool, error) {
	var header []byte
	err := tx.QueryRowContext(ctx, `SELECT header FROM objects WHERE home = ? AND camera = ? AND object = ?`,
		k.Home[:], k.Camera[:], k.Object[:]).Scan(&header)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRowContext(ctx, `SELECT header FROM objects WHERE home = ? AND camera = ? AND agent_key = ? AND incarnation = ? AND sequence = ?`,
			k.Home[:], k.Camera[:], k.AgentKey[:], int64(k.Incarnation), int64(k.Sequence)).Scan(&header)
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case !bytes.Equal(header, k.Header):
		return false, ErrDifferent
	}
	return true, nil
}

// current compares head and epoch of the home with what the entry was verified by.
func (e Entry) current(ctx context.Context, tx *sql.Tx, home latchkey.HomeID) error {
	var is HomeHead
	var seq, epoch, used int64
	err := tx.QueryRowContext(ctx, `SELECT home, seq, hash, epoch, bytes FROM homes WHERE home = ?`, home[:]).
		Scan(id{is.Home[:]}, &seq, id{is.Head.Hash[:]}, &epoch, &used)
	is.Head.Seq = uint64(seq)
	switch {
	case err != nil:
		return err
	case is.Home != home || is.Head != e.Head || latchkey.Epoch(epoch) != e.Epoch:
		return ErrConflict
	case e.MaxBytes != 0 && uint64(used)+e.Header.BodyLength > e.MaxBytes:
		return ErrTooMany
	}
	now := func(v sealed.Envelope) bool { return v.Recipient == sealed.ToEpoch && v.Epoch == e.Epoch }
	if !slices.ContainsFunc(e.Envelopes, now) {
		return ErrOldEpoch
	}
	return nil
}

func insertEvent(ctx context.Context, tx *sql.Tx, k kept, at latchkey.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO events (home, event, time) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
		k.Home[:], k.Event[:], int64(at))
	if err != nil {
		return err
	}
	var n int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM objects WHERE home = ? AND event = ?`, k.Home[:], k.Event[:]).Scan(&n)
	if err == nil && n >= MaxEventObjects {
		return ErrTooMany
	}
	return err
}

const selectKept = `SELECT home, camera, object, day, kind, event, agent_key, incarnation, sequence, header FROM objects `

func scanKept(row interface{ Scan(...any) error }) (k kept, err error) {
	var kind, incarnation, sequence int64
	err = row.Scan(id{k.Home[:]}, id{k.Camera[:]}, id{k.Object[:]}, &k.Day, &kind, id{k.Event[:]}, id{k.AgentKey[:]}, &incarnation, &sequence, &k.Header)
	k.Kind, k.Incarnation, k.Sequence = latchkey.Kind(kind), uint64(incarnation), uint64(sequence)
	return k, err
}

func envelopes(ctx context.Context, tx *sql.Tx, k kept) ([]keptEnvelope, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT home, camera, object, recipient, key, epoch, envelope FROM envelopes
		WHERE home = ? AND camera = ? AND object = ? ORDER BY epoch DESC, recipient, key`, k.Home[:], k.Camera[:], k.Object[:])
	if err != nil {
		return nil, err
	}
	defer rows.Close() // read only
	var all []keptEnvelope
	for rows.Next() {
		var v keptEnvelope
		var recipient, epoch int64
		if err := rows.Scan(id{v.Home[:]}, id{v.Camera[:]}, id{v.Object[:]}, &recipient, id{v.Key[:]}, &epoch, &v.Envelope); err != nil {
			return nil, err
		}
		v.Recipient, v.Epoch = sealed.RecipientKind(recipient), latchkey.Epoch(epoch)
		all = append(all, v)
	}
	return all, rows.Err()
}

// Object is [Objects]'.
func (s *SQLite) Object(ctx context.Context, name latchkey.Name) (r Row, err error) {
	err = s.look(ctx, "read object", func(tx *sql.Tx) error {
		k, err := scanKept(tx.QueryRowContext(ctx, selectKept+`WHERE home = ? AND camera = ? AND object = ? AND day = ? AND kind = ?`,
			name.Home[:], name.Camera[:], name.Object[:], string(name.Day), int64(name.Kind)))
		if err != nil {
			return err
		}
		if gone, err := k.hidden(ctx, tx); err != nil {
			return err
		} else if gone {
			return ErrNotFound
		}
		v, err := envelopes(ctx, tx, k)
		r = k.row(v)
		return err
	})
	return r, err
}

// Events is [Objects]'.
func (s *SQLite) Events(ctx context.Context, home latchkey.HomeID, before Cursor, limit int) (p Page, err error) {
	err = s.look(ctx, "list events", func(tx *sql.Tx) error {
		if p, err = pageOf(ctx, tx, home, before, limit); err != nil {
			return err
		}
		for i := range p.Events {
			e := &p.Events[i]
			if e.Objects, err = rowsOf(ctx, tx, home, e.Place.Event); err != nil {
				return err
			}
		}
		return nil
	})
	return p, err
}

// pageOf returns a page whose events have no objects yet.
func pageOf(ctx context.Context, tx *sql.Tx, home latchkey.HomeID, before Cursor, limit int) (p Page, err error) {
	if before == (Cursor{}) {
		before.Time = math.MaxInt64
	}
	rows, err := tx.QueryContext(ctx, `
		SELECT home, event, time FROM events WHERE home = ? AND (time, event) < (?, ?)
		ORDER BY time DESC, event DESC LIMIT ?`, home[:], int64(before.Time), before.Event[:], limit+1)
	if err != nil {
		return p, err
	}
	defer rows.Close() // read only
	for rows.Next() {
		var e Event
		var at int64
		if err := rows.Scan(id{e.Home[:]}, id{e.Place.Event[:]}, &at); err != nil {
			return p, err
		}
		e.Place.Time = latchkey.Time(at)
		if len(p.Events) == limit {
			last := p.Events[limit-1].Place
			p.Next = &last
			return p, nil
		}
		p.Events = append(p.Events, e)
	}
	return p, rows.Err()
}

func rowsOf(ctx context.Context, tx *sql.Tx, home latchkey.HomeID, event latchkey.EventID) ([]Row, error) {
	rows, err := tx.QueryContext(ctx, selectKept+`WHERE home = ? AND event = ? ORDER BY rowid`, home[:], event[:])
	if err != nil {
		return nil, err
	}
	defer rows.Close() // read only
	var all []kept
	for rows.Next() {
		k, err := scanKept(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var out []Row
	for _, k := range all {
		if gone, err := k.hidden(ctx, tx); err != nil {
			return nil, err
		} else if gone {
			continue
		}
		v, err := envelopes(ctx, tx, k)
		if err != nil {
			return nil, err
		}
		out = append(out, k.row(v))
	}
	return out, nil
}

// Usage is [Objects]'.
func (s *SQLite) Usage(ctx context.Context, home latchkey.HomeID) (u Usage, err error) {
	err = s.look(ctx, "read usage", func(tx *sql.Tx) error {
		var objects, size int64
		err := tx.QueryRowContext(ctx, `SELECT home, objects - removed, bytes FROM homes WHERE home = ?`, home[:]).Scan(id{u.Home[:]}, &objects, &size)
		u.Objects, u.Bytes = uint64(objects), uint64(size)
		return err
	})
	return u, err
}
