package outage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/certificate"
	"github.com/latchkey-cam/latchkey/drill"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// Orders to the fleet.
const (
	doFound   = "found"
	doMeasure = "measure"
	doConnect = "connect"
	doOutage  = "outage"
	doOpen    = "open"
	doCount   = "count"
	doReport  = "report"
	doPart    = "part"
	doAudit   = "audit"
)

// pictureSize is that of a thumbnail.
const pictureSize = 8 << 10

// fleet is the agents of all homes, and those in some of them who wait for what they see.
type fleet struct {
	homes []*home

	opened atomic.Int64 // when the server was there again, µs; 0: it is away, or was never
	stop   context.CancelFunc
	live   sync.WaitGroup
	watch  []*watcher
}

// founding is what is known when the homes are founded.
type founding struct {
	People []person `json:"people"` // owners of some of the homes, for whom no watcher waits
}

// count is how far the fleet is.
type count struct {
	Back    int `json:"back"`
	Backlog int `json:"backlog"` // objects that are not acknowledged
}

// report is what the agents have to say of their return.
type report struct {
	Back       []int64 `json:"back"` // µs since the server was there, of those who are
	Attempts   int64   `json:"attempts"`
	Handshakes int64   `json:"handshakes"`
	Foreign    int     `json:"foreign"`
}

// audit is what is at the server of what it has acknowledged.
type audit struct {
	Lost  int `json:"lost"`
	Twice int `json:"twice"`
}

func (f *fleet) do(ctx context.Context, o order) (any, error) {
	switch o.Do {
	case doFound:
		return f.found(ctx, o.Data, o.Agents)
	case doMeasure:
		return f.measure(ctx, o.Place)
	case doConnect:
		return nil, f.connect(o.Place, o.Arm)
	case doOutage:
		f.opened.Store(0)
		for _, h := range f.homes {
			h.back.Store(0)
			h.attempts.Store(0)
			h.shaken.Store(0)
			h.record(picture())
		}
		for _, w := range f.watch {
			w.opened.Store(0)
		}
		return nil, nil
	case doOpen:
		f.opened.Store(o.Since)
		return nil, nil
	case doCount:
		return f.count(), nil
	case doReport:
		return f.report(), nil
	case doPart:
		f.part()
		return nil, nil
	case doAudit:
		return f.audit(ctx, o.Data)
	}
	return nil, fmt.Errorf("the fleet does not know how to %s", o.Do)
}

func picture() []byte {
	b := make([]byte, pictureSize)
	rand.Read(b)
	return b
}

const (
	// foreground is in how many homes people go on looking, and waiting in how many others
	// somebody waits for the first picture.
	foreground = 8
	waiting    = 40
)

// found makes the homes, founds them at a server of this process, and gives each a picture.
func (f *fleet) found(ctx context.Context, data string, n int) (p founding, err error) {
	l, err := serve(ctx, order{Data: data, Listen: "127.0.0.1:0", Ungated: true})
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	http, err := client(placeOf(l))
	if err != nil {
		return p, err
	}
	c, err := api.NewClient(l.Origin, http)
	if err != nil {
		return p, err
	}
	f.homes = make([]*home, n)
	err = drill.Each(ctx, n, 4*runtime.GOMAXPROCS(0), func(int) {}, func(ctx context.Context, i int) error {
		secret, err := l.MintSetup(ctx)
		if err != nil {
			return err
		}
		h := &home{owner: keytest.NewOwner()}
		h.owner.Found()
		h.agent = h.owner.PlaceAgent()
		h.camera = h.owner.PlaceCamera(h.agent)
		if _, err := c.Found(ctx, secret, h.owner.Deeds()); err != nil {
			return err
		}
		h.upload = c.Agent(h.owner.Home(), h.agent.Keys.Agent, h.agent.Keys.Signing)
		f.homes[i] = h
		h.record(picture())
		for err = h.bring(ctx); err != nil && ctx.Err() == nil; err = h.bring(ctx) {
			pause(ctx, time.Second) // the machine has a lot to do
		}
		return err
	})
	if err != nil {
		return p, err
	}
	for _, h := range f.homes[:min(foreground, n)] {
		p.People = append(p.People, personOf(h))
	}
	for _, h := range f.homes[min(foreground, n):min(foreground+waiting, n)] {
		f.watch = append(f.watch, &watcher{home: h})
	}
	return p, nil
}

// client is the HTTP client of an agent that trusts the cloud's certificate.
func client(at place) (*http.Client, error) {
	root, err := certificate.ParseFingerprint(at.Trust)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(at.Origin)
	if err != nil {
		return nil, err
	}
	return uplink.NewHTTP(certificate.Trust(root, u.Hostname())), nil
}

