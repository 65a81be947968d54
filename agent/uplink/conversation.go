package uplink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/sealed"
)

const (
	openingWait = 15 * time.Second // for the connection, the challenge and the welcome each
	pingEvery   = 20 * time.Second // within what home routers keep a silent connection for
	pingWait    = 10 * time.Second
	writeWait   = 15 * time.Second
)

var (
	// errProtocol: what came is not what the protocol says.
	errProtocol = errors.New("the server does not keep to the protocol")
	// errAgain: connect again at once.
	errAgain = errors.New("connect again")
)

// NewHTTP returns the HTTP client of an agent, which trusts as the TLS configuration
// says, or as the machine does if it is nil. It gives up on connections that do not
// come about and answers that do not begin; bodies may take as long as the uplink of a
// house takes.
func NewHTTP(trust *tls.Config) *http.Client {
	if trust = trust.Clone(); trust == nil {
		trust = &tls.Config{}
	}
	trust.ClientSessionCache = tls.NewLRUClientSessionCache(1) // to come back costs both sides less
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: openingWait, KeepAlive: pingEvery}).DialContext,
			TLSClientConfig:        trust,
			TLSHandshakeTimeout:    openingWait,
			ResponseHeaderTimeout:  time.Minute,
			ExpectContinueTimeout:  time.Second,
			IdleConnTimeout:        90 * time.Second,
			MaxIdleConnsPerHost:    4,
			MaxResponseHeaderBytes: 64 << 10,
		},
		// A redirect would carry the request's signature to somewhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// conversation is one connection, after the welcome.
type conversation struct {
	u     *Uplink
	conn  *api.Socket
	at    latchkey.Head                        // of the server when it welcomed the agent
	asked map[latchkey.CameraID]latchkey.Epoch // what was asked for over it
	sent  map[string]func(*api.Refused)        // what is not answered yet; told nil if it was done
	said  latchkey.Epoch                       // to which the last condition was sealed
	live  map[sealed.Stream]bool               // what is wanted
	errands
}

// converse is one connection from its opening to its end. The error says why it ended.
func (u *Uplink) converse(ctx context.Context) error {
	opening, stop := context.WithTimeout(ctx, openingWait)
	conn, err := u.client.Dial(opening, u.comeback.Place())
	stop()
	if err != nil {
		return err
	}
	defer conn.Close() // nothing is left to say
	said, at, current, err := u.introduce(ctx, conn)
	if err != nil {
		return err
	}
	if !current {
		u.log.Info("an earlier start's hello is settled", "incarnation", said.Incarnation)
		return errAgain
	}
	u.say(Connected, "")
	u.setReady(true)
	defer u.setReady(false)
	u.log.Info("connected", "server", u.config.Server, "head", u.config.Chain.Title().Head().String())
	c := &conversation{u: u, conn: conn, at: at, asked: map[latchkey.CameraID]latchkey.Epoch{}, sent: map[string]func(*api.Refused){}, live: map[sealed.Stream]bool{}}
	defer c.unwanted()
	return c.run(ctx)
}

// introduce says hello and takes the welcome in: afterwards the chain is the newest
// that this server has, verified. It says which that is, and whether the hello was this
// start's own.
func (u *Uplink) introduce(ctx context.Context, conn *api.Socket) (said hello, at latchkey.Head, current bool, err error) {
	challenge, err := receiveAs[api.Challenge](ctx, conn)
	if err != nil {
		return said, at, false, err
	}
	if len(challenge.Nonce) != 32 {
		return said, at, false, fmt.Errorf("%w: a nonce of %d bytes", errProtocol, len(challenge.Nonce))
	}
	u.keepSkew(challenge.Time)
	if u.config.Heard != nil {
		u.config.Heard(challenge.Time)
	}
	if said, err = u.config.Start.hello(); err != nil {
		return said, at, false, err
	}
	known := u.config.Chain.Title()
	message, err := u.hello(challenge.Nonce, said, known)
	if err != nil {
		return said, at, false, err
	}
	if err := send(ctx, conn, message); err != nil {
		return said, at, false, err
	}
	welcome, err := u.welcomed(ctx, conn, message, known)
	if err != nil {
		return said, at, false, err
	}
	if welcome.ID != message.ID || welcome.Home != u.config.Home || welcome.Incarnation != said.Incarnation {
		return said, at, false, fmt.Errorf("%w: a welcome that answers another hello", errProtocol)
	}
	if known != nil && welcome.Head.Seq < known.Head().Seq {
		return said, at, false, fmt.Errorf("%w: rolled back to deed %d from %d", ErrOtherChain, welcome.Head.Seq, known.Head().Seq)
	}
	title, err := u.extend(latchkey.Head(welcome.Head), welcome.Deeds)
	if err != nil {
		return said, at, false, err
	}
	if a, ok := title.Agent(u.config.Keys.Agent); !ok || a.Signing[0].ID() != u.config.Keys.KeyID() {
		return said, at, false, fmt.Errorf("%w: welcomed, but the home's deeds do not know this agent", errProtocol)
	}
	if current, err = u.config.Start.answered(said); err != nil {
		return said, at, false, err
	}
	u.settings(welcome.Settings, title)
	u.comeback.Welcomed(time.Duration(welcome.SpreadMS) * time.Millisecond)
	return said, latchkey.Head(welcome.Head), current, nil
}

