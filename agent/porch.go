package agent

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

// A porch is a server in the home itself, beside the agent, for when the home's own server
// cannot be reached. The agent has a second line to it, by which the same knocks and
// commands come and are judged by the same deeds. It hears of deeds from the agent alone,
// so that it lets people in only for as long as the agent knows that its deeds are new.

const (
	// porchFor is how long the newest deeds are believed to be the newest after the
	// home's server has last vouched for them.
	porchFor = 3 * 24 * time.Hour
	// vouchEvery is how exactly it is kept when that was.
	vouchEvery = time.Minute
	// porchEvery is how soon it is noticed.
	porchEvery = 2 * time.Second

	vouchedFile = "vouched"
)

// porchLine is the agent's line to its porch.
type porchLine struct {
	agent  *Agent
	uplink *uplink.Uplink
	live   *liveView
	kept   time.Time // when it was last written down that the deeds are vouched for
}

// Porch gives the agent a second line, to a server that lives as long as this program and
// knows the home's deeds. Call it before Run, once.
func (a *Agent) Porch(origin string, client *http.Client) (err error) {
	p := &porchLine{agent: a, live: newLiveView(a)}
	p.uplink, err = uplink.New(uplink.Config{
		Server: origin, Home: a.identity.Home, Keys: a.keys, Chain: a.chain, Start: a.start.Beside(), HTTP: client,
		Retry: a.config.Retry, MostRetry: time.Second, Log: a.log, Surely: a.surely, Follows: true,
		Command: a.commands.take, Condition: a.condition, Wanted: p.live.want, Knock: p.live.knock,
	})
	if err != nil {
		return err
	}
	p.live.uplink = p.uplink
	a.views = append(a.views, p.live)
	a.porch.Store(p)
	return nil
}

// run keeps the line for as long as the deeds are vouched for, and notes until when.
func (p *porchLine) run(ctx context.Context) error {
	tick := time.NewTicker(porchEvery)
	defer tick.Stop()
	for {
		if p.vouched() {
			if err := p.stand(ctx, tick); err != nil || ctx.Err() != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// stand keeps the line until ctx ends, or nobody vouches for the deeds any more.
func (p *porchLine) stand(ctx context.Context, tick *time.Ticker) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- p.uplink.Run(ctx) }()
	for p.vouched() {
		select {
		case err := <-done:
			return err
		case <-tick.C:
		}
	}
	stop()
	return <-done
}

// vouched is the agent's, and keeps when the home's server was last there.
func (p *porchLine) vouched() bool {
	if p.agent.Connected() && time.Since(p.kept) >= vouchEvery {
		p.kept = time.Now()
		p.agent.keepVouched()
	}
	return p.agent.vouched()
}

// Connected says whether the home's server answers, so that the agent hears of new deeds.
func (a *Agent) Connected() bool { return a.uplink.Status().State == uplink.Connected }

// keepVouched notes that the deeds are the newest now.
func (a *Agent) keepVouched() {
	now := a.believed()
	if now == 0 {
		return
	}
	if err := durable.WriteBytes(a.state.dir, vouchedFile, []byte(strconv.FormatUint(uint64(now), 10)+"\n")); err != nil {
		a.log.Warn("keep when the home's server was last reached", "error", err)
	}
}

// PorchStands says whether the porch may let people in: its deeds are the agent's, and
// those can be believed to be the newest.
func (a *Agent) PorchStands() bool {
	p := a.porch.Load()
	return p != nil && p.uplink.Status().State == uplink.Connected && a.vouched()
}

// vouched says whether the agent's deeds can be believed to be the newest: the home's
// server answers, or did within the last three days by a clock that can be believed.
func (a *Agent) vouched() bool {
	if a.Connected() {
		return true
	}
	b, err := durable.ReadBytes(a.state.dir, vouchedFile, 64)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			a.log.Warn("read when the home's server was last reached", "error", err)
		}
		return false
	}
	at, err := strconv.ParseUint(string(b[:max(len(b)-1, 0)]), 10, 63)
	now := a.believed()
	return err == nil && now != 0 && now >= latchkey.Time(at) && now.Time().Sub(latchkey.Time(at).Time()) < porchFor
}

// Title is what the home's deeds come to, as far as the agent knows them.
func (a *Agent) Title() *deed.Title { return a.chain.Title() }

// Settings is the home's newest settings document, sealed; nil if the agent has none.
func (a *Agent) Settings() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.home.seen == nil {
		return nil
	}
	return a.home.seen.Bytes()
}

// Server is where the home's server is, and the client with which it is trusted.
func (a *Agent) Server() (origin string, client *http.Client, err error) {
	client, err = trusting(a.config.HTTP, a.identity.Server, a.identity.Trust)
	if client == nil {
		client = uplink.NewHTTP(nil)
	}
	return a.identity.Server, client, err
}
