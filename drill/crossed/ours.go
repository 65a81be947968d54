package crossed

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/bound"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/drill"
	"github.com/latchkey-cam/latchkey/drill/fault"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// ours is the cloud of Latchkey: a real server on a real archive and blobs, with its cache
// behind a proxy, and real clients that come through another one.
type ours struct {
	homes   []*home
	cache   *cache
	archive *archive.SQLite
	folder  *durable.Dir
	blobs   blob.Store
	parts   fault.Parts
	http    *http.Client
	client  *api.Client
	keys    *bound.Keys
	noticed *alarm

	// Of this scene.
	bound  *bound.Cache
	beside *neighbour
	place  *drill.Place
	bus    bus.Bus
	air    *air // nil: people open their pages, and watch nothing
}

// alarm is when the first of Latchkey's own checks spoke up.
type alarm struct{ first atomic.Int64 } // µs

func (a *alarm) ring() { a.first.CompareAndSwap(0, time.Now().UnixMicro()) }

func (a *alarm) at() time.Time {
	if t := a.first.Load(); t != 0 {
		return time.UnixMicro(t)
	}
	return time.Time{}
}

// Enabled is [slog.Handler]'s: an alarm is a line that says ERROR.
func (a *alarm) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }

// Handle is [slog.Handler]'s.
func (a *alarm) Handle(context.Context, slog.Record) error {
	a.ring()
	return nil
}

// WithAttrs is [slog.Handler]'s.
func (a *alarm) WithAttrs([]slog.Attr) slog.Handler { return a }

// WithGroup is [slog.Handler]'s.
func (a *alarm) WithGroup(string) slog.Handler { return a }

// cachePatience is how long a reply of the cache is waited for.
const cachePatience = 250 * time.Millisecond

// originRate is how many reads a second this archive can bear beside its own work.
const originRate = 2000

// openOurs makes the cloud, founds the homes in it and signs their owners in.
func openOurs(ctx context.Context, homes []*home, cache *cache, dir string, tell func(done int)) (o *ours, err error) {
	o = &ours{homes: homes, cache: cache, http: newClient(), keys: bound.NewKeys(), noticed: &alarm{}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("make Latchkey's arm: %w", err), o.close())
		}
	}()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return o, err
	}
	if o.archive, err = archive.OpenSQLite(ctx, filepath.Join(dir, "archive.db")); err != nil {
		return o, err
	}
	if o.folder, err = durable.Open(filepath.Join(dir, "blobs")); err != nil {
		return o, err
	}
	if o.blobs, err = blob.NewDisk(o.folder); err != nil {
		return o, err
	}
	o.parts = fault.Parts{Archive: &fault.Archive{}, Blobs: &fault.Blobs{}, Bus: &fault.Bus{}, Patience: cachePatience}
	if o.parts.Cache, err = fault.NewProxy(ctx, fault.ProxyConfig{Upstream: cache.address, Protocol: fault.RESP}); err != nil {
		return o, err
	}
	if o.parts.Pages, err = fault.NewProxy(ctx, fault.ProxyConfig{Protocol: fault.HTTP}); err != nil {
		return o, err
	}
	if o.client, err = api.NewClient("http://"+o.parts.Pages.Addr(), o.http); err != nil {
		return o, err
	}
	if err := o.begin(ctx); err != nil {
		return o, err
	}
	return o, drill.Each(ctx, len(homes), 4*runtime.GOMAXPROCS(0), tell, func(ctx context.Context, i int) error {
		secret, err := o.place.Server.MintSetup(ctx)
		if err != nil {
			return err
		}
		return homes[i].found(ctx, o.client, secret)
	})
}

func (o *ours) close() error {
	errs := []error{o.end()}
	for _, p := range []*fault.Proxy{o.parts.Cache, o.parts.Pages} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	if o.archive != nil {
		errs = append(errs, o.archive.Close())
	}
	if o.folder != nil {
		errs = append(errs, o.folder.Close())
	}
	return errors.Join(errs...)
}

// end ends the server of a scene.
func (o *ours) end() error {
	var errs []error
	if o.air != nil {
		errs = append(errs, o.air.close())
	}
	if o.place != nil {
		errs = append(errs, o.place.Close())
	}
	if o.beside != nil {
		errs = append(errs, o.beside.close())
	}
	if o.bound != nil {
		errs = append(errs, o.bound.Close())
	}
	o.air, o.place, o.beside, o.bound = nil, nil, nil, nil
	return errors.Join(errs...)
}

