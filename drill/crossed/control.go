package crossed

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey/drill/fault"
)

// How the control arms call the account and the device of a home, and the event that is
// there from the beginning.
func userName(home int) string      { return "u" + strconv.Itoa(home) }
func deviceName(home int) string    { return "d" + strconv.Itoa(home) }
func firstEvent(user string) string { return "e-" + user }
func firstFile(home int) string     { return firstEvent(userName(home)) + ".jpg" }

// control is the cloud of a control arm: its server in a process of its own, a database
// and pictures in a folder, a cache, and proxies before both.
type control struct {
	homes  []*home
	config plainConfig
	child  Child
	db     *sql.DB
	cache  *cache
	wire   *fault.Proxy // to the cache
	edge   *fault.Proxy // to the server; nil if there is none
	front  atomic.Value // of string: where people reach the server
	client *http.Client
	keeper *keeper // of this scene
	live   bool    // people watch their cameras in it
}

// openControl makes the database and the cloud's own folder of pictures.
func openControl(ctx context.Context, homes []*home, cache *cache, child Child, c plainConfig) (k *control, err error) {
	k = &control{homes: homes, config: c, child: child, cache: cache}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("make a control arm: %w", err), k.close())
		}
	}()
	if k.wire, err = fault.NewProxy(ctx, fault.ProxyConfig{Upstream: cache.address, Protocol: fault.RESP}); err != nil {
		return k, err
	}
	if !c.KeyedOnly { // of which only the client is drilled
		if k.edge, err = fault.NewProxy(ctx, fault.ProxyConfig{Protocol: fault.HTTP}); err != nil {
			return k, err
		}
		k.front.Store(k.edge.Addr())
	}
	k.config.Cache, k.config.Prefix = k.wire.Addr(), cache.prefix
	k.client = newClient()
	if c.KeyedOnly {
		return k, nil
	}
	if err := os.MkdirAll(filepath.Join(c.Dir, "pictures"), 0o700); err != nil {
		return k, err
	}
	if k.db, err = openPlainDB(c.Dir); err != nil {
		return k, err
	}
	_, err = k.db.ExecContext(ctx, `
		CREATE TABLE devices (device TEXT PRIMARY KEY, user TEXT NOT NULL);
		CREATE TABLE events (event TEXT PRIMARY KEY, device TEXT NOT NULL, user TEXT NOT NULL, at INTEGER NOT NULL);
		CREATE INDEX filed ON events (user, at);`)
	if err != nil {
		return k, err
	}
	return k, nil
}

// fileFirst files what was recorded of each home before a scene begins.
func fileFirst(dir string, homes []*home) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("file pictures: %w", err)
	}
	for i, h := range homes {
		if err := os.WriteFile(filepath.Join(dir, firstFile(i)), h.stamped(i), 0o600); err != nil {
			return fmt.Errorf("file pictures: %w", err)
		}
	}
	return nil
}

// newClient is a browser's connections, as many as there are people at a time.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: people}, Timeout: 30 * time.Second}
}

func (k *control) close() error {
	var errs []error
	if k.keeper != nil {
		k.keeper.close()
	}
	for _, p := range []*fault.Proxy{k.wire, k.edge} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	if k.db != nil {
		errs = append(errs, k.db.Close())
	}
	return errors.Join(errs...)
}

// stamped is what the camera of a home records, with the stamp that was written onto it.
func (h *home) stamped(number int) []byte {
	return remark(h.picture, stampComment+stampOf(userName(number)))
}

func (k *control) picture(home int) []byte { return k.homes[home].stamped(home) }

// file is what covers the first picture of a home in this cloud, if it is there.
func (k *control) file(home int) string {
	return filepath.Join(k.config.Dir, "pictures", firstFile(home))
}

// begin puts the database back, empties the cache, and starts the server anew.
func (k *control) begin(ctx context.Context) error {
	if k.keeper != nil {
		k.keeper.close()
	}
	k.client.CloseIdleConnections()
	if !k.config.KeyedOnly {
		if err := k.fill(ctx); err != nil {
			return fmt.Errorf("fill the database: %w", err)
		}
	}
	if err := k.cache.empty(ctx); err != nil {
		return err
	}
	var err error
	if k.keeper, err = keep(ctx, k.child, k.config, k.lead); err != nil {
		return err
	}
	if k.config.KeyedOnly {
		return k.cache.fill(ctx, func(yield func(string, []byte) bool) {
			for i := range k.homes {
				if !yield("thumbnail:"+firstEvent(userName(i)), k.homes[i].picture) {
					return
				}
			}
		})
	}
	return nil
}