// welcomed waits for the answer to a hello. A server that has lost deeds asks for them
// first; an agent that the home has parted with is told so by deeds.
func (u *Uplink) welcomed(ctx context.Context, conn *api.Socket, said api.Hello, known *deed.Title) (api.Welcome, error) {
	var none api.Welcome
	gave := false
	for last := (*latchkey.Head)(nil); ; {
		f, err := receive(ctx, conn)
		if err != nil {
			return none, err
		}
		switch m := f.(type) {
		case api.Welcome:
			return m, nil
		case api.Behind:
			head := latchkey.Head(m.Head)
			if m.ID != said.ID || m.Home != u.config.Home || known == nil || last != nil && head.Seq <= last.Seq {
				return none, fmt.Errorf("%w: it asks for deeds that nobody can give", errProtocol)
			}
			if err := u.giveBack(ctx, conn, m, known); err != nil {
				return none, err
			}
			last = &head
		case api.TombstonesLost:
			if m.ID != said.ID || m.Home != u.config.Home || said.Tombstones == "" || gave {
				return none, fmt.Errorf("%w: it asks for tombstones that nobody can give", errProtocol)
			}
			gave = true
			if err := u.giveTombstones(ctx, conn); err != nil {
				return none, err
			}
		case api.DeedsFrame: // how this agent ceased to be the home's; a refusal follows
			if err := u.farewell(m); err != nil {
				return none, err
			}
		case api.TombstonesFrame: // the home itself was deleted
			if err := u.buried(m); err != nil {
				return none, err
			}
		default:
			return none, fmt.Errorf("%w: %T where a welcome belongs", errProtocol, f)
		}
	}
}

// farewell takes in deeds that come in place of a welcome.
func (u *Uplink) farewell(m api.DeedsFrame) error {
	if m.Home != u.config.Home || len(m.Deeds) == 0 {
		return fmt.Errorf("%w: deeds of another home, or none", errProtocol)
	}
	_, err := u.extend(latchkey.Head(m.Head), m.Deeds)
	return err
}

// maxGiveBack is how many bytes of deeds go in one message.
const maxGiveBack = 512 << 10

// giveBack sends what follows the server's head, if that is on the chain that this agent
// has verified.
func (u *Uplink) giveBack(ctx context.Context, conn *api.Socket, behind api.Behind, known *deed.Title) error {
	head := latchkey.Head(behind.Head)
	if !known.OnChain(head) || head == known.Head() {
		return fmt.Errorf("%w: a fork at or before deed %d", ErrOtherChain, head.Seq)
	}
	deeds := known.Deeds(head.Seq + 1)
	u.log.Warn("the server has lost deeds of this home and is given them back", "lost", len(deeds), "from", head.Seq+1)
	size := 0
	for i, d := range deeds {
		if size += len(d); i > 0 && size > maxGiveBack {
			deeds = deeds[:i]
			break
		}
	}
	return send(ctx, conn, api.GiveBack{ID: behind.ID, Home: u.config.Home, Onto: behind.Head, Deeds: deeds})
}

// giveTombstones sends a server that has lost some all that this agent has.
func (u *Uplink) giveTombstones(ctx context.Context, conn *api.Socket) error {
	u.log.Warn("the server has lost what people of this home have had deleted, and is told again")
	for _, f := range u.config.Tombstones.frames() {
		if err := send(ctx, conn, f); err != nil {
			return err
		}
	}
	return nil
}

// hello makes the signed message, which says how far the agent knows the chain.
func (u *Uplink) hello(nonce []byte, said hello, known *deed.Title) (api.Hello, error) {
	m := api.Hello{
		ID: api.NewRequestID(), Home: u.config.Home, Agent: u.config.Keys.Agent,
		Incarnation: said.Incarnation, Token: said.Token, NextToken: said.Next,
	}
	if known != nil {
		m.Head = known.Head().String()
	}
	if u.config.Tombstones != nil {
		m.Tombstones = u.config.Tombstones.mark()
	}
	return api.SignHello(m, nonce, u.config.Keys.Signing)
}

func (u *Uplink) settings(document []byte, t *deed.Title) {
	if len(document) > 0 && u.config.Settings != nil {
		u.config.Settings(document, t)
	}
}

// keepSkew remembers how far the server's clock is ahead, for the expiry of requests
// to this server and for nothing else: a machine that believes it is 1970 can upload.
func (u *Uplink) keepSkew(server latchkey.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.skew = time.Until(server.Time())
}

// serverNow is what the server's clock should show.
func (u *Uplink) serverNow() time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return time.Now().Add(u.skew)
}

