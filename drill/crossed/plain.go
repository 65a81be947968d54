package crossed

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3/driver"
)

// plain is the server of a control arm, as many camera clouds are built. A database knows
// whose a device is, and a cache remembers it. What a device records is filed under that
// account, and the account's list shows it. Pictures are files, and the cache keeps them
// by the name of their event.
type plain struct {
	config plainConfig
	cache  stockClient
	db     *sql.DB
	cross  crossing
	live   channels
	counts plainCounts
}

// plainConfig is what the server is told at its start.
type plainConfig struct {
	Dir    string `json:"dir"`    // of the database, and of pictures
	First  string `json:"first"`  // of the pictures that are there from the beginning, for all clouds
	Cache  string `json:"cache"`  // its address
	Prefix string `json:"prefix"` // of every key in it
	Client string `json:"client"` // which of the stock clients
	// Stamp compares the stamp in a picture with the account that it is shown to.
	Stamp bool `json:"stamp"`
	// KeyedOnly leaves the client alone with its keys: no database, no accounts.
	KeyedOnly bool `json:"keyed_only"`
}

// plainCounts are what the server says of itself.
type plainCounts struct {
	misses, originReads, alarms, firstAlarm, crossed atomic.Int64
}

// cacheTimeout is how long the server waits for its cache before it asks the database.
const cacheTimeout = 300 * time.Millisecond

func openPlain(ctx context.Context, c plainConfig) (*plain, error) {
	p := &plain{config: c}
	var err error
	if p.cache, err = dialStock(ctx, c.Client, c.Cache); err != nil {
		return nil, fmt.Errorf("connect %s: %w", c.Client, err)
	}
	if c.KeyedOnly {
		return p, nil
	}
	if p.db, err = openPlainDB(c.Dir); err != nil {
		return nil, err
	}
	return p, nil
}

// close leaves the database to the next process.
func (p *plain) close() {
	if p.db != nil {
		_ = p.db.Close() // another process keeps what is in it
	}
}

// openPlainDB opens the database, which forgets in a power cut: none is drilled here.
func openPlainDB(dir string) (*sql.DB, error) {
	u := url.URL{Scheme: "file", Opaque: url.PathEscape(filepath.Join(dir, "plain.db")), RawQuery: url.Values{
		"_pragma": {"busy_timeout(10000)", "journal_mode(wal)", "synchronous(off)"}, "_txlock": {"immediate"},
	}.Encode()}
	db, err := driver.Open(u.String())
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	db.SetMaxOpenConns(4)
	return db, nil
}

func (p *plain) handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("POST /devices/{device}/events/{event}", p.record)
	m.HandleFunc("PUT /devices/{device}/user/{user}", p.sell)
	m.HandleFunc("POST /devices/{device}/live", p.film)
	m.HandleFunc("GET /devices/{device}/live", p.watch)
	m.HandleFunc("GET /events", p.events)
	m.HandleFunc("GET /events/{event}/thumbnail", p.thumbnail)
	return m
}

