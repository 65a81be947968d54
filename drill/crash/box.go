package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// box is the machine in a home: the agent's spool, chain, tombstones and uplink, the real
// ones, on a disk of its own that forgets. Cameras it has none.
type box struct {
	home  latchkey.HomeID
	agent *keytest.Agent
	cloud dialler
	disk  *durabletest.Forgetful
	fuse  *fuse

	random *rand.Rand // of what its disk keeps

	mu     sync.Mutex // held while it starts, ends and records
	spool  *spool.Spool
	chain  *uplink.Chain
	uplink *uplink.Uplink
	stop   func() error // ends the uplink, and says how that ended by itself
}

func newBox(home latchkey.HomeID, agent *keytest.Agent, c dialler, random *rand.Rand) *box {
	return &box{home: home, agent: agent, cloud: c, disk: durabletest.New(), fuse: newFuse(), random: random}
}

// begin starts the agent for the first time, or after its end.
func (b *box) begin(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.start(ctx)
}

// start starts the agent, as often as it takes. Its caller holds mu.
func (b *box) start(ctx context.Context) error {
	return starting(ctx, "agent", func() error {
		b.disk.Before(b.fuse.before)
		err := b.open(ctx)
		if err == nil {
			b.fuse.serve()
			return nil
		}
		if b.fuse.release() {
			b.darken()
		}
		return err
	})
}

func (b *box) open(ctx context.Context) error {
	key, _, err := spool.LoadKey(b.disk, "key")
	if err != nil {
		return err
	}
	if err := durable.MkdirAll(b.disk, "spool"); err != nil {
		return err
	}
	if b.spool, err = spool.Open(spool.Config{FS: durabletest.Sub(b.disk, "spool"), Home: b.home, Key: key}); err != nil {
		return err
	}
	c := uplink.Config{
		Server: origin, Home: b.home, Keys: b.agent.Keys, Spool: b.spool, Retry: 2 * time.Millisecond, MostRetry: 20 * time.Millisecond,
		HTTP: newClient(b.cloud), Log: slog.New(slog.DiscardHandler),
	}
	if b.chain, err = uplink.LoadChain(b.disk, "deeds", b.home); err != nil {
		return err
	}
	c.Chain = b.chain
	if c.Tombstones, err = uplink.LoadTombstones(b.disk, "tombstones", b.home, c.Log); err != nil {
		return err
	}
	if c.Start, err = uplink.NextStart(b.disk, "start"); err != nil {
		return err
	}
	if b.uplink, err = uplink.New(c); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func(u *uplink.Uplink) { ended <- u.Run(ctx) }(b.uplink)
	b.stop = sync.OnceValue(func() error {
		stop()
		err := <-ended
		c.HTTP.CloseIdleConnections()
		return err
	})
	return nil
}

// newClient returns a client of a cloud.
func newClient(c dialler) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DialContext: c.Dial, ResponseHeaderTimeout: 10 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// darken is what the end of the machine does to the disk. Its caller holds mu.
func (b *box) darken() {
	crash(b.disk, b.fuse.mend(), b.random)
}

// take takes mu from whoever records, who may be standing at the disk of a machine that has
// ended, or come to stand there while this waits.
func (b *box) take() {
	for b.fuse.release(); !b.mu.TryLock(); b.fuse.release() {
		time.Sleep(100 * time.Microsecond)
	}
}

// again ends the agent and starts it again: as somebody does who stops it, or as the end
// of its machine if that has come meanwhile. Whoever records waits.
func (b *box) again(ctx context.Context) error {
	b.take()
	defer b.mu.Unlock()
	err := b.stop()
	if b.fuse.release() {
		b.darken()
	} else if err != nil {
		return fmt.Errorf("the agent has ended: %w", err)
	}
	return b.start(ctx)
}

// cut cuts the power and switches it on again.
func (b *box) cut(ctx context.Context) error {
	b.fuse.lay(strike{harm: dark, at: 1})
	return b.again(ctx)
}

// record puts an object into the spool. If that returns nil it is there for good.
func (b *box) record(binding sealed.Binding, content []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, err := b.spool.Add(binding, b.agent.Keys.Signing, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	return err
}

// settled says whether everything has been carried up, the uplink stands, and the agent knows
// the home's deeds up to there.
func (b *box) settled(head latchkey.Head) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.chain.Title()
	return b.spool.Status().Objects == 0 && b.uplink.Status().State == uplink.Connected && t != nil && t.Head() == head
}

// waits says whether an object is in the spool.
func (b *box) waits(name latchkey.Name) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	o, err := b.spool.Get(name)
	if err == nil {
		_ = o.Body.Close() // read only
	}
	return err == nil
}

// says is how the agent is, for a reason.
func (b *box) says() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprintf("%+v, %+v", b.uplink.Status(), b.spool.Status())
}

// end ends it.
func (b *box) end() error {
	b.take()
	defer b.mu.Unlock()
	if b.stop == nil {
		return nil
	}
	if err := b.stop(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