// run reads what the server sends, asks for cameras, and keeps the connection alive.
func (c *conversation) run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() { stop(c.keepAlive(ctx)) }()
	frames := make(chan api.Frame)
	go func() { stop(c.read(ctx, frames)) }()
	minute := time.NewTicker(sayEvery)
	defer minute.Stop()
	for {
		changed := c.u.config.Chain.Changed()
		err := Parted(c.u.config.Chain.Title(), c.u.config.Keys)
		if err == nil && c.u.config.Follows && c.u.config.Chain.Title().Head() != c.at {
			err = errAgain
		}
		if err == nil {
			err = c.ask(ctx)
		}
		if err == nil && c.said != c.u.config.Chain.Title().Epoch() { // the first time, and in a new epoch
			err = c.tell(ctx)
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed: // a new epoch seals the names anew
		case <-c.u.nudge:
		case <-c.u.news:
			err = c.tell(ctx)
		case <-minute.C:
			err = c.tell(ctx)
		case f := <-frames:
			err = c.take(ctx, f)
		}
		if err != nil {
			return err
		}
	}
}

func (c *conversation) read(ctx context.Context, frames chan<- api.Frame) error {
	for {
		f, err := c.conn.Receive(ctx)
		if err != nil {
			return err
		}
		select {
		case frames <- f:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// keepAlive notices a connection of which the other end has gone without a word.
func (c *conversation) keepAlive(ctx context.Context) error {
	for {
		if err := sleep(ctx, pingEvery); err != nil {
			return err
		}
		wait, stop := context.WithTimeout(ctx, pingWait)
		err := c.conn.Ping(wait)
		stop()
		if err != nil {
			return fmt.Errorf("ping: %w", err)
		}
	}
}

// take carries out one message of the server.
func (c *conversation) take(ctx context.Context, f api.Frame) error {
	u := c.u
	switch m := f.(type) {
	case api.DeedsFrame:
		if m.Home != u.config.Home {
			return fmt.Errorf("%w: deeds of another home", errProtocol)
		}
		_, err := u.extend(latchkey.Head(m.Head), m.Deeds)
		return err
	case api.TombstonesFrame:
		return u.buried(m)
	case api.SettingsFrame:
		if m.Home != u.config.Home {
			return fmt.Errorf("%w: settings of another home", errProtocol)
		}
		u.settings(m.Document, u.config.Chain.Title())
		return nil
	case api.CommandFrame:
		if m.Home != u.config.Home {
			return fmt.Errorf("%w: a command of another home", errProtocol)
		}
		return c.command(ctx, m)
	case api.WantedFrame:
		return c.wanted(m)
	case api.SpreadFrame:
		if m.Home != u.config.Home {
			return fmt.Errorf("%w: a time to come back of another home", errProtocol)
		}
		u.comeback.Told(time.Duration(m.SpreadMS) * time.Millisecond)
		return nil
	case api.KnockFrame:
		if m.Home != u.config.Home {
			return fmt.Errorf("%w: a knock of another home", errProtocol)
		}
		if u.config.Knock != nil {
			u.config.Knock(Knock{Bytes: m.Knock, conversation: ctx, c: c})
		}
		return nil
	case api.StopFrame:
		c.stop(m.ID)
		return nil
	case api.Done:
		told, ok := c.sent[m.ID]
		if !ok || m.Home != u.config.Home {
			return fmt.Errorf("%w: an answer to nothing that was asked", errProtocol)
		}
		delete(c.sent, m.ID)
		told(nil)
		return nil
	case api.Refused:
		told, ok := c.sent[m.ID]
		if !ok {
			return refused(m)
		}
		delete(c.sent, m.ID)
		told(&m)
		return nil
	}
	return fmt.Errorf("%w: an unexpected %T", errProtocol, f)
}

// refused is a refusal of a message as an error.
func refused(m api.Refused) error {
	if m.Reason == api.Cloned {
		return ErrCloned
	}
	return &api.Error{Refusal: api.Refusal{Request: m.ID, Error: api.Problem{Reason: m.Reason, Message: m.Message, RetryAfterMS: m.RetryAfterMS}}}
}

func send(ctx context.Context, conn *api.Socket, f api.Frame) error {
	ctx, stop := context.WithTimeout(ctx, writeWait)
	defer stop()
	return conn.Send(ctx, f)
}

// receiveAs wants a certain message next, or a refusal.
func receiveAs[T api.Frame](ctx context.Context, conn *api.Socket) (T, error) {
	var none T
	f, err := receive(ctx, conn)
	if err != nil {
		return none, err
	}
	if m, ok := f.(T); ok {
		return m, nil
	}
	return none, fmt.Errorf("%w: %T where %T belongs", errProtocol, f, none)
}

// receive waits for the next message of an opening; a refusal is an error.
func receive(ctx context.Context, conn *api.Socket) (api.Frame, error) {
	ctx, stop := context.WithTimeout(ctx, openingWait)
	defer stop()
	f, err := conn.Receive(ctx)
	if m, ok := f.(api.Refused); ok {
		return nil, refused(m)
	}
	return f, err
}