// reach gives an agent a client of its own, which counts its handshakes.
func (h *home) reach(at place, opened *atomic.Int64) error {
	own, err := client(at)
	if err != nil {
		return err
	}
	t := own.Transport.(*http.Transport)
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if opened.Load() != 0 {
			h.shaken.Add(1)
		}
		return dial(ctx, network, address)
	}
	h.http = own
	if h.client, err = api.NewClient(at.Origin, own); err != nil {
		return err
	}
	h.upload = h.client.Agent(h.owner.Home(), h.agent.Keys.Agent, h.agent.Keys.Signing)
	return nil
}

// measure has agents come one after the other, so many at a time as keep the server busy,
// and says how many a second are back.
func (f *fleet) measure(ctx context.Context, at place) (float64, error) {
	ctx, stop := context.WithTimeout(ctx, measured)
	defer stop()
	var done atomic.Int64
	var work sync.WaitGroup
	began := time.Now()
	workers := min(16*runtime.GOMAXPROCS(0), len(f.homes))
	for w := range workers {
		own := f.homes[w*len(f.homes)/workers : (w+1)*len(f.homes)/workers]
		work.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if own[i%len(own)].visit(ctx, at, &f.opened) == nil { // or it was too late
					done.Add(1)
				}
			}
		})
	}
	work.Wait()
	return float64(done.Load()) / time.Since(began).Seconds(), nil
}

// visit comes, brings a picture, and goes.
func (h *home) visit(ctx context.Context, at place, opened *atomic.Int64) error {
	if err := h.reach(at, opened); err != nil {
		return err
	}
	defer h.http.CloseIdleConnections()
	h.record(picture())
	s, _, err := h.connect(ctx, "")
	if err != nil {
		return err
	}
	return errors.Join(h.bring(ctx), s.Close())
}

// connect sets all agents going.
func (f *fleet) connect(at place, arm string) error {
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	for _, h := range f.homes {
		if err := h.reach(at, &f.opened); err != nil {
			return err
		}
	}
	for i, h := range f.homes {
		p := policyOf(arm)
		f.live.Go(func() { h.live(ctx, p, &f.opened, time.Duration(i)*time.Millisecond) })
	}
	for _, w := range f.watch {
		own, err := client(at)
		if err != nil {
			return err
		}
		c, err := api.NewClient(at.Origin, own)
		if err != nil {
			return err
		}
		if w.session, err = signIn(ctx, c, w.home.owner); err != nil {
			return err
		}
		f.live.Go(func() { w.wait(ctx, &f.opened) })
	}
	return nil
}

// part ends all agents.
func (f *fleet) part() {
	if f.stop == nil {
		return
	}
	f.stop()
	f.live.Wait()
	f.stop = nil
	for _, h := range f.homes {
		h.http.CloseIdleConnections()
	}
}

func (f *fleet) close() { f.part() }

func (f *fleet) count() (c count) {
	seen := f.seen()
	for _, h := range f.homes {
		if at := f.backAt(h, seen); at != 0 {
			c.Back++
		}
		h.mu.Lock()
		c.Backlog += len(h.backlog)
		h.mu.Unlock()
	}
	return c
}

// seen is when somebody has opened the first picture, of the homes in which somebody waits.
func (f *fleet) seen() map[*home]int64 {
	seen := map[*home]int64{}
	for _, w := range f.watch {
		seen[w.home] = w.opened.Load()
	}
	return seen
}

// backAt is when a home was back, µs; 0: it is not.
func (f *fleet) backAt(h *home, seen map[*home]int64) int64 {
	at, since := h.back.Load(), f.opened.Load()
	if at == 0 || since == 0 {
		return 0
	}
	at = max(at, since)
	if opened, waits := seen[h]; waits {
		if opened == 0 {
			return 0
		}
		return max(at, opened)
	}
	return at
}

func (f *fleet) report() (r report) {
	seen, since := f.seen(), f.opened.Load()
	for _, h := range f.homes {
		if at := f.backAt(h, seen); at != 0 {
			r.Back = append(r.Back, at-since)
		}
		r.Attempts += h.attempts.Load()
		r.Handshakes += h.shaken.Load()
	}
	for _, w := range f.watch {
		r.Foreign += int(w.foreign.Load())
	}
	return r
}

// audit looks whether everything that was acknowledged is at the server, once. The server
// has ended.
func (f *fleet) audit(ctx context.Context, data string) (a audit, err error) {
	kept, err := server.OpenArchive(ctx, data)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	for _, h := range f.homes {
		found := map[latchkey.Name]int{}
		for before := new(archive.Cursor); before != nil; {
			page, err := kept.Archive().Objects.Events(ctx, h.owner.Home(), *before, api.MaxEvents)
			if err != nil {
				return a, err
			}
			for _, e := range page.Events {
				for _, row := range e.Objects {
					found[row.Name]++
				}
			}
			before = page.Next
		}
		h.mu.Lock()
		if h.back.Load() != 0 {
			a.Lost += len(h.backlog) // or they wait for an agent that is not back
		}
		for _, name := range h.stored {
			if found[name] == 0 {
				a.Lost++
			}
		}
		for _, n := range found {
			a.Twice += n - 1
		}
		h.mu.Unlock()
	}
	return a, nil
}
