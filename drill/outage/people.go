package outage

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/open"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Orders to the people.
const (
	doLook = "look"
	doTell = "tell"
)

// person is somebody who goes on opening a home.
type person struct {
	Home   latchkey.HomeID   `json:"home"`
	Device latchkey.DeviceID `json:"device"`
	Key    []byte            `json:"key"` // of the device: a drill's
	Deeds  [][]byte          `json:"deeds"`
}

func personOf(h *home) person {
	device, key := h.owner.Device()
	return person{Home: h.owner.Home(), Device: device, Key: key, Deeds: h.owner.Deeds()}
}

// look is one time that somebody has opened their home.
type look struct {
	At     int64 `json:"at"`   // µs, when it began
	Took   int64 `json:"took"` // µs
	Failed bool  `json:"failed,omitempty"`
}

// looks are all of them.
type looks struct {
	Looks   []look `json:"looks"`
	Foreign int    `json:"foreign"`
}

// lookEach is how often somebody opens their home, and lookWithin how long they wait.
const (
	lookEach   = 200 * time.Millisecond
	lookWithin = 10 * time.Second
)

// people go on opening their homes.
type people struct {
	stop    context.CancelFunc
	live    sync.WaitGroup
	foreign atomic.Int64

	mu    sync.Mutex // protects looks
	looks []look
}

func (p *people) do(_ context.Context, o order) (any, error) {
	switch o.Do {
	case doLook:
		ctx, stop := context.WithCancel(context.Background())
		p.stop = stop
		for i, one := range o.People {
			title, err := deed.Fold(one.Home, one.Deeds)
			if err != nil {
				return nil, err
			}
			http, err := client(o.Place)
			if err != nil {
				return nil, err
			}
			c, err := api.NewClient(o.Place.Origin, http)
			if err != nil {
				return nil, err
			}
			session, err := c.SignIn(ctx, one.Home, one.Device, ed25519.PrivateKey(one.Key), title.Head())
			if err != nil {
				return nil, err
			}
			p.live.Go(func() {
				pause(ctx, lookEach*time.Duration(i)/time.Duration(len(o.People)))
				p.goOn(ctx, session, title)
			})
		}
		return nil, nil
	case doTell:
		p.mu.Lock()
		defer p.mu.Unlock()
		return looks{p.looks, int(p.foreign.Load())}, nil
	}
	return nil, fmt.Errorf("people do not know how to %s", o.Do)
}

// goOn opens the home at its pace, however long it takes.
func (p *people) goOn(ctx context.Context, session *api.Home, title *deed.Title) {
	for ctx.Err() == nil {
		began := time.Now()
		err := p.open(ctx, session, title)
		l := look{At: began.UnixMicro(), Took: time.Since(began).Microseconds(), Failed: err != nil}
		if ctx.Err() == nil {
			p.mu.Lock()
			p.looks = append(p.looks, l)
			p.mu.Unlock()
		}
		pause(ctx, lookEach-time.Since(began))
	}
}

// open lists what was seen and fetches the newest picture.
func (p *people) open(ctx context.Context, session *api.Home, title *deed.Title) error {
	ctx, stop := context.WithTimeout(ctx, lookWithin)
	defer stop()
	o, _, err := newest(ctx, session, title)
	if foreign(err) {
		p.foreign.Add(1)
	}
	if err == nil && len(o.body) == 0 {
		err = errors.New("there is no picture")
	}
	return err
}

func (p *people) close() {
	if p.stop != nil {
		p.stop()
		p.live.Wait()
	}
}

// came is an object as it came.
type came struct {
	file sealed.File
	body []byte
}

// newest fetches the newest picture of a home, and compares what came with what was asked.
func newest(ctx context.Context, session *api.Home, title *deed.Title) (o came, name latchkey.Name, err error) {
	list, err := session.Events(ctx, "", 1)
	if err != nil {
		return o, name, err
	}
	if len(list.Events) == 0 || len(list.Events[0].Objects) == 0 {
		return o, name, errors.New("nothing is listed")
	}
	row := list.Events[0].Objects[0]
	header, err := sealed.ParseHeader(row.Header)
	if err != nil {
		return o, name, err
	}
	name = header.Name()
	if err := sealed.Verify(header, name, title); err != nil {
		return o, name, err
	}
	d, err := session.Object(ctx, name)
	if err != nil {
		return o, name, err
	}
	defer d.File.Close() // read whole
	b, err := io.ReadAll(io.LimitReader(d.File, 1<<20))
	if err != nil {
		return o, name, err
	}
	r := bytes.NewReader(b)
	if o.file, err = sealed.ReadFile(r); err != nil {
		return o, name, err
	}
	if err := sealed.Verify(o.file.Header, name, title); err != nil {
		return o, name, err
	}
	envelope, err := sealed.ParseEnvelope(row.Envelope)
	if err != nil {
		return o, name, err
	}
	o.file.Envelopes = []sealed.Envelope{envelope}
	o.body, err = io.ReadAll(r)
	return o, name, err
}

// foreign says whether what came is another home's, or an answer to another question.
func foreign(err error) bool {
	return errors.Is(err, api.ErrCrossed) || sealed.Word(err) == sealed.Misroute
}

// watcher is somebody who waits for what the agent of their home saw while the server was
// away.
type watcher struct {
	home    *home
	session *api.Home
	opened  atomic.Int64 // when they had it before them, µs
	foreign atomic.Int64
}

// wait opens the first picture after each outage.
func (w *watcher) wait(ctx context.Context, opened *atomic.Int64) {
	for ctx.Err() == nil {
		pause(ctx, 20*time.Millisecond)
		if opened.Load() == 0 || w.home.back.Load() == 0 || w.opened.Load() != 0 {
			continue
		}
		switch err := w.see(ctx); {
		case err == nil:
			w.opened.Store(time.Now().UnixMicro())
		case foreign(err):
			w.foreign.Add(1)
		}
	}
}

func (w *watcher) see(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, lookWithin)
	defer stop()
	title := w.home.owner.Title()
	o, name, err := newest(ctx, w.session, title)
	if err != nil {
		return err
	}
	if !w.home.has(name) {
		return errors.New("it is not the newest")
	}
	return open.Open(o.file, bytes.NewReader(o.body), name, title, w.home.owner.Ring(), io.Discard)
}

// has says whether that is the picture that was acknowledged last.
func (h *home) has(name latchkey.Name) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.stored) > 0 && h.stored[len(h.stored)-1] == name
}

func signIn(ctx context.Context, c *api.Client, o *keytest.Owner) (*api.Home, error) {
	device, key := o.Device()
	return c.SignIn(ctx, o.Home(), device, key, o.Title().Head())
}
