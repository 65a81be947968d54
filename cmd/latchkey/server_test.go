package main

import (
	"database/sql"
	"net/url"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestServerScript runs testdata/server.txt.
func TestServerScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Files: []string{"testdata/server.txt"},
		Cmds:  map[string]func(ts *testscript.TestScript, neg bool, args []string){"waitlink": waitLink},
	})
}

// waitLink waits until a server has minted a set-up secret: waitlink DATA. What it
// prints of it comes after that, whatever happens.
func waitLink(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitlink DATA")
	}
	db, err := sql.Open("sqlite3", "file:"+url.PathEscape(ts.MkAbs(args[0])+"/archive.db")+"?mode=ro")
	ts.Check(err)
	defer db.Close()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var n int
		if db.QueryRow(`SELECT count(*) FROM setups`).Scan(&n) == nil && n > 0 {
			return
		}
	}
	ts.Fatalf("there is no set-up secret after 10 s")
}