func (k *control) fill(ctx context.Context) error {
	_, err := k.db.ExecContext(ctx, fmt.Sprintf(`
		BEGIN IMMEDIATE;
		DELETE FROM devices;
		DELETE FROM events;
		WITH RECURSIVE home (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM home WHERE n + 1 < %d)
			INSERT INTO devices (device, user) SELECT 'd' || n, 'u' || n FROM home;
		INSERT INTO events (event, device, user, at) SELECT 'e-' || user, device, user, 1 FROM devices;
		COMMIT;`, len(k.homes)))
	return err
}

// lead has people reach the server at its address, behind the proxy if there is one.
func (k *control) lead(address string) {
	if k.edge != nil {
		k.edge.Lead(address)
		return
	}
	k.front.Store(address)
}

// ask sends a request as somebody.
func (k *control) ask(ctx context.Context, method, path, user string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+k.front.Load().(string)+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+user)
	a, err := k.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close() // read whole
	b, err := io.ReadAll(io.LimitReader(a.Body, 1<<20))
	if err == nil && a.StatusCode != http.StatusOK {
		err = errors.New(a.Status)
	}
	return b, err
}

// record has the camera of a home record something. Some cameras are then sold to the
// next home, and record there.
func (k *control) record(ctx context.Context, home int, changes bool) []visit {
	k.upload(ctx, home, home)
	if next := (home + 1) % len(k.homes); changes && !k.config.KeyedOnly {
		k.upload(ctx, home, home)
		if _, err := k.ask(ctx, "PUT", "/devices/"+deviceName(home)+"/user/"+userName(next), "", nil); err == nil {
			k.upload(ctx, home, next)
		}
	}
	return nil
}

// upload brings what a device sees that was a home's, and may stand in another.
func (k *control) upload(ctx context.Context, device, stands int) {
	event := firstEvent(userName(stands)) + "-" + strconv.FormatUint(rand.Uint64(), 36)
	_, _ = k.ask(ctx, "POST", "/devices/"+deviceName(device)+"/events/"+event, "", k.picture(stands)) // or it is lost
}

// visit has the account of a home open its page.
func (k *control) visit(ctx context.Context, home int) visit {
	v := visit{home: home, id: k.homes[home].id()}
	if k.live {
		k.watch(ctx, home, &v)
		return v
	}
	events := []string{firstEvent(userName(home))}
	if !k.config.KeyedOnly {
		b, err := k.ask(ctx, "GET", "/events", userName(home), nil)
		if err == nil {
			err = json.Unmarshal(b, &events)
		}
		if err != nil {
			v.refused++
			return v
		}
	}
	for _, e := range events {
		b, err := k.ask(ctx, "GET", "/events/"+e+"/thumbnail", userName(home), nil)
		if err != nil {
			v.refused++
			continue
		}
		v.shown = append(v.shown, b)
	}
	return v
}

// watch has the account of a home watch its camera until it has seen a picture.
func (k *control) watch(ctx context.Context, home int, v *visit) {
	ctx, stop := context.WithCancel(ctx)
	var filming sync.WaitGroup
	defer filming.Wait()
	defer stop()
	path := "/devices/" + deviceName(home) + "/live"
	filming.Go(func() {
		for ; ctx.Err() == nil; pause(ctx, filmEvery) {
			_, _ = k.ask(ctx, "POST", path, "", k.picture(home)) // or it is lost
		}
	})
	b, err := k.ask(ctx, "GET", path, userName(home), nil)
	if err != nil {
		v.refused++
		return
	}
	v.shown = append(v.shown, b)
}

// counts is what the server says of itself.
func (k *control) counts(ctx context.Context) counts {
	r, crashes, alarm := k.keeper.total(ctx)
	return counts{misses: r.Misses, originReads: r.OriginReads, crashes: crashes, alarm: alarm}
}