// account is who asks. That a token is genuine is not what is drilled.
func account(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// stampOf is what the cloud writes onto a device when somebody adds it.
func stampOf(user string) string {
	h := sha256.Sum256([]byte(user))
	return hex.EncodeToString(h[:8])
}

// remember is the way of every cached value: from the cache, or else from the origin.
func (p *plain) remember(ctx context.Context, key string, origin func() ([]byte, error)) ([]byte, error) {
	key = p.config.Prefix + key
	within, stop := context.WithTimeout(ctx, cacheTimeout)
	b, found, err := p.cache.get(within, key)
	stop()
	if found && err == nil {
		return b, nil
	}
	p.counts.misses.Add(1)
	p.counts.originReads.Add(1)
	if b, err = origin(); err != nil {
		return nil, err
	}
	p.store(ctx, key, b)
	return b, nil
}

// store puts a value into the cache. If the cache does not take it the next reader asks
// the origin.
func (p *plain) store(ctx context.Context, key string, b []byte) {
	within, stop := context.WithTimeout(ctx, cacheTimeout)
	defer stop()
	_ = p.cache.set(within, key, b)
}

// userOf says whose a device is.
func (p *plain) userOf(ctx context.Context, device string) (string, error) {
	b, err := p.remember(ctx, "user-of:"+device, func() ([]byte, error) {
		var user string
		err := p.db.QueryRowContext(ctx, `SELECT user FROM devices WHERE device = ?`, device).Scan(&user)
		if err == nil {
			user, err = p.cross.pass(ctx, user)
		}
		return []byte(user), err
	})
	return string(b), err
}

// sell gives a device to another account, in the database and in the cache.
func (p *plain) sell(w http.ResponseWriter, r *http.Request) {
	device, user := r.PathValue("device"), r.PathValue("user")
	if _, err := p.db.ExecContext(r.Context(), `UPDATE devices SET user = ? WHERE device = ?`, user, device); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p.store(r.Context(), p.config.Prefix+"user-of:"+device, []byte(user))
}

func (p *plain) file(event string) string {
	return filepath.Join(p.config.Dir, "pictures", filepath.Base(event)+".jpg")
}

// stored is a picture in the cloud's own folder, or else one from the beginning.
func (p *plain) stored(event string) ([]byte, error) {
	b, err := os.ReadFile(p.file(event))
	if errors.Is(err, fs.ErrNotExist) {
		b, err = os.ReadFile(filepath.Join(p.config.First, filepath.Base(p.file(event))))
	}
	return b, err
}

// record files what a device has recorded.
func (p *plain) record(w http.ResponseWriter, r *http.Request) {
	device, event := r.PathValue("device"), r.PathValue("event")
	picture, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !p.config.KeyedOnly {
		user, err := p.userOf(r.Context(), device)
		if err == nil {
			err = os.WriteFile(p.file(event), picture, 0o600)
		}
		if err == nil {
			_, err = p.db.ExecContext(r.Context(), `INSERT OR REPLACE INTO events (event, device, user, at) VALUES (?, ?, ?, ?)`, event, device, user, time.Now().UnixMicro())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	p.store(r.Context(), p.config.Prefix+"thumbnail:"+event, picture)
}

// events lists what is filed under an account, the newest first.
func (p *plain) events(w http.ResponseWriter, r *http.Request) {
	events := []string{}
	if err := p.list(r.Context(), account(r), &events); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(events) // nobody is there to read it
}

// listed is how many events a page shows.
const listed = 1

func (p *plain) list(ctx context.Context, user string, events *[]string) error {
	rows, err := p.db.QueryContext(ctx, `SELECT event FROM events WHERE user = ? ORDER BY at DESC LIMIT ?`, user, listed)
	if err != nil {
		return err
	}
	defer rows.Close() // read only
	for rows.Next() {
		var event string
		if err := rows.Scan(&event); err != nil {
			return err
		}
		event, err := p.cross.pass(ctx, event)
		if err != nil {
			return err
		}
		*events = append(*events, event)
	}
	return rows.Err()
}

var errNotTheirs = errors.New("this is not yours")

// thumbnail shows one picture to the account that its event is filed under.
func (p *plain) thumbnail(w http.ResponseWriter, r *http.Request) {
	event, user := r.PathValue("event"), account(r)
	b, err := p.picture(r.Context(), event, user)
	switch {
	case errors.Is(err, errNotTheirs):
		http.Error(w, err.Error(), http.StatusForbidden)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "image/jpeg")
		_, _ = w.Write(b) // nobody is there to see it
	}
}

func (p *plain) picture(ctx context.Context, event, user string) ([]byte, error) {
	if p.config.KeyedOnly {
		within, stop := context.WithTimeout(ctx, cacheTimeout)
		defer stop()
		b, found, err := p.cache.get(within, p.config.Prefix+"thumbnail:"+event)
		if err == nil && !found {
			p.counts.misses.Add(1)
			err = errors.New("the cache has it no more")
		}
		return b, err
	}
	var filed string
	if err := p.db.QueryRowContext(ctx, `SELECT user FROM events WHERE event = ?`, event).Scan(&filed); err != nil {
		return nil, err
	}
	filed, err := p.cross.pass(ctx, filed)
	if err != nil {
		return nil, err
	}
	if filed != user {
		return nil, errNotTheirs
	}
	b, err := p.remember(ctx, "thumbnail:"+event, func() ([]byte, error) { return p.stored(event) })
	if err != nil {
		return nil, err
	}
	return b, p.stamped(b, user)
}

// stamped compares the stamp in a picture with the account that it is shown to, in the
// cloud that has stamps.
func (p *plain) stamped(picture []byte, user string) error {
	if stamp, _ := remarked(picture, stampComment); p.config.Stamp && stamp != stampOf(user) {
		p.alarm()
		return errNotTheirs
	}
	return nil
}

// alarm counts that a stamp was another account's.
func (p *plain) alarm() {
	p.counts.alarms.Add(1)
	p.counts.firstAlarm.CompareAndSwap(0, time.Now().UnixMicro())
}
