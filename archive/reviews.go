package archive

import (
	"context"
	"database/sql"

	"github.com/latchkey-cam/latchkey"
)

// Reviews keeps which events of a home each of its people has looked at. A mark is an ID
// and shows nobody anything.
type Reviews interface {
	// Review marks events, and with them all that are as old as the one of through or
	// older, unless that is zero. Events that the home does not have are passed over.
	// Error: ErrTooMany (more than MaxReviews that nothing else covers).
	Review(ctx context.Context, home latchkey.HomeID, person latchkey.PersonID, events []latchkey.EventID, through latchkey.EventID) error
	// Reviewed returns a person's marks of events that are not older than since, and the
	// one that covers all up to a time.
	Reviewed(ctx context.Context, home latchkey.HomeID, person latchkey.PersonID, since latchkey.Time) ([]Reviewed, error)
}

// MaxReviews is how many marks a person has in a home: who has looked at that many events
// one by one marks all of them at once.
const MaxReviews = 5000

// Reviewed says that a person has looked at an event.
type Reviewed struct {
	Home   latchkey.HomeID
	Person latchkey.PersonID
	Event  latchkey.EventID // zero: all up to Time
	Time   latchkey.Time    // of the event, by which it is listed
}

// Covers says whether a place in the list is marked by it.
func (m Reviewed) Covers(c Cursor) bool {
	return m.Event == c.Event || m.Event == (latchkey.EventID{}) && c.Time <= m.Time
}

// Review is [Reviews]'.
func (s *SQLite) Review(ctx context.Context, home latchkey.HomeID, person latchkey.PersonID, events []latchkey.EventID, through latchkey.EventID) error {
	return s.change(ctx, "mark events", func(tx *sql.Tx) error {
		for _, event := range events {
			_, err := tx.ExecContext(ctx, `INSERT INTO reviews (home, person, event, time)
				SELECT home, ?, event, time FROM events WHERE home = ? AND event = ? ON CONFLICT DO NOTHING`, person[:], home[:], event[:])
			if err != nil {
				return err
			}
		}
		var all latchkey.EventID
		_, err := tx.ExecContext(ctx, `INSERT INTO reviews (home, person, event, time)
			SELECT home, ?, ?, time FROM events WHERE home = ? AND event = ?
			ON CONFLICT DO UPDATE SET time = max(time, excluded.time)`, person[:], all[:], home[:], through[:])
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM reviews WHERE home = ?1 AND person = ?2 AND event <> ?3
			AND time <= (SELECT time FROM reviews WHERE home = ?1 AND person = ?2 AND event = ?3)`, home[:], person[:], all[:])
		if err != nil {
			return err
		}
		var n int
		err = tx.QueryRowContext(ctx, `SELECT count(*) FROM reviews WHERE home = ? AND person = ?`, home[:], person[:]).Scan(&n)
		if err == nil && n > MaxReviews {
			return ErrTooMany
		}
		return err
	})
}

// Reviewed is [Reviews]'.
func (s *SQLite) Reviewed(ctx context.Context, home latchkey.HomeID, person latchkey.PersonID, since latchkey.Time) (marks []Reviewed, err error) {
	var all latchkey.EventID
	err = s.look(ctx, "list marks", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT home, person, event, time FROM reviews
			WHERE home = ? AND person = ? AND (time >= ? OR event = ?) ORDER BY event`, home[:], person[:], int64(since), all[:])
		if err != nil {
			return err
		}
		defer rows.Close() // read only
		for rows.Next() {
			var m Reviewed
			var at int64
			if err := rows.Scan(id{m.Home[:]}, id{m.Person[:]}, id{m.Event[:]}, &at); err != nil {
				return err
			}
			m.Time = latchkey.Time(at)
			marks = append(marks, m)
		}
		return rows.Err()
	})
	return marks, err
}
