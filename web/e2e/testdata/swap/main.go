// Command swap crosses two rows of a server's database, for the browser tests: what is
// kept as the first object is from then on header and envelope of the second, and the
// other way round, as a repair by hand or a bug in a database would leave it. It may be done
// while the server runs.
//
//	swap DATABASE NAME NAME
package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/ncruces/go-sqlite3/driver"

	"github.com/latchkey-cam/latchkey"
)

func main() {
	if err := swap(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "swap:", err)
		os.Exit(1)
	}
}

func swap(args []string) (err error) {
	if len(args) != 3 {
		return errors.New("want DATABASE NAME NAME")
	}
	var names [2]latchkey.Name
	for i := range names {
		if names[i], err = latchkey.ParseName(args[i+1]); err != nil {
			return err
		}
	}
	db, err := driver.Open((&url.URL{Scheme: "file", Opaque: url.PathEscape(args[0]), RawQuery: "mode=rw&_pragma=busy_timeout(10000)"}).String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if err := cross(tx, names); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// row is what is kept under a name, and goes astray together.
type row struct {
	header   []byte
	envelope []byte // the epoch's
}

func cross(tx *sql.Tx, names [2]latchkey.Name) error {
	var rows [2]row
	for i, n := range names {
		err := tx.QueryRow(`SELECT header, envelope FROM objects JOIN envelopes USING (home, camera, object) WHERE home = ? AND camera = ? AND object = ?`,
			n.Home[:], n.Camera[:], n.Object[:]).Scan(&rows[i].header, &rows[i].envelope)
		if err != nil {
			return fmt.Errorf("read row %s: %w", n, err)
		}
	}
	for i, n := range names {
		_, err := tx.Exec(`UPDATE objects SET header = ? WHERE home = ? AND camera = ? AND object = ?`, rows[1-i].header, n.Home[:], n.Camera[:], n.Object[:])
		if err != nil {
			return fmt.Errorf("write row %s: %w", n, err)
		}
		_, err = tx.Exec(`UPDATE envelopes SET envelope = ? WHERE home = ? AND camera = ? AND object = ?`, rows[1-i].envelope, n.Home[:], n.Camera[:], n.Object[:])
		if err != nil {
			return fmt.Errorf("write envelope %s: %w", n, err)
		}
	}
	return nil
}
