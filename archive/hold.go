package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
)

// Holds keeps what an operator has stopped, and all that was ever stopped. Nothing of it
// is changed or removed, not by a restore either.
type Holds interface {
	// PutHold keeps a hold that begins, and returns its number: they rise. Error:
	// ErrTooMany.
	PutHold(ctx context.Context, h Hold) (uint64, error)
	// Release ends a hold. Errors: ErrNotFound, ErrUsed (it was released before).
	Release(ctx context.Context, number uint64, r Release) error
	// Standing returns the holds that stand, in the order in which they began.
	Standing(ctx context.Context) ([]Hold, error)
	// Hold returns one, standing or released. Error: ErrNotFound.
	Hold(ctx context.Context, number uint64) (Hold, error)
	// EveryHold returns all that stand or stood, in the order in which they began.
	EveryHold(ctx context.Context) ([]Hold, error)
}

// The bounds of holds: a server keeps those that stand in memory, and looks through them
// for every request.
const (
	MaxStanding = 256
	MaxHoldText = 1000 // bytes of each of the texts
)

// Hold is an operator's stop.
type Hold struct {
	Number   uint64
	Scope    api.HoldScope
	Home     latchkey.HomeID   // with scope home
	Server   latchkey.ServerID // with scope server
	Route    string            // with scope route: its ID
	Who, Why string            // for operators
	Says     string            // to people; empty for nothing
	Since    latchkey.Time
	Released *Release // nil while it stands
}

// Release is the end of a hold.
type Release struct {
	Who, Why string
	At       latchkey.Time
}

// fits says whether a hold names what its scope needs, and nothing else.
func (h Hold) fits() error {
	home, server, route := h.Home != (latchkey.HomeID{}), h.Server != (latchkey.ServerID{}), h.Route != ""
	if home != (h.Scope == api.HoldHome) || server != (h.Scope == api.HoldServer) || route != (h.Scope == api.HoldRoute) {
		return errors.New("it names another thing than its scope")
	}
	for _, text := range []string{h.Who, h.Why, h.Says, h.Route} {
		if len(text) > MaxHoldText {
			return fmt.Errorf("a text of %d bytes, of at most %d", len(text), MaxHoldText)
		}
	}
	return nil
}

// PutHold is [Holds]'.
func (s *SQLite) PutHold(ctx context.Context, h Hold) (number uint64, err error) {
	if err := h.fits(); err != nil {
		return 0, fmt.Errorf("hold: %w", err)
	}
	err = s.change(ctx, "hold", func(tx *sql.Tx) error {
		var standing int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM holds WHERE number NOT IN (SELECT hold FROM releases)`).Scan(&standing); err != nil {
			return err
		}
		if standing >= MaxStanding {
			return ErrTooMany
		}
		r, err := tx.ExecContext(ctx, `INSERT INTO holds (scope, home, server, route, who, why, says, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			string(h.Scope), h.Home[:], h.Server[:], h.Route, h.Who, h.Why, h.Says, int64(h.Since))
		if err != nil {
			return err
		}
		n, err := r.LastInsertId()
		if err != nil {
			return err
		}
		number = uint64(n)
		return postHold(ctx, tx, number)
	})
	return number, err
}

// Release is [Holds]'.
func (s *SQLite) Release(ctx context.Context, number uint64, r Release) error {
	if len(r.Who) > MaxHoldText || len(r.Why) > MaxHoldText {
		return fmt.Errorf("release hold: a text of more than %d bytes", MaxHoldText)
	}
	return s.change(ctx, "release hold", func(tx *sql.Tx) error {
		all, err := holds(ctx, tx, `WHERE number = ?`, int64(number))
		switch {
		case err != nil:
			return err
		case len(all) == 0:
			return ErrNotFound
		case all[0].Released != nil:
			return ErrUsed
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO releases (hold, who, why, at) VALUES (?, ?, ?, ?)`, int64(number), r.Who, r.Why, int64(r.At)); err != nil {
			return err
		}
		return postHold(ctx, tx, number)
	})
}

// Standing is [Holds]'.
func (s *SQLite) Standing(ctx context.Context) (all []Hold, err error) {
	err = s.look(ctx, "read holds", func(tx *sql.Tx) error {
		all, err = holds(ctx, tx, `WHERE releases.hold IS NULL`)
		return err
	})
	return all, err
}

// Hold is [Holds]'.
func (s *SQLite) Hold(ctx context.Context, number uint64) (h Hold, err error) {
	err = s.look(ctx, "read hold", func(tx *sql.Tx) error {
		all, err := holds(ctx, tx, `WHERE number = ?`, int64(number))
		if err == nil && len(all) == 0 {
			return ErrNotFound
		}
		if err == nil {
			h = all[0]
		}
		return err
	})
	return h, err
}

// EveryHold is [Holds]'.
func (s *SQLite) EveryHold(ctx context.Context) (all []Hold, err error) {
	err = s.look(ctx, "read holds", func(tx *sql.Tx) error {
		all, err = holds(ctx, tx, ``)
		return err
	})
	return all, err
}

func holds(ctx context.Context, tx *sql.Tx, which string, of ...any) (all []Hold, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT number, scope, home, server, route, holds.who, holds.why, says, since, releases.who, releases.why, at
		FROM holds LEFT JOIN releases ON hold = number `+which+` ORDER BY number`, of...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // read only
	for rows.Next() {
		var h Hold
		var number, since int64
		var scope string
		var who, why sql.NullString
		var at sql.NullInt64
		if err := rows.Scan(&number, &scope, id{h.Home[:]}, id{h.Server[:]}, &h.Route, &h.Who, &h.Why, &h.Says, &since, &who, &why, &at); err != nil {
			return nil, err
		}
		h.Number, h.Scope, h.Since = uint64(number), api.HoldScope(scope), latchkey.Time(since)
		if at.Valid {
			h.Released = &Release{Who: who.String, Why: why.String, At: latchkey.Time(at.Int64)}
		}
		all = append(all, h)
	}
	return all, rows.Err()
}