// begin empties the cache and starts the server anew.
func (o *ours) begin(ctx context.Context) error {
	if err := o.end(); err != nil {
		return err
	}
	o.http.CloseIdleConnections()
	if err := o.cache.empty(ctx); err != nil {
		return err
	}
	o.noticed.first.Store(0)
	var err error
	if o.bound, err = o.newCache(); err != nil {
		return err
	}
	other, err := o.newCache()
	if err != nil {
		return err
	}
	o.beside = newNeighbour(other)
	o.bus = o.parts.Bus.Wrap(bus.NewLocal())
	o.place, err = drill.Serve(ctx, server.Config{
		Archive: o.parts.Archive.Wrap(o.archive.Archive()), Blobs: o.parts.Blobs.Wrap(o.blobs), Bus: o.bus,
		Cache: o.bound, Origin: o.client.Origin(), Log: slog.New(o.noticed),
	})
	if err != nil {
		return err
	}
	o.parts.Pages.Lead(o.place.Addr)
	return nil
}

// newCache is a server's way to the cache.
func (o *ours) newCache() (*bound.Cache, error) {
	return bound.New(bound.Config{
		Keys: o.keys, Alarm: func(bound.Incident) { o.noticed.ring() }, BudgetRate: originRate,
		Tiers: []bound.Tier{bound.Valkey(bound.ValkeyConfig{
			URL: "redis://" + o.parts.Cache.Addr(), Prefix: o.cache.prefix, Patience: cachePatience,
		})},
	})
}

// hurt puts a fault in; Latchkey has a place for each.
func (o *ours) hurt(ctx context.Context, f fault.Fault, s fault.Schedule, rng *rand.Rand) (h *harm, err error) {
	if f.Where == fault.InLive {
		if o.air, err = o.openAir(ctx); err != nil {
			return nil, err
		}
	}
	in := f.Inject(o.parts, s, rng)
	if in == nil {
		return nil, fmt.Errorf("there is no place for %s (%s)", f.ID, f.Name)
	}
	return &harm{injected: func() int64 { return int64(in.Injected()) }, end: in.End}, nil
}

// visit has the owner of a home open their page.
func (o *ours) visit(ctx context.Context, home int) visit {
	h := o.homes[home]
	if h.out.Swap(false) && h.signIn(ctx, o.client) != nil {
		h.out.Store(true)
	}
	var v visit
	if o.air != nil {
		o.watch(ctx, h, &v)
	} else {
		v = h.page(o.noticed.ring).look(ctx)
	}
	v.home, v.id, v.crossed = home, h.id(), int(o.beside.foreign.Swap(0))
	return v
}

// record has the camera of a home record something. If the home changes, somebody is
// admitted, looks, is removed, and looks again.
func (o *ours) record(ctx context.Context, home int, changes bool) []visit {
	h := o.homes[home]
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = h.record(ctx) // or the agent brings it another time
	if !changes {
		return nil
	}
	v, ok := h.comeAndGo(ctx, o.client, o.noticed.ring)
	if !ok {
		return nil
	}
	return []visit{v}
}

// comeAndGo admits somebody and removes them, and returns what they are shown after that:
// there must be nothing. If a fault comes between there is nothing to say.
func (h *home) comeAndGo(ctx context.Context, client *api.Client, noticed func()) (visit, bool) {
	p := keytest.NewPerson()
	h.owner.Admit(h.owner.Invite(keytest.AsResident), p, h.owner.Title().Epoch())
	if !h.append(ctx) {
		return visit{}, false
	}
	k := p.Keys
	session, err := client.SignIn(ctx, h.id(), k.Device, k.DeviceSigning, h.owner.Title().Head())
	if err != nil {
		return visit{}, false
	}
	guest := page{session, h.owner.Title(), p.Ring(h.owner.Title()), noticed, func() {}}
	guest.look(ctx) // as everybody else
	h.owner.Dismiss(p)
	if !h.append(ctx) {
		return visit{}, false
	}
	v := guest.look(ctx)
	v.home, v.id, v.refused = nobodys, latchkey.HomeID(sha256.Sum256(k.Person[:])), 0 // that they are refused is right
	return v, true
}

// counts is what the server and its cache say of themselves.
func (o *ours) counts(context.Context) counts {
	s := o.bound.Stats()
	c := counts{originReads: int64(s.Origin), alarm: o.noticed.at()}
	for _, t := range s.Tiers {
		c.misses += int64(t.Misses + t.Misrouted + t.Damaged + t.UnknownKey + t.Old + t.Expired + t.Failed + t.Unasked)
	}
	return c
}
